"""What is going to happen: things drawn now that come on a later day."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gnomon.simulate.ledger import Ledger
from gnomon.simulate.world import Ints

Columns = dict[str, NDArray[Any]]


class Agenda:
    """Things to come by topic; each has its moment `at` and whatever columns the topic has."""

    def __init__(self) -> None:
        """Make an empty agenda."""
        self.topics: dict[str, Ledger] = {}

    def plan(self, topic: str, at: Ints, **columns: NDArray[Any]) -> None:
        """Put things on the agenda; what lies at NEVER or beyond is not put there by the caller."""
        if topic not in self.topics:
            kinds = {name: np.asarray(values).dtype for name, values in columns.items()}
            self.topics[topic] = Ledger(at=np.int64, **kinds)
        self.topics[topic].append(at=at, **columns)

    def take(self, topic: str, before: int) -> Columns:
        """Take what comes before a moment off the agenda, in the order of time; empty if nothing was ever planned.

        A topic that never had a plan gives only an empty `at`.
        """
        if topic not in self.topics:
            return {"at": np.zeros(0, dtype=np.int64)}
        waiting = self.topics[topic]
        due = waiting["at"] < before
        taken = waiting.take(due)
        waiting.keep(~due)
        order = np.argsort(taken["at"], kind="stable")
        return {name: values[order] for name, values in taken.items()}

    def copy(self) -> Self:
        """Return an agenda with the same things on it, which shares nothing with this one."""
        twin = type(self)()
        twin.topics = {topic: waiting.copy() for topic, waiting in self.topics.items()}
        return twin
