"""What becomes of an action afterwards: the notice, the appeal, and whether it is taken back."""

from __future__ import annotations

import numpy as np

from gnomon.simulate import queue
from gnomon.simulate.luck import choose, draw_luck, draw_lucky_delays
from gnomon.simulate.queue import Team
from gnomon.simulate.rows import order_by_time, write_ids, write_moments, write_words
from gnomon.simulate.rulings import BATCH, name_actions, plan_restorations, post_versions
from gnomon.simulate.spells import BAN
from gnomon.simulate.state import State
from gnomon.simulate.world import (
    DAY,
    HOUR,
    NEVER,
    NONE,
    REGION_LANGUAGE,
    Bools,
    Day,
    Floats,
    Ints,
    World,
    draw_arrivals,
)

OUTCOMES = np.array(["pending", "upheld", "overturned", "partial", "withdrawn"])
PENDING, UPHELD, OVERTURNED, PARTIAL, WITHDRAWN = range(5)

# Shares of upheld, overturned, partial, withdrawn.
_WHEN_RIGHT = np.array([0.78, 0.09, 0.05, 0.08])
_WHEN_WRONG = np.array([0.18, 0.67, 0.09, 0.06])
# Who is wrongly hit appeals more; small and new creators do less, by tier from new to gold.
_APPEALS_RIGHT, _APPEALS_WRONG = 0.16, 0.48
_BY_TIER = np.array([0.60, 0.90, 1.15, 1.30])
# Few whose accounts were closed as fake come back to ask.
_BY_VIEWER = 0.25
_WINDOW = 30 * DAY
# Restored without an appeal, as after a batch that went wrong.
_SLIPS_RIGHT, _SLIPS_WRONG = 0.02, 0.20
# Under load reviewers of appeals let more stand than they should: share of reversals lost per unit of load above 1.
_HASTE = 0.15
_MOST_HASTE = 0.4
# A reviewer for every so many appeals a day, and never fewer than the least.
_PER_REVIEWER, _LEAST_REVIEWERS = 4.0, 6


def make_team(world: World) -> Team:
    """Return the reviewers of appeals: another pool than those who decide."""
    return Team("appeals", 0.006 * world.scale.creators * world.scale.posts_per_creator)


def hear(state: State, day: Day) -> None:
    """Send notices, settle what is decided today, file today's appeals, and decide about tomorrow's.

    Tomorrow's restorations are decided today, so that what is restored is in sight from then on.
    """
    _expect(state, day)
    _settle(state, day)
    post_versions(state, day)
    _file(state, day)
    tomorrow = day.world.day(day.number + 1)
    _decide(state, tomorrow)
    _slip(state, tomorrow)


def _expect(state: State, day: Day) -> None:
    """Plan what the actions of today may lead to: an appeal within 30 days, or a correction without one."""
    first = state.numbers.get("appeals.actions", 0)
    actions = np.arange(first, state.actions.count, dtype=np.int64)
    state.numbers["appeals.actions"] = state.actions.count
    names = name_actions(state, actions)
    done = state.actions.take(actions)
    world = day.world
    wait = draw_lucky_delays(world, "appeal wait", DAY, 1.1, *names)
    chance = np.where(done["is_right"], _APPEALS_RIGHT, _APPEALS_WRONG) * _weigh_courage(state, done["creator"])
    notified = done["notified_at"] < NEVER
    appeals = notified & (draw_luck(world, "appeal", *names) < chance) & (wait <= _WINDOW)
    state.agenda.plan("appeals.filings", done["notified_at"][appeals] + wait[appeals], action=actions[appeals])
    slips = draw_luck(world, "slip", *names) < np.where(done["is_right"], _SLIPS_RIGHT, _SLIPS_WRONG)
    wait = DAY + draw_lucky_delays(world, "slip wait", 2.5 * DAY, 0.9, *names)
    state.agenda.plan("appeals.slips", done["acted_at"][slips] + wait[slips], action=actions[slips])


def _weigh_courage(state: State, creator: Ints) -> Floats:
    """Return the factor on each creator's readiness to appeal."""
    if state.creators.count == 0:
        return np.full(len(creator), _BY_VIEWER)
    tier = state.creators["tier"][np.maximum(creator, 0)]
    return np.where(creator >= 0, _BY_TIER[tier], _BY_VIEWER)


