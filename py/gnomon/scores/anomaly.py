"""The oddness of a creator among its peers: an Isolation Forest over behaviour, walked forward.

At every cut T a forest is fitted on as_of_at in (T - window, T] and scores only as_of_at in
(T, next cut]. It reads behaviour only, no decisions and no reports: it is to see what they miss.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from gnomon.scores.cuts import Cut, find_term, list_cuts, name_version, strip_zone
from gnomon.scores.features import FEATURES, KEY, PEER, require_columns
from gnomon.scores.peers import fit_peer_scale
from gnomon.scores.reasons import REASON_COLUMNS, word_reasons

MODEL_NAME = "creator_anomaly"
BEHAVIOUR = tuple(feature for feature in FEATURES if not feature.is_record)
NAMES = [feature.name for feature in BEHAVIOUR]

SCORE_TYPES = {
    "creator_id": "str",
    **dict.fromkeys(REASON_COLUMNS, "str"),
    "model_name": "str",
    "model_version": "str",
    "anomaly_score": "float64",
    "as_of_at": "datetime64[us]",
    "scored_at": "datetime64[us]",
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnomalySettings:
    """What a version is made with; all of it is in the hash of the version's name.

    Of more than `max_fit_rows` rows so many are taken, evenly spaced in time. Distances are
    clipped at `clip` spreads, and a reason is at least `min_reason` spreads away.
    """

    cut_days: int = 14
    window_days: int = 56
    min_fit_rows: int = 500
    max_fit_rows: int = 50_000
    min_peer_rows: int = 100
    tree_count: int = 100
    rows_per_tree: int = 256
    clip: float = 10.0
    min_reason: float = 2.0


def score(
    features: pd.DataFrame,
    clock: datetime,
    *,
    seed: int,
    settings: AnomalySettings = AnomalySettings(),
    after: datetime | None = None,
) -> pd.DataFrame:
    """Return one row per creator and as_of_at after the first cut with enough rows before it.

    With `after`, only later moments are scored, and `features` need begin only at `first_read`.

    anomaly_score is the share of rows of the fitting window that are not odder: 0 to 1, 1 is the
    oddest. reason_1 to reason_3 name the features farthest from the peers' median; they
    describe the creator, they are not taken from the forest. scored_at is the as_of_at.
    DefinitionError if a column is missing. Source: Liu, Ting and Zhou 2008.
    """
    require_columns(features, [*KEY, PEER, *NAMES], "feat_creator__daily")
    clock = strip_zone(clock)
    rows = features[features["as_of_at"] <= clock].sort_values(list(KEY[::-1]), kind="stable")
    cuts = list_cuts(rows["as_of_at"].min(), clock, settings.cut_days) if len(rows) else ()
    if after is not None:
        cuts = tuple(cut for cut in cuts if cut.scores_until_at > after)
    parts = [part for cut in cuts if len(part := _score_cut(cut, rows, after, seed, settings))]
    if not parts and (after is None or rows["as_of_at"].max() > after):
        _log.warning(
            "%s: no scores: no cut has %d feature rows in the %d days before it",
            MODEL_NAME,
            settings.min_fit_rows,
            settings.window_days,
        )
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in SCORE_TYPES.items()})
    scores = pd.concat(parts, ignore_index=True) if parts else empty
    return scores.sort_values(list(KEY[::-1]), kind="stable", ignore_index=True)


def first_read(after: datetime, settings: AnomalySettings = AnomalySettings()) -> datetime:
    """Return the moment after which feature rows are read to score the moments after `after`."""
    return find_term(strip_zone(after), settings.cut_days).trained_at - timedelta(days=settings.window_days)


def _score_cut(
    cut: Cut, rows: pd.DataFrame, after: datetime | None, seed: int, settings: AnomalySettings
) -> pd.DataFrame:
    from sklearn.ensemble import IsolationForest

    moments = rows["as_of_at"]
    window_from = cut.trained_at - timedelta(days=settings.window_days)
    past = rows[(moments > window_from) & (moments <= cut.trained_at)]
    asked_from = cut.trained_at if after is None else max(cut.trained_at, after)
    asked = rows[(moments > asked_from) & (moments <= cut.scores_until_at)]
    if len(past) < settings.min_fit_rows:
        asked = asked.iloc[:0]
    if not len(asked):
        return asked
    if len(past) > settings.max_fit_rows:
        past = past.iloc[np.linspace(0, len(past) - 1, settings.max_fit_rows).astype(np.int64)]
    scale = fit_peer_scale(past, BEHAVIOUR, settings.min_peer_rows, settings.clip)
    forest = IsolationForest(
        n_estimators=settings.tree_count,
        max_samples=min(settings.rows_per_tree, len(past)),
        random_state=seed,
        n_jobs=1,
    )
    distances = scale.measure(asked)
    usual = scale.measure(past)
    forest.fit(usual)
    far = np.abs(distances)
    reasons = word_reasons(asked, np.where(far >= settings.min_reason, far, 0.0), BEHAVIOUR)
    columns = {
        "creator_id": asked["creator_id"].to_numpy(),
        **reasons,
        "model_name": MODEL_NAME,
        "model_version": name_version(MODEL_NAME, cut.trained_at, asdict(settings), seed, NAMES),
        "anomaly_score": _rank_among(-forest.score_samples(distances), -forest.score_samples(usual)),
        "as_of_at": asked["as_of_at"].to_numpy(),
        "scored_at": asked["as_of_at"].to_numpy(),
    }
    return pd.DataFrame(columns, columns=list(SCORE_TYPES)).astype(SCORE_TYPES)


def _rank_among(values: npt.NDArray[np.float64], usual: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return per value the share of `usual` that is not greater."""
    return np.asarray(np.searchsorted(np.sort(usual), values, side="right") / len(usual), dtype=np.float64)
