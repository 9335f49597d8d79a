"""How the suite is dealt out: each share has its world, and the features or pairs that it must meet."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from tests.differential.features import FEATURES, list_impossible, list_pairs
from tests.differential.shape import draw_shape
from tests.differential.suite import Ours, Share, Wish, run_share

SPARES = 30  # worlds that a share may go on to with what its own cannot meet: not every world has milliseconds
SPARE_STEP = 1000
MOST_DROPPED, FEWEST_WITH_ROWS = 0.15, 0.9


@dataclass(frozen=True)
class Deal:
    """A share before it is asked."""

    seed: int
    questions: int
    wishes: tuple[Wish, ...]


def deal_features(shares: int, questions: int) -> list[Deal]:
    """Return shares that together meet every feature."""
    return _deal([(feature,) for feature in FEATURES], shares, questions)


def deal_pairs(shares: int, questions: int, first_seed: int) -> list[Deal]:
    """Return shares that together meet every pair of features that a question can have."""
    return _deal([tuple(sorted(pair)) for pair in list_pairs()], shares, questions, first_seed)


def run_deal(deal: Deal, folder: Path, answer_ours: Ours) -> list[Share]:
    """Ask a share's questions; what its world cannot meet is asked of spare worlds."""
    (folder / "first").mkdir()
    shares = [run_share(deal.seed, deal.questions, folder / "first", answer_ours, deal.wishes)]
    for seed in range(deal.seed + SPARE_STEP, deal.seed + SPARE_STEP * SPARES, SPARE_STEP):
        if not shares[-1].unmet:
            break
        if draw_shape(seed).lacks.intersection(shares[-1].unmet[0]):
            continue
        (folder / str(seed)).mkdir()
        shares.append(run_share(seed, 0, folder / str(seed), answer_ours, shares[-1].unmet))
    return shares


def find_faults(shares: list[Share]) -> list[str]:
    """Return what is wrong with the questions themselves, not with the answers."""
    faults = [f"no question has {' and '.join(wish)}" for wish in shares[-1].unmet]
    asked = sum(len(share.verdicts) for share in shares)
    dropped = sum(len(share.dropped) for share in shares)
    with_rows = sum(share.with_rows for share in shares)
    if dropped > MOST_DROPPED * (asked + dropped):
        faults.append(f"MetricFlow has no answer to {dropped} of {asked + dropped} questions")
    if with_rows < FEWEST_WITH_ROWS * asked:
        faults.append(f"only {with_rows} of {asked} answers have rows")
    met = {pair for share in shares for pair in share.met}
    faults += [
        f"{' and '.join(sorted(pair))} occur together, which features.py calls impossible"
        for pair in met & list_impossible()
    ]
    return faults


def _deal(wishes: list[Wish], shares: int, questions: int, first_seed: int = 1) -> list[Deal]:
    random.Random("deal").shuffle(wishes)
    each = questions // shares
    return [Deal(first_seed + place, each, tuple(wishes[place::shares])) for place in range(shares)]
