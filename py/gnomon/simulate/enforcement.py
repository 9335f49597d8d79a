"""The incumbent platform at work: what it finds, what it does, and where it is wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gnomon.simulate.accounts import Creators
from gnomon.simulate.appeals import Settlement, join_settlements, settle
from gnomon.simulate.content import Content
from gnomon.simulate.exposure import ITEM, Exposures, Reports
from gnomon.simulate.policies import POLICIES
from gnomon.simulate.world import (
    DAY,
    HOUR,
    NEVER,
    NONE,
    WEEK,
    Bools,
    Floats,
    Ints,
    World,
    draw_arrivals,
    draw_delays,
)

DETECTORS = np.array(["rule", "user_report", "reviewer"])
RULE, REPORT, REVIEWER = 0, 1, 2
ACTIONS = np.array(["remove", "limit_reach", "warn", "suspend", "ban"])
REMOVE, LIMIT, WARN, SUSPEND, BAN = 0, 1, 2, 3, 4

# How often a rule finds a bad item, by policy, and hits a good one, by language.
_RULE_FINDS = np.array([0.42, 0.25, 0.30, 0.28, 0.45, 0.22])
_RULE_ERRS = 0.0022
_RULE_ERRS_THAI = 0.007
# Action shares by policy: remove, limit_reach, warn.
_ACTION_SHARES = np.array(
    [[0.6, 0.3, 0.1], [0.5, 0.25, 0.25], [0.85, 0.05, 0.1], [0.25, 0.55, 0.2], [0.9, 0.02, 0.08], [0.3, 0.3, 0.4]]
)


@dataclass(frozen=True)
class Decisions:
    """One row per item; decided_at is NEVER where nothing was found by the world's end."""

    decided_at: Ints
    known_at: Ints
    detected_by: Ints
    policy: Ints
    action: Ints
    is_wrong: Bools

    def drop(self, dropped: Bools) -> Decisions:
        """Return the decisions without those on dropped items."""
        return replace(self, decided_at=np.where(dropped, NEVER, self.decided_at))


@dataclass(frozen=True)
class Rung:
    """A step of the ladder for repeaters: at the nth violation, an action on the account for a while."""

    action: int
    at_count: int
    seconds: int
    stops_posting: bool


LADDER = (
    Rung(LIMIT, at_count=3, seconds=WEEK, stops_posting=False),
    Rung(SUSPEND, at_count=6, seconds=WEEK, stops_posting=True),
    Rung(BAN, at_count=12, seconds=int(NEVER), stops_posting=True),
)


@dataclass(frozen=True)
class Spells:
    """When each creator is under a rung's action: [begins_at, ends_at), NEVER where it never is."""

    begins_at: Ints
    ends_at: Ints

    def cover(self, creator: Ints, moments: Ints) -> Bools:
        """Return whether each creator is under the action at each moment."""
        return np.asarray((self.begins_at[creator] <= moments) & (moments < self.ends_at[creator]))


@dataclass(frozen=True)
class Actions:
    """Every action in no particular order; `item` is the item whose violation caused it."""

    item: Ints
    is_account: Bools
    action: Ints
    acted_at: Ints
    known_at: Ints
    is_wrong: Bools
    settlement: Settlement


@dataclass(frozen=True)
class Enforcement:
    """All that the platform did; `keeps` marks the items that were ever uploaded."""

    decisions: Decisions
    actions: Actions
    spells: tuple[Spells, ...]
    keeps: Bools
    removed_at: Ints
    returned_at: Ints
    limited_at: Ints
    unlimited_at: Ints

    def hides(self, content: Content, item: Ints, moments: Ints) -> Bools:
        """Return whether each item is out of sight at each moment: removed, or its creator banned."""
        is_removed = (self.removed_at[item] <= moments) & (moments < self.returned_at[item])
        return np.asarray(is_removed | self.spells[-1].cover(content.creator[item], moments))

    def slows(self, content: Content, item: Ints, moments: Ints) -> Floats:
        """Return the share of its reach that each item keeps at each moment."""
        is_limited = (self.limited_at[item] <= moments) & (moments < self.unlimited_at[item])
        is_slowed = self.spells[0].cover(content.creator[item], moments)
        return np.where(is_limited, 0.4, 1.0) * np.where(is_slowed, 0.6, 1.0)


