"""The semantic models of a world, as an author writes them."""

from __future__ import annotations

import random
from typing import Any

from tests.differential.shape import CATALOG, Shape

Json = dict[str, Any]


def entity(name: str, kind: str, expr: str | None = None) -> Json:
    return {"name": name, "type": kind, "expr": expr}


def category(name: str, expr: str | None = None, *, is_partition: bool = False) -> Json:
    return {"name": name, "type": "categorical", "expr": expr, "is_partition": is_partition}


def moment(name: str, grain: str, expr: str | None = None, *, is_partition: bool = False, **validity: bool) -> Json:
    params: Json = {"time_granularity": grain}
    if validity:
        params["validity_params"] = {"is_start": False, "is_end": False, **validity}
    return {"name": name, "type": "time", "expr": expr, "is_partition": is_partition, "type_params": params}


def measure(name: str, agg: str, expr: str | None = None, **more: Any) -> Json:
    return {"name": name, "agg": agg, "expr": expr, **more}


def at_edge(window_choice: str, *groupings: str) -> Json:
    return {"name": "as_of", "window_choice": window_choice, "window_groupings": list(groupings)}


def model(
    name: str,
    entities: list[Json],
    dimensions: list[Json],
    measures: list[Json] | None = None,
    *,
    time: str | None = None,
    primary_entity: str | None = None,
) -> Json:
    return {
        "name": f"{name}_model",
        "defaults": {"agg_time_dimension": time} if time else None,
        "node_relation": {
            "alias": name,
            "schema_name": "main",
            "database": CATALOG,
            "relation_name": f'"{CATALOG}"."main"."{name}"',
        },
        "primary_entity": primary_entity,
        "entities": entities,
        "dimensions": dimensions,
        "measures": measures or [],
    }


def write_models(shape: Shape) -> list[Json]:
    """Return the semantic models of a world."""
    rng = random.Random(f"models {shape.seed}")
    models = [_orders(shape, rng), _refunds(), _visits(shape, rng), _balances(shape), _users(shape, rng), _companies()]
    models += [_history(), _stores(shape)]
    if shape.has_latest_listings:
        dimensions = [category("category"), category("capacity"), moment("opened_on", "day")]
        models.append(model("listings", [entity("listing", "primary", "listing_id")], dimensions))
    if shape.has_bridge:
        entities = [entity("shopper", "foreign", "user_id"), entity("club", "foreign", "group_id")]
        models.append(model("memberships", entities, [category("club_parity", "group_id % 2")], primary_entity="seat"))
    return models


def _orders(shape: Shape, rng: random.Random) -> Json:
    shopper = rng.choice(["user_id", "case when user_id > 0 then user_id end"])
    spent = rng.choice(["amount * qty", "case when is_paid then amount end", "coalesce(amount, 0) + 1", "amount / 2"])
    band = "case when amount > 50 then 'big' when amount is null then 'none' else 'small' end"
    dimensions = [
        moment("order_date", "day"),
        moment("ordered_at", shape.order_grain),
        moment("shipped_on", rng.choice(["day", "day", "week", "month"])),
        category("order_kind"),
        category("is_paid"),
        category("band", rng.choice([band, "order_kind || '-' || qty", "qty % 3"])),
    ]
    if shape.has_partition:
        dimensions.append(moment("ds", "day", is_partition=True))
    measures = [
        measure("orders", "count", "order_id"),
        measure("order_rows", "sum", "1"),
        measure("amount", "sum"),
        measure("spent", "sum", spent),
        measure("paid", "sum_boolean", rng.choice(["is_paid", "is_paid and qty > 1", "not is_paid"])),
        measure("buyers", "count_distinct", "user_id"),
        measure("best_amount", "max", "amount"),
        measure("least_amount", "min", rng.choice(["amount", "qty"])),
        measure("mean_amount", "average", rng.choice(["amount", "qty"])),
        measure("median_amount", "median", "amount"),
        measure(
            "upper_amount", "percentile", "amount",
            agg_params={"percentile": rng.choice([0.8, 0.95]), "use_discrete_percentile": False},
        ),
        measure(
            "lower_amount", "percentile", "amount",
            agg_params={"percentile": rng.choice([0.2, 0.1]), "use_discrete_percentile": True},
        ),
        measure("shipped_qty", "sum", "qty", agg_time_dimension="shipped_on"),
        measure("clocked_amount", "sum", "amount", agg_time_dimension="ordered_at"),
        measure("clocked_orders", "sum", "1", agg_time_dimension="ordered_at"),
    ]  # fmt: skip
    entities = [
        entity("shopper", "foreign", shopper),
        entity("listing", "foreign", "listing_id"),
        entity("store", "foreign", "'S' || store_no"),
    ]
    if shape.orders_have_key:
        entities.append(entity("purchase", "primary", "order_id"))
    return model(
        "orders",
        entities,
        dimensions,
        measures,
        time="ordered_at" if shape.orders_by_hour else "order_date",
        primary_entity=None if shape.orders_have_key else "purchase",
    )


