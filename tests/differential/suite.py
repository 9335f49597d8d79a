"""A share of the suite: one world, its questions, and what came of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from tests.differential.catalog import Catalog
from tests.differential.faults import find_fault
from tests.differential.judge import Verdict, judge
from tests.differential.models import Json
from tests.differential.questions import Asked, Asker
from tests.differential.saved import split_question
from tests.differential.theirs import answer_theirs
from tests.differential.worlds import World, make_world, serve
from tests.oracle import Oracle

Wish = tuple[str, ...]
Ours = Callable[[Any, Asked], str] | None
SAVED, TRIES = 6, 12


@dataclass
class Share:
    """What came of one world's questions."""

    world: World
    verdicts: list[Verdict] = field(default_factory=list)
    dropped: list[Verdict] = field(default_factory=list)
    unmet: list[Wish] = field(default_factory=list)
    met: set[frozenset[str]] = field(default_factory=set)

    @property
    def failures(self) -> list[Verdict]:
        """Questions where we are to blame."""
        return [verdict for verdict in self.verdicts if verdict.is_failure]

    @property
    def with_rows(self) -> int:
        """How many answers of MetricFlow have rows."""
        return sum(verdict.rows > 0 for verdict in self.verdicts)

    @property
    def reasons(self) -> Counter[str]:
        """Why MetricFlow had no answer, and how often."""
        return Counter(f"{verdict.outcome}: {verdict.why}" for verdict in self.dropped)

    def add(self, verdict: Verdict) -> None:
        """Count a verdict, and the features and pairs that it meets."""
        if verdict.is_dropped:
            self.dropped.append(verdict)
            return
        self.verdicts.append(verdict)
        features = sorted(verdict.asked.features)
        self.met |= {frozenset((feature,)) for feature in features}
        self.met |= {frozenset(pair) for pair in combinations(features, 2)}


def run_share(
    seed: int, questions: int, folder: Path, answer_ours: Ours, wishes: Sequence[Wish] = (), *, repeat: bool = False
) -> Share:
    """Ask so many questions of a seed's world: the wishes that no earlier question met, then any.

    With `repeat` every wish is asked, met or not.
    """
    world = make_world(seed, folder)
    oracle = Oracle.read(world.manifest_path)
    asker = Asker(random.Random(f"questions {seed}"), Catalog(world, oracle))
    world, saved = _save_queries(world, oracle, asker, [wish for wish in wishes if "saved_query" in wish])
    if saved:
        oracle = Oracle.read(world.manifest_path)
    share = Share(world)
    with world.open() as connection, serve(world.database) as warehouse:
        for wish in wishes:
            for _ in range(TRIES):
                if frozenset(wish) in share.met and not repeat:
                    break
                asked = _draw(asker, wish, saved)
                if asked is not None:
                    share.add(judge(world, oracle, connection, warehouse, asked, answer_ours))
                if repeat:
                    break
            else:
                share.unmet.append(wish)
        while len(share.verdicts) < questions:
            asked = _draw(asker, (), saved)
            if asked is not None:
                share.add(judge(world, oracle, connection, warehouse, asked, answer_ours))
    return share


def _draw(asker: Asker, wish: Wish, saved: Sequence[Asked]) -> Asked | None:
    if saved and ("saved_query" in wish or (not wish and asker.rng.random() < 0.06)):
        fitting = [asked for asked in saved if asked.features.issuperset(wish)]
        return asker.rng.choice(fitting) if fitting else None
    return asker.ask(wish)


def _save_queries(world: World, oracle: Oracle, asker: Asker, wishes: Sequence[Wish]) -> tuple[World, Sequence[Asked]]:
    """Save the questions that MetricFlow answers: those wished for, and a few more."""
    saved: list[Json] = []
    rests: list[Asked] = []
    wanted = [tuple(name for name in wish if name != "saved_query") for wish in {*wishes}]
    for wish in sorted(wanted) + [()] * SAVED:
        for _ in range(TRIES):
            asked = asker.ask(wish, in_objects=True)
            if asked is None or not asked.metrics or asked.is_min_max:
                continue
            try:
                is_wrong = find_fault(answer_theirs(oracle, asked))
            except Exception:  # MetricFlow refuses it, so it is no query to save
                continue
            if is_wrong:
                continue
            definition, rest = split_question(asked, f"saved_{len(saved) + 1}", asker.rng)
            saved.append(definition)
            rests.append(rest)
            break
    return world.save_queries(saved), rests
