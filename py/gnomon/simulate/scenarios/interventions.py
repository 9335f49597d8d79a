"""What the platform changed on purpose: as it was, and as its log has it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from gnomon.simulate.policies import MISLEADING, POLICIES
from gnomon.simulate.rows import Rows, write_moments, write_words
from gnomon.simulate.scenarios.kinds import KINDS
from gnomon.simulate.world import DAY, NEVER, NONE, World

# The widening that every world has, in the middle of its planned days.
WIDENING = "misleading_claims_v2"


@dataclass(frozen=True)
class Intervention:
    """A change from `begins_at` to before `ends_at` (NEVER: still in force), whole days in seconds."""

    name: str
    kind: str
    policy: int
    note: str
    begins_at: int
    ends_at: int
    is_logged: bool = True
    days_late: int = 0


def list_interventions(world: World) -> tuple[Intervention, ...]:
    """Return what really was changed and when, in the order of time."""
    note = "Version 2 of misleading_claims comes into force and counts more than version 1"
    found = [Intervention(WIDENING, "policy_widened", MISLEADING, note, world.widened_at, int(NEVER))]
    for scenario in world.scenarios:
        kind = KINDS[scenario.kind]
        if kind.intervention is None:
            continue
        found.append(
            Intervention(
                name=scenario.name,
                kind=kind.intervention,
                policy=scenario.policy,
                note=scenario.why,
                begins_at=world.start + scenario.begins_on * DAY,
                ends_at=int(NEVER) if scenario.ends_on is None else world.start + scenario.ends_on * DAY,
                is_logged=scenario.is_logged,
                days_late=scenario.days_late,
            )
        )
    return tuple(sorted(found, key=lambda change: (change.begins_at, change.name)))


def log_interventions(world: World, raw_set_id: str) -> Rows:
    """Return the platform's log as rows of the seed intervention_log: what nobody wrote down is not in it.

    Dates are whole days; a late entry has both its dates moved.
    """
    logged = [
        replace(
            change,
            begins_at=change.begins_at + change.days_late * DAY,
            ends_at=min(change.ends_at + change.days_late * DAY, int(NEVER)) if change.ends_at < NEVER else int(NEVER),
        )
        for change in list_interventions(world)
        if change.is_logged
    ]
    logged.sort(key=lambda change: (change.begins_at, change.name))
    return {
        # The id tells neither the scenario nor that there is one.
        "intervention_id": pa.array([f"{raw_set_id}-{place:02d}" for place in range(1, len(logged) + 1)], pa.string()),
        "raw_set_id": pa.array([raw_set_id] * len(logged), pa.string()),
        "intervention_kind": pa.array([change.kind for change in logged], pa.string()),
        "policy_id": write_words(POLICIES, np.array([change.policy for change in logged], dtype=np.int64)),
        "note": pa.array([_describe(change) for change in logged], pa.string()),
        "start_date": _write_dates([change.begins_at for change in logged]),
        # The last day in force.
        "end_date": _write_dates([_find_last_day(change) for change in logged]),
    }


def tell_interventions(world: World) -> Rows:
    """Return what really was changed, when, and how the log has it: for evaluation only."""
    changes = list_interventions(world)
    return {
        "intervention": pa.array([change.name for change in changes], pa.string()),
        "intervention_kind": pa.array([change.kind for change in changes], pa.string()),
        "policy_id": write_words(POLICIES, np.array([change.policy for change in changes], dtype=np.int64)),
        "begins_at": _write_seconds([change.begins_at for change in changes]),
        "ends_at": _write_seconds([change.ends_at for change in changes]),
        "is_logged": np.array([change.is_logged for change in changes], dtype=bool),
        "days_late": np.array([change.days_late for change in changes], dtype=np.int64),
    }


def _describe(change: Intervention) -> str:
    """Return what the platform's own people would write: they do not know what was wrong with it."""
    if change.name == WIDENING:
        return change.note
    what = str(POLICIES[change.policy]) if change.policy != NONE else "enforcement"
    return {
        "policy_widened": f"More of what is borderline counts under {what}",
        "enforcement_changed": "How violations and fake accounts are found and acted on was changed",
    }[change.kind]


def _write_seconds(moments: list[int]) -> pa.Array:
    return write_moments(np.array(moments, dtype=np.int64))


def _find_last_day(change: Intervention) -> int:
    return change.ends_at - DAY if change.ends_at < NEVER else change.ends_at


def _write_dates(moments: list[int]) -> pa.Array:
    return pa.array([None if moment >= NEVER else moment // DAY for moment in moments], pa.int32()).cast(pa.date32())
