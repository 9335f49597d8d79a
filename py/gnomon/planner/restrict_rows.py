"""Pass 8: every table is read as if it held only the rows that the asker's row filters let through.

A table says a row filter if each of its names stands for one attribute of the table's rows, own or joined.
What is aggregated or listed must say every row filter, or the question is refused. What is joined for its
attributes is cut down where it says the filter, unless it is the very row that the filter has judged.
"""

from __future__ import annotations

from dataclasses import replace

from gnomon.core.errors import QueryError, explain_unknown, join_names, shorten, suggest_nearest
from gnomon.core.names import ModelName
from gnomon.planner.algebra import SPINE, Answer, Block, Condition, Conversions, Join, Restricted, Scan, Side, Top
from gnomon.planner.compiled import Attribute, Compiled, check_time
from gnomon.planner.draft import Draft
from gnomon.planner.filters import Filter
from gnomon.planner.join_entities import Rows, read_attribute
from gnomon.planner.references import METRIC_TIME, Reference
from gnomon.semantic.model import SemanticModel


def restrict_rows(compiled: Compiled, draft: Draft) -> Draft:
    """Take the answer from restricted tables; QueryError if a text is no row filter or a table does not say it."""
    texts = draft.question.row_filters
    if not texts:
        return draft
    restriction = _Restriction(compiled, tuple(_read_filter(compiled, text) for text in texts))
    return replace(draft, answer=restriction.restrict(draft.answer))


def _read_filter(compiled: Compiled, text: str) -> Filter:
    condition = compiled.filter(text)
    if not condition.references:
        raise QueryError(f'row filter "{shorten(text)}": it names no dimension and no entity, so it chooses no rows.')
    for reference in condition.references:
        if reference.metric is not None:
            raise QueryError(
                f'row filter "{shorten(text)}": a metric is of many rows. Filter by dimensions and entities.'
            )
        if reference.element == METRIC_TIME and not reference.links:
            raise _refuse(condition, "metric_time is another column for each metric. Name the time of the table.")
        if reference.plain not in compiled.known:
            raise QueryError(
                f'row filter "{shorten(text)}": {explain_unknown("dimension", reference.plain, compiled.known)}'
            )
    return condition


