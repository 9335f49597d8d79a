"""Builds of one day after another: they end in the rows that a build of the whole has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.journey.conftest import run_command

DAY = timedelta(days=1)
FIRST = datetime(2026, 6, 15)
NOON_AFTER = datetime(2026, 6, 16, 12)
FAILED = datetime(2026, 6, 18)
LAST = datetime(2026, 6, 24)
LATE_BY = 10 * DAY

# What a build writes of itself says when it ran and what it touched, so it differs.
OF_THE_BUILD = ("int_build__clock", "int_build__touched_dates", "int_build__touched_keys")
MODELS_ONLY = ("--exclude", "resource_type:test", "resource_type:unit_test")
OF_ACTS = (
    "int_build__clock",
    "int_build__touched_dates",
    "int_engagement__counted",
    "int_engagement__summed",
    "int_content_days__counted",
)


@dataclass(frozen=True)
class World:
    """A raw set whose record says how far it has come, and a working file over it."""

    raw: Path
    target: Path
    database: Path

    def grow(self, newest: datetime) -> None:
        """Let the raw set end at `newest`; rows after it are there, as those of tomorrow are, and hidden."""
        path = self.raw / "raw_set.json"
        record = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**record, "newest_ingested_at": f"{newest}.000000"}), encoding="utf-8")

    def dbt(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run dbt with one folder of artefacts for all working files, so that it parses the project once."""
        places = {"GNOMON_RAW": self.raw, "GNOMON_DATABASE": self.database, "DBT_TARGET_PATH": self.target}
        environ = {**os.environ, **{name: str(path) for name, path in places.items()}}
        return run_command(["dbt", *words, "--no-use-colors", "--log-path", str(self.target)], environ)

    def build(self, newest: datetime, *words: str) -> None:
        """Build every model as of `newest`; the record is not told that it passed."""
        self.grow(newest)
        done = self.dbt("build", *MODELS_ONLY, *words)
        assert done.returncode == 0, done.stdout[-3000:]

    def pass_last_build(self) -> None:
        """Tell the record that the last build was whole: its data tests were left out for time only."""
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(
                "update gnomon_build.runs set is_whole = true where started_at = (select max(started_at) from "
                "gnomon_build.runs)"
            )

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def deliver_late(raw: Path) -> dict[str, object]:
    """Add a file with one act of ten days before, and one that is delivered a second time; return the late act."""
    acts = pq.read_table(raw / "engagement")
    views = [
        act
        for act in acts.to_pylist()
        if act["event_type"] == "view" and not act["is_ad"] and act["occurred_at"] < LAST - LATE_BY
    ]
    late_at = LAST - LATE_BY - timedelta(hours=1)
    late = {**views[-1], "engagement_id": "late", "occurred_at": late_at, "ingested_at": LAST - timedelta(hours=3)}
    again = {**views[-2], "ingested_at": LAST - timedelta(hours=2)}
    pq.write_table(pa.Table.from_pylist([late, again], schema=acts.schema), raw / "engagement" / "part-99999.parquet")
    return late


def count_differences(left: Path, right: Path) -> dict[str, list[tuple[object, ...]]]:
    """The tables whose rows differ, in whatever order they are, each with a few of the rows."""
    found = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{left}' as one (read_only); attach '{right}' as two (read_only)")
        tables: dict[str, set[str]] = {}
        for side in ("one", "two"):
            names = connection.execute(
                "select table_name from duckdb_tables() where database_name = ? and schema_name = 'main'", [side]
            ).fetchall()
            tables[side] = {str(name) for (name,) in names}
        assert tables["one"] == tables["two"]
        for table in sorted(tables["one"].difference(OF_THE_BUILD)):
            rows = connection.execute(
                f"""
                (select 'only in the first' as side, * from (from one.main.{table} except all from two.main.{table}))
                union all
                (select 'only in the second' as side, * from (from two.main.{table} except all from one.main.{table}))
                limit 5
                """
            ).fetchall()
            if rows:
                found[table] = rows
    return found


