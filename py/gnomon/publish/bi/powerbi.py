"""A semantic model for Power BI in TMDL: a table for each view, ratios as measures, and the date table.

Numbers are hidden columns under a name of their own, and a measure adds each of them up: no visual can average them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from gnomon.publish.bi.dax import DaxWriter, name_column
from gnomon.publish.bi.kinds import Kind, find_kind
from gnomon.publish.bi.place import Place
from gnomon.publish.bi.tmdl import Node, make_tag, quote_name, write_tmdl
from gnomon.publish.serving_copy.contents import SCHEMA, CopiedTable, Part
from gnomon.publish.views import Role, View, ViewColumn
from gnomon.publish.views.wording import describe_ratio
from gnomon.semantic.grain import Grain

_LEVEL = "1600"
_TYPES = {
    Kind.WHOLE: "int64", Kind.REAL: "double", Kind.TEXT: "string", Kind.BOOLEAN: "boolean", Kind.DATE: "dateTime",
    Kind.MOMENT: "dateTime",
}  # fmt: skip
_FORMATS = {Kind.DATE: "yyyy-mm-dd", Kind.MOMENT: "yyyy-mm-dd hh:nn:ss"}
_SUM_OF = "Sum of {}"
_TEXT_PARAMETER = 'meta [IsParameterQuery=true, Type="Text", IsParameterQueryRequired=true]'


def write_model(views: Sequence[View], tables: Sequence[CopiedTable], place: Place) -> dict[str, str]:
    """Return the text of each file of a semantic model, by its path."""
    dates = find_dates(tables)
    nodes = [*_list_tables(views), *([_write_dates(dates)] if dates is not None else [])]
    refs = "\n".join(f"ref table {quote_name(node.name)}" for node in nodes)
    files = {
        "definition.pbism": json.dumps({"version": "4.0", "settings": {}}, indent=2) + "\n",
        "definition/database.tmdl": write_tmdl(Node("database", "gnomon", properties={"compatibilityLevel": _LEVEL})),
        "definition/model.tmdl": write_tmdl(_write_root()) + f"\n{refs}\n",
        "definition/expressions.tmdl": write_tmdl(
            _write_parameter("Server", f"{place.host}:{place.port}"), _write_parameter("Database", place.database)
        ),
    }
    related = [view for view in views if view.grain is Grain.DAY]
    if dates is not None and related:
        files["definition/relationships.tmdl"] = write_tmdl(*(_relate(view, dates) for view in related))
    return files | {f"definition/tables/{node.name}.tmdl": write_tmdl(node) for node in nodes}


def find_dates(tables: Sequence[CopiedTable]) -> CopiedTable | None:
    """Return the dimension with one row for each date; None if the copy has none."""
    for table in tables:
        keys = [column for column in table.columns if table.key == (column.name,)]
        if table.part is Part.DIMENSION and keys and keys[0].kind == "DATE":
            return table
    return None


def list_unrelated(views: Sequence[View], tables: Sequence[CopiedTable]) -> Iterator[tuple[str, str]]:
    """Yield the views that no relationship leads from to the date table, with the reason."""
    for view in views:
        if find_dates(tables) is None:
            yield view.name, "no relationship: the copy has no table of dates"
        elif view.grain is not Grain.DAY:
            yield view.name, f"no relationship: a {view.grain.value} may lie in two periods of the date table"


def _write_root() -> Node:
    properties: dict[str, str | bool] = {
        "culture": "en-US",
        "defaultPowerBIDataSourceVersion": "powerBI_V3",
        "discourageImplicitMeasures": True,
        "sourceQueryCulture": "en-US",
    }
    return Node("model", "Model", properties=properties)


def _write_parameter(name: str, value: str) -> Node:
    annotation = Node("annotation", "PBI_ResultType", expression="Text")
    return Node(
        "expression", name, expression=f"{_quote_m(value)} {_TEXT_PARAMETER}", tag=f"expression/{name}",
        children=(annotation,),
    )  # fmt: skip


def _list_tables(views: Sequence[View]) -> Iterator[Node]:
    taken: set[str] = set()
    for view in views:
        yield _write_view(view, taken)


def _write_view(view: View, taken: set[str]) -> Node:
    shown = [(column, kind) for column in view.columns if (kind := find_kind(column.kind)) is not None]
    names = {
        column.name: _SUM_OF.format(column.name) if column.role is Role.SUM else column.name for column, _ in shown
    }
    measures = [*_list_measures(view, names, taken)]
    columns = [_write_column(view.name, names[column.name], column, kind) for column, kind in shown]
    return Node(
        "table", view.name, view.comment, tag=f"table/{view.name}",
        children=(*measures, *columns, _write_partition(view.name)),
    )  # fmt: skip


def _list_measures(view: View, names: dict[str, str], taken: set[str]) -> Iterator[Node]:
    writer = DaxWriter(view.name, names)
    for column in view.columns:
        if column.metric is not None and column.name in names:
            expression = f"SUM({name_column(view.name, names[column.name])})"
            unit = "#,0" if find_kind(column.kind) is Kind.WHOLE else "#,0.00"
            yield _write_measure(
                view, str(column.metric), f"{column.label}. {column.comment}", expression, unit, "Sums", taken
            )
    for ratio in view.ratios:
        metric = ratio.metric
        told = f"{metric.label or metric.name}. {describe_ratio(metric, view.matures)}"
        shown = "0.0%" if metric.documentation.unit == "rate" else "#,0.00"
        yield _write_measure(view, str(metric.name), told, writer.write(ratio.formula), shown, "Ratios", taken)


def _write_measure(
    view: View, metric: str, told: str, expression: str, shown: str, folder: str, taken: set[str]
) -> Node:
    # A measure's name is the model's: of a metric in two views, the second is named after its view, too.
    name = metric if metric not in taken else f"{metric} ({view.name})"
    taken.add(name)
    properties = {"formatString": shown, "displayFolder": folder}
    return Node("measure", name, told, expression, properties, tag=f"measure/{view.name}/{metric}")


def _write_column(table: str, name: str, column: ViewColumn, kind: Kind) -> Node:
    is_sum = column.role is Role.SUM
    properties: dict[str, str | bool] = {"dataType": _TYPES[kind]}
    if is_sum:
        properties["isHidden"] = True
    if kind in _FORMATS:
        properties["formatString"] = _FORMATS[kind]
    properties |= {"summarizeBy": "sum" if is_sum else "none", "sourceColumn": column.name}
    return Node("column", name, column.comment, properties=properties, tag=f"column/{table}/{name}")


def _write_dates(dates: CopiedTable) -> Node:
    columns = []
    for column in dates.columns:
        kind = find_kind(column.kind)
        if kind is None:
            continue
        properties: dict[str, str | bool] = {"dataType": _TYPES[kind]}
        if (column.name,) == dates.key:
            properties["isKey"] = True
        if kind in _FORMATS:
            properties["formatString"] = _FORMATS[kind]
        properties |= {"summarizeBy": "none", "sourceColumn": column.name}
        columns.append(
            Node("column", column.name, column.comment, properties=properties, tag=f"column/{dates.name}/{column.name}")
        )
    return Node(
        "table", dates.name, dates.comment, properties={"dataCategory": "Time"}, tag=f"table/{dates.name}",
        children=(*columns, _write_partition(dates.name)),
    )  # fmt: skip


def _write_partition(table: str) -> Node:
    lines = [
        "let",
        "    Source = PostgreSQL.Database(Server, Database, [CreateNavigationProperties = false]),",
        f"    Rows = Source{{[Schema = {_quote_m(SCHEMA)}, Item = {_quote_m(table)}]}}[Data]",
        "in",
        "    Rows",
    ]
    return Node("partition", table, expression="m", properties={"mode": "import"}, source="\n".join(lines))


def _relate(view: View, dates: CopiedTable) -> Node:
    period = view.columns[0].name
    return Node(
        "relationship",
        make_tag("relationship", view.name),
        properties={
            "fromColumn": f"{quote_name(view.name)}.{quote_name(period)}",
            "toColumn": f"{quote_name(dates.name)}.{quote_name(dates.key[0])}",
        },
    )


def _quote_m(text: str) -> str:
    """Return a text of Power Query's language: quotes doubled, and no escape begun."""
    escaped = text.replace("#(", "#(#)(").replace('"', '""')
    return f'"{escaped}"'
