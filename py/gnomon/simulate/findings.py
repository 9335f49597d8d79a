"""What the incumbent platform finds: by rules, after reports, and by looking for itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.simulate import queue
from gnomon.simulate.effects import Effects
from gnomon.simulate.luck import draw_luck, draw_lucky_delays, name_items
from gnomon.simulate.policies import POLICIES
from gnomon.simulate.queue import THAI, Team
from gnomon.simulate.rulings import REPORT, REVIEWER, RULE
from gnomon.simulate.spells import hides
from gnomon.simulate.state import State
from gnomon.simulate.world import HOUR, NONE, Bools, Day, Floats, Ints, World

# How often a rule finds an item that seems bad, by policy, and hits a good one, by language.
_RULE_FINDS = np.array([0.42, 0.25, 0.30, 0.28, 0.45, 0.22])
_RULE_ERRS = 0.0022
_RULE_ERRS_THAI = 0.007
# Hours after the upload: what is unsafe is looked at first; where claims must be weighed it takes longest.
_RULE_HOURS = np.array([1.5, 3.0, 3.0, 2.0, 0.7, 3.0])
_RULE_HOURS_WRONG = 2.0
# The share of items that reviewers look at unasked: those that seem risky.
_LOOKS_AT_BAD, _LOOKS_AT_GOOD = 0.24, 0.06
# What reviewers miss and wrongly take for bad: of reported items, and of those they look at unasked.
_REPORT_MISSES, _REPORT_ALARMS = 0.15, 0.03
_LOOK_MISSES, _LOOK_ALARMS = 0.08, 0.02
# Even a right finding names the wrong policy at times.
_NAMES_RIGHT = 0.93


@dataclass(frozen=True)
class Findings:
    """Items found to break a policy, in the order of time: by whom, which policy they are said to break, when."""

    item: Ints
    detected_by: Ints
    policy: Ints
    found_at: Ints

    def take(self, rows: Ints | Bools) -> Findings:
        """Return these rows."""
        return Findings(self.item[rows], self.detected_by[rows], self.policy[rows], self.found_at[rows])


def make_team(world: World) -> Team:
    """Return the reviewers of reported and suspicious items.

    They are planned at first for what looks risky, and for the items that so many views get
    reported: by far not each report is about another one where items have many views.
    """
    uploads = world.scale.creators * world.scale.posts_per_creator
    showings = world.scale.creators * world.scale.impressions_per_creator
    return Team("triage", 0.065 * uploads + min(0.11 * uploads, 0.003 * showings))


def refer(state: State, world: World, item: Ints, arrived_at: Ints, severity: Floats) -> None:
    """Send reported items to the reviewers; `severity` 0 to 3 sets whose turn comes first."""
    queue.put(state, make_team(world), 2 * item, state.items["language"][item], arrived_at, 1.0 + severity)


def find(state: State, day: Day, effects: Effects) -> Findings:
    """Return the first finding of today about each item that has none yet and is in sight."""
    today = _list_today(state, day)
    late = state.agenda.take("enforcement.rules", day.ends_at)
    quick_item, quick_at = _apply_rules(state, day, today, effects)
    worked = queue.work(state, day, make_team(day.world))
    seen, by_report = worked.thing // 2, worked.thing % 2 == 0
    is_bad = state.items["policy"][seen] >= 0
    luck = draw_luck(day.world, "triage", *name_items(state, seen), by_report.astype(np.int64))
    language = worked.language
    believed = np.where(
        by_report,
        queue.judge(luck, is_bad, language, worked.load, _REPORT_MISSES, _REPORT_ALARMS),
        queue.judge(luck, is_bad, language, worked.load, _LOOK_MISSES, _LOOK_ALARMS),
    )
    _look_around(state, day, today)

    late_item = late.get("item", np.zeros(0, dtype=np.int64))
    item = np.concatenate([late_item, quick_item, seen[believed]])
    found_at = np.concatenate([late["at"], quick_at, worked.worked_at[believed]])
    by_people = np.where(by_report[believed], REPORT, REVIEWER)
    detected_by = np.concatenate([np.full(len(late_item) + len(quick_item), RULE), by_people])
    order = np.lexsort((item, found_at))
    findings = Findings(item[order], detected_by[order], _name_policies(state, day.world, item[order]), found_at[order])
    is_open = (state.items["violation"][findings.item] < 0) & ~hides(state, findings.item, findings.found_at)
    findings = findings.take(is_open)
    return findings.take(np.sort(np.unique(findings.item, return_index=True)[1]))


def _list_today(state: State, day: Day) -> Ints:
    """Return the items uploaded today."""
    low, high = np.searchsorted(state.items["uploaded_at"], [day.begins_at, day.ends_at])
    return np.arange(low, high, dtype=np.int64)


def _apply_rules(state: State, day: Day, today: Ints, effects: Effects) -> tuple[Ints, Ints]:
    """Return which of today's items the rules find today, and when; later findings go on the agenda."""
    names = name_items(state, today)
    policy = np.where(state.items["seems_bad"][today], state.items["policy"][today], NONE)
    errs = np.where(state.items["language"][today] == THAI, _RULE_ERRS_THAI, _RULE_ERRS) * effects.rule_errs
    chance = np.where(policy >= 0, _RULE_FINDS[policy] * effects.rule_finds, errs)
    hours = np.where(policy >= 0, _RULE_HOURS[policy], _RULE_HOURS_WRONG)
    wait = draw_lucky_delays(day.world, "rule wait", hours * HOUR, 1.4, *names)
    hit = draw_luck(day.world, "rule", *names) < chance
    item, found_at = today[hit], (state.items["uploaded_at"][today] + wait)[hit]
    soon = found_at < day.ends_at
    state.agenda.plan("enforcement.rules", found_at[~soon], item=item[~soon])
    return item[soon], found_at[soon]


def _look_around(state: State, day: Day, today: Ints) -> None:
    """Put the items that reviewers look at unasked behind those that were reported."""
    seems_bad = state.items["seems_bad"][today]
    luck = draw_luck(day.world, "look", *name_items(state, today))
    chosen = today[luck < np.where(seems_bad, _LOOKS_AT_BAD, _LOOKS_AT_GOOD)]
    language = state.items["language"][chosen]
    uploaded = state.items["uploaded_at"][chosen]
    queue.put(state, make_team(day.world), 2 * chosen + 1, language, uploaded, np.zeros(len(chosen)))


def _name_policies(state: State, world: World, item: Ints) -> Ints:
    """Return the policy that each item is said to break."""
    names = name_items(state, item)
    truth = state.items["policy"][item]
    guess = np.floor(draw_luck(world, "guess", *names) * len(POLICIES)).astype(np.int64)
    return np.where((truth >= 0) & (draw_luck(world, "naming", *names) < _NAMES_RIGHT), truth, guess)
