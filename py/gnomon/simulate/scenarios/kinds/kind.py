"""What a kind of scenario is: what its size means, which fields it takes, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gnomon.simulate.scenarios.scenario import Turn


def do_nothing(turn: Turn) -> None:
    """Do nothing on the first day: this kind needs no preparation."""


@dataclass(frozen=True)
class Kind:
    """A kind of scenario; `least` and `most` bound its size.

    `recruit` runs once, on the first day; `act` on every day of the scenario. `has_operator` kinds
    take stealth and adaptation; those with an `intervention` are the platform's own doing and have
    an entry in its log, unless nobody wrote one.
    """

    name: str
    size: str
    least: float
    most: float
    act: Callable[[Turn], None]
    recruit: Callable[[Turn], None] = do_nothing
    is_benign: bool = False
    has_operator: bool = False
    intervention: str | None = None
    takes_regions: bool = True
    needs_policy: bool = False
    needs_carrier: bool = False

    def list_keys(self) -> tuple[str, ...]:
        """Return the keys that a file of this kind may have beside those that all have."""
        keys = ["regions"] if self.takes_regions else []
        keys += ["stealth", "adaptation"] if self.has_operator else []
        keys += ["log"] if self.intervention else []
        keys += ["policy"] if self.needs_policy else []
        keys += ["carrier"] if self.needs_carrier else []
        return tuple(keys)

    def list_needed(self) -> tuple[str, ...]:
        """Return those of its keys that must be there."""
        return tuple(key for key in self.list_keys() if key in ("stealth", "policy", "carrier"))
