"""Answers from rollups are the answers from the tables themselves, and each miss says why."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gnomon.core.errors import DefinitionError
from gnomon.planner import Compiled, Copy, Planner, Question, plan
from gnomon.planner.choose_rollups import list_rollups, write_rollup
from gnomon.semantic import read_manifest
from gnomon.semantic.model import Manifest
from tests.manifests import cumulative, derived, measure, semantic_model, simple, write_manifest
from tests.oracle import assert_equal_answers
from tests.soundness import conftest as small

ROLLUPS: dict[str, list[dict[str, Any]]] = {
    "posts": [
        {"name": "posts_daily", "grain": "day", "dimensions": ["creator", "post__kind", "post__is_bad"]},
        {"name": "posts_daily_by_kind", "grain": "day", "dimensions": ["post__kind"], "measures": ["posts", "views"]},
        {"name": "posts_monthly", "grain": "month", "dimensions": ["creator"]},
        {"name": "posts_weekly", "grain": "week", "measures": ["posts", "most_views"]},
        {
            "name": "posts_daily_by_tier",
            "grain": "day",
            "dimensions": ["creator__tier", "creator__joined__month"],
            "measures": ["posts", "views"],
        },
    ],
    "states": [{"name": "states_daily", "grain": "day", "dimensions": ["creator"]}],
}
DAY = {"count": 1, "granularity": "day"}
METRICS = [
    *small.METRICS,
    simple("median_views"),
    simple("distinct_views"),
    simple("last_active"),
    simple("last_active_new", "last_active", where="{{ Dimension('creator__tier') }} = 'new'"),
    cumulative("posts_so_far", "posts"),
    cumulative("creators_of_a_week", "posting_creators", window={"count": 7, "granularity": "day"}),
    cumulative("posts_of_a_week", "posts", window={"count": 7, "granularity": "day"}),
    derived("more_views", "views - before", ["views", {"name": "views", "alias": "before", "offset_window": DAY}]),
]
GROUPINGS = [
    (), ("metric_time__day",), ("metric_time__week",), ("metric_time__month", "creator__tier"), ("creator",),
    ("post__kind", "metric_time__extract_month"), ("creator__joined__quarter", "metric_time__year"),
    ("post__is_bad",), ("post__posted_at__hour",), ("creator__region", "metric_time__week"),
]  # fmt: skip
HISTORY = semantic_model(
    "histories",
    entities={"history": ("natural", "creator_id")},
    dimensions={"starts_on": "day", "ends_on": "day", "status": None},
)
for place, edge in enumerate(("is_start", "is_end")):
    validity = {"is_start": False, "is_end": False, edge: True}
    HISTORY["dimensions"][place]["type_params"]["validity_params"] = validity
# Of a month, of days in it, and from one on; each is widened to whole periods of what is asked for.
RANGES: list[dict[str, datetime]] = [
    {},
    {"start": datetime(2026, 1, 1), "end": datetime(2026, 1, 31)},
    {"start": datetime(2026, 1, 6), "end": datetime(2026, 1, 12)},
    {"start": datetime(2026, 1, 12)},
]
FILTERS = [
    (),
    ("{{ Dimension('post__kind') }} = 'video'",),
    ("{{ Dimension('creator__tier') }} = 'gold' or {{ Entity('creator') }} is null",),
    ("{{ TimeDimension('metric_time', 'week') }} > '2026-01-05'",),
]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    models = deepcopy(small.MODELS)
    models[0]["measures"].append(measure("median_views", "median", "views"))
    models[0]["measures"].append(measure("distinct_views", "count_distinct", "views"))
    last = {"name": "status_date", "window_choice": "max", "window_groupings": []}
    models[2]["measures"].append(measure("last_active", "count_distinct", "creator_id", non_additive_dimension=last))
    for model in models:
        model["config"] = {"meta": {"rollups": ROLLUPS.get(model["name"], [])}}
    return read_manifest(write_manifest(tmp_path_factory.mktemp("rollups") / "m.json", models, METRICS))


@pytest.fixture(scope="module")
def made(manifest: Manifest) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, int]]]:
    """The small world with its rollups made by the planner's own SQL, and their numbers of rows."""
    compiled, rows = Compiled(manifest), {}
    with duckdb.connect(":memory:") as connection:
        connection.execute("attach ':memory:' as small; use small")
        connection.execute(small.WORLD)
        for model, rollup in list_rollups(compiled):
            sql = write_rollup(compiled, model, rollup).sql("duckdb")
            connection.execute(f"create table {rollup.relation} as {sql}")
            (rows[rollup.name],) = connection.execute(f"select count(*) from {rollup.relation}").fetchone() or (0,)
        yield connection, rows


