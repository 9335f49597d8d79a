"""What a serving copy holds of a generation: dimensions, rollups and case lists, and no base facts.

A mart is in the copy if its YAML says so, in config.meta.serving_copy:

    dimension   a dim_ mart: what facts lead to
    cases       a fct_ mart of which people work off the rows, one by one

Rollups are those that the generation holds. Nothing else can be in it: there is no other way in. Over them stand
views of sums, for tools that add up by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from sqlglot import exp

from gnomon.core.errors import DefinitionError
from gnomon.core.names import DimensionName, EntityName
from gnomon.planner import Copy
from gnomon.planner.choose_rollups import TIME
from gnomon.publish.dbt_nodes import Node
from gnomon.publish.serving_copy.columns import HUGE, Column, check_name, read_column
from gnomon.publish.views import Views
from gnomon.semantic import Manifest
from gnomon.semantic.model import EntityKind, Rollup, SemanticModel
from gnomon.warehouse import Table

# What readers name, and the table in it that says which generation they read.
SCHEMA, STAMP = "gnomon", "gnomon_stamp"
DIALECT = "postgres"
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_WHOLE = exp.DataType.build("decimal(38, 0)")


class Part(Enum):
    """Why a table is in the copy; the first two are words of config.meta.serving_copy, with the prefix of marts."""

    DIMENSION = "dimension"
    CASES = "cases"
    ROLLUP = "rollup"
    VIEW = "view"

    @property
    def prefix(self) -> str:
        """How names of such tables begin."""
        return {"dimension": "dim_", "cases": "fct_", "rollup": "rollup_", "view": "bi_"}[self.value]


@dataclass(frozen=True)
class CopiedTable:
    """A table of the copy. `key` names its rows; of a rollup, parts of it may be null."""

    source: Table
    part: Part
    comment: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name, in the copy as in the generation."""
        return self.source.name

    def select(self, database: str) -> exp.Select:
        """Return the SELECT of its rows, in types that Arrow hands on whole."""
        columns = [exp.column(column.name, quoted=True) for column in self.columns]
        shown = [
            exp.cast(column, _WHOLE).as_(column.name, quoted=True) if each.kind in HUGE else column
            for each, column in zip(self.columns, columns, strict=True)
        ]
        return exp.select(*shown).from_(self.source.within(database))


@dataclass(frozen=True)
class Link:
    """A column that leads to the key of another table of the copy; a data test of dbt held it if it `is_tested`."""

    table: str
    column: str
    parent: str
    parent_column: str
    is_tested: bool


@dataclass(frozen=True)
class Contents:
    """The tables of a copy, by name, the links between them, those to be preferred first, and the views over them."""

    tables: tuple[CopiedTable, ...]
    links: tuple[Link, ...]
    views: Views = field(default_factory=Views)

    def within(self, schema: str) -> Copy:
        """Return what the planner must know of a copy of these tables in a schema."""
        return Copy(DIALECT, schema, frozenset(table.name for table in self.tables))


def read_contents(
    manifest: Manifest, nodes: Sequence[Node], rollups: Mapping[str, int], columns: Mapping[str, Mapping[str, str]]
) -> Contents:
    """Return what a copy of a generation holds; DefinitionError says what cannot be in one, and why.

    `rollups` are those that the generation holds; `columns` are DuckDB's types by table and column, in their order.
    """
    marts = [(node, part) for node in nodes if (part := _read_part(node)) is not None]
    tables = [_read_mart(node, part, columns[node.table.name]) for node, part in marts]
    rolled = [
        (model, rollup) for model in manifest.models.values() for rollup in model.rollups if rollup.name in rollups
    ]
    tables += [_read_rollup(manifest, model, rollup, columns[_name_of(rollup.relation)]) for model, rollup in rolled]
    by_name = {table.name: table for table in tables}
    if len(by_name) < len(tables) or STAMP in by_name:
        raise DefinitionError(f"two tables of the copy have one name, or one is named '{STAMP}'. Rename it.")
    links = [*_lead_by_entities(manifest, rolled, by_name), *_lead_by_tests(marts, by_name)]
    return Contents(tuple(sorted(tables, key=lambda table: table.name)), tuple(links))


