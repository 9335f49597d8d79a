"""Peers: how far each feature of a creator lies from what creators like it do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gnomon.scores.features import PEER, Feature

Floats = npt.NDArray[np.float64]
_ALL = ""


@dataclass(frozen=True)
class PeerScale:
    """Centre and spread of every feature, by tier; tiers with too few rows use those of all creators."""

    features: tuple[Feature, ...]
    centres: dict[str, Floats]
    spreads: dict[str, Floats]
    clip: float

    def measure(self, rows: pd.DataFrame) -> Floats:
        """Return the distance from the peers' centre in spreads: a row per row, a column per feature.

        Clipped to [-clip, clip]; a missing value counts as its peers' centre, 0.
        """
        values = take_values(rows, self.features)
        distances = np.empty_like(values)
        tiers = rows[PEER].to_numpy()
        for tier in pd.unique(tiers):
            chosen = tiers == tier
            known = tier if tier in self.centres else _ALL
            distances[chosen] = (values[chosen] - self.centres[known]) / self.spreads[known]
        return np.clip(np.nan_to_num(distances, nan=0.0), -self.clip, self.clip)


def fit_peer_scale(rows: pd.DataFrame, features: Sequence[Feature], min_rows: int, clip: float) -> PeerScale:
    """Return the scale of `rows`: median and 1.4826 * median absolute deviation, per tier.

    Where more than half of the values are equal, that deviation is 0: then 1.2533 * the mean
    absolute deviation, and 1 if all are. Source: Iglewicz and Hoaglin 1993.
    """
    values = take_values(rows, features)
    tiers = rows[PEER].to_numpy()
    groups = {_ALL: values}
    for tier in pd.unique(tiers):
        if (tiers == tier).sum() >= min_rows:
            groups[tier] = values[tiers == tier]
    centres = {tier: _take_median(group) for tier, group in groups.items()}
    spreads = {tier: _measure_spread(group, centres[tier]) for tier, group in groups.items()}
    return PeerScale(tuple(features), centres, spreads, clip)


def take_values(rows: pd.DataFrame, features: Sequence[Feature]) -> Floats:
    """Return the features' values as one array; counts and days as signed logarithms, their tails are long."""
    values = rows[[feature.name for feature in features]].to_numpy(dtype=np.float64)
    is_long = np.array([feature.kind in ("count", "days") for feature in features])
    return np.asarray(np.where(is_long, np.sign(values) * np.log1p(np.abs(values)), values), dtype=np.float64)


def _take_median(values: Floats) -> Floats:
    # A feature that the source does not have is empty in all rows; its centre is then never used.
    is_known = ~np.isnan(values).all(axis=0)
    medians = np.zeros(values.shape[1])
    medians[is_known] = np.nanmedian(values[:, is_known], axis=0)
    return medians


def _measure_spread(values: Floats, centre: Floats) -> Floats:
    deviations = np.abs(values - centre)
    spread = 1.4826 * _take_median(deviations)
    mean = 1.2533 * np.nan_to_num(_take_mean(deviations))
    spread = np.where(spread > 0, spread, mean)
    return np.asarray(np.where(spread > 0, spread, 1.0), dtype=np.float64)


def _take_mean(values: Floats) -> Floats:
    counts = (~np.isnan(values)).sum(axis=0)
    return np.asarray(np.nansum(values, axis=0) / np.maximum(counts, 1), dtype=np.float64)
