"""Intervals of sampled rates: against the jackknife worked out directly, and their coverage."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from scipy.stats import t as student

from gnomon import Engine
from gnomon.core.errors import DefinitionError
from gnomon.measurement import Interval, bound_difference, bound_proportion
from tests.manifests import derived, measure, ratio, semantic_model, simple, write_manifest

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


def filled(name: str, region: str, value: int) -> dict[str, Any]:
    metric = simple(name, "weight", where=f"{{{{ Dimension('review__region') }}}} = '{region}'")
    metric["type_params"]["measure"]["fill_nulls_with"] = value
    return metric


METRICS = [
    simple("reviews"),
    simple("weight"),
    simple("bad_weight"),
    simple("id_weight", "weight", where="{{ Dimension('review__region') }} = 'ID'"),
    ratio("id_share", "id_weight", "weight", **META),
    filled("id_weight_or_0", "ID", 0),
    filled("my_weight_or_0", "MY", 0),
    filled("my_weight_or_1", "MY", 1),
    ratio("id_share_or_0", "id_weight_or_0", "weight", **META),
    ratio("my_share_or_0", "my_weight_or_0", "weight", **META),
    ratio("my_share_or_1", "my_weight_or_1", "weight", **META),
    ratio("bad_rate", "bad_weight", "weight", **META),
    derived("good_rate", "1 - 1.0 * bad_weight / weight", ["bad_weight", "weight"], **META),
    simple("not_a_ratio", "weight", **META),
]


def build(folder: Path, rows: str, name: str = "small") -> Engine:
    with duckdb.connect(str(folder / f"{name}.duckdb")) as connection:
        connection.execute(f"create table reviews as select * from (values {rows})"
                           " as t(review_id, replicate_group, region, weight, bad_weight, item_date)")  # fmt: skip
        connection.execute("create table days as select date '2025-12-31' + n::integer as date_day from range(60) t(n)")
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


@pytest.mark.parametrize("metric", ["id_share", "id_share_or_0"])
def test_a_part_with_a_filter_of_its_own_has_an_interval_too(metric: str, tmp_path: Path) -> None:
    """The share of the weight that is in ID, by the same jackknife."""
    sample = draw(4)
    result = build(tmp_path, as_values(sample)).query([metric])
    _, variance = jackknife([(g, r, w, w if r == "ID" else 0.0) for g, r, w, _ in sample])
    share = result.to_arrow().column(metric).to_pylist()[0]
    expected = bound_proportion(share, variance, REPLICATES)
    (interval,) = result.intervals[metric]
    assert interval is not None
    assert expected is not None
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_a_part_of_no_rows_that_is_0_has_the_interval_of_a_rate_of_0(tmp_path: Path) -> None:
    result = build(tmp_path, as_values(draw(4))).query(["my_share_or_0"])
    expected = bound_proportion(0.0, 0.0, REPLICATES)
    (interval,) = result.intervals["my_share_or_0"]
    assert result.to_arrow().column("my_share_or_0").to_pylist() == [0.0]
    assert interval is not None
    assert expected is not None
    assert (interval.low, interval.high) == (expected.low, expected.high) == (0.0, pytest.approx(expected.high))


def test_a_part_with_another_fill_than_0_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="without a fill but 0"):
        build(tmp_path, as_values(draw(4))).query(["my_share_or_1"])


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


Sample = list[tuple[int, str, float, float]]


def two_weeks(seed: int, before: float, now: float, count: int = 400) -> tuple[Sample, Sample]:
    return draw(seed, count, before), draw(seed + 10_000, count, now)


def as_weeks(before: Sample, now: Sample) -> str:
    dated = [(row, "2026-01-05") for row in before] + [(row, "2026-01-12") for row in now]
    return ", ".join(f"({i}, {g}, '{r}', {w}, {b}, date '{day}')" for i, ((g, r, w, b), day) in enumerate(dated))


def rate(sample: Sample) -> float:
    return sum(row[3] for row in sample) / sum(row[2] for row in sample)


def jackknife_of(formula: Callable[[float, float], float], before: Sample, now: Sample) -> tuple[float, float]:
    """Leave each replicate group out of both weeks at once."""
    whole = formula(rate(before), rate(now))
    left_out = [
        formula(rate([row for row in before if row[0] != group]), rate([row for row in now if row[0] != group]))
        for group in range(REPLICATES)
    ]
    return whole, (REPLICATES - 1) / REPLICATES * sum((each - whole) ** 2 for each in left_out)


def bounds(interval: Interval | None) -> tuple[float, float]:
    assert interval is not None
    return interval.low, interval.high


@pytest.mark.parametrize("is_by_week", [True, False])
def test_what_a_rate_was_and_how_it_changed_have_intervals_of_their_own(tmp_path: Path, is_by_week: bool) -> None:
    before, now = two_weeks(5, 0.1, 0.3)
    words = ["bad_rate__previous", "bad_rate__change", "bad_rate__growth"]
    asked: dict[str, Any] = {"group_by": ["metric_time__week"]} if is_by_week else {}
    engine = build(tmp_path, as_weeks(before, now))
    result = engine.query(["bad_rate", *words], start="2026-01-12", end="2026-01-18", **asked)
    _, variance = jackknife(before)
    found = {word: bounds(result.intervals[word][0]) for word in words}
    assert found["bad_rate__previous"] == pytest.approx(bounds(bound_proportion(rate(before), variance, REPLICATES)))
    change = jackknife_of(lambda then, today: today - then, before, now)
    assert found["bad_rate__change"] == pytest.approx(bounds(bound_difference(*change, REPLICATES)))
    growth = jackknife_of(lambda then, today: (today - then) / then, before, now)
    assert found["bad_rate__growth"] == pytest.approx(bounds(bound_difference(*growth, REPLICATES)))


def test_a_rate_of_all_groups_has_the_interval_of_all(tmp_path: Path) -> None:
    sample = draw(6)
    result = build(tmp_path, as_values(sample)).query(["bad_rate__total"], group_by=["review__region"])
    expected = bounds(bound_proportion(*jackknife(sample), REPLICATES))
    assert [bounds(each) for each in result.intervals["bad_rate__total"]] == [pytest.approx(expected)] * 2


def test_the_rate_of_the_others_has_the_interval_of_their_rows(tmp_path: Path) -> None:
    sample = draw(7)
    result = build(tmp_path, as_values(sample)).query(["bad_rate"], group_by=["review__region"], top=1)
    first = result.to_arrow()["review__region"][0].as_py()
    for row, interval in zip(result.to_arrow().to_pylist(), result.intervals["bad_rate"], strict=True):
        kept = [each for each in sample if (each[1] != first) == row["is_other"]]
        assert bounds(interval) == pytest.approx(bounds(bound_proportion(*jackknife(kept), REPLICATES)))


def test_a_formula_over_sampled_sums_has_the_interval_of_its_own_jackknife(tmp_path: Path) -> None:
    sample = draw(8)
    result = build(tmp_path, as_values(sample)).query(["good_rate"])
    estimate, variance = jackknife(sample)
    (interval,) = result.intervals["good_rate"]
    assert bounds(interval) == pytest.approx(bounds(bound_difference(1 - estimate, variance, REPLICATES)))


def test_intervals_of_a_change_cover_it_about_as_often_as_they_say() -> None:
    """500 pairs of weeks at 10 % and 20 %, the same clusters in both: nominal 95 %, accepted from 92 % to 98 %."""
    covered = 0
    for seed in range(500):
        change, variance = jackknife_of(lambda then, today: today - then, *two_weeks(seed, 0.1, 0.2))
        interval = bound_difference(change, variance, REPLICATES)
        covered += interval is not None and interval.low <= 0.1 <= interval.high
    assert 0.92 <= covered / 500 <= 0.98


def test_a_change_without_spread_has_no_interval() -> None:
    assert bound_difference(0.0, 0.0, REPLICATES) is None
    assert bound_difference(0.1, 0.01, 5) is None
