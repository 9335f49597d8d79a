"""A small build that has one of each thing that a Cube model can or cannot say, and rows on which they differ.

orders    2,000 over 90 days, with hours; one in nine is of a buyer that `buyers` does not have, some have no note
buyers    40 in 5 cities, some without a nickname; what they were stands in `tiers`, by period
visits    1,000 of the same buyers, each to an order, most of them of somebody else
balances  a balance per buyer and day
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from tests.generations import RECORD
from tests.manifests import (
    Json,
    conversion,
    cumulative,
    derived,
    measure,
    ratio,
    semantic_model,
    simple,
    where_filter,
    write_manifest,
)

TABLES = """
create table orders as select
    'o' || i as order_id,
    'b' || i % 45 as buyer_id,
    timestamp '2026-01-01 00:30:00' + interval (i * 67 % 2160) hour as placed_at,
    case when i % 4 > 0 then date '2026-01-03' + cast(i * 67 % 2160 / 24 as integer) end as shipped_on,
    cast(i % 97 as decimal(18, 2)) / 4 as amount,
    i % 7 as quantity,
    i / 7.0 as weight,
    i % 7 > 2 as is_paid,
    case i % 5 when 0 then null when 1 then 'it''s "{{fine}}" \\ %d' else 'plain' end as note,
    case when i % 11 = 0 then null else i % 6 end as rating
from range(2000) t(i);
create table buyers as select
    'b' || i as buyer_id,
    's' || i % 5 as city_id,
    case i % 3 when 0 then 'ID' when 1 then 'US' end as region,
    case when i % 4 > 0 then 'n' || i % 2 end as nickname,
    date '2025-06-01' + cast(i as integer) as joined_on
from range(40) t(i);
create table cities as
    select 's' || i as city_id, case i % 2 when 0 then 'north' else 'south' end as side from range(4) t(i);
create table tiers as
    select 'b' || i as buyer_id, timestamp '2025-01-01' as since, timestamp '2026-02-01' as until, 'new' as tier
    from range(40) t(i)
    union all select 'b' || i, timestamp '2026-02-01', null, case i % 2 when 0 then 'gold' else 'new' end
    from range(38) t(i);
create table visits as select
    'v' || i as visit_id, 'b' || i % 45 as buyer_id, 'o' || i * 13 % 2100 as order_id,
    date '2026-01-01' + cast(i % 90 as integer) as visited_on
