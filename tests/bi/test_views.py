"""Views of sums in a real Postgres: what is in them, what is not and why, and that they move with their copy.

view          of the small project: posts_by_creator, a day, a creator and a kind to each row
posts_weekly  has nothing that the view has not, and so no view
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import pytest
from sqlglot import exp, parse_one

from gnomon import Engine
from gnomon.core.errors import WarehouseError
from gnomon.publish.planned import Inexpressible
from gnomon.publish.serving_copy import copy_generation, roll_back_copy
from gnomon.publish.serving_copy.source import Source
from gnomon.publish.views import Role, View, Views
from gnomon.publish.views.formulas import simplify
from gnomon.publish.views.wording import find_last_mature
from gnomon.semantic.grain import Grain
from gnomon.warehouse.postgres import PostgresAddress, PostgresSession
from tests.bi.world import ROLLUPS, build_world
from tests.copies import BUDGET, ask, make_database, run, serve, take_from
from tests.generations import METRICS


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DBT_TARGET_PATH", "GNOMON_DATABASE", "GNOMON_GENERATIONS", "GNOMON_COPY", "GNOMON_COPY_BUDGET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def small(shelf: Path, tmp_path: Path) -> Path:
    return take_from(shelf, tmp_path / "small")


@pytest.fixture
def database(postgres_server: str) -> Iterator[PostgresAddress]:
    with make_database(postgres_server, "views") as address:
        yield address


def read_views(project: Path) -> Views:
    with Source.open(project) as source:
        return source.contents.views


def read_view(project: Path, name: str = "bi_posts_day") -> View:
    return next(view for view in read_views(project).views if view.name == name)


def test_a_view_has_the_period_attributes_and_sums_and_no_ratio(small: Path) -> None:
    view = read_view(small)
    assert [(column.name, column.role, column.kind) for column in view.columns] == [
        ("metric_time__day", Role.PERIOD, "DATE"),
        ("creator", Role.ATTRIBUTE, "VARCHAR"),
        ("post__kind", Role.ATTRIBUTE, "VARCHAR"),
        ("creator__tier", Role.ATTRIBUTE, "VARCHAR"),
        ("posts", Role.SUM, "BIGINT"),
        ("views", Role.SUM, "BIGINT"),
    ]
    (stamp,) = view.ratios
    assert (stamp.metric.name, stamp.parts) == ("stamp", ("views", "posts"))


def test_what_does_not_add_up_is_in_no_view_and_the_reason_is_told(small: Path) -> None:
    left_out = read_views(small).left_out
    assert left_out.metrics == {"median_views": "a median or another percentile does not add up"}
    assert left_out.rollups == {"posts_weekly": "view bi_posts_day has all of it"}


def test_every_metric_is_in_a_view_or_left_out(small: Path) -> None:
    found = read_views(small)
    shown = [metric for view in found.views for metric in view.metrics]
    assert sorted([*shown, *found.left_out.metrics]) == sorted(metric["name"] for metric in METRICS)


def test_columns_say_their_unit_their_definition_and_that_they_add_up(small: Path, database: PostgresAddress) -> None:
    copy_generation(small, database, budget=BUDGET)
    said = ask(
        database.url,
        "select attname as name, description from pg_description join pg_attribute on attrelid = objoid "
        "and attnum = objsubid where objoid = 'gnomon.bi_posts_day'::regclass",
    )
    comments = {row["name"]: row["description"] for row in said}
    assert comments["posts"].endswith("Kind: number. Adds up over every column of this view.")
    assert comments["metric_time__day"] == "The day begins here, UTC."
    assert comments["creator__tier"] == "Creator tier. As it is now."
    (view,) = ask(database.url, "select obj_description('gnomon.bi_posts_day'::regclass) as said")
    assert "No ratio is a column" in view["said"]


def test_the_views_of_a_new_copy_read_the_new_copy(small: Path, database: PostgresAddress) -> None:
    """Each post of the build with stamp K has K views."""
    query = "select sum(views) / sum(posts) as stamp from gnomon.bi_posts_day"
    copy_generation(small, database, budget=BUDGET)
    before = ask(database.url, query)
    serve(small, 2)
    done = copy_generation(small, database, budget=BUDGET, keep=1)
    assert [float(row["stamp"]) for row in (*before, *ask(database.url, query))] == [1, 2]
    # Nothing of the old copy hangs on its own views, so it goes.
    assert (done.bound, dict(done.held), len(done.removed)) == ((), {}, 1)


def test_a_reader_in_a_transaction_reads_views_and_tables_of_one_copy_to_its_end(
    small: Path, database: PostgresAddress
) -> None:
    copy_generation(small, database, budget=BUDGET)
    serve(small, 2)
    with closing(adbc.connect(database.url)) as reader, reader.cursor() as cursor:
        cursor.execute("select sum(views) / sum(posts) from gnomon.bi_posts_day")
        assert float(cursor.fetchall()[0][0]) == 1
        with pytest.raises(WarehouseError, match="readers held the copy in service through 2 tries"):
            copy_generation(small, database, budget=BUDGET, tries=2)
        cursor.execute("select sum(views) / sum(posts) from gnomon.rollup_posts_weekly")
        assert float(cursor.fetchall()[0][0]) == 1
    copy_generation(small, database, budget=BUDGET)
    assert float(ask(database.url, "select sum(views) / sum(posts) as stamp from gnomon.bi_posts_day")[0]["stamp"]) == 2


def test_readers_of_views_that_never_rest_get_one_whole_copy_in_every_answer(
    small: Path, database: PostgresAddress
) -> None:
    """Each answer reads a view and a table beside it; a swap between the two would give two stamps."""
    query = """
        select (select sum(views) / sum(posts) from gnomon.bi_posts_day)::int as shown,
            (select sum(views) / sum(posts) from gnomon.rollup_posts_weekly)::int as rolled
    """
    copy_generation(small, database, budget=BUDGET)
    ends, seen, faults = threading.Event(), set[tuple[int, int]](), list[BaseException]()

    def read() -> None:
        try:
            with PostgresSession.open(database) as session:
                while not ends.is_set():
                    (row,) = session.fetch(query)
                    seen.add((row["shown"], row["rolled"]))
        except BaseException as error:
            faults.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        serve(small, 2)
        for _ in range(3):
            copy_generation(small, database, budget=BUDGET)
            roll_back_copy(database)
    finally:
        ends.set()
        reader.join()
    assert faults == []
    assert seen == {(1, 1), (2, 2)}


def test_a_view_of_somebody_else_over_ours_is_told_and_keeps_the_old_copy(
    small: Path, database: PostgresAddress
) -> None:
    copy_generation(small, database, budget=BUDGET)
    run(database.url, "create view public.theirs as select posts from gnomon.bi_posts_day")
    serve(small, 2)
    done = copy_generation(small, database, budget=BUDGET, keep=1)
    assert done.bound == ("public.theirs",)
    assert "public.theirs" in next(iter(done.held.values()))


def test_a_reader_may_read_views_and_nothing_of_an_older_copy(small: Path, database: PostgresAddress) -> None:
    copy_generation(small, database, budget=BUDGET)
    run(database.url, "drop role if exists a_tool", "create role a_tool login in role gnomon_reader")
    try:
        url = database.url.replace("postgres:@", "a_tool:@")
        assert len(ask(url, "select * from gnomon.bi_posts_day")) == 60
    finally:
        run(database.url, "drop role a_tool")


def test_rows_of_the_view_are_those_of_its_rollup_whatever_is_joined(small: Path, database: PostgresAddress) -> None:
    copy_generation(small, database, budget=BUDGET)
    counts = ask(
        database.url,
        "select (select count(*) from gnomon.bi_posts_day) as shown, "
        "(select count(*) from gnomon.rollup_posts_by_creator) as rolled",
    )
    assert counts == [{"shown": 60, "rolled": 60}]


# What definitions make of a view: the project of tests/bi/world.py.


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_world(tmp_path_factory.mktemp("world") / "project")


def test_a_view_of_many_definitions(world: Path) -> None:
    view = read_view(world)
    names = [column.name for column in view.columns]
    assert names == [
        "metric_time__day", "creator", "post__kind", "creator__tier",
        "is_mature_after_3_days", "is_mature_after_10_days",
        "bad_posts_of_kinds", "filled_posts", "gold_posts", "late_posts", "live_posts", "posts", "views", "weights",
        "gold_live_share__live_posts",
    ]  # fmt: skip
    assert {ratio.metric.name: ratio.formula.sql("duckdb") for ratio in view.ratios} == {
        "bad_share": '"bad_posts_of_kinds" / NULLIF("posts", 0)',
        "filled_share": 'COALESCE("filled_posts", 0) / NULLIF("posts", 0)',
        "gold_live_share": '1.0 * "gold_live_share__live_posts" / NULLIF("posts", 0)',
        "live_share": 'CASE WHEN "posts" >= 40 THEN "live_posts" / NULLIF("posts", 0) END',
        "mean_weight_of_posts": '"weights" / NULLIF("posts", 0)',
        "scored_share": (
            'CASE WHEN NOT CASE WHEN "posts" >= 40 THEN "live_posts" / NULLIF("posts", 0) END IS NULL THEN '
            'GREATEST(1, LEAST(100, 1 + 99 * (CASE WHEN "posts" >= 40 THEN "live_posts" / NULLIF("posts", 0) END '
            "- 0.1) / (0.9 - 0.1))) END"
        ),
        "views_less_posts": '"views" - 2 * "posts"',
    }


def test_each_metric_that_is_left_out_says_why(world: Path) -> None:
    left_out = read_views(world).left_out
    sampled = "it is estimated from a sample, and sums do not tell its interval: ask Gnomon for both"
    assert left_out.metrics == {
        "all_posts": "it adds up over a window of time, so its values overlap and do not add up",
        "logged_posts": "its formula has LN, which is not translated",
        "mean_weight": "an average does not add up, and an average of averages is another number",
        "median_views": "a median or another percentile does not add up",
        "most_views": "a greatest value is no sum",
        "posting_creators": "it counts distinct keys, which do not add up: two rows can have the same one",
        "sampled_posts": sampled,
        "sampled_share": sampled,
        "sampled_weight": sampled,
    }
    assert left_out.attributes == {
        "bi_posts_day": {"post__is_bad": "it is the outcome of 'bad_share', which would be all or none by it"}
    }


def test_days_that_can_still_change_are_marked(world: Path, database: PostgresAddress) -> None:
    """The build's clock is 2026-03-01 00:01, so of 10 days the last mature day is 2026-02-19."""
    copy_generation(world, database, budget=BUDGET)
    (row,) = ask(
        database.url,
        "select max(metric_time__day) filter (where is_mature_after_10_days) as last, "
        "min(metric_time__day) filter (where not is_mature_after_10_days) as first, "
        "count(*) filter (where is_mature_after_10_days is null) as unknown from gnomon.bi_posts_day",
    )
    assert (row["last"], row["first"], row["unknown"]) == (date(2026, 2, 19), date(2026, 2, 20), 0)


