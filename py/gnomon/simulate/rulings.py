"""The record of enforcement: violations and actions as they are decided, and each new version of an action."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from gnomon.simulate import spells
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.luck import draw_luck, draw_lucky_delays, name_items
from gnomon.simulate.policies import POLICIES, find_versions_in_force
from gnomon.simulate.rows import Rows, order_by_time, write_ids, write_moments, write_words
from gnomon.simulate.spells import ACTIONS, LIMIT, REMOVE, SUSPEND
from gnomon.simulate.state import State
from gnomon.simulate.world import DAY, MINUTE, NEVER, NONE, Bools, Day, Ints, Texts, World, draw_arrivals

# As in the raw contract; `sample` is never among what this world's violations say.
DETECTORS = np.array(["rule", "user_report", "reviewer"])
RULE, REPORT, REVIEWER = range(3)
SOURCES = np.array(["rule", "strategy", "reviewer"])
BY_RULE, BY_STRATEGY, BY_REVIEWER = range(3)
# What caused an action, beside the numbers of scenarios: the incumbent, or decisions from outside.
INCUMBENT, OUTSIDE = -1, -2

BATCH = 10 * MINUTE
LONGEST_DECISION_ID = 64

_TEXTS = "enforcement.decisions"
_SCOPES = np.array(["content", "account"])
# A creator who is wrongly hit is shown less for a while, and now and then leaves for good.
_FAVOUR_LOST = 0.7
_QUITS = 0.08
_HARD = (REMOVE, LIMIT, SUSPEND)


@dataclass(frozen=True)
class Deeds:
    """Actions to be recorded, one element each; columns as in the ledger of actions."""

    violation: Ints
    account: Ints
    creator: Ints
    item: Ints
    action: Ints
    source: Ints
    decision: Ints
    policy: Ints
    detected_by: Ints
    acted_at: Ints
    is_right: Bools
    scenario: Ints

    def take(self, rows: Ints | Bools) -> Deeds:
        """Return these rows."""
        return Deeds(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def join_deeds(parts: list[Deeds]) -> Deeds:
    """Return the deeds of all parts, one after the other."""
    names = [field.name for field in fields(Deeds)]
    return Deeds(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def record_violations(
    state: State, day: Day, account: Ints, item: Ints, policy: Ints, detected_by: Ints, decided_at: Ints
) -> Ints:
    """Record violations decided today, given in the order of time; return their numbers. Item -1: of an account."""
    rng = day.draw_stream("violations")
    uploaded = name_items(state, item)[1]
    version = find_versions_in_force(state, policy, np.where(item >= 0, uploaded, decided_at))
    known = draw_arrivals(rng, decided_at)
    numbers = state.violations.append(
        account=account,
        creator=state.accounts["creator"][account],
        item=item,
        policy=policy,
        version=version,
        detected_by=detected_by,
        decided_at=decided_at,
        known_at=known,
    )
    of_item = item >= 0
    state.items["violation"][item[of_item]] = numbers[of_item]
    state.outbox.post(
        rng,
        "violations",
        {
            "violation_id": write_ids("v", numbers),
            "creator_id": write_ids("a", account),
            "content_id": write_ids("c", item),
            "policy_id": write_words(POLICIES, policy),
            "policy_version": version,
            "detected_by": write_words(DETECTORS, detected_by),
            "occurred_at": write_moments(decided_at),
            "ingested_at": write_moments(known),
        },
    )
    return numbers


def record_actions(state: State, day: Day, deeds: Deeds) -> Ints:
    """Record the actions of today in the order of time, whose spells have begun; return their numbers.

    The notice to the creator follows within minutes; three in a hundred never get one.
    """
    rng = day.draw_stream("actions")
    deeds = deeds.take(order_by_time(rng, deeds.acted_at))
    counted = deeds.decision == NONE
    decision = deeds.decision.copy()
    decision[counted] = state.number("decisions", int(counted.sum()))
    # An action becomes known with its violation, not before it.
    known = draw_arrivals(rng, deeds.acted_at)
    cause = np.maximum(deeds.violation, 0)
    if state.violations.count:
        known = np.maximum(known, np.where(deeds.violation >= 0, state.violations["known_at"][cause], 0))
    names = _name_deeds(state, deeds)
    told = draw_luck(day.world, "notice", *names) < 0.97
    wait = draw_lucky_delays(day.world, "notice wait", 5 * MINUTE, 0.8, *names)
    notified = np.where(told, deeds.acted_at + wait, NEVER)
    columns = {field.name: getattr(deeds, field.name) for field in fields(deeds)} | {"decision": decision}
    numbers = state.actions.append(
        **columns, known_at=known, version_at=known, notified_at=notified, restored_at=int(NEVER)
    )
    state.outbox.post(rng, "enforcements", _tabulate(state, numbers, known))
    later = (notified < NEVER) & (notified > known)
    state.agenda.plan("enforcement.notices", notified[later], action=numbers[later])
    _lose_favour(state, day.world, deeds, names)
    return numbers


def name_actions(state: State, actions: Ints) -> tuple[Ints, ...]:
    """Return what identifies each action in every twin of its world."""
    done = state.actions.take(actions)
    return done["account"], name_items(state, done["item"])[1], done["acted_at"]


def _name_deeds(state: State, deeds: Deeds) -> tuple[Ints, ...]:
    return deeds.account, name_items(state, deeds.item)[1], deeds.acted_at


def _lose_favour(state: State, world: World, deeds: Deeds, names: tuple[Ints, ...]) -> None:
    """Let creators who were wrongly hit lose reach, and some of them their patience."""
    hit = np.flatnonzero(~deeds.is_right & (deeds.creator >= 0))
    hard = hit[np.isin(deeds.action[hit], _HARD)]
    creators = state.creators
    np.multiply.at(creators["favour"], deeds.creator[hard], _FAVOUR_LOST)
    quits = draw_luck(world, "quits", *names)[hit] < _QUITS
    wait = draw_lucky_delays(world, "quits wait", 3 * DAY, 0.6, *names)[hit]
    whose, when = deeds.creator[hit][quits], (deeds.acted_at[hit] + wait)[quits]
    sooner = when < creators["quits_at"][whose]
    is_back = creators["returns_at"][whose] <= when
    # Who leaves for this does not come back.
    whose, when = whose[sooner | is_back], when[sooner | is_back]
    creators["quits_at"][whose] = when
    creators["returns_at"][whose] = NEVER


def regain_favour(state: State) -> None:
    """Let what creators lost come back, two per cent a day."""
    state.creators["favour"] = np.minimum(state.creators["favour"] * 1.02, 1.0)


def plan_restorations(state: State, actions: Ints, moments: Ints) -> None:
    """Take these actions back at these moments, at most a day ahead: their spells end, and the row follows."""
    state.actions["restored_at"][actions] = moments
    spells.end(state, actions, moments)
    state.agenda.plan("enforcement.restored", moments, action=actions)


def post_versions(state: State, day: Day) -> None:
    """Post a new version of each action of which the notice went out or which was taken back today."""
    rng = day.draw_stream("enforcement versions")
    for topic, name in (("enforcement.notices", "notified_at"), ("enforcement.restored", "restored_at")):
        due = state.agenda.take(topic, day.ends_at)
        if len(due["at"]) == 0:
            continue
        actions = due["action"]
        known = draw_arrivals(rng, state.actions[name][actions])
        known = np.maximum(known, state.actions["version_at"][actions] + BATCH)
        state.actions["version_at"][actions] = known
        state.outbox.post(rng, "enforcements", _tabulate(state, actions, known))


def _tabulate(state: State, actions: Ints, known: Ints) -> Rows:
    """Return rows of the raw table enforcements as known at `known`: what comes later is empty."""
    done = state.actions.take(actions)
    return {
        "enforcement_id": write_ids("x", actions),
        "violation_id": write_ids("v", done["violation"]),
        "creator_id": write_ids("a", done["account"]),
        "content_id": write_ids("c", done["item"]),
        "action": write_words(ACTIONS, done["action"]),
        "scope": write_words(_SCOPES, (done["item"] < 0).astype(np.int64)),
        "decision_source": write_words(SOURCES, done["source"]),
        "decision_id": _write_decisions(state, done["decision"]),
        "notified_at": write_moments(np.where(done["notified_at"] <= known, done["notified_at"], NEVER)),
        "restored_at": write_moments(np.where(done["restored_at"] <= known, done["restored_at"], NEVER)),
        "occurred_at": write_moments(done["acted_at"]),
        "ingested_at": write_moments(known),
    }


def keep_texts(state: State, texts: Texts) -> Ints:
    """Keep the ids that decisions from outside brought, and return how the ledger of actions names them."""
    ledger = state.others.setdefault(_TEXTS, Ledger(text=f"U{LONGEST_DECISION_ID}"))
    return -2 - ledger.append(text=texts) if len(texts) else np.zeros(0, dtype=np.int64)


def _write_decisions(state: State, decision: Ints) -> pa.StringArray:
    ids = write_ids("d", decision)
    outside = np.flatnonzero(decision < NONE)
    if len(outside) == 0:
        return ids
    words: list[str | None] = ids.to_pylist()
    for row, text in zip(outside.tolist(), state.others[_TEXTS]["text"][-2 - decision[outside]].tolist(), strict=True):
        words[row] = text
    return pa.array(words, type=pa.string())


def tell_truth(state: State) -> Rows:
    """Return the truth about actions, one row per action: for evaluation only."""
    return {
        "enforcement_id": write_ids("x", np.arange(state.actions.count)),
        "is_right": state.actions["is_right"].copy(),
    }
