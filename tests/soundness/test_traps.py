"""The traps of joins, calendars and numbers, each with its total by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gnomon import Engine
from gnomon.core.errors import QueryError
from gnomon.planner import Compiled, Planner, Question
from gnomon.planner.choose_rollups import list_rollups, write_rollup
from gnomon.semantic import read_manifest
from tests.manifests import cumulative, derived, measure, ratio, semantic_model, simple, write_manifest

# orders:  id buyer day     amount   refunds: of order 1, 1 Feb 5 · of order 1, 2 Feb 6 · of order 3, 3 Mar 1
#          1  ann   31 Jan     100            of no order, 3 Mar 2
#          2  ann   28 Feb      10   visits:  ann 1 Feb · ann 2 Feb · ann 3 Feb · cat 1 Feb
#          3  bob   31 Jan       1   members: ann of x · ann of y · bob of x (a bridge)
#          4  bob    1 Mar    1000   history: ann new from 1 Feb to 1 Mar, gold from 1 Mar on; nothing of bob
#          5  NULL  31 Jan       7   big:     two rows of 2^63 - 1 on 31 Jan, one of 1 on 1 Feb
WORLD = """
create table orders as select * from (values
    (1, 'ann', date '2026-01-31', 100), (2, 'ann', date '2026-02-28', 10), (3, 'bob', date '2026-01-31', 1),
    (4, 'bob', date '2026-03-01', 1000), (5, null, date '2026-01-31', 7)
) as t(order_id, buyer_id, d, amount);
create table refunds as select * from (values
    (1, 1, date '2026-02-01', 5), (2, 1, date '2026-02-02', 6), (3, 3, date '2026-03-03', 1),
    (4, null, date '2026-03-03', 2)
) as t(refund_id, order_id, d, refunded);
create table visits as select * from (values
    ('ann', date '2026-02-01'), ('ann', date '2026-02-02'), ('ann', date '2026-02-03'), ('cat', date '2026-02-01')
) as t(buyer_id, d);
create table members as select * from (values ('ann', 'x'), ('ann', 'y'), ('bob', 'x')) as t(buyer_id, club);
create table buyers as select * from (values ('ann', 'ID'), ('bob', 'TH'), ('cat', 'TH')) as t(buyer_id, region);
create table history as select * from (values
    ('ann', 'new', date '2026-02-01', date '2026-03-01'), ('ann', 'gold', date '2026-03-01', null)
) as t(buyer_id, tier, valid_from, valid_to);
create table big as select * from (values
    (1, date '2026-01-31', 9223372036854775807), (2, date '2026-01-31', 9223372036854775807), (3, date '2026-02-01', 1)
) as t(big_id, d, cents);
create table huge as select i as huge_id, date '2026-01-31' as d,
    cast('99999999999999999999999999999999999999' as decimal(38, 0)) as units from range(2) as t(i);
create table days as
    select cast(d as date) as date_day from range(date '2026-01-01', date '2026-12-31', interval 1 day) t(d);
