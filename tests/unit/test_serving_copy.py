"""The serving copy of a small generation in a real Postgres: what it holds, what is refused, how it takes over."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pytest

from gnomon.core.errors import GnomonError, QueryError, WarehouseError
from gnomon.core.settings import Settings
from gnomon.publish import Effect, Rollback
from gnomon.publish.serving_copy import (
    CopyPublication,
    copy_generation,
    copying,
    list_copies,
    open_copy,
    roll_back_copy,
    schemas,
)
from gnomon.serve import copy_words
from gnomon.warehouse.postgres import PostgresAddress, PostgresSession
from tests.copies import BUDGET, SAID, ask, change, list_schemas, make_database, run, serve, take_from

STAMPS = """
    select (select sum(views) / sum(posts) from gnomon.rollup_posts_weekly) as weekly,
        (select sum(views) / sum(posts) from gnomon.rollup_posts_by_creator) as daily,
        (select sum(rows) from (select count(*) as rows from gnomon.fct_cases union all
            select count(*) from gnomon.dim_creators) as both_tables) as others
"""
OTHERS = 50 + 20


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DBT_TARGET_PATH", "GNOMON_DATABASE", "GNOMON_GENERATIONS", "GNOMON_COPY", "GNOMON_COPY_BUDGET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def small(shelf: Path, tmp_path: Path) -> Path:
    """A project whose generation of stamp 1 is in service; those of 2 and 3 are kept."""
    return take_from(shelf, tmp_path / "small")


@pytest.fixture
def database(postgres_server: str) -> Iterator[PostgresAddress]:
    with make_database(postgres_server, "copies") as address:
        yield address


def copy(project: Path, database: PostgresAddress, **options: Any) -> CopyPublication:
    return copy_generation(project, database, **{"budget": BUDGET, **options})


def ask_stamp(database: PostgresAddress) -> int:
    """The stamp of the build that readers read, by two rollups that must agree."""
    (row,) = ask(database.url, STAMPS)
    assert row["weekly"] == row["daily"]
    assert int(row["others"]) == OTHERS
    return int(float(row["weekly"]))


def test_a_copy_holds_dimensions_rollups_and_case_lists_and_no_base_facts(
    small: Path, database: PostgresAddress
) -> None:
    done = copy(small, database)
    assert done.effect is Effect.PUBLISHED
    assert done.tables == {
        "dim_creators": 20, "dim_days": 182, "fct_cases": 50,
        "rollup_posts_by_creator": 60, "rollup_posts_weekly": 27,
    }  # fmt: skip
    listed = ask(database.url, "select table_name from information_schema.tables where table_schema = 'gnomon'")
    assert {row["table_name"] for row in listed} == {
        *done.tables, *done.views, "gnomon_stamp", "gnomon_tables",
    }  # fmt: skip
    told = ask(database.url, "select * from gnomon.gnomon_tables where part <> 'record'")
    assert {row["table_name"]: row["row_count"] for row in told} == {**done.tables, "bi_posts_day": None}
    (stamp,) = ask(database.url, "select * from gnomon.gnomon_stamp")
    assert stamp["generation_id"] == stamp["data_version"] == done.generation_id
    assert stamp["run_id"] == "00000001-0000-0000-0000-000000000000"
    assert (stamp["raw_set_id"], stamp["as_of_at"]) == ("small", datetime(2026, 3, 1))
    assert (done.questions, done.links, done.refused, done.left_out) == (12, 3, {}, ())
    assert 0 < done.size == list_copies(database)[0].size < 2_000_000


def test_keys_and_comments_are_those_of_definitions(small: Path, database: PostgresAddress) -> None:
    copy(small, database)
    keys = ask(
        database.url,
        "select conrelid::regclass::text || ': ' || pg_get_constraintdef(oid) as key from pg_constraint "
        "where connamespace = 'gnomon'::regnamespace and contype in ('p', 'u', 'f') and convalidated",
    )
    assert {row["key"] for row in keys} == {
        "gnomon.dim_creators: PRIMARY KEY (creator_id)",
        "gnomon.dim_days: PRIMARY KEY (date_day)",
        "gnomon.fct_cases: PRIMARY KEY (case_id)",
        "gnomon.fct_cases: FOREIGN KEY (creator_id) REFERENCES gnomon.dim_creators(creator_id)",
        "gnomon.fct_cases: FOREIGN KEY (opened_date) REFERENCES gnomon.dim_days(date_day)",
        "gnomon.rollup_posts_by_creator: UNIQUE NULLS NOT DISTINCT (metric_time__day, creator, post__kind)",
        "gnomon.rollup_posts_by_creator: FOREIGN KEY (creator) REFERENCES gnomon.dim_creators(creator_id)",
        "gnomon.rollup_posts_weekly: UNIQUE NULLS NOT DISTINCT (metric_time__week, post__kind)",
        "gnomon.gnomon_tables: PRIMARY KEY (table_name)",
    }
    said = ask(
        database.url,
        "select objoid::regclass::text as name, objsubid as place, description from pg_description "
        "where classoid = 'pg_class'::regclass and objoid::regclass::text like 'gnomon.%'",
    )
    comments = {(row["name"], row["place"]): row["description"] for row in said}
    assert comments["gnomon.fct_cases", 0] == SAID["fct_cases"]["description"]
    assert comments["gnomon.fct_cases", 3] == SAID["fct_cases"]["columns"]["amount"]
    assert ("gnomon.fct_cases", 1) not in comments
    assert comments["gnomon.fct_cases", 5] == "UTC."
    assert comments["gnomon.rollup_posts_weekly", 0] == "Measures of posts by week, post__kind."
    assert comments["gnomon.rollup_posts_weekly", 1] == "The week begins here, UTC."
    assert comments["gnomon.rollup_posts_by_creator", 2] == "The entity creator."
    assert "sum_boolean of is_bad." in comments.values()
    (schema,) = ask(database.url, "select obj_description('gnomon'::regnamespace) as said")
    assert "generation g0001-20260301T000000-00000001, as of 2026-03-01 00:00:00 UTC" in schema["said"]


_PLAIN, _ZONED = "timestamp without time zone", "timestamp with time zone"
# DuckDB's literal, what it must be in Postgres, and Postgres's type of it.
KINDS: dict[str, tuple[str, Any, str]] = {
    "flag": ("false", False, "boolean"),
    "tiny": ("cast(-128 as tinyint)", -128, "smallint"),
    "small": ("cast(-32768 as smallint)", -32768, "smallint"),
    "whole": ("cast(-2147483648 as integer)", -2147483648, "integer"),
    "great": ("cast(-9223372036854775808 as bigint)", -9223372036854775808, "bigint"),
    "utiny": ("cast(255 as utinyint)", 255, "smallint"),
    "usmall": ("cast(65535 as usmallint)", 65535, "integer"),
    "uwhole": ("cast(4294967295 as uinteger)", 4294967295, "bigint"),
    "ugreat": ("cast(18446744073709551615 as ubigint)", Decimal(18446744073709551615), "numeric(20,0)"),
    "huge": ("cast('-99999999999999999999999999999999999999' as hugeint)", Decimal("-" + "9" * 38), "numeric(38,0)"),
    "cents": ("cast('-12345678.90' as decimal(18, 2))", Decimal("-12345678.90"), "numeric(18,2)"),
    "fine": ("cast('0.0000000001' as decimal(12, 10))", Decimal("0.0000000001"), "numeric(12,10)"),
    "single": ("cast('0.1' as float)", 0.10000000149011612, "real"),
    "double": ("cast('5e-324' as double)", 5e-324, "double precision"),
    "infinite": ("cast('-inf' as double)", float("-inf"), "double precision"),
    "word": ("'a,\"b\"\n\\N\\.é' || chr(8232)", "a,\"b\"\n\\N\\.é\u2028", "text"),
    "empty": ("''", "", "text"),
    "nothing": ("cast(null as varchar)", None, "text"),
    "known": ("cast('8b5adaef-5aa6-4ce6-9c94-553835d14d7a' as uuid)", "8b5adaef-5aa6-4ce6-9c94-553835d14d7a", "uuid"),
    "day": ("date '0001-01-01'", date(1, 1, 1), "date"),
    "hour": ("time '10:11:12.345678'", time(10, 11, 12, 345678), "time without time zone"),
    "moment": ("timestamp '2024-03-31 01:30:00.000001'", datetime(2024, 3, 31, 1, 30, 0, 1), _PLAIN),
    "second": ("timestamp_s '9999-12-31 23:59:59'", datetime(9999, 12, 31, 23, 59, 59), _PLAIN),
    "thousandth": ("timestamp_ms '2024-01-01 00:00:00.001'", datetime(2024, 1, 1, 0, 0, 0, 1000), _PLAIN),
    "zoned": ("timestamptz '2024-03-31 01:30:00+02'", datetime(2024, 3, 30, 23, 30, tzinfo=UTC), _ZONED),
}  # fmt: skip


def test_every_type_comes_to_the_same_value_or_is_refused(small: Path, database: PostgresAddress) -> None:
    columns = ", ".join(f'{literal} as "{name}"' for name, (literal, _, _) in KINDS.items())
    nulls = ", ".join("null" for _ in KINDS)
    said = {**SAID, "dim_kinds": {"word": "dimension", "key": ["kind_id"]}}
    made = f"create table dim_kinds as select 1 as kind_id, {columns} union all select 2, {nulls}"
    change(small, made, "update dim_kinds set infinite = 'nan' where kind_id = 2", said=said)
    copy(small, database)
    types = ask(
        database.url,
        "select attname as name, format_type(atttypid, atttypmod) as kind from pg_attribute "
        "where attrelid = 'gnomon.dim_kinds'::regclass and attnum > 1",
    )
    assert {row["name"]: row["kind"] for row in types} == {name: kind for name, (_, _, kind) in KINDS.items()}
    texts = ", ".join(
        f'"{name}"::text' if kind.startswith("numeric") or kind == "uuid" else f'"{name}"'
        for name, (_, _, kind) in KINDS.items()
    )
    first, second = ask(database.url, f"select {texts} from gnomon.dim_kinds order by kind_id")
    numbers = {name: Decimal(first[name]) for name, (_, _, kind) in KINDS.items() if kind.startswith("numeric")}
    assert first | numbers == {name: value for name, (_, value, _) in KINDS.items()}
    assert str(second.pop("infinite")) == "nan"
    assert set(second.values()) == {None}


@pytest.mark.parametrize("part", ["key", "link"])
def test_a_promise_that_the_rows_break_is_refused_before_anything_is_loaded(
    small: Path, database: PostgresAddress, part: str
) -> None:
    broken = {
        "key": (
            "insert into fct_cases select * from fct_cases limit 1",
            "1 rows of 'fct_cases' repeat the key case_id",
        ),
        "link": (
            "update fct_cases set opened_date = date '2030-01-01' where case_id in ('k1', 'k2')",
            "2 rows of 'fct_cases' have a opened_date that is no date_day of 'dim_days', though a data test held it",
        ),
    }
    statement, said = broken[part]
    change(small, statement)
    with pytest.raises(WarehouseError, match=re.escape(said)):
        copy(small, database)
    assert list_schemas(database.url) == ["public"]


def test_an_entity_that_leads_nowhere_for_some_rows_is_no_foreign_key_and_is_told(
    small: Path, database: PostgresAddress
) -> None:
    gone = "creator_id = 'c7'"
    change(small, f"delete from dim_creators where {gone}", f"delete from fct_cases where {gone}")
    done = copy(small, database)
    assert done.links == 2
    (told,) = done.left_out
    assert told == "3 rows of 'rollup_posts_by_creator' have a creator that is no creator_id of 'dim_creators'"


def test_readers_read_what_is_in_service_and_can_write_and_see_nothing_else(
    small: Path, database: PostgresAddress
) -> None:
    copy(small, database)
    serve(small, 2)
    copy(small, database)
    (role,) = ask(
        database.url,
        "select rolcanlogin, rolpassword is null as is_bare from pg_authid where rolname = 'gnomon_reader'",
    )
    assert role == {"rolcanlogin": False, "is_bare": True}
    tables = [row["table_name"] for row in ask(database.url, "select table_name from gnomon.gnomon_tables")]
    kept = next(name for name in list_schemas(database.url) if name.startswith("gnomon_g0001"))
    with closing(adbc.connect(database.url, autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute("set role gnomon_reader")
        for table in tables:
            cursor.execute(f"select count(*) from gnomon.{table}")
            assert cursor.fetchone()
        for statement in (
            *(f"{act} gnomon.dim_creators" for act in ("delete from", "truncate", "drop table")),
            "insert into gnomon.dim_creators values ('c', 'gold')",
            "update gnomon.gnomon_stamp set generation_id = 'x'",
            "create table gnomon.mine (x int)",
            "create schema mine",
            f'select count(*) from "{kept}".dim_creators',
        ):
            with pytest.raises(adbc.Error, match=r"permission denied|must be owner"):
                cursor.execute(statement)


def test_a_publisher_needs_no_more_than_to_make_schemas(small: Path, database: PostgresAddress) -> None:
    plain = PostgresAddress.read(database.url.replace("postgres:@", "plain_publisher@"))
    run(database.url, "create role plain_publisher login", "grant create on database copies to plain_publisher")
    try:
        with pytest.raises(WarehouseError, match="Have an administrator run `create role gnomon_reader nologin`"):
            copy(small, plain)
        run(database.url, "create role gnomon_reader nologin")
        copy(small, plain)
        serve(small, 2)
        copy(small, plain, keep=1)
        assert list_schemas(database.url) == ["gnomon", "public"]
        assert ask_stamp(database) == 2
    finally:
        run(database.url, "drop owned by plain_publisher", "drop role plain_publisher")


def test_the_same_generation_is_not_loaded_twice(small: Path, database: PostgresAddress) -> None:
    assert copy(small, database, dry_run=True).tables["fct_cases"] == 50
    assert list_schemas(database.url) == ["public"]
    first = copy(small, database)
    again = copy(small, database)
    assert (again.effect, again.generation_id) == (Effect.NOTHING_NEW, first.generation_id)
    assert copy(small, database, dry_run=True).tables == {}


def test_copies_are_kept_rolled_back_served_again_and_retired(small: Path, database: PostgresAddress) -> None:
    ids = []
    for stamp in (1, 2, 3):
        serve(small, stamp)
        done = copy(small, database, keep=2)
        ids.append(done.generation_id)
    assert done.removed == (ids[0],)
    assert [(each.generation_id, each.state) for each in list_copies(database)] == [
        (ids[2], "serving"), (ids[1], "kept"),
    ]  # fmt: skip
    assert roll_back_copy(database, dry_run=True).serving == ids[1]
    assert ask_stamp(database) == 3
    back = roll_back_copy(database)
    assert (back.withdrawn, back.serving) == (ids[2], ids[1])
    assert ask_stamp(database) == 2
    assert [each.state for each in list_copies(database)] == ["serving", "withdrawn"]
    with pytest.raises(WarehouseError, match="no copy before"):
        roll_back_copy(database)
    # Who asks for it has it again, without loading.
    again = copy(small, database, keep=2)
    assert (again.effect, again.generation_id, ask_stamp(database)) == (Effect.RESTORED, ids[2], 3)
    roll_back_copy(database)
    # The first one is there no more, and so it is new.
    serve(small, 1)
    done = copy(small, database, keep=2)
    assert (done.effect, done.removed) == (Effect.PUBLISHED, (ids[2],))
    assert ask_stamp(database) == 1
    assert len(list_schemas(database.url)) == 3


def test_a_reader_in_a_transaction_reads_one_copy_to_its_end(small: Path, database: PostgresAddress) -> None:
    copy(small, database)
    serve(small, 2)
    with closing(adbc.connect(database.url)) as reader, reader.cursor() as cursor:
        cursor.execute("select count(*) from gnomon.dim_creators")
        cursor.fetchall()
        with pytest.raises(WarehouseError, match=r"readers held the copy in service through 2 tries: \d+ \("):
            copy(small, database, tries=2)
        # It goes on where it was, with tables that it had not read before the publish, too.
        cursor.execute(STAMPS)
        assert cursor.fetch_arrow_table().to_pylist()[0]["weekly"].startswith("1.000")
        assert list_schemas(database.url) == ["gnomon", "public"]
    copy(small, database)
    assert ask_stamp(database) == 2


def test_a_transaction_that_began_before_the_copy_was_made_does_not_find_it_empty(
    small: Path, database: PostgresAddress
) -> None:
    copy(small, database)
    serve(small, 2)
    with closing(adbc.connect(database.url)) as reader, reader.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read")
        cursor.execute("select count(*) from pg_class")
        cursor.fetchall()
        copy(small, database)
        cursor.execute(STAMPS)
        (row,) = cursor.fetch_arrow_table().to_pylist()
    assert (float(row["weekly"]), float(row["daily"]), int(row["others"])) == (2.0, 2.0, OTHERS)


def test_readers_that_never_rest_get_one_whole_copy_in_every_answer(small: Path, database: PostgresAddress) -> None:
    copy(small, database)
    ends, seen, faults = threading.Event(), set[tuple[Any, ...]](), list[BaseException]()

    def read(prepares: bool) -> None:
        try:
            with PostgresSession.open(database) as session:
                if prepares:
                    session.execute(f"prepare stamps as {STAMPS}")
                while not ends.is_set():
                    (row,) = session.fetch("execute stamps" if prepares else STAMPS)
                    seen.add((int(row["weekly"]), int(row["daily"]), int(row["others"])))
        except BaseException as error:
            faults.append(error)

    readers = [threading.Thread(target=read, args=(prepares,)) for prepares in (True, False)]
    for reader in readers:
        reader.start()
    try:
        serve(small, 2)
        for _ in range(3):
            copy(small, database)
            roll_back_copy(database)
    finally:
        ends.set()
        for reader in readers:
            reader.join()
    assert faults == []
    assert seen == {(1, 1, OTHERS), (2, 2, OTHERS)}


def test_a_value_that_is_not_the_generations_swaps_nothing_and_names_the_query(
    small: Path, database: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(small, database)
    serve(small, 2)
    load = copying.load

    def spoil(statement: str) -> None:
        def run_after(session: PostgresSession, *rest: Any) -> Any:
            loaded = load(session, *rest)
            session.execute(statement.format(rest[2].schema))
            return loaded

        monkeypatch.setattr(copying, "load", run_after)

    spoils = {
        'delete from "{}".fct_cases where case_id = \'k1\'': "table 'fct_cases' differs from the generation",
        'update "{}".fct_cases set amount = amount + 100 where case_id = \'k49\'':
            '"rolled greatest 2 amount": "161.25"',
        # Two weeks change places: every column has its values still.
        'update "{0}".rollup_posts_weekly as mine set posts = other.posts from "{0}".rollup_posts_weekly as other '
        "where mine.post__kind = other.post__kind and other.metric_time__week = case mine.metric_time__week "
        "when '2025-12-29' then timestamp '2026-01-05' when '2026-01-05' then '2025-12-29' end":
            "rollup 'posts_weekly', asked for posts, views, weights by metric_time__week, differs",
    }  # fmt: skip
    for statement, said in spoils.items():
        spoil(statement)
        with pytest.raises(WarehouseError, match=re.escape(said)):
            copy(small, database)
        assert ask_stamp(database) == 1
        assert list_schemas(database.url) == ["gnomon", "public"]


def test_what_is_somebody_elses_is_left_alone(small: Path, database: PostgresAddress) -> None:
    first = copy(small, database).generation_id
    foreign = "gnomon_g0009-20260301T000000-00000009"
    run(
        database.url,
        f'create schema "{foreign}"', f'create table "{foreign}".kept (x int)',
        "create schema gnomon_notes", "create table gnomon_notes.kept (x int)",
        "create view public.tiers as select tier from gnomon.dim_creators",
    )  # fmt: skip
    serve(small, 2)
    done = copy(small, database, keep=1)
    assert done.bound == ("public.tiers",)
    assert done.held == {first: f'view public.tiers depends on table "gnomon_{first}".dim_creators'}
    assert ask(database.url, "select count(*) as n from public.tiers") == [{"n": 20}]
    run(database.url, "drop view public.tiers", f'create table "gnomon_{first}".noted (x int)')
    serve(small, 3)
    assert copy(small, database, keep=1).held == {
        first: f'table "gnomon_{first}".noted depends on schema gnomon_{first}'
    }
    run(database.url, f'drop table "gnomon_{first}".noted')
    assert first in copy(small, database, keep=1).removed
    assert list_schemas(database.url) == ["gnomon", foreign, "gnomon_notes", "public"]


def test_a_question_is_planned_for_what_the_copy_in_service_holds(small: Path, database: PostgresAddress) -> None:
    with pytest.raises(WarehouseError, match="no copy is in service"), open_copy(small, database):
        pass
    copied = copy(small, database).generation_id
    # Another one is served by the engine meanwhile.
    serve(small, 2)
    with open_copy(small, database) as door:
        assert door.stored.generation_id == door.engine.generation_id == copied
        planned = door.plan(["stamp", "posts"], ["creator__tier"], order_by=["creator__tier"])
        assert planned.rollups == ("posts_by_creator",)
        assert '"gnomon"."rollup_posts_by_creator"' in planned.sql
        rows = ask(database.url, planned.sql)
        assert [(row["creator__tier"], row["stamp"], int(row["posts"])) for row in rows] == [
            ("gold", 1.0, 500), ("new", 1.0, 1500),
        ]  # fmt: skip
        filtered = door.plan(["posts"], outer_filters=["creator__tier"])
        assert [(each.schema, each.table) for each in filtered.filters] == [("gnomon", "dim_creators")]
        with pytest.raises(QueryError) as refusal:
            door.plan(["median_views"])
        assert str(refusal.value) == (
            "no rollup of the copy answers this: it would read 'fct_posts', which the copy does not hold. "
            "posts: not rollup posts_weekly: 'median_views' cannot be added up; "
            "posts: not rollup posts_by_creator: 'median_views' cannot be added up. "
            "Ask for what a rollup holds, or add one to config.meta.rollups of the semantic model."
        )


def test_values_of_a_dimension_are_listed_from_the_copy(small: Path, database: PostgresAddress) -> None:
    copy(small, database)
    with open_copy(small, database) as door:
        rows = ask(database.url, door.plan((), ["creator__tier"]).sql)
        assert {row["creator__tier"] for row in rows} == {"gold", "new"}
        with pytest.raises(QueryError, match="its values are listed and not added up"):
            door.plan((), ["post__kind"])


def test_a_metric_whose_source_is_absent_is_refused_as_sql_would_say_a_number(
    small: Path, database: PostgresAddress
) -> None:
    change(small, "insert into gnomon_build.absent_tables values ('content', 'the log has no items')")
    copy(small, database)
    with open_copy(small, database) as door, pytest.raises(QueryError, match=r"is null, .* the log has no items"):
        door.plan(["posts"])


def test_a_copy_of_a_generation_that_is_gone_here_is_planned_for_no_more(
    small: Path, database: PostgresAddress
) -> None:
    copied = copy(small, database).generation_id
    run(database.url, "update gnomon.gnomon_stamp set run_id = 'another'")
    with pytest.raises(WarehouseError, match="another generation that is named"), open_copy(small, database):
        pass
    serve(small, 2)
    shutil.rmtree(small / "target" / "generations" / copied)
    refused = f"serves generation '{copied}', for which nothing can be planned: .* is not kept"
    with pytest.raises(WarehouseError, match=refused), open_copy(small, database):
        pass


def test_one_publisher_works_at_a_time(small: Path, database: PostgresAddress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "_LOCK_MS", 20)
    with (
        PostgresSession.open(database) as other,
        schemas.hold_copies(other),
        pytest.raises(WarehouseError, match=r"another publisher is at work \(process \d"),
    ):
        copy(small, database)
    assert copy(small, database).effect is Effect.PUBLISHED


def test_a_password_is_in_no_text(small: Path, database: PostgresAddress, postgres_server: str) -> None:
    secret = "s3cret%2Fpart"
    address = PostgresAddress.read(f"postgres://somebody:{secret}@127.0.0.1:1/db")
    settings = Settings.read({"GNOMON_COPY": address.url})
    with pytest.raises(WarehouseError) as unreachable:
        list_copies(address)
    with pytest.raises(WarehouseError) as unreadable:
        PostgresAddress.read(f"postgres://somebody:{secret.replace('%2F', '/')}@127.0.0.1/db")
    with PostgresSession.open(database) as session:
        said = PostgresAddress.read(database.url.replace("postgres:@", f"postgres:{secret}@"))
        assert said.hide(f"said {secret} and s3cret/part") == "said *** and ***"
        # What the server says of what it was told goes through it.
        named = PostgresSession(session._connection, session._loop, said)
        with pytest.raises(WarehouseError) as told:
            named.execute("select 's3cret/part'::int")
    for text in (repr(address), str(address), repr(settings), unreachable.value, unreadable.value, told.value):
        assert "s3cret" not in str(text)
    assert "postgres://somebody@127.0.0.1:1/db: cannot be reached" in str(unreachable.value)


# What is changed in what dbt's manifest says, statements before publishing, options, statements in the database.
Case = tuple[dict[str, dict[str, Any]], tuple[str, ...], dict[str, Any], tuple[str, ...]]
LONG = "a_name_of_more_bytes_than_postgres_keeps_and_so_it_is_too_long_by_far"
REFUSED: dict[str, Case] = {
    "a word that is not known": ({"fct_cases": {"word": "case"}}, (), {}, ()),
    "a fact as a dimension": ({"fct_posts": {"word": "dimension", "key": ["post_id"]}}, (), {}, ()),
    "a seed": ({"regions": {"word": "dimension", "key": ["region"]}}, (), {}, ()),
    "a feature": ({"feat_creator__posts": {"word": "cases", "key": ["creator_id"]}}, (), {}, ()),
    "no key": ({"dim_days": {"key": []}}, (), {}, ()),
    "a key that is null": ({}, ("update fct_cases set case_id = null where case_id = 'k1'",), {}, ()),
    "a list": ({}, ("alter table dim_creators add column tags varchar[]",), {}, ()),
    "a struct": ({}, ("alter table dim_creators add column place struct(x int, y int)",), {}, ()),
    "nanoseconds": ({}, ("alter table dim_creators add column seen_at timestamp_ns",), {}, ()),
    "a span": ({}, ("alter table dim_creators add column span interval",), {}, ()),
    "a long name": ({}, (f"alter table dim_creators add column {LONG} int",), {}, ()),
    "a character of the number 0": ({}, ("update dim_creators set tier = 'a' || chr(0) where tier = 'gold'",), {}, ()),
    "a day that never ends": ({}, ("insert into dim_days values ('infinity'), (date '2000-01-01 (BC)')",), {}, ()),
    "a number of too many places": (
        {}, ("alter table dim_creators add column n hugeint default 170141183460469231731687303715884105727",), {}, ()
    ),
    "larger than the budget as it is sent": ({}, (), {"budget": "1KB"}, ()),
    "larger than the budget in Postgres": ({}, (), {"budget": "100KB"}, ()),
    "no budget": ({}, (), {"budget": "lots"}, ()),
    "keep nothing": ({}, (), {"keep": 0}, ()),
    "a schema of somebody else's": ({}, (), {}, ("create schema gnomon",)),
    "a superuser as the reader": ({}, (), {}, ("alter role gnomon_reader superuser",)),
}  # fmt: skip


def test_refusals_are_in_these_words(
    shelf: Path, tmp_path: Path, database: PostgresAddress, golden: Callable[[str, str], None]
) -> None:
    texts = []
    for number, (called, (more, statements, options, before)) in enumerate(REFUSED.items()):
        said = {**SAID, **{table: {**SAID.get(table, {}), **words} for table, words in more.items()}}
        project = take_from(shelf, tmp_path / str(number))
        change(project, *statements, said=said)
        if before:
            run(database.url, *before)
        with pytest.raises(GnomonError) as refusal:
            copy(project, database, **options)
        texts.append(f"## {called}\n{str(refusal.value).replace(str(project), 'FOLDER')}\n")
        if before:
            run(database.url, "drop schema if exists gnomon")
    assert list_schemas(database.url) == ["public"]
    with pytest.raises(WarehouseError) as refusal:
        roll_back_copy(database)
    texts.append(f"## nothing to go back to\n{refusal.value}\n")
    golden("copy_refusals.txt", "\n".join(texts))


def test_what_a_publish_did_is_told_in_these_words(golden: Callable[[str, str], None]) -> None:
    whole = CopyPublication(
        Effect.PUBLISHED, "g0002-…", {"dim_creators": 20, "rollup_posts": 1_000}, 2,
        ("3 rows of 'rollup_posts' have a creator that is no creator_id of 'dim_creators'",), 10,
        {"commerce_daily": "metric 'gmv' is null, and SQL over a copy would not say so: the source has no orders."},
        2_500_000, ("public.tiers",), ("g0000-…",), {"g0001-…": "view public.tiers depends on it"}, 4.2,
        ("bi_posts_day",),
    )  # fmt: skip
    told = {
        "published": whole,
        "dry run": replace(whole, effect=Effect.DRY, left_out=(), refused={}, bound=(), removed=(), held={}),
        "dry run of what is there": CopyPublication(Effect.DRY, "g0002-…"),
        "served again": CopyPublication(Effect.RESTORED, "g0002-…"),
        "nothing new": CopyPublication(Effect.NOTHING_NEW, "g0002-…"),
    }
    texts = [f"## {called}\n{copy_words.tell_copy(done, 'postgres://db')}\n" for called, done in told.items()]
    texts += [
        f"## rolled back\n{copy_words.tell_rollback(Rollback('g0002-…', 'g0001-…'), is_dry=False)}\n",
        f"## no copies\n{copy_words.render_list(())}\n",
    ]
    golden("copy_words.txt", "\n".join(texts))
