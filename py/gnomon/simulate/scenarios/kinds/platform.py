"""Kinds that the platform does itself, and that have an entry in its log of interventions, or should."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.effects import Registrations, Strikes
from gnomon.simulate.origins import draw_origins
from gnomon.simulate.scenarios.crowds import expect_newcomers, find_honest_creators
from gnomon.simulate.scenarios.disguise import draw_channels
from gnomon.simulate.scenarios.kinds.kind import Kind
from gnomon.simulate.scenarios.rhythm import round_up_by_luck
from gnomon.simulate.scenarios.scenario import Turn
from gnomon.simulate.spells import LIMIT, REMOVE
from gnomon.simulate.world import DAY, HOUR, NONE, REGION_SHARES, draw_choices, draw_moments

# Per usual registration, how many attempts of fakes the sign-up stops.
_BLOCKED_FAKES = 0.06
# The chance a day that a fake account is found later, once all enforcement has moved there.
_LATER_BANS = 0.06


def _widen(turn: Turn) -> None:
    """Count a share of the policy's borderline items from now on."""
    policy = turn.scenario.policy
    turn.effects.widened[policy] = max(turn.effects.widened.get(policy, 0.0), turn.scenario.size)


def _move_threshold(turn: Turn) -> None:
    """Let the rules act on less evidence (size above 0) or ask for more (below 0)."""
    size = turn.scenario.size
    turn.effects.rule_finds *= 1.0 + 0.5 * size
    turn.effects.rule_errs *= 1.0 + (5.0 * size if size > 0 else 0.9 * size)


def _move_enforcement(turn: Turn) -> None:
    """Block fewer sign-ups and ban more fakes later; those no longer blocked get through meanwhile."""
    size = turn.scenario.size
    turn.effects.signup_blocks *= 1.0 - size
    turn.effects.later_bans = max(turn.effects.later_bans, _LATER_BANS * size)
    rng = turn.draw_stream("let through")
    count = round_up_by_luck(size * _BLOCKED_FAKES * turn.registrations_per_day, rng.random())
    region = draw_choices(rng, REGION_SHARES * turn.regions, count)
    low = np.full(count, turn.day.begins_at, dtype=np.int64)
    origins = draw_origins(turn.day.world, rng, region)
    moments = draw_moments(rng, low, low + DAY, region)
    turn.effects.registrations.append(
        Registrations(
            scenario=turn.number,
            registered_at=moments,
            region=region,
            channel=draw_channels(rng, count, 0.3),
            is_fake=True,
            operator=np.full(count, NONE),
            weight=np.exp(0.6 * rng.standard_normal(count) - 1.0),
            device=origins.device,
            network=origins.network,
            payment=origins.payment,
            email=origins.email,
            blocked=np.zeros(count, dtype=np.int64),
        )
    )
    expect_newcomers(turn, origins.device, moments)


def _strike(turn: Turn) -> None:
    """Act on the items of busy creators, as a strategy does that takes diligence for spam.

    It looks at items of the day before, and mostly at those of good creators. What of it is right
    is told by the truth about each item.
    """
    state, items = turn.state, turn.state.items
    first, last = np.searchsorted(items["uploaded_at"], [turn.day.begins_at - DAY, turn.day.begins_at])
    number = np.arange(first, last, dtype=np.int64)
    creator = items["creator"][number]
    luck = turn.draw_stream("strikes").random((3, len(number)))
    busy = state.creators["post_rate"][creator] * np.exp(1.5 * luck[0])
    good = find_honest_creators(turn)[creator]
    there = turn.regions[state.accounts["region"][state.creators["account"][creator]]]
    score = np.where(there, busy * np.where(good, 1.0, 0.3), -1.0)
    count = min(round_up_by_luck(turn.scenario.size * len(number), 0.5), int(there.sum()))
    struck = np.sort(np.argsort(-score, kind="stable")[:count])
    is_right = items["policy"][number[struck]] >= 0
    for right in (False, True):
        chosen = struck[is_right == right]
        turn.effects.strikes.append(
            Strikes(
                scenario=turn.number,
                creator=creator[chosen],
                item=number[chosen],
                action=np.where(luck[1][chosen] < 0.6, LIMIT, REMOVE),
                acted_at=turn.day.begins_at + (luck[2][chosen] * (DAY - HOUR)).astype(np.int64),
                is_right=right,
            )
        )


KINDS = (
    Kind(
        name="policy_widening",
        size="share of a band of borderline items (1.5 % of all) that break the policy from then on",
        least=0.01,
        most=1.0,
        act=_widen,
        intervention="policy_widened",
        takes_regions=False,
        needs_policy=True,
    ),
    Kind(
        name="threshold_moved",
        size="how far the rules' threshold moves: at 1 they find 1.5 times as much and err 6 times as often",
        least=-1.0,
        most=1.0,
        act=_move_threshold,
        intervention="enforcement_changed",
        takes_regions=False,
    ),
    Kind(
        name="enforcement_moved",
        size="share of sign-up blocks that are given up for bans later",
        least=0.05,
        most=1.0,
        act=_move_enforcement,
        intervention="enforcement_changed",
        takes_regions=False,
    ),
    Kind(
        name="wrong_strategy",
        size="share of a day's items that the strategy acts on",
        least=0.0005,
        most=0.5,
        act=_strike,
        intervention="enforcement_changed",
    ),
)