SUMS = ("posts", "views", "live_posts", "gold_posts", "filled_posts", "bad_posts_of_kinds", "weights")


@pytest.mark.parametrize("groups", [[], ["metric_time__day"], ["creator__tier", "post__kind"], ["creator"]])
def test_a_view_added_up_is_what_the_engine_answers(world: Path, database: PostgresAddress, groups: list[str]) -> None:
    copy_generation(world, database, budget=BUDGET)
    columns = ", ".join([*groups, *(f"sum({name})::float8 as {name}" for name in SUMS)])
    by = f"group by {', '.join(groups)}" if groups else ""
    theirs = ask(database.url, f"select {columns} from gnomon.bi_posts_day {by}")
    with closing(Engine.open(world)) as engine:
        ours = engine.query(list(SUMS), groups).to_arrow().to_pylist()
    found = {tuple(str(row[name])[:10] for name in groups): row for row in theirs}
    assert len(found) == len(ours) > 0
    for row in ours:
        other = found[tuple(str(row[name])[:10] for name in groups)]
        for name in SUMS:
            is_same = other[name] is None if row[name] is None else other[name] == pytest.approx(row[name], rel=1e-12)
            assert is_same, (name, row, other)


def test_a_rollup_of_joined_attributes_is_a_view_like_any(tmp_path: Path) -> None:
    rolled = [{"name": "posts_by_tier", "grain": "day", "dimensions": ["creator__tier", "post__kind"]}]
    found = read_views(build_world(tmp_path / "project", rollups=rolled))
    (view,) = found.views
    assert [column.name for column in view.take(Role.PERIOD, Role.ATTRIBUTE)] == [
        "metric_time__day", "creator__tier", "post__kind",
    ]  # fmt: skip
    assert "gold_posts" in view.metrics
    assert view.query.find(exp.Join) is None


