"""The risk of a creator: the calibrated probability of an upheld violation on the next posts.

Walked forward. At every training cut T a version is made from rows whose horizon and label
delay ended by T, labelled as known at T; it scores only as_of_at in (T, next cut]. The rows that
it may use are split by time: the older part fits the trees, the newest part calibrates them, and
a gap as long as the horizon lies between, so that no violation is in the labels of both.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gnomon.scores.calibration import Platt, fit_platt, measure_auc, measure_calibration_error
from gnomon.scores.cuts import Cut, list_cuts, name_version, strip_zone
from gnomon.scores.features import FEATURES, KEY, PEER, require_columns
from gnomon.scores.labels import VIOLATION_COLUMNS, label_rows
from gnomon.scores.reasons import REASON_COLUMNS, word_reasons

MODEL_NAME = "creator_risk"
NAMES = [feature.name for feature in FEATURES]

SCORE_TYPES = {
    "creator_id": "str",
    **dict.fromkeys(REASON_COLUMNS, "str"),
    "model_name": "str",
    "model_version": "str",
    "risk_score": "float64",
    "as_of_at": "datetime64[us]",
    "scored_at": "datetime64[us]",
}
RUN_TYPES = {
    "model_name": "str",
    "model_version": "str",
    "status": "str",
    "reason": "str",
    "model_json": "str",
    "fit_row_count": "int64",
    "fit_positive_count": "int64",
    "holdout_row_count": "int64",
    "holdout_positive_count": "int64",
    "outcome_row_count": "int64",
    "outcome_positive_count": "int64",
    "calibration_slope": "float64",
    "calibration_intercept": "float64",
    "holdout_auc": "float64",
    "outcome_auc": "float64",
    "outcome_calibration_error": "float64",
    "trained_at": "datetime64[us]",
    "scores_until_at": "datetime64[us]",
}

_NO_ROWS = "there are no feature rows; they begin 28 days after the first content was known"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RiskSettings:
    """What a version is made with; all of it is in the hash of the version's name.

    maturity_days is 7 for the decision and 14 for the window of appeal. One thread, because
    the order of sums, and so the last digits of a score, would hang on their number.
    """

    cut_days: int = 14
    horizon_days: int = 14
    maturity_days: int = 21
    holdout_share: float = 0.25
    min_fit_positives: int = 50
    min_holdout_positives: int = 10
    tree_count: int = 60
    max_depth: int = 3
    learning_rate: float = 0.06
    min_child_weight: float = 5.0
    row_share: float = 0.8
    feature_share: float = 0.7
    thread_count: int = 1

    @property
    def horizon(self) -> timedelta:
        """How far ahead a row looks for its label."""
        return timedelta(days=self.horizon_days)

    @property
    def delay(self) -> timedelta:
        """From a row's as_of_at to the moment at which its label is taken as final."""
        return timedelta(days=self.horizon_days + self.maturity_days)


@dataclass(frozen=True)
class _Rows:
    """Feature rows with their labels."""

    frame: pd.DataFrame
    labels: npt.NDArray[np.bool_]

    @property
    def positive_count(self) -> int:
        return int(self.labels.sum())


def score(
    features: pd.DataFrame,
    violations: pd.DataFrame,
    clock: datetime,
    *,
    seed: int,
    settings: RiskSettings = RiskSettings(),
) -> pd.DataFrame:
    """Return one row per creator and as_of_at that some version may score; see `train` and `apply`."""
    return apply(features, train(features, violations, clock, seed=seed, settings=settings))


def train(
    features: pd.DataFrame,
    violations: pd.DataFrame,
    clock: datetime,
    *,
    seed: int,
    settings: RiskSettings = RiskSettings(),
    earlier: pd.DataFrame | None = None,
    first_at: datetime | None = None,
) -> pd.DataFrame:
    """Return one row per training cut before `clock`: the version made, or why none was.

    `features` are rows of feat_creator__daily, `violations` of int_violations__dated. The
    outcome columns compare the version's own scores with labels that have matured by `clock`;
    they are empty until some have. DefinitionError if a column is missing.

    `earlier` are the runs of an earlier clock: what they made is kept as it is. `features` need then
    only be those of `find_read_span`, and `first_at` says what their first as_of_at is, read or not.
    """
    require_columns(features.columns, [*KEY, PEER, *NAMES], "feat_creator__daily")
    require_columns(violations.columns, VIOLATION_COLUMNS, "int_violations__dated")
    clock = strip_zone(clock)
    rows = features[features["as_of_at"] <= clock].sort_values(list(KEY[::-1]), kind="stable")
    if first_at is None and len(rows):
        first_at = rows["as_of_at"].min()
    made = _list_made(earlier)
    runs = [
        _run_cut(cut, made.get(_name(cut, seed, settings)), rows, violations, clock, seed, settings)
        for cut in _list_terms(first_at, clock, settings)
    ]
    if not any(run["status"] == "trained" for run in runs):
        _log.warning("%s: no version could be trained, so there are no scores: %s", MODEL_NAME, runs[-1]["reason"])
    return pd.DataFrame(runs, columns=list(RUN_TYPES)).astype(RUN_TYPES)


