"""Pass 7: the greatest groups stay, and the rows of all others become one group, IS_OTHER.

The groups are ranked by a question of their own, over the same rows, without the times. The ranking is
joined to the rows before they are aggregated, so that distinct counts, rates and medians of the others
are exact; it is never made of the values of the groups that were left out.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from gnomon.core.errors import QueryError
from gnomon.planner.algebra import (
    IS_OTHER,
    Answer,
    Block,
    Column,
    Conversions,
    Join,
    Keep,
    OnSpine,
    Scan,
    Step,
    Top,
    carry,
)
from gnomon.planner.compiled import Compiled, is_aggregation_time
from gnomon.planner.count_units import count_units
from gnomon.planner.draft import Draft, Ordering, Resolved
from gnomon.planner.expand_metrics import expand_metrics
from gnomon.planner.place_leaves import place_leaves
from gnomon.planner.references import Reference
from gnomon.planner.share_blocks import share_blocks
from gnomon.planner.sql_parts import all_of, any_of, case, name, number

_RANKING = "__top"


def keep_top(compiled: Compiled, draft: Draft) -> Draft:
    """Order the question with the others last, and put their rows into one group; nothing if none is to be kept."""
    resolved, answer = draft.resolved, draft.answer
    if resolved.top is None:
        return draft
    if any(group.name == IS_OTHER for group in resolved.groups):
        raise QueryError(f"a group is called '{IS_OTHER}', as the column that says which row is of all others.")
    names = [str(metric.name) for metric in resolved.metrics]
    by = next((each for each in resolved.order_by if each.column in names), Ordering(names[0], True))
    metric = resolved.metrics[names.index(by.column)]
    kept = tuple(group for group in resolved.groups if not is_time(compiled, resolved, group))
    if not kept:
        raise QueryError("the top is of groups that are not times, and there is none. Add one to the group-by.")
    ranked = Draft(
        question=draft.question,
        resolved=replace(resolved, metrics=(metric,), companions=(), groups=kept, order_by=(), limit=None, top=None),
    )
    for run in (expand_metrics, count_units, place_leaves, share_blocks):
        ranked = run(compiled, ranked)
    ranking, cell = ranked.answer, draft.question.smallest_cell
    if cell is not None:
        # What may not be shown has no rank, and is among the others.
        ranking = replace(ranking, formulas=_rank_large(ranking, cell.least, ranked.expanded.counts))
    top = Top(ranking, str(metric.name), by.is_descending, resolved.top, needs_value=cell is not None)
    folded = _Folding(top, frozenset(group.name for group in kept)).fold(answer)
    if by in resolved.order_by:
        place = resolved.order_by.index(by)
        order = (*resolved.order_by[:place], Ordering(IS_OTHER, False), *resolved.order_by[place:])
    else:
        order = (*resolved.order_by, Ordering(IS_OTHER, False), by)
    return replace(draft, resolved=replace(resolved, order_by=order), answer=folded)


def _rank_large(ranking: Answer, least: int, counts: tuple[str, ...]) -> tuple[tuple[str, exp.Expr], ...]:
    """Return the formulas, the metric's null where a count is of some units but fewer than `least`."""
    (metric, formula), *others = ranking.formulas
    are_large = [
        any_of([exp.EQ(this=units, expression=number(0)), exp.GTE(this=units.copy(), expression=number(least))])
        for units in (exp.Coalesce(this=name(column), expressions=[number(0)]) for column in counts)
    ]
    return (metric, case(all_of(are_large), formula)), *others


def is_time(compiled: Compiled, resolved: Resolved, group: Reference) -> bool:
    """Tell whether the group is the time of anything that is asked for."""
    leaves = [
        (leaf.name, compiled.measure(used.name))
        for metric in (*resolved.metrics, *resolved.companions)
        for leaf in compiled.manifest.leaves_of(metric)
        for used in leaf.measures
    ]
    return any(is_aggregation_time(measure, compiled.find(name, measure, group), group) for name, measure in leaves)


class _Folding:
    """Puts the groups that the ranking has not found into one."""

    def __init__(self, top: Top, kept: frozenset[str]) -> None:
        self._top = top
        self._kept = kept

    def fold(self, answer: Answer) -> Answer:
        """Return an answer with its groups folded; one that has none of them stays."""
        if not self._kept.issubset(answer.groups):
            return answer
        blocks = tuple((self._fold_block(block), values) for block, values in answer.blocks)
        return replace(answer, groups=(*answer.groups, IS_OTHER), blocks=blocks)

    def _fold_block(self, block: Block) -> Block:
        steps = tuple(map(self._fold_step, block.steps))
        if isinstance(block.source, Answer):
            groups = (*block.groups, (IS_OTHER, Column("", IS_OTHER)))
            return replace(block, source=self.fold(block.source), groups=groups, steps=steps)
        columns = dict(block.groups)
        equal = tuple((columns[group], Column(_RANKING, group)) for group in self._top.answer.groups)
        ranking = Join(_RANKING, self._top, equal, meets_nulls=True)
        groups = tuple(
            (group, Column(_RANKING, group) if group in self._kept else column) for group, column in block.groups
        )
        is_other = (IS_OTHER, Column(_RANKING, f"COALESCE({IS_OTHER}, TRUE)"))
        return replace(block, source=_join(block.source, ranking), groups=(*groups, is_other), steps=steps)

    def _fold_step(self, step: Step) -> Step:
        if isinstance(step, OnSpine) and step.keeps_empty:
            raise QueryError(
                "a metric that fills empty periods from the time spine has rows of no group, neither of the top "
                "nor of the others. Leave out the top, or that metric."
            )
        if isinstance(step, Keep) and any(r.name in self._kept for each in step.filters for r in each.references):
            raise QueryError(
                "a filter on a group of the top would hold for the others as one, after they are put together. "
                "Leave out the top, or the metric that is shifted in time."
            )
        return carry(step, IS_OTHER)


def _join(source: Scan | Conversions, ranking: Join) -> Scan | Conversions:
    if isinstance(source, Conversions):
        base = replace(source.base.scan, joins=(*source.base.scan.joins, ranking))
        return replace(source, base=replace(source.base, scan=base))
    return replace(source, joins=(*source.joins, ranking))
