"""From a question and a manifest to SQL: a row of pure passes, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sqlglot

from gnomon.access import SmallestCell
from gnomon.core.errors import QueryError
from gnomon.planner.absorb_scans import absorb_scans
from gnomon.planner.algebra import IS_SUPPRESSED, Answer, Variance
from gnomon.planner.choose_rollups import choose_rollups
from gnomon.planner.compiled import Compiled
from gnomon.planner.copy import Copy, check_tables
from gnomon.planner.count_latest import count_latest
from gnomon.planner.count_units import count_units
from gnomon.planner.dialects import DUCKDB, check_dialect, write_in
from gnomon.planner.draft import Cell, Draft, Expanded, Leaf, Ordering, Pass, Resolved
from gnomon.planner.expand_metrics import expand_metrics
from gnomon.planner.gather_days import gather_days
from gnomon.planner.keep_top import is_time, keep_top
from gnomon.planner.list_values import list_values
from gnomon.planner.outer_filters import (
    OuterFilter,
    ask_outer_filters,
    hide_places,
    place_outer_filters,
    show_places,
)
from gnomon.planner.place_leaves import place_leaves
from gnomon.planner.question import Question, check_question
from gnomon.planner.replicate_ratios import replicate_ratios
from gnomon.planner.resolve_names import resolve_names
from gnomon.planner.restrict_rows import restrict_rows
from gnomon.planner.share_blocks import share_blocks
from gnomon.planner.write_sql import name_extremes, write_sql
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Manifest, Metric

# Each is the function of a file of its name, and tests/golden/NAME shows what goes in and what comes out.
PASSES: tuple[Pass, ...] = (
    resolve_names,
    expand_metrics,
    count_units,
    place_leaves,
    share_blocks,
    list_values,
    keep_top,
    restrict_rows,
    replicate_ratios,
    choose_rollups,
    count_latest,
    absorb_scans,
    gather_days,
    write_sql,
)


@dataclass(frozen=True)
class Hiding:
    """What must be done to the rows of a plan before anybody sees them: small cells are hidden, the others ordered.

    `cells` name the columns of counts, and IS_ROW is true in the rows that are the answer's. `times` are the groups
    that are times; with `looks_back` a row shows values of other times, too.
    """

    smallest: SmallestCell
    cells: tuple[Cell, ...]
    times: tuple[str, ...]
    looks_back: bool
    order_by: tuple[Ordering, ...] = ()
    limit: int | None = None


@dataclass(frozen=True)
class Plan:
    """How a question is answered: the SQL, the rollups it reads, and why these.

    `groups` and `metrics` name the columns of the answer. Behind them the SQL gives unit
    counts (UNITS_PREFIX and the counting metric's name), and for each estimate its variance
    and the replicate groups that have rows (VARIANCE_PREFIX, REPLICATES_PREFIX and its name);
    `proportions` are the estimates that are one sum divided by another. `filters` are those that
    somebody else may put in, at [[AND {{name}}]]. The rows of one with `hiding` are for the engine's eyes only.
    """

    sql: str
    groups: tuple[str, ...]
    metrics: tuple[Metric, ...]
    rollups: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    proportions: tuple[str, ...] = ()
    time_zone: str = "UTC"
    widens_to: Grain | None = None
    dialect: str = DUCKDB
    filters: tuple[OuterFilter, ...] = ()
    hiding: Hiding | None = None
    question: Question = field(default_factory=Question)

    def format(self) -> str:
        """Return the SQL in lines, for people."""
        if self.dialect != DUCKDB:
            return self.sql
        plain = hide_places(self.sql) if self.filters else self.sql
        pretty = sqlglot.parse_one(plain, read="duckdb").sql(dialect="duckdb", pretty=True)
        return show_places(pretty, self.filters)


def plan(
    manifest: Manifest | Compiled,
    question: Question,
    rollups: Mapping[str, int] = {},
    dialect: str = DUCKDB,
    types: Mapping[tuple[str, str], str] = {},
    copy: Copy | None = None,
) -> Plan:
    """Return the plan; QueryError refuses what cannot be answered exactly.

    `rollups` are those that exist, by name, with their numbers of rows. Another dialect than DuckDB's needs to know
    the `types` of columns, by relation in quotes and name in lower case, wherever engines differ by them. A plan for
    a `copy` reads nothing that the copy does not hold.
    """
    check_dialect(dialect)
    check_question(question)
    if question.smallest_cell is not None and (dialect != DUCKDB or question.outer_filters):
        raise QueryError(
            "where small cells are hidden the SQL alone is not the answer: it gives the numbers that must not be seen. "
            "Ask for rows, without another dialect and without filters from outside."
        )
    known = manifest if isinstance(manifest, Compiled) else Compiled(manifest)
    compiled = known.in_zone(question.time_zone)
    question = ask_outer_filters(compiled, question)
    draft = Draft(question, rollups, copy)
    for run in PASSES:
        draft = run(compiled, draft)
    assert draft.query is not None
    if copy is not None:
        check_tables(draft.query, copy, draft.why)
    resolved, groups = draft.resolved, draft.answer.groups
    filters = place_outer_filters(draft.query, question, known.holds_dates)
    sql = draft.query.sql(dialect="duckdb", copy=False) if dialect == DUCKDB else write_in(dialect, draft.query, types)
    return Plan(
        sql=show_places(sql, filters),
        groups=name_extremes(*groups) if question.takes_extremes else groups,
        metrics=resolved.metrics,
        rollups=draft.rollups,
        why=(*draft.why, *_explain(resolved)),
        time_zone=compiled.zone or "UTC",
        proportions=tuple(variance.column for variance in _list_variances(draft.answer) if variance.is_of_proportion),
        widens_to=resolved.time_range.grain if resolved.time_range else None,
        dialect=dialect,
        filters=filters,
        hiding=_hide(compiled, draft),
        question=question,
    )


def _hide(compiled: Compiled, draft: Draft) -> Hiding | None:
    """Return what is to be hidden in the answer; None if the asker sees small cells, or no number is asked for."""
    smallest, resolved = draft.question.smallest_cell, draft.resolved
    if smallest is None or not draft.expanded.cells:
        return None
    if IS_SUPPRESSED in (*draft.answer.groups, *(metric.name for metric in resolved.metrics)):
        raise QueryError(f"something is called '{IS_SUPPRESSED}', as the column that says which row is hidden.")
    times = tuple(group.name for group in resolved.groups if is_time(compiled, resolved, group))
    looks_back = _looks_back(draft.expanded)
    return Hiding(smallest, draft.expanded.cells, times, looks_back, resolved.order_by, resolved.limit)


def _looks_back(expanded: Expanded) -> bool:
    return any(map(_looks_back, expanded.totals)) or any(
        not isinstance(leaf, Leaf) or leaf.offset is not None or leaf.accumulation is not None
        for leaf in expanded.leaves
    )


def _list_variances(answer: Answer) -> Iterator[Variance]:
    yield from answer.variances
    for total in answer.totals:
        yield from total.variances


def _explain(resolved: Resolved) -> Iterator[str]:
    if resolved.companions:
        counted = ", ".join(metric.name for metric in resolved.companions)
        yield f"units behind the values are counted by {counted}"
