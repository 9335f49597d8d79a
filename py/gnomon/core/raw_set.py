"""A raw set: one folder of Parquet files per raw table, and a record that says what it is.

raw_set.json holds the set's identity, where it came from, the tables that its source does
not have, and the newest ingested_at. The working file is bound to the identity.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnomon.core.contract import Table, read_contract
from gnomon.core.errors import WarehouseError, explain_unknown

if TYPE_CHECKING:
    import pyarrow as pa

RECORD_NAME = "raw_set.json"
RECORD_FORM = {"raw_set_id": str, "source": str, "newest_ingested_at": str, "absent": list, "contract_version": int}
ABSENT_FORM = {"table_name": str, "reason": str}
_WORDS = {str: "a text", list: "a list", int: "a whole number"}
SEE_FORM = "docs/raw.md shows its form."


@dataclass(frozen=True)
class RawSet:
    """The record of a raw set; `absent` gives the reason for each table not in the source."""

    raw_set_id: str
    source: str
    newest_ingested_at: datetime
    absent: Mapping[str, str] = field(default_factory=dict)
    contract_version: int = field(default_factory=lambda: read_contract().version)

    def write(self, folder: Path) -> None:
        """Write the record last of all: a folder without it is not a raw set."""
        document = {
            "raw_set_id": self.raw_set_id,
            "source": self.source,
            "contract_version": self.contract_version,
            "newest_ingested_at": self.newest_ingested_at.isoformat(sep=" ", timespec="microseconds"),
            "absent": [{"table_name": name, "reason": reason} for name, reason in sorted(self.absent.items())],
        }
        partial = folder / f"{RECORD_NAME}.partial"
        partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        partial.replace(folder / RECORD_NAME)

    @classmethod
    def read(cls, folder: Path) -> RawSet:
        """Return the record in `folder`; WarehouseError says what is missing or wrong in it."""
        if not folder.is_dir():
            raise WarehouseError(
                f"{folder}: no such folder. GNOMON_RAW names the raw set; "
                "`gnomon simulate` or `gnomon ingest` makes one."
            )
        path = folder / RECORD_NAME
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise WarehouseError(
                f"{folder}: not a raw set, {RECORD_NAME} is missing. `gnomon simulate` and "
                "`gnomon ingest` write it; docs/raw.md shows how to write one by hand."
            ) from None
        except ValueError as error:
            raise WarehouseError(f"{path}: not JSON: {error}. {SEE_FORM}") from None
        _check_form(path, document, RECORD_FORM)
        for row in document["absent"]:
            _check_form(path, row, ABSENT_FORM)
        try:
            newest = datetime.fromisoformat(document["newest_ingested_at"])
        except ValueError as error:
            raise WarehouseError(f"{path}: newest_ingested_at: {error}. {SEE_FORM}") from None
        record = cls(
            raw_set_id=document["raw_set_id"],
            source=document["source"],
            newest_ingested_at=newest,
            absent={row["table_name"]: row["reason"] for row in document["absent"]},
            contract_version=document["contract_version"],
        )
        record._check(path)
        return record

    def _check(self, path: Path) -> None:
        contract = read_contract()
        if self.contract_version != contract.version:
            raise WarehouseError(
                f"{path}: written for version {self.contract_version} of the raw contract, "
                f"this is version {contract.version}. Make the raw set again."
            )
        for name in self.absent:
            if name not in contract.tables:
                raise WarehouseError(f"{path}: absent: {explain_unknown('table', name, contract.tables)}")


def _check_form(path: Path, document: Any, form: Mapping[str, type]) -> None:
    """Raise WarehouseError if a key of the record is missing, or says something else than it should."""
    if not isinstance(document, dict):
        raise WarehouseError(f"{path}: {json.dumps(document)[:60]} stands where keys and values should. {SEE_FORM}")
    for key, kind in form.items():
        if type(document.get(key)) is not kind or document[key] == "":
            said = json.dumps(document[key]) if key in document else "missing"
            raise WarehouseError(f"{path}: {key} is {said}, and should be {_WORDS[kind]}. {SEE_FORM}")


def check_vacant(out: Path) -> None:
    """Raise WarehouseError if something is at `out` already: nothing is ever written into it."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WarehouseError(f"{out}: exists and is not empty. Name another --out, or remove it.")


@contextmanager
def make_folder(out: Path) -> Iterator[Path]:
    """Give a `.partial` folder beside `out`, which becomes `out` only if the block ends well.

    WarehouseError if `out` is no folder or one that is not empty, or no folder can be made there.
    """
    check_vacant(out)
    out = out.absolute()
    partial = out.with_name(f"{out.name}.partial")
    # What a killed run left behind; only this function makes folders of this name.
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise WarehouseError(f"{out}: no folder can be made there: {error.strerror}. Name another --out.") from error
    try:
        yield partial
        if out.is_dir():
            out.rmdir()
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_table(folder: Path, table: Table, rows: pa.Table) -> None:
    """Write `rows` as the only file of `table` in `folder`, cast to the contract's types.

    Columns that `rows` lacks become null; WarehouseError if one of them may not be, or if
    `rows` has a column that the contract does not know.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = arrow_schema(table)
    unknown = sorted(set(rows.column_names) - set(schema.names))
    if unknown:
        raise WarehouseError(f"table '{table.name}': {explain_unknown('column', unknown[0], schema.names)}")
    columns = []
    for column, field_ in zip(table.columns, schema, strict=True):
        if column.name in rows.column_names:
            columns.append(rows.column(column.name).cast(field_.type))
        elif column.is_nullable or rows.num_rows == 0:
            columns.append(pa.nulls(rows.num_rows, field_.type))
        else:
            raise WarehouseError(f"table '{table.name}': the column '{column.name}' is missing and may not be null.")
    place = folder / table.name
    place.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns, schema=schema), place / "part-0.parquet", compression="zstd", compression_level=9)


def arrow_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a raw table, columns in the contract's order."""
    import pyarrow as pa

    arrow_types = {
        "VARCHAR": pa.string(),
        "BOOLEAN": pa.bool_(),
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        "DECIMAL(18,2)": pa.decimal128(18, 2),
        "TIMESTAMP": pa.timestamp("us"),
    }
    return pa.schema([(column.name, arrow_types[column.duckdb_type]) for column in table.columns])
