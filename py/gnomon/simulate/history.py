"""The two years before the event log: totals by day and region, so that every season is seen twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from gnomon.core.contract import read_contract
from gnomon.core.names import TableName
from gnomon.simulate.outbox import Outbox
from gnomon.simulate.rows import write_moments, write_words
from gnomon.simulate.seasons import HISTORY_DAYS, lift_demand, lift_orders
from gnomon.simulate.world import CURRENCIES, DAY, HOUR, REGIONS, UNITS_PER_DOLLAR, Floats, World, weigh_weekday
from gnomon.simulate.writing import PartWriter

_TABLE = "daily_totals"
# The platform grew: on the first day of the history it had this share of its size at the start.
_FIRST_SIZE = 0.42

# One level per region and total: the mean of the days after the first two weeks. Each query gives
# region, moment; the events of viewers count for the viewer's region.
_COUNTED = {
    "impression_count": "select accounts.region, e.occurred_at from engagement as e "
    "join accounts on accounts.account_id = e.viewer_id where e.event_type = 'impression'",
    "view_count": "select accounts.region, e.occurred_at from engagement as e "
    "join accounts on accounts.account_id = e.viewer_id where e.event_type = 'view'",
    "post_count": "select accounts.region, c.occurred_at from content as c "
    "join accounts on accounts.account_id = c.creator_id",
    "active_creator_count": "select accounts.region, c.occurred_at from (select distinct creator_id, "
    "occurred_at::date as occurred_at from content) as c join accounts on accounts.account_id = c.creator_id",
    "registration_count": "select region, occurred_at from accounts",
    "sign_up_attempt_count": "select region, occurred_at from account_events where event_type = 'sign_up_attempt'",
    "sign_up_block_count": "select region, occurred_at from account_events where event_type = 'sign_up_blocked'",
    "order_count": "select region, occurred_at from orders",
    "complaint_count": "select orders.region, q.occurred_at from complaints as q join orders using (order_id)",
    "violation_count": "select accounts.region, v.occurred_at from violations as v "
    "join accounts on accounts.account_id = v.creator_id",
    "enforcement_count": "select accounts.region, x.occurred_at from enforcements as x "
    "join accounts on accounts.account_id = x.creator_id",
    "user_report_count": "select accounts.region, u.occurred_at from user_reports as u "
    "join accounts on accounts.account_id = u.reporter_id",
}
_COUNT = (
    "select region, count(*) from counted where occurred_at >= $begins_at and occurred_at < $ends_at group by region"
)
# A line is in the currency of its product, which may come from another region than the order.
_GMV = (
    "select orders.region, sum(i.price_amount * i.quantity * own.units / line.units) from order_items as i "
    "join orders using (order_id) join currencies as own using (region) "
    "join currencies as line on line.currency = i.currency "
    "where orders.occurred_at >= $begins_at and orders.occurred_at < $ends_at group by orders.region"
)
_READ = (
    *("accounts", "account_events", "engagement", "content", "orders", "order_items"),
    *("complaints", "violations", "enforcements", "user_reports"),
)
_FOLLOWS_ORDERS = ("order_count", "gmv_amount", "complaint_count")
_WARM_UP = 14


def write_totals(world: World, folder: Path) -> None:
    """Write daily_totals: the levels of the event log in `folder`, carried back with seasons, growth and noise.

    A world of fewer than three weeks has its levels from all of its days.
    """
    levels = _measure_levels(world, folder)
    start = date(1970, 1, 1) + timedelta(seconds=world.start)
    days = [start - timedelta(HISTORY_DAYS - number) for number in range(HISTORY_DAYS)]
    size = _FIRST_SIZE + (1 - _FIRST_SIZE) / (1 + np.exp(-(np.arange(HISTORY_DAYS) - 300) / 120.0))
    size = size / size[-1]
    demand = np.stack([lift_demand(day) for day in days]) * _list_weekdays(world)[:, None] * size[:, None]
    bought = demand * np.stack([lift_orders(day) for day in days])
    rng = world.draw_stream("history")
    columns = {}
    for name, level in levels.items():
        expected = (bought if name in _FOLLOWS_ORDERS else demand) * level
        expected = expected * np.exp(_draw_wander(rng, 0.03))
        if name == "gmv_amount":
            columns[name] = np.round(expected * np.exp(0.02 * rng.standard_normal(expected.shape)), 2).reshape(-1)
        else:
            columns[name] = rng.poisson(expected).reshape(-1)
    moments = world.start - DAY * np.arange(HISTORY_DAYS, 0, -1)
    occurred = np.repeat(moments, len(REGIONS))
    region = np.tile(np.arange(len(REGIONS)), HISTORY_DAYS)
    outbox = Outbox()
    outbox.post(
        rng,
        _TABLE,
        {
            "region": write_words(REGIONS, region),
            "currency": write_words(CURRENCIES, region),
            **columns,
            "occurred_at": write_moments(occurred),
            # A day's totals are closed the next morning.
            "ingested_at": write_moments(occurred + DAY + 6 * HOUR),
        },
    )
    writer = PartWriter(folder)
    writer.add(outbox.collect(world.start + DAY))
    writer.close(with_empty=False)


def _list_weekdays(world: World) -> Floats:
    return np.array([weigh_weekday(world.day(number - HISTORY_DAYS)) for number in range(HISTORY_DAYS)])


def _draw_wander(rng: np.random.Generator, spread: float) -> Floats:
    """Return a slow wander by day and region, in logs: AR(1) with a memory of weeks."""
    shocks = rng.standard_normal((HISTORY_DAYS, len(REGIONS))) * spread
    wander = np.zeros_like(shocks)
    for number in range(1, HISTORY_DAYS):
        wander[number] = 0.93 * wander[number - 1] + shocks[number]
    return wander


def _measure_levels(world: World, folder: Path) -> dict[str, Floats]:
    """Return the mean per day of every total by region, with weekdays and campaigns divided out."""
    first = _WARM_UP if world.scale.days >= 3 * _WARM_UP // 2 else 0
    days = range(first, min(world.scale.days, first + 28))
    begins, ends = world.day(days[0]).begins_at, world.day(days[-1]).ends_at
    demand = np.mean([lift_demand(world.day(n).date) * weigh_weekday(world.day(n)) for n in days], axis=0)
    bought = np.mean(
        [lift_demand(world.day(n).date) * lift_orders(world.day(n).date) * weigh_weekday(world.day(n)) for n in days],
        axis=0,
    )
    span = {"begins_at": _show(begins), "ends_at": _show(ends)}
    levels = {}
    with duckdb.connect() as database:
        _open_tables(database, folder)
        for name, sql in _COUNTED.items():
            database.sql(sql).create_view("counted", replace=True)
            levels[name] = _place(dict(database.execute(_COUNT, span).fetchall()), len(days))
        database.register(
            "currencies", pa.table({"region": REGIONS, "currency": CURRENCIES, "units": UNITS_PER_DOLLAR})
        )
        levels["gmv_amount"] = _place(dict(database.execute(_GMV, span).fetchall()), len(days))
    return {name: level / (bought if name in _FOLLOWS_ORDERS else demand) for name, level in levels.items()}


def _open_tables(database: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make a view of each raw table that is read, every fact once.

    Acts that were delivered twice stay: they are two in a thousand, and finding them costs more than they matter.
    """
    for name in _READ:
        rows = database.read_parquet(str(folder / name / "*.parquet"))
        if name == "engagement":
            rows.create_view(name)
            continue
        rows.create_view(f"raw_{name}")
        (key, *_) = read_contract().tables[TableName(name)].key
        database.execute(f"create view {name} as select distinct on ({key}) * from raw_{name}")  # noqa: S608


def _place(found: dict[str, float], days: int) -> Floats:
    return np.array([float(found.get(region, 0.0)) for region in REGIONS]) / days


def _show(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC).replace(tzinfo=None)
