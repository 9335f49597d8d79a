"""Each difference between engines: every engine gives the value worked by hand, or the writer refuses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from sqlglot import exp

from gnomon.core.errors import QueryError
from gnomon.planner.dialects import DIALECTS, write_in
from gnomon.planner.sql_parts import alias, ascending, descending, name, number, select, subquery, table
from tests.dialects.comparison import read_types
from tests.dialects.differences import (
    DATABASE,
    OF_A_HUNDRED,
    REFUSED,
    REFUSED_TOTALS,
    TABLES,
    TOTALS,
    VALUES,
    select_value,
)
from tests.dialects.postgres import Connection, load_postgres, run_postgres
from tests.dialects.spark import load_spark, run_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OF_TABLES = {"one": VALUES, "many": TOTALS, "hundred": OF_A_HUNDRED}
ALL = [(table, each) for table, differences in OF_TABLES.items() for each in differences]
OTHERS = [dialect for dialect in DIALECTS if dialect != "duckdb"]
# Spark refuses what Postgres says, as its own rules for these are not to be had.
ONLY_POSTGRES = ("great letters", "a pattern that is not written out", "a product of decimals")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(tmp_path_factory.mktemp("silent") / f"{DATABASE}.duckdb")) as connection:
        connection.execute(TABLES)
        yield connection


@pytest.fixture(scope="module")
def postgres(postgres_server: str, source: duckdb.DuckDBPyConnection) -> Iterator[Connection]:
    with load_postgres(postgres_server, DATABASE, source) as connection:
        yield connection


def read(place: tuple[str, str]) -> tuple[str, Any]:
    table, called = place
    return OF_TABLES[table][called]


def is_same(left: Any, right: Any) -> bool:
    if isinstance(right, float) and math.isnan(right):
        return isinstance(left, float) and math.isnan(left)
    if isinstance(left, date) and isinstance(right, date):
        return as_moment(left) == as_moment(right)
    if isinstance(left, float | Decimal) and isinstance(right, int | float | Decimal):
        return float(left) == float(right)
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def as_moment(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)


@pytest.mark.parametrize("place", ALL, ids=lambda place: place[1])
def test_duckdb_gives_the_value_worked_by_hand(place: tuple[str, str], source: duckdb.DuckDBPyConnection) -> None:
    expr, expected = read(place)
    (row,) = source.execute(select_value(expr, place[0]).sql(dialect="duckdb")).fetchall()
    assert is_same(row[0], expected), row


@pytest.mark.parametrize("place", ALL, ids=lambda place: place[1])
def test_postgres_gives_the_value_worked_by_hand(
    place: tuple[str, str], source: duckdb.DuckDBPyConnection, postgres: Connection
) -> None:
    expr, expected = read(place)
    sql = write_in("postgres", select_value(expr, place[0]), read_types(source))
    _, rows = run_postgres(postgres, sql)
    assert is_same(rows[0][0], expected), (rows, sql)


@pytest.mark.nightly
def test_spark_gives_the_values_worked_by_hand(
    source: duckdb.DuckDBPyConnection, spark: SparkSession, tmp_path: Path
) -> None:
    load_spark(spark, tmp_path, source)
    wrong = []
    for place in ALL:
        expr, expected = read(place)
        query = select_value(expr, place[0], has_catalog=False)
        sql = write_in("spark", query, read_types(source, has_catalog=False))
        _, rows = run_spark(spark, sql)
        if not is_same(rows[0][0], expected):
            wrong.append((expr, expected, rows, sql))
    assert not wrong


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("spark.sql.session.timeZone", "Asia/Shanghai"),
        ("spark.sql.ansi.enabled", "false"),
        ("spark.sql.parser.escapedStringLiterals", "true"),
    ],
)
def test_spark_stops_under_a_setting_that_changes_values(
    setting: str, value: str, source: duckdb.DuckDBPyConnection, spark: SparkSession, tmp_path: Path
) -> None:
    load_spark(spark, tmp_path, source)
    sql = write_in("spark", select_value("whole", "one", has_catalog=False), read_types(source, has_catalog=False))
    assert run_spark(spark, sql)[1] == [(7,)]
    before = spark.conf.get(setting)
    spark.conf.set(setting, value)
    try:
        with pytest.raises(Exception, match="gnomon: the session must be in UTC"):
            run_spark(spark, sql)
    finally:
        spark.conf.set(setting, before)


def test_texts_are_ordered_by_their_bytes_and_nulls_stand_last_both_ways(
    source: duckdb.DuckDBPyConnection, postgres: Connection
) -> None:
    for order, expected in ((ascending, ["B", "Z", "a", "é", None]), (descending, ["é", "a", "Z", "B", None])):
        query = select([alias(name("word", "many"), "value")], table(f'"{DATABASE}"."main"."many"', "many"))
        query.set("order", exp.Order(expressions=[order(name("value"))]))
        assert [row[0] for row in source.execute(query.sql(dialect="duckdb")).fetchall()] == expected
        sql = write_in("postgres", query, read_types(source))
        assert 'COLLATE "C"' in sql
        assert [row[0] for row in run_postgres(postgres, sql)[1]] == expected


def test_long_names_that_postgres_would_cut_stay_apart(source: duckdb.DuckDBPyConnection, postgres: Connection) -> None:
    names = [f"{'a' * 70}_{number}" for number in (1, 2)]
    rows = select([alias(number(place), each) for place, each in enumerate(names, start=1)], _one())
    query = select([alias(name(each), f"value_{each[-1]}") for each in names], subquery(rows, "rows"))
    assert run_postgres(postgres, write_in("postgres", query, read_types(source)))[1] == [(1, 2)]
    with pytest.raises(QueryError, match="longer than the 63 bytes"):
        write_in("postgres", rows, {})


def _one() -> exp.Expr:
    return table(f'"{DATABASE}"."main"."one"', "one")


def test_what_cannot_be_said_exactly_is_refused_in_these_words(
    golden: Callable[[str, str], None], source: duckdb.DuckDBPyConnection
) -> None:
    texts = []
    refused: Mapping[str, tuple[str, str]] = {
        **{called: (expr, "one") for called, expr in REFUSED.items()},
        **{called: (expr, "many") for called, expr in REFUSED_TOTALS.items()},
    }
    for called, (expr, place) in refused.items():
        for dialect in OTHERS:
            if dialect == "postgres" and called in ONLY_POSTGRES:
                continue
            if dialect == "spark" and called == "an unknown type that is ordered":
                # Spark orders texts by their bytes, so the type is no matter.
                continue
            with pytest.raises(QueryError) as refusal:
                write_in(dialect, select_value(expr, place), read_types(source))
            texts.append(f"{called}\n    {refusal.value}\n")
    golden("dialects/refusals.txt", "".join(texts))
