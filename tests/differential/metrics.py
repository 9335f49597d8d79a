"""The metrics of a world: every kind, drawn from the seed."""

from __future__ import annotations

import random
from typing import Any

from tests.differential.models import Json
from tests.differential.shape import Shape

ORDER_MEASURES = [
    "orders", "order_rows", "amount", "spent", "paid", "buyers", "best_amount", "least_amount", "mean_amount",
    "median_amount", "upper_amount", "lower_amount", "shipped_qty", "clocked_amount", "clocked_orders",
]  # fmt: skip
PLAIN = [
    *ORDER_MEASURES, "refunded", "worst_refund", "visits", "visitors", "known_visits", "clicks", "seconds",
    "mean_seconds", "last_balance", "first_balance", "user_last_balance", "user_first_points", "last_holders",
    "points", "new_users", "score", "founded_companies", "staff",
]  # fmt: skip
ADDITIVE = ["orders", "amount", "visits", "clicks", "refunded", "points", "spent"]
ORDER_FILTERS = [
    "{{ Dimension('purchase__order_kind') }} = 'web'",
    "{{ Dimension('purchase__is_paid') }}",
    "{{ Dimension('purchase__order_kind') }} is null or {{ Dimension('purchase__band') }} is not null",
    "{{ Dimension('shopper__home') }} in ('ID', 'TH')",
    "{{ Dimension('company__sector', entity_path=['shopper']) }} = 'media'",
    "{{ Dimension('listing__tier') }} <> 'gold'",
    "{{ Entity('shopper') }} > 20",
    "{{ TimeDimension('purchase__shipped_on', 'month') }} >= '2024-01-01'",
    "{{ Metric('visits', group_by=['shopper']) }} > 6",
]
VISIT_FILTERS = [
    "{{ Dimension('visit__channel') }} <> 'web'",
    "{{ Dimension('visit__length') }} = 'long' and {{ Dimension('shopper__home') }} is not null",
    "{{ Dimension('shopper__generation') }} = 'young'",
    "{{ Metric('orders', group_by=['shopper']) }} >= 5",
]
USER_FILTERS = ["{{ Dimension('shopper__home') }} = 'ID'", "{{ Entity('shopper') }} < 40"]
OFFSETS = ["1 day", "3 days", "1 week", "7 days", "1 month", "2 weeks", "1 quarter"]


class Names:
    """Gives each metric of a kind its number."""

    def __init__(self) -> None:
        self.taken: dict[str, int] = {}

    def name(self, stem: str) -> str:
        self.taken[stem] = self.taken.get(stem, 0) + 1
        return f"{stem}_{self.taken[stem]}"


def where(*templates: str) -> Json:
    return {"where_filters": [{"where_sql_template": template} for template in templates]}


def window(text: str) -> Json:
    count, grain = text.split(" ")
    return {"count": int(count), "granularity": grain.removesuffix("s")}


def metric(name: str, kind: str, params: Json, filtered: str | None = None, **more: Any) -> Json:
    return {"name": name, "type": kind, "type_params": params, "filter": where(filtered) if filtered else None, **more}


def simple(name: str, of: str, filtered: str | None = None, **measure: Any) -> Json:
    return metric(name, "simple", {"measure": {"name": of, **measure}}, filtered)


def ratio(name: str, numerator: Json, denominator: Json, filtered: str | None = None) -> Json:
    return metric(name, "ratio", {"numerator": numerator, "denominator": denominator}, filtered)


def derived(name: str, expr: str, inputs: list[Json], filtered: str | None = None) -> Json:
    return metric(name, "derived", {"expr": expr, "metrics": inputs}, filtered)


def used(name: str, alias: str) -> Json:
    return {"name": name, "alias": alias}


def cumulative(name: str, of: Json, filtered: str | None = None, **params: Any) -> Json:
    return metric(name, "cumulative", {"measure": of, "cumulative_type_params": params}, filtered)


def write_metrics(shape: Shape) -> list[Json]:
    """Return the metrics of a world."""
    rng = random.Random(f"metrics {shape.seed}")
    names = Names()
    metrics = [simple(name, name) for name in PLAIN] + [simple("refunds", "refunds")]
    metrics += _filtered(rng, names) + _filled(rng, names)
    metrics += _ratios(rng, names) + _cumulatives(shape, rng, names)
    metrics += _derived(rng, names, [m["name"] for m in metrics if m["type"] == "ratio"])
    return metrics + _offsets(rng, names) + _conversions(rng, names)


def _filter_for(rng: random.Random, of: str) -> str:
    if of in ("visits", "clicks", "seconds", "visitors", "known_visits", "mean_seconds"):
        return rng.choice(VISIT_FILTERS)
    if of in ORDER_MEASURES:
        return rng.choice(ORDER_FILTERS)
    if of in ("refunded", "refunds"):
        return "{{ Dimension('refund__reason') }} <> 'late'"
    return rng.choice(USER_FILTERS)


