"""What the planner keeps: a plan by shape gives the SQL that planning the question itself gives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest

from gnomon.core.errors import QueryError
from gnomon.planner import Plan, Planner, Question, plan
from gnomon.semantic import read_manifest
from gnomon.semantic.model import Manifest
from tests.manifests import write_manifest
from tests.soundness import conftest as small

KIND = "{{ Dimension('post__kind') }}"
TIER = '{{ Dimension("creator__tier") }}'
VALUES = ["video", "it''s", "", "a -- b", "x' or 1=1", "\\", "{{ }}", "%", "\u00e9\u4e2d", "0001-01-01 00:00:00.000001"]
FILTERS = [
    "{kind} = {a} and {tier} in ({b}, {a})",
    "{kind} like {a} or not {tier} = {b}",
    "{kind} <> {a} -- a remark that isn't one\n and {tier} = {b}",
    "{kind} = {a} /* it's */ and {tier} = {b}",
    "cast({kind} as varchar) = {a}",
    "coalesce({kind}, {a}) = {b}",
    "{{{{ TimeDimension('metric_time', 'day') }}}} > {a}",
    "{kind} || {a} = {b}",
]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    path = tmp_path_factory.mktemp("planner") / "m.json"
    return read_manifest(write_manifest(path, small.MODELS, small.METRICS))


@pytest.mark.parametrize("text", FILTERS)
def test_a_kept_plan_is_the_plan_of_the_question_itself(manifest: Manifest, text: str) -> None:
    planner = Planner(manifest)
    for first in VALUES:
        for second in VALUES[:4]:
            a, b = (f"'{value}'" for value in (first, second))
            where = (text.format(kind=KIND, tier=TIER, a=a, b=b),)
            question = Question(("posts",), ("metric_time__week",), where, limit=3)
            assert _answer(planner.plan, question) == _answer(partial(plan, manifest), question)


def _answer(make: Callable[[Question], Plan], question: Question) -> str:
    """The SQL, or the words that refuse it."""
    try:
        return make(question).sql
    except QueryError as refused:
        return f"refused: {refused}"


def test_bounds_of_time_are_no_part_of_the_shape(manifest: Manifest) -> None:
    planner = Planner(manifest)
    for day in (1, 7, 31):
        asked = {"start": datetime(2026, 1, day), "end": datetime(2026, 3, day, 12)}
        for group in ("metric_time__month", "metric_time__day"):
            question = Question(("posts", "views"), (group,), **asked)
            assert planner.plan(question).sql == plan(manifest, question).sql
    assert (planner.hits, planner.misses) == (4, 2)


def test_a_kept_plan_moves_the_range_before_with_the_range(manifest: Manifest) -> None:
    planner = Planner(manifest)
    for day in (7, 14, 31):
        question = Question(("posts__change",), (), start=datetime(2026, 1, 3), end=datetime(2026, 1, day))
        assert planner.plan(question).sql == plan(manifest, question).sql
    assert planner.hits == 2


def test_two_filters_of_one_shape_are_two(manifest: Manifest) -> None:
    planner = Planner(manifest)
    for values in (("a", "b"), ("b", "b"), ("c", "a")):
        question = Question(("posts",), where=tuple(f"{KIND} <> '{value}'" for value in values))
        rows = planner.plan(question).sql
        assert all(f"<> '{value}'" in rows for value in values)
    assert planner.hits == 2


def test_a_range_the_wrong_way_round_is_refused_by_a_kept_plan_too(manifest: Manifest) -> None:
    planner = Planner(manifest)
    planner.plan(Question(("posts",), start=datetime(2026, 1, 1), end=datetime(2026, 2, 1)))
    with pytest.raises(QueryError, match="is before the start"):
        planner.plan(Question(("posts",), start=datetime(2026, 2, 1), end=datetime(2026, 1, 1)))
