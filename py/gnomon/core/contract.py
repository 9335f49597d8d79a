"""The raw contract, read from contract.yml: what every raw table must look like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from gnomon.core.errors import DefinitionError
from gnomon.core.names import TableName

# The type words of contract.yml and the DuckDB type that each one stands for.
DUCKDB_TYPES = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "int": "BIGINT",
    "float": "DOUBLE",
    "amount": "DECIMAL(18,2)",
    "timestamp": "TIMESTAMP",
}

_COLUMN = re.compile(
    r"(?P<type>\w+)(?P<null> null)?"
    r"(?: -> (?P<table>\w+)\.(?P<column>\w+))?"
    r"(?: \[(?P<values>[\w, ]+)\])?"
    r"(?: (?P<low>-?[\d.]+?)\.\.(?P<high>-?[\d.]+)?)?"
)


@dataclass(frozen=True)
class Reference:
    """A foreign key: the column it points at."""

    table: TableName
    column: str


@dataclass(frozen=True)
class Column:
    """One column of a raw table; `low` and `high` are inclusive bounds."""

    name: str
    duckdb_type: str
    is_nullable: bool = False
    reference: Reference | None = None
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Table:
    """One raw table. `known_ahead` allows ingested_at before occurred_at (plans, designs)."""

    name: TableName
    about: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    known_ahead: bool = False

    @property
    def version_key(self) -> tuple[str, ...]:
        """Return the columns that tell two rows apart: a key comes again with every version of its fact."""
        return (*self.key, "ingested_at")

    def column(self, name: str) -> Column:
        """Return the column of that name; KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True)
class Contract:
    """All raw tables by name, in the order of the file."""

    version: int
    tables: dict[TableName, Table]


@cache
def read_contract() -> Contract:
    """Return the raw contract. DefinitionError names the table and column that do not parse."""
    # Imported here: `import gnomon` must not pay for a YAML reader.
    import yaml

    text = resources.files("gnomon.core").joinpath("contract.yml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    tables = {TableName(name): _read_table(TableName(name), body) for name, body in document["tables"].items()}
    contract = Contract(version=document["version"], tables=tables)
    _check_references(contract)
    return contract


def _read_table(name: TableName, body: dict[str, Any]) -> Table:
    unknown = set(body) - {"about", "key", "known_ahead", "columns"}
    if unknown:
        raise DefinitionError(f"contract.yml: table '{name}' has the unknown key '{min(unknown)}'.")
    columns = [_read_column(name, column, spec) for column, spec in body["columns"].items()]
    columns += [Column("occurred_at", "TIMESTAMP"), Column("ingested_at", "TIMESTAMP")]
    return Table(
        name=name,
        about=body["about"],
        key=tuple(part.strip() for part in body["key"].split(",")),
        columns=tuple(columns),
        known_ahead=body.get("known_ahead", False),
    )


def _read_column(table: TableName, name: str, spec: str) -> Column:
    match = _COLUMN.fullmatch(spec)
    if match is None or match["type"] not in DUCKDB_TYPES:
        raise DefinitionError(
            f"contract.yml: column '{table}.{name}' reads '{spec}'; write "
            f"TYPE [null] [-> table.column] [[values]] [lo..hi] with one of {', '.join(DUCKDB_TYPES)}."
        )
    return Column(
        name=name,
        duckdb_type=DUCKDB_TYPES[match["type"]],
        is_nullable=match["null"] is not None,
        reference=Reference(TableName(match["table"]), match["column"]) if match["table"] else None,
        values=tuple(value.strip() for value in (match["values"] or "").split(",") if value.strip()),
        low=float(match["low"]) if match["low"] else None,
        high=float(match["high"]) if match["high"] else None,
    )


def _check_references(contract: Contract) -> None:
    for table in contract.tables.values():
        for column in table.columns:
            target = column.reference
            if target is None:
                continue
            if target.table not in contract.tables or contract.tables[target.table].key != (target.column,):
                raise DefinitionError(
                    f"contract.yml: '{table.name}.{column.name}' points at "
                    f"'{target.table}.{target.column}', which is not the key of a table."
                )
