"""Pass 9: what is made of sums over a probability sample gets a variance, from its replicate groups.

A ratio is one division of two sampled sums. What it was before, and how it has changed, are formulas over
such sums, too: each formula is written out down to its sums, and the sums are taken by replicate group.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlglot import exp

from gnomon.core.errors import DefinitionError
from gnomon.planner.algebra import Answer, Block, Column, MoveOn, OnSpine, Scan, Step, Value, Variance, carry
from gnomon.planner.compiled import Compiled
from gnomon.planner.draft import Draft, Expanded, Leaf, Nested
from gnomon.semantic.model import Aggregation, Metric

REPLICATE = "__replicate_group"


def replicate_ratios(compiled: Compiled, draft: Draft) -> Draft:
    """Give the answer the variances of the metrics whose definition names a replicate group."""
    if not draft.resolved.applies_floors:
        return draft
    expanded, answer = draft.expanded, draft.answer
    formulas = dict(expanded.formulas)
    for metric in draft.resolved.metrics:
        if not metric.documentation.replicate_group:
            continue
        formula = formulas[metric.name]
        # A total is an answer of its own, and so is its variance.
        place = next(
            (place for place, total in enumerate(expanded.totals) if formula.name in dict(total.formulas)), None
        )
        if place is None:
            answer = _add(answer, _write_out(compiled, expanded, answer, metric, formula))
            continue
        total = expanded.totals[place]
        own = _write_out(compiled, total, answer.totals[place], metric, dict(total.formulas)[formula.name])
        totals = (*answer.totals[:place], _add(answer.totals[place], own), *answer.totals[place + 1 :])
        answer = replace(answer, totals=totals)
    return replace(draft, answer=answer)


def _add(answer: Answer, variance: Variance) -> Answer:
    return replace(answer, variances=(*answer.variances, variance))


def _write_out(compiled: Compiled, expanded: Expanded, answer: Answer, metric: Metric, formula: exp.Expr) -> Variance:
    """Return the variance of a formula; DefinitionError if it is not made of sampled sums."""
    writing = _Writing(compiled, metric)
    written = writing.write(expanded, answer, formula, ())
    if written.find(exp.Div) is None:
        raise _refuse(metric)
    parts = tuple((block, tuple(values)) for block, values in writing.parts.items())
    ratio = written.unnest()
    is_of_proportion = isinstance(ratio, exp.Div) and all(
        isinstance(take_off_guards(side), exp.Column) for side in (ratio.this, ratio.expression)
    )
    return Variance(str(metric.name), written, parts, metric.documentation.replicates, is_of_proportion)


def take_off_guards(side: exp.Expr) -> exp.Expr:
    """Return what the guards of a division stand around: its type, against zero, and 0 in the place of no rows."""
    while isinstance(side, exp.Cast | exp.Nullif | exp.Paren | exp.Abs | exp.Coalesce):
        side = side.this
    return side


@dataclass
class _Writing:
    """Writes a formula out over sampled sums, and collects the sums."""

    compiled: Compiled
    metric: Metric
    parts: dict[Block, list[Value]] = field(default_factory=dict)

    def write(self, expanded: Expanded, answer: Answer, formula: exp.Expr, steps: tuple[Step, ...]) -> exp.Expr:
        leaves = {leaf.column: leaf for leaf in expanded.leaves}
        homes = {value.column: (block, value) for block, values in answer.blocks for value in values}

        def write_node(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Case):
                return _take_off_floor(self.metric, node).transform(write_node)
            if not isinstance(node, exp.Column):
                return node
            leaf, (block, value) = leaves[node.name], homes[node.name]
            if isinstance(leaf, Leaf):
                self._take(leaf, block, value, steps)
                return node
            return exp.Paren(this=self._write_nested(leaf, block))

        return formula.copy().transform(write_node)

    def _write_nested(self, leaf: Nested, block: Block) -> exp.Expr:
        assert isinstance(block.source, Answer)
        return self.write(leaf.inner, block.source, dict(leaf.inner.formulas)[leaf.column], block.steps)

    def _take(self, leaf: Leaf, block: Block, value: Value, steps: tuple[Step, ...]) -> None:
        name = self.metric.documentation.replicate_group or ""
        attribute = self.compiled.find(self.metric.name, leaf.measure, self.compiled.reference(name))
        # A sum of no rows is 0 in every replicate group, said or not; another fill would be dealt out twenty times.
        can_be_dealt_out = value.aggregation is Aggregation.SUM and not value.fill and not attribute.hops
        moves = all(isinstance(step, OnSpine | MoveOn) for step in block.steps)
        if not can_be_dealt_out or not moves or block.window or not isinstance(block.source, Scan):
            raise _refuse(self.metric)
        groups = (*block.groups, (REPLICATE, Column(block.source.alias, attribute.expr)))
        sampled = replace(block, groups=groups, steps=tuple(carry(step, REPLICATE) for step in (*block.steps, *steps)))
        values = self.parts.setdefault(sampled, [])
        if value not in values:
            values.append(value)


def _take_off_floor(metric: Metric, node: exp.Case) -> exp.Expr:
    """Return what a floor on units stands around: below it, too, a value has its variance."""
    (only,) = node.args["ifs"] if len(node.args["ifs"]) == 1 else (None,)
    if only is None or node.args.get("default") is not None or node.this is not None:
        raise _refuse(metric)
    value: exp.Expr = only.args["true"].copy()
    return value


def _refuse(metric: Metric) -> DefinitionError:
    return DefinitionError(
        f"metric '{metric.name}': an interval from replicates needs a ratio of two sums over sampled rows, or a "
        "formula over such sums that divides, without a fill but 0, a CASE or a floor of its inputs; the replicate "
        "group must be among the columns of those rows."
    )