def _file(state: State, day: Day) -> None:
    """File the appeals of today against what still stands; who thinks better of it withdraws within days."""
    rng = day.draw_stream("appeals")
    due = state.agenda.take("appeals.filings", day.ends_at)
    actions = due.get("action", np.zeros(0, dtype=np.int64))
    stands = state.actions["restored_at"][actions] >= NEVER
    actions, appealed = actions[stands], due["at"][stands]
    order = order_by_time(rng, appealed)
    actions, appealed = actions[order], appealed[order]
    # Nobody appeals against what is not on record yet.
    known = np.maximum(draw_arrivals(rng, appealed), state.actions["known_at"][actions])
    appeals = state.appeals.append(
        action=actions,
        appealed_at=appealed,
        known_at=known,
        version_at=known,
        outcome=PENDING,
        decided_at=int(NEVER),
        reviewer=int(NONE),
    )
    _post(state, rng, appeals, known)
    names = name_actions(state, actions)
    account = state.actions["account"][actions]
    language = REGION_LANGUAGE[state.accounts["region"][account]]
    withdraws = _draw_outcomes(state, day.world, appeals, 0.0) == WITHDRAWN
    # The file is put together before a reviewer gets it.
    ready = known + HOUR + draw_lucky_delays(day.world, "appeal file", 26 * HOUR, 0.9, *names)
    leaves = np.flatnonzero(withdraws)
    left_at = np.maximum(ready[leaves], day.ends_at)
    state.agenda.plan("appeals.settled", left_at, appeal=appeals[leaves], outcome=np.full(len(leaves), WITHDRAWN))
    stays = ~withdraws
    # A ban is heard first.
    urgency = np.where(state.actions["action"][actions] == BAN, 1.0, 0.0)
    queue.put(state, make_team(day.world), appeals[stays], language[stays], ready[stays], urgency[stays])


def _draw_outcomes(state: State, world: World, appeals: Ints, load: Floats | float) -> Ints:
    """Return what each appeal comes to: reviewers are mostly right, and in haste let more stand."""
    actions = state.appeals["action"][appeals]
    right: Bools = state.actions["is_right"][actions]
    haste = np.minimum(_HASTE * np.maximum(np.asarray(load) - 1.0, 0.0), _MOST_HASTE) + np.zeros(len(appeals))
    shares = np.where(right[:, None], _WHEN_RIGHT, _WHEN_WRONG)
    kept = shares[:, 1:3] * (1.0 - haste)[:, None]
    upheld = shares[:, 0] + shares[:, 1:3].sum(axis=1) - kept.sum(axis=1)
    # Withdrawn comes first, so that it does not hang on the load.
    ordered = np.stack([shares[:, 3], upheld, kept[:, 0], kept[:, 1]], axis=1)
    luck = draw_luck(world, "appeal outcome", *name_actions(state, actions))
    return np.array([WITHDRAWN, UPHELD, OVERTURNED, PARTIAL])[choose(luck, ordered)]


def _decide(state: State, tomorrow: Day) -> None:
    """Let the team decide about its queue tomorrow; what it overturns, wholly or in part, is taken back then."""
    worked = queue.work(state, tomorrow, make_team(tomorrow.world))
    appeals = worked.thing
    outcome = _draw_outcomes(state, tomorrow.world, appeals, worked.load)
    actions = state.appeals["action"][appeals]
    reverses = ((outcome == OVERTURNED) | (outcome == PARTIAL)) & (state.actions["restored_at"][actions] >= NEVER)
    plan_restorations(state, actions[reverses], worked.worked_at[reverses])
    state.agenda.plan("appeals.settled", worked.worked_at, appeal=appeals, outcome=outcome)


def _slip(state: State, tomorrow: Day) -> None:
    """Take back tomorrow what is found to be a mistake, if nobody has appealed."""
    due = state.agenda.take("appeals.slips", tomorrow.ends_at)
    actions = due.get("action", np.zeros(0, dtype=np.int64))
    chosen = (state.actions["restored_at"][actions] >= NEVER) & ~np.isin(actions, state.appeals["action"])
    plan_restorations(state, actions[chosen], due["at"][chosen])


def _settle(state: State, day: Day) -> None:
    """Write down the outcomes of today."""
    due = state.agenda.take("appeals.settled", day.ends_at)
    if len(due["at"]) == 0:
        return
    rng = day.draw_stream("appeal decisions")
    appeals, outcome = due["appeal"], due["outcome"]
    state.appeals["outcome"][appeals] = outcome
    state.appeals["decided_at"][appeals] = due["at"]
    names = name_actions(state, state.appeals["action"][appeals])
    reviewers = max(_LEAST_REVIEWERS, round(make_team(day.world).expected / _PER_REVIEWER))
    reviewer = np.floor(draw_luck(day.world, "appeal reviewer", *names) * reviewers).astype(np.int64)
    # A withdrawn appeal was decided by nobody.
    state.appeals["reviewer"][appeals] = np.where(outcome == WITHDRAWN, NONE, reviewer)
    known = np.maximum(draw_arrivals(rng, due["at"]), state.appeals["version_at"][appeals] + BATCH)
    state.appeals["version_at"][appeals] = known
    _post(state, rng, appeals, known)


def _post(state: State, rng: np.random.Generator, appeals: Ints, known: Ints) -> None:
    """Post these appeals as they are now."""
    filed = state.appeals.take(appeals)
    names = np.array([f"appeal-{number:02d}" for number in range(1, int(filed["reviewer"].max(initial=0)) + 2)])
    state.outbox.post(
        rng,
        "appeals",
        {
            "appeal_id": write_ids("w", appeals),
            "enforcement_id": write_ids("x", filed["action"]),
            "reviewer_id": write_words(names, filed["reviewer"]),
            "outcome": write_words(OUTCOMES, filed["outcome"]),
            "decided_at": write_moments(filed["decided_at"]),
            "occurred_at": write_moments(filed["appealed_at"]),
            "ingested_at": write_moments(known),
        },
    )
