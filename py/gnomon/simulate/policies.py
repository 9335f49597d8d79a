"""The rules of the platform: which policies there are, and since when each version counts."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.rows import Rows, show_moments
from gnomon.simulate.world import DAY, Ints, World

POLICIES = np.array(["spam", "misleading_claims", "counterfeit", "low_quality", "unsafe_content", "undisclosed_aigc"])
SPAM, MISLEADING, COUNTERFEIT, UNDISCLOSED = 0, 1, 2, 5


def find_versions(world: World, policy: Ints, moments: Ints) -> Ints:
    """Return the version of each policy in force at each moment."""
    return np.where((policy == MISLEADING) & (moments >= world.widened_at), 2, 1).astype(np.int64)


def tabulate_policy_versions(world: World) -> Rows:
    """Return the raw table policy_versions: each is announced before it comes into force."""
    since = np.array([world.start - 400 * DAY] * len(POLICIES) + [world.widened_at], dtype=np.int64)
    notes = ["First version."] * len(POLICIES)
    notes.append("Widened: before-and-after pictures and implied health effects count as claims.")
    return {
        "policy_id": np.append(POLICIES, POLICIES[MISLEADING]),
        "policy_version": np.array([1] * len(POLICIES) + [2]),
        "change_note": np.array(notes),
        "occurred_at": show_moments(since),
        "ingested_at": show_moments(since - 5 * DAY),
    }
