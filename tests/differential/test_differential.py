"""Random questions over random worlds: our answers equal MetricFlow's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.differential.features import FEATURES, IMPOSSIBLE
from tests.differential.ours import answer_ours
from tests.differential.shares import Deal, deal_features, deal_pairs, find_faults, run_deal
from tests.differential.suite import Share

NORMAL = deal_features(shares=6, questions=300)
NIGHTLY = deal_pairs(shares=60, questions=5000, first_seed=101)
SHOWN = 3
Record = Callable[[str, Any], None]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """MetricFlow logs each of its refusals at length."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def check(deal: Deal, folder: Path, record_property: Record) -> None:
    shares = run_deal(deal, folder, answer_ours)
    for name, count in count_shares(shares).items():
        record_property(name, count)
    print(f"\nworld {deal.seed}: {count_shares(shares)}")
    failures = [(share, verdict) for share in shares for verdict in share.failures]
    told = [verdict.explain(share.world) for share, verdict in failures[:SHOWN]]
    asked = sum(len(share.verdicts) for share in shares)
    assert not failures, f"{len(failures)} of {asked} answers differ or are refused\n\n" + "\n\n".join(told)
    faults = find_faults(shares)
    assert not faults, "\n".join(faults)


def count_shares(shares: list[Share]) -> dict[str, int]:
    return {
        "worlds": len(shares),
        "questions": sum(len(share.verdicts) for share in shares),
        "with_rows": sum(share.with_rows for share in shares),
        "dropped": sum(len(share.dropped) for share in shares),
        "failures": sum(len(share.failures) for share in shares),
        "pairs": len({pair for share in shares for pair in share.met if len(pair) == 2}),
    }


@pytest.mark.parametrize("deal", NORMAL, ids=lambda deal: f"world_{deal.seed}")
def test_answers_equal_metricflows_and_every_feature_occurs(
    deal: Deal, tmp_path: Path, record_property: Record
) -> None:
    check(deal, tmp_path, record_property)


@pytest.mark.nightly
@pytest.mark.parametrize("deal", NIGHTLY, ids=lambda deal: f"world_{deal.seed}")
def test_answers_equal_metricflows_and_every_pair_occurs(deal: Deal, tmp_path: Path, record_property: Record) -> None:
    check(deal, tmp_path, record_property)


def test_every_impossible_pair_is_of_known_features_and_has_a_reason() -> None:
    for left, right, reason in IMPOSSIBLE:
        assert {*left, *right} <= {*FEATURES}
        assert reason
