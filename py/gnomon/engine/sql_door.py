"""The read-only door for hand-written SQL: judged, priced, bounded, and answered with its provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import QueryError, join_names
from gnomon.engine.build_record import BuildRecord
from gnomon.engine.judgement import describe_build
from gnomon.engine.result import Provenance, Result
from gnomon.engine.served import Served
from gnomon.semantic import digest_manifest
from gnomon.warehouse import (
    Estimate,
    Selection,
    Warehouse,
    check_select,
    count_rows,
    explain,
    read_estimate,
    select,
)

_PREFIXES = ("fct_", "dim_", "feat_", "score_")
_SEEDS = "select distinct node_id from gnomon.gnomon_build.nodes where starts_with(node_id, 'seed.')"
_OWN_WORDS = "hand-written SQL: floors, maturity and exclusions are those that it writes, not those of a metric"


@dataclass(frozen=True)
class Limits:
    """How much a query may ask for.

    `max_rows` rows of the answer, `seconds` of running, `max_scan_rows` rows estimated to be
    read, or to pass between two steps. QueryError if one of them is not above 0.
    """

    max_rows: int = 10_000
    seconds: float = 60.0
    max_scan_rows: int = 200_000_000

    def __post_init__(self) -> None:
        named = {"--max-rows": self.max_rows, "--timeout": self.seconds, "--max-scan-rows": self.max_scan_rows}
        for option, value in named.items():
            if not value > 0:
                raise QueryError(f"{option} is {value}; it must be above 0.")


@dataclass(frozen=True)
class Priced:
    """A selection that was judged, and what it is estimated to cost."""

    selection: Selection
    estimate: Estimate


class SqlDoor:
    """Answers one SELECT at a time over the marts, features, scores and seeds of a generation or a working file."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._warehouse = served.warehouse
        self._record = served.record
        self._row_counts = _list_allowed(self._warehouse)

    @classmethod
    def open(cls, project_dir: str | Path = ".", *, working: bool = False) -> SqlDoor:
        """Open the project's generation in service read-only, or its working file as `Engine.open` does."""
        return cls(Served.open(Path(project_dir), working=working))

    @property
    def tables(self) -> Mapping[str, int]:
        """The tables that may be read, each with its rows."""
        return self._row_counts

    def price(self, text: str, origin: str = "sql") -> Priced:
        """Judge a text and estimate its cost without running it; QueryError says what is refused."""
        selection = check_select(text, self._row_counts, origin)
        estimate = read_estimate(explain(self._warehouse, selection), self._row_counts)
        # The parser judged names; DuckDB says what it would truly read. They must agree.
        hidden = sorted({table for table, _ in estimate.scans} - set(selection.tables))
        if hidden:
            raise QueryError(f"{origin}: would read {join_names(hidden, 'and')}, which it does not name. Refused.")
        return Priced(selection, estimate)

    def answer(self, priced: Priced, limits: Limits | None = None) -> Result:
        """Return all rows of a priced selection; QueryError where it would pass a limit."""
        bounds = limits or Limits()
        _refuse_cost(priced.estimate, bounds.max_scan_rows)
        table = select(self._warehouse, priced.selection, bounds.max_rows, bounds.seconds)
        twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
        if twice:
            raise QueryError(f"two columns are named {join_names(twice, 'and')}. Give each its own name with AS.")
        return Result(table=table, sql=priced.selection.sql, provenance=self._describe(priced.selection))

    def close(self) -> None:
        """Let go of the file, so that a build can write to it, or a generation be removed."""
        self._served.close()

    def _describe(self, selection: Selection) -> Provenance:
        record = self._record
        return Provenance(
            definition_version=digest_manifest(record.semantic_manifest),
            data_version=self._served.data_version,
            generation=self._served.generation_id,
            raw_set_id=record.raw_set_id,
            as_of=record.as_of,
            notes=(*describe_build(record, is_current=True), *_describe_holes(record, selection), _OWN_WORDS),
        )


def _list_allowed(warehouse: Warehouse) -> dict[str, int]:
    seeds = {row["node_id"].rsplit(".", 1)[-1] for row in warehouse.query(_SEEDS).to_pylist()}
    counts = count_rows(warehouse)
    return {name: rows for name, rows in sorted(counts.items()) if name.startswith(_PREFIXES) or name in seeds}


def _refuse_cost(estimate: Estimate, max_scan_rows: int) -> None:
    cost = max(estimate.scan_rows, estimate.widest_step_rows)
    if cost > max_scan_rows:
        raise QueryError(
            f"estimated to read {estimate.scan_rows:,} rows and to pass {estimate.widest_step_rows:,} between two "
            f"steps; --max-scan-rows allows {max_scan_rows:,}. Is a join condition missing? Else raise it."
        )


def _describe_holes(record: BuildRecord, selection: Selection) -> Iterator[str]:
    """Yield, for each table read, the raw tables behind it that the source does not have."""
    for table in selection.tables:
        missing = sorted((record.raw_tables_behind(table) or frozenset()) & set(record.absent))
        if missing:
            reasons = "; ".join(f"'{name}' ({record.absent[name]})" for name in missing)
            yield f"'{table}' is built without raw tables that the source does not have: {reasons}"
