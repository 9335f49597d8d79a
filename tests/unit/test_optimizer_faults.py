"""Queries that DuckDB's optimizer falls over (1.5.6) are answered all the same; both are drawn small here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from gnomon.core.errors import WarehouseError
from gnomon.warehouse import Warehouse
from gnomon.warehouse.warehouse import FALL_OVER

# Acts of each hour; versions of things from day to day, each third one open; owners, half of them with a home.
WORLD = """
create table acts as select timestamp '2024-01-01' + i * interval 1 hour as moment, cast(i % 40 as int) as thing,
    cast(i % 70 as int) as owner, 'K' || (i % 8) as kind from range(647) r(i);
create table versions as select cast(i % 25 as int) as thing, timestamp '2023-12-20' + i * interval 1 day as starts,
    case when i % 3 > 0 then timestamp '2024-01-20' + i * interval 1 day end as ends from range(45) r(i);
create table owners as select cast(i as int) as owner, case when i % 2 = 0 then 'here' end as home from range(60) r(i)
"""
FALLS_OVER = {
    # A join by a period leaves a filter over both its tables; the join above compresses columns that the filter names.
    "compressed_materialization": (
        "select acts.moment, versions.ends from small.acts "
        "left join small.versions on acts.thing = versions.thing and acts.moment >= versions.starts "
        "and (acts.moment < versions.ends or versions.ends is null) "
        "left join small.owners on acts.owner = owners.owner "
        "where versions.starts is not null and owners.home is not null group by all"
    ),
    # The first row of each group, in the order of what a range holds for.
    "top_n_window_elimination": (
        "select thing from small.acts where kind in ('K1', 'K2') and cast(moment as date) >= date '2024-01-03' and "
        "cast(moment as date) <= date '2024-01-20' "
        "qualify row_number() over (partition by thing order by cast(moment as date)) = 1"
    ),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with duckdb.connect(str(tmp_path / "small.duckdb")) as connection:
        connection.execute(WORLD)
    return tmp_path / "small.duckdb"


@pytest.fixture
def warehouse(file: Path) -> Iterator[Warehouse]:
    warehouse = Warehouse.attach(file, "small")
    yield warehouse
    warehouse.close()


@pytest.mark.parametrize("step", FALL_OVER)
def test_a_query_that_the_optimizer_falls_over_is_answered_without_that_step(
    step: str, warehouse: Warehouse, file: Path
) -> None:
    sql = FALLS_OVER[step]
    with duckdb.connect() as connection:
        connection.execute(f"attach '{file}' as small (read_only)")
        # When DuckDB no longer falls over it, the step may be used again.
        with pytest.raises(duckdb.InternalException):
            connection.execute(sql)
        connection.execute("set disabled_optimizers = 'filter_pushdown'")
        right = sorted(connection.execute(sql).fetchall(), key=str)
    assert right
    table = warehouse.query(sql)
    assert sorted((tuple(row.values()) for row in table.to_pylist()), key=str) == right
    assert sum(batch.num_rows for batch in warehouse.stream(sql)) == len(right)


def test_every_other_query_keeps_all_steps(warehouse: Warehouse) -> None:
    for sql in (*FALLS_OVER.values(), "select 1"):
        warehouse.query(sql)
    setting = warehouse.query("select current_setting('disabled_optimizers') as steps").to_pylist()
    assert setting == [{"steps": ""}]


def test_the_second_way_lets_nothing_but_one_select_over_the_file_through(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.query(FALLS_OVER["compressed_materialization"])
    plain = warehouse._plain
    assert plain is not None
    (tmp_path / "outside.csv").write_text("a\n1\n", encoding="utf-8")
    for sql in (
        f"select * from '{tmp_path}/outside.csv'",
        "set disabled_optimizers = ''",
        "create table small.t (a int)",
    ):
        with pytest.raises(duckdb.Error):
            plain.execute(sql)


def test_a_file_that_is_gone_when_the_second_way_is_opened_is_said(warehouse: Warehouse, file: Path) -> None:
    file.unlink()
    with pytest.raises(WarehouseError, match=r"small\.duckdb"):
        warehouse.query(FALLS_OVER["compressed_materialization"])
    assert warehouse.query("select count(*) as acts from small.acts").to_pylist() == [{"acts": 647}]