@pytest.fixture(scope="module")
def folder(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("days")
    shutil.copytree(project / "data" / "sample", folder / "raw")
    return folder


def open_world(folder: Path, name: str) -> World:
    (folder / name).mkdir()
    return World(folder / "raw", folder / "target", folder / name / "gnomon.duckdb")


@pytest.fixture(scope="module")
def late_act(folder: Path) -> dict[str, object]:
    return deliver_late(folder / "raw")


@pytest.fixture(scope="module")
def days(folder: Path, late_act: dict[str, object]) -> World:
    """The days one after another: one ends at noon, and the build of another fails after its models are made."""
    world = open_world(folder, "days")
    for newest in (FIRST, NOON_AFTER):
        world.build(newest)
        world.pass_last_build()
    world.build(FAILED)
    world.build(LAST)
    world.pass_last_build()
    return world


@pytest.fixture(scope="module")
def whole(folder: Path, late_act: dict[str, object]) -> World:
    """The same moment, built in one go."""
    world = open_world(folder, "whole")
    world.build(LAST)
    return world


def test_days_one_after_another_end_in_the_rows_of_a_build_of_the_whole(days: World, whole: World) -> None:
    assert count_differences(days.database, whole.database) == {}


def test_a_build_makes_again_what_became_known_since_the_last_green_one(days: World) -> None:
    assert days.ask("select previous_as_of_at, as_of_at from int_build__clock") == [(NOON_AFTER, LAST)]


def test_a_late_act_is_found_and_its_day_made_again(days: World, late_act: dict[str, object]) -> None:
    assert isinstance(late_act["occurred_at"], datetime)
    late_date = late_act["occurred_at"].date()
    assert (late_date,) in days.ask("select event_date from int_build__touched_dates")
    counted = days.ask(
        f"""
        select fct_content_days.view_count, count(*)
        from fct_content_days
        inner join int_engagement__counted
            on
                fct_content_days.content_id = int_engagement__counted.content_id
                and fct_content_days.engagement_date = int_engagement__counted.event_date
        where
            fct_content_days.content_id = '{late_act["content_id"]}'
            and fct_content_days.engagement_date = date '{late_date}'
            and int_engagement__counted.event_type = 'view'
            and int_engagement__counted.is_counted
        group by all
        """
    )
    assert len(counted) == 1
    assert counted[0][0] == counted[0][1]
    assert days.ask("select ingested_at from int_engagement__counted where engagement_id = 'late'") == [
        (late_act["ingested_at"],)
    ]


def test_only_the_days_of_new_rows_are_made_again(days: World) -> None:
    touched = {row[0] for row in days.ask("select event_date from int_build__touched_dates")}
    assert (LAST - DAY).date() in touched
    assert min(touched) > (NOON_AFTER - 30 * DAY).date()


def test_a_build_that_is_run_again_changes_nothing(days: World, folder: Path) -> None:
    again = open_world(folder, "again")
    shutil.copy(days.database, again.database)
    again.build(LAST)
    assert again.ask("select event_date from int_build__touched_dates") == []
    assert count_differences(days.database, again.database) == {}


def test_a_backfill_makes_its_days_again_and_no_others(days: World, folder: Path) -> None:
    """Acts of two days are damaged in the working file; the backfill names the first of them."""
    world = open_world(folder, "backfill")
    shutil.copy(days.database, world.database)
    with duckdb.connect(str(world.database)) as connection:
        connection.execute("delete from int_engagement__counted where event_date = date '2026-06-05'")
        connection.execute("update int_engagement__counted set is_counted = false where event_date = date '2026-06-06'")
    words = ["--vars", "{backfill_from: 2026-06-04, backfill_to: 2026-06-05}"]
    done = world.dbt("run", "--select", *OF_ACTS, *words)
    assert done.returncode == 0, done.stdout[-3000:]
    assert set(count_differences(days.database, world.database)) == {"int_engagement__counted"}
    left = [
        row[0]
        for row in world.ask(
            f"""
            attach '{days.database}' as days (read_only);
            select distinct event_date
            from (from int_engagement__counted except all from days.main.int_engagement__counted)
            """
        )
    ]
    assert [str(date) for date in left] == ["2026-06-06"]


def test_what_a_changed_seed_decides_is_made_anew_and_nothing_else(days: World, folder: Path) -> None:
    """Every order line is damaged; the record is made to say that the exchange rates were others."""
    world = open_world(folder, "defined_anew")
    shutil.copy(days.database, world.database)
    with duckdb.connect(str(world.database)) as connection:
        connection.execute("update fct_order_items set net_gmv_usd_amount = net_gmv_usd_amount + 1")
        connection.execute("update fct_account_events set region = 'elsewhere'")
        connection.execute(
            "update gnomon_build.nodes set checksum = 'another' where node_id = 'seed.gnomon.exchange_rates'"
        )
    done = world.dbt("run", "--select", "int_order_items__settled", "fct_order_items", "fct_account_events")
    assert done.returncode == 0, done.stdout[-3000:]
    assert set(count_differences(days.database, world.database)) == {"fct_account_events"}


@pytest.mark.parametrize(
    ("newest", "words", "said"),
    [
        (
            FIRST,
            (),
            "This working file was built as of 2026-06-24 00:00:00, and this build asks for 2026-06-15 00:00:00, "
            "which is earlier. A build adds to the one before it. Build a later moment, build all of it anew with "
            "`dbt build --full-refresh`",
        ),
        (
            LAST,
            ("--vars", "{backfill_from: 2026-06-04}"),
            "backfill_from is '2026-06-04' and backfill_to is ''. A backfill names its first and its last event day",
        ),
    ],
    ids=["an earlier clock", "half a backfill"],
)
def test_what_a_build_cannot_add_is_refused_with_the_remedy(
    days: World, newest: datetime, words: Sequence[str], said: str
) -> None:
    days.grow(newest)
    refused = days.dbt("run", "--select", "int_build__clock", *words)
    assert refused.returncode != 0
    assert said in " ".join(refused.stdout.split())


def test_a_clock_before_that_of_a_build_that_failed_is_refused(days: World, folder: Path) -> None:
    """The record knows of green builds only, but the clock of one that failed stands in the file beside its rows."""
    world = open_world(folder, "failed_later")
    shutil.copy(days.database, world.database)
    with duckdb.connect(str(world.database)) as connection:
        connection.execute("update int_build__clock set as_of_at = timestamp '2026-06-25'")
    refused = world.dbt("run", "--select", "int_build__clock")
    assert refused.returncode != 0
    assert "built as of 2026-06-25 00:00:00, and this build asks for 2026-06-24" in " ".join(refused.stdout.split())
    assert world.dbt("run", "--full-refresh", "--select", "int_build__clock").returncode == 0


def test_no_change_of_columns_is_ignored_and_no_fact_has_a_primary_key(days: World) -> None:
    nodes = json.loads((days.target / "manifest.json").read_text(encoding="utf-8"))["nodes"].values()
    models = [node for node in nodes if node["resource_type"] == "model"]
    added_to = [model for model in models if model["config"]["materialized"] == "incremental"]
    assert len(added_to) > 15
    assert {model["config"]["on_schema_change"] for model in added_to} <= {"append_new_columns", "fail"}
    kinds = {
        constraint["type"]
        for model in models
        for holder in (model, *model["columns"].values())
        for constraint in holder["constraints"]
    }
    assert kinds <= {"not_null", "check"}


@pytest.mark.nightly
def test_thirty_days_one_by_one_end_in_the_rows_of_a_build_of_the_whole(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("thirty")
    shutil.copytree(project / "data" / "sample", folder / "raw")
    days = open_world(folder, "days")
    for number in range(31):
        days.build(FIRST - 20 * DAY + number * DAY)
        days.pass_last_build()
    whole = open_world(folder, "whole")
    whole.build(FIRST + 10 * DAY)
    assert count_differences(days.database, whole.database) == {}
