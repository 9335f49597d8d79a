"""The metric definitions hold their own rules: complete metadata, one set of anchors, no silent trap."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from gnomon.core.contract import read_contract
from tests.definitions import (
    Definition,
    Metrics,
    columns_in,
    filters_of,
    inputs_of,
    measure_of,
    meta_of,
    model_named,
    model_of,
    primary_entity_of,
    raw_tables_behind,
    read_json,
    read_metrics,
    read_models,
)
from tests.oracle import Oracle

CANONICAL = {
    "low_quality_content_rate",
    "low_quality_upload_rate",
    "pre_enforcement_low_quality_rate",
    "creator_violation_rate",
    "violating_creator_prevalence",
    "violations_per_thousand_posts",
    "violative_gmv_share",
    "proactive_rate",
    "removed_before_view_rate",
    "removed_within_24h_rate",
    "violative_view_share",
    "appeal_rate",
    "appeal_overturn_rate",
    "appeal_overturn_rate_by_decision_month",
    "restored_without_appeal_rate",
    "fake_registration_rate",
    "signup_block_rate",
    "complaint_rate",
    "negative_review_rate",
    "seller_fault_cancellation_rate",
    "late_dispatch_rate",
    "return_refund_rate",
    "aigc_share",
    "aigc_disclosure_rate",
    "user_report_precision",
    "impressions",
    "views",
    "posts",
    "active_creators",
    "new_registrations",
    "orders",
    "gmv",
    "ecosystem_health_index",
}
UNITS = {"rate", "count", "usd", "score", "per_thousand", "per_ten_thousand"}
ESTIMATES = {"rate", "per_thousand", "per_ten_thousand"}
KEYS = {"owner", "unit", "direction", "certification", "matures_after_days"}
OPTIONAL_KEYS = {"target", "units", "minimum_units", "interval", "always_with", "never_by", "needs", "missing_inputs"}
MATURE = re.compile(r"__is_mature'\) }} = true")
MATURE_IN_DAYS = re.compile(r"__is_mature_(\d+)d'\) }} = true")
FILTER = re.compile(r"Dimension\('(\w+?__\w+)'\)")
# METRICS.md 26: each rate of after-sale trouble has its own window.
AFTER_SALE_DAYS = {
    "complaint_rate": 60,
    "negative_review_rate": 60,
    "seller_fault_cancellation_rate": 30,
    "late_dispatch_rate": 7,
    "return_refund_rate": 60,
}


@pytest.fixture(scope="module")
def manifest(semantic_manifest_path: Path) -> Definition:
    return read_json(semantic_manifest_path)


@pytest.fixture(scope="module")
def dbt_manifest(semantic_manifest_path: Path) -> Definition:
    return read_json(semantic_manifest_path.with_name("manifest.json"))


@pytest.fixture(scope="module")
def metrics(semantic_manifest_path: Path) -> Metrics:
    return read_metrics(semantic_manifest_path)


# Metadata --------------------------------------------------------------------------------


def test_the_canonical_metrics_are_there_under_their_own_names(metrics: Metrics) -> None:
    assert sorted(CANONICAL - set(metrics)) == []


def test_every_metric_says_what_it_is_and_who_owns_it(metrics: Metrics) -> None:
    faults = []
    for name, metric in metrics.items():
        meta = meta_of(metric)
        if not metric["description"] or "Unit: " not in metric["description"]:
            faults.append(f"{name}: the description does not end with its unit")
        if KEYS - set(meta) or set(meta) - KEYS - OPTIONAL_KEYS:
            faults.append(
                f"{name}: lacks {sorted(KEYS - set(meta))}, unknown {sorted(set(meta) - KEYS - OPTIONAL_KEYS)}"
            )
        if not meta.get("owner") or meta.get("unit") not in UNITS:
            faults.append(f"{name}: owner {meta.get('owner')!r}, unit {meta.get('unit')!r}")
        if meta.get("direction") not in {"up", "down", "none"}:
            faults.append(f"{name}: direction {meta.get('direction')!r}")
        if meta.get("certification") not in {"draft", "certified", "deprecated"}:
            faults.append(f"{name}: certification {meta.get('certification')!r}")
        if type(meta.get("matures_after_days")) is not int or meta["matures_after_days"] < 0:
            faults.append(f"{name}: matures_after_days {meta.get('matures_after_days')!r}")
    assert faults == []


def test_every_rate_names_the_metric_that_counts_its_units_and_a_floor(metrics: Metrics) -> None:
    faults = []
    for name, metric in metrics.items():
        meta = meta_of(metric)
        if meta["unit"] not in ESTIMATES:
            continue
        counts = metrics.get(meta.get("units", ""))
        if counts is None or counts["type"] != "simple" or meta_of(counts)["unit"] != "count":
            faults.append(f"{name}: units {meta.get('units')!r} is not a simple count")
        if type(meta.get("minimum_units")) is not int or meta["minimum_units"] < 1:
            faults.append(f"{name}: minimum_units {meta.get('minimum_units')!r}")
    assert faults == []


def test_companions_are_metrics_and_not_the_metric_itself(metrics: Metrics) -> None:
    faults = [
        f"{name}: {companion}"
        for name, metric in metrics.items()
        for companion in meta_of(metric).get("always_with", [])
        if companion not in metrics or companion == name
    ]
    assert faults == []


@pytest.mark.parametrize(
    ("name", "companion"),
    [
        ("low_quality_content_rate", "low_quality_upload_rate"),
        ("low_quality_content_rate", "pre_enforcement_low_quality_rate"),
        ("creator_violation_rate", "violating_creator_prevalence"),
        ("proactive_rate", "user_reports"),
        ("ecosystem_health_index", "safety_score"),
        ("ecosystem_health_index", "commerce_score"),
    ],
)
def test_a_metric_that_misleads_alone_names_what_stands_beside_it(metrics: Metrics, name: str, companion: str) -> None:
    assert companion in meta_of(metrics[name])["always_with"]


def test_every_estimate_from_reviews_has_a_jackknife_over_replicate_groups(
    manifest: Definition, metrics: Metrics
) -> None:
    reviews = {measure["name"] for measure in model_named(manifest, "sem_fct_quality_reviews")["measures"]}
    over_reviews = {
        name
        for name, metric in metrics.items()
        if metric["type"] == "ratio" and {measure_of(metrics[part]) for part in inputs_of(metric)} <= reviews
    }
    with_interval = {name for name, metric in metrics.items() if "interval" in meta_of(metric)}
    assert over_reviews == with_interval
    assert len(over_reviews) >= 6
    for name in with_interval:
        assert meta_of(metrics[name])["interval"] == {
            "method": "delete_a_group_jackknife",
            "replicates": 20,
            "replicate_group": "quality_review__replicate_group",
        }


# What a source must have -------------------------------------------------------------------


def test_only_simple_metrics_say_which_raw_tables_they_need_and_all_do(metrics: Metrics) -> None:
    tables = set(read_contract().tables)
    for name, metric in metrics.items():
        needs = meta_of(metric).get("needs")
        if metric["type"] == "simple":
            assert needs, f"{name} needs nothing"
            assert set(needs) <= tables, f"{name} needs {sorted(set(needs) - tables)}: not in the raw contract"
        else:
            assert needs is None, f"{name} is {metric['type']}: it inherits what its inputs need"


def test_every_needed_raw_table_feeds_the_marts_of_its_metric(
    manifest: Definition, dbt_manifest: Definition, metrics: Metrics
) -> None:
    faults = []
    for name, metric in metrics.items():
        if metric["type"] != "simple":
            continue
        feeding: set[str] = set()
        for model in read_models(manifest, metric):
            feeding |= raw_tables_behind(dbt_manifest, model["node_relation"]["alias"])
        missing = set(meta_of(metric)["needs"]) - feeding
        if missing:
            faults.append(f"{name}: {sorted(missing)} not among {sorted(feeding)}")
    assert faults == []


# Shape -------------------------------------------------------------------------------------


def test_only_kinds_that_the_dictionary_allows_are_used(metrics: Metrics) -> None:
    assert {metric["type"] for metric in metrics.values()} == {"simple", "ratio", "derived"}


def test_no_measure_is_an_average(manifest: Definition) -> None:
    aggregations = {measure["agg"] for model in manifest["semantic_models"] for measure in model["measures"]}
    assert aggregations <= {"sum", "sum_boolean", "count"}


def test_both_sides_of_a_ratio_over_one_model_carry_the_same_filter(manifest: Definition, metrics: Metrics) -> None:
    """With another filter, a slice without a hit would be missing from one side: empty instead of 0."""
    faults = []
    for name, metric in metrics.items():
        if metric["type"] != "ratio":
            continue
        numerator, denominator = (metrics[part] for part in inputs_of(metric))
        same_model = model_of(manifest, numerator)["name"] == model_of(manifest, denominator)["name"]
        filled = numerator["type_params"]["measure"]["fill_nulls_with"] == 0
        if (not same_model or filters_of(numerator) != filters_of(denominator)) and not filled:
            faults.append(name)
    assert faults == []


def test_counts_of_creator_days_are_never_added_over_time(manifest: Definition) -> None:
    for measure in model_named(manifest, "sem_fct_creator_days")["measures"]:
        rule = measure["non_additive_dimension"]
        assert (rule["name"], rule["window_choice"]) == ("status_date", "max"), measure["name"]


def test_semi_additive_outcomes_are_never_filters(metrics: Metrics, manifest: Definition) -> None:
    """A filter on the outcome would move the last day of a period to the last day with a hit."""
    marks = ("is_mature", "is_whole_window")
    allowed = {f"{{{{ Dimension('creator_day__{mark}') }}}} = true" for mark in marks}
    for metric in metrics.values():
        if metric["type"] == "simple" and model_of(manifest, metric)["name"] == "sem_fct_creator_days":
            assert set(filters_of(metric)) <= allowed, metric["name"]


def test_a_rate_is_never_grouped_by_its_own_outcome(metrics: Metrics, manifest: Definition) -> None:
    dimensions = {
        f"{primary_entity_of(model)}__{dimension['name']}"
        for model in manifest["semantic_models"]
        for dimension in model["dimensions"]
    }
    for name, metric in metrics.items():
        assert set(meta_of(metric).get("never_by", [])) <= dimensions, name
    assert "order__complaint_fault_party" in meta_of(metrics["complaint_rate"])["never_by"]


def test_what_makes_up_a_numerator_is_never_a_grouping_of_its_rate(metrics: Metrics, manifest: Definition) -> None:
    """A dimension in the numerator's own expression, or one that only the numerator filters by."""
    faults = []
    for name, metric in metrics.items():
        if metric["type"] != "ratio":
            continue
        numerator, denominator = (metrics[part] for part in inputs_of(metric))
        model = model_of(manifest, numerator)
        measure = next(item for item in model["measures"] if item["name"] == measure_of(numerator))
        counted = columns_in(measure["expr"] or measure["name"])
        own = {
            f"{primary_entity_of(model)}__{dimension['name']}"
            for dimension in model["dimensions"]
            if columns_in(dimension["expr"] or dimension["name"]) & counted
        }
        only_above = set(filters_of(numerator)) - set(filters_of(denominator))
        missing = own.union(FILTER.findall(" ".join(only_above))) - set(meta_of(metric).get("never_by", []))
        faults += [f"{name} by {dimension}" for dimension in sorted(missing)]
    assert faults == []


