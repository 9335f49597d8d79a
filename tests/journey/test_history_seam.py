"""Where the totals of before meet the event log of the sample, an order is worth about as much on both sides."""

from __future__ import annotations

import duckdb
import pytest

from tests.journey.conftest import Built

# In US dollars by region: the last four weeks of the totals, and the whole of the log.
WORTH = """
    with before as (
        select region, sum(gmv_amount) / sum(order_count) as worth from fct_daily_totals
        where total_date > (select max(total_date) from fct_daily_totals) - 28 group by region
    ),

    after as (
        select orders.region, sum(items.gmv_usd_amount) / count(distinct order_id) as worth
        from fct_order_items as items inner join fct_orders as orders using (order_id) group by orders.region
    )

    select region, before.worth, after.worth from before inner join after using (region)
"""


def test_an_order_is_worth_as_much_before_the_log_as_in_it(built_sample: Built) -> None:
    """Regions sell to each other in their own currencies, some of which count in ten thousands to the dollar."""
    with duckdb.connect(str(built_sample.database), read_only=True) as connection:
        rows = connection.execute(WORTH).fetchall()
    assert len(rows) == 8
    for region, before, after in rows:
        assert float(before) == pytest.approx(float(after), rel=0.5), region
