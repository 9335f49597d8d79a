"""The SQL of a plan, read in review: tests/golden/plans; GNOMON_REGENERATE=1 writes it anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from gnomon.planner import Question, plan
from gnomon.semantic import read_manifest
from tests.manifests import write_manifest
from tests.soundness import conftest as small
from tests.soundness import test_intervals as sampled

QUESTIONS = {
    "one_simple_metric": Question(("posts",), ("metric_time__day",)),
    "two_measures_of_one_table_are_one_scan": Question(("posts", "views", "bad_rate"), ("creator__tier",)),
    "a_filter_stands_at_its_aggregate": Question(("views", "gold_views", "gap"), ("metric_time__week",)),
    "semi_additive": Question(("creator_violation_rate",), ("metric_time__week",)),
    "semi_additive_by_entity": Question(("first_violating",)),
    "a_time_range_is_widened": Question(
        ("posts",), ("metric_time__month",), start=datetime(2026, 1, 6), end=datetime(2026, 1, 6)
    ),
    "a_floor_is_a_condition_on_units": Question(("guarded_rate",), ("post__kind",)),
    "filter_order_and_limit": Question(
        ("views",),
        ("creator__region",),
        where=("{{ Dimension('creator__tier') }} in ('gold', 'new')", "{{ Dimension('post__kind') }} = 'video'"),
        order_by=("-views",),
        limit=3,
    ),
    "the_period_before_of_a_time_range": Question(
        ("bad_rate", "bad_rate__change"), ("post__kind",), start=datetime(2026, 1, 6), end=datetime(2026, 1, 8)
    ),
    "the_week_before_of_a_time_range": Question(
        ("views", "views__previous"), ("metric_time__week",), start=datetime(2026, 1, 12), end=datetime(2026, 1, 25)
    ),
    "a_share_of_the_total_of_its_week": Question(("views", "views__share"), ("metric_time__week", "creator__tier")),
    "the_top_and_the_others": Question(("posting_creators",), ("creator__tier",), top=1),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_plan_is_as_read(name: str, tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    manifest = read_manifest(write_manifest(tmp_path / "m.json", small.MODELS, small.METRICS))
    golden(f"plans/{name}.sql", plan(manifest, QUESTIONS[name]).format() + "\n")


def test_interval_plan_is_as_read(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    manifest = read_manifest(write_manifest(tmp_path / "m.json", sampled.MODELS, sampled.METRICS))
    golden("plans/an_interval.sql", plan(manifest, Question(("bad_rate",), ("review__region",))).format() + "\n")