def test_every_answer_from_rollups_is_the_answer_from_the_tables(
    manifest: Manifest, made: tuple[duckdb.DuckDBPyConnection, dict[str, int]]
) -> None:
    connection, rows = made
    compiled, used = Compiled(manifest), 0
    names = [str(name) for name in manifest.metrics]
    for place, (name, group_by, where) in enumerate(itertools.product(names, GROUPINGS, FILTERS)):
        # One range for each question, and each range with each filter.
        bounds = RANGES[(place + place // len(FILTERS)) % len(RANGES)]
        question = Question((name,), group_by, where, applies_floors=False, **bounds)
        try:
            base = plan(compiled, question)
        except Exception as refused:  # whatever is refused without rollups is refused with them
            with pytest.raises(type(refused)):
                plan(compiled, question, rows)
            continue
        rolled = plan(compiled, question, rows)
        used += bool(rolled.rollups)
        assert_equal_answers(connection, rolled.sql, base.sql)
    assert used > 200


@pytest.mark.parametrize(
    ("metrics", "group_by", "where", "read"),
    [
        (("posts",), ("metric_time__week",), (), ("posts_weekly",)),
        (("posts", "views"), ("metric_time__week",), (), ("posts_daily_by_kind",)),
        (("posts",), ("creator__tier",), (), ("posts_monthly",)),
        (("posts",), ("creator__tier", "metric_time__week"), (), ("posts_daily_by_tier",)),
        (("posts",), ("creator__joined__quarter", "metric_time__week"), (), ("posts_daily_by_tier",)),
        (("posts",), ("creator__region", "metric_time__week"), (), ("posts_daily",)),
        (("posts",), ("creator__joined__day", "creator__tier", "metric_time__week"), (), ("posts_daily",)),
        (("views",), ("metric_time__day",), ("{{ Dimension('creator__tier') }} = 'gold'",), ("posts_daily_by_tier",)),
        (("posting_creators",), ("metric_time__month",), (), ("posts_monthly",)),
        (("violating_creators",), ("metric_time__month",), (), ("states_daily",)),
        (("posts_of_a_week",), ("metric_time__day",), (), ("posts_daily_by_kind",)),
        (("more_views",), ("metric_time__day",), (), ("posts_daily_by_kind",)),
        (("last_active_new",), ("metric_time__week",), (), ("states_daily",)),
        (("creators_of_a_week",), ("metric_time__day",), (), ("posts_daily",)),
        (("posting_creators",), ("post__kind",), ("{{ Entity('creator') }} <> 'ana'",), ("posts_daily",)),
        (("bad_rate__previous",), ("metric_time__week",), (), ("posts_daily",)),
        (("posts",), (), ("{{ Metric('views', group_by=['creator']) }} > 60",), ("posts_monthly",)),
        (("mean_views",), ("metric_time__week",), (), ("posts_daily",)),
        (("median_views",), ("metric_time__week",), (), ()),
        (("posts",), ("post__posted_at__hour",), (), ()),
    ],
)
def test_the_smallest_rollup_that_holds_the_question_is_read(
    manifest: Manifest, made: Any, metrics: tuple[str, ...], group_by: tuple[str, ...], where: Any, read: Any
) -> None:
    assert Planner(manifest, made[1]).plan(Question(metrics, group_by, where)).rollups == read


def test_a_miss_says_why(manifest: Manifest, made: Any) -> None:
    why = Planner(manifest, made[1]).plan(Question(("median_views",), ("metric_time__week",))).why
    assert "posts: not rollup posts_weekly: 'median_views' cannot be added up" in why
    why = Planner(manifest, made[1]).plan(Question(("mean_views",), ("post__kind",))).why
    assert "posts: not rollup posts_weekly: it does not have 'kind'" in why
    why = Planner(manifest, made[1]).plan(Question(("posts",), ("metric_time__month", "post__is_bad"))).why
    assert "posts: not rollup posts_weekly: its week does not say the month" in why
    assert why[-1].startswith("posts: rollup posts_daily, ")


def test_distinct_creators_of_a_rollup_are_those_of_its_rows(manifest: Manifest, made: Any) -> None:
    """Posts of nobody count for no creator: of videos ana and bo, without ana bo, by month 3 and 0.

    On the last day, the 12th, ana and bo are active; bo alone is new.
    """
    connection, rows = made
    videos, others = "{{ Dimension('post__kind') }} = 'video'", "{{ Entity('creator') }} <> 'ana'"
    for asked, total in (
        (Question(("posting_creators",)), [(3,)]),
        (Question(("posting_creators",), where=(videos,)), [(2,)]),
        (Question(("posting_creators",), where=(videos, others)), [(1,)]),
        (Question(("posting_creators",), start=datetime(2026, 2, 1)), [(0,)]),
        (Question(("last_active", "last_active_new")), [(2, 1)]),
        (Question(("last_active",), end=datetime(2026, 1, 5)), [(1,)]),
    ):
        rolled = Planner(manifest, rows).plan(asked)
        assert rolled.rollups
        assert connection.execute(rolled.sql).fetchall() == total


def test_every_relation_says_what_it_is_read_from(manifest: Manifest, made: Any) -> None:
    planner = Planner(manifest, made[1])
    for asked, said in (
        (Question((), ("creator__tier",)), "creators: its own table, as its values are listed and not added up"),
        (Question(("distinct_views",)), "posts: not rollup posts_weekly: it does not have 'views'"),
        (Question(("last_active",), ("metric_time__extract_day",)), "states: rollup states_daily, 5 rows"),
        (Question(("posts",), where=("{{ Metric('median_views', ['creator']) }} > 1",)),
         "posts: not rollup posts_daily: 'median_views' cannot be added up"),
    ):  # fmt: skip
        assert said in planner.plan(asked).why


def test_rollups_that_nobody_has_made_are_not_read(manifest: Manifest) -> None:
    assert Planner(manifest).plan(Question(("posts",))).rollups == ()


def test_an_attribute_of_another_table_is_joined_once_when_the_rollup_is_made(manifest: Manifest, made: Any) -> None:
    """Views by tier: ana's 150 are gold, bo's 50 new; cy, who has no row, and the post of nobody have no tier, 7."""
    connection, rows = made
    rolled = Planner(manifest, rows).plan(
        Question(("views",), ("creator__tier",), order_by=("creator__tier",), start=datetime(2026, 1, 5))
    )
    assert rolled.rollups == ("posts_daily_by_tier",)
    assert "creators" not in rolled.sql
    assert connection.execute(rolled.sql).fetchall() == [("gold", 150), ("new", 50), (None, 7)]


def test_a_copy_reads_the_rollup_that_needs_no_table_that_it_lacks(manifest: Manifest, made: Any) -> None:
    """By month and tier the smaller posts_monthly would do, if the creators were there to be joined to it."""
    names = ("rollup_posts_monthly", "rollup_posts_daily_by_tier")
    question = Question(("posts",), ("metric_time__month", "creator__tier"))
    assert plan(manifest, question, made[1]).rollups == ("posts_monthly",)
    lacking = plan(manifest, question, made[1], "postgres", copy=Copy("postgres", "main", frozenset(names)))
    assert lacking.rollups == ("posts_daily_by_tier",)
    assert 'posts: not rollup posts_monthly: the copy does not hold "creators", which would be joined to it' in (
        lacking.why
    )
    whole = Copy("postgres", "main", frozenset({*names, "creators"}))
    assert plan(manifest, question, made[1], "postgres", copy=whole).rollups == ("posts_monthly",)


@pytest.mark.parametrize(
    ("rollup", "said"),
    [
        ({"dimensions": ["history__status"]}, "'history__status' stands in rows that count for a period only"),
        ({"dimensions": ["creator__is_new"]}, "'creator__is_new' is computed in another table"),
        ({"grain": "hour"}, "its table is not kept by hour"),
    ],
)
def test_a_rollup_that_cannot_be_made_is_refused(tmp_path: Path, rollup: dict[str, Any], said: str) -> None:
    models = deepcopy(small.MODELS)
    models[0]["config"] = {"meta": {"rollups": [{"name": "r", "grain": "day", **rollup}]}}
    models[0]["entities"].append({"name": "history", "type": "foreign", "expr": "creator_id"})
    models[1]["dimensions"].append({"name": "is_new", "type": "categorical", "expr": "coalesce(tier, 'new') = 'new'"})
    compiled = Compiled(read_manifest(write_manifest(tmp_path / "m.json", [*models, HISTORY], [simple("posts")])))
    (found,) = list_rollups(compiled)
    with pytest.raises(DefinitionError, match=said):
        write_rollup(compiled, *found)
