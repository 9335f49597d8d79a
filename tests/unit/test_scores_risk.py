"""The risk score: nothing later than a cut goes into it, and it says why where there is none."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from gnomon.core.errors import DefinitionError
from gnomon.scores import risk
from gnomon.scores.cuts import list_cuts, name_version
from gnomon.scores.features import FEATURES
from gnomon.scores.labels import label_rows

FIRST = datetime(2026, 3, 30)
CLOCK = datetime(2026, 9, 1)
SETTINGS = risk.RiskSettings(tree_count=30)
SEED = 5
DAYS = (CLOCK - FIRST).days + 1


def draw_creators(seed: int = 3, creators: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Daily features and violations, where creators who repeat captions break rules more often."""
    rng = np.random.Generator(np.random.Philox(seed))
    badness = rng.random(creators) ** 2
    days = pd.date_range(FIRST, periods=DAYS, unit="us")
    features = pd.DataFrame(
        {
            "creator_id": np.repeat([f"c{number:02d}" for number in range(creators)], DAYS),
            "as_of_at": np.tile(days, creators),
            "creator_tier": np.repeat(rng.choice(["new", "gold"], creators), DAYS),
        }
    )
    for feature in FEATURES:
        features[feature.name] = rng.random(len(features)) if feature.kind == "rate" else rng.poisson(3, len(features))
    features["duplicate_caption_rate_28d"] = np.clip(np.repeat(badness, DAYS) + rng.normal(0, 0.1, len(features)), 0, 1)
    count = 700
    who = rng.choice(creators, count, p=badness / badness.sum())
    posted = np.datetime64(FIRST, "us") + rng.integers(0, DAYS * 86400, count).astype("timedelta64[s]")
    upheld = posted + rng.integers(14 * 86400, 20 * 86400, count).astype("timedelta64[s]")
    violations = pd.DataFrame(
        {"creator_id": [f"c{number:02d}" for number in who], "posted_at": posted, "upheld_at": upheld}
    )
    violations["reversed_at"] = (violations["upheld_at"] + timedelta(days=9)).where(rng.random(count) < 0.1)
    return features, violations


@pytest.fixture(scope="module")
def drawn() -> tuple[pd.DataFrame, pd.DataFrame]:
    return draw_creators()