def _read_part(node: Node) -> Part | None:
    if node.serving_copy is None:
        return None
    words = {part.value: part for part in (Part.DIMENSION, Part.CASES)}
    place = f"{node.path}: '{node.table.name}': config.meta.serving_copy"
    part = words.get(str(node.serving_copy))
    if part is None:
        raise DefinitionError(f"{place} is '{node.serving_copy}'. Write {' or '.join(words)}.")
    if node.layer != "marts" or not node.table.name.startswith(part.prefix):
        raise DefinitionError(
            f"{place} is '{part.value}', which only a mart can be whose name begins with {part.prefix}."
        )
    if not node.unique_key or (part is Part.CASES and len(node.unique_key) > 1):
        keys = "of one column " if part is Part.CASES else ""
        raise DefinitionError(f"{place}: its rows have no key {keys}that is tested. Write unique_key in its rules.")
    return part


def _read_mart(node: Node, part: Part, kinds: Mapping[str, str]) -> CopiedTable:
    check_name(f"{node.path}: table", node.table.name)
    place = f"{node.path}: '{node.table.name}'"
    read = [read_column(place, column, kind, node.columns.get(column, "")) for column, kind in kinds.items()]
    return CopiedTable(node.table, part, node.description, tuple(read), node.unique_key)


def _read_rollup(manifest: Manifest, model: SemanticModel, rollup: Rollup, kinds: Mapping[str, str]) -> CopiedTable:
    name = _name_of(rollup.relation)
    place = f"semantic model '{model.name}', rollup '{rollup.name}'"
    check_name(f"{place}: table", name)
    by = ", ".join((rollup.grain.value, *rollup.dimensions))
    comments = dict(_describe_columns(manifest, model, rollup))
    read = [read_column(place, column, kind, comments.get(column, "")) for column, kind in kinds.items()]
    # The period and the dimensions come first.
    key = tuple(column.name for column in read[: 1 + len(rollup.dimensions)])
    schema = rollup.relation.split(".")[-2].strip('"')
    comment = f"Measures of {model.name} by {by}. {model.description}".strip()
    return CopiedTable(Table(schema, name), Part.ROLLUP, comment, tuple(read), key)


def _describe_columns(manifest: Manifest, model: SemanticModel, rollup: Rollup) -> Iterator[tuple[str, str]]:
    yield f"{TIME}__{rollup.grain.value}", f"The {rollup.grain.value} begins here, UTC."
    for word in rollup.dimensions:
        yield word, _describe_dimension(manifest, model, word) or f"The entity {word}."
    for measure in (model.measures[name] for name in rollup.measures):
        told = f"{measure.aggregation.value} of {measure.expr}. {measure.description}".strip()
        yield measure.name, told
        yield f"{measure.name}__sum", f"The sum behind {told}"
        yield f"{measure.name}__count", f"The number of values behind {told}"


def _describe_dimension(manifest: Manifest, model: SemanticModel, word: str) -> str:
    """Return what the YAML says of a dimension: of the table's own, or of the table that its entity leads to."""
    entity, _, rest = word.partition("__")
    homes = [model] if entity == model.primary_entity else manifest.models.values()
    name = DimensionName(rest.partition("__")[0])
    found = (home.dimensions[name] for home in homes if home.identifies(EntityName(entity)) and name in home.dimensions)
    return next((dimension.description for dimension in found), "")


def _lead_by_entities(
    manifest: Manifest, rolled: Sequence[tuple[SemanticModel, Rollup]], tables: Mapping[str, CopiedTable]
) -> Iterator[Link]:
    """Yield the links that entities are: from a key of a fact's rows to the row that has it as its primary one."""
    parents = {}
    for model in manifest.models.values():
        for entity in model.entities.values():
            table = tables.get(_name_of(model.relation))
            if entity.kind is EntityKind.PRIMARY and table is not None and table.key == (entity.expr,):
                parents[entity.name] = (table.name, entity.expr)
    for model in manifest.models.values():
        name = _name_of(model.relation)
        for entity in model.entities.values():
            is_here = name in tables and entity.kind is EntityKind.FOREIGN and _PLAIN.fullmatch(entity.expr)
            if is_here and entity.name in parents:
                yield Link(name, entity.expr, *parents[entity.name], is_tested=False)
    for _, rollup in rolled:
        for word in rollup.dimensions:
            found = next((parent for entity, parent in parents.items() if entity == word), None)
            if found is not None:
                yield Link(_name_of(rollup.relation), word, *found, is_tested=False)


def _lead_by_tests(marts: Sequence[tuple[Node, Part]], tables: Mapping[str, CopiedTable]) -> Iterator[Link]:
    for node, _ in marts:
        for promise in node.references:
            parent = tables.get(promise.parent)
            if parent is not None and parent.key == (promise.parent_column,):
                yield Link(node.table.name, promise.column, parent.name, promise.parent_column, is_tested=True)


def _name_of(relation: str) -> str:
    return relation.rpartition(".")[2].strip('"')