from range(1000) t(i);
create table balances as select
    'b' || i % 40 as buyer_id, date '2026-01-01' + cast(i // 40 as integer) as day, i % 13 as balance
from range(3600) t(i);
create table days as select cast(d as date) as date_day
    from range(date '2025-12-01', date '2026-06-01', interval 1 day) t(d);
"""


def _simple(name: str, of: str, **more: Any) -> Json:
    """A simple metric whose measure has more than a name, such as a fill."""
    metric = simple(name)
    metric["type_params"]["measure"] = {"name": of, **more}
    return metric


def _history() -> Json:
    model = semantic_model(
        "tiers", entities={"buyer": ("natural", "buyer_id")}, dimensions={"tier": None, "since": "day", "until": "day"}
    )
    for item in model["dimensions"]:
        if item["name"] in ("since", "until"):
            item["type_params"]["validity_params"] = {
                "is_start": item["name"] == "since", "is_end": item["name"] == "until",
            }  # fmt: skip
    return model


def _computed(model: Json, **exprs: str) -> Json:
    """Add attributes that are more than a column."""
    for name, expr in exprs.items():
        model["dimensions"].append({"name": name, "type": "categorical", "type_params": None, "expr": expr})
    return model


MODELS = [
    _computed(
        semantic_model(
            "orders",
            entities={"order": ("primary", "order_id"), "buyer": ("foreign", "buyer_id")},
            dimensions={"placed_at": "day", "note": None, "is_paid": None},
            measures=[
                measure("orders", "count", "order_id"),
                measure("rated", "count", "rating"),
                measure("paid", "sum_boolean", "is_paid"),
                measure("amount", "sum"),
                measure("weight", "sum"),
                measure("buyers", "count_distinct", "buyer_id"),
                measure("mean_rating", "average", "rating"),
                measure("least", "min", "amount"),
                measure("most", "max", "quantity"),
                measure("last_note", "max", "note"),
                measure("median_weight", "median", "weight"),
                measure("p90", "percentile", "weight", agg_params={"percentile": 0.9, "use_discrete_percentile": True}),
                measure("odd", "sum", "case when note like '%{{fine}}\" \\ %' then quantity else 0 end"),
            ],
            time="placed_at",
        ),
        size="case when quantity > 3 then 'big' else 'small' end",
        tags="[note]",
    ),
    semantic_model(
        "shipments",
        primary_entity="shipment",
        entities={"buyer": ("foreign", "buyer_id")},
        dimensions={"placed_at": "day", "shipped_on": "day", "is_paid": None},
        measures=[
            measure("shipped", "sum_boolean", "shipped_on is not null", agg_time_dimension="shipped_on"),
            measure("placed", "count", "order_id", agg_time_dimension="placed_at"),
        ],
        time="placed_at",
    ),
    _computed(
        semantic_model(
            "buyers",
            entities={"buyer": ("primary", "buyer_id"), "city": ("foreign", "city_id")},
            dimensions={"region": None, "joined_on": "day"},
        ),
        # Where the join finds no buyer, it is empty and not 'nobody'.
        nick="coalesce(nickname, 'nobody')",
    ),
    semantic_model("cities", entities={"city": ("primary", "city_id")}, dimensions={"side": None}),
    _history(),
    semantic_model(
        "visits",
        # The order that was looked at is seldom the visitor's own: two ways lead to buyers.
        entities={"visit": ("primary", "visit_id"), "buyer": ("foreign", "buyer_id"), "order": ("foreign", "order_id")},
        dimensions={"visited_on": "day"},
        measures=[measure("visits", "count", "visit_id")],
        time="visited_on",
    ),
    semantic_model(
        "balances",
        primary_entity="balance",
        entities={"buyer": ("foreign", "buyer_id")},
        dimensions={"day": "day"},
        measures=[
            measure("balance", "sum", non_additive_dimension={"name": "day", "window_choice": "max",
                                                              "window_groupings": []})
        ],
        time="day",
    ),
]  # fmt: skip
PAID = "{{ Dimension('order__is_paid') }} = true"
METRICS = [
    simple("orders", unit="count", owner="sales", certification="certified"),
    simple("rated"),
    simple("paid"),
    simple("amount", unit="usd"),
    simple("weight"),
    simple("buyers"),
    simple("mean_rating"),
    simple("least"),
    simple("most"),
    simple("last_note"),
    simple("median_weight"),
    simple("p90"),
    simple("odd"),
    simple("placed"),
    simple("shipped"),
    simple("visits", needs=["visits"]),
    simple("balance"),
    simple("paid_buyers", "buyers", where=PAID),
    simple("paid_median", "median_weight", where=PAID),
    simple("paid_mean", "mean_rating", where=PAID),
    simple("orders_of_indonesia", "orders", where="{{ Dimension('buyer__region') }} = 'ID'"),
    simple("orders_of_the_north", "orders", where="{{ Dimension('buyer__city__side') }} = 'north'"),
    simple("orders_of_others", "orders", where="{{ Dimension('buyer__region') }} <> 'ID'"),
    simple("orders_by_gold", "orders", where="{{ Dimension('buyer__tier') }} = 'gold'"),
    simple("january_orders", "orders", where="{{ TimeDimension('metric_time', 'month') }} = '2026-01-01'"),
    simple("orders_of_many", "orders", where="{{ Metric('orders', group_by=['buyer']) }} > 44"),
    _simple("filled_orders", "orders", fill_nulls_with=0,
            filter=where_filter("{{ Dimension('order__note') }} is null")),
    _simple("orders_every_day", "orders", join_to_timespine=True, fill_nulls_with=0),
    ratio("paid_share", "paid", "orders", units="orders", minimum_units=30, unit="rate", never_by=["order__is_paid"]),
    ratio("filled_share", "filled_orders", "orders_of_indonesia"),
    ratio("distinct_share", "paid_buyers", "buyers"),
    ratio("orders_per_visit", "orders", "visits"),
    ratio("shipped_share", "shipped", "placed"),
    derived("score", "case when paid_share is not null then 1 + 99 * paid_share end", ["paid_share"]),
    derived("mean_amount", "amount / nullif(orders, 0)", ["amount", "orders"]),
    derived("whole", "orders // 7 + most % 3", ["orders", "most"]),
    derived("before", "orders - earlier", ["orders", {"name": "orders", "alias": "earlier",
                                                      "offset_window": {"count": 7, "granularity": "day"}}]),
    derived("of_score", "score / 2", ["score"]),
    derived("of_before", "before / 2", ["before"]),
    derived("unfinished", "orders", ["orders"], missing_inputs=[{"sub_score": "x", "metric": "y", "reason": "z"}]),
    cumulative("orders_7d", "orders", window={"count": 7, "granularity": "day"}),
    cumulative("orders_to_date", "orders", grain_to_date="month", period_agg="last"),
    cumulative("orders_so_far", "orders", period_agg="last"),
    cumulative("most_so_far", "most", period_agg="last"),
    cumulative("buyers_so_far", "buyers", period_agg="last"),
    derived("so_far_in_dozens", "orders_so_far / 12", ["orders_so_far"]),
    conversion("visit_to_order", "visits", "orders", "buyer", window={"count": 7, "granularity": "day"}),
]  # fmt: skip
ROLLUPS = {
    "orders": [
        {"name": "orders_daily", "grain": "day", "dimensions": ["buyer", "order__is_paid"]},
        {"name": "orders_by_month_placed", "grain": "week", "dimensions": ["order__placed_at__month"]},
        {"name": "order_buyers", "grain": "week", "measures": ["buyers"]},
    ],
    "balances": [{"name": "balances_daily", "grain": "day"}],
    "visits": [{"name": "visits_daily", "grain": "day"}],
}
ACCESS = """
roles:
  everyone: {why: Everybody asks everything but for who somebody is., hidden: [buyer, order, note]}
  indonesia:
    why: The market of Indonesia, its own orders only.
    rows: ["{{ Dimension('buyer__region') }} = 'ID'"]
  northern:
    why: Two filters, of two tables, and a few metrics.
    metrics: [orders, amount, paid_share, orders_of_indonesia, placed]
    rows: ["{{ Dimension('buyer__city__side') }} = 'north'", "{{ Dimension('buyer__nick') }} <> 'nobody'"]
    hidden: [placed_at]
  slow: {why: Someone who may ask only so often., per_minute: 5}
  both:
    why: One filter that is of two tables at once.
    rows: ["{{ Dimension('buyer__region') }} = 'ID' or {{ Dimension('buyer__city__side') }} = 'north'"]
  nowhere: {why: Someone who may ask nothing that is here., metrics: [balance]}
"""


def build_world(project: Path, *, absent: str | None = None) -> Path:
    """Write a project folder with a finished build and roles; return it."""
    target = project / "target"
    target.mkdir(parents=True)
    models = json.loads(json.dumps(MODELS))
    for model in models:
        model["config"] = {"meta": {"rollups": ROLLUPS.get(model["name"], [])}}
    path = write_manifest(target / "semantic_manifest.json", models, METRICS)
    text = path.read_text(encoding="utf-8")
    for before, after in (
        ('\\"small\\"', '\\"gnomon\\"'), ('"database": "small"', '"database": "gnomon"'),
        # Two semantic models may be of one table.
        ('\\"shipments\\"', '\\"orders\\"'),
    ):  # fmt: skip
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")
    dbt = {"nodes": {}, "metrics": {
        name: {"name": name, "original_file_path": f"metrics/{folder}"}
        for name, folder in (("orders", "sales/orders.yml"), ("paid_share", "health.yml"))
    }}  # fmt: skip
    names = [model["name"] for model in models]
    with duckdb.connect(str(target / "gnomon.duckdb")) as connection:
        connection.execute(TABLES)
        connection.execute(RECORD)
        connection.execute(
            "insert into gnomon_build.runs values ('run', '2026-04-01', 'raw', '2026-04-01', true, true, ?, ?)",
            [text, json.dumps(dbt)],
        )
        connection.executemany(
            "insert into gnomon_build.edges values (?, ?)",
            [[f"model.gnomon.{name}", f"source.gnomon.raw.{name}"] for name in names],
        )
        if absent:
            connection.execute("insert into gnomon_build.absent_tables values (?, 'it is not kept')", [absent])
    (project / "access.yml").write_text(ACCESS, encoding="utf-8")
    return project
