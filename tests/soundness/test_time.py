"""Windows, shifts, spines and conversions over the small world, worked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from gnomon import Engine
from gnomon.core.errors import QueryError
from tests.manifests import conversion, cumulative, derived, simple, write_manifest
from tests.soundness import conftest as small

DAY, MONTH = {"count": 1, "granularity": "day"}, {"count": 1, "granularity": "month"}
EVERY_DAY = simple("posts_every_day", "posts")
EVERY_DAY["type_params"]["measure"] |= {"join_to_timespine": True, "fill_nulls_with": 0}
METRICS = [
    *small.METRICS,
    EVERY_DAY,
    cumulative("posts_7d", "posts", window={"count": 7, "granularity": "day"}),
    cumulative("creators_7d", "posting_creators", window={"count": 7, "granularity": "day"}),
    cumulative("posts_1m", "posts", window=MONTH),
    cumulative("posts_to_date", "posts", grain_to_date="month"),
    cumulative("posts_ever", "posts", period_agg="last"),
    cumulative("posts_ever_first", "posts"),
    derived("views_yesterday", "y", [{"name": "views", "alias": "y", "offset_window": DAY}]),
    derived("views_a_month_ago", "m", [{"name": "views", "alias": "m", "offset_window": MONTH}]),
    derived("views_at_start", "s", [{"name": "views", "alias": "s", "offset_to_grain": "month"}]),
    derived("rate_yesterday", "bad_rate", [{"name": "bad_rate", "offset_window": DAY}]),
    derived("bad_or_none", "coalesce(bad_posts, 0)", ["bad_posts"]),
    conversion("bad_after_post", "posts", "bad_posts", "creator", calculation="conversions", window=DAY),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("time")
    with duckdb.connect(str(folder / "small.duckdb")) as connection:
        connection.execute(small.WORLD)
    opened = Engine.from_manifest(write_manifest(folder / "m.json", small.MODELS, METRICS), folder / "small.duckdb")
    yield opened
    opened.close()


def ask(engine: Engine, metric: str, group_by: str = "metric_time__day", **more: Any) -> dict[Any, Any]:
    rows = engine.query([metric], [group_by], **more).to_arrow().to_pylist()
    return {_as_date(row[group_by]): row[metric] for row in rows}


def _as_date(value: Any) -> Any:
    return value.date() if hasattr(value, "date") else value


def days(first: date, last: date, value: Any) -> dict[date, Any]:
    return {first + timedelta(days=place): value for place in range((last - first).days + 1)}


JAN, FEB = date(2026, 1, 1), date(2026, 2, 1)


def test_a_window_counts_days_without_posts_and_ends_where_none_is_left(engine: Engine) -> None:
    assert ask(engine, "posts_7d") == {
        date(2026, 1, 5): 1,
        **days(date(2026, 1, 6), date(2026, 1, 11), 3),
        date(2026, 1, 12): 4,
        **days(date(2026, 1, 13), date(2026, 1, 18), 2),
        **days(FEB, date(2026, 2, 7), 1),
    }


def test_distinct_creators_of_a_window_are_counted_once(engine: Engine) -> None:
    found = ask(engine, "creators_7d", start="2026-01-05", end="2026-01-13")
    assert found == {
        date(2026, 1, 5): 1,
        **days(date(2026, 1, 6), date(2026, 1, 11), 2),
        date(2026, 1, 12): 3,  # ana and bo of the 6th, bo and cy of the 12th
        date(2026, 1, 13): 2,
    }


def test_a_month_back_ends_at_the_same_day_of_the_month_before(engine: Engine) -> None:
    found = ask(engine, "posts_1m")
    assert found[date(2026, 2, 5)] == 1 + 4  # the 5th of January is out, the 6th and the 12th are in
    assert found[date(2026, 2, 28)] == 1
    assert date(2026, 3, 1) not in found


def test_a_month_to_date_begins_anew(engine: Engine) -> None:
    assert ask(engine, "posts_to_date") == {
        date(2026, 1, 5): 1,
        **days(date(2026, 1, 6), date(2026, 1, 11), 3),
        **days(date(2026, 1, 12), date(2026, 1, 31), 5),
        **days(FEB, date(2026, 2, 28), 1),
    }


def test_all_time_by_month_is_the_last_or_the_first_day_of_it(engine: Engine) -> None:
    assert ask(engine, "posts_ever", "metric_time__month", end="2026-02-28") == {JAN: 5, FEB: 6}
    assert ask(engine, "posts_ever_first", "metric_time__month", end="2026-02-28") == {JAN: 1, FEB: 6}
    assert engine.query(["posts_ever"]).to_arrow().to_pylist() == [{"posts_ever": 6}]


def test_a_filter_on_time_holds_for_the_day_that_is_shown(engine: Engine) -> None:
    where = ["{{ TimeDimension('metric_time', 'day') }} = '2026-01-10'"]
    assert ask(engine, "posts_7d", where=where) == {date(2026, 1, 10): 3}
    assert ask(engine, "views_yesterday", where=where) == {}


def test_a_shift_shows_the_day_before(engine: Engine) -> None:
    assert ask(engine, "views_yesterday") == {
        date(2026, 1, 6): 100, date(2026, 1, 7): 60, date(2026, 1, 13): 40, date(2026, 2, 2): 7,
    }  # fmt: skip
    assert ask(engine, "views_a_month_ago", "metric_time__month") == {FEB: 200, date(2026, 3, 1): 7}
    assert ask(engine, "views_at_start") == days(FEB, date(2026, 2, 28), 7)


def test_a_ratio_is_shifted_as_a_whole(engine: Engine) -> None:
    found = ask(engine, "rate_yesterday")
    assert found == {date(2026, 1, 6): 1, date(2026, 1, 7): 0, date(2026, 1, 13): 0.5, date(2026, 2, 2): 1}


def test_a_spine_adds_days_without_posts(engine: Engine) -> None:
    found = ask(engine, "posts_every_day", start="2026-01-04", end="2026-01-07")
    assert found == {date(2026, 1, 4): 0, date(2026, 1, 5): 1, date(2026, 1, 6): 2, date(2026, 1, 7): 0}


def test_a_formula_says_nothing_where_none_of_its_inputs_has_a_row(engine: Engine) -> None:
    """views_yesterday has rows on days without posts: there a coalesce over posts must not become 0."""
    rows = engine.query(["bad_or_none", "views_yesterday"], ["metric_time__day"]).to_arrow().to_pylist()
    found = {_as_date(row["metric_time__day"]): row["bad_or_none"] for row in rows}
    assert found[date(2026, 1, 6)] == 0
    assert found[date(2026, 1, 13)] is None


def test_a_conversion_counts_for_the_latest_base_act_within_its_window(engine: Engine) -> None:
    """Each post follows itself; cy's is not known to be bad, and nobody's has no entity to be found by."""
    assert ask(engine, "bad_after_post", "creator") == {"ana": 1, "bo": 1, "cy": 0, None: None}


def test_a_filter_on_a_metric_keeps_the_rows_of_the_entities_that_pass(engine: Engine) -> None:
    where = ["{{ Metric('views', group_by=['creator']) }} > 60"]
    assert ask(engine, "posts", "creator", where=where) == {"ana": 2}


def test_values_are_listed_without_a_metric(engine: Engine) -> None:
    rows = engine.query(group_by=["creator__tier"], order_by=["creator__tier"]).to_arrow().to_pylist()
    assert rows == [{"creator__tier": "gold"}, {"creator__tier": "new"}]
    extremes = engine.query(group_by=["creator__joined"], takes_extremes=True).to_arrow().to_pylist()
    assert [_as_date(value) for value in extremes[0].values()] == [date(2025, 11, 30), date(2025, 12, 31)]
    assert list(extremes[0]) == ["creator__joined__day__min", "creator__joined__day__max"]


def test_weeks_that_lie_in_two_months_are_joined_by_both(engine: Engine) -> None:
    """The week of 29 December 2025 has days of two years; each keeps its own posts, and none is counted in both."""
    rows = engine.query(["posts_every_day"], ["metric_time__week", "metric_time__month"]).to_arrow().to_pylist()
    keys = [(row["metric_time__week"], row["metric_time__month"]) for row in rows]
    assert len(keys) == len(set(keys))
    assert sum(row["posts_every_day"] for row in rows) == 6


def test_a_shift_by_times_that_do_not_follow_from_one_is_taken_row_by_row_or_refused(engine: Engine) -> None:
    both = ["metric_time__week", "metric_time__month"]
    rows = engine.query(["views_a_month_ago"], both).to_arrow().to_pylist()
    assert sum(row["views_a_month_ago"] for row in rows) == 207
    with pytest.raises(QueryError, match="is asked by one time"):
        engine.query(["rate_yesterday"], both)


def test_nulls_are_not_different_from_a_month_that_begins_otherwise(engine: Engine) -> None:
    """cy and nobody have no row among the creators: what is unknown is not unequal."""
    month = "{{ TimeDimension('creator__joined', 'month') }}"
    for words in (f"{month} <> '2025-11-15'", f"not ({month} = '2025-11-15')"):
        assert ask(engine, "posts", "creator", where=[words]) == {"ana": 2, "bo": 2}
