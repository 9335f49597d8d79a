"""Volume, freshness and gaps of a batch against the accepted batches of the same source before it.

Limits come from history: a median and the median absolute deviation from it (Hampel's identifier),
times 1.4826, which is the standard deviation of a normal. A spread is never taken below that of
pure counting (the root of the median; the binomial error of a share), or a steady history would
call every next number an outlier. With fewer points than the policy asks for nothing is judged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import median
from typing import Any

from gnomon.core.errors import WarehouseError
from gnomon.ingest.expectations import HistoryRule
from gnomon.ingest.report import Finding

FILE_NAME = "accepted.jsonl"
_NORMAL = 1.4826
_WEEK = timedelta(weeks=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class TableProfile:
    """What history keeps of a table: rows, its newest row, rows by settled day, null shares by column.

    A day's count has only the rows that were in so many days after it ended (`settled_after_days`),
    so that days are counted at the same age. `days` is empty for tables of plans.
    """

    row_count: int
    newest_ingested_at: datetime | None
    days: Mapping[date, int]
    null_shares: Mapping[str, float]


@dataclass(frozen=True)
class BatchProfile:
    """What history keeps of a batch."""

    raw_set_id: str
    source: str
    newest_ingested_at: datetime
    settled_after_days: int
    tables: Mapping[str, TableProfile]


@dataclass(frozen=True)
class HistoryReport:
    """The findings, how many numbers were judged, and how many had too little history."""

    findings: tuple[Finding, ...]
    judged: int
    unjudged: int
    earlier_batches: int


def read_history(folder: Path, source: str, settled_after_days: int) -> tuple[BatchProfile, ...]:
    """Return the accepted batches of `source`, oldest first; of a raw set as new as that only its last line.

    Batches that were counted at another age of their days are left out. WarehouseError names a bad line.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return ()
    found: dict[tuple[str, datetime], BatchProfile] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            profile = _read_profile(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WarehouseError(
                f"{path}:{number}: not a line of history: {type(error).__name__} {error}. Remove the line, "
                "or name another --history."
            ) from None
        if profile.source == source and profile.settled_after_days == settled_after_days:
            found[profile.raw_set_id, profile.newest_ingested_at] = profile
    return tuple(sorted(found.values(), key=lambda batch: (batch.newest_ingested_at, batch.raw_set_id)))


def append_history(folder: Path, profile: BatchProfile) -> None:
    """Add one line for an accepted batch; nothing that stands in the file is changed."""
    folder.mkdir(parents=True, exist_ok=True)
    line = json.dumps(_write_profile(profile), sort_keys=True) + "\n"
    # One write to a file opened for appending: two batches at once give two whole lines.
    handle = os.open(folder / FILE_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def compare(batch: BatchProfile, history: Sequence[BatchProfile], rule: HistoryRule) -> HistoryReport:
    """Judge `batch` against earlier batches; its own earlier line, and later batches, are no baseline.

    What the same raw set was before it grew is an earlier batch.
    """
    earlier = [
        other
        for other in history
        if other.newest_ingested_at < batch.newest_ingested_at
        or (other.newest_ingested_at == batch.newest_ingested_at and other.raw_set_id != batch.raw_set_id)
    ]
    findings: list[Finding] = []
    judged = unjudged = 0
    for name, table in batch.tables.items():
        for judge in (_judge_volume, _judge_freshness, _judge_nulls):
            for verdict in judge(batch, name, table, earlier, rule):
                judged += verdict is not None
                unjudged += verdict is None
                findings += [verdict] if isinstance(verdict, Finding) else []
    return HistoryReport(tuple(findings), judged, unjudged, len(earlier))


# A judge yields a Finding, True for a number within its band, or None for too little history.
Verdict = Finding | bool | None


def _judge_volume(
    batch: BatchProfile, name: str, table: TableProfile, earlier: Sequence[BatchProfile], rule: HistoryRule
) -> Iterator[Verdict]:
    """Judge each settled day by the same weekday in the weeks before it, as earlier batches counted them."""
    known: dict[date, int] = {}
    for other in earlier:
        if name in other.tables:
            known.update(_fill_days(other, other.tables[name].days))
    counts = _fill_days(batch, table.days, min(known, default=None))
    for day, count in sorted(counts.items()):
        baseline = [known[past] for past in (day - _WEEK * back for back in range(1, rule.weeks + 1)) if past in known]
        if len(baseline) < rule.minimum:
            yield None
            continue
        centre = median(baseline)
        low, high = _draw_band(baseline, sqrt(max(centre, 1)), rule.width)
        low = max(low, 0)
        yield low <= count <= high or _find(
            name,
            "",
            "volume",
            f"{name}: {count:,} rows on {day} ({day:%A}); {len(baseline)} such days before had a median of "
            f"{centre:,.10g}, and {low:,.1f} to {high:,.1f} is usual. Ask the source what happened on that day.",
        )


def _judge_freshness(
    batch: BatchProfile, name: str, table: TableProfile, earlier: Sequence[BatchProfile], rule: HistoryRule
) -> Iterator[Verdict]:
    """Judge how far the table's newest row lies behind the batch, with one usual interval of batches to spare."""
    lags = [_measure_lag(other, name) for other in earlier]
    baseline = [lag for lag in lags if lag is not None]
    if len(baseline) < rule.minimum:
        yield None
        return
    moments = [other.newest_ingested_at for other in earlier]
    intervals = [(later - before).total_seconds() for before, later in pairwise(moments)]
    _, high = _draw_band(baseline, 0, rule.width)
    high += median(intervals)
    lag = _measure_lag(batch, name)
    if lag is not None and lag <= high:
        yield True
        return
    behind = "has no row" if lag is None else f"its newest row is {timedelta(seconds=round(lag))} behind the batch"
    yield _find(
        name,
        "ingested_at",
        "freshness",
        f"{name}: {behind}; up to {timedelta(seconds=round(high))} is usual in {len(baseline)} batches. "
        "See whether its feed has stopped.",
    )


def _judge_nulls(
    batch: BatchProfile, name: str, table: TableProfile, earlier: Sequence[BatchProfile], rule: HistoryRule
) -> Iterator[Verdict]:
    """Judge the share of missing values of each column that may have them."""
    for column, share in table.null_shares.items():
        past = [other.tables[name] for other in earlier if name in other.tables]
        baseline = [profile.null_shares[column] for profile in past if column in profile.null_shares]
        if len(baseline) < rule.minimum:
            yield None
            continue
        centre = median(baseline)
        floor = max(sqrt(centre * (1 - centre) / table.row_count), 1 / table.row_count)
        low, high = _draw_band(baseline, floor, rule.width)
        yield low <= share <= high or _find(
            name,
            column,
            "null_share",
            f"{name}.{column}: {share:.2%} of {table.row_count:,} rows are missing; {len(baseline)} batches before had "
            f"a median of {centre:.2%}, and {max(low, 0):.2%} to {min(high, 1):.2%} is usual. "
            "Ask the source whether it still fills the column.",
        )


def _draw_band(baseline: Sequence[float], floor: float, width: float) -> tuple[float, float]:
    centre = median(baseline)
    spread = max(_NORMAL * median(abs(value - centre) for value in baseline), floor)
    return centre - width * spread, centre + width * spread


def _fill_days(batch: BatchProfile, days: Mapping[date, int], first: date | None = None) -> dict[date, int]:
    """Return a count for every settled day from the first one on: a day without rows counts 0."""
    start = min([*days, *([first] if first else [])], default=None)
    # A day is settled once the batch is newer than the day's end and the days of grace.
    last = batch.newest_ingested_at.date() - _DAY * (1 + batch.settled_after_days)
    if start is None:
        return {}
    return {start + _DAY * step: days.get(start + _DAY * step, 0) for step in range((last - start).days + 1)}


def _measure_lag(batch: BatchProfile, name: str) -> float | None:
    table = batch.tables.get(name)
    if table is None or table.newest_ingested_at is None:
        return None
    return (batch.newest_ingested_at - table.newest_ingested_at).total_seconds()


def _find(table: str, column: str, rule: str, text: str) -> Finding:
    return Finding(table, column, rule, row_count=None, is_structural=False, text=text)


def _write_profile(profile: BatchProfile) -> dict[str, Any]:
    document = asdict(profile)
    document["newest_ingested_at"] = profile.newest_ingested_at.isoformat(sep=" ")
    for name, table in profile.tables.items():
        newest = table.newest_ingested_at
        document["tables"][name]["newest_ingested_at"] = newest.isoformat(sep=" ") if newest else None
        document["tables"][name]["days"] = {day.isoformat(): count for day, count in table.days.items()}
    return document


def _read_profile(document: Mapping[str, Any]) -> BatchProfile:
    tables = {
        str(name): TableProfile(
            row_count=int(table["row_count"]),
            newest_ingested_at=_read_moment(table["newest_ingested_at"]),
            days={date.fromisoformat(day): int(count) for day, count in table["days"].items()},
            null_shares={str(column): float(share) for column, share in table["null_shares"].items()},
        )
        for name, table in document["tables"].items()
    }
    return BatchProfile(
        raw_set_id=str(document["raw_set_id"]),
        source=str(document["source"]),
        newest_ingested_at=datetime.fromisoformat(document["newest_ingested_at"]),
        settled_after_days=int(document["settled_after_days"]),
        tables=tables,
    )


def _read_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