def find_read_span(
    earlier: pd.DataFrame,
    first_at: datetime | None,
    clock: datetime,
    *,
    seed: int,
    settings: RiskSettings = RiskSettings(),
) -> tuple[datetime, datetime] | None:
    """Return the moments after and until which `train` reads feature rows; None if it trains, and reads all of them.

    Without training it only measures how the versions made so far fared, on rows whose labels are final.
    """
    made = _list_made(earlier)
    clock = strip_zone(clock)
    if any(_name(cut, seed, settings) not in made for cut in _list_terms(first_at, clock, settings)):
        return None
    trained = [run["trained_at"] for run in made.values() if run["status"] == "trained"]
    return min(trained, default=clock), clock - settings.delay


def apply(features: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of every trained version in `runs`, each for its own dates only.

    risk_score is a probability; reason_1 to reason_3 name the features that raised it most (Shapley
    values of the trees, exact). scored_at is the as_of_at: the moment whose knowledge the score has.
    """
    require_columns(features.columns, [*KEY, PEER, *NAMES], "feat_creator__daily")
    parts = [_apply_version(features, run) for run in runs.to_dict("records") if run["status"] == "trained"]
    scores = pd.concat([_empty_scores(), *parts], ignore_index=True) if parts else _empty_scores()
    return scores.astype(SCORE_TYPES).sort_values(list(KEY[::-1]), kind="stable", ignore_index=True)


def _list_terms(first_at: datetime | None, clock: datetime, settings: RiskSettings) -> tuple[Cut, ...]:
    # One term back at least, so that there is a cut to say why there are no scores.
    last_term_at = clock - timedelta(days=settings.cut_days)
    return list_cuts(last_term_at if first_at is None else min(first_at, last_term_at), clock, settings.cut_days)


def _name(cut: Cut, seed: int, settings: RiskSettings) -> str:
    return name_version(MODEL_NAME, cut.trained_at, asdict(settings), seed, NAMES)


def _list_made(earlier: pd.DataFrame | None) -> dict[str, dict[str, Any]]:
    """Return the earlier runs by version; a run that only lacked feature rows is made again, they may have come."""
    if earlier is None:
        return {}
    return {run["model_version"]: run for run in earlier.to_dict("records") if run["reason"] != _NO_ROWS}


def _run_cut(
    cut: Cut,
    made: dict[str, Any] | None,
    rows: pd.DataFrame,
    violations: pd.DataFrame,
    clock: datetime,
    seed: int,
    settings: RiskSettings,
) -> dict[str, object]:
    if made is not None:
        return (
            made
            if made["status"] != "trained"
            else {**made, **_measure_made(cut, made, rows, violations, clock, settings)}
        )
    fit, holdout = _split_known(cut, rows, violations, settings)
    run: dict[str, object] = {
        "model_name": MODEL_NAME,
        "model_version": _name(cut, seed, settings),
        "status": "skipped",
        "reason": _explain_skip(rows, fit, holdout, settings),
        "fit_row_count": len(fit.frame),
        "fit_positive_count": fit.positive_count,
        "holdout_row_count": len(holdout.frame),
        "holdout_positive_count": holdout.positive_count,
        "outcome_row_count": 0,
        "outcome_positive_count": 0,
        "trained_at": cut.trained_at,
        "scores_until_at": cut.scores_until_at,
    }
    if run["reason"] is not None:
        return run
    booster = _fit_trees(fit, seed, settings)
    margins = _predict_margins(booster, holdout.frame)
    platt = fit_platt(margins, holdout.labels)
    run["holdout_auc"] = measure_auc(margins, holdout.labels)
    if platt.slope <= 0:
        return {**run, "reason": "the trees rank the held-out rows no better than chance, so they were not used"}
    trained = {
        "status": "trained",
        "calibration_slope": platt.slope,
        "calibration_intercept": platt.intercept,
        "model_json": booster.save_raw("json").decode(),
    }
    return {**run, **trained, **_measure_outcome(cut, rows, violations, clock, settings, booster, platt)}


def _split_known(cut: Cut, rows: pd.DataFrame, violations: pd.DataFrame, settings: RiskSettings) -> tuple[_Rows, _Rows]:
    """Return the rows to fit and the rows to calibrate with, both final and labelled as known at the cut."""
    known = rows[rows["as_of_at"] <= cut.trained_at - settings.delay]
    dates = np.sort(known["as_of_at"].unique())
    if not len(dates):
        return _label(known, violations, cut, settings), _label(known, violations, cut, settings)
    holdout_from = pd.Timestamp(dates[-max(1, int(np.ceil(settings.holdout_share * len(dates))))])
    fit = known[known["as_of_at"] <= holdout_from - settings.horizon]
    holdout = known[known["as_of_at"] >= holdout_from]
    return _label(fit, violations, cut, settings), _label(holdout, violations, cut, settings)


def _label(frame: pd.DataFrame, violations: pd.DataFrame, cut: Cut, settings: RiskSettings) -> _Rows:
    return _Rows(frame, label_rows(frame, violations, cut.trained_at, settings.horizon))


def _explain_skip(rows: pd.DataFrame, fit: _Rows, holdout: _Rows, settings: RiskSettings) -> str | None:
    """Return why a version cannot be trained on these rows, or None if it can."""
    if not len(rows):
        return _NO_ROWS
    if not len(holdout.frame):
        return f"no row has a final label yet: it takes {settings.delay.days} days"
    if not len(fit.frame):
        return f"the rows with final labels span too few days to hold some out {settings.horizon_days} days later"
    for purpose, part, least in (
        ("fit", fit, settings.min_fit_positives),
        ("calibrate", holdout, settings.min_holdout_positives),
    ):
        if part.positive_count < least:
            return f"{part.positive_count} positive rows to {purpose} with, at least {least} are needed"
        if part.labels.all():
            return f"all {len(part.frame)} rows to {purpose} with are positive, so there is nothing to tell apart"
    return None


def _fit_trees(rows: _Rows, seed: int, settings: RiskSettings) -> Any:
    import xgboost

    parameters = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "max_depth": settings.max_depth,
        "learning_rate": settings.learning_rate,
        "min_child_weight": settings.min_child_weight,
        "subsample": settings.row_share,
        "colsample_bytree": settings.feature_share,
        # Given, because the estimated one changes the meaning of the margin between versions.
        "base_score": 0.5,
        "nthread": settings.thread_count,
        "seed": seed,
        "verbosity": 0,
    }
    return xgboost.train(parameters, _build_matrix(rows.frame, rows.labels), settings.tree_count)


def _build_matrix(frame: pd.DataFrame, labels: npt.NDArray[np.bool_] | None = None) -> Any:
    import xgboost

    values = frame[NAMES].to_numpy(dtype=np.float64)
    return xgboost.DMatrix(values, label=labels, feature_names=NAMES, nthread=1)


def _predict_margins(booster: Any, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    return np.asarray(booster.predict(_build_matrix(frame), output_margin=True), dtype=np.float64)


def _measure_outcome(
    cut: Cut,
    rows: pd.DataFrame,
    violations: pd.DataFrame,
    clock: datetime,
    settings: RiskSettings,
    booster: Any,
    platt: Platt,
) -> dict[str, object]:
    """Return how the version's own scores fared, over the rows whose labels are final by the clock."""
    scored = _select_scored(rows, cut)
    final = scored[scored["as_of_at"] <= clock - settings.delay]
    labels = label_rows(final, violations, clock, settings.horizon)
    probabilities = platt.calibrate(_predict_margins(booster, final)) if len(final) else np.empty(0)
    return {
        "outcome_row_count": len(final),
        "outcome_positive_count": int(labels.sum()),
        "outcome_auc": measure_auc(probabilities, labels),
        "outcome_calibration_error": measure_calibration_error(probabilities, labels),
    }


def _measure_made(
    cut: Cut,
    made: dict[str, Any],
    rows: pd.DataFrame,
    violations: pd.DataFrame,
    clock: datetime,
    settings: RiskSettings,
) -> dict[str, object]:
    platt = Platt(made["calibration_slope"], made["calibration_intercept"])
    return _measure_outcome(cut, rows, violations, clock, settings, _load_trees(made), platt)


def _load_trees(run: dict[str, Any]) -> Any:
    import xgboost

    return xgboost.Booster({"nthread": 1}, model_file=bytearray(run["model_json"].encode()))


def _select_scored(rows: pd.DataFrame, cut: Cut) -> pd.DataFrame:
    return rows[(rows["as_of_at"] > cut.trained_at) & (rows["as_of_at"] <= cut.scores_until_at)]


def _apply_version(features: pd.DataFrame, run: dict[str, Any]) -> pd.DataFrame:
    rows = _select_scored(features, Cut(run["trained_at"], run["scores_until_at"]))
    if not len(rows):
        return _empty_scores()
    booster = _load_trees(run)
    platt = Platt(run["calibration_slope"], run["calibration_intercept"])
    contributions = booster.predict(_build_matrix(rows), pred_contribs=True)
    # The last column is the bias; the sum of a row is its margin.
    reasons = word_reasons(rows, np.asarray(contributions[:, :-1], dtype=np.float64), FEATURES)
    columns = {
        "creator_id": rows["creator_id"].to_numpy(),
        **reasons,
        "model_name": run["model_name"],
        "model_version": run["model_version"],
        "risk_score": platt.calibrate(_predict_margins(booster, rows)),
        "as_of_at": rows["as_of_at"].to_numpy(),
        "scored_at": rows["as_of_at"].to_numpy(),
    }
    return pd.DataFrame(columns, columns=list(SCORE_TYPES)).astype(SCORE_TYPES)


def _empty_scores() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in SCORE_TYPES.items()})
