"""Have Great Expectations read a sifted batch in a process of its own, and hold the two readings together.

DuckDB sifts the rows, Great Expectations counts the same rules by its own means. A count on which
the two differ is a fault of one of them, and no batch passes on it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from gnomon.core.contract import Column
from gnomon.core.errors import WarehouseError
from gnomon.core.names import TableName
from gnomon.ingest.content_rules import name_column
from gnomon.ingest.expectations import Policy
from gnomon.ingest.sifting import Sifted, read_types
from gnomon.ingest.suites import build_suite, list_flags

if TYPE_CHECKING:
    import duckdb

_LINES_SHOWN = 5
_PYTHON_MOMENTS = ("0001-01-01", "9999-12-31")
_TIMESTAMP = exp.DataType(this=exp.DType.TIMESTAMP)


@dataclass(frozen=True)
class Reading:
    """What Great Expectations made of one item of a suite; `error` is set if it could not run."""

    rule: str
    column: str
    kind: str
    success: bool
    unexpected_count: int | None
    error: str | None


def read_again(
    connection: duckdb.DuckDBPyConnection,
    sifted: Mapping[TableName, Sifted],
    policy: Policy,
    scratch: Path,
    docs: Path | None,
    title: str,
) -> dict[TableName, tuple[Reading, ...]]:
    """Return the readings by table; WarehouseError if the process fails or its counts are not DuckDB's."""
    tables = [_prepare(connection, part, policy, scratch) for part in sifted.values()]
    order, answer = scratch / "order.json", scratch / "answer.json"
    order.write_text(
        json.dumps({"title": title, "docs": str(docs) if docs else None, "tables": tables}), encoding="utf-8"
    )
    command = [sys.executable, "-m", "gnomon.ingest.validation_process", str(order), str(answer)]
    environment = {**os.environ, "GX_ANALYTICS_ENABLED": "false"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode:
        last = "\n".join(run.stderr.strip().splitlines()[-_LINES_SHOWN:])
        raise WarehouseError(f"the process that runs the suites ended with {run.returncode}:\n{last}")
    document = json.loads(answer.read_text(encoding="utf-8"))
    readings = {TableName(name): tuple(_read(item) for item in items) for name, items in document.items()}
    problems = list(find_differences(sifted, readings))
    if problems:
        raise WarehouseError("Nothing was written: " + " ".join(problems) + " Please report it.")
    return readings


def find_differences(
    sifted: Mapping[TableName, Sifted], readings: Mapping[TableName, tuple[Reading, ...]]
) -> Iterator[str]:
    """Yield a text for each rule that was not read, could not be read, or was counted otherwise."""
    for name, part in sifted.items():
        found = {(item.rule, item.column): item for item in readings.get(name, ())}
        for item in found.values():
            if item.error:
                yield f"{name}.{item.column}: {item.kind} ({item.rule}) could not run: {item.error[:300]}."
            elif item.rule in ("columns", "type") and not item.success:
                yield f"{name}.{item.column}: the suite finds a wrong {item.rule}, the check of the structure does not."
        for rule, count in zip(part.rules, part.broken_counts, strict=True):
            reading = found.get((rule.name, rule.column))
            if reading is None:
                yield f"{name}.{rule.column}: no suite has the rule {rule.name}."
            elif not reading.error and reading.unexpected_count != count:
                yield (
                    f"{name}.{rule.column}: DuckDB counts {count:,} rows that break {rule.name}, "
                    f"Great Expectations {reading.unexpected_count}."
                )


def _prepare(connection: duckdb.DuckDBPyConnection, part: Sifted, policy: Policy, scratch: Path) -> dict[str, Any]:
    """Write the rows of a table for the other process, and return its part of the order."""
    suite = build_suite(part.table, policy)
    columns = [_write_column(column) for column in part.table.columns]
    query = exp.select(*columns, *map(name_column, list_flags(suite)))
    query = query.from_(exp.to_identifier(part.table.name, quoted=True))
    path = scratch / f"{part.table.name}.parquet"
    connection.sql(query.sql(dialect="duckdb")).write_parquet(str(path))
    types = read_types(connection, part.table.name)
    return {
        "name": part.table.name,
        "rows": str(path),
        "types": types,
        "suite": [asdict(item) for item in suite],
    }


def _write_column(column: Column) -> exp.Expr:
    """Return the column as the other process can read it: no moment outside of the years 1 to 9999.

    Python has none there, DuckDB has infinity. The order of two moments stays unless both lie outside,
    and then the counts differ and the batch is stopped.
    """
    name = name_column(column.name)
    if column.duckdb_type != "TIMESTAMP":
        return name
    first, last = (exp.Cast(this=exp.Literal.string(day), to=_TIMESTAMP.copy()) for day in _PYTHON_MOMENTS)
    inside = exp.func("least", exp.func("greatest", name, first), last)
    # The two functions pass over a missing value.
    missing = exp.Is(this=name.copy(), expression=exp.Null())
    return exp.alias_(exp.Case(ifs=[exp.If(this=missing, true=exp.Null())], default=inside), column.name, quoted=True)


def _read(item: Mapping[str, Any]) -> Reading:
    return Reading(item["rule"], item["column"], item["kind"], item["success"], item["unexpected_count"], item["error"])