@pytest.mark.parametrize(
    ("name", "dimension"),
    [
        # Views before an action are 0 for what was not actioned: not in the expression, but the same thing.
        ("violative_view_share", "content_action__is_actioned"),
        ("removed_within_24h_rate", "content_action__is_actioned"),
        ("removed_before_view_rate", "content_action__is_actioned"),
    ],
)
def test_an_outcome_under_another_name_is_no_grouping_either(metrics: Metrics, name: str, dimension: str) -> None:
    assert dimension in meta_of(metrics[name]).get("never_by", [])


def test_rates_of_reviews_are_grouped_only_by_what_every_label_has(
    metrics: Metrics, manifest: Definition, dbt_manifest: Definition
) -> None:
    """A dimension that positive labels alone have makes every slice 100 %. The mart promises the others."""
    model = model_named(manifest, "sem_fct_quality_reviews")
    columns = dbt_manifest["nodes"][f"model.gnomon.{model['node_relation']['alias']}"]["columns"]
    promised = {
        name for name, column in columns.items() if "not_null" in {rule["type"] for rule in column["constraints"]}
    }
    # Judged for whole frames or not at all: tests/dbt/review_dimensions_do_not_give_away_the_label.sql.
    promised.add("is_aigc")
    partial = {
        f"{primary_entity_of(model)}__{dimension['name']}"
        for dimension in model["dimensions"]
        if not columns_in(dimension["expr"] or dimension["name"]) <= promised
    }
    assert partial == {"quality_review__policy_id"}
    rates = [name for name, metric in metrics.items() if "interval" in meta_of(metric)]
    assert [name for name in rates if not partial <= set(meta_of(metrics[name]).get("never_by", []))] == []