"""
BUYER, MONTH = ("foreign", "buyer_id"), {"count": 1, "granularity": "month"}
HISTORY = semantic_model("history", entities={"buyer": ("natural", "buyer_id")}, dimensions={"tier": None})
for name, edge in (("valid_from", "is_start"), ("valid_to", "is_end")):
    edges = {"is_start": False, "is_end": False, edge: True}
    params = {"time_granularity": "day", "validity_params": edges}
    HISTORY["dimensions"].append({"name": name, "type": "time", "type_params": params})


def fact(name: str, key: str, *measures: dict[str, Any], **entities: tuple[str, str]) -> dict[str, Any]:
    own = {key: ("primary", f"{key}_id")} if key else {}
    return semantic_model(
        name,
        entities={**own, **entities},
        dimensions={"d": "day"},
        measures=measures,
        time="d",
        primary_entity=None if key else f"{name}_row",
    )


MODELS = [
    fact("orders", "order", measure("amount", "sum"), measure("orders", "count", "order_id"),
         measure("buyers", "count_distinct", "buyer_id"),
         measure("judged", "count", "amount > 0 and buyer_id = 'ann'"), buyer=BUYER),
    fact("refunds", "refund", measure("refunded", "sum"), order=("foreign", "order_id")),
    fact("visits", "", measure("visits", "sum", "1"), buyer=BUYER),
    semantic_model("members", entities={"buyer": BUYER}, dimensions={"club": None}, primary_entity="membership"),
    semantic_model("buyers", entities={"buyer": ("primary", "buyer_id")}, dimensions={"region": None}),
    HISTORY,
    fact("big", "big", measure("cents", "sum"), measure("mean_cents", "average", "cents"),
         measure("bigs", "count", "big_id"), measure("half_cents", "sum", "cents // 2 + 1")),
    fact("huge", "huge", measure("units", "sum"), measure("hugest", "max", "units")),
]  # fmt: skip
MODELS[6]["config"] = {"meta": {"rollups": [{"name": "big_daily", "grain": "day"}]}}
MODELS[7]["config"] = {"meta": {"rollups": [{"name": "huge_monthly", "grain": "month", "measures": ["hugest"]}]}}
METRICS = [
    *(simple(each) for each in ("amount", "orders", "buyers", "refunded", "visits", "cents", "mean_cents", "bigs")),
    *(simple(each) for each in ("half_cents", "judged", "units", "hugest")),
    ratio("refund_rate", "refunded", "amount"),
    ratio("amount_per_visit", "amount", "visits"),
    cumulative("amount_1m", "amount", window=MONTH),
    cumulative("buyers_1m", "buyers", window=MONTH),
    cumulative("buyers_to_date", "buyers", grain_to_date="month"),
    cumulative("buyers_ever", "buyers"),
    cumulative("cents_ever", "cents"),
    derived("amount_a_month_ago", "m", [{"name": "amount", "alias": "m", "offset_window": MONTH}]),
    derived("bigs_times_much", "bigs * 9223372036854775807", ["bigs"]),
    derived("cents_cubed", "cents * cents * cents", ["cents"]),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("traps")
    with duckdb.connect(str(folder / "small.duckdb")) as connection:
        connection.execute(WORLD)
    return write_manifest(folder / "m.json", MODELS, METRICS), folder / "small.duckdb"


@pytest.fixture(scope="module")
def engine(world: tuple[Path, Path]) -> Iterator[Engine]:
    opened = Engine.from_manifest(*world)
    yield opened
    opened.close()


def ask(engine: Engine, metrics: list[str], *by: str, **more: Any) -> set[tuple[Any, ...]]:
    rows = engine.query(metrics, by, **more).to_arrow().to_pylist()
    return {tuple(v.date() if hasattr(v, "date") else v for v in row.values()) for row in rows}


def by_day(engine: Engine, metric: str, *days: date) -> list[Any]:
    found = dict(ask(engine, [metric], "metric_time__day"))
    return [found.get(day) for day in days]


JAN_31, FEB_27, FEB_28, MAR_1 = date(2026, 1, 31), date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)


def test_a_fan_of_refunds_does_not_repeat_their_order(engine: Engine) -> None:
    """Order 1 has two refunds: 100 + 10 of ann stay 110, and her 5 + 6 are 11; 14 of 1118 in all."""
    found = ask(engine, ["amount", "refunded"], "order__buyer")
    assert found == {("ann", 110, 11), ("bob", 1001, 1), (None, 7, 2)}
    assert ask(engine, ["amount", "refunded", "refund_rate"]) == {(1118, 14, 14 / 1118)}


def test_a_fan_is_not_gone_down(engine: Engine) -> None:
    with pytest.raises(QueryError, match="cannot be grouped or filtered by 'refund__d'"):
        engine.query(["amount"], ["refund__d__day"])


def test_a_chasm_of_two_facts_does_not_multiply_their_rows(engine: Engine) -> None:
    """ann: two orders and three visits are 110 and 3, not six rows; cat visits and buys nothing."""
    found = ask(engine, ["amount", "orders", "visits", "amount_per_visit"], "buyer")
    assert found == {("ann", 110, 2, 3, 110 / 3), ("bob", 1001, 2, None, None), ("cat", None, None, 1, None),
                     (None, 7, 1, None, None)}  # fmt: skip
    by_region = ask(engine, ["amount", "visits"], "buyer__region")
    assert by_region == {("ID", 110, 3), ("TH", 1001, 1), (None, 7, None)}


def test_a_bridge_is_not_joined_through(engine: Engine) -> None:
    """ann is of two clubs: by club her 110 would count twice."""
    with pytest.raises(QueryError, match=r"cannot be grouped or filtered by '\w+__club'"):
        engine.query(["amount"], ["membership__club"])
    with pytest.raises(QueryError, match="does not name one row of 'members'"):
        engine.query(["amount"], ["buyer__club"])


def test_a_version_that_begins_late_leaves_earlier_rows_without_one(engine: Engine) -> None:
    """Nothing is known of ann in January, nor of bob or nobody ever: 100 + 1 + 1000 + 7; the whole stays 1118."""
    assert ask(engine, ["amount"], "buyer__tier") == {("new", 10), (None, 1108)}
    assert ask(engine, ["visits"], "buyer__tier") == {("new", 3), (None, 1)}


def test_a_version_ends_where_the_next_one_begins(engine: Engine) -> None:
    """On 1 March ann is gold and no longer new; she neither buys nor visits then, so she is nowhere twice."""
    ever = ask(engine, ["buyers_ever"], "metric_time__day", "buyer__tier", start="2026-02-28", end="2026-03-01")
    assert ever == {(FEB_28, "new", 1), (FEB_28, None, 1), (MAR_1, "gold", 1), (MAR_1, None, 1)}


def test_a_month_back_from_its_end_is_the_end_of_a_shorter_month(engine: Engine) -> None:
    """From the 28th to the 31st of March a month back is 28 February; no day of February goes back to 31 January."""
    found = dict(ask(engine, ["amount_a_month_ago"], "metric_time__day"))
    assert found == {**{date(2026, 3, day): 10 for day in (28, 29, 30, 31)}, date(2026, 4, 1): 1000}
    by_month = dict(ask(engine, ["amount_a_month_ago"], "metric_time__month"))
    assert by_month == {date(2026, 2, 1): 108, MAR_1: 10, date(2026, 4, 1): 1000}


def test_a_window_of_a_month_is_as_long_as_the_month(engine: Engine) -> None:
    """A month before 28 February is 28 January, so the 31st is in; a month before 1 March is 1 February."""
    assert by_day(engine, "amount_1m", JAN_31, FEB_27, FEB_28, MAR_1) == [108, 108, 118, 1010]
    assert by_day(engine, "amount_1m", date(2026, 3, 27), date(2026, 3, 28)) == [1010, 1000]


def test_distinct_buyers_of_a_window_are_those_whose_latest_order_is_in_it(engine: Engine) -> None:
    """Nobody is counted: on 31 January ann and bob; on 28 March ann's 28 February is out and bob's 1 March is in."""
    assert by_day(engine, "buyers_1m", JAN_31, FEB_27, FEB_28, MAR_1) == [2, 2, 2, 2]
    assert by_day(engine, "buyers_1m", date(2026, 3, 27), date(2026, 3, 28), date(2026, 4, 1)) == [2, 1, None]
    assert by_day(engine, "buyers_to_date", JAN_31, FEB_27, FEB_28, MAR_1) == [2, None, 1, 1]
    assert by_day(engine, "buyers_ever", JAN_31, MAR_1) == [2, 2]


def test_a_window_with_rows_of_nobody_alone_has_a_row_and_no_buyers(engine: Engine) -> None:
    where = ["{{ Entity('buyer') }} is null"]
    assert ask(engine, ["buyers_1m"], "metric_time__day", start="2026-01-31", end="2026-01-31", where=where) == {
        (JAN_31, 0)
    }


def test_distinct_buyers_of_a_window_are_counted_in_each_group(engine: Engine) -> None:
    found = ask(engine, ["buyers_1m", "amount_1m"], "metric_time__day", "buyer__region", start=FEB_28, end=FEB_28)
    assert found == {(FEB_28, "ID", 1, 110), (FEB_28, "TH", 1, 1), (FEB_28, None, 0, 7)}


def test_what_is_counted_may_be_a_condition(engine: Engine) -> None:
    """Of order 5 it is not known whether it is ann's: 4 of 5 are judged, whatever the answer was."""
    assert ask(engine, ["judged"]) == {(4,)}


