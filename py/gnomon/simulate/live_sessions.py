"""LIVEs: each is announced when it begins, and told in full when it is over."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.content import LIVE
from gnomon.simulate.rows import write_ids, write_moments
from gnomon.simulate.state import State
from gnomon.simulate.world import NEVER, Day, Ints, draw_arrivals

# The world does not draw when viewers leave: the peak is this share of a session's views.
_PEAK_SHARE = 0.4


def broadcast(state: State, day: Day, items: Ints) -> None:
    """Post the LIVEs among the day's new `items`, and a new version of those that end today.

    A LIVE ends by itself, or when it is taken down.
    """
    rng = day.draw_stream("live sessions")
    begun = items[state.items["kind"][items] == LIVE]
    numbers = state.number("live_sessions", len(begun))
    uploaded = state.items["uploaded_at"][begun]
    ends = uploaded + state.items["duration"][begun] // 1000
    known = draw_arrivals(rng, uploaded)
    _post(state, rng, numbers, begun, np.zeros(len(begun), dtype=np.int64), np.full(len(begun), NEVER), known)
    state.agenda.plan("live session ends", ends, number=numbers, item=begun, known_at=known)
    over = state.agenda.take("live session ends", day.ends_at)
    if len(over["at"]) == 0:
        return
    ended = np.minimum(over["at"], state.items["removed_at"][over["item"]])
    peak = np.ceil(state.items["view_count"][over["item"]] * _PEAK_SHARE).astype(np.int64)
    known = np.maximum(draw_arrivals(rng, ended), over["known_at"] + 600)
    _post(state, rng, over["number"], over["item"], peak, ended, known)


def _post(
    state: State, rng: np.random.Generator, numbers: Ints, items: Ints, peak: Ints, ended: Ints, known: Ints
) -> None:
    creator = state.items["creator"][items]
    state.outbox.post(
        rng,
        "live_sessions",
        {
            "live_session_id": write_ids("l", numbers),
            "creator_id": write_ids("a", state.creators["account"][creator]),
            "content_id": write_ids("c", items),
            "peak_viewer_count": peak,
            "ended_at": write_moments(ended),
            "occurred_at": write_moments(state.items["uploaded_at"][items]),
            "ingested_at": write_moments(known),
        },
    )