def test_mature_metrics_say_the_days_of_the_policies(project: Path, metrics: Metrics) -> None:
    with (project / "seeds" / "policies.csv").open(encoding="utf-8") as file:
        days = max(int(row["label_maturity_days"]) + int(row["appeal_window_days"]) for row in csv.DictReader(file))
    for name, metric in metrics.items():
        text = " ".join(filters_of(metric))
        within = MATURE_IN_DAYS.search(text)
        if within:
            assert meta_of(metric)["matures_after_days"] == int(within[1]), name
        elif MATURE.search(text):
            assert meta_of(metric)["matures_after_days"] == days, name


@pytest.mark.parametrize(("name", "days"), AFTER_SALE_DAYS.items())
def test_a_rate_of_after_sale_trouble_matures_with_its_own_window(metrics: Metrics, name: str, days: int) -> None:
    assert meta_of(metrics[name])["matures_after_days"] == days
    for part in inputs_of(metrics[name]):
        assert [MATURE_IN_DAYS.findall(rule) for rule in filters_of(metrics[part])][-1] == [str(days)], part


@pytest.mark.parametrize("name", ["gmv", "paid_orders", "paid_order_rate"])
def test_what_waits_for_a_payment_is_not_final_on_its_own_day(metrics: Metrics, name: str) -> None:
    assert meta_of(metrics[name])["matures_after_days"] == 1


