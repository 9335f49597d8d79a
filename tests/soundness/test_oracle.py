"""Answers over the small world equal MetricFlow's, rows and column order."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gnomon import Engine
from gnomon.planner import Question, plan
from tests.oracle import Oracle, assert_equal_answers
from tests.soundness.conftest import METRICS

GROUPINGS = [
    [],
    ["metric_time"],
    ["metric_time__month", "creator__tier"],
    ["creator"],
    ["creator__joined__quarter", "metric_time__year", "creator__region"],
]
NAMES = [metric["name"] for metric in METRICS]
KIND = "{{ Dimension('post__kind') }}"
TIER = "{{ Dimension('creator__tier') }}"
QUESTIONS: list[dict[str, Any]] = [
    {"metrics": [name], "group_by": grouping} for name in NAMES for grouping in GROUPINGS
] + [
    {"metrics": NAMES, "group_by": ["metric_time__week", "creator__region"]},
    {"metrics": ["posts", "bad_rate"], "group_by": ["post__kind", "post"], "where": [f"{KIND} in ('video', 'live')"]},
    {"metrics": ["views", "creator_violation_rate"], "where": [f"{TIER} is not null"], "group_by": ["metric_time"]},
    {"metrics": ["posts"], "group_by": ["post__posted_at__hour"], "order_by": ["-post__posted_at__hour"], "limit": 3},
    {"metrics": ["posts"], "group_by": ["post__creator", "post__posted_at"]},
    {"metrics": ["violating_creators"], "group_by": ["creator_day__status_date__month"]},
    {
        "metrics": ["views", "violating_creators"],
        "group_by": ["metric_time__week"],
        "start": datetime(2026, 1, 6),
        "end": datetime(2026, 1, 14),
    },
    {"metrics": ["posts"], "where": ["{{ TimeDimension('metric_time', 'week') }} >= '2026-01-12'"]},
    {"metrics": ["posts"], "where": ["{{ Entity('creator') }} = 'ana' or {{ Dimension('post__is_bad') }}"]},
]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: "-".join([*q["metrics"][:2], *q.get("group_by", [])]))
def test_answer_equals_metricflow(
    engine: Engine, oracle: Oracle, world: tuple[Path, Path], question: dict[str, Any]
) -> None:
    asked = {key: tuple(value) if isinstance(value, list) else value for key, value in question.items()}
    ours = plan(engine.manifest, Question(**asked, applies_floors=False)).sql
    with duckdb.connect(str(world[1]), read_only=True) as connection:
        assert_equal_answers(connection, ours, oracle.sql(**question), is_ordered="limit" in question)
