"""Totals worked by hand over the small world drawn in conftest.py: no number is silently wrong."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gnomon import Engine
from gnomon.core.errors import QueryError


def rows(engine: Engine, *metrics: str, **question: Any) -> list[tuple[Any, ...]]:
    table = engine.query(metrics, **question).to_arrow()
    found = [tuple(row.values()) for row in table.to_pylist()]
    return [tuple(v.date() if hasattr(v, "date") else v for v in row) for row in found]


def test_ratio_is_not_averaged_across_groups(engine: Engine) -> None:
    """ana 1 of 2, bo 1 of 2, cy 0 of 1, nobody 1 of 1: 3 of 6, not the mean of four rates."""
    assert rows(engine, "bad_rate") == [(0.5,)]
    by_creator = dict(rows(engine, "bad_rate", group_by=["creator"]))
    assert by_creator == {"ana": 0.5, "bo": 0.5, "cy": 0.0, None: 1.0}


def test_a_join_never_multiplies_rows(engine: Engine) -> None:
    """100 + 50 of gold, 10 + 40 of new, 7 of a creator without a row: 207 either way."""
    assert rows(engine, "views") == [(207,)]
    by_tier = dict(rows(engine, "views", group_by=["creator__tier"]))
    assert by_tier == {"gold": 150, "new": 50, None: 7}
    assert sum(by_tier.values()) == 207


def test_null_keys_of_two_tables_meet_in_one_row(engine: Engine) -> None:
    """cy and the post of nobody have no tier; states has none such: one null row, not two."""
    found = rows(engine, "posts", "violating_creators", "video_posts", group_by=["creator__tier"])
    assert sorted(found, key=str) == sorted([("gold", 2, 0, 2), ("new", 2, 1, 1), (None, 2, None, None)], key=str)


def test_a_filter_that_no_row_of_a_group_passes_gives_null_not_zero(engine: Engine) -> None:
    """cy posted live only, and nobody's post has no kind: no video creators, rather than none of some."""
    found = rows(engine, "posting_creators", "video_creators", "video_posts", group_by=["creator"])
    assert sorted(found, key=str) == sorted(
        [("ana", 1, 1, 2), ("bo", 1, 1, 1), ("cy", 1, None, None), (None, 0, None, None)], key=str
    )
    nowhere = ["{{ Dimension('post__kind') }} = 'none'"]
    assert rows(engine, "posting_creators", "video_creators", where=nowhere) == [(0, 0)]


def test_semi_additive_takes_the_last_day_not_the_sum(engine: Engine) -> None:
    """On the last day, 12 Jan: bo violates, ana does not: 1 of 2. A sum over days would say 3."""
    assert rows(engine, "violating_creators", "active_creators", "creator_violation_rate") == [(1, 2, 0.5)]


def test_semi_additive_takes_the_last_day_of_each_week(engine: Engine) -> None:
    """Week of 5 Jan: its last day is the 6th, ana 0, bo 1. Week of 12 Jan: the 12th, ana 0, bo 1."""
    found = rows(engine, "violating_creators", "active_creators", group_by=["metric_time__week"])
    assert sorted(found) == [(date(2026, 1, 5), 1, 2), (date(2026, 1, 12), 1, 2)]


def test_semi_additive_first_day_of_each_entity(engine: Engine) -> None:
    """First day of ana: the 5th, 1. First day of bo: the 6th, 1."""
    assert rows(engine, "first_violating") == [(2,)]


def test_a_filter_comes_before_the_semi_additive_day(engine: Engine) -> None:
    """Up to the 6th, the last day is the 6th: bo violates, ana does not."""
    assert rows(engine, "violating_creators", end="2026-01-06") == [(1,)]
    assert rows(engine, "violating_creators", end="2026-01-05") == [(1,)]
    assert rows(engine, "active_creators", end="2026-01-05") == [(1,)]


def test_a_ratio_over_nothing_is_null_not_zero(engine: Engine) -> None:
    assert rows(engine, "bad_rate", where=["{{ Dimension('post__kind') }} = 'image'"]) == [(None,)]


def test_weeks_and_months_begin_where_they_should(engine: Engine) -> None:
    """1 Feb 2026 is a Sunday: its week began on Monday 26 January, its month on the first."""
    weeks = dict(rows(engine, "posts", group_by=["metric_time__week"]))
    assert weeks == {date(2026, 1, 5): 3, date(2026, 1, 12): 2, date(2026, 1, 26): 1}
    months = dict(rows(engine, "posts", group_by=["metric_time__month"]))
    assert months == {date(2026, 1, 1): 5, date(2026, 2, 1): 1}


