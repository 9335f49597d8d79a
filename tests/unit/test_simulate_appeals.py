"""Appeals are heard by people who err, and not everybody who is hit appeals."""

from __future__ import annotations

import numpy as np
import pytest

from gnomon.simulate import appeals, enforcement
from gnomon.simulate.effects import Strikes, start_effects
from gnomon.simulate.spells import LIMIT
from tests.small_world import Play, play_fifty_days


@pytest.fixture(scope="module")
def played() -> Play:
    """Fifty days of the small world; nothing in a test may change it."""
    return play_fifty_days()


def strike_many(tier: int, is_right: bool, seed: int = 5) -> Play:
    """Limit the reach of 400 items at once, rightly or wrongly, of creators of one tier; then live 25 days."""
    play = Play(seed=seed, bad_share=0.0)
    play.state.creators["tier"] = np.full(play.creators, tier)
    item = play.upload(np.arange(400) % 60)
    moments = play.day.ends_at - 400 + np.arange(400)
    effects = start_effects(play.creators)
    effects.rule_errs = 0.0
    effects.strikes = [Strikes(0, play.state.items["creator"][item], item, np.full(400, LIMIT), moments, is_right)]
    enforcement.enforce(play.state, play.day, effects)
    play.close()
    calm = start_effects(play.creators)
    calm.rule_errs = 0.0
    for _ in range(25):
        enforcement.enforce(play.state, play.day, calm)
        play.close()
    return play


def test_who_is_wrongly_hit_appeals_more_and_small_and_new_creators_do_less() -> None:
    share = {
        (tier, right): strike_many(tier, right).state.appeals.count / 400 for tier in (0, 3) for right in (False, True)
    }
    assert share[3, False] == pytest.approx(0.48 * 1.30, abs=0.10)
    assert share[0, False] == pytest.approx(0.48 * 0.60, abs=0.08)
    assert share[3, True] < 0.5 * share[3, False]
    assert share[0, True] < share[3, True]


def test_reversals_restore_at_the_moment_they_are_decided(played: Play) -> None:
    actions = played.read_latest("enforcements", "enforcement_id")
    outcomes = set()
    for row in played.read_latest("appeals", "appeal_id").values():
        outcome, action = str(row["outcome"]), actions[str(row["enforcement_id"])]
        outcomes.add(outcome)
        assert (outcome == "pending") == (row["decided_at"] is None)
        assert (row["reviewer_id"] is None) == (outcome in ("pending", "withdrawn"))
        # Both become known within minutes of each other: one may not be known at the very end.
        if outcome in ("overturned", "partial") and action["restored_at"] is not None:
            assert action["restored_at"] == row["decided_at"]
        if outcome in ("upheld", "withdrawn"):
            assert action["restored_at"] is None
    assert {"upheld", "overturned", "pending"} <= outcomes


def test_wrong_actions_are_overturned_and_right_ones_mostly_stand_unless_in_haste() -> None:
    right, wrong = (strike_many(3, is_right) for is_right in (True, False))
    shares = []
    for play in (right, wrong):
        outcome = play.state.appeals["outcome"]
        decided = np.isin(outcome, (appeals.UPHELD, appeals.OVERTURNED, appeals.PARTIAL))
        shares.append(np.isin(outcome[decided], (appeals.OVERTURNED, appeals.PARTIAL)).mean())
    assert shares[0] < 0.3 < 0.5 < shares[1]
    everyone = np.arange(wrong.state.appeals.count)
    reversed_by_load = [
        np.isin(appeals._draw_outcomes(wrong.state, wrong.world, everyone, load), (2, 3)).sum() for load in (0.5, 3.0)
    ]
    assert reversed_by_load[1] < reversed_by_load[0]


def test_some_mistakes_are_taken_back_without_an_appeal() -> None:
    play = strike_many(0, False)
    restored = np.flatnonzero(play.state.actions["restored_at"] < play.day.begins_at)
    alone = restored[~np.isin(restored, play.state.appeals["action"])]
    assert 0.05 < len(alone) / 400 < 0.25
    items = play.state.actions["item"][alone]
    assert (play.state.items["unlimited_at"][items] == play.state.actions["restored_at"][alone]).all()