def enforce(world: World, creators: Creators, content: Content, reports: Reports) -> Enforcement:
    """Return what the platform did about everything that creators meant to upload."""
    decisions = _decide(world, content, reports)
    keeps = np.ones(content.count, dtype=bool)
    spells, climbs = [], []
    # In order of severity: what a rung stops from being uploaded cannot count for the next one.
    for rung in LADDER:
        climbed = _climb(world, content, decisions, rung)
        spell = _spell(creators, content, climbed, rung)
        if rung.stops_posting:
            keeps &= ~spell.cover(content.creator, content.uploaded_at)
        if rung.action == BAN:
            decisions = _forget_unseen(content, decisions, reports, spell)
        decisions = decisions.drop(~keeps)
        spells.append(spell)
        climbs.append(climbed)
    actions = _act(world, decisions, climbs)
    return _summarise(content, decisions, actions, tuple(spells), keeps)


def _decide(world: World, content: Content, reports: Reports) -> Decisions:
    """Return the first finding about each item: by a rule, after a report, or by a reviewer."""
    rng = world.draw_stream("decisions")
    count, bad = content.count, content.is_bad
    errs = np.where(content.language == "th", _RULE_ERRS_THAI, _RULE_ERRS)
    rule_hits = rng.random(count) < np.where(bad, _RULE_FINDS[content.policy], errs)
    by_rule = np.where(rule_hits, content.uploaded_at + draw_delays(rng, count, 2 * HOUR, 1.4), NEVER)
    first = _find_first_reports(content, reports)
    believed = (first < NEVER) & (rng.random(count) < np.where(bad, 0.85, 0.10))
    report_delay = HOUR + draw_delays(rng, count, 9 * HOUR, 1.2)
    by_report = np.where(believed, np.where(believed, first, 0) + report_delay, NEVER)
    looked = rng.random(count) < np.where(bad, 0.22, 0.0012)
    by_reviewer = np.where(looked, content.uploaded_at + HOUR + draw_delays(rng, count, 2.5 * DAY, 1.3), NEVER)

    moments = np.stack([by_rule, by_report, by_reviewer])
    detected_by = np.argmin(moments, axis=0).astype(np.int64)
    decided = moments.min(axis=0)
    known = draw_arrivals(rng, np.where(decided < NEVER, decided, 0))
    decided = np.where((decided < NEVER) & (known <= world.end), decided, NEVER)
    guess = rng.integers(0, len(POLICIES), count)
    # Even a right finding names the wrong policy at times.
    named = np.where(bad & (rng.random(count) < 0.93), content.policy, guess)
    edges = np.cumsum(_ACTION_SHARES, axis=1)[named]
    action = np.minimum((rng.random(count)[:, None] >= edges).sum(axis=1), WARN)
    return Decisions(decided, known, detected_by, named, action, ~bad)


def _find_first_reports(content: Content, reports: Reports) -> Ints:
    """Return the moment of each item's first report of the item itself, NEVER without one."""
    first = np.full(content.count, NEVER)
    of_item = reports.target == ITEM
    np.minimum.at(first, reports.content[of_item], reports.reported_at[of_item])
    return first


@dataclass(frozen=True)
class _Climb:
    """The creators who reach a rung: the item that took each there, and what follows."""

    action: int
    item: Ints
    acted_at: Ints
    known_at: Ints
    is_wrong: Bools
    settlement: Settlement


def _climb(world: World, content: Content, decisions: Decisions, rung: Rung) -> _Climb:
    """Return who reaches the rung: the action is wrong when at least half of its causes were."""
    found = np.flatnonzero(decisions.decided_at < NEVER)
    order = found[np.lexsort((found, decisions.decided_at[found], content.creator[found]))]
    creator = content.creator[order]
    starts = np.searchsorted(creator, creator, side="left")
    is_there = np.arange(len(order)) - starts + 1 == rung.at_count
    place = np.flatnonzero(is_there)
    wrongs = np.concatenate([[0], np.cumsum(decisions.is_wrong[order])])
    share = (wrongs[place + 1] - wrongs[place + 1 - rung.at_count]) / rung.at_count
    item = order[is_there]
    acted = decisions.decided_at[item]
    settlement = settle(world, f"rung {rung.at_count}", acted, share >= 0.5)
    return _Climb(rung.action, item, acted, decisions.known_at[item], share >= 0.5, settlement)