class _Restriction:
    """The row filters, and every relation under them."""

    def __init__(self, compiled: Compiled, filters: tuple[Filter, ...]) -> None:
        self._compiled = compiled
        self._models = compiled.manifest.models
        self._filters = filters

    def restrict(self, answer: Answer) -> Answer:
        """Return the answer with every table of it restricted, and of the answers inside."""
        blocks = tuple((self._restrict_block(block), values) for block, values in answer.blocks)
        return replace(answer, blocks=blocks, totals=tuple(map(self.restrict, answer.totals)))

    def _restrict_block(self, block: Block) -> Block:
        match block.source:
            case Answer():
                return replace(block, source=self.restrict(block.source))
            case Conversions(base, converted):
                sides = self._restrict_side(base), self._restrict_side(converted)
                return replace(block, source=replace(block.source, base=sides[0], converted=sides[1]))
            case Scan():
                return replace(block, source=self._restrict_scan(block.source))

    def _restrict_side(self, side: Side) -> Side:
        return replace(side, scan=self._restrict_scan(side.scan))

    def _restrict_scan(self, scan: Scan) -> Scan:
        if scan.alias == SPINE:
            return scan
        model = self._models[ModelName(scan.alias)]
        # Where rows of either side stay, a test after the join would be too late.
        is_full = any(join.keeps_both for join in scan.joins)
        joins = tuple(self._restrict_join(model, join, is_full=is_full) for join in scan.joins)
        whole = Rows({join.alias: join for join in joins if not isinstance(join.target, Restricted)})
        cut = {join.alias for join in joins} - set(whole.joins)
        tests = self._test(model, self._filters, whole)
        if is_full or cut & set(whole.joins):
            # The filter is judged by tables as they are, and the groups by what is left of them.
            return replace(scan, relation=self._cut(model, self._filters), joins=joins)
        added = [join for alias, join in whole.joins.items() if alias not in {each.alias for each in joins}]
        kept = [whole.joins.get(join.alias, join) for join in joins]
        return replace(scan, joins=(*kept, *added), tests=(*scan.tests, *tests))

    def _restrict_join(self, model: SemanticModel, join: Join, *, is_full: bool) -> Join:
        if isinstance(join.target, Answer):
            return replace(join, target=self.restrict(join.target))
        if isinstance(join.target, Top):
            return replace(join, target=replace(join.target, answer=self.restrict(join.target.answer)))
        if not join.hops:
            return join
        target = self._models[join.hops[-1].model]
        if is_full:
            return replace(join, target=self._cut(target, self._filters))
        cutting = tuple(each for each in self._filters if not self._keeps_whole(model, target, join, each))
        return replace(join, target=self._cut(target, cutting)) if cutting else join

    def _keeps_whole(self, model: SemanticModel, target: SemanticModel, join: Join, condition: Filter) -> bool:
        """Tell whether a joined row is there for each row that passes; QueryError if that cannot be told."""
        judged = [self._find(model, condition, reference) for reference in condition.references]
        if all(each.plain in self._compiled.closure(target) for each in condition.references):
            own = (self._find(target, condition, reference) for reference in condition.references)
            return judged == [replace(each, hops=(*join.hops, *each.hops)) for each in own]
        ways = [each.hops for each in judged if target.name in [hop.model for hop in each.hops]]
        if ways and not any(way[: len(join.hops)] == join.hops for way in ways):
            path = "__".join(hop.link for hop in join.hops)
            raise _refuse(
                condition,
                f"'{path}' leads to '{target.name}' by another way than the filter does, and a row of it does not say "
                "which rows it belongs to. Leave it out of the question.",
            )
        return True

    def _cut(self, model: SemanticModel, filters: tuple[Filter, ...]) -> Restricted:
        rows = Rows()
        tests = self._test(model, filters, rows)
        return Restricted(Scan(str(model.name), model.relation, rows.in_order, tests))

    def _test(self, model: SemanticModel, filters: tuple[Filter, ...], rows: Rows) -> tuple[Condition, ...]:
        """Return the filters over the model's rows, adding to `rows` the joins that they need."""
        return tuple(
            Condition(
                each,
                tuple(
                    read_attribute(self._compiled, model, self._find(model, each, reference), reference, rows, None)
                    for reference in each.references
                ),
            )
            for each in filters
        )

    def _find(self, model: SemanticModel, condition: Filter, reference: Reference) -> Attribute:
        found = self._compiled.closure(model).get(reference.plain, ())
        if len(found) > 1:
            homes = join_names((attribute.model for attribute in reversed(found)), "and")
            raise _refuse(condition, f"'{reference.plain}' is ambiguous for '{model.name}': {homes} both have it.")
        if not found:
            nearest = suggest_nearest(reference.plain, self._compiled.closure(model))
            hint = f" The nearest that they say: {join_names(nearest, 'and')}." if nearest else ""
            raise _refuse(
                condition,
                f"the rows of '{model.name}' do not say '{reference.plain}', so what is asked of them cannot be "
                f"held to it.{hint}",
            )
        if any(self._models[hop.model].validity is not None for hop in found[0].hops):
            raise _refuse(
                condition,
                f"'{reference.plain}' counts for a period only, so the rows that pass would change with the time that "
                "is asked for. Filter by what the rows themselves say.",
            )
        if reference.grain is not None or reference.part is not None:
            try:
                check_time("values", reference, found[0])
            except QueryError as error:
                raise _refuse(condition, str(error)) from None
        return found[0]


def _refuse(condition: Filter, why: str) -> QueryError:
    return QueryError(f'row filter "{shorten(condition.text)}": {why}')