def test_a_time_range_never_cuts_a_period_in_two(engine: Engine) -> None:
    """Asked by week from Tuesday the 6th: Monday's post still counts in its week."""
    found = dict(rows(engine, "posts", group_by=["metric_time__week"], start="2026-01-06", end="2026-01-06"))
    assert found == {date(2026, 1, 5): 3}


def test_the_last_second_of_the_end_day_is_in(engine: Engine) -> None:
    hours = rows(engine, "posts", group_by=["post__posted_at__hour"], start="2026-01-12", end="2026-01-12")
    assert len(hours) == 2


def test_distinct_creators_are_counted_once_over_weeks(engine: Engine) -> None:
    """bo posts in two weeks: 2 + 2 creators by week, 3 in all."""
    assert sorted(n for _, n in rows(engine, "posting_creators", group_by=["metric_time__week"])) == [0, 2, 2]
    assert rows(engine, "posting_creators") == [(3,)]


def test_two_filters_of_one_measure_do_not_mix(engine: Engine) -> None:
    assert rows(engine, "views", "gold_views", "gap") == [(207, 150, 57)]


def test_nulls_are_last_both_ways(engine: Engine) -> None:
    up = [row[0] for row in rows(engine, "views", group_by=["creator__tier"], order_by=["creator__tier"])]
    down = [row[0] for row in rows(engine, "views", group_by=["creator__tier"], order_by=["-creator__tier"])]
    assert up == ["gold", "new", None]
    assert down == ["new", "gold", None]


def test_too_few_units_give_null_with_the_reason(engine: Engine) -> None:
    """guarded_views wants two posts: nobody's one post and cy's one post are not enough."""
    result = engine.query(["guarded_views"], group_by=["creator"], order_by=["creator"])
    assert result.to_arrow().to_pydict() == {
        "creator": ["ana", "bo", "cy", None],
        "guarded_views": [150, 50, None, None],
    }
    assert result.units["guarded_views"].to_pylist() == [2, 2, 1, 1]
    assert result.provenance.nulls == {"guarded_views": "2 of 4 values stand on fewer than 2 posts"}


def test_nulls_are_filled_only_where_the_definition_says(engine: Engine) -> None:
    """Bad videos: one of ana, one of bo, none of the others."""
    found = {row[0]: row[1:] for row in rows(engine, "views", "filled_bad_posts", "filled_rate", group_by=["creator"])}
    assert found == {"ana": (150, 1, 1 / 150), "bo": (50, 1, 1 / 50), "cy": (None, 0, None), None: (7, 0, 0.0)}


def test_a_score_over_too_few_units_is_null_too(engine: Engine) -> None:
    result = engine.query(["guarded_score"], group_by=["creator"])
    found = dict(zip(*result.to_arrow().to_pydict().values(), strict=True))
    assert found == {"ana": 15000, "bo": 5000, "cy": None, None: None}
    assert result.provenance.nulls == {
        "guarded_score": "2 of 4 values have an input that is empty or stands on too few units"
    }


def test_counting_units_adds_no_rows(engine: Engine) -> None:
    """video_posts, which counts the units, has no row for live posts: they are null, not gone."""
    guarded = dict(rows(engine, "guarded_rate", group_by=["post__kind"]))
    assert guarded == {"video": 2 / 3, "live": None, None: None}


def test_a_condition_joined_by_or_cannot_widen_another(engine: Engine) -> None:
    where = ["{{ Dimension('creator__tier') }} = 'gold'", "{{ Dimension('post__kind') }} = 'x' or 1 = 1"]
    assert rows(engine, "views", where=where) == [(150,)]


@pytest.mark.parametrize("value", ["gold'; drop table posts; --", "gold' or '1'='1", "gold\\' or 1=1 --"])
def test_a_value_stays_a_value(engine: Engine, value: str) -> None:
    quoted = value.replace("'", "''")
    assert rows(engine, "posts", where=[f"{{{{ Dimension('creator__tier') }}}} = '{quoted}'"]) == [(None,)]
    assert rows(engine, "posts") == [(6,)]


def test_a_value_of_the_wrong_type_is_the_callers_error(engine: Engine) -> None:
    with pytest.raises(QueryError, match="does not fit the data"):
        engine.query(["posts"], where=["{{ TimeDimension('metric_time', 'day') }} > 'yesterday'"])