def test_a_week_has_a_view_where_no_day_holds_it(tmp_path: Path) -> None:
    found = read_views(build_world(tmp_path / "project", rollups=ROLLUPS[1:]))
    assert [view.name for view in found.views] == ["bi_posts_week"]
    assert found.views[0].columns[0].name == "metric_time__week"


def test_the_last_mature_period_ends_no_later_than_its_last_mature_day() -> None:
    """2026-03-10 is a Tuesday."""
    until = date(2026, 3, 10)
    assert find_last_mature(Grain.DAY, until) == until
    assert find_last_mature(Grain.WEEK, until) == date(2026, 3, 2)
    assert find_last_mature(Grain.WEEK, date(2026, 3, 8)) == date(2026, 3, 2)
    assert find_last_mature(Grain.MONTH, until) == date(2026, 2, 1)
    assert find_last_mature(Grain.MONTH, date(2026, 3, 31)) == date(2026, 3, 1)
    assert find_last_mature(Grain.QUARTER, until) == date(2025, 10, 1)
    assert find_last_mature(Grain.QUARTER, date(2026, 3, 31)) == date(2026, 1, 1)
    assert find_last_mature(Grain.YEAR, date(2026, 12, 31)) == date(2026, 1, 1)
    assert find_last_mature(Grain.YEAR, until) == date(2025, 1, 1)


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("a / b", "divides without a guard"),
        ("a / nullif(b, 2)", "NULLIF"),
        ("ln(a)", "LN"),
        ("coalesce(a, b)", "puts one value in the place of another"),
        ("case when a > 1 then 2 else 3 end", "CASE"),
        ("case when not a > 1 then 2 end", "condition NOT"),
        ("a / (0.5 - 0.5)", "divides without a guard"),
        ('case when "__has:a" then coalesce(a, 0) + 1 end', "do not tell that there are rows"),
    ],
)
def test_a_formula_that_sums_do_not_tell_is_refused(formula: str, reason: str) -> None:
    tree = parse_one(formula, read="duckdb")
    with pytest.raises(Inexpressible, match=reason):
        simplify(tree, str)


def test_whether_there_are_rows_need_not_be_asked_where_values_tell_it() -> None:
    tree = parse_one(
        'case when "__has:a" or "__has:b" then coalesce(a, 0) / nullif(coalesce(b, 0), 0) end', read="duckdb"
    )
    kept = simplify(tree, {"a": "left", "b": "right"}.__getitem__)
    assert kept.sql("duckdb") == 'COALESCE("left", 0) / NULLIF(COALESCE("right", 0), 0)'
    assert {column.name for column in kept.find_all(exp.Column)} == {"left", "right"}
