"""The words after a metric, and the top, worked by hand over the small world drawn in conftest.py."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gnomon import Engine
from gnomon.core.errors import QueryError
from tests.soundness.test_totals import rows

WEEKS = {"start": "2026-01-12", "end": "2026-01-18"}


def by_first(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(found, key=lambda row: str(row[0]))


def test_the_period_before_is_the_one_before_at_the_finest_time_asked_for(engine: Engine) -> None:
    """160 in the week of the 5th, 40 in that of the 12th, 7 in that of the 26th."""
    found = rows(
        engine, "views", "views__previous", "views__change", "views__growth", group_by=["metric_time__week"],
    )  # fmt: skip
    assert by_first(found) == [
        (date(2026, 1, 5), 160, None, None, None),
        (date(2026, 1, 12), 40, 160, -120, -0.75),
        (date(2026, 1, 19), None, 40, None, None),
        (date(2026, 1, 26), 7, None, None, None),
        (date(2026, 2, 2), None, 7, None, None),
    ]


def test_a_rate_before_is_the_rate_of_that_period(engine: Engine) -> None:
    """1 of 3 in the week of the 5th, 1 of 2 in that of the 12th."""
    found = rows(engine, "bad_rate", "bad_rate__previous", "bad_rate__change", group_by=["metric_time__week"], **WEEKS)
    assert found == [(date(2026, 1, 12), 0.5, 1 / 3, 0.5 - 1 / 3)]


def test_a_word_may_go_back_by_a_longer_period(engine: Engine) -> None:
    """The 6th of February looks at the 6th of January, on which there were 60."""
    found = rows(engine, "views__previous_month", group_by=["metric_time__day"], start="2026-02-06", end="2026-02-06")
    assert found == [(date(2026, 2, 6), 60)]


def test_without_a_time_the_range_before_is_as_long_as_the_one_asked_for(engine: Engine) -> None:
    """In the seven days of the 12th: bo 40. In the seven before: ana 150, bo 10."""
    found = rows(engine, "views", "views__previous", "views__change", "views__growth", group_by=["creator"], **WEEKS)
    assert by_first(found) == [("ana", None, 150, None, None), ("bo", 40, 10, 30, 3.0), ("cy", None, None, None, None)]
    assert rows(engine, "bad_rate__previous", **WEEKS) == [(1 / 3,)]


def test_a_semi_additive_metric_before_is_at_the_last_day_of_that_range(engine: Engine) -> None:
    """On the 6th, the last day of the seven before the 12th, bo violates and ana does not."""
    assert rows(engine, "violating_creators__previous", "active_creators__previous", **WEEKS) == [(1, 2)]


def test_a_share_is_of_all_groups_whatever_rows_are_shown(engine: Engine) -> None:
    found = rows(engine, "views", "views__share", group_by=["creator__tier"])
    assert by_first(found) == [(None, 7, 7 / 207), ("gold", 150, 150 / 207), ("new", 50, 50 / 207)]
    first = rows(engine, "views__share", group_by=["creator__tier"], order_by=["-views__share"], limit=1)
    assert first == [("gold", 150 / 207)]


def test_a_share_is_of_the_total_of_its_own_time(engine: Engine) -> None:
    found = rows(engine, "views__share", "views__total", group_by=["metric_time__week", "creator"])
    assert (date(2026, 1, 5), "ana", 150 / 160, 160) in found
    assert (date(2026, 1, 12), "bo", 1.0, 40) in found


def test_a_total_counts_again_what_cannot_be_added_up(engine: Engine) -> None:
    """Three creators post, two of them in each of the weeks; the rate of all is 3 of 6."""
    found = rows(engine, "posting_creators", "posting_creators__total", "bad_rate__total", group_by=["post__kind"])
    assert by_first(found) == [(None, 0, 3, 0.5), ("live", 2, 3, 0.5), ("video", 2, 3, 0.5)]


def test_a_total_is_over_the_rows_that_pass_the_filters(engine: Engine) -> None:
    where = ["{{ Dimension('post__kind') }} = 'video'"]
    found = rows(engine, "views__share", group_by=["creator"], where=where)
    assert by_first(found) == [("ana", 150 / 190), ("bo", 40 / 190)]


def test_a_total_below_the_smallest_number_of_units_is_null(engine: Engine) -> None:
    """guarded_views asks for two posts: there are six in all, and one of cy's."""
    assert ("cy", None, 207) in rows(engine, "guarded_views", "guarded_views__total", group_by=["creator"])


