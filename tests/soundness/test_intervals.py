"""Intervals of sampled rates: against the jackknife worked out directly, and their coverage."""

from __future__ import annotations

import math
from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy.stats import t as student

from gnomon import Engine
from gnomon.core.errors import DefinitionError
from gnomon.measurement import bound_proportion
from tests.manifests import measure, ratio, semantic_model, simple, write_manifest

REPLICATES = 20
META = {
    "units": "reviews",
    "minimum_units": 5,
    "interval": {"replicate_group": "review__replicate_group", "replicates": REPLICATES},
}
MODELS = [
    semantic_model(
        "reviews",
        entities={"review": ("primary", "review_id")},
        dimensions={"item_date": "day", "replicate_group": None, "region": None},
        measures=[
            measure("reviews", "count", "review_id"),
            measure("weight", "sum"),
            measure("bad_weight", "sum"),
        ],
        time="item_date",
    )
]
METRICS = [
    simple("reviews"),
    simple("weight"),
    simple("bad_weight"),
    simple("id_weight", "weight", where="{{ Dimension('review__region') }} = 'ID'"),
    ratio("id_share", "id_weight", "weight", **META),
    ratio("bad_rate", "bad_weight", "weight", **META),
    simple("not_a_ratio", "weight", **META),
]


def build(folder: Path, rows: str, name: str = "small") -> Engine:
    with duckdb.connect(str(folder / f"{name}.duckdb")) as connection:
        connection.execute(f"create table reviews as select * from (values {rows})"
                           " as t(review_id, replicate_group, region, weight, bad_weight, item_date)")  # fmt: skip
    return Engine.from_manifest(write_manifest(folder / "m.json", MODELS, METRICS), folder / f"{name}.duckdb")


def draw(seed: int, count: int = 400, rate: float = 0.1) -> list[tuple[int, str, float, float]]:
    random = np.random.default_rng(seed)
    weights = random.choice([10.0, 40.0], count)
    bad = random.random(count) < rate
    regions = random.choice(["ID", "TH"], count)
    return [(i % REPLICATES, str(regions[i]), float(weights[i]), float(weights[i] * bad[i])) for i in range(count)]


def as_values(sample: list[tuple[int, str, float, float]]) -> str:
    return ", ".join(f"({i}, {g}, '{r}', {w}, {b}, date '2026-01-05')" for i, (g, r, w, b) in enumerate(sample))


def jackknife(sample: list[tuple[int, str, float, float]]) -> tuple[float, float]:
    """The definition itself: leave each group out in turn."""
    total, bad = sum(row[2] for row in sample), sum(row[3] for row in sample)
    spread = 0.0
    for group in range(REPLICATES):
        rest = [row for row in sample if row[0] != group]
        spread += (sum(row[3] for row in rest) / sum(row[2] for row in rest) - bad / total) ** 2
    return bad / total, (REPLICATES - 1) / REPLICATES * spread


def test_the_interval_is_the_jackknife_of_the_slice(tmp_path: Path) -> None:
    sample = draw(1)
    result = build(tmp_path, as_values(sample)).query(["bad_rate"], group_by=["review__region"])
    for row, interval in zip(result.to_arrow().to_pylist(), result.intervals["bad_rate"], strict=True):
        estimate, variance = jackknife([r for r in sample if r[1] == row["review__region"]])
        assert row["bad_rate"] == pytest.approx(estimate)
        reach = student.ppf(0.975, REPLICATES - 1) * math.sqrt(variance) / (estimate * (1 - estimate))
        centre = math.log(estimate / (1 - estimate))
        assert interval is not None
        assert interval.low == pytest.approx(1 / (1 + math.exp(reach - centre)))
        assert interval.high == pytest.approx(1 / (1 + math.exp(-reach - centre)))


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """500 samples at a true rate of 10 %: nominal 95 %, accepted from 92 % to 98 %."""
    covered = 0
    for seed in range(500):
        sample = draw(seed)
        interval = bound_proportion(*jackknife(sample), replicates=REPLICATES)
        covered += interval is not None and interval.low <= 0.1 <= interval.high
    assert 0.92 <= covered / 500 <= 0.98


