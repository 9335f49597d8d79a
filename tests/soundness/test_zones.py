"""Days of a time zone, from moments in UTC, worked by hand around two nights on which clocks change.

Berlin is 1 hour ahead of UTC, and 2 from 2026-03-29 01:00 UTC to 2026-10-25 01:00 UTC. Jakarta is 7 ahead.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from gnomon import Engine
from gnomon.core.errors import QueryError
from tests.manifests import cumulative, derived, measure, semantic_model, simple, write_manifest

MOMENTS = [
    "2026-03-28 22:30:00",  # Berlin 28 Mar 23:30, Jakarta 29 Mar 05:30
    "2026-03-28 23:00:00",  # Berlin 29 Mar 00:00, Jakarta 29 Mar 06:00
    "2026-03-29 00:59:59",  # Berlin 29 Mar 01:59, the last second of winter
    "2026-03-29 01:00:00",  # Berlin 29 Mar 03:00
    "2026-03-29 21:59:59",  # Berlin 29 Mar 23:59: the day has 23 hours
    "2026-03-29 22:00:00",  # Berlin 30 Mar 00:00
    "2026-10-25 00:30:00",  # Berlin 25 Oct 02:30, in summer
    "2026-10-25 01:30:00",  # Berlin 25 Oct 02:30 again, in winter
    "2026-10-25 22:59:59",  # Berlin 25 Oct 23:59: the day has 25 hours
]
WORLD = f"""
create table acts as select row_number() over () as act_id, m::timestamp as acted_at, date_trunc('hour', m::timestamp)
    as acted_hour, m::date as acted_on, 'ana' as actor_id from (values {", ".join(f"('{m}')" for m in MOMENTS)}) t(m);
create table days as select date '2025-12-31' + n::integer as date_day from range(400) t(n);
create table hours as select timestamp '2026-03-01' + to_hours(n) as date_hour from range(6000) t(n);
"""
ACTS = semantic_model(
    "acts",
    entities={"act": ("primary", "act_id"), "actor": ("foreign", "actor_id")},
    dimensions={"acted_at": "second", "acted_hour": "hour", "acted_on": "day"},
    measures=[
        measure("acts", "count", "act_id"),
        measure("acts_by_hour", "count", "act_id", agg_time_dimension="acted_hour"),
        measure("acts_by_day", "count", "act_id", agg_time_dimension="acted_on"),
        measure("actors_by_hour", "count_distinct", "actor_id", agg_time_dimension="acted_hour"),
    ],
    time="acted_at",
)
METRICS = [
    simple("acts"),
    simple("acts_by_hour"),
    simple("acts_by_day"),
    cumulative("acts_2d", "acts_by_hour", window={"count": 2, "granularity": "day"}, period_agg="last"),
    cumulative("actors_2d", "actors_by_hour", window={"count": 2, "granularity": "day"}, period_agg="last"),
    derived(
        "yesterday", "y", [{"name": "acts", "alias": "y", "offset_window": {"count": 1, "granularity": "day"}}]
    ),
    simple("late_acts", "acts", where="{{ TimeDimension('act__acted_at', 'day') }} > '2026-10-01'"),
]  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("zones")
    with duckdb.connect(str(folder / "small.duckdb")) as connection:
        connection.execute(WORLD)
    manifest = write_manifest(folder / "m.json", [ACTS], METRICS, spines=("day", "hour"))
    opened = Engine.from_manifest(manifest, folder / "small.duckdb")
    yield opened
    opened.close()


def ask(engine: Engine, metric: str, grain: str = "day", zone: str | None = "Europe/Berlin", **more: Any) -> list[Any]:
    name = f"metric_time__{grain}"
    result = engine.query([metric], [name], order_by=[name], time_zone=zone, **more)
    return [(f"{row[name]:%m-%d %H}", row[metric]) for row in result.to_arrow().to_pylist()]


def test_a_day_is_a_day_of_the_zone_with_23_or_25_hours(engine: Engine) -> None:
    assert ask(engine, "acts", zone=None) == [("03-28 00", 2), ("03-29 00", 4), ("10-25 00", 3)]
    assert ask(engine, "acts") == [("03-28 00", 1), ("03-29 00", 4), ("03-30 00", 1), ("10-25 00", 3)]
    assert ask(engine, "acts", zone="Asia/Jakarta") == [
        ("03-29 00", 4),
        ("03-30 00", 2),
        ("10-25 00", 2),
        ("10-26 00", 1),
    ]


def test_the_hour_that_clocks_show_twice_is_one(engine: Engine) -> None:
    found = ask(engine, "acts", "hour", start="2026-10-25", end="2026-10-25")
    assert found == [("10-25 02", 2), ("10-25 23", 1)]


def test_bounds_are_of_the_zone(engine: Engine) -> None:
    """29 March in Berlin begins at 23:00 UTC on the 28th and ends at 22:00 UTC."""
    day = {"start": "2026-03-29", "end": "2026-03-29"}
    assert ask(engine, "acts", **day) == [("03-29 00", 4)]
    aware = {"start": datetime(2026, 3, 28, 23, tzinfo=UTC), "end": datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC)}
    assert ask(engine, "acts", "second", **aware) == ask(engine, "acts", "second", **day)


def test_filters_are_of_the_zone(engine: Engine) -> None:
    where = ["{{ TimeDimension('act__acted_at', 'day') }} = '2026-03-30'"]
    assert ask(engine, "acts", where=where) == [("03-30 00", 1)]


def test_windows_and_shifts_go_by_days_of_the_zone(engine: Engine) -> None:
    april = {"start": "2026-03-28", "end": "2026-04-02"}
    window = [("03-28 00", 1), ("03-29 00", 5), ("03-30 00", 5), ("03-31 00", 1)]
    assert ask(engine, "acts_2d", **april) == window
    assert ask(engine, "actors_2d", **april) == [(day, 1) for day, _ in window]
    shifted = [("03-29 00", 1), ("03-30 00", 4), ("03-31 00", 1)]
    assert ask(engine, "yesterday", **april) == shifted
    assert [row for row in ask(engine, "acts__previous", **april) if row[1]] == shifted


def test_an_answer_says_its_zone(engine: Engine) -> None:
    assert "times are those of Asia/Jakarta" in engine.query(["acts"], time_zone="Asia/Jakarta").provenance.notes


def test_hours_kept_in_utc_make_days_where_the_zone_is_whole_hours_away(engine: Engine) -> None:
    assert ask(engine, "acts_by_hour") == ask(engine, "acts")


REFUSED = [
    ("acts_by_hour", "Asia/Kolkata", "not always whole hours away"),
    ("acts_by_day", "Europe/Berlin", "kept by day in UTC"),
    ("acts", "Europe/Berlim", "unknown time zone 'Europe/Berlim'. Did you mean 'Europe/Berlin'"),
    ("late_acts", "Europe/Berlin", "defined by 'act__acted_at__day' in UTC"),
]


@pytest.mark.parametrize(("metric", "zone", "reason"), REFUSED)
def test_what_the_zone_cannot_say_is_refused(engine: Engine, metric: str, zone: str, reason: str) -> None:
    with pytest.raises(QueryError, match=reason):
        engine.query([metric], ["metric_time__day"], time_zone=zone)


def test_values_without_a_metric_are_listed_in_utc(engine: Engine) -> None:
    with pytest.raises(QueryError, match="listed in UTC"):
        engine.query(group_by=["act__acted_at__day"], time_zone="Europe/Berlin")
