"""What Metabase is told of the copy's tables and columns: titles, descriptions, keys, and what is technical."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.publish.metabase.wanted import Field, FieldAddress, Table, TableAddress
from gnomon.publish.serving_copy.contents import SCHEMA, STAMP, Contents, CopiedTable, Part
from gnomon.publish.serving_copy.schemas import TABLES
from gnomon.publish.views.model import Role
from gnomon.semantic.model import Manifest

_TECHNICAL = {
    STAMP: "Which generation the copy is of.",
    TABLES: "The tables of the copy and their rows.",
}
_KEY, _FOREIGN_KEY, _CATEGORY = "type/PK", "type/FK", "type/Category"
_ATTRIBUTES = (Role.ATTRIBUTE, Role.MATURITY)
_TEXT, _BOOLEAN = "VARCHAR", "BOOLEAN"


def list_tables(manifest: Manifest, contents: Contents) -> tuple[Table, ...]:
    """Return the tables of a copy, those that only programs read hidden."""
    attributes = {
        (model.relation.rpartition(".")[2].strip('"'), dimension.expr)
        for model in manifest.models.values()
        for dimension in model.dimensions.values()
    }
    links = {
        (link.table, link.column): FieldAddress(SCHEMA, link.parent, link.parent_column)
        for link in reversed(contents.links)
    }
    described = [
        Table(
            address=TableAddress(SCHEMA, table.name),
            title=_name(table),
            description=table.comment,
            is_hidden=False,
            fields=tuple(_describe_fields(table, links, attributes)),
        )
        for table in contents.tables
    ]
    described += [
        Table(
            address=TableAddress(SCHEMA, view.name),
            title=view.name.removeprefix("bi_").replace("_", " ").capitalize() + " (sums)",
            description=view.comment,
            is_hidden=False,
            fields=tuple(
                Field(column.name, column.comment, _CATEGORY if column.role in _ATTRIBUTES else None)
                for column in view.columns
            ),
        )
        for view in contents.views.views
    ]
    hidden = [Table(TableAddress(SCHEMA, name), name, told, True, ()) for name, told in _TECHNICAL.items()]
    return (*described, *hidden)


def _describe_fields(
    table: CopiedTable, links: dict[tuple[str, str], FieldAddress], attributes: set[tuple[str, str]]
) -> Iterator[Field]:
    for column in table.columns:
        leads_to = links.get((table.name, column.name))
        kind: str | None = None
        if table.part is not Part.ROLLUP and table.key == (column.name,):
            kind = _KEY
        elif leads_to is not None:
            kind = _FOREIGN_KEY
        elif column.kind in (_TEXT, _BOOLEAN) and _is_attribute(table, column.name, attributes):
            kind = _CATEGORY
        yield Field(column.name, column.comment, kind, leads_to if kind == _FOREIGN_KEY else None)


def _is_attribute(table: CopiedTable, column: str, attributes: set[tuple[str, str]]) -> bool:
    return column in table.key if table.part is Part.ROLLUP else (table.name, column) in attributes


def _name(table: CopiedTable) -> str:
    """Return a table's name in words, rollups apart from what they are made of."""
    words = table.name.removeprefix(table.part.prefix).replace("_", " ").capitalize()
    return f"{words} (added up)" if table.part is Part.ROLLUP else words