def _filtered(rng: random.Random, names: Names) -> list[Json]:
    chosen = [*rng.sample(ORDER_MEASURES, 3), "visits", rng.choice(["last_balance", "user_last_balance"])]
    metrics = [simple(names.name("filtered"), of, _filter_for(rng, of)) for of in chosen]
    weekly = simple(names.name("weekly"), rng.choice(["orders", "visits", "points"]))
    weekly["time_granularity"] = rng.choice(["week", "month"])
    metrics.append(weekly)
    of = rng.choice(["orders", "amount", "buyers"])
    metrics.append(simple(names.name("metric_filtered"), of, ORDER_FILTERS[-1]))
    # A filter on the measure and one on the metric.
    of = rng.choice(["orders", "amount", "visits"])
    metrics.append(simple(names.name("filtered"), of, _filter_for(rng, of), filter=where(_filter_for(rng, of))))
    return metrics


def _filled(rng: random.Random, names: Names) -> list[Json]:
    metrics = []
    for stem, params in (
        ("filled", {"fill_nulls_with": 0}),
        ("spined", {"join_to_timespine": True}),
        ("spined_filled", {"join_to_timespine": True, "fill_nulls_with": rng.choice([0, 7])}),
    ):
        for of in rng.sample(["orders", "amount", "visits", "buyers", "refunded", "last_balance"], 2):
            filtered = _filter_for(rng, of) if rng.random() < 0.4 else None
            metrics.append(simple(names.name(stem), of, filtered, **params))
    return metrics


def _ratios(rng: random.Random, names: Names) -> list[Json]:
    filtered_orders, order_filter = _filter_for(rng, "orders"), _filter_for(rng, "amount")
    return [
        ratio(names.name("ratio"), {"name": "paid"}, {"name": "orders"}),
        ratio(names.name("ratio"), {"name": "refunded"}, {"name": "amount"}),
        ratio(names.name("ratio"), {"name": "orders"}, {"name": rng.choice(["visits", "visitors", "filled_1"])}),
        ratio(
            names.name("ratio_numerator"),
            {"name": "orders", "filter": where(filtered_orders), "alias": "some_orders"},
            {"name": "orders"},
        ),
        ratio(
            names.name("ratio_denominator"),
            {"name": "amount"},
            {"name": "spent", "filter": where(order_filter)},
        ),
        ratio(names.name("ratio_filtered"), {"name": "paid"}, {"name": "orders"}, rng.choice(ORDER_FILTERS)),
        ratio(
            names.name("ratio_all_filtered"),
            {"name": "clicks", "filter": where(VISIT_FILTERS[0]), "alias": "far_clicks"},
            {"name": "visits", "filter": where(VISIT_FILTERS[2]), "alias": "young_visits"},
            USER_FILTERS[0],
        ),
    ]


def _cumulatives(shape: Shape, rng: random.Random, names: Names) -> list[Json]:
    metrics = []
    of = ["orders", "amount", "buyers", "visits", "visitors", "paid", "best_amount", "mean_amount", "refunded"]
    for _ in range(3):
        text = rng.choice(["2 days", "7 days", "2 weeks", "1 month", "28 days"])
        metrics.append(cumulative(names.name("window"), _of(rng, rng.choice(of)), window=window(text), **_period(rng)))
    for _ in range(2):
        grain = rng.choice(["week", "month", "year"])
        metrics.append(cumulative(names.name("to_date"), _of(rng, rng.choice(of)), grain_to_date=grain, **_period(rng)))
    for _ in range(2):
        metrics.append(cumulative(names.name("all_time"), _of(rng, rng.choice(of)), **_period(rng)))
    for way in ("first", "last", "average"):
        metrics.append(
            cumulative(names.name(f"period_{way}"), {"name": rng.choice(of)}, window=window("5 days"), period_agg=way)
        )
    of_filtered = rng.choice(["orders", "amount", "visits"])
    filtered = _filter_for(rng, of_filtered)
    metrics.append(cumulative(names.name("filtered_window"), {"name": of_filtered}, filtered, window=window("4 days")))
    if shape.order_grain == "hour":
        metrics.append(cumulative(names.name("clocked_window"), {"name": "clocked_amount"}, window=window("12 hours")))
    old = cumulative(names.name("old_window"), {"name": "orders"})
    old["type_params"] = {"measure": {"name": "orders"}, "window": window("3 days")}
    return [*metrics, old]


def _of(rng: random.Random, of: str) -> Json:
    return {"name": of, "fill_nulls_with": 0} if rng.random() < 0.15 else {"name": of}