def test_a_part_with_a_filter_of_its_own_has_an_interval_too(tmp_path: Path) -> None:
    """The share of the weight that is in ID, by the same jackknife."""
    sample = draw(4)
    result = build(tmp_path, as_values(sample)).query(["id_share"])
    _, variance = jackknife([(g, r, w, w if r == "ID" else 0.0) for g, r, w, _ in sample])
    share = result.to_arrow().column("id_share").to_pylist()[0]
    expected = bound_proportion(share, variance, REPLICATES)
    (interval,) = result.intervals["id_share"]
    assert interval is not None
    assert expected is not None
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("value", [1.7, -0.3, float("nan")])
def test_what_is_no_proportion_has_no_interval(value: float) -> None:
    assert bound_proportion(value, 0.01, REPLICATES) is None


def test_a_few_groups_have_no_interval() -> None:
    assert bound_proportion(0.3, 0.01, 5) is None
    assert bound_proportion(0.0, None, 5) is None


@pytest.mark.parametrize("clusters", [6, 10, 20])
def test_intervals_of_few_large_clusters_cover_the_truth(clusters: int) -> None:
    """Clusters of 20 that are alike inside, a tenth to a third bad: coverage of 400 draws at 90 % or more."""
    covered = 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        rates = random.beta(3, 7, clusters)
        sample = [
            (g, "ID", 1.0, float(bad)) for g in range(clusters) for bad in random.random(20) < rates[g]
        ]  # fmt: skip
        estimate = sum(row[3] for row in sample) / len(sample)
        spread = sum(
            (sum(r[3] for r in sample if r[0] != g) / (len(sample) - 20) - estimate) ** 2 for g in range(clusters)
        )
        interval = bound_proportion(estimate, (REPLICATES - 1) / REPLICATES * spread, clusters)
        covered += interval is not None and interval.low <= 0.3 <= interval.high
    assert covered / 400 >= 0.9


def test_none_seen_in_whole_clusters_still_covers_the_truth() -> None:
    """10 clusters that are all bad or all good, 3 % bad: where none is seen the bound must hold the 3 %."""
    interval = bound_proportion(0.0, None, 10)
    assert interval is not None
    assert interval.high >= 0.3


def test_none_seen_is_an_upper_bound_never_zero(tmp_path: Path) -> None:
    sample = [(group, region, weight, 0.0) for group, region, weight, _ in draw(2, count=100)]
    result = build(tmp_path, as_values(sample)).query(["bad_rate"])
    (interval,) = result.intervals["bad_rate"]
    assert interval is not None
    assert interval.low == 0.0
    assert interval.high == pytest.approx(1 - 0.025 ** (1 / REPLICATES))


def test_one_group_alone_has_no_interval(tmp_path: Path) -> None:
    sample = [(3, "ID", 10.0, 10.0 * (i < 3)) for i in range(30)]
    result = build(tmp_path, as_values(sample)).query(["bad_rate"])
    assert result.to_arrow().column("bad_rate").to_pylist() == [0.1]
    assert result.intervals["bad_rate"] == (None,)


def test_too_few_reviews_have_neither_value_nor_interval(tmp_path: Path) -> None:
    sample = [(i, "ID", 10.0, 10.0 * (i < 1)) for i in range(4)]
    result = build(tmp_path, as_values(sample)).query(["bad_rate"])
    assert result.to_arrow().column("bad_rate").to_pylist() == [None]
    assert result.intervals["bad_rate"] == (None,)
    assert result.provenance.nulls == {"bad_rate": "1 of 1 values stand on fewer than 5 reviews"}


def test_an_interval_asked_of_no_ratio_is_the_authors_error(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="a ratio of two sums over sampled rows"):
        build(tmp_path, as_values(draw(3))).query(["not_a_ratio"])
