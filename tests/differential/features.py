"""What a question exercises: the features of metrics by their definitions, and the list of all features."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations

from tests.differential.models import Json
from tests.differential.worlds import CUSTOM_GRAINS, World

AGGREGATIONS = (
    "sum", "sum_boolean", "count", "count_distinct", "min", "max", "average", "median", "percentile_continuous",
    "percentile_discrete",
)  # fmt: skip
OF_METRICS = (
    *(f"agg_{name}" for name in AGGREGATIONS),
    "semi_additive_max", "semi_additive_min", "semi_additive_grouped", "own_time",
    "simple", "own_grain", "filtered_metric", "filtered_measure", "filtered_by_metric", "fill_nulls",
    "join_to_timespine", "fill_and_timespine",
    "ratio", "ratio_numerator_filter", "ratio_denominator_filter", "ratio_filter",
    "derived", "derived_nested", "derived_filter", "input_filter", "input_alias",
    "offset_window", "offset_to_grain", "offset_nested", "offset_cumulative", "offset_custom_grain",
    "cumulative_window", "cumulative_to_date", "cumulative_all_time", "cumulative_in_derived",
    "period_first", "period_last", "period_average",
    "conversion_count", "conversion_rate", "conversion_window", "conversion_unbounded", "conversion_constant",
    "conversion_fill",
)  # fmt: skip
GRAINS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
OF_GROUPS = (
    "metric_time", "metric_time_default", *(f"grain_{name}" for name in GRAINS), "custom_grain", "date_part",
    "by_time", "by_category", "by_entity", "one_hop", "multi_hop", "scd", "partition", "expression", "virtual_entity",
)  # fmt: skip
OF_FILTERS = (
    "where_category", "where_time", "where_entity", "where_metric", "where_joined", "where_multi_hop", "where_scd",
    "where_date_part", "where_custom_grain", "where_or", "where_null", "where_in", "where_twice", "where_metric_time",
)  # fmt: skip
OF_ASKING = (
    "no_group", "several_groups", "several_metrics", "several_models",
    "order_by", "order_descending", "limit", "time_range", "saved_query", "distinct_values", "min_max",
)  # fmt: skip
FEATURES = (*OF_METRICS, *OF_GROUPS, *OF_FILTERS, *OF_ASKING)
OVER_TIME = (
    "offset_window", "offset_to_grain", "offset_nested", "offset_cumulative", "offset_custom_grain",
    "cumulative_window", "cumulative_to_date",
)  # fmt: skip
CUMULATIVE = (
    "cumulative_window", "cumulative_to_date", "cumulative_all_time", "period_first", "period_last", "period_average",
)  # fmt: skip
# Pairs that no question can have, and why. Everything else must occur.
IMPOSSIBLE: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (("no_group",), (*OF_GROUPS, "several_groups"), "there is no group"),
    (("no_group",), OVER_TIME, "MetricFlow asks for metric_time"),
    (("distinct_values", "min_max"), (*OF_METRICS, "several_metrics", "several_models"), "there is no metric"),
    (("distinct_values", "min_max"), ("no_group",), "the groups are what is asked for"),
    (("distinct_values", "min_max"), ("saved_query",), "a saved query has metrics"),
    (("distinct_values",), ("min_max",), "one or the other"),
    (("min_max",), ("several_groups", "order_by", "order_descending", "limit"), "it is one row of one dimension"),
    (
        ("distinct_values", "min_max"),
        ("one_hop", "multi_hop", "scd", "partition", "where_joined", "where_multi_hop", "where_scd"),
        "without a metric a dimension is only its own model's",
    ),
    (
        ("offset_to_grain", "offset_cumulative", "cumulative_in_derived", *CUMULATIVE),
        ("date_part", "where_date_part"),
        "MetricFlow refuses parts of dates here",
    ),
    (("offset_custom_grain",), ("scd", "where_scd"), "which moment's version counts depends on the clock's grain"),
    (
        ("offset_cumulative",),
        ("time_range",),
        "MetricFlow cuts the range before it shifts: the first days of the range have no row",
    ),
    (
        ("offset_nested",),
        ("where_metric",),
        "MetricFlow's SQL fails or is wrong; only what is grouped by can be filtered",
    ),
)


def list_pairs() -> list[frozenset[str]]:
    """Return every pair of features that a question can have."""
    return [pair for pair in (frozenset(names) for names in combinations(FEATURES, 2)) if pair not in list_impossible()]


@cache
def list_impossible() -> frozenset[frozenset[str]]:
    """Return every pair that no question can have."""
    return frozenset(
        frozenset((one, other)) for left, right, _ in IMPOSSIBLE for one in left for other in right if one != other
    )


def read_metric(world: World, name: str) -> frozenset[str]:
    """Return the features of a metric and of all that it is made of."""
    return frozenset(_of_metric(world, world.metrics[name], depth=0))


def list_measures(world: World, name: str) -> frozenset[str]:
    """Return the measures that a metric reads."""
    return frozenset(used["name"] for used in world.metrics[name]["type_params"]["input_measures"])


def _of_metric(world: World, metric: Json, depth: int) -> Iterator[str]:
    params, kind = metric["type_params"], metric["type"]
    if metric["time_granularity"]:
        yield "own_grain"
    for filtered in _all_filters(metric):
        if "Metric(" in filtered:
            yield "filtered_by_metric"
    if kind == "simple":
        yield from _of_input(world, params["measure"])
        yield "filtered_metric" if metric["filter"] else "simple"
    elif kind == "cumulative":
        yield from _of_input(world, params["measure"])
        yield from _of_cumulative(params)
        if metric["filter"]:
            yield "filtered_metric"
    elif kind == "conversion":
        yield from _of_conversion(world, params["conversion_type_params"])
    elif kind == "ratio":
        yield from ("ratio", *(["ratio_filter"] if metric["filter"] else []))
        for side in ("numerator", "denominator"):
            if params[side]["filter"]:
                yield f"ratio_{side}_filter"
            yield from _of_metric(world, world.metrics[params[side]["name"]], depth + 1)
    else:
        yield from ("derived", *(["derived_filter"] if metric["filter"] else []))
        for used in params["metrics"]:
            yield from _of_derived_input(world, used)
            yield from _of_metric(world, world.metrics[used["name"]], depth + 1)


def _of_derived_input(world: World, used: Json) -> Iterator[str]:
    below = world.metrics[used["name"]]
    if below["type"] in ("derived", "ratio"):
        yield "derived_nested"
        if used["offset_window"] or used["offset_to_grain"]:
            yield "offset_nested"
    if below["type"] == "cumulative":
        yield "cumulative_in_derived"
    if used["filter"]:
        yield "input_filter"
    if used["alias"]:
        yield "input_alias"
    if used["offset_to_grain"]:
        yield "offset_to_grain"
    if used["offset_window"]:
        yield "offset_window"
        if used["offset_window"]["granularity"] in CUSTOM_GRAINS:
            yield "offset_custom_grain"
        if below["type"] == "cumulative":
            yield "offset_cumulative"


def _of_input(world: World, used: Json) -> Iterator[str]:
    measure = world.measures[used["name"]]
    agg, edge = measure["agg"], measure["non_additive_dimension"]
    if agg == "percentile":
        agg += "_discrete" if measure["agg_params"]["use_discrete_percentile"] else "_continuous"
    yield f"agg_{agg}"
    if edge:
        yield f"semi_additive_{edge['window_choice']}"
        if edge["window_groupings"]:
            yield "semi_additive_grouped"
    if measure["agg_time_dimension"]:
        yield "own_time"
    if used["filter"]:
        yield "filtered_measure"
    fills, joins = used["fill_nulls_with"] is not None, used["join_to_timespine"]
    if fills or joins:
        yield {(True, True): "fill_and_timespine", (True, False): "fill_nulls"}.get((fills, joins), "join_to_timespine")


def _of_cumulative(params: Json) -> Iterator[str]:
    cumulative = params["cumulative_type_params"] or {}
    if params["window"] or cumulative.get("window"):
        yield "cumulative_window"
    elif cumulative.get("grain_to_date"):
        yield "cumulative_to_date"
    else:
        yield "cumulative_all_time"
    yield f"period_{cumulative.get('period_agg', 'first')}"


def _of_conversion(world: World, params: Json) -> Iterator[str]:
    yield "conversion_rate" if params["calculation"] == "conversion_rate" else "conversion_count"
    yield "conversion_window" if params["window"] else "conversion_unbounded"
    if params["constant_properties"]:
        yield "conversion_constant"
    if params["conversion_measure"]["fill_nulls_with"] is not None:
        yield "conversion_fill"
    for side in ("base_measure", "conversion_measure"):
        if params[side]["filter"]:
            yield "filtered_measure"
        yield f"agg_{world.measures[params[side]['name']]['agg']}"


def _all_filters(metric: Json) -> Iterator[str]:
    params = metric["type_params"]
    holders = [metric, params["measure"], params["numerator"], params["denominator"], *(params["metrics"] or ())]
    for holder in holders:
        if holder and holder["filter"]:
            for filtered in holder["filter"]["where_filters"]:
                yield filtered["where_sql_template"]
