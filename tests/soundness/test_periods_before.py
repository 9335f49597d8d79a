"""The period before, where periods lie at the ends of months, beyond the time spine, or nowhere; worked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gnomon.planner import Planner, Question
from gnomon.planner.choose_rollups import list_rollups, write_rollup
from gnomon.semantic import read_manifest
from gnomon.warehouse import Warehouse
from tests.manifests import derived, measure, ratio, semantic_model, simple, write_manifest

# Sales of 2026, and one of no day. The spine has January and February, and no day of March.
#   31 Dec   4      28 Jan   2      31 Jan   5      28 Feb   10     1 Mar    1     31 Mar   20     (no day)   100
WORLD = """
create table sales as select * from (values
    (1, date '2025-12-31', 4), (2, date '2026-01-28', 2), (3, date '2026-01-31', 5), (4, date '2026-02-28', 10),
    (5, date '2026-03-01', 1), (6, date '2026-03-31', 20), (7, null, 100)
) as t(sale_id, sold_on, amount);
create table days as
    select cast(d as date) as date_day from range(date '2025-12-01', date '2026-03-01', interval 1 day) t(d);
"""
LAST = {"name": "sold_on", "window_choice": "max", "window_groupings": []}
MONTH = {"count": 1, "granularity": "month"}
SALES = semantic_model(
    "sales",
    entities={"sale": ("primary", "sale_id")},
    dimensions={"sold_on": "day"},
    measures=[
        measure("amount", "sum"),
        measure("sales", "count", "sale_id"),
        measure("last_amount", "sum", "amount", non_additive_dimension=LAST),
    ],
    time="sold_on",
)
METRICS = [
    *map(simple, ("amount", "sales", "last_amount")),
    ratio("mean_amount", "amount", "sales"),
    derived("defined_before", "before", [{"name": "amount", "alias": "before", "offset_window": MONTH}]),
]
Ask = Any


@pytest.fixture(params=["the table", "a rollup by day"])
def ask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ask]:
    rollup = {"name": "sales_daily", "grain": "day"}
    model = {**SALES, "config": {"meta": {"rollups": [rollup]}}}
    manifest = read_manifest(write_manifest(tmp_path / "m.json", [model], METRICS))
    planner = Planner(manifest, {"sales_daily": 7} if request.param == "a rollup by day" else {})
    with duckdb.connect(str(tmp_path / "small.duckdb")) as connection:
        connection.execute(WORLD)
        for of, each in list_rollups(planner.compiled):
            made = write_rollup(planner.compiled, of, each).sql("duckdb")
            connection.execute(f"attach ':memory:' as other; create table {each.relation} as {made}")
    warehouse = Warehouse.attach(tmp_path / "small.duckdb", "small")

    def ask(*metrics: str, by: str = "month", **said: Any) -> list[tuple[Any, ...]]:
        chosen = planner.plan(Question(metrics, (f"metric_time__{by}",), applies_floors=False, **said))
        found = [tuple(row.values()) for row in warehouse.query(chosen.sql).to_pylist()]
        return sorted(
            ((day.strftime("%m-%d") if day else None, *values) for day, *values in found), key=lambda row: str(row[0])
        )

    yield ask
    warehouse.close()


def test_the_month_before_is_whole_though_it_has_more_days(ask: Ask) -> None:
    """Of February: 2 and 5 of January, though the 31st has no day a month later."""
    february = {"start": datetime(2026, 2, 1), "end": datetime(2026, 2, 28)}
    assert ask("amount", "amount__previous", **february) == [("02-01", 10, 7)]
    march = {"start": datetime(2026, 3, 1), "end": datetime(2026, 3, 31)}
    assert ask("amount", "amount__previous", "mean_amount__previous", **march) == [("03-01", 21, 10, 10.0)]


def test_a_period_that_the_time_spine_does_not_have_has_one_before(ask: Ask) -> None:
    """Nothing of the hundred that were sold on no day: it has no period before, and is before none."""
    assert ask("amount", "amount__previous") == [
        ("01-01", 7, 4), ("02-01", 10, 7), ("03-01", 21, 10), ("04-01", None, 21), ("12-01", 4, None),
        (None, 100, None),
    ]  # fmt: skip


def test_days_a_week_apart_are_bounded_a_week_apart(ask: Ask) -> None:
    """The 7th of February looks at the 31st of January, the 4th at the 28th; the 7th of March is out of range."""
    february = {"start": datetime(2026, 2, 1), "end": datetime(2026, 2, 28)}
    assert ask("amount__previous_week", by="day", **february) == [("02-04", 2), ("02-07", 5), ("02-28", None)]


def test_a_filter_on_time_is_about_the_period_that_is_shown(ask: Ask) -> None:
    shown = "{{ TimeDimension('metric_time', 'month') }} = '2026-03-01'"
    assert ask("amount", "amount__previous", where=(shown,)) == [("03-01", 21, 10)]
    year = "{{ TimeDimension('metric_time', 'year') }} = '2026-01-01'"
    assert ask("amount__previous", where=(year,)) == [("01-01", 4), ("02-01", 7), ("03-01", 10), ("04-01", 21)]


def test_the_last_day_of_the_period_before_is_looked_for_in_that_period(ask: Ask) -> None:
    """The last day of January, not of the days up to its 28th."""
    february = {"start": datetime(2026, 2, 1), "end": datetime(2026, 2, 28)}
    assert ask("last_amount__previous", **february) == [("02-01", 5)]


def test_a_month_after_a_day_is_a_day_of_the_spine(ask: Ask) -> None:
    """A month before 28 February is 28 January, and no day is a month after the 31st."""
    found = ask("amount__previous_month", by="day")
    assert [row for row in found if row[1] is not None] == [("01-31", 4), ("02-28", 2)]


def test_an_offset_of_the_definitions_keeps_to_the_time_spine_as_metricflow_does(ask: Ask) -> None:
    assert ask("defined_before") == [("01-01", 4), ("02-01", 7)]
