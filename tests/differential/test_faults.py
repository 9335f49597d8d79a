"""MetricFlow's faults, each in its smallest case: its answer, the right one by hand, and ours.

A case that fails on MetricFlow's side is a fault that it has mended: ask about it again in the random questions.

orders:   1 ana 05 Jan 10 | 2 ana 15 Jan 20 | 3 bo 03 Feb 30     (ana is at home in ID, bo in TH)
listings: ana's is gold from 10 Jan on, before that it has no version; bo's is plain from 01 Jan on
clicks:   05 Jan 09:00 1 | 06 Jan 23:00 2
fortnights begin on Friday 05 Jan, 19 Jan, 02 Feb, …
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.differential.faults import LOST_ATTRIBUTES, find_fault
from tests.differential.metrics import cumulative, derived, ratio, simple, window
from tests.differential.models import category, entity, measure, model, moment
from tests.differential.ours import answer_ours
from tests.differential.questions import Asked
from tests.differential.shape import CATALOG
from tests.differential.theirs import answer_theirs
from tests.differential.worlds import write_as_dbt, write_spine
from tests.oracle import Oracle

TABLES = """
create table orders as select * from (values
    (1, 1, date '2024-01-05', 10), (2, 1, date '2024-01-15', 20), (3, 2, date '2024-02-03', 30)
) as t(order_id, user_id, order_date, amount);
create table users as select * from (values (1, 'ID', 1), (2, 'TH', 2)) as t(user_id, home, listing_id);
create table history as select * from (values
    (1, 'gold', date '2024-01-10', null::date), (2, 'plain', date '2024-01-01', null)
) as t(listing_id, tier, valid_from, valid_to);
create table clicks as select * from (values
    (1, timestamp '2024-01-05 09:00', 1), (2, timestamp '2024-01-06 23:00', 2)
) as t(click_id, clicked_at, clicked);
create table days as
    select cast(d as date) as date_day,
        date '2024-01-05' + 14 * cast(floor((cast(d as date) - date '2024-01-05') / 14) as integer) as fortnight
    from range(date '2024-01-01', date '2024-03-01', interval 1 day) as t(d);
"""
MODELS = [
    model(
        "orders",
        [entity("purchase", "primary", "order_id"), entity("shopper", "foreign", "user_id")],
        [moment("order_date", "day")],
        [measure("amount", "sum"), measure("orders", "sum", "1")],
        time="order_date",
    ),
    model(
        "users",
        [entity("shopper", "primary", "user_id"), entity("listing", "foreign", "listing_id")],
        [category("home")],
    ),
    model(
        "history",
        [entity("listing", "natural", "listing_id")],
        [category("tier"), moment("valid_from", "day", is_start=True), moment("valid_to", "day", is_end=True)],
        primary_entity="version",
    ),
    model(
        "clicks", [entity("click", "primary", "click_id")], [moment("clicked_at", "hour")], [measure("clicked", "sum")],
        time="clicked_at",
    ),
]  # fmt: skip
METRICS = [
    simple("amount", "amount"),
    simple("orders", "orders"),
    simple("clicks", "clicked"),
    ratio("mean", {"name": "amount"}, {"name": "orders"}),
    cumulative("total", {"name": "amount"}),
    derived("total_before", "past", [{"name": "total", "alias": "past", "offset_window": window("1 week")}]),
    derived("mean_before", "past", [{"name": "mean", "alias": "past", "offset_window": window("1 month")}]),
    derived(
        "amount_a_fortnight_before",
        "past",
        [{"name": "amount", "alias": "past", "offset_window": window("1 fortnight")}],
    ),
    derived("amount_before", "past", [{"name": "amount", "alias": "past", "offset_window": window("1 month")}]),
]
FEBRUARY = datetime(2024, 2, 1)
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Case:
    """A question, MetricFlow's answer to it, and the right one."""

    asked: Asked
    theirs: Rows
    right: Rows