def _spell(creators: Creators, content: Content, climbed: _Climb, rung: Rung) -> Spells:
    """Return when each creator is under the rung's action: its term, or until it is taken back."""
    begins = np.full(creators.count, NEVER)
    ends = np.full(creators.count, NEVER)
    creator = content.creator[climbed.item]
    begins[creator] = climbed.acted_at
    ends[creator] = np.minimum(np.minimum(climbed.acted_at + rung.seconds, NEVER), climbed.settlement.restored_at)
    return Spells(begins, ends)


def _forget_unseen(content: Content, decisions: Decisions, reports: Reports, ban: Spells) -> Decisions:
    """Return the decisions without those after reports that a ban kept from being made."""
    first = _find_first_reports(content, reports)
    unseen = (decisions.detected_by == REPORT) & ban.cover(content.creator, first)
    return decisions.drop(unseen)


def _act(world: World, decisions: Decisions, climbs: list[_Climb]) -> Actions:
    """Return the actions on items and on accounts together."""
    item = np.flatnonzero(decisions.decided_at < NEVER)
    acted = decisions.decided_at[item]
    settlement = settle(world, "items", acted, decisions.is_wrong[item])
    # Items that led to a rung stand: later rungs stop only what was uploaded after it.
    items, accounts = len(item), sum(len(climbed.item) for climbed in climbs)
    return Actions(
        item=np.concatenate([item, *(c.item for c in climbs)]),
        is_account=np.arange(items + accounts) >= items,
        action=np.concatenate([decisions.action[item], *(np.full(len(c.item), c.action) for c in climbs)]),
        acted_at=np.concatenate([acted, *(c.acted_at for c in climbs)]),
        known_at=np.concatenate([decisions.known_at[item], *(c.known_at for c in climbs)]),
        is_wrong=np.concatenate([decisions.is_wrong[item], *(c.is_wrong for c in climbs)]),
        settlement=join_settlements([settlement, *(c.settlement for c in climbs)]),
    )


def _summarise(
    content: Content, decisions: Decisions, actions: Actions, spells: tuple[Spells, ...], keeps: Bools
) -> Enforcement:
    """Return the enforcement with each item's own spells of removal and of limited reach."""
    spans = []
    for action in (REMOVE, LIMIT):
        chosen = ~actions.is_account & (actions.action == action)
        begins = np.full(content.count, NEVER)
        ends = np.full(content.count, NEVER)
        begins[actions.item[chosen]] = actions.acted_at[chosen]
        ends[actions.item[chosen]] = actions.settlement.restored_at[chosen]
        spans += [begins, ends]
    return Enforcement(decisions, actions, spells, keeps, *spans)


def keep_uploaded(enforcement: Enforcement) -> tuple[Enforcement, Ints]:
    """Return the enforcement over the items that were uploaded, and each old item's new index (-1: none)."""
    keeps = enforcement.keeps
    moved = np.where(keeps, np.cumsum(keeps) - 1, NONE)
    decisions = enforcement.decisions
    kept = Decisions(
        decided_at=decisions.decided_at[keeps],
        known_at=decisions.known_at[keeps],
        detected_by=decisions.detected_by[keeps],
        policy=decisions.policy[keeps],
        action=decisions.action[keeps],
        is_wrong=decisions.is_wrong[keeps],
    )
    actions = replace(enforcement.actions, item=moved[enforcement.actions.item])
    return (
        replace(
            enforcement,
            decisions=kept,
            actions=actions,
            keeps=keeps[keeps],
            removed_at=enforcement.removed_at[keeps],
            returned_at=enforcement.returned_at[keeps],
            limited_at=enforcement.limited_at[keeps],
            unlimited_at=enforcement.unlimited_at[keeps],
        ),
        moved,
    )


def keep_seen(
    world: World, enforcement: Enforcement, content: Content, exposures: Exposures, reports: Reports
) -> Bools:
    """Return which exposures happened, given what was taken down or slowed.

    An exposure that led to a report stays through slowing, since a decision may rest on it.
    """
    rng = world.draw_stream("reach")
    item, moments = exposures.content, exposures.shown_at
    slowed = rng.random(len(item)) >= enforcement.slows(content, item, moments)
    slowed[reports.exposure] = False
    return np.asarray(enforcement.keeps[item] & ~enforcement.hides(content, item, moments) & ~slowed)
