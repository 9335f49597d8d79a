"""What the values of definitions are: DuckDB says the type of each piece of SQL over its own table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gnomon.core.names import ModelName
from gnomon.planner.algebra import Column
from gnomon.planner.sql_parts import alias, read, select, table
from gnomon.publish.cube.model import Kind
from gnomon.publish.cube.root import Kinds
from gnomon.semantic import Manifest
from gnomon.semantic.model import SemanticModel
from gnomon.warehouse import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

_TABLE = "source"


def describe_columns(warehouse: Warehouse, manifest: Manifest) -> Kinds:
    """Return what the values of each entity, dimension and measure are; None where Cube has no word for them.

    WarehouseError or DefinitionError if a table or a column is not there.
    """
    kinds: dict[tuple[ModelName, str], Kind | None] = {}
    for model in manifest.models.values():
        texts = _list_texts(model)
        if texts:
            columns = [alias(read(Column(_TABLE, text)), str(place)) for place, text in enumerate(texts)]
            query = select(columns, table(model.relation, _TABLE)).limit(0)
            schema = warehouse.query(query.sql(dialect="duckdb")).schema
            kinds |= {(model.name, text): _find_kind(field.type) for text, field in zip(texts, schema, strict=True)}
    return kinds


def _list_texts(model: SemanticModel) -> list[str]:
    parts = (model.entities, model.dimensions, model.measures)
    return list(dict.fromkeys(each.expr for part in parts for each in part.values()))


def _find_kind(kind: pa.DataType) -> Kind | None:
    from pyarrow import types

    if types.is_boolean(kind):
        return Kind.BOOLEAN
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return Kind.NUMBER
    if types.is_date(kind) or (types.is_timestamp(kind) and kind.tz is None):
        return Kind.TIME
    return Kind.STRING if types.is_string(kind) or types.is_dictionary(kind) else None
