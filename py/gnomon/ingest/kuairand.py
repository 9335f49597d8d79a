"""KuaiRand, a real short-video log (Gao et al., CIKM 2022), made into a raw set.

The mapping, its assumptions and what the source lacks stand in docs/sources/kuairand.md.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.core.contract import read_contract
from gnomon.core.errors import WarehouseError
from gnomon.core.raw_set import RawSet, make_folder, write_table
from gnomon.ingest import kuairand_steps as steps
from gnomon.ingest.conversion import Conversion, Tally, name_raw_set
from gnomon.ingest.hashing import fingerprint_key, hash_all, read_key
from gnomon.ingest.kuairand_source import LOOKS_FOR, find_source_files, load_source, recognizes
from gnomon.ingest.quarantine import write_quarantine

if TYPE_CHECKING:
    import duckdb

__all__ = ["ABSENT", "LOOKS_FOR", "convert", "recognizes"]

# Raised when the mapping changes, so that a raw set's id tells one mapping from another.
ADAPTER_VERSION = 1

_NO_COMMERCE = "The source is a viewing log; it has no shop."
_NO_GOVERNANCE = "The source publishes no moderation data."
ABSENT = {
    "account_events": "The source has no sign-ups, log-ins or device fingerprints.",
    "creator_status": "The source has no tier, agency, region or status of authors.",
    "live_sessions": "The source holds videos only.",
    "comments": "The source says that a comment was written, not which; those acts are in engagement.",
    "user_reports": "The source counts reports per video (content_counters) and has no single report.",
    "sellers": _NO_COMMERCE,
    "products": _NO_COMMERCE,
    "product_events": _NO_COMMERCE,
    "orders": _NO_COMMERCE,
    "order_items": _NO_COMMERCE,
    "fulfilment_events": _NO_COMMERCE,
    "refunds": _NO_COMMERCE,
    "complaints": _NO_COMMERCE,
    "product_reviews": _NO_COMMERCE,
    "sampling_designs": "The source has no probability sample with human labels.",
    "quality_reviews": "The source has no human labels.",
    "policy_versions": _NO_GOVERNANCE,
    "violations": _NO_GOVERNANCE,
    "enforcements": _NO_GOVERNANCE,
    "daily_totals": "The source has no totals of the days before its log.",
    "appeals": _NO_GOVERNANCE,
}


def convert(source: Path, out: Path, *, hash_key: str | None) -> Conversion:
    """Write the raw set of the KuaiRand folder `source` to `out` and return its balance.

    `out` appears whole at the end or not at all. WarehouseError if the key is missing or
    short, if `out` is not empty, if a file or column of the source is missing or broken, if
    no row can be used, or if the rows read do not equal those kept, dropped and quarantined.
    """
    import duckdb

    key = read_key(hash_key)
    files = find_source_files(source)
    with make_folder(out) as folder, duckdb.connect(":memory:") as connection:
        load_source(connection, files)
        connection.execute(steps.PREPARE)
        connection.execute(steps.JUDGE_VIDEOS)
        connection.execute(steps.JUDGE_EXPOSURES)
        _hash_identifiers(connection, key)
        videos = _balance(connection, folder, "video", "content", steps.VIDEO_QUARANTINE)
        exposures = _balance(connection, folder, "exposure", "engagement", steps.EXPOSURE_QUARANTINE)
        if not exposures.kept:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in exposures.reasons.items())
            raise WarehouseError(
                f"{source}: none of its {exposures.read:,} exposures can be used ({reasons or 'the log is empty'}). "
                "Take the files as published; docs/sources/kuairand.md says what each reason means."
            )
        row_counts = _write_tables(connection, folder)
        record = RawSet(
            raw_set_id=name_raw_set("kuairand", ADAPTER_VERSION, files.all, fingerprint_key(key)),
            source="kuairand",
            newest_ingested_at=_find_newest(connection),
            absent=ABSENT,
        )
        record.write(folder)
    return Conversion(record.raw_set_id, record.source, out, record.newest_ingested_at, exposures, videos, row_counts)


def _hash_identifiers(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Make the table hashes and the macro hashed() over it; each identifier is hashed once."""
    import pyarrow as pa

    rows = hash_all(key, connection.execute(steps.IDENTIFIERS).fetchall())
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    schema = pa.schema([(name, pa.string()) for name in ("domain", "value", "hash")])
    table = pa.table([pa.array(column, pa.string()) for column in columns], schema=schema)
    connection.register("hashed_identifiers", table)
    connection.execute("create table hashes as select * from hashed_identifiers")
    connection.unregister("hashed_identifiers")
    connection.execute(steps.LOOK_UP_HASHES)


def _balance(connection: duckdb.DuckDBPyConnection, folder: Path, noun: str, table: str, quarantine: str) -> Tally:
    """Write what the raw table `table` cannot take of the source's rows; return their verified balance."""
    reasons = write_quarantine(folder, table, connection.execute(quarantine).to_arrow_table())
    tally = Tally(
        read=_aggregate(connection, f"{noun}_rows", "count(*)"),
        kept=_aggregate(connection, f"{noun}s", "count(*)"),
        dropped=_aggregate(connection, f"{noun}_texts", "coalesce(sum(copies - 1), 0)"),
        quarantined=_aggregate(connection, f"{noun}s_judged", "count(reason)"),
        reasons=reasons,
    )
    tally.verify(f"{noun}s of the source")
    return tally


def _aggregate(connection: duckdb.DuckDBPyConnection, table: str, expression: str) -> int:
    row = connection.table(table).aggregate(expression).fetchone()
    return int(row[0]) if row else 0


def _write_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, int]:
    """Write every table of the contract, the absent ones empty, and return their rows."""
    import pyarrow as pa

    counts = {}
    for name, table in read_contract().tables.items():
        query = steps.OUTPUTS.get(name)
        rows = connection.execute(query).to_arrow_table() if query else pa.table({})
        write_table(folder, table, rows)
        counts[str(name)] = rows.num_rows
    return counts


def _find_newest(connection: duckdb.DuckDBPyConnection) -> datetime:
    row = connection.execute(steps.NEWEST_ARRIVAL).fetchone()
    if row is None or not isinstance(row[0], datetime):
        raise WarehouseError("the source holds no dated row; take its files as published.")
    return row[0]
