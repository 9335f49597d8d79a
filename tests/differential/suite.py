"""A share of the suite: one world, its questions, and what came of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.differential.catalog import Catalog
from tests.differential.judge import Verdict, judge
from tests.differential.questions import Asked, Asker
from tests.differential.worlds import World, make_world
from tests.oracle import Oracle

Ours = Callable[[Any, Asked], str] | None


@dataclass
class Share:
    """What came of one world's questions."""

    world: World
    verdicts: list[Verdict] = field(default_factory=list)
    dropped: list[Verdict] = field(default_factory=list)
    never_asked: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def failures(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.is_failure]

    @property
    def reasons(self) -> Counter[str]:
        """Why MetricFlow had no answer, and how often."""
        return Counter(f"{verdict.outcome}: {verdict.why}" for verdict in self.dropped)


def run_share(
    seed: int, questions: int, folder: Path, answer_ours: Ours, wishes: Sequence[tuple[str, ...]] = ()
) -> Share:
    """Ask so many questions of a seed's world, the wishes first."""
    world = make_world(seed, folder)
    oracle = Oracle.read(world.manifest_path)
    asker = Asker(random.Random(f"questions {seed}"), Catalog(world, oracle))
    share = Share(world)
    with world.open() as connection:
        for wish in _cycle(wishes):
            if len(share.verdicts) >= questions:
                break
            asked = asker.ask(wish)
            if asked is None:
                share.never_asked.append(wish)
                continue
            verdict = judge(world, oracle, connection, asked, answer_ours)
            (share.dropped if verdict.is_dropped else share.verdicts).append(verdict)
    return share


def _cycle(wishes: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    yield from wishes
    while True:
        yield ()
