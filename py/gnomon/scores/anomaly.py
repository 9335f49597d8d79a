"""The oddness of a creator among its peers: an Isolation Forest over behaviour, walked forward.

At every cut T a forest is fitted on as_of_at in (T - window, T] and scores only as_of_at in
(T, next cut]. It reads behaviour only, no decisions and no reports: it is to see what they miss.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from gnomon.scores.cuts import Cut, list_cuts, name_version, strip_zone
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

# One order of rows, or the same seed would draw others.
_ORDER = ", ".join(KEY[::-1])

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
    features: pd.DataFrame | duckdb.DuckDBPyRelation,
    clock: datetime,
    *,
    seed: int,
    settings: AnomalySettings = AnomalySettings(),
    after: datetime | None = None,
) -> pd.DataFrame:
    """Return one row per creator and as_of_at after the first cut with enough rows before it.

    With `after`, only later moments are scored. Of a relation no more rows are read than are fitted and scored.

    anomaly_score is the share of rows of the fitting window that are not odder: 0 to 1, 1 is the
    oddest. reason_1 to reason_3 name the features farthest from the peers' median; they
    describe the creator, they are not taken from the forest. scored_at is the as_of_at.
    DefinitionError if a column is missing. Source: Liu, Ting and Zhou 2008.
    """
    require_columns(features.columns, [*KEY, PEER, *NAMES], "feat_creator__daily")
    relation = duckdb.from_df(features) if isinstance(features, pd.DataFrame) else features
    clock = strip_zone(clock)
    rows = relation.filter(f"as_of_at <= timestamp '{clock}'")
    first_at, last_at = rows.aggregate("min(as_of_at), max(as_of_at)").fetchall()[0]
    cuts = list_cuts(first_at, clock, settings.cut_days) if first_at else ()
    if after is not None:
        cuts = tuple(cut for cut in cuts if cut.scores_until_at > after)
    parts = [part for cut in cuts if len(part := _score_cut(cut, rows, after, seed, settings))]
    if not parts and (after is None or (last_at is not None and last_at > after)):
        _log.warning(
            "%s: no scores: no cut has %d feature rows in the %d days before it",
            MODEL_NAME,
            settings.min_fit_rows,
            settings.window_days,
        )
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in SCORE_TYPES.items()})
    scores = pd.concat(parts, ignore_index=True) if parts else empty
    return scores.sort_values(list(KEY[::-1]), kind="stable", ignore_index=True)


def _score_cut(
    cut: Cut, rows: duckdb.DuckDBPyRelation, after: datetime | None, seed: int, settings: AnomalySettings
) -> pd.DataFrame:
    from sklearn.ensemble import IsolationForest

    asked_from = cut.trained_at if after is None else max(cut.trained_at, after)
    asked = _between(rows, asked_from, cut.scores_until_at).order(_ORDER).df()
    if not len(asked):
        return asked
    past = _between(rows, cut.trained_at - timedelta(days=settings.window_days), cut.trained_at)
    past_count = _count(past)
    if past_count < settings.min_fit_rows:
        return asked.iloc[:0]
    usual_rows = _spread(past, past_count, settings.max_fit_rows).order(_ORDER).df()
    scale = fit_peer_scale(usual_rows, BEHAVIOUR, settings.min_peer_rows, settings.clip)
    forest = IsolationForest(
        n_estimators=settings.tree_count,
        max_samples=min(settings.rows_per_tree, len(usual_rows)),
        random_state=seed,
        n_jobs=1,
    )
    distances = scale.measure(asked)
    usual = scale.measure(usual_rows)
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


def _between(rows: duckdb.DuckDBPyRelation, after: datetime, until: datetime) -> duckdb.DuckDBPyRelation:
    return rows.filter(f"as_of_at > timestamp '{after}' and as_of_at <= timestamp '{until}'")


def _count(rows: duckdb.DuckDBPyRelation) -> int:
    return int(rows.aggregate("count(*)").fetchall()[0][0])


def _spread(rows: duckdb.DuckDBPyRelation, row_count: int, at_most: int) -> duckdb.DuckDBPyRelation:
    """Return all rows, or of more than `at_most` so many, evenly spaced: the positions of numpy.linspace."""
    if row_count <= at_most:
        return rows
    step = (row_count - 1) / (at_most - 1)
    # Only keys are put in order, not whole rows.
    numbered = rows.project(f"{', '.join(KEY)}, row_number() over (order by {_ORDER}) - 1 as position")
    positions = f"list_transform(range({at_most - 1}), lambda number: trunc(number * cast('{step!r}' as double)))"
    wanted = rows.limit(1).project(f"cast(unnest({positions} || [{row_count - 1}]) as bigint) as position")
    picked = numbered.join(wanted.set_alias("wanted"), "position").project(", ".join(KEY))
    return rows.join(picked.set_alias("picked"), ", ".join(KEY))


def _rank_among(values: npt.NDArray[np.float64], usual: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return per value the share of `usual` that is not greater."""
    return np.asarray(np.searchsorted(np.sort(usual), values, side="right") / len(usual), dtype=np.float64)