def test_no_metric_matures_before_its_inputs(metrics: Metrics) -> None:
    for name, metric in metrics.items():
        inputs = [meta_of(metrics[part])["matures_after_days"] for part in inputs_of(metric)]
        assert meta_of(metric)["matures_after_days"] >= max(inputs, default=0), name


def test_every_column_of_a_semantic_model_is_in_the_contract_of_its_mart(
    manifest: Definition, dbt_manifest: Definition
) -> None:
    faults = []
    for model in manifest["semantic_models"]:
        mart = dbt_manifest["nodes"][f"model.gnomon.{model['node_relation']['alias']}"]
        for element in (*model["entities"], *model["dimensions"], *model["measures"]):
            for column in columns_in(element["expr"] or element["name"]):
                if column not in mart["columns"]:
                    faults.append(f"{model['name']}.{element['name']}: {mart['name']} has no column '{column}'")
    assert faults == []


def test_every_mart_has_its_semantic_model_in_a_file_of_its_name(dbt_manifest: Definition) -> None:
    marts = {
        node["name"]
        for node in dbt_manifest["nodes"].values()
        if node["resource_type"] == "model" and node["original_file_path"].startswith("models/marts/")
    }
    files = {
        model["name"]: Path(model["original_file_path"]).stem for model in dbt_manifest["semantic_models"].values()
    }
    assert files == {f"sem_{mart}": f"sem_{mart}" for mart in marts - {"dim_dates"}}


def test_metricflow_plans_every_metric_and_saved_query(semantic_manifest_path: Path, manifest: Definition) -> None:
    oracle = Oracle.read(semantic_manifest_path)
    for metric in manifest["metrics"]:
        assert metric["name"] in oracle.sql([metric["name"]], ["metric_time__week"])
    for saved in manifest["saved_queries"]:
        names = saved["query_params"]["metrics"]
        assert names[-1] in oracle.sql(names, ["metric_time__week"])
