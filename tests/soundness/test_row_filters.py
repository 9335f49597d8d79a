"""Under a row filter every table is read as if it held no other rows; totals worked by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from gnomon.core.errors import QueryError
from gnomon.planner import Compiled, Planner, Question, plan
from gnomon.planner.choose_rollups import list_rollups, write_rollup
from gnomon.semantic import read_manifest
from gnomon.semantic.model import Manifest
from tests.manifests import conversion, cumulative, derived, measure, semantic_model, simple, write_manifest

# posts:  id creator partner day     kind   views      creators:  id  tier region   states:  creator day    on
#         1  ana     bo      05 Jan  video    100                 ana gold ID                ana     05 Jan 1
#         2  ana     -       06 Jan  live      50                 bo  new  TH                ana     06 Jan 1
#         3  bo      ana     06 Jan  video     10                 cy  new  ID                bo      06 Jan 1
#         4  bo      bo      12 Jan  video     40                                            bo      12 Jan 1
#         5  NULL    ana     12 Jan  video      7      sales:     ana 07 Jan, bo 13 Jan      grades: ana A, bo B
WORLD = """
create table posts as select * from (values
    (1, 'ana', 'bo',  date '2026-01-05', 'video', 100), (2, 'ana', null,  date '2026-01-06', 'live', 50),
    (3, 'bo',  'ana', date '2026-01-06', 'video',  10), (4, 'bo',  'bo',  date '2026-01-12', 'video', 40),
    (5, null,  'ana', date '2026-01-12', 'video',   7)
) as t(post_id, creator_id, partner_id, post_date, kind, views);
create table creators as select * from (values ('ana', 'gold', 'ID'), ('bo', 'new', 'TH'), ('cy', 'new', 'ID'))
    as t(creator_id, tier, region);
create table states as select * from (values
    ('ana', date '2026-01-05', 1), ('ana', date '2026-01-06', 1), ('bo', date '2026-01-06', 1),
    ('bo', date '2026-01-12', 1)
) as t(creator_id, status_date, is_on);
create table sales as select * from (values ('ana', date '2026-01-07'), ('bo', date '2026-01-13'))
    as t(creator_id, sale_date);
create table grades as select * from (values
    ('ana', 'A', date '2025-01-01', null::date), ('bo', 'B', date '2025-01-01', null)
) as t(creator_id, grade, valid_from, valid_to);
create table days as
    select cast(d as date) as date_day from range(date '2025-12-29', date '2026-02-01', interval 1 day) t(d);
