"""Pass 3: where small cells are hidden, the units behind each leaf are counted, and those that filters leave out.

A count is a leaf of its own, under all that is done to the leaf that it is of: its filters, shifts and windows. A unit
contributes if one of its rows does: to a count a row that is counted, to a sum one that is not null and not zero, to
anything else one that is not null. What filters leave out is counted alike, since the value without a filter, less the
value with it, is theirs; where there are several filters, each is left away alone, too.
Who hides what is small is the engine: gnomon/engine/small_cells.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sqlglot import exp

from gnomon.core.errors import QueryError, shorten
from gnomon.core.names import EntityName
from gnomon.planner.algebra import HAS_PREFIX, IS_ROW
from gnomon.planner.compiled import Compiled
from gnomon.planner.draft import Cell, Count, Draft, Expanded, Leaf, Nested
from gnomon.planner.expressions import parse_expression
from gnomon.planner.filters import Filter, negate, split
from gnomon.planner.references import Reference
from gnomon.planner.sql_parts import any_of, name
from gnomon.semantic.model import Aggregation, Measure, SemanticModel

_SINGLE_ROWS = {Aggregation.MIN, Aggregation.MAX, Aggregation.MEDIAN, Aggregation.PERCENTILE}


def count_units(_: Compiled, draft: Draft) -> Draft:
    """Add the counts to the leaves and formulas; QueryError if a leaf's units cannot be counted."""
    cell = draft.question.smallest_cell
    if cell is None or not draft.resolved.metrics:
        return draft
    counting = _Counting(cell.units, draft.resolved.filters)
    return replace(draft, expanded=counting.count(draft.expanded))


def explain_uncounted(model: SemanticModel, measure: Measure, units: tuple[str, ...]) -> str | None:
    """Return why no smallest cell can be held for a measure; None if it can."""
    if measure.aggregation in _SINGLE_ROWS:
        return f"a {measure.aggregation.value} is the value of a single row"
    if not any(EntityName(unit) in model.entities for unit in units):
        return f"'{model.name}' does not say whose its rows are: it has no {' and no '.join(map(repr, units))}"
    return None