def test_the_others_are_computed_from_their_rows(engine: Engine) -> None:
    """Beside ana: bo 10 and 40, cy none, nobody 7; two creators, a mean of 19, 2 of 4 bad, at most 40."""
    found = rows(
        engine, "views", "posting_creators", "mean_views", "bad_rate", "most_views", group_by=["creator"], top=1,
    )  # fmt: skip
    assert found == [("ana", False, 150, 1, 75.0, 0.5, 100), (None, True, 57, 2, 19.0, 0.5, 40)]


def test_a_null_group_of_the_top_is_not_the_others(engine: Engine) -> None:
    found = rows(engine, "posts", group_by=["creator"], top=2, order_by=["posts"])
    assert sorted(found, key=str) == [("cy", False, 1), (None, False, 1), (None, True, 4)]


def test_the_top_is_ranked_over_the_whole_time_range(engine: Engine) -> None:
    found = rows(engine, "views", group_by=["metric_time__week", "creator"], top=1, order_by=["metric_time__week"])
    assert found == [
        (date(2026, 1, 5), "ana", False, 150),
        (date(2026, 1, 5), None, True, 10),
        (date(2026, 1, 12), None, True, 40),
        (date(2026, 1, 26), None, True, 7),
    ]


def test_the_top_goes_with_every_other_word(engine: Engine) -> None:
    found = rows(engine, "views", "views__previous", "views__share", group_by=["creator"], top=1, **WEEKS)
    assert found == [("bo", False, 40, 10, 1.0), (None, True, None, 150, None)]


def test_a_semi_additive_metric_of_the_others_is_at_its_last_day(engine: Engine) -> None:
    """On the 12th bo violates and ana does not."""
    assert rows(engine, "violating_creators", group_by=["creator"], top=1) == [("bo", False, 1), (None, True, 0)]


def test_as_many_groups_as_there_are_leave_no_others(engine: Engine) -> None:
    found = rows(engine, "posts", group_by=["creator"], top=4)
    assert len(found) == 4
    assert not any(row[1] for row in found)


REFUSED = [
    ({"metrics": ["views__prevous"]}, "unknown word after a metric 'prevous'. Did you mean 'previous'"),
    ({"metrics": ["views__share_week"]}, "unknown word after a metric"),
    ({"metrics": ["views__previous_wek"]}, "unknown grain 'wek'. Did you mean 'week'"),
    ({"metrics": ["views__previous"]}, "there is no time range"),
    ({"metrics": ["views__previous"], "start": "2026-01-05"}, "needs both a start and an end"),
    ({"metrics": ["views__previous_year"], **WEEKS}, "Add metric_time"),
    ({"metrics": ["views__previous_month"], "group_by": ["metric_time__week"]}, "not a number of whole periods"),
    ({"metrics": ["views__previous"], "group_by": ["metric_time__extract_month"]}, "parts of time only"),
    (
        {
            "metrics": ["views__previous"],
            "where": ["{{ TimeDimension('metric_time', 'day') }} > '2026-01-01'"],
            **WEEKS,
        },
        "a filter speaks of time too",
    ),
    ({"metrics": ["bad_rate__share"], "group_by": ["creator"]}, "not an amount"),
    ({"metrics": ["mean_views__share"], "group_by": ["creator"]}, "not an amount"),
    ({"metrics": ["views_per_post__share"], "group_by": ["creator"]}, "not an amount"),
    ({"metrics": ["views"], "group_by": ["metric_time__day"], "top": 3}, "groups that are not times"),
    ({"metrics": ["views"], "group_by": ["creator"], "top": -1}, "not a number of rows"),
    ({"group_by": ["creator"], "top": 2}, "ranked by a metric"),
    ({"metrics": ["views__change"], "start": "0001-01-03", "end": "2026-01-01"}, "before the first year"),
]


@pytest.mark.parametrize(("question", "reason"), REFUSED)
def test_what_has_no_meaning_is_refused(engine: Engine, question: dict[str, Any], reason: str) -> None:
    with pytest.raises(QueryError, match=reason):
        engine.query(**question)
