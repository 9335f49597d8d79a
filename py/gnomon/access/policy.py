"""What one role may see."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SmallestCell:
    """The fewest units that a number may stand on, `least`, and the entities that are units.

    A row is of the first of these entities that it has a key of.
    """

    least: int
    units: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """What a role may see and how much it may ask.

    `metrics` None is all of them. `row_filters` are conditions over dimensions, as a question's filters are
    written: for the role there are no other rows. Attributes in `hidden` (the last part of a name: `creator`
    for `post__creator`) can be neither read nor filtered by. `per_minute` None is as many questions as it likes.
    With a `smallest_cell` no number is shown that stands on fewer units.
    """

    name: str
    metrics: frozenset[str] | None = None
    row_filters: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    per_minute: int | None = None
    smallest_cell: SmallestCell | None = None

    @property
    def is_partial(self) -> bool:
        """Tell whether there are rows or values that the role may not see."""
        return bool(self.row_filters) or self.smallest_cell is not None

    def sees(self, metric: str) -> bool:
        """Tell whether the role may ask for a metric."""
        return self.metrics is None or metric in self.metrics


# Who runs the program on the file itself sees what is in it.
EVERYTHING = Policy("owner")
