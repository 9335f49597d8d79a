"""The anomaly score: fitted on the past only, ranked among it, blind to decisions."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from gnomon.scores import anomaly
from gnomon.scores.features import FEATURES
from gnomon.scores.peers import fit_peer_scale

FIRST = datetime(2026, 3, 30)
CLOCK = datetime(2026, 6, 20)
DAYS = (CLOCK - FIRST).days + 1
SETTINGS = anomaly.AnomalySettings(tree_count=40)
NAMES = [feature.name for feature in FEATURES]


@pytest.fixture(scope="module")
def features() -> pd.DataFrame:
    """50 creators alike but c00, who posts, repeats captions and shares devices far more."""
    rng = np.random.Generator(np.random.Philox(2))
    frame = pd.DataFrame(
        {
            "creator_id": np.repeat([f"c{number:02d}" for number in range(50)], DAYS),
            "as_of_at": np.tile(pd.date_range(FIRST, periods=DAYS, unit="us"), 50),
            "creator_tier": np.repeat(["new", "gold"], 25 * DAYS),
        }
    )
    for feature in FEATURES:
        frame[feature.name] = rng.random(len(frame)) if feature.kind == "rate" else rng.poisson(4.0, len(frame)) * 1.0
    is_odd = frame["creator_id"] == "c00"
    frame.loc[is_odd, "post_count_7d"] = 90
    frame.loc[is_odd, "post_count_28d"] = 300
    frame.loc[is_odd, "shared_device_account_count"] = 40
    return frame


@pytest.fixture(scope="module")
def scores(features: pd.DataFrame) -> pd.DataFrame:
    return anomaly.score(features, CLOCK, seed=1, settings=SETTINGS)


@pytest.mark.parametrize("day", [20, 41, 70])
def test_nothing_that_happens_after_a_moment_changes_a_score_before_it(
    features: pd.DataFrame, scores: pd.DataFrame, day: int
) -> None:
    moment = FIRST + timedelta(days=day)
    changed = features.copy()
    changed.loc[changed["as_of_at"] > moment, NAMES] *= 7
    again = anomaly.score(changed, CLOCK, seed=1, settings=SETTINGS)
    before = scores["as_of_at"] <= moment
    assert before.any()
    pd.testing.assert_frame_equal(again[before], scores[before])
    assert not again["anomaly_score"].equals(scores["anomaly_score"])


def test_the_odd_one_out_scores_highest_and_the_reasons_say_what_is_odd(scores: pd.DataFrame) -> None:
    assert scores["anomaly_score"].between(0, 1).all()
    odd = scores[scores["creator_id"] == "c00"]
    assert odd["anomaly_score"].median() > 0.97
    assert odd["reason_1"].str.startswith(("posts in", "other accounts")).all()
    assert "posts in 28 days: 300, peers 4" in set(odd[["reason_1", "reason_2", "reason_3"]].stack())


def test_decisions_and_reports_do_not_move_the_score(features: pd.DataFrame, scores: pd.DataFrame) -> None:
    changed = features.copy()
    changed[[feature.name for feature in FEATURES if feature.is_record]] += 50
    pd.testing.assert_frame_equal(anomaly.score(changed, CLOCK, seed=1, settings=SETTINGS), scores)


def test_a_version_scores_only_dates_after_its_cut(scores: pd.DataFrame) -> None:
    cut_at = pd.to_datetime(scores["model_version"].str.extract(r"@([\d-]+)\+")[0])
    assert (scores["as_of_at"] > cut_at).all()
    assert (scores["as_of_at"] <= cut_at + timedelta(days=14)).all()


def test_features_that_the_source_does_not_have_are_no_oddity(features: pd.DataFrame) -> None:
    scores = anomaly.score(features.assign(view_count_7d=np.nan), CLOCK, seed=1, settings=SETTINGS)
    assert scores["anomaly_score"].notna().all()
    assert not scores[["reason_1", "reason_2", "reason_3"]].stack().str.contains("views in|nan").any()


def test_too_few_rows_give_an_empty_typed_frame_and_a_reason(
    features: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        scores = anomaly.score(features.iloc[:40], CLOCK, seed=1, settings=SETTINGS)
    assert scores.empty
    assert scores.dtypes.astype(str).to_dict() == anomaly.SCORE_TYPES
    assert "no cut has 500 feature rows in the 56 days before it" in caplog.text


def test_distances_are_taken_from_the_own_tier_and_worked_by_hand() -> None:
    """Gold 0.1 0.2 0.3: median 0.2, deviation 0.1, spread 0.14826. New: all 0.5, so spread 1."""
    feature = next(feature for feature in FEATURES if feature.name == "link_rate_28d")
    rows = pd.DataFrame({"creator_tier": ["gold"] * 3 + ["new"] * 3, feature.name: [0.1, 0.2, 0.3, 0.5, 0.5, 0.5]})
    scale = fit_peer_scale(rows, [feature], min_rows=3, clip=10)
    asked = pd.DataFrame({"creator_tier": ["gold", "new", "gold"], feature.name: [0.34826, 0.75, np.nan]})
    np.testing.assert_allclose(scale.measure(asked)[:, 0], [1.0, 0.25, 0.0])
