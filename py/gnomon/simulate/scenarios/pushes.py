"""Crowds that come to what was uploaded today: resolved once the day's items are known."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.effects import Effects, Push, Visits
from gnomon.simulate.state import State
from gnomon.simulate.world import DAY, HOUR, NONE, SETTLED, Day, Ints

_LIVE = 1


def place_pushes(state: State, day: Day, effects: Effects) -> None:
    """Turn the day's pushes into visits; call it after content.upload and before engagement.act.

    Who would come after midnight does not come.
    """
    first = int(np.searchsorted(state.items["uploaded_at"], day.begins_at))
    number = np.arange(first, state.items.count, dtype=np.int64)
    for push in effects.pushes:
        item = _find_item(state, push, number)
        if item < 0:
            continue
        shown = state.items["uploaded_at"][item] + SETTLED + push.after
        comes = shown < day.ends_at
        if push.is_live:
            comes &= SETTLED + push.after < state.items["duration"][item] // 1000
        count = int(comes.sum())
        effects.visits.append(
            Visits(
                scenario=push.scenario,
                item=np.full(count, item, dtype=np.int64),
                viewer=push.viewer[comes],
                shown_at=shown[comes],
                eagerness=np.full(count, push.eagerness),
                text=np.full(count, NONE),
            )
        )
    effects.pushes.clear()


def _find_item(state: State, push: Push, number: Ints) -> int:
    """Return the item of today that the push is for, -1 if there is none."""
    items = state.items
    creator = items["creator"][number]
    if push.creator >= 0:
        number = number[creator == push.creator]
    elif push.region >= 0:
        number = number[state.accounts["region"][state.creators["account"][creator]] == push.region]
    if push.is_live:
        # One that has most of its time on this day.
        late = items["uploaded_at"][number] % DAY > DAY - 2 * HOUR
        number = number[(items["kind"][number] == _LIVE) & ~late]
    if len(number) == 0:
        return int(NONE)
    if push.creator >= 0:
        return int(number[0])
    summed = np.cumsum(items["reach"][number])
    return int(number[min(int(np.searchsorted(summed, push.luck * summed[-1], side="right")), len(number) - 1)])
