"""The door for hand-written SQL: what it lets through, what it refuses by name, and its limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from gnomon.core.errors import QueryError
from gnomon.engine import Limits, SqlDoor
from gnomon.engine.build_record import BuildRecord
from gnomon.engine.served import Served
from gnomon.serve.cli import _read_sql
from gnomon.warehouse import Warehouse, check_select, read_estimate

ALLOWED = frozenset({"fct_orders", "fct_content", "dim_creators", "policies"})

# fct_orders: 5 rows of 2 creators. stg_raw__orders and int_secret stand in the file too.
WORLD = """
create table fct_orders as select range as order_id, range % 2 as creator_id, 10 * range as amount from range(5);
create table fct_content as select 1 as content_id where false;
create table dim_creators as select 0 as creator_id, 'gold' as tier;
create table policies as select 'spam' as policy_id;
create table stg_raw__orders as select 1 as order_id;
create table int_secret as select 1 as secret;
create view fct_sly as select * from int_secret;
create schema gnomon_build;
create table gnomon_build.nodes as select 'seed.gnomon.policies' as node_id;
"""

ENDLESS = "select count(*) as n from range(1000000000000) as numbers(n) where n % 7 = 3"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[SqlDoor]:
    path = tmp_path / "gnomon.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(WORLD)
    record = BuildRecord(
        run_id="run-1",
        raw_set_id="set-1",
        as_of=datetime(2026, 6, 30),
        is_whole=True,
        is_passed=False,
        semantic_manifest='{"semantic_models": [], "metrics": [], "project_configuration": {}}',
        absent={"orders": "the source sells nothing"},
        parents={"model.gnomon.fct_orders": ("source.gnomon.raw.orders",)},
    )
    opened = SqlDoor(Served(Warehouse.attach(path, "gnomon"), record))
    yield opened
    opened.close()


def ask(door: SqlDoor, sql: str, limits: Limits | None = None) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = door.answer(door.price(sql), limits).table.to_pylist()
    return rows


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("drop table fct_orders", "begins with 'DROP'"),
        ("insert into fct_orders values (1)", "begins with 'INSERT'"),
        ("copy fct_orders to 'x'", "begins with 'COPY'"),
        ("attach 'x' as y", "begins with 'ATTACH'"),
        ("pragma version", "begins with 'PRAGMA'"),
        ("set threads = 1", "begins with 'SET'"),
        ("explain analyze select 1", "begins with 'EXPLAIN'"),
        ("describe fct_orders", "begins with 'DESCRIBE'"),
        ("select 1; drop table fct_orders", "2 statements"),
        ("select 1; select 2", "2 statements"),
        (" -- nothing\n", "no statement"),
        ("with x as (insert into fct_orders values (1) returning *) select * from x", "INSERT is refused"),
        ("select * from stg_raw__orders", "a staging table.*Nearest: 'fct_orders'"),
        ("select * from int_secret", "an intermediate table"),
        ("select * from fct_ordres", "unknown table 'fct_ordres'. Did you mean 'fct_orders'"),
        ("select * from 'data.parquet'", "unknown table 'data.parquet'"),
        ("select * from read_parquet('data.parquet')", "table function 'read_parquet'"),
        ("select * from read_csv('data.csv')", "table function 'read_csv'"),
        ("select * from read_text('secret')", "table function 'read_text'"),
        ("select * from main.read_text('secret')", "table function 'read_text'"),
        ("select * from glob('*')", "table function 'glob'"),
        ("select * from pragma_table_info('fct_orders')", "table function 'pragma_table_info'"),
        ("select * from duckdb_settings()", "table function 'duckdb_settings'"),
        ("select * from query('select * from int_secret')", "table function 'query'"),
        ("select * from query_table('int_secret')", "table function 'query_table'"),
        ("select * from gnomon_build.runs", "'gnomon_build.runs' is outside"),
        ("select * from information_schema.tables", "'information_schema.tables' is outside"),
        ("select * from system.main.duckdb_tables", "is outside"),
        ("select * from duckdb_tables", "unknown table 'duckdb_tables'"),
        ("select current_setting('home_directory')", "function 'current_setting'"),
        ("select (select max(order_id) from stg_raw__orders) as m", "a staging table"),
        ("select 1 as a where exists (from int_secret)", "an intermediate table"),
        ("select * from fct_orders union all select * from int_secret", "an intermediate table"),
        ("select * from {{ ref('stg_raw__orders') }}", "a staging table"),
        ("select * from {{ source('raw', 'orders') }}", "opens a template"),
        ("select * from {{ ref('fct_orders').quote() }}", "opens a template"),
        ("{% set x = 1 %} select 1", "opens a template"),
        ("select a from (select 1 as a", r"line 1"),
        # DuckDB reads up to the character of code 0: the condition would be lost.
        ("select count(*) as n from fct_orders \x00 where amount = 0", "sql:1: .* the character of code 0"),
        pytest.param("select " + "[" * 1500 + "]" * 1500, "nested too deep", id="nested lists"),
        pytest.param("(" * 3000 + "select 1" + ")" * 3000, "nested too deep", id="nested parentheses"),
    ],
)
def test_everything_but_one_select_over_allowed_tables_is_refused_by_name(sql: str, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        check_select(sql, ALLOWED)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("select 1 as a;", ()),
        ("from fct_orders", ("fct_orders",)),
        ("(select * from FCT_Orders) union select * from gnomon.main.fct_orders", ("fct_orders",)),
        ("with a as (select * from fct_orders), b as (from a) select * from b", ("fct_orders",)),
        ("with fct_orders as (select * from {{ ref('fct_orders') }}) select * from fct_orders", ("fct_orders",)),
        ("with recursive r as (select 1 as n union all select n + 1 from r where n < 3) from r", ()),
        ("select * from range(3), generate_series(1, 2), unnest([1, 2])", ()),
        (
            "select (with c as (select 1 as x) select x from c) from dim_creators, policies",
            ("dim_creators", "policies"),
        ),
    ],
)
def test_a_select_names_the_tables_that_it_reads(sql: str, tables: tuple[str, ...]) -> None:
    assert check_select(sql, ALLOWED).tables == tables


@pytest.mark.parametrize(
    "sql",
    [
        # The CTE is seen inside the subquery only; outside it the name is the real table.
        "select * from (with int_secret as (select 1) select * from int_secret), int_secret",
        # A CTE does not see itself, nor the ones after it, unless the WITH is recursive.
        "with int_secret as (select * from int_secret) select * from int_secret",
        "with a as (select * from int_secret), int_secret as (select 1) select * from a",
        # A name with a schema is never a CTE.
        "with int_secret as (select 1) select * from main.int_secret",
    ],
)
def test_a_cte_does_not_hide_a_table_where_it_is_not_in_scope(sql: str) -> None:
    with pytest.raises(QueryError, match="an intermediate table"):
        check_select(sql, ALLOWED)


def test_a_file_with_a_byte_order_mark_is_read_without_it(tmp_path: Path) -> None:
    path = tmp_path / "question.sql"
    path.write_text("select 1 as one", encoding="utf-8-sig")
    assert check_select(_read_sql(None, path)[0], ALLOWED).sql == "select 1 as one"


def test_an_error_in_a_file_says_the_line() -> None:
    with pytest.raises(QueryError, match=r"^analyses/x\.sql:3: 'stg_raw__orders' is a staging"):
        check_select("select *\nfrom fct_orders, \n  stg_raw__orders", ALLOWED, "analyses/x.sql")
    with pytest.raises(QueryError, match=r"^analyses/x\.sql:2: unknown table 'fct_ordres'"):
        check_select("select *\nfrom {{ ref('fct_ordres') }}", ALLOWED, "analyses/x.sql")


def test_plain_and_qualified_names_are_the_same_table(door: SqlDoor) -> None:
    for name in ("fct_orders", "main.fct_orders", "gnomon.main.fct_orders", "{{ ref('fct_orders') }}"):
        assert ask(door, f"select count(*) as n, sum(amount) as amount from {name}") == [{"n": 5, "amount": 100}]


def test_a_seed_is_readable_and_a_view_over_hidden_tables_is_not(door: SqlDoor) -> None:
    assert ask(door, "from policies") == [{"policy_id": "spam"}]
    with pytest.raises(QueryError, match="unknown table 'fct_sly'"):
        door.price("from fct_sly")
    assert set(door.tables) == ALLOWED


def test_the_cost_counts_every_reading_of_a_table(door: SqlDoor) -> None:
    estimate = door.price("select a.amount from fct_orders a join fct_orders b on a.order_id = b.order_id").estimate
    assert estimate.scans == (("fct_orders", 5), ("fct_orders", 5))
    assert estimate.scan_rows == 10


def test_a_cross_product_without_a_guess_is_the_product_of_its_sides() -> None:
    plan = """[{"name": "CROSS_PRODUCT", "extra_info": {}, "children": [
        {"name": "SEQ_SCAN", "extra_info": {"Table": "gnomon.main.t", "Estimated Cardinality": "20"}, "children": []},
        {"name": "RANGE", "extra_info": {"Estimated Cardinality": "30"}, "children": []}]}]"""
    estimate = read_estimate(plan, {"t": 100})
    assert estimate.scans == (("t", 100),)
    assert estimate.widest_step_rows == 600


def test_a_query_estimated_to_read_too_much_is_not_run(door: SqlDoor) -> None:
    with pytest.raises(QueryError, match=r"estimated to read 5 rows.*--max-scan-rows allows 4"):
        ask(door, "select amount from fct_orders", Limits(max_scan_rows=4))
    with pytest.raises(QueryError, match="1,000,000,000,000"):
        ask(door, "select count(*) as n from range(1000000) a, range(1000000) b")


def test_more_rows_than_allowed_are_an_error_and_never_a_cut(door: SqlDoor) -> None:
    assert len(ask(door, "from fct_orders", Limits(max_rows=5))) == 5
    with pytest.raises(QueryError, match="at least 5 rows and --max-rows allows 4"):
        ask(door, "from fct_orders", Limits(max_rows=4))
    with pytest.raises(QueryError, match=r"at least [\d,]+ rows and --max-rows allows 10,000"):
        ask(door, "from range(100000000)")


def test_a_query_that_runs_too_long_is_interrupted_and_the_door_stays_open(door: SqlDoor) -> None:
    limits = Limits(seconds=0.2, max_scan_rows=10**15)
    with pytest.raises(QueryError, match="--timeout"):
        ask(door, ENDLESS, limits)
    with pytest.raises(QueryError, match="--timeout"):
        ask(door, "with recursive r as (select 1 as n union all select n + 1 from r) select max(n) as n from r", limits)
    assert ask(door, "select 1 as a", limits) == [{"a": 1}]


@pytest.mark.parametrize(
    "limits", [{"max_rows": 0}, {"seconds": -1.0}, {"seconds": float("nan")}, {"max_scan_rows": 0}]
)
def test_a_limit_that_is_not_above_zero_is_refused(limits: dict[str, float]) -> None:
    with pytest.raises(QueryError, match="must be above 0"):
        Limits(**limits)  # type: ignore[arg-type]


def test_an_error_of_duckdb_keeps_the_names_that_it_suggests(door: SqlDoor) -> None:
    with pytest.raises(QueryError, match=r'"tierr" not found.*"tier"'):
        door.price("select tierr from dim_creators")


def test_two_columns_of_one_name_are_refused(door: SqlDoor) -> None:
    with pytest.raises(QueryError, match="two columns are named 'a'"):
        ask(door, "select 1 as a, 2 as a")


def test_an_answer_says_its_build_and_the_tables_that_the_source_does_not_have(door: SqlDoor) -> None:
    provenance = door.answer(door.price("select count(*) as n from fct_orders")).provenance
    assert (provenance.raw_set_id, provenance.data_version) == ("set-1", "run-1")
    words = "\n".join(provenance.notes)
    assert "the last build did not pass" in words
    assert "'fct_orders' is built without raw tables that the source does not have: 'orders' (the source sells" in words
    untouched = door.answer(door.price("from dim_creators")).provenance
    assert "does not have" not in "\n".join(untouched.notes)


def test_the_file_cannot_be_written_even_past_the_guard(door: SqlDoor) -> None:
    with pytest.raises(duckdb.Error, match="read-only"):
        door._warehouse.open_cursor().execute("insert into gnomon.main.policies values ('x')")
