"""The record of enforcement: violations, enforcements and appeals as raw tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.simulate.accounts import Accounts, Creators
from gnomon.simulate.appeals import OUTCOMES
from gnomon.simulate.content import Content
from gnomon.simulate.enforcement import ACTIONS, DETECTORS, RULE, Enforcement
from gnomon.simulate.policies import POLICIES, find_versions
from gnomon.simulate.rows import Rows, number_ids, order_by_time, pick, show_moments
from gnomon.simulate.world import NEVER, NONE, Bools, Ints, Texts, World


@dataclass(frozen=True)
class Rulings:
    """Actions in the order of time with their ids; `item` is -1 for an action on an account."""

    enforcement_id: Texts
    item: Ints
    creator: Ints
    detected_by: Ints
    policy: Ints
    acted_at: Ints
    known_at: Ints
    is_right: Bools


def tabulate_rulings(
    world: World,
    accounts: Accounts,
    creators: Creators,
    content: Content,
    content_ids: Texts,
    enforcement: Enforcement,
) -> tuple[Rulings, dict[str, Rows]]:
    """Return the actions by id, and the raw tables violations, enforcements and appeals."""
    rng = world.draw_stream("rulings")
    decisions, actions = enforcement.decisions, enforcement.actions
    creator_ids = accounts.account_id[creators.account]

    found = np.flatnonzero(decisions.decided_at < NEVER)
    found = found[order_by_time(rng, decisions.decided_at[found])]
    violation_ids = np.full(content.count, "", dtype="U8")
    violation_ids[found] = number_ids("v", len(found))
    violations: Rows = {
        "violation_id": violation_ids[found],
        "creator_id": creator_ids[content.creator[found]],
        "content_id": content_ids[found],
        "policy_id": POLICIES[decisions.policy[found]],
        "policy_version": find_versions(world, decisions.policy[found], content.uploaded_at[found]),
        "detected_by": DETECTORS[decisions.detected_by[found]],
        "occurred_at": show_moments(decisions.decided_at[found]),
        "ingested_at": show_moments(decisions.known_at[found]),
    }
    order = order_by_time(rng, actions.acted_at)
    item, on_account = actions.item[order], actions.is_account[order]
    settlement = actions.settlement.take(order)
    rulings = Rulings(
        enforcement_id=number_ids("x", len(order)),
        item=np.where(on_account, NONE, item),
        creator=content.creator[item],
        detected_by=decisions.detected_by[item],
        policy=decisions.policy[item],
        acted_at=actions.acted_at[order],
        known_at=actions.known_at[order],
        is_right=~actions.is_wrong[order],
    )
    enforcements: Rows = {
        "enforcement_id": rulings.enforcement_id,
        "violation_id": violation_ids[item],
        "creator_id": creator_ids[rulings.creator],
        "content_id": pick(content_ids, rulings.item),
        "action": ACTIONS[actions.action[order]],
        "scope": np.where(on_account, "account", "content"),
        # The ladder for repeaters is a rule, whoever found the last violation.
        "decision_source": np.where(on_account | (rulings.detected_by == RULE), "rule", "reviewer"),
        "decision_id": number_ids("d", len(order)),
        "notified_at": show_moments(settlement.notified_at),
        "restored_at": show_moments(settlement.restored_at),
        "occurred_at": show_moments(rulings.acted_at),
        "ingested_at": show_moments(rulings.known_at),
    }
    filed = np.flatnonzero(settlement.appealed_at < NEVER)
    filed = filed[order_by_time(rng, settlement.appealed_at[filed])]
    reviewer = np.where(settlement.appeal_decided_at < NEVER, settlement.appeal_reviewer, NONE)
    # A withdrawn appeal was decided by nobody.
    reviewer = np.where(OUTCOMES[settlement.outcome] == "withdrawn", NONE, reviewer)
    appeals: Rows = {
        "appeal_id": number_ids("w", len(filed)),
        "enforcement_id": rulings.enforcement_id[filed],
        "reviewer_id": pick(np.array([f"appeal-{number}" for number in range(1, 7)]), reviewer[filed]),
        "outcome": OUTCOMES[settlement.outcome[filed]],
        "decided_at": show_moments(settlement.appeal_decided_at[filed]),
        "occurred_at": show_moments(settlement.appealed_at[filed]),
        "ingested_at": show_moments(settlement.appeal_known_at[filed]),
    }
    return rulings, {"violations": violations, "enforcements": enforcements, "appeals": appeals}


def tell_truth(rulings: Rulings) -> Rows:
    """Return the truth about actions, one row per action: for evaluation only."""
    return {"enforcement_id": rulings.enforcement_id, "is_right": rulings.is_right}
