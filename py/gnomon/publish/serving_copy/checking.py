"""Holding a copy against its generation: every column of every table, and answers of the planner's own SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from gnomon.core.errors import QueryError, WarehouseError
from gnomon.engine import find_difference
from gnomon.planner import Compiled, Copy, Plan, plan
from gnomon.planner.choose_rollups import list_rollups
from gnomon.publish.questions import Asker, describe, name_measures
from gnomon.publish.serving_copy.contents import DIALECT, CopiedTable
from gnomon.publish.serving_copy.source import Source
from gnomon.publish.serving_copy.statements import Words, name_relation, write
from gnomon.publish.views import Role
from gnomon.warehouse import DATABASE, Warehouse
from gnomon.warehouse.postgres import PostgresSession

_SHOWN = 40
_COUNT = ("count", exp.Count, "count")
# What is compared of a column; texts are ordered by bytes on both sides, identifiers on neither.
_ORDERED = (_COUNT, ("least", exp.Min, "min"), ("greatest", exp.Max, "max"))
_ENDS = {
    "BOOLEAN": (_COUNT, ("least", exp.LogicalAnd, "bool_and"), ("greatest", exp.LogicalOr, "bool_or")),
    "UUID": (_COUNT,),
}


@dataclass(frozen=True)
class Checked:
    """How many answers were compared, and the saved queries that the copy refuses, with the reason."""

    questions: int
    refused: Mapping[str, str]


def check(session: PostgresSession, source: Source, schema: str) -> Checked:
    """Hold the copy in a schema against its generation; WarehouseError names what differs, with the row."""
    warehouse = source.served.warehouse
    here = source.contents.within(schema)
    for copied in source.contents.tables:
        _check_columns(session, warehouse, copied, schema)
    asked = sum(_ask_rollups(session, source, here)) + sum(_ask_views(session, source, schema))
    refused: dict[str, str] = {}
    for saved in source.engine.manifest.saved_queries.values():
        try:
            theirs = source.engine.plan(saved_query=saved.name, copy=here)
        except QueryError as refusal:
            refused[saved.name] = str(refusal)
            continue
        # Which of equal rows a limit keeps is no matter of the copy's.
        if saved.limit is None:
            _compare(session, warehouse, theirs, source.engine.plan(saved_query=saved.name), f"'{saved.name}'")
            asked += 1
    return Checked(asked, refused)


def _check_columns(session: PostgresSession, warehouse: Warehouse, copied: CopiedTable, schema: str) -> None:
    """Compare a table's number of rows, and of each column the values, the least and the greatest one."""
    ours, theirs, names = [exp.Count(this=exp.Star()).as_("rows", quoted=True)], ["count(*) as rows"], ["rows"]
    for place, column in enumerate(copied.columns):
        for word, function, other in _ENDS.get(column.kind, _ORDERED):
            names.append(f"{word} {place} {column.name}"[:_SHOWN])
            ours.append(function(this=exp.column(column.name, quoted=True)).as_(names[-1], quoted=True))
            theirs.append(write(f"{other}({{column}}) as {{name}}", column=column.name, name=names[-1]))
    base = exp.select(*ours).from_(copied.source.within(DATABASE)).sql(dialect="duckdb")
    relation = name_relation(schema, copied.name)
    answer = session.read(write("select {columns} from {table}", columns=Words(", ".join(theirs)), table=relation))
    difference = find_difference(warehouse, answer, base, (), names)
    if difference is not None:
        _refuse(session, f"table '{copied.name}'", difference)


def _ask_rollups(session: PostgresSession, source: Source, here: Copy) -> Iterator[int]:
    """Ask each rollup what it was asked when the generation was published, and yield how many answers it gave."""
    warehouse, rollups = source.served.warehouse, source.rollups
    manifest = name_measures(source.engine.manifest)
    dates, types = warehouse.date_columns(), here.move(warehouse.column_types())
    compiled = Compiled(manifest, dates)
    moved = Compiled(manifest.within(here.schema), frozenset(here.move(dict.fromkeys(dates))))
    for model, rollup in list_rollups(compiled):
        if rollup.name not in rollups:
            continue
        sizes, asked = {rollup.name: rollups[rollup.name]}, 0
        asker = Asker(compiled, model, rollup, rollups[rollup.name], source.served.record.run_id)
        for question, rolled, _ in asker.ask(warehouse):
            try:
                theirs = plan(moved, question, sizes, DIALECT, types, here)
            except QueryError:
                continue
            _compare(session, warehouse, theirs, rolled, f"rollup '{rollup.name}', asked for {describe(question)},")
            asked += 1
        if not asked:
            raise WarehouseError(
                f"rollup '{rollup.name}': no question over it can be asked of the copy. Take it out of config.meta."
            )
        yield asked


def _ask_views(session: PostgresSession, source: Source, schema: str) -> Iterator[int]:
    """Add up each view by its period and by all of its attributes, and yield how many answers were compared."""
    for view in source.contents.views.views:
        sums = [column for column in view.columns if column.metric is not None]
        # Where rows pass no filter, the engine has no row; and one that is filled in is 0 beside others.
        plain = [column.name for column in sums if not column.is_filled]
        asked = plain or [column.name for column in sums if not column.is_filtered]
        groupings = [[view.columns[0].name], [column.name for column in view.take(Role.ATTRIBUTE)]]
        for groups in groupings if asked else ():
            try:
                ours = source.engine.plan(asked, groups)
            except QueryError:
                continue
            totals = [write("sum({column}) as {column}", column=name) for name in asked]
            having = " or ".join(write("sum({column}) is not null", column=name) for name in plain)
            theirs = write(
                "select {columns} from {view}{by}{having}",
                columns=Words(", ".join([*([write("{groups}", groups=groups)] if groups else []), *totals])),
                view=name_relation(schema, view.name),
                by=Words(write(" group by {groups}", groups=groups) if groups else ""),
                having=Words(f" having {having}" if having and groups else ""),
            )
            difference = find_difference(source.served.warehouse, session.read(theirs), ours.sql, groups, asked)
            if difference is not None:
                _refuse(session, f"view '{view.name}' by {', '.join(groups) or 'nothing'}", difference)
            yield 1


def _compare(session: PostgresSession, warehouse: Warehouse, theirs: Plan, ours: Plan, asked: str) -> None:
    names = [metric.name for metric in ours.metrics]
    difference = find_difference(warehouse, session.read(theirs.sql), ours.sql, ours.groups, names)
    if difference is not None:
        _refuse(session, asked, difference)


def _refuse(session: PostgresSession, asked: str, difference: dict[str, object]) -> None:
    raise WarehouseError(
        f"{session.address}: {asked} differs from the generation: {json.dumps(difference, default=str)}. Nothing was "
        "swapped: what was in service still is. Run it again; if it stays so, report the question."
    )
