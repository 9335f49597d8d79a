"""What users report, and what of it reaches the reviewers."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.engagement import VIEW, Acts
from gnomon.simulate.findings import refer
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.luck import choose, draw_luck, draw_lucky_delays
from gnomon.simulate.rows import Rows, order_by_time, write_ids, write_moments, write_words
from gnomon.simulate.spells import hides
from gnomon.simulate.state import State
from gnomon.simulate.world import Day, Ints, World, draw_arrivals

REASONS = np.array(["spam", "misleading", "unsafe", "counterfeit", "harassment", "other"])
TARGETS = np.array(["content", "account", "product"])
# What is reported: the item, its creator, or the product it shows.
ITEM, PERSON, PRODUCT = range(3)

# Per view: items that seem bad are reported far more, good ones sometimes.
_ON_BAD, _ON_GOOD = 0.14, 0.0025
# What people mostly call an item that breaks each policy, and how often they do.
_NAMED = np.array([0, 1, 3, 5, 2, 1])
_NAMES_RIGHT = 0.7
_VAGUE_SHARES = np.array([0.2, 0.2, 0.1, 0.05, 0.1, 0.35])
_TARGET_SHARES = np.array([0.84, 0.10, 0.06])
# How soon reviewers look at it, by reason.
_SEVERITY = np.array([1.0, 1.0, 3.0, 2.0, 2.0, 0.0])

# How often each item was reported itself, and whether reviewers got it: one row per item.
COUNTS = "reports.counts"


def report(state: State, day: Day, acts: Acts) -> None:
    """Let those who saw something report it, post the day's reports, and send new items to the reviewers."""
    rng = day.draw_stream("user_reports")
    _draw(state, day.world, acts)
    due = state.agenda.take("reports", day.ends_at)
    if len(due["at"]) == 0:
        return
    due = {name: values[order_by_time(rng, due["at"])] for name, values in due.items()}
    # Who waits until it is gone has nothing to report.
    there = ~hides(state, due["item"], due["at"])
    due = {name: values[there] for name, values in due.items()}
    known = draw_arrivals(rng, due["at"])
    state.outbox.post(rng, "user_reports", _tabulate(state, due, known))
    _count(state, day.world, due, known)


def _draw(state: State, world: World, acts: Acts) -> None:
    """Put the reports that today's views lead to on the agenda, some seconds after each view."""
    views = np.flatnonzero((acts.event == VIEW) & ~acts.is_owner)
    item, viewer, seen_at = acts.item[views], acts.viewer[views], acts.occurred_at[views]
    chance = np.where(state.items["seems_bad"][item], _ON_BAD, _ON_GOOD)
    reports = draw_luck(world, "report", viewer, seen_at) < chance
    item, viewer, seen_at = item[reports], viewer[reports], seen_at[reports]
    names = viewer, seen_at
    policy = state.items["policy"][item]
    vague = choose(draw_luck(world, "report reason", *names), _VAGUE_SHARES)
    knows = (policy >= 0) & (draw_luck(world, "report name", *names) < _NAMES_RIGHT)
    target = choose(draw_luck(world, "report target", *names), _TARGET_SHARES)
    target = np.where((target == PRODUCT) & (state.items["product"][item] < 0), ITEM, target)
    state.agenda.plan(
        "reports",
        seen_at + 5 + draw_lucky_delays(world, "report pause", 40, 0.6, *names),
        item=item,
        reporter=viewer,
        target=target,
        reason=np.where(knows, _NAMED[policy], vague),
    )


def _tabulate(state: State, due: dict[str, Ints], known: Ints) -> Rows:
    item, target = due["item"], due["target"]
    creator = state.creators["account"][state.items["creator"][item]]
    ids = [write_ids("c", item), write_ids("a", creator), write_ids("p", state.items["product"][item])]
    texts = [ids[kind].to_numpy(zero_copy_only=False) for kind in (ITEM, PERSON, PRODUCT)]
    return {
        "user_report_id": write_ids("u", state.number("user_reports", len(item))),
        "reporter_id": write_ids("a", due["reporter"]),
        "target_type": write_words(TARGETS, target),
        "target_id": np.select([target == ITEM, target == PERSON], texts[:2], texts[2]),
        "reason": write_words(REASONS, due["reason"]),
        "occurred_at": write_moments(due["at"]),
        "ingested_at": write_moments(known),
    }


def _count(state: State, world: World, due: dict[str, Ints], known: Ints) -> None:
    """Count reports of items, and send each item to the reviewers when its first one is known."""
    counts = state.others.setdefault(COUNTS, Ledger(items=np.int64, is_referred=bool))
    missing = state.items.count - counts.count
    counts.append(items=np.zeros(missing, dtype=np.int64), is_referred=False)
    of_item = np.flatnonzero(due["target"] == ITEM)
    item = due["item"][of_item]
    np.add.at(counts["items"], item, 1)
    order = of_item[np.argsort(known[of_item], kind="stable")]
    fresh = order[np.sort(np.unique(due["item"][order], return_index=True)[1])]
    fresh = fresh[~counts["is_referred"][due["item"][fresh]]]
    counts["is_referred"][due["item"][fresh]] = True
    refer(state, world, due["item"][fresh], known[fresh], _SEVERITY[due["reason"][fresh]])