def _refunds() -> Json:
    return model(
        "refunds",
        [entity("refund", "primary", "refund_id"), entity("purchase", "foreign", "order_id")],
        [moment("refunded_on", "day"), category("reason")],
        [
            measure("refunds", "count", "refund_id", create_metric=True),
            measure("refunded", "sum", "amount"),
            measure("worst_refund", "max", "amount"),
        ],
        time="refunded_on",
    )


def _visits(shape: Shape, rng: random.Random) -> Json:
    dimensions = [
        moment("visited_at", shape.visit_grain),
        moment("visit_date", "day", "date_trunc('day', visited_at)"),
        category("channel"),
        category("length", "case when seconds >= 300 then 'long' else 'short' end"),
        category("has_clicked"),
    ]
    if shape.has_partition:
        dimensions.append(moment("ds", "day", "date_trunc('day', visited_at)", is_partition=True))
    measures = [
        measure("visits", "sum", "1"),
        measure("visitors", "count_distinct", "user_id"),
        measure("known_visits", "count", "user_id"),
        measure("clicks", "sum_boolean", "has_clicked"),
        measure("seconds", "sum", rng.choice(["seconds", "seconds * 1.0 / 60"])),
        measure("mean_seconds", "average", "seconds"),
    ]
    return model(
        "visits",
        [
            entity("shopper", "foreign", "user_id"),
            entity("listing", "foreign", "listing_id"),
            entity("store", "foreign", "store_code"),
        ],
        dimensions,
        measures,
        time="visit_date" if shape.visits_by_day else "visited_at",
        primary_entity="visit",
    )


def _balances(shape: Shape) -> Json:
    measures = [
        measure("last_balance", "sum", "balance", non_additive_dimension=at_edge("max")),
        measure("first_balance", "sum", "balance", non_additive_dimension=at_edge("min")),
        measure("user_last_balance", "sum", "balance", non_additive_dimension=at_edge("max", "shopper")),
        measure("user_first_points", "max", "points", non_additive_dimension=at_edge("min", "shopper")),
        measure("last_holders", "count_distinct", "user_id", non_additive_dimension=at_edge("max")),
        measure("points", "sum"),
    ]
    dimensions = [moment("as_of", "day"), category("account_kind")]
    if shape.has_partition:
        dimensions.append(moment("ds", "day", "as_of", is_partition=True))
    return model(
        "balances",
        [entity("shopper", "foreign", "user_id"), entity("store", "foreign", "store_code")],
        dimensions,
        measures,
        time="as_of",
        primary_entity="account_day",
    )


def _users(shape: Shape, rng: random.Random) -> Json:
    generation = "case when age < 25 then 'young' when age < 45 then 'middle' else 'old' end"
    return model(
        "users",
        [
            entity("shopper", "primary", "user_id"),
            entity("email", "unique"),
            entity("lister", "unique", "user_id"),
            entity("company", "foreign", rng.choice(["company_id", "nullif(company_id, 99)"])),
            entity("listing", "foreign", "listing_id"),
        ],
        [
            category("home"),
            category("generation", generation),
            category("age"),
            moment("joined_on", "day"),
            moment("last_seen_at", shape.order_grain),
        ],
        [measure("new_users", "count", "user_id"), measure("score", "sum")],
        time="joined_on",
    )


def _companies() -> Json:
    return model(
        "companies",
        [entity("company", "primary", "company_id")],
        [category("sector"), category("size", "floor(staff / 10) * 10"), moment("founded", "month")],
        [measure("founded_companies", "count", "company_id"), measure("staff", "sum")],
        time="founded",
    )


def _history() -> Json:
    return model(
        "listing_history",
        [entity("listing", "natural", "listing_id"), entity("lister", "foreign", "lister_id")],
        [
            category("tier"),
            category("is_featured"),
            moment("valid_from", "day", is_start=True),
            moment("valid_to", "day", is_end=True),
        ],
        primary_entity="listing_version",
    )


def _stores(shape: Shape) -> Json:
    dimensions = [category("region"), category("size_class", "case when size > 40 then 'large' else 'small' end")]
    if shape.has_partition:
        dimensions.append(moment("ds", "day", is_partition=True))
    return model("stores", [entity("store", "primary", "store_code")], dimensions)