"""
LAST_DAY = {"name": "status_date", "window_choice": "max", "window_groupings": []}
GRADES = semantic_model(
    "grades",
    entities={"creator": ("natural", "creator_id")},
    dimensions={"grade": None, "valid_from": "day", "valid_to": "day"},
    primary_entity="grade_version",
)
for place, edge in ((1, "is_start"), (2, "is_end")):
    validity = {"is_start": False, "is_end": False, edge: True}
    GRADES["dimensions"][place]["type_params"]["validity_params"] = validity
MODELS = [
    semantic_model(
        "posts",
        entities={
            "post": ("primary", "post_id"),
            "creator": ("foreign", "creator_id"),
            "partner": ("foreign", "partner_id"),
            "twin": ("foreign", "creator_id"),
        },
        dimensions={"post_date": "day", "kind": None},
        measures=[measure("posts", "count", "post_id"), measure("views", "sum")],
        time="post_date",
    ),
    semantic_model(
        "creators",
        entities={"creator": ("primary", "creator_id"), "partner": ("unique", "creator_id")},
        dimensions={"tier": None, "region": None},
    ),
    semantic_model(
        "states",
        entities={"creator": ("foreign", "creator_id")},
        dimensions={"status_date": "day"},
        measures=[measure("active", "sum", "is_on", non_additive_dimension=LAST_DAY)],
        time="status_date",
        primary_entity="creator_day",
    ),
    semantic_model(
        "sales",
        entities={"creator": ("foreign", "creator_id")},
        dimensions={"sale_date": "day"},
        measures=[measure("sales", "count", "creator_id")],
        time="sale_date",
        primary_entity="sale",
    ),
    GRADES,
    semantic_model("left", entities={"twin": ("primary", "creator_id")}, dimensions={"shade": None}),
    semantic_model("right", entities={"twin": ("primary", "creator_id")}, dimensions={"shade": None}),
]
MODELS[0]["config"] = {"meta": {"rollups": [
    {"name": "by_creator", "grain": "day", "dimensions": ["creator"]},
    {"name": "by_kind", "grain": "day", "dimensions": ["post__kind"]},
]}}  # fmt: skip
DAY = {"count": 1, "granularity": "day"}
SPINED = simple("posts_each_day", "posts")
SPINED["type_params"]["measure"]["join_to_timespine"] = True
METRICS = [
    simple("posts"), simple("views"), simple("active"), simple("sales"), SPINED,
    derived("before", "past", [{"name": "views", "alias": "past", "offset_window": DAY}]),
    cumulative("views_so_far", "views"),
    conversion("posts_that_sell", "posts", "sales", "creator", calculation="conversions"),
    simple("sellers_posts", "posts", where="{{ Metric('sales', group_by=['creator']) }} >= 1"),
]  # fmt: skip
IN_ID = "{{ Dimension('creator__region') }} = 'ID'"
VIDEO = "{{ Dimension('post__kind') }} = 'video'"
Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return read_manifest(write_manifest(tmp_path_factory.mktemp("row_filters") / "m.json", MODELS, METRICS))


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as opened:
        opened.execute("attach ':memory:' as small; use small")
        opened.execute(WORLD)
        yield opened


@pytest.fixture(scope="module")
def ask(manifest: Manifest, connection: duckdb.DuckDBPyConnection) -> Ask:
    def answer(*metrics: str, by: tuple[str, ...] = (), rows: tuple[str, ...] = (IN_ID,), **more: Any) -> Any:
        found = connection.execute(plan(manifest, Question(metrics, by, row_filters=rows, **more)).sql).fetchall()
        return sorted([tuple(v.date() if hasattr(v, "date") else v for v in row) for row in found], key=str)

    return answer


def test_every_fact_of_a_question_is_cut(ask: Ask) -> None:
    """Two posts and one sale are of ana, who alone of ID did anything; the post of nobody is of no region."""
    assert ask("posts", "sales") == [(2, 1)]
    assert ask("posts", "sales", by=("creator",)) == [("ana", 2, 1)]


def test_rows_are_cut_before_the_last_day_is_taken(ask: Ask) -> None:
    """In ID the last day is the 6th. A filter after the window would look at the 12th and find nobody."""
    assert ask("active") == [(1,)]


def test_rows_are_cut_before_a_shift_and_before_adding_up(ask: Ask) -> None:
    """Of ana's 100 and 50 the second stands on the 7th, and from the 6th on there are 150."""
    assert ask("before", by=("metric_time__day",)) == [(date(2026, 1, 6), 100), (date(2026, 1, 7), 50)]
    so_far = ask("views_so_far", by=("metric_time__day",), end=datetime(2026, 1, 6))
    assert so_far == [(date(2026, 1, 5), 100), (date(2026, 1, 6), 150)]


def test_days_that_a_spine_adds_stay(ask: Ask) -> None:
    """34 days, 2 of them with posts of ana."""
    days = ask("posts_each_day", by=("metric_time__day",))
    assert len(days) == 34
    assert [row for row in days if row[1]] == [(date(2026, 1, 5), 1), (date(2026, 1, 6), 1)]


def test_both_sides_of_a_conversion_are_cut(ask: Ask) -> None:
    """One sale is of ana. A filter that sales do not say is refused, though posts, the base, say it."""
    assert ask("posts_that_sell", rows=()) == [(2,)]
    assert ask("posts_that_sell") == [(1,)]
    with pytest.raises(QueryError, match="the rows of 'sales' do not say 'post__kind'"):
        ask("posts_that_sell", rows=(VIDEO,))


def test_a_metric_inside_a_filter_is_cut_too(ask: Ask) -> None:
    """Both creators sell once; bo's sales are not there in ID."""
    assert ask("sellers_posts", rows=()) == [(4,)]
    assert ask("sellers_posts") == [(2,)]
    with pytest.raises(QueryError, match="the rows of 'sales' do not say 'post__kind'"):
        ask("sellers_posts", rows=(VIDEO,))


def test_a_row_reached_by_another_way_is_not_there(ask: Ask) -> None:
    """ana's first partner is bo, of TH: for who sees ID only, that post has a partner without attributes."""
    assert ask("posts", by=("post__kind", "partner__tier"), rows=()) == [
        ("live", None, 1), ("video", "gold", 2), ("video", "new", 2),
    ]  # fmt: skip
    assert ask("posts", by=("post__kind", "partner__tier")) == [("live", None, 1), ("video", None, 1)]
    assert ask("posts", by=("partner",)) == [("bo", 1), (None, 1)]