LATE = "{{ TimeDimension('metric_time', 'day') }} >= '2024-01-06'"
CASES = {
    # 05 Jan: ana's listing has no version, and so MetricFlow does not know ana's home.
    "validity empties what is on the way": Case(
        Asked(("amount",), ("shopper__home", "shopper__listing__tier")),
        [(None, None, 10), ("ID", "gold", 20), ("TH", "plain", 30)],
        [("ID", None, 10), ("ID", "gold", 20), ("TH", "plain", 30)],
    ),
    # Each order once for every day from its own to 29 Feb: 56 · 10 + 46 · 20 and 27 · 30.
    "a running total filtered by a time that is not grouped": Case(
        Asked(("total",), ("shopper",), ("{{ TimeDimension('metric_time', 'day') }} is not null",)),
        [(1, 1480), (2, 810)],
        [(1, 30), (2, 30)],
    ),
    # Both orders of the first fortnight are shown on 19 Jan, of which the week began on the 15th. MetricFlow takes the
    # 19th itself for the week.
    "a shift by a grain of one's own filtered by another grain": Case(
        Asked(
            ("amount_a_fortnight_before",),
            ("metric_time__fortnight",),
            ("{{ TimeDimension('metric_time', 'week') }} < '2024-01-19'",),
        ),
        [],
        [(date(2024, 1, 19), 30)],
    ),
    # The total up to 15 Jan has the order of 5 Jan in it, as it has by metric_time.
    "a running total in a range by another name of its time": Case(
        Asked(("total",), ("purchase__order_date__day",), start=datetime(2024, 1, 15), end=datetime(2024, 1, 15)),
        [(date(2024, 1, 15), 20)],
        [(date(2024, 1, 15), 30)],
    ),
    # On 12 Jan the buyer's listing is gold, as it is by metric_time. MetricFlow takes the version of the order's day,
    # 05 Jan, on which there was none.
    "a running total by versions by another name of its time": Case(
        Asked(
            ("total",),
            ("purchase__order_date__day", "shopper__listing__tier"),
            ("{{ TimeDimension('purchase__order_date', 'day') }} = '2024-01-12'",),
        ),
        [(date(2024, 1, 12), None, 10)],
        [(date(2024, 1, 12), "gold", 10)],
    ),
    # The total of a week before 17 and 18 Jan; MetricFlow looks for it inside the range.
    "a shifted running total in a range": Case(
        Asked(("total_before",), ("metric_time__day",), start=datetime(2024, 1, 17), end=datetime(2024, 1, 18)),
        [],
        [(date(2024, 1, 17), 10), (date(2024, 1, 18), 10)],
    ),
    # Shifted by a month, 5 and 15 Jan are in February, after 6 Jan. MetricFlow drops 5 Jan: it compares before it
    # shifts, and of the days that are left it takes the one with the greatest mean.
    "a shifted ratio filtered by a time that is not grouped": Case(
        Asked(("mean_before",), ("metric_time__month",), (LATE,)),
        [(FEBRUARY, 20.0)],
        [(FEBRUARY, 15.0)],
    ),
    # The order of 15 Jan is of ana, its shifted day in February; MetricFlow compares the day before it is shifted,
    # but only because days are asked for: by month it would not.
    "a filter of a time and something else on a shifted metric": Case(
        Asked(
            ("amount_before",),
            ("metric_time__day",),
            ("{{ TimeDimension('metric_time', 'month') }} >= '2024-02-01' and {{ Entity('shopper') }} = 1",),
        ),
        [],
        [(date(2024, 2, 5), 10), (date(2024, 2, 15), 20)],
    ),
    # A range ends at the midnight that its last day begins with.
    "a range over hours asked by day": Case(
        Asked(("clicks",), ("metric_time__day",), start=datetime(2024, 1, 5), end=datetime(2024, 1, 6)),
        [(datetime(2024, 1, 5), 1)],
        [(datetime(2024, 1, 5), 1), (datetime(2024, 1, 6), 2)],
    ),
}


@dataclass(frozen=True)
class Small:
    """The tables and the manifest above, ready to be asked."""

    manifest: Path
    database: Path
    oracle: Oracle

    def run(self, sql: str) -> Rows:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return sorted(connection.execute(sql).fetchall(), key=str)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    folder = tmp_path_factory.mktemp("faults")
    with duckdb.connect(str(folder / f"{CATALOG}.duckdb")) as connection:
        connection.execute(TABLES)
    spines = {"time_spines": [write_spine("days", "day", {"fortnight": None})]}
    manifest = {"semantic_models": MODELS, "metrics": METRICS, "project_configuration": spines, "saved_queries": []}
    path = folder / "semantic_manifest.json"
    path.write_text(write_as_dbt(manifest), encoding="utf-8")
    return Small(path, folder / f"{CATALOG}.duckdb", Oracle.read(path))


@pytest.mark.parametrize("name", CASES)
def test_our_answer_is_right_where_metricflows_is_not(small: Small, name: str) -> None:
    case = CASES[name]
    assert small.run(answer_theirs(small.oracle, case.asked)) == sorted(case.theirs, key=str)
    assert small.run(answer_ours(small.manifest, case.asked)) == sorted(case.right, key=str)


def test_the_suite_sees_what_validity_empties(small: Small) -> None:
    by_both, by_one = (
        answer_theirs(small.oracle, Asked(("amount",), groups))
        for groups in (("shopper__home", "shopper__listing__tier"), ("shopper__listing__tier",))
    )
    assert find_fault(by_both) == LOST_ATTRIBUTES
    assert find_fault(by_one) is None


def test_duckdb_keeps_nulls_where_a_truncated_time_is_not_what_no_period_begins_with() -> None:
    """Why the random filters compare truncated times (<>) with starts of periods only."""
    with duckdb.connect() as connection:
        connection.execute("create table t as select * from (values (date '2024-02-03'), (null)) as t(d)")
        count = "select count(*) from t where date_trunc('month', d) <> date "
        assert connection.execute(f"{count} '2024-01-01'").fetchall() == [(1,)]
        assert connection.execute(f"{count} '2024-01-05'").fetchall() == [(2,)]
