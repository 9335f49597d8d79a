"""The SQL of typical plans in each dialect, read in review: tests/golden/dialects; GNOMON_REGENERATE=1 writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb
import pytest

from gnomon.core.errors import QueryError
from gnomon.planner import DIALECTS, DUCKDB, Plan, Planner, Question, plan
from gnomon.semantic import read_manifest
from gnomon.semantic.model import Manifest
from tests.dialects.comparison import read_types
from tests.golden.test_plans import QUESTIONS
from tests.manifests import DATABASE, cumulative, measure, simple, write_manifest
from tests.soundness import conftest as small

OTHERS = [dialect for dialect in DIALECTS if dialect != DUCKDB]
TIER = "{{ Dimension('creator__tier') }}"
MORE = {
    "a_rolling_window": Question(("views_7d",), ("metric_time__day", "creator__tier")),
    "hours_of_a_time_zone": Question(("posts_by_clock",), ("metric_time__day",), time_zone="Asia/Jakarta"),
    "strings_and_parts": Question(
        ("posts",), ("metric_time__extract_dow",), where=(f"{TIER} ilike 'g\\_%' or {TIER} || 'x' = 'it''s'",)
    ),
    "a_place_for_a_filter": Question(("posts", "bad_rate"), ("post__kind",), outer_filters=("creator__tier",)),
    "places_on_two_tables": Question(
        ("views",), ("creator__region",), outer_filters=("post__kind", "creator__tier", "metric_time__day")
    ),
}
CLOCKED = measure("clocked_posts", "count", "post_id", agg_time_dimension="posted_at")
POSTS = {**small.MODELS[0], "measures": [*small.MODELS[0]["measures"], CLOCKED]}
MODELS = [POSTS, *small.MODELS[1:]]
METRICS = [
    *small.METRICS,
    simple("posts_by_clock", "clocked_posts"),
    cumulative("views_7d", "views", window={"count": 7, "granularity": "day"}),
]
ALL = {**QUESTIONS, **MORE}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return read_manifest(write_manifest(tmp_path_factory.mktemp("goldens") / "m.json", MODELS, METRICS))


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], str]:
    with duckdb.connect(str(tmp_path_factory.mktemp("goldens") / f"{DATABASE}.duckdb")) as connection:
        connection.execute(small.WORLD)
        return read_types(connection)


@pytest.mark.parametrize("dialect", OTHERS)
@pytest.mark.parametrize("name", ALL)
def test_plan_is_as_read(
    name: str,
    dialect: str,
    manifest: Manifest,
    types: Mapping[tuple[str, str], str],
    golden: Callable[[str, str], None],
) -> None:
    golden(f"dialects/{dialect}/{name}.sql", ask(manifest, ALL[name], dialect, types).format() + "\n")


@pytest.mark.parametrize("name", [name for name, question in MORE.items() if question.outer_filters])
def test_places_of_filters_are_as_read(
    name: str, manifest: Manifest, types: Mapping[tuple[str, str], str], golden: Callable[[str, str], None]
) -> None:
    golden(f"dialects/{DUCKDB}/{name}.sql", ask(manifest, MORE[name], DUCKDB, types).format() + "\n")


def ask(manifest: Manifest, question: Question, dialect: str, types: Mapping[tuple[str, str], str]) -> Plan:
    dates = frozenset(column for column, kind in types.items() if kind == "DATE")
    return Planner(manifest, dates=dates, dialect=dialect, types=types).plan(question)


@pytest.mark.parametrize("dialect", OTHERS)
def test_a_kept_plan_of_another_dialect_is_the_plan_of_the_question_itself(
    dialect: str, manifest: Manifest, types: Mapping[tuple[str, str], str]
) -> None:
    planner = Planner(manifest, dialect=dialect, types=types)
    for value in ("gold", "it''s", "a\\b", "\\", "%", "", "{{", "é"):
        for operator in ("=", "like", "ilike", "<"):
            question = Question(("posts",), ("metric_time__week",), (f"{TIER} {operator} '{value}'",), limit=3)
            for _ in range(2):
                try:
                    kept = planner.plan(question).sql
                except QueryError as refusal:
                    kept = str(refusal)
                try:
                    own = plan(manifest, question, dialect=dialect, types=types).sql
                except QueryError as refusal:
                    own = str(refusal)
                assert kept == own
    assert planner.hits


def test_a_dialect_that_there_is_not_is_refused(manifest: Manifest) -> None:
    with pytest.raises(QueryError, match="unknown dialect 'mysql'"):
        plan(manifest, Question(("posts",)), dialect="mysql")
    with pytest.raises(QueryError, match="Did you mean 'postgres'"):
        Planner(manifest, dialect="postgre")