def test_a_filter_keeps_judging_by_tables_as_they_are(ask: Ask) -> None:
    """Two filters, each about another creator of the post: of ana's and bo's one post has a partner in ID.

    For the groups a creator is there only if both filters let it through, as its region is both.
    """
    both = ("{{ Dimension('creator__region') }} = 'TH'", "{{ Dimension('partner__region') }} = 'ID'")
    assert ask("posts", rows=both) == [(1,)]
    assert ask("posts", by=("creator__tier", "partner__tier"), rows=both) == [(None, None, 1)]


def test_values_are_those_of_the_rows_that_are_there(ask: Ask) -> None:
    assert ask(by=("creator__tier",)) == [("gold",), ("new",)]
    assert ask(by=("creator__tier", "creator")) == [("gold", "ana"), ("new", "cy")]
    assert ask(by=("post__kind", "creator__tier")) == [("live", "gold"), ("video", "gold"), (None, "new")]
    assert ask(by=("metric_time__year",)) == [(date(2025, 1, 1),), (date(2026, 1, 1),)]
    with pytest.raises(QueryError, match="the rows of 'creators' do not say 'post__kind'"):
        ask(by=("creator__tier",), rows=(VIDEO,))


def test_no_rows_are_no_rows(ask: Ask) -> None:
    nobody = ("{{ Dimension('creator__region') }} = 'nowhere'",)
    assert ask("posts", by=("creator",), rows=nobody) == []
    assert ask(by=("creator",), rows=nobody) == []


def test_a_kept_plan_of_one_asker_is_not_that_of_another(manifest: Manifest) -> None:
    planner = Planner(manifest)
    question = Question(("posts",), where=("{{ Dimension('creator__tier') }} = 'x'",))
    for regions in (("a", "b"), ("b",), ("it''s", "c"), ()):
        rows = tuple(f"{{{{ Dimension('creator__region') }}}} = '{region}'" for region in regions)
        asked = replace(question, row_filters=rows)
        assert planner.plan(asked).sql == plan(manifest, asked).sql
    assert (planner.hits, planner.misses) == (1, 3)


def test_a_rollup_is_read_only_if_it_says_the_row_filter(
    manifest: Manifest, connection: duckdb.DuckDBPyConnection
) -> None:
    compiled = Compiled(manifest)
    for model, rollup in list_rollups(compiled):
        connection.execute(f"create table {rollup.relation} as {write_rollup(compiled, model, rollup).sql('duckdb')}")
    rows = {"by_creator": 5, "by_kind": 4}
    for row_filter, by, read, total in (
        (IN_ID, (), ("by_creator",), 150),
        (VIDEO, (), ("by_kind",), 157),
        (VIDEO, ("creator",), (), None),
    ):
        made = plan(compiled, Question(("views",), by, row_filters=(row_filter,)), rows)
        assert made.rollups == read
        assert total is None or connection.execute(made.sql).fetchall() == [(total,)]
    assert "posts: not rollup by_creator: it does not have 'kind'" in made.why


REFUSED = {
    "an unknown dimension": (("posts",), (), "{{ Dimension('creator__regoin') }} = 'ID'"),
    "an unknown dimension and no fact": ((), ("metric_time__day",), "{{ Dimension('nothing__here') }} = 1"),
    "a fact that does not say it": (("active",), (), VIDEO),
    "metric_time": (("posts",), (), "{{ TimeDimension('metric_time', 'day') }} > '2026-01-01'"),
    "a metric": (("posts",), (), "{{ Metric('sales', group_by=['creator']) }} > 1"),
    "no name": (("posts",), (), "1 = 1"),
    "a bare column": (("posts",), (), "kind = 'video'"),
    "rows that count for a period": (("posts",), (), "{{ Dimension('creator__grade') }} = 'A'"),
    "a grain too fine": (("posts",), (), "{{ TimeDimension('post__post_date', 'hour') }} > '2026-01-01'"),
    "another way": (("posts",), ("partner__tier",), "{{ Dimension('creator__tier') }} = 'x' or " + VIDEO),
    "an ambiguous name": (("posts",), (), "{{ Dimension('twin__shade') }} = 1"),
}


def test_what_cannot_be_held_to_a_row_filter_is_refused(ask: Ask, golden: Callable[[str, str], None]) -> None:
    texts = []
    for name, (metrics, by, row_filter) in REFUSED.items():
        with pytest.raises(QueryError) as refused:
            ask(*metrics, by=by, rows=(row_filter,))
        texts.append(f"## {name}\n{refused.value}\n")
    golden("row_filters.txt", "\n".join(texts))
