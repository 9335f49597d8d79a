"""The rules of the platform: which policies there are, and since when each version counts."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.effects import Effects
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.rows import write_moments, write_words
from gnomon.simulate.state import State
from gnomon.simulate.world import DAY, MINUTE, Day, Ints, World

POLICIES = np.array(["spam", "misleading_claims", "counterfeit", "low_quality", "unsafe_content", "undisclosed_aigc"])
SPAM, MISLEADING, COUNTERFEIT, LOW_QUALITY, UNSAFE, UNDISCLOSED = range(6)

_VERSIONS = "policies.versions"
_FIRST = "First version."
_PLANNED = "Widened: before-and-after pictures and implied health effects count as claims."
_WIDENED = "Widened: more of what was borderline counts."
_NARROWED = "Narrowed: less of what is borderline counts."


def found(world: World, state: State) -> None:
    """Put the first versions in force, and announce version 2 of misleading_claims."""
    count = len(POLICIES)
    state.others[_VERSIONS] = Ledger(policy=np.int64, version=np.int64, since=np.int64, share=float)
    since = np.append(np.full(count, world.start - 400 * DAY), world.widened_at)
    policy = np.append(np.arange(count), MISLEADING)
    version = np.append(np.ones(count, dtype=np.int64), 2)
    notes = np.append(np.full(count, _FIRST), _PLANNED)
    # Each is announced before it comes into force.
    _announce(state, world.draw_stream("policies"), policy, version, since, 0.0, notes, since - 5 * DAY)


def revise(state: State, day: Day, effects: Effects) -> None:
    """Put a new version in force today of each policy whose widening by scenarios begins, changes or ends."""
    versions = state.others[_VERSIONS]
    for policy in range(len(POLICIES)):
        rows = np.flatnonzero(versions["policy"] == policy)
        before = float(versions["share"][rows[-1]])
        share = effects.widened.get(policy, 0.0)
        if share == before:
            continue
        _announce(
            state,
            day.draw_stream(f"policy {policy}"),
            np.array([policy]),
            versions["version"][rows].max(keepdims=True) + 1,
            np.array([day.begins_at]),
            share,
            np.array([_WIDENED if share > before else _NARROWED]),
            np.array([day.begins_at + 10 * MINUTE]),
        )


def _announce(
    state: State,
    rng: np.random.Generator,
    policy: Ints,
    version: Ints,
    since: Ints,
    share: float,
    notes: np.ndarray[tuple[int], np.dtype[np.str_]],
    known: Ints,
) -> None:
    state.others[_VERSIONS].append(policy=policy, version=version, since=since, share=share)
    state.outbox.post(
        rng,
        "policy_versions",
        {
            "policy_id": write_words(POLICIES, policy),
            "policy_version": version,
            "change_note": notes,
            "occurred_at": write_moments(since),
            "ingested_at": write_moments(known),
        },
    )


def find_versions(world: World, policy: Ints, moments: Ints) -> Ints:
    """Return the version of each policy that the world plans for each moment, scenarios left aside."""
    return np.where((policy == MISLEADING) & (moments >= world.widened_at), 2, 1).astype(np.int64)


def find_versions_in_force(state: State, policy: Ints, moments: Ints) -> Ints:
    """Return the version of each policy in force at each moment, those that scenarios brought among them."""
    versions = state.others[_VERSIONS]
    found = np.ones(len(policy), dtype=np.int64)
    for number in range(len(POLICIES)):
        rows = np.flatnonzero(versions["policy"] == number)
        rows = rows[np.argsort(versions["since"][rows], kind="stable")]
        place = np.searchsorted(versions["since"][rows], moments, side="right") - 1
        found = np.where(policy == number, versions["version"][rows[np.maximum(place, 0)]], found)
    return found
