"""The health index and its sub-scores: constants equal to the seed, and nothing made up for a missing input."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sqlglot import exp

from tests.definitions import Metrics, evaluate, inputs_of, meta_of, numbers_as_float, parse, read_metrics


@pytest.fixture(scope="module")
def metrics(semantic_manifest_path: Path) -> Metrics:
    return read_metrics(semantic_manifest_path)


@pytest.fixture(scope="module")
def anchors(project: Path) -> dict[str, dict[str, str]]:
    with (project / "seeds" / "index_anchors.csv").open(encoding="utf-8") as file:
        return {row["metric_name"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("sub_score", ["safety", "commerce"])
def test_weights_of_a_sub_score_equal_the_seed(
    metrics: Metrics, anchors: dict[str, dict[str, str]], sub_score: str
) -> None:
    tree = parse(metrics[f"{sub_score}_score"]["type_params"]["expr"])
    written = {}
    for product in tree.find_all(exp.Mul):
        written[product.expression.this.name.removesuffix("_score")] = float(product.this.name)
    seeded = {name: float(row["weight"]) for name, row in anchors.items() if row["sub_score"] == sub_score}
    assert written == seeded
    assert sum(seeded.values()) == pytest.approx(1)
    assert {float(number.name) for number in tree.find_all(exp.Literal)} == set(written.values())


def test_anchors_of_every_score_equal_the_seed(metrics: Metrics, anchors: dict[str, dict[str, str]]) -> None:
    scored = [name for name, row in anchors.items() if row["sub_score"] in {"safety", "commerce"}]
    for name in scored:
        worst, target = anchors[name]["worst_value"], anchors[name]["target_value"]
        anchored = f"""case when {name} is not null
            then greatest(1, least(100, 1 + 99 * ({name} - {worst}) / ({target} - {worst}))) end"""
        assert numbers_as_float(metrics[f"{name}_score"]["type_params"]["expr"]) == numbers_as_float(anchored)
        assert meta_of(metrics[name])["target"] == float(target), name


@pytest.mark.parametrize(("share", "points"), [(0.9, 1.0), (0.0, 100.0)])
def test_a_rate_beyond_its_anchors_stays_on_the_scale(
    metrics: Metrics, anchors: dict[str, dict[str, str]], share: float, points: float
) -> None:
    for name, row in anchors.items():
        if row["sub_score"] in {"safety", "commerce"}:
            assert evaluate(metrics[f"{name}_score"], {name: share}) == pytest.approx(points)


def test_an_empty_rate_gives_an_empty_score_and_not_a_perfect_one(metrics: Metrics) -> None:
    assert evaluate(metrics["complaint_rate_score"], {"complaint_rate": None}) is None


@pytest.mark.parametrize("name", ["safety_score", "commerce_score"])
def test_one_empty_input_empties_the_sub_score(metrics: Metrics, name: str) -> None:
    full = dict.fromkeys(inputs_of(metrics[name]), 50.0)
    assert evaluate(metrics[name], full) == pytest.approx(50.0)
    for part in full:
        assert evaluate(metrics[name], {**full, part: None}) is None


def test_the_index_has_no_value_and_lists_what_is_missing(metrics: Metrics, anchors: dict[str, dict[str, str]]) -> None:
    index = metrics["ecosystem_health_index"]
    assert evaluate(index, {"safety_score": 80.0, "commerce_score": 90.0}) is None
    listed = {(row["sub_score"], row["metric"]) for row in meta_of(index)["missing_inputs"]}
    seeded = {(row["sub_score"], name) for name, row in anchors.items() if row["is_available"] == "false"}
    assert listed == seeded
    assert all(row["reason"] for row in meta_of(index)["missing_inputs"])


def test_an_input_is_available_in_the_seed_exactly_when_it_is_a_metric(
    metrics: Metrics, anchors: dict[str, dict[str, str]]
) -> None:
    assert {name for name, row in anchors.items() if row["is_available"] == "true"} == set(anchors) & set(metrics)