def _period(rng: random.Random) -> Json:
    way = rng.choice([None, None, "first", "last", "average"])
    return {"period_agg": way} if way else {}


def _derived(rng: random.Random, names: Names, ratios: list[str]) -> list[Json]:
    a, b = rng.sample(ADDITIVE, 2)
    one, two = rng.sample(ratios, 2)
    spined = rng.choice(["spined_1", "spined_filled_1"])
    return [
        derived(names.name("derived"), f"{a} - {b}", [{"name": a}, {"name": b}]),
        derived(
            names.name("derived_alias"),
            "(everything - chosen) * 1.0 / nullif(everything, 0)",
            [
                {"name": "orders", "alias": "everything"},
                {"name": "orders", "alias": "chosen", "filter": where(_filter_for(rng, "orders"))},
            ],
        ),
        derived(names.name("derived_filtered"), "amount / 4", [{"name": "amount"}], _filter_for(rng, "amount")),
        derived(names.name("nested"), f"{one} + coalesce({two}, 0)", [{"name": one}, {"name": two}]),
        derived(names.name("nested"), "far + derived_1", [used("derived_alias_1", "far"), {"name": "derived_1"}]),
        derived(
            names.name("derived_cumulative"), "rolling - amount", [used("window_1", "rolling"), {"name": "amount"}]
        ),
        derived(names.name("derived_all_time"), "total / 2", [used("all_time_1", "total")]),
        derived(names.name("derived_filled"), "2 * whole + 1", [used("filled_1", "whole")]),
        derived(names.name("derived_spined"), "coalesce(whole, -1)", [used(spined, "whole")]),
    ]


def _offsets(rng: random.Random, names: Names) -> list[Json]:
    metrics = []
    for _ in range(3):
        of = rng.choice([*ADDITIVE, "buyers", "mean_amount", "ratio_1", "filled_1", "spined_filled_1", "derived_1"])
        past = {"name": of, "alias": "past", "offset_window": window(rng.choice(OFFSETS))}
        metrics.append(derived(names.name("offset"), f"{of} - past", [{"name": of}, past]))
    for _ in range(2):
        of, grain = rng.choice([*ADDITIVE, "buyers"]), rng.choice(["week", "month", "year"])
        past = {"name": of, "alias": "begun", "offset_to_grain": grain}
        metrics.append(derived(names.name("offset_grain"), f"{of} - coalesce(begun, 0)", [{"name": of}, past]))
    of = rng.choice(["orders", "amount"])
    past = {"name": of, "alias": "past", "offset_window": window("1 week"), "filter": where(_filter_for(rng, of))}
    metrics.append(derived(names.name("offset_filtered"), "past", [past]))
    past = {"name": "offset_1", "alias": "past", "offset_window": window("2 days")}
    metrics.append(derived(names.name("offset_nested"), "2 * past", [past]))
    past = {"name": rng.choice(["all_time_1", "window_2"]), "alias": "past", "offset_window": window("1 week")}
    metrics.append(derived(names.name("offset_cumulative"), "past", [past]))
    past = {"name": "amount", "alias": "past", "offset_window": window("1 retail_month")}
    metrics.append(derived(names.name("offset_custom"), "amount - past", [{"name": "amount"}, past]))
    return metrics


def _conversions(rng: random.Random, names: Names) -> list[Json]:
    metrics: list[Json] = []
    ways = rng.sample(["conversions", "conversion_rate"], 2)
    for stem, base, converted, extra in (
        ("conversion", "visits", "orders", {"window": window(rng.choice(["1 day", "7 days", "1 month"]))}),
        ("conversion", "visits", "order_rows", {}),
        ("conversion", "visitors", "buyers", {"window": window("5 days")}),
        (
            "conversion_constant", "visits", "orders",
            {
                "window": window(rng.choice(["7 days", "2 weeks"])),
                "constant_properties": [{"base_property": "channel", "conversion_property": "order_kind"}],
            },
        ),
        (
            "conversion_filled", "visits", "orders",
            {"window": window("3 days"), "conversion_measure": {"name": "orders", "fill_nulls_with": 0}},
        ),
    ):  # fmt: skip
        base_measure: Json = {"name": base}
        if rng.random() < 0.25:
            base_measure["filter"] = where("{{ Dimension('visit__channel') }} <> 'app'")
        params = {
            "entity": "shopper",
            "base_measure": base_measure,
            "conversion_measure": {"name": converted},
            "calculation": ways[len(metrics) % 2],
            **extra,
        }
        filtered = rng.choice(VISIT_FILTERS[:3]) if rng.random() < 0.2 else None
        metrics.append(metric(names.name(stem), "conversion", {"conversion_type_params": params}, filtered))
    return metrics
