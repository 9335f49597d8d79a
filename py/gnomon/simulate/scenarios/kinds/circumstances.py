"""Kinds that nobody does on purpose: supply that falls, a peak of demand, a carrier that fails."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.scenarios.crew import TOUCHED, note_accounts
from gnomon.simulate.scenarios.crowds import find_honest_creators
from gnomon.simulate.scenarios.kinds.kind import Kind
from gnomon.simulate.scenarios.scenario import Turn

_BEST_SHARE = 0.25
_LOSS_PER_DAY = 0.012


def _note_best(turn: Turn) -> None:
    """Note the creators of high quality, who are going to post less."""
    good = find_honest_creators(turn)
    if not good.any():
        return
    quality = turn.state.creators["quality"]
    best = good & (quality >= np.quantile(quality[good], 1.0 - _BEST_SHARE))
    note_accounts(turn, turn.state.creators["account"][best], TOUCHED)


def _drop_supply(turn: Turn) -> None:
    """Let the best creators post less: a quarter of the good ones, by quality."""
    best = turn.state.others[turn.key]["creator"] if turn.key in turn.state.others else np.zeros(0, dtype=np.int64)
    turn.effects.posting[best] *= 1.0 - turn.scenario.size


def _peak(turn: Turn) -> None:
    """Raise what is bought by `size`, and what is watched and who registers by a part of it."""
    size = turn.scenario.size
    turn.effects.orders *= np.where(turn.regions, 1.0 + size, 1.0)
    turn.effects.demand *= np.where(turn.regions, 1.0 + 0.15 * size, 1.0)
    turn.effects.registrations_factor *= np.where(turn.regions, 1.0 + 0.3 * size, 1.0)


def _fail_carrier(turn: Turn) -> None:
    """Hold up the carrier's parcels that are dispatched today, and lose some of them."""
    size = turn.scenario.size
    turn.effects.carrier_days[turn.scenario.carrier] += np.where(turn.regions, size, 0.0)
    turn.effects.carrier_loss[turn.scenario.carrier] += np.where(turn.regions, min(_LOSS_PER_DAY * size, 0.5), 0.0)


KINDS = (
    Kind(
        name="supply_drop",
        size="share of the posts of high-quality creators that are not made",
        least=0.05,
        most=1.0,
        recruit=_note_best,
        act=_drop_supply,
    ),
    Kind(
        name="campaign_peak",
        size="orders added, as a multiple of the usual",
        least=0.05,
        most=10.0,
        act=_peak,
    ),
    Kind(
        name="logistics_outage",
        size="days that a parcel of this carrier in these regions is held up; for each, 1.2 % are lost",
        least=0.5,
        most=30.0,
        act=_fail_carrier,
        needs_carrier=True,
    ),
)
