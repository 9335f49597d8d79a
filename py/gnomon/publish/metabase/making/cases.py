"""Case lists: the rows that people work off, one by one, and where a click on a tile leads to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from gnomon.dashboards.model import Tile
from gnomon.publish.metabase.making.display import write_key
from gnomon.publish.metabase.wanted import (
    Card,
    ClickThrough,
    FieldAddress,
    FieldTag,
    NativeQuery,
    TableAddress,
    TableQuery,
)
from gnomon.publish.serving_copy.contents import DIALECT, SCHEMA, Contents, CopiedTable, Part
from gnomon.publish.serving_copy.statements import Words, name_relation, write
from gnomon.semantic.model import EntityKind, Manifest, SemanticModel

COLLECTION = "case_lists"
_TEXT, _DATE = "VARCHAR", "DATE"
_OF_CREATORS = ("region", "tier")


@dataclass(frozen=True)
class CaseList:
    """A table of cases, as a card and as a model; `tags` are its filters, in the engine's words if it has any."""

    table: str
    card: Card
    model: Card
    tags: tuple[FieldTag, ...]


def list_cases(manifest: Manifest, contents: Contents) -> tuple[CaseList, ...]:
    """Return the case lists of a copy."""
    models = {_table_of(model): model for model in manifest.models.values()}
    return tuple(
        _write_list(manifest, contents, table, models[table.name])
        for table in contents.tables
        if table.part is Part.CASES and table.name in models
    )


def find_click(manifest: Manifest, tile: Tile, lists: Mapping[str, CaseList]) -> ClickThrough | None:
    """Return where a click on a tile leads: to the cases that all of its metrics count, of the groups clicked on."""
    leaves = [leaf for name in tile.metrics for leaf in manifest.leaves_of(manifest.metrics[name])]
    tables = {_table_of(manifest.model_of(leaf.measure.name)) for leaf in leaves if leaf.measure is not None}
    found = lists.get(tables.pop()) if len(tables) == 1 else None
    if found is None:
        return None
    return ClickThrough(found.card.key, {tag.name: tag.name for tag in found.tags if tag.name in tile.groups})


def _write_list(manifest: Manifest, contents: Contents, table: CopiedTable, model: SemanticModel) -> CaseList:
    creators = _find_creators(manifest, contents, model)
    tags = [*_write_tags(table, model), *(_tag_creators(creators[1]) if creators else ())]
    columns: list[exp.Expr] = [exp.column(column.name, table.name, SCHEMA, quoted=True) for column in table.columns]
    source = name_relation(SCHEMA, table.name)
    if creators is not None:
        key, home = creators
        own = {column.name for column in table.columns}
        columns += [
            exp.column(name, home.name, SCHEMA, quoted=True).as_(f"creator_{name}", quoted=True)
            for name in _OF_CREATORS
            if f"creator_{name}" not in own
        ]
        left, right = (
            exp.column(key, table.name, SCHEMA, quoted=True),
            exp.column(home.key[0], home.name, SCHEMA, quoted=True),
        )
        equal = exp.EQ(this=left, expression=right).sql(DIALECT)
        source = Words(f"{source} LEFT JOIN {name_relation(SCHEMA, home.name)} ON {equal}")
    places = "\n".join(f"[[AND {{{{{tag.name}}}}}]]" for tag in tags)
    sql = write(
        "SELECT {columns}\nFROM {source}\nWHERE TRUE\n{places}\nORDER BY {order}",
        columns=Words(", ".join(column.sql(DIALECT) for column in columns)),
        source=source,
        places=Words(places),
        order=Words(", ".join(_write_order(table, tags))),
    )
    names = tuple(column.alias_or_name for column in columns)
    title = _say(table.name.removeprefix(Part.CASES.prefix))
    whole = Card(
        key=f"model/{table.name}",
        kind="model",
        name=title,
        description=table.comment,
        collection=COLLECTION,
        query=TableQuery(TableAddress(SCHEMA, table.name)),
        display="table",
    )
    # A model can have no filters of its own, so the list that a click leads to is a question beside it.
    card = Card(
        key=f"cases/{table.name}",
        kind="question",
        name=f"Case list: {title.lower()}",
        description=f"{table.comment} All of them; the filters choose. Identifiers are keyed hashes, times are UTC.",
        collection=COLLECTION,
        query=NativeQuery(sql, tuple(tags)),
        display="table",
        settings={
            "column_settings": {
                write_key(name): {"column_title": name.replace("_", " ").capitalize()} for name in names
            }
        },
        columns=names,
    )
    return CaseList(table.name, card, whole, tuple(tags))


def _write_tags(table: CopiedTable, model: SemanticModel) -> Iterator[FieldTag]:
    """Yield a filter for the day of the cases, and one for each text that the semantic model has as a dimension."""
    kinds = {column.name: column.kind for column in table.columns}
    days = [each for each in model.dimensions.values() if kinds.get(each.expr) == _DATE]
    for each in days[:1]:
        address = FieldAddress(SCHEMA, table.name, each.expr)
        yield FieldTag("day", "Dates (UTC)", address, "date/all-options")
    for each in model.dimensions.values():
        if kinds.get(each.expr) == _TEXT:
            name = f"{model.primary_entity or ''}__{each.name}"
            yield FieldTag(name, _say(each.name), FieldAddress(SCHEMA, table.name, each.expr), "string/=")


def _find_creators(manifest: Manifest, contents: Contents, model: SemanticModel) -> tuple[str, CopiedTable] | None:
    """Return the column that leads to creators, and their table, if the copy has both."""
    tables = {table.name: table for table in contents.tables}
    for entity in model.entities.values():
        for home in manifest.models.values():
            table = tables.get(_table_of(home))
            is_home = any(
                own.name == entity.name and own.kind is EntityKind.PRIMARY and table and table.key == (own.expr,)
                for own in home.entities.values()
            )
            if entity.name == "creator" and entity.kind is EntityKind.FOREIGN and is_home and table is not None:
                return entity.expr, table
    return None


def _tag_creators(home: CopiedTable) -> Iterator[FieldTag]:
    for name in _OF_CREATORS:
        yield FieldTag(f"creator__{name}", f"Creator {name}", FieldAddress(SCHEMA, home.name, name), "string/=")


def _write_order(table: CopiedTable, tags: list[FieldTag]) -> Iterator[str]:
    for tag in tags:
        if tag.kind == "date/all-options":
            newest = exp.column(tag.field.column, table.name, SCHEMA, quoted=True)
            yield exp.Ordered(this=newest, desc=True, nulls_first=False).sql(DIALECT)
    for key in table.key:
        yield exp.column(key, table.name, SCHEMA, quoted=True).sql(DIALECT)


def _say(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _table_of(model: SemanticModel) -> str:
    return model.relation.rpartition(".")[2].strip('"')