LARGE = 2 * (2**63 - 1)


def test_a_sum_beyond_64_bits_is_right(engine: Engine) -> None:
    """2 * (2^63 - 1) is 18446744073709551614: neither -2 nor a float near it."""
    assert ask(engine, ["cents"]) == {(LARGE + 1,)}
    assert ask(engine, ["cents"], "metric_time__month") == {(date(2026, 1, 1), LARGE), (date(2026, 2, 1), 1)}
    assert by_day(engine, "cents_ever", JAN_31, date(2026, 2, 1)) == [LARGE, LARGE + 1]
    assert ask(engine, ["cents", "half_cents"], "big") == {(1, 2**63 - 1, 2**62), (2, 2**63 - 1, 2**62), (3, 1, 1)}
    assert ask(engine, ["mean_cents"], "metric_time__month") == {(date(2026, 1, 1), 2.0**63), (date(2026, 2, 1), 1.0)}


@pytest.mark.parametrize("metric", ["cents_cubed", "units"])
def test_a_number_that_no_type_holds_is_refused(engine: Engine, metric: str) -> None:
    with pytest.raises(QueryError, match="does not fit the data"):
        engine.query([metric])


def test_a_product_beyond_64_bits_is_right(engine: Engine) -> None:
    assert ask(engine, ["bigs_times_much"]) == {(3 * (2**63 - 1),)}
    by_month = ask(engine, ["bigs_times_much"], "metric_time__month")
    assert by_month == {(date(2026, 1, 1), LARGE), (date(2026, 2, 1), 2**63 - 1)}


def test_a_rollup_holds_sums_beyond_64_bits(world: tuple[Path, Path]) -> None:
    manifest = read_manifest(world[0])
    compiled = Compiled(manifest)
    with duckdb.connect(":memory:") as connection:
        connection.execute("attach ':memory:' as small; use small")
        connection.execute(WORLD)
        for model, rollup in list_rollups(compiled):
            sql = write_rollup(compiled, model, rollup).sql("duckdb")
            connection.execute(f"create table {rollup.relation} as {sql}")
        plan = Planner(manifest, {"big_daily": 2}).plan(Question(("cents", "mean_cents")))
        assert plan.rollups == ("big_daily",)
        assert connection.execute(plan.sql).fetchall() == [(LARGE + 1, pytest.approx((LARGE + 1) / 3))]
