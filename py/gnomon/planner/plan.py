"""From a question and a manifest to SQL: the passes in their order, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlglot

from gnomon.planner.absorb_scans import absorb_scans
from gnomon.planner.algebra import Answer, Variance
from gnomon.planner.choose_rollups import choose_rollups
from gnomon.planner.compiled import Compiled
from gnomon.planner.dialects import DUCKDB, check_dialect, write_in
from gnomon.planner.draft import Resolved
from gnomon.planner.expand_metrics import expand_metrics
from gnomon.planner.gather_days import gather_days
from gnomon.planner.keep_top import keep_top
from gnomon.planner.list_values import list_values
from gnomon.planner.outer_filters import (
    OuterFilter,
    ask_outer_filters,
    hide_places,
    place_outer_filters,
    show_places,
)
from gnomon.planner.place_leaves import answer_of
from gnomon.planner.question import Question, check_question
from gnomon.planner.replicate_ratios import replicate_ratios
from gnomon.planner.resolve_names import resolve_names
from gnomon.planner.restrict_rows import restrict_rows
from gnomon.planner.write_sql import take_extremes, write_sql
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Manifest, Metric


@dataclass(frozen=True)
class Plan:
    """How a question is answered: the SQL, the rollups it reads, and why these.

    `groups` and `metrics` name the columns of the answer. Behind them the SQL gives unit
    counts (UNITS_PREFIX and the counting metric's name), and for each estimate its variance
    and the replicate groups that have rows (VARIANCE_PREFIX, REPLICATES_PREFIX and its name);
    `proportions` are the estimates that are one sum divided by another. `filters` are those that
    somebody else may put in, at [[AND {{name}}]].
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
) -> Plan:
    """Return the plan; QueryError refuses what cannot be answered exactly.

    `rollups` are those that exist, by name, with their numbers of rows. Another dialect than DuckDB's needs to know
    the `types` of columns, by relation in quotes and name in lower case, wherever engines differ by them.
    """
    check_dialect(dialect)
    known = manifest if isinstance(manifest, Compiled) else Compiled(manifest)
    check_question(question)
    compiled = known.in_zone(question.time_zone)
    question = ask_outer_filters(compiled, question)
    if question.metrics:
        resolved = resolve_names(compiled, question)
        expanded = expand_metrics(compiled, resolved)
        answer = answer_of(compiled, expanded)
        resolved, answer = keep_top(
            compiled, resolved, answer, lambda asked: answer_of(compiled, expand_metrics(compiled, asked))
        )
        answer = restrict_rows(compiled, answer, question.row_filters)
        answer = replicate_ratios(compiled, resolved, expanded, answer)
    else:
        resolved, answer = list_values(compiled, question)
        answer = restrict_rows(compiled, answer, question.row_filters)
    chosen = choose_rollups(known, answer, rollups)
    query = write_sql(resolved, gather_days(absorb_scans(chosen.answer)))
    groups = answer.groups
    if question.takes_extremes:
        query, groups = take_extremes(query, groups)
    filters = place_outer_filters(query, question, known.holds_dates)
    sql = query.sql(dialect="duckdb", copy=False) if dialect == DUCKDB else write_in(dialect, query, types)
    return Plan(
        sql=show_places(sql, filters),
        groups=groups,
        metrics=resolved.metrics,
        rollups=chosen.rollups,
        why=(*chosen.why, *_explain(resolved)),
        time_zone=compiled.zone or "UTC",
        proportions=tuple(variance.column for variance in _list_variances(answer) if variance.is_of_proportion),
        widens_to=resolved.time_range.grain if resolved.time_range else None,
        dialect=dialect,
        filters=filters,
    )


def _list_variances(answer: Answer) -> Iterator[Variance]:
    yield from answer.variances
    for total in answer.totals:
        yield from total.variances


def _explain(resolved: Resolved) -> Iterator[str]:
    if resolved.companions:
        counted = ", ".join(metric.name for metric in resolved.companions)
        yield f"units behind the values are counted by {counted}"
