"""Our answer to a question: the one place that knows the planner's door."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from gnomon.planner import Compiled, Question, plan
from gnomon.semantic import read_manifest
from tests.differential.questions import Asked
from tests.differential.tables import DATE_COLUMNS


@lru_cache(maxsize=4)
def _read(manifest: Path, _written: int) -> Compiled:
    known = read_manifest(manifest)
    dates = {
        (model.relation, column)
        for model in known.models.values()
        for column in DATE_COLUMNS.get(model.relation.rsplit(".", 1)[-1].strip('"'), ())
    }
    return Compiled(known, frozenset(dates))


def write_question(asked: Asked, row_filters: tuple[str, ...] = ()) -> Question:
    """Return the question as the planner takes it, without its saved query."""
    return Question(
        asked.metrics,
        asked.group_by,
        asked.where,
        asked.order_by,
        asked.limit,
        asked.start,
        asked.end,
        applies_floors=False,
        takes_extremes=asked.is_min_max,
        row_filters=row_filters,
    )


def add_words(question: Question, rng: random.Random) -> Question:
    """Return the question with what MetricFlow cannot say, now and then: a word after a metric, a time zone, a top."""
    if not question.metrics or question.order_by:
        return question
    if rng.random() < 0.2:
        first, *others = question.metrics
        word = rng.choice(["previous", "change", "growth", "total", "share"])
        question = replace(question, metrics=(f"{first}__{word}", *others))
    if rng.random() < 0.1:
        question = replace(question, time_zone=rng.choice(["Asia/Shanghai", "America/New_York"]))
    return replace(question, top=rng.randrange(1, 4)) if rng.random() < 0.15 else question


def answer_ours(manifest: Path, asked: Asked) -> str:
    """Return our SQL for the question; whatever it raises is a refusal."""
    question = write_question(asked)
    known = _read(manifest, manifest.stat().st_mtime_ns)
    if asked.saved_query:
        from gnomon.engine.request import expand_saved

        question = expand_saved(known.manifest, question, asked.saved_query)
    return plan(known, question).sql
