"""The incumbent platform at work, beside strategies of scenarios and decisions from outside."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from gnomon.simulate import findings, ladder, policies, rulings, spells
from gnomon.simulate.decisions import Decisions, check_decisions
from gnomon.simulate.effects import Effects, Strikes
from gnomon.simulate.findings import Findings
from gnomon.simulate.luck import choose, draw_luck, name_items
from gnomon.simulate.policies import SPAM
from gnomon.simulate.rows import order_by_time
from gnomon.simulate.rulings import (
    BY_REVIEWER,
    BY_RULE,
    BY_STRATEGY,
    DETECTORS,
    INCUMBENT,
    OUTSIDE,
    RULE,
    SOURCES,
    Deeds,
)
from gnomon.simulate.spells import ACTIONS, BAN, LIMIT, REMOVE, WARN, hides, is_redundant, is_suspended, slows
from gnomon.simulate.state import State
from gnomon.simulate.world import DAY, NONE, Bools, Day, Ints, Texts, World

__all__ = ["ACTIONS", "DETECTORS", "SOURCES", "enforce", "hides", "is_suspended", "slows", "strike"]

# Action shares by policy: remove, limit_reach, warn.
_ITEM_ACTIONS = np.array([REMOVE, LIMIT, WARN])
_ACTION_SHARES = np.array(
    [[0.6, 0.3, 0.1], [0.5, 0.25, 0.25], [0.85, 0.05, 0.1], [0.25, 0.55, 0.2], [0.9, 0.02, 0.08], [0.3, 0.3, 0.4]]
)
# Each day the rules find some of the fake accounts, and take a few people's for fake.
_FAKES_FOUND = 0.002
_TAKEN_FOR_FAKE = 0.0005

_ACTIONS, _FAKES = "enforcement.actions", "enforcement.fakes"


def strike(state: State, day: Day, effects: Effects, decisions: Decisions | None = None) -> None:
    """Begin what others decide about the day: decisions from outside and strategies of scenarios.

    To be called before the day's uploads, so that who is suspended uploads nothing; `enforce` calls
    it if nobody did. QueryError, before anything is changed, if a decision makes no sense.
    """
    decided = check_decisions(state, day, decisions) if decisions is not None else Decisions()
    state.numbers["enforcement.struck"] = day.number + 1
    deeds = [_make_strikes(state, strikes) for strikes in effects.strikes]
    deeds.append(_make_decisions(state, decided))
    for part in deeds:
        _plan(state, _drop_redundant(state, part.take(part.acted_at < day.ends_at)))


def enforce(state: State, day: Day, effects: Effects, decisions: Decisions | None = None) -> None:
    """Decide about items and accounts, and record all that is done today.

    The first finding about an item counts. What the incumbent does about accounts it does a day
    ahead, so that tomorrow's uploads know of it. Where `strike` was not called today, it is now.
    """
    if state.numbers.get("enforcement.struck", 0) != day.number + 1:
        strike(state, day, effects, decisions)
    policies.revise(state, day, effects)
    rulings.regain_favour(state)
    found = findings.find(state, day, effects)
    fakes = state.agenda.take(_FAKES, day.ends_at)
    violations, of_items = _record_violations(state, day, found, fakes)
    deeds = [_punish_items(state, day.world, found, violations[of_items]), *_take_planned(state, day)]
    if not of_items.all():
        deeds.append(_ban_fakes(state, violations[~of_items]))
    rulings.record_actions(state, day, rulings.join_deeds(deeds))
    _plan(state, ladder.climb(state, day, violations[of_items]))
    _find_fakes(state, day.world.day(day.number + 1), effects)


def _make_strikes(state: State, strikes: Strikes) -> Deeds:
    """Return a scenario's strikes as deeds; `creator` counts among the creators and `item` among the items."""
    item = strikes.item
    owner = strikes.creator
    if state.items.count:
        owner = np.where(item >= 0, state.items["creator"][np.maximum(item, 0)], owner)
    count = len(item)
    return _make_deeds(
        account=state.creators["account"][owner],
        creator=owner,
        item=item,
        action=strikes.action,
        acted_at=strikes.acted_at,
        decision=np.full(count, NONE),
        is_right=np.full(count, strikes.is_right),
        scenario=strikes.scenario,
    )


def _make_decisions(state: State, decided: Decisions) -> Deeds:
    """Return decisions from outside as deeds, right or wrong by the truth."""
    item, account = decided.item, decided.creator
    if state.items.count:
        owner = state.creators["account"][state.items["creator"][np.maximum(item, 0)]]
        account = np.where(item >= 0, owner, account)
    of_item = item >= 0
    creator = state.accounts["creator"][account]
    right = state.accounts["is_fake"][account] | (state.accounts["operator"][account] >= 0)
    if state.creators.count:
        turns = state.creators["turns_at"][np.maximum(creator, 0)]
        right |= (creator >= 0) & (turns != NONE) & (turns <= decided.decided_at)
    right[of_item] = state.items["policy"][item[of_item]] >= 0
    texts: Texts = np.array(decided.decision_id, dtype=np.str_)
    return _make_deeds(
        account=account,
        creator=creator,
        item=item,
        action=decided.action,
        acted_at=decided.decided_at,
        decision=rulings.keep_texts(state, texts),
        is_right=right,
        scenario=OUTSIDE,
    )


