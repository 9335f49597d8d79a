"""A batch is judged by the batches before it, and by nothing else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from gnomon.core.errors import WarehouseError
from gnomon.core.raw_set import RawSet
from gnomon.ingest import Decision, validate
from gnomon.ingest.expectations import HistoryRule
from gnomon.ingest.history import (
    FILE_NAME,
    BatchProfile,
    HistoryReport,
    TableProfile,
    append_history,
    compare,
    read_history,
)
from tests.contract.tiny_set import write_tiny_set

RULE = HistoryRule(weeks=8, minimum=4, width=5, settled_after_days=1)
START = date(2026, 3, 2)  # a Monday
DAY = timedelta(days=1)


def batch(
    days: Sequence[int], name: str = "", *, lag_hours: float = 1, missing: float = 0.1, source: str = "test"
) -> BatchProfile:
    """A raw set with so many rows on each day from START on; the last of them is settled."""
    newest = datetime(2026, 3, 2) + DAY * (len(days) + RULE.settled_after_days)
    table = TableProfile(
        row_count=max(sum(days), 1),
        newest_ingested_at=newest - timedelta(hours=lag_hours),
        days={START + DAY * number: count for number, count in enumerate(days) if count},
        null_shares={"region": missing},
    )
    return BatchProfile(name or f"set-{len(days)}", source, newest, RULE.settled_after_days, {"orders": table})


def steady(days: int) -> list[int]:
    """100 rows on a working day, 200 on Saturday and Sunday."""
    return [200 if number % 7 >= 5 else 100 for number in range(days)]


def judge(days: Sequence[int], earlier: Sequence[BatchProfile], **options: float) -> HistoryReport:
    return compare(batch(days, "judged", **options), earlier, RULE)  # type: ignore[arg-type]


SIX_WEEKS = [batch(steady(42))]
FOUR_BATCHES = [batch(steady(42 + number)) for number in range(4)]


def test_without_history_nothing_is_judged() -> None:
    report = judge(steady(43), [])
    assert (report.findings, report.judged) == ((), 0)
    assert report.unjudged > 0


def test_a_batch_whose_clock_is_refused_is_not_judged_day_by_day_up_to_that_clock(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_tiny_set(project / "data" / "sample", tmp_path / "raw")
    replace(RawSet.read(folder), newest_ingested_at=datetime(9999, 12, 31, 23, 59, 59)).write(folder)

    def judge_no_day(*_: object) -> None:
        raise AssertionError("judged by history")

    monkeypatch.setattr(sys.modules[validate.__module__], "compare", judge_no_day)
    verdict = validate(folder, dry_run=True, second_reader=lambda *_: {})
    assert verdict.decision is Decision.REFUSED
    assert "null shares: not judged, since the clock of the batch is refused." in verdict.render()


def test_three_days_before_are_too_few_and_four_are_enough() -> None:
    assert judge([*steady(21), 9000], [batch(steady(21))]).judged == 0
    assert len(judge([*steady(28), 9000], [batch(steady(28))]).findings) == 1


# The baseline of day 42, a Monday, is six Mondays of 100: no spread but that of counting, 10.
# So 50 to 150 is usual.
@pytest.mark.parametrize(
    ("count", "is_found"), [(100, False), (50, False), (49, True), (150, False), (151, True), (0, True)]
)
def test_a_drop_or_a_spike_outside_the_band_is_a_finding_with_numbers(count: int, is_found: bool) -> None:
    findings = judge([*steady(42), count], SIX_WEEKS).findings
    assert bool(findings) is is_found
    if findings:
        assert f"{count} rows on 2026-04-13 (Monday)" in findings[0].text
        assert "median of 100, and 50.0 to 150.0 is usual" in findings[0].text


def test_a_weekend_is_judged_by_weekends() -> None:
    assert judge([*steady(47), 200], [batch(steady(47))]).findings == ()
    assert len(judge([*steady(47), 100], [batch(steady(47))]).findings) == 1


def test_a_feed_that_stopped_and_days_that_vanished_count_zero() -> None:
    stopped = judge([*steady(42), 0, 0], SIX_WEEKS).findings
    assert [finding.rule for finding in stopped] == ["volume", "volume"]
    vanished = judge([*steady(35), *[0] * 7], SIX_WEEKS).findings
    assert len(vanished) == 7


def test_a_batch_is_not_its_own_baseline_nor_are_later_ones() -> None:
    odd = batch([*steady(42), 9000], "judged")
    assert compare(odd, [*SIX_WEEKS, odd], RULE).findings == compare(odd, SIX_WEEKS, RULE).findings != ()
    assert compare(batch(steady(42), "judged"), [batch([5] * 60)], RULE).earlier_batches == 0


def test_a_raw_set_that_grows_is_judged_by_what_it_was(tmp_path: Path) -> None:
    """The daily run hands in one raw set again and again, each time with more rows."""
    for days in range(42, 46):
        append_history(tmp_path, batch(steady(days), "grown"))
    past = read_history(tmp_path, "test", RULE.settled_after_days)
    assert len(past) == 4
    report = compare(batch([*steady(45), 9000], "grown", lag_hours=99, missing=0.9), past, RULE)
    assert report.earlier_batches == 4
    assert [finding.rule for finding in report.findings] == ["volume", "freshness", "null_share"]
    assert compare(batch(steady(46), "grown"), past, RULE).findings == ()


def test_one_odd_week_in_history_does_not_widen_the_band() -> None:
    history = [batch([9000 if number == 14 else count for number, count in enumerate(steady(42))])]
    assert len(judge([*steady(42), 300], history).findings) == 1


# Lags of an hour, batches a day apart: a table may be one usual interval behind, 25 hours.
@pytest.mark.parametrize(("lag", "is_found"), [(1, False), (25, False), (26, True)])
def test_a_table_that_lies_further_behind_than_usual_is_stale(lag: float, is_found: bool) -> None:
    findings = judge(steady(46), FOUR_BATCHES, lag_hours=lag).findings
    assert [finding.rule for finding in findings] == (["freshness"] if is_found else [])


@pytest.mark.parametrize(("share", "is_found"), [(0.1, False), (0.11, False), (0.5, True), (0.0, True)])
def test_a_share_of_nulls_outside_its_band_is_a_finding(share: float, is_found: bool) -> None:
    findings = judge(steady(46), FOUR_BATCHES, missing=share).findings
    assert [(finding.column, finding.rule) for finding in findings] == ([("region", "null_share")] if is_found else [])


def test_history_is_appended_and_read_back_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "history"
    first, second = batch(steady(7)), batch(steady(14))
    append_history(folder, second)
    before = (folder / FILE_NAME).read_bytes()
    append_history(folder, first)
    append_history(folder, batch(steady(21), source="another"))
    assert (folder / FILE_NAME).read_bytes().startswith(before)
    assert read_history(folder, "test", 1) == (first, second)
    assert read_history(folder, "test", 2) == (), "days counted at another age are no baseline"
    again = batch(steady(7), first.raw_set_id, missing=0.4)
    append_history(folder, again)
    assert read_history(folder, "test", 1) == (again, second)


def test_a_broken_line_of_history_is_named(tmp_path: Path) -> None:
    append_history(tmp_path, batch(steady(7)))
    with (tmp_path / FILE_NAME).open("a", encoding="utf-8") as file:
        file.write("{}\n")
    with pytest.raises(WarehouseError, match=r"accepted\.jsonl:2: not a line of history"):
        read_history(tmp_path, "test", 1)
