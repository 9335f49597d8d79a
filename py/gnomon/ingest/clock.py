"""Judge the record's newest_ingested_at, which is the clock of the build, by the rows of the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from sqlglot import exp

from gnomon.core.names import TableName
from gnomon.core.raw_set import RECORD_NAME, RawSet
from gnomon.ingest.content_rules import name_column
from gnomon.ingest.report import Finding
from gnomon.ingest.sifting import Sifted

if TYPE_CHECKING:
    import duckdb

# A source may cut its batch at midnight, past its newest row; more than a day is no cut.
_GRACE = timedelta(days=1)
# The dates before the newest one by which it is judged, and the fewest that can judge it.
_DATES, _FEWEST = 30, 8

CLOCK_RULES = ("clock_ahead", "clock_alone")


def judge_clock(
    connection: duckdb.DuckDBPyConnection, record: RawSet, sifted: Mapping[TableName, Sifted]
) -> Iterator[Finding]:
    """Yield a structural finding if the build's clock would stand where the batch has no or hardly any rows."""
    counts: Counter[date] = Counter()
    newest = datetime.min
    for name in sifted:
        moment = exp.Cast(this=name_column("ingested_at"), to=exp.DataType(this=exp.DType.DATE))
        query = exp.select(exp.alias_(moment, "day"), exp.Count(this=exp.Star()), exp.Max(this=_ingested()))
        filled = exp.Not(this=exp.Is(this=_ingested(), expression=exp.Null()))
        finite = exp.Anonymous(this="isfinite", expressions=[_ingested()])
        query = query.from_(exp.to_identifier(name, quoted=True)).where(filled, finite).group_by(exp.column("day"))
        for day, count, latest in connection.execute(query.sql(dialect="duckdb")).fetchall():
            counts[day] += count
            newest = max(newest, latest)
    if counts and record.newest_ingested_at > newest + _GRACE:
        yield _report(
            "clock_ahead",
            f"newest_ingested_at is {record.newest_ingested_at}, the newest row is of {newest}. Write the newest "
            "ingested_at of all tables: the build answers as of that moment.",
        )
    yield from _find_lone_newest(counts)


def _find_lone_newest(counts: Mapping[date, int]) -> Iterator[Finding]:
    """A few rows far after all others move the clock of the whole build: their date is mistaken, or the rest is lost.

    Far is more than twice the widest gap between the dates before; a few is fewer than on any of those
    dates, or than a tenth of their median.
    """
    days = sorted(counts)
    *before, last = days[-_DATES - 1 :] if len(days) > _FEWEST else (date.min,)
    if not before:
        return
    gap = last - before[-1]
    widest = max(later - earlier for earlier, later in pairwise(before))
    usual = [counts[day] for day in before]
    if gap > 2 * widest and counts[last] < max(min(usual), median(usual) / 10):
        yield _report(
            "clock_alone",
            f"{counts[last]:,} rows were ingested on {last}, {gap.days} days after all others; the widest gap in the "
            f"{len(before)} dates before is {widest.days}. Mend their ingested_at and {RECORD_NAME}, or add what is "
            "missing between: the build would answer as of that day.",
        )


def _ingested() -> exp.Column:
    return name_column("ingested_at")


def _report(rule: str, text: str) -> Finding:
    return Finding("", "ingested_at", rule, row_count=None, is_structural=True, text=f"{RECORD_NAME}: {text}")
