"""What becomes of an action afterwards: the notice, the appeal, and whether it is taken back."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gnomon.simulate.world import DAY, HOUR, MINUTE, NEVER, Bools, Ints, World, draw_arrivals, draw_choices, draw_delays

OUTCOMES = np.array(["pending", "upheld", "overturned", "partial", "withdrawn"])
PENDING, OVERTURNED, PARTIAL = 0, 2, 3

# Shares of upheld, overturned, partial, withdrawn.
_WHEN_RIGHT = np.array([0.78, 0.09, 0.05, 0.08])
_WHEN_WRONG = np.array([0.18, 0.67, 0.09, 0.06])


@dataclass(frozen=True)
class Settlement:
    """One row per action; NEVER for a moment that has not come by the world's end."""

    notified_at: Ints
    restored_at: Ints
    appealed_at: Ints
    appeal_known_at: Ints
    outcome: Ints
    appeal_decided_at: Ints
    appeal_reviewer: Ints

    def take(self, index: Ints) -> Settlement:
        """Return the rows at `index`, in its order."""
        return Settlement(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


def join_settlements(parts: list[Settlement]) -> Settlement:
    """Return the rows of all parts, one after the other."""
    names = [field.name for field in fields(Settlement)]
    return Settlement(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def settle(world: World, topic: str, acted_at: Ints, is_wrong: Bools) -> Settlement:
    """Return what follows each action: creators wrongly hit appeal more, and are mostly heard.

    An appeal stands open for 30 days. A few percent are restored without one. An overturned or
    partial appeal restores at the moment it is decided.
    """
    rng = world.draw_stream(f"settlement {topic}")
    count = len(acted_at)
    notified = acted_at + draw_delays(rng, count, 5 * MINUTE, 0.8)
    notified = np.where((rng.random(count) < 0.97) & (notified <= world.end), notified, NEVER)

    wait = draw_delays(rng, count, DAY, 1.1)
    appeals = (rng.random(count) < np.where(is_wrong, 0.48, 0.16)) & (notified < NEVER) & (wait <= 30 * DAY)
    appealed = np.where(appeals, np.where(appeals, notified, 0) + wait, NEVER)
    known = draw_arrivals(rng, np.where(appeals, appealed, 0))
    is_filed = appeals & (known <= world.end)
    decided = np.where(is_filed, appealed, 0) + HOUR + draw_delays(rng, count, 2.5 * DAY, 0.9)
    is_decided = is_filed & (decided <= world.end)
    found = 1 + np.where(is_wrong, draw_choices(rng, _WHEN_WRONG, count), draw_choices(rng, _WHEN_RIGHT, count))
    outcome = np.where(is_decided, found, PENDING)
    reviewer = rng.integers(0, 6, count)

    undone = acted_at + draw_delays(rng, count, 3 * DAY, 0.9)
    slips = (rng.random(count) < np.where(is_wrong, 0.20, 0.02)) & ~is_filed & (undone <= world.end)
    restored = np.where(slips, undone, NEVER)
    restored = np.where((outcome == OVERTURNED) | (outcome == PARTIAL), decided, restored)
    return Settlement(
        notified_at=notified,
        restored_at=restored,
        appealed_at=np.where(is_filed, appealed, NEVER),
        appeal_known_at=np.where(is_filed, known, NEVER),
        outcome=outcome,
        appeal_decided_at=np.where(is_decided, decided, NEVER),
        appeal_reviewer=reviewer,
    )
