"""Faults that random questions have found, each in its smallest case."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import pytest

from gnomon.core.errors import QueryError
from gnomon.core.names import MeasureName, ModelName
from gnomon.planner import Planner, Question, plan
from gnomon.semantic import read_manifest
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Manifest, Rollup
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
        derived("rate_of_yesterday", "bad_rate", [{"name": "bad_rate", "offset_window": {**WEEK, "count": 1}}]),
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


@pytest.mark.parametrize("question", [Question(("rate_of_yesterday",)), Question(("rate_of_yesterday",), ("creator",))])
def test_a_shifted_rate_is_asked_by_a_time(manifest: Manifest, question: Question) -> None:
    with pytest.raises(QueryError, match="metric 'bad_rate' is shifted in time, so it is asked by a time"):
        plan(manifest, question)


def test_a_filter_that_is_too_long_is_refused_beside_a_kept_plan_too(manifest: Manifest) -> None:
    planner = Planner(manifest)
    for length in (9_000, 11_000, 9_000):
        question = Question(("posts",), where=(f"{{{{ Dimension('post__kind') }}}} = '{'x' * length}'",))
        if length < 10_000:
            assert planner.plan(question).sql
            continue
        with pytest.raises(QueryError, match="it has 11,034 characters; 10,000 are allowed"):
            planner.plan(question)


@pytest.mark.parametrize("field", ["limit", "top"])
def test_what_python_holds_equal_to_a_number_is_no_number_of_rows(manifest: Manifest, field: str) -> None:
    planner = Planner(manifest)
    question = Question(("posts",), ("creator",))
    assert planner.plan(replace(question, **{field: 1})).sql
    for value in (True, 1.0):
        with pytest.raises(QueryError, match=f"{field} {value} is not a number of rows"):
            planner.plan(replace(question, **{field: value}))


@pytest.mark.parametrize("call", ["1if 2else 3", "Dimension('\\d')", "0x1for x in y", "Dimension('a') + 1_", "1 is 1"])
def test_a_reference_makes_python_say_nothing_of_its_own(manifest: Manifest, call: str) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(QueryError, match="is not a reference"):
            plan(manifest, Question(("posts",), where=(f"{{{{ {call} }}}} = 1",)))
    assert not said


def test_a_rollup_of_utc_days_is_a_miss_in_another_time_zone(manifest: Manifest) -> None:
    rollup = Rollup(
        "daily", '"small"."main"."rollup_daily"', Grain.DAY, ("post__posted_at__day",), (MeasureName("posts"),)
    )
    posts = manifest.models[ModelName("posts")]
    model = replace(posts, rollups=(rollup,))
    known = replace(manifest, models={**manifest.models, model.name: model})
    question = Question(("posts",), ("post__posted_at__day",))
    assert plan(known, question, {"daily": 1}).rollups == ("daily",)
    moved = plan(known, replace(question, time_zone="Asia/Shanghai"), {"daily": 1})
    assert moved.rollups == ()
    assert "posts: not rollup daily: its periods are of UTC" in moved.why


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


@pytest.mark.parametrize("field", ["metrics", "group_by", "order_by", "time_zone"])
def test_a_word_longer_than_any_name_is_refused_before_it_is_looked_for(manifest: Manifest, field: str) -> None:
    word = "x" * 100_000
    words = {"metrics": ("posts",), field: word if field == "time_zone" else (word,)}
    with pytest.raises(QueryError, match="has 100,000 characters, and 1,000 are the most"):
        plan(manifest, Question(**words))
