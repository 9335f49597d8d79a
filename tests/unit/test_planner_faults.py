"""Faults that random questions have found, each in its smallest case."""

from __future__ import annotations

import json

import pytest

from gnomon.core.errors import QueryError
from gnomon.planner import Question, plan
from gnomon.semantic import read_manifest
from gnomon.semantic.model import Manifest
from tests.manifests import cumulative, derived, write_manifest
from tests.soundness import conftest as small

FORTNIGHT = {"count": 1, "granularity": "fortnight"}
WEEK = {"count": 7, "granularity": "day"}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The small world, whose calendar has fortnights."""
    metrics = [
        *small.METRICS,
        cumulative("posts_of_a_week", "posts", window=WEEK),
        derived("rate_before", "bad_rate", [{"name": "bad_rate", "offset_window": FORTNIGHT}]),
        derived("week_before", "posts_of_a_week", [{"name": "posts_of_a_week", "offset_window": FORTNIGHT}]),
        derived("posts_before", "posts", [{"name": "posts", "offset_window": FORTNIGHT}]),
    ]
    path = write_manifest(tmp_path_factory.mktemp("faults") / "m.json", small.MODELS, metrics)
    body = json.loads(path.read_text(encoding="utf-8"))
    (spine,) = body["project_configuration"]["time_spines"]
    spine["custom_granularities"] = [{"name": "fortnight", "column_name": None}]
    path.write_text(json.dumps(body), encoding="utf-8")
    return read_manifest(path)


@pytest.mark.parametrize("metric", ["rate_before", "week_before", "bad_rate__previous"])
def test_only_amounts_of_rows_are_shifted_by_a_grain_of_the_projects_own(manifest: Manifest, metric: str) -> None:
    question = Question((metric,), ("metric_time__fortnight", "metric_time__day")[: 1 + (metric == "week_before")])
    with pytest.raises(QueryError, match="Shift it by a standard grain"):
        plan(manifest, question)
    assert plan(manifest, Question(("posts_before",), ("metric_time__fortnight",))).sql


@pytest.mark.parametrize(
    "text",
    [
        "->",
        "(0, 0)",
        '"' + "x" * 9_000 + '" = 1',
        "not " * 2_000 + "{{ Dimension('post__kind') }}",
        "(" * 2_000 + "{{ Dimension('post__kind') }}" + ")" * 2_000,
        "lower(" * 500 + "'a'" + ")" * 500 + " = 'a'",
        "'a'" + "::text" * 1_000 + " = 'a'",
        "{{ " + "(" * 900 + ")" * 900 + " }} = 1",
        "{{ " + "-" * 9_000 + "1 }} = 1",
        "{{ " + "-" * 950 + "1 }} = 1",
        "{{ Dimension" + "()" * 400 + " }} = 1",
        "{{ Dimension('" + "x" * 9_000 + "') }} = 1",
    ],
)
def test_what_the_parser_falls_over_is_refused(manifest: Manifest, text: str) -> None:
    with pytest.raises(QueryError, match=r"^filter ") as refused:
        plan(manifest, Question(("posts",), where=(text,)))
    assert len(str(refused.value)) < 1_000


def test_a_long_row_of_conditions_is_not_deep(manifest: Manifest) -> None:
    text = " or ".join("{{ Dimension('post__kind') }} = 'a'" for _ in range(200))
    assert plan(manifest, Question(("posts",), where=(text,))).sql.count("OR") == 199


@pytest.mark.parametrize("field", ["metrics", "group_by", "order_by"])
def test_a_word_longer_than_any_name_is_refused_before_it_is_looked_for(manifest: Manifest, field: str) -> None:
    words = {"metrics": ("posts",), field: ("x" * 100_000,)}
    with pytest.raises(QueryError, match="has 100,000 characters, and 1,000 are the most"):
        plan(manifest, Question(**words))