def _make_deeds(
    *,
    account: Ints,
    creator: Ints,
    item: Ints,
    action: Ints,
    acted_at: Ints,
    decision: Ints,
    is_right: Bools,
    scenario: int,
) -> Deeds:
    """Return what a strategy does: without a violation, and found by nobody."""
    nothing = np.full(len(account), NONE)
    return Deeds(
        violation=nothing,
        account=account,
        creator=creator,
        item=item,
        action=action,
        source=np.full(len(account), BY_STRATEGY),
        decision=decision,
        policy=nothing,
        detected_by=nothing,
        acted_at=acted_at,
        is_right=is_right,
        scenario=np.full(len(account), scenario),
    )


def _drop_redundant(state: State, deeds: Deeds) -> Deeds:
    """Return the deeds that change something: not what is done already, and nothing twice."""
    deeds = deeds.take(np.argsort(deeds.acted_at, kind="stable"))
    again = is_redundant(state, deeds.account, deeds.creator, deeds.item, deeds.action, deeds.acted_at)
    deeds = deeds.take(~again)
    keys = np.stack([deeds.account, deeds.item, deeds.action])
    return deeds.take(np.sort(np.unique(keys, axis=1, return_index=True)[1]))


def _plan(state: State, deeds: Deeds) -> None:
    """Begin the spells of these deeds; they are recorded on the day they are done."""
    spells.begin(state, deeds.account, deeds.creator, deeds.item, deeds.action, deeds.acted_at)
    columns = {field.name: getattr(deeds, field.name) for field in fields(deeds) if field.name != "acted_at"}
    state.agenda.plan(_ACTIONS, deeds.acted_at, **columns)


def _take_planned(state: State, day: Day) -> list[Deeds]:
    """Return the planned deeds of today."""
    due = state.agenda.take(_ACTIONS, day.ends_at)
    if len(due["at"]) == 0:
        return []
    return [Deeds(acted_at=due.pop("at"), **due)]


def _find_fakes(state: State, tomorrow: Day, effects: Effects) -> None:
    """Find some of the fake accounts that are in use, whoever runs them; they are closed some time tomorrow."""
    accounts = state.accounts
    numbers = np.arange(accounts.count, dtype=np.int64)
    luck = draw_luck(tomorrow.world, "fakes found", numbers, tomorrow.number)
    chance = min(_FAKES_FOUND + effects.later_bans, 1.0)
    chances = np.where(accounts["is_fake"], chance, chance * _TAKEN_FOR_FAKE)
    # People's own creator accounts are looked at by other rules.
    chances = np.where(accounts["is_creator"] & ~accounts["is_fake"], 0.0, chances)
    account = numbers[(luck < chances) & (accounts["registered_at"] < tomorrow.begins_at)]
    when = draw_luck(tomorrow.world, "fakes found at", account, tomorrow.number)
    found = tomorrow.begins_at + np.floor(when * DAY).astype(np.int64)
    in_use = accounts["left_at"][account] > found
    account, found = account[in_use], found[in_use]
    creator = accounts["creator"][account]
    nothing = np.full(len(account), NONE)
    bans = np.full(len(account), BAN)
    again = is_redundant(state, account, creator, nothing, bans, found)
    account, creator, found = account[~again], creator[~again], found[~again]
    spells.begin(state, account, creator, nothing[~again], bans[~again], found)
    state.agenda.plan(_FAKES, found, account=account)


def _record_violations(
    state: State, day: Day, found: Findings, fakes: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]
) -> tuple[Ints, Bools]:
    """Record today's findings, and fake accounts after them; return their numbers, and which are of items."""
    banned = fakes.get("account", np.zeros(0, dtype=np.int64))
    owner = state.creators["account"][state.items["creator"][found.item]]
    account = np.concatenate([owner, banned])
    item = np.concatenate([found.item, np.full(len(banned), NONE)])
    policy = np.concatenate([found.policy, np.full(len(banned), SPAM)])
    detected_by = np.concatenate([found.detected_by, np.full(len(banned), RULE)])
    decided = np.concatenate([found.found_at, fakes["at"]])
    order = order_by_time(day.draw_stream("violation order"), decided)
    numbers = rulings.record_violations(
        state, day, account[order], item[order], policy[order], detected_by[order], decided[order]
    )
    mine = np.empty(len(order), dtype=np.int64)
    mine[order] = numbers
    return mine, item >= 0


def _punish_items(state: State, world: World, found: Findings, violations: Ints) -> Deeds:
    """Return what is done about the items found; it has begun."""
    luck = draw_luck(world, "action", *name_items(state, found.item))
    action = _ITEM_ACTIONS[choose(luck, _ACTION_SHARES[found.policy])]
    creator = state.items["creator"][found.item]
    deeds = Deeds(
        violation=violations,
        account=state.creators["account"][creator],
        creator=creator,
        item=found.item,
        action=action,
        source=np.where(found.detected_by == RULE, BY_RULE, BY_REVIEWER),
        decision=np.full(len(action), NONE),
        policy=found.policy,
        detected_by=found.detected_by,
        acted_at=found.found_at,
        is_right=state.items["policy"][found.item] >= 0,
        scenario=np.full(len(action), INCUMBENT),
    )
    spells.begin(state, deeds.account, creator, deeds.item, action, deeds.acted_at)
    return deeds


def _ban_fakes(state: State, violations: Ints) -> Deeds:
    """Return the bans of accounts found to be fake; they have begun."""
    found = state.violations.take(violations)
    account, count = found["account"], len(violations)
    return Deeds(
        violation=violations,
        account=account,
        creator=found["creator"],
        item=np.full(count, NONE),
        action=np.full(count, BAN),
        source=np.full(count, BY_RULE),
        decision=np.full(count, NONE),
        policy=found["policy"],
        detected_by=found["detected_by"],
        acted_at=found["decided_at"],
        is_right=state.accounts["is_fake"][account].copy(),
        scenario=np.full(count, INCUMBENT),
    )