@pytest.fixture(scope="module")
def runs(drawn: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    return risk.train(*drawn, CLOCK, seed=SEED, settings=SETTINGS)


@pytest.fixture(scope="module")
def scores(drawn: tuple[pd.DataFrame, pd.DataFrame], runs: pd.DataFrame) -> pd.DataFrame:
    return risk.apply(drawn[0], runs)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_that_happens_after_a_moment_changes_a_score_before_it(
    drawn: tuple[pd.DataFrame, pd.DataFrame], scores: pd.DataFrame, seed: int
) -> None:
    rng = np.random.Generator(np.random.Philox(seed))
    moment = FIRST + timedelta(days=int(rng.integers(80, DAYS - 10)))
    features, violations = (frame.copy() for frame in drawn)
    later = features["as_of_at"] > moment
    columns = [feature.name for feature in FEATURES]
    features.loc[later, columns] = rng.permutation(features.loc[later, columns].to_numpy())
    for column in ("upheld_at", "reversed_at"):
        is_later = violations[column] > moment
        violations.loc[is_later & (rng.random(len(violations)) < 0.5), column] = pd.NaT
    invented = pd.DataFrame(
        {
            "creator_id": rng.choice(features["creator_id"].unique(), 50),
            "posted_at": pd.Timestamp(FIRST + timedelta(days=9)),
            "upheld_at": pd.Timestamp(moment + timedelta(seconds=1)),
            "reversed_at": pd.NaT,
        }
    ).astype(violations.dtypes.to_dict())
    changed = risk.score(features, pd.concat([violations, invented]), CLOCK, seed=SEED, settings=SETTINGS)
    before = scores[scores["as_of_at"] <= moment]
    assert len(before) > 100
    pd.testing.assert_frame_equal(changed[changed["as_of_at"] <= moment], before)
    assert not changed["risk_score"].equals(scores["risk_score"])


def test_a_version_scores_only_dates_after_its_cut_and_until_the_next(scores: pd.DataFrame, runs: pd.DataFrame) -> None:
    joined = scores.merge(runs, on="model_version", validate="many_to_one")
    assert len(joined) == len(scores) > 0
    assert (joined["as_of_at"] > joined["trained_at"]).all()
    assert (joined["as_of_at"] <= joined["scores_until_at"]).all()
    assert (scores["scored_at"] == scores["as_of_at"]).all()
    assert not scores.duplicated(["creator_id", "as_of_at"]).any()


def test_no_row_trains_before_its_horizon_and_label_delay_have_ended(runs: pd.DataFrame) -> None:
    rows_by_cut = runs.set_index("trained_at")[["fit_row_count", "holdout_row_count"]].sum(axis=1)
    for trained_at, count in rows_by_cut.items():
        final_days = (trained_at - timedelta(days=35) - FIRST).days + 1
        gap_days = 13 if runs.set_index("trained_at")["fit_row_count"][trained_at] else 0
        assert count <= 60 * max(0, final_days - gap_days)


def test_probabilities_rank_creators_far_better_than_chance_once_outcomes_are_known(runs: pd.DataFrame) -> None:
    known = runs[runs["outcome_row_count"] > 0]
    assert len(known) >= 3
    assert (known["outcome_auc"] > 0.65).all()
    assert (known["outcome_calibration_error"] < 0.25).all()


def test_probabilities_lie_between_0_and_1_and_every_slope_rises(scores: pd.DataFrame, runs: pd.DataFrame) -> None:
    assert scores["risk_score"].between(0, 1).all()
    assert (runs.loc[runs["status"] == "trained", "calibration_slope"] > 0).all()


def test_reasons_name_features_with_their_own_value_and_that_of_peers(
    drawn: tuple[pd.DataFrame, pd.DataFrame], scores: pd.DataFrame
) -> None:
    starts = tuple(feature.words.split("{value}")[0] for feature in FEATURES)
    assert scores["reason_1"].dropna().str.startswith(starts).all()
    features = drawn[0]
    row = scores[scores["reason_1"].fillna("").str.startswith("captions that")].iloc[-1]
    same_day = features[features["as_of_at"] == row["as_of_at"]].set_index("creator_id")
    own = same_day.loc[row["creator_id"]]
    peers = same_day[same_day["creator_tier"] == own["creator_tier"]]
    feature = next(feature for feature in FEATURES if feature.name == "duplicate_caption_rate_28d")
    assert row["reason_1"] == feature.say(own[feature.name], peers[feature.name].median())


def test_a_reason_is_never_a_feature_without_a_value() -> None:
    features, violations = draw_creators()
    features["duplicate_audio_rate_28d"] = np.nan
    scores = risk.score(features, violations, CLOCK, seed=SEED, settings=SETTINGS)
    words = scores[["reason_1", "reason_2", "reason_3"]].stack()
    assert not words.str.contains("audio|nan").any()


def test_the_same_rows_in_any_order_give_the_same_scores(
    drawn: tuple[pd.DataFrame, pd.DataFrame], scores: pd.DataFrame
) -> None:
    features, violations = (frame.sample(frac=1, random_state=1) for frame in drawn)
    pd.testing.assert_frame_equal(risk.score(features, violations, CLOCK, seed=SEED, settings=SETTINGS), scores)


def test_without_labels_there_is_an_empty_typed_frame_and_a_reason(
    drawn: tuple[pd.DataFrame, pd.DataFrame], caplog: pytest.LogCaptureFixture
) -> None:
    features, violations = drawn
    with caplog.at_level(logging.WARNING):
        runs = risk.train(features, violations.iloc[:0], CLOCK, seed=SEED, settings=SETTINGS)
    scores = risk.apply(features, runs)
    assert scores.empty
    assert scores.dtypes.astype(str).to_dict() == risk.SCORE_TYPES
    assert set(runs["status"]) == {"skipped"}
    assert runs["reason"].iloc[-1] == "0 positive rows to fit with, at least 50 are needed"
    assert "no version could be trained" in caplog.text
    assert "at least 50 are needed" in caplog.text


def test_without_features_one_skipped_cut_says_so(drawn: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    runs = risk.train(drawn[0].iloc[:0], drawn[1], CLOCK, seed=SEED, settings=SETTINGS)
    assert runs.dtypes.astype(str).to_dict() == risk.RUN_TYPES
    assert runs["reason"].to_list() == [
        "there are no feature rows; they begin 28 days after the first content was known"
    ]
    assert risk.apply(drawn[0].iloc[:0], runs).empty


def test_a_missing_feature_is_named(drawn: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    with pytest.raises(DefinitionError, match="feat_creator__daily: the score needs 'view_count_7d'"):
        risk.score(drawn[0].drop(columns="view_count_7d"), drawn[1], CLOCK, seed=SEED)


def test_a_label_counts_what_was_posted_next_and_stood_upheld_as_known_then() -> None:
    """One creator, as_of_at day 10, horizon 14 days: posted in (10, 24], judged as known at a day."""
    day = pd.Timestamp(FIRST)

    def on(number: float) -> pd.Timestamp:
        return day + pd.Timedelta(days=number)

    rows = pd.DataFrame({"creator_id": ["a"], "as_of_at": [on(10)]})
    horizon = timedelta(days=14)

    def label(posted: float, upheld: float, reversed_: float | None, known: float) -> bool:
        violation = pd.DataFrame(
            {
                "creator_id": ["a"],
                "posted_at": [on(posted)],
                "upheld_at": [on(upheld)],
                "reversed_at": [pd.NaT if reversed_ is None else on(reversed_)],
            }
        )
        return bool(label_rows(rows, violation, on(known).to_pydatetime(), horizon)[0])

    assert not label(10, 30, None, 50)
    assert label(24, 40, None, 50)
    assert not label(24.5, 40, None, 50)
    assert label(12, 30, None, 30)
    assert not label(12, 30, None, 29.5)
    assert not label(12, 30, 40, 40)
    assert label(12, 30, 40, 39)


def test_cuts_lie_on_one_calendar_wherever_the_data_begin() -> None:
    early = list_cuts(datetime(2026, 1, 3), CLOCK, 14)
    late = list_cuts(datetime(2026, 4, 1), CLOCK, 14)
    assert late == tuple(cut for cut in early if cut.trained_at >= datetime(2026, 4, 1))
    assert all(cut.trained_at < CLOCK for cut in early)
    assert [cut.scores_until_at for cut in early[:-1]] == [cut.trained_at for cut in early[1:]]


def test_other_settings_or_another_seed_are_another_version() -> None:
    name = name_version("m", CLOCK, {"depth": 3}, 1, ["a"])
    assert name.startswith("m@2026-09-01+")
    others = [({"depth": 4}, 1, ["a"]), ({"depth": 3}, 2, ["a"]), ({"depth": 3}, 1, ["a", "b"])]
    assert name not in {name_version("m", CLOCK, *other) for other in others}