@dataclass
class _Counting:
    """Counts the units of leaves; `asked` are the question's own filters."""

    units: tuple[str, ...]
    asked: tuple[Filter, ...]
    made: int = 0
    found: dict[object, Leaf] = field(default_factory=dict)

    def count(self, expanded: Expanded, *, is_inner: bool = False) -> Expanded:
        """Return the expansion with a cell for each leaf of it, of what is nested in it and of its totals."""
        before, self.found = self.found, {}
        leaves: list[Leaf | Nested] = []
        cells: list[Cell] = []
        for leaf in expanded.leaves:
            if isinstance(leaf, Nested):
                if leaf.kept:
                    raise QueryError(
                        f'filter "{shorten(leaf.kept[0].text)}": it speaks of time and of something else, and what it '
                        "leaves out of a metric that is shifted in time cannot be counted. Split it into two."
                    )
                leaf = replace(leaf, inner=self.count(leaf.inner, is_inner=True))
                cells += leaf.inner.cells
            else:
                cells += self._count_leaf(leaf, is_inner=is_inner)
            leaves.append(leaf)
        totals = tuple(self.count(total, is_inner=True) for total in expanded.totals)
        cells += (cell for total in totals for cell in total.cells)
        counts = dict.fromkeys(column for cell in cells for column in cell.columns)
        formulas: list[tuple[str, exp.Expr]] = [(column, name(column)) for column in counts]
        if not is_inner:
            # Of a group that the filters leave out there is a count, but no row of the answer.
            rows = any_of([name(HAS_PREFIX + leaf.column) for leaf in leaves if leaf.is_asked])
            formulas.append((IS_ROW, rows))
        counted, self.found = tuple(self.found.values()), before
        return replace(
            expanded,
            leaves=(*leaves, *counted),
            formulas=(*expanded.formulas, *formulas),
            totals=totals,
            cells=tuple(cells),
        )

    def _count_leaf(self, leaf: Leaf, *, is_inner: bool) -> Iterator[Cell]:
        model, measure = leaf.model, leaf.measure
        why = "conversions are pairs of rows" if leaf.converts else explain_uncounted(model, measure, self.units)
        if why is not None:
            raise QueryError(f"metric '{leaf.metric}' is not shown where small cells are hidden: {why}.")
        names = [EntityName(unit) for unit in self.units]
        counts = [Count(tuple(model.entities[unit].expr for unit in names if unit in model.entities), measure)]
        if _leaves_rows_out(model, measure):
            # As if the number of the other rows were asked for, too.
            counts.append(replace(counts[0], is_rest=True))
        asked = [each for each in leaf.outer if each in self.asked]
        stated = [each for each in (*leaf.own, *leaf.outer) if each not in asked]
        parts = [part for each in asked for part in split(each)]
        left_out: list[tuple[Filter, ...]] = [(negate(parts),)] if parts else []
        if len(parts) > 1:
            left_out += [(*parts[:place], negate([part]), *parts[place + 1 :]) for place, part in enumerate(parts)]
        # Of a group that is left out as a whole there is a row to be hidden or not, too; in what is inner it is no row.
        rest = replace(leaf, is_asked=leaf.is_asked and not is_inner)
        for count in counts:
            rests = tuple(self._count(rest, rest, stated, each, count) for each in left_out)
            yield replace(self._count(leaf, rest, stated, tuple(asked), count), rests=rests)

    def _count(self, leaf: Leaf, rest: Leaf, stated: list[Filter], asked: tuple[Filter, ...], count: Count) -> Cell:
        """Return the cell of a leaf under these filters of the question."""
        counted = self._add(replace(leaf, own=tuple(stated), outer=asked), count)
        if not stated:
            return Cell(counted)
        return Cell(counted, self._add(replace(rest, own=(), outer=(negate(stated), *asked)), count))

    def _add(self, leaf: Leaf, count: Count) -> str:
        """Return the column of a leaf's count, adding it unless it is there."""
        measure = replace(leaf.measure, aggregation=Aggregation.COUNT_DISTINCT)
        identity = (
            leaf.measure.name, count, _list_texts(leaf.own), _list_texts(leaf.outer), leaf.joins_spine, leaf.offset,
            leaf.accumulation, leaf.time_range,
        )  # fmt: skip
        found = self.found.get(identity)
        if found is None:
            self.made += 1
            column = f"__units_{self.made}"
            found = replace(leaf, column=column, measure=measure, fill=None, counts=count)
        self.found[identity] = replace(found, is_asked=found.is_asked or leaf.is_asked)
        return found.column


def _list_texts(filters: tuple[Filter, ...]) -> frozenset[tuple[str, tuple[Reference, ...]]]:
    return frozenset((each.text, each.references) for each in filters)


def _leaves_rows_out(model: SemanticModel, measure: Measure) -> bool:
    """Tell whether a measure counts some rows and not others: the others can be told by the number of all."""
    if measure.aggregation is Aggregation.COUNT:
        # A key is never null.
        return not any(entity.expr == measure.expr and model.identifies(key) for key, entity in model.entities.items())
    return measure.aggregation is Aggregation.SUM_BOOLEAN or (
        measure.aggregation is Aggregation.SUM and is_indicator(measure.expr)
    )


def is_indicator(expr: str) -> bool:
    """Tell whether SQL is a CASE that gives one or nothing, so that its sum is a count."""
    tree = parse_expression(expr)
    if not isinstance(tree, exp.Case):
        return False
    default = tree.args.get("default")
    values = [branch.args["true"] for branch in tree.args["ifs"]]
    is_nothing = default is None or isinstance(default, exp.Null) or default == exp.Literal.number(0)
    return is_nothing and all(value == exp.Literal.number(1) for value in values)
