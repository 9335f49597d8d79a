"""Reasons: the features that weigh most in a score, in words, beside what peers have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gnomon.scores.features import PEER, Feature

if TYPE_CHECKING:
    import pandas as pd

REASON_COLUMNS = ("reason_1", "reason_2", "reason_3")


def word_reasons(
    rows: pd.DataFrame,
    weights: npt.NDArray[np.float64],
    features: Sequence[Feature],
) -> dict[str, npt.NDArray[np.object_]]:
    """Return reason_1 to reason_3 per row: the features of greatest positive weight, greatest first.

    `weights` has a row per row of `rows` and a column per feature. A feature without a value is
    no reason; where fewer than three have a positive weight, the rest is None. Peers are the
    creators of the same tier at the same as_of_at, itself included; their value is the median.
    """
    names = [feature.name for feature in features]
    values = rows[names].to_numpy(dtype=np.float64)
    peers = rows.groupby(["as_of_at", PEER], dropna=False)[names].transform("median").to_numpy(dtype=np.float64)
    usable = np.where(np.isnan(values), -np.inf, weights)
    # Stable, so that equal weights fall in the order of the features.
    order = np.argsort(-usable, axis=1, kind="stable")[:, : len(REASON_COLUMNS)]
    reasons = {}
    for rank, column in enumerate(REASON_COLUMNS):
        words = np.full(len(rows), None, dtype=np.object_)
        for place, feature in enumerate(features):
            chosen = np.flatnonzero((order[:, rank] == place) & (usable[:, place] > 0))
            pairs = zip(values[chosen, place], peers[chosen, place], strict=True)
            words[chosen] = [feature.say(value, peer) for value, peer in pairs]
        reasons[column] = words
    return reasons
