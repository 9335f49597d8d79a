"""The sample, copied to a real Postgres from the shell: saved queries asked there answer as the engine does."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gnomon import Engine
from gnomon.core.errors import QueryError
from gnomon.publish import publish
from gnomon.publish.serving_copy import copy_generation, open_copy
from gnomon.warehouse.postgres import PostgresAddress
from tests.copies import ask, make_database
from tests.journey.conftest import Built, run_command

SECRET = "a-password-that-nobody-may-see"
SAVED = ("north_star_weekly", "enforcement_weekly", "commerce_daily", "engagement_daily")


@dataclass(frozen=True)
class Copied:
    """A published sample, the Postgres that it is copied to, and what the commands said."""

    target: Path
    address: PostgresAddress
    url: str

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "DBT_TARGET_PATH": str(self.target), "GNOMON_COPY": self.address.url}
        done = run_command(["gnomon", *command], environ)
        assert SECRET not in done.stdout + done.stderr
        return done


@pytest.fixture(scope="module")
def copied(built_sample: Built, postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copied]:
    target = tmp_path_factory.mktemp("copied")
    shutil.copyfile(built_sample.database, target / "gnomon.duckdb")
    with make_database(postgres_server, "sample") as address:
        # The server asks for none, and takes any.
        told = PostgresAddress.read(address.url.replace("postgres:@", f"postgres:{SECRET}@"))
        made = Copied(target, told, address.url)
        assert made.run("publish").returncode == 0
        yield made


@pytest.fixture(scope="module")
def said(copied: Copied) -> dict[str, Any]:
    """What the first copy said of itself."""
    dry = copied.run("publish", "--to", "postgres", "--dry-run")
    assert "would copy g0001-" in dry.stderr
    done = copied.run("publish", "--to", "postgres", "--json")
    assert done.returncode == 0, done.stderr
    assert "in service at postgres://postgres@localhost/sample: g0001-" in done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture
def target(copied: Copied, said: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    assert said["effect"] == "published"
    monkeypatch.setenv("DBT_TARGET_PATH", str(copied.target))
    return copied.target


def test_the_copy_has_every_dimension_rollup_and_case_list_with_the_words_of_dbt(
    copied: Copied, said: dict[str, Any]
) -> None:
    (manifest,) = copied.target.glob("generations/g*/manifest.json")
    nodes = {
        body["alias"]: body for body in json.loads(manifest.read_text("utf-8"))["nodes"].values() if "alias" in body
    }
    marts = {name for name, body in nodes.items() if body["fqn"][1] == "marts" and name.startswith("dim_")}
    tables = set(said["tables"])
    assert {name for name in tables if name.startswith("dim_")} == marts
    assert {name for name in tables if name.startswith("fct_")} == {"fct_actions", "fct_appeals", "fct_violations"}
    assert len({name for name in tables if name.startswith("rollup_")}) >= 15
    assert (said["refused"], said["left_out"], said["links"]) == ({}, [], 7)
    assert said["questions"] > 4 * 15 + len(SAVED)
    comments = {
        (row["table"], row["column"]): row["said"]
        for row in ask(
            copied.url,
            "select relname as table, coalesce(attname, '') as column, description as said from pg_description "
            "join pg_class on pg_class.oid = objoid and relnamespace = 'gnomon'::regnamespace "
            "left join pg_attribute on attrelid = objoid and attnum = objsubid and attnum > 0",
        )
    }
    for name in sorted(tables & set(nodes)):
        assert comments[name, ""] == nodes[name]["description"]
        for column, body in nodes[name]["columns"].items():
            if body["description"]:
                assert comments[name, column].startswith(body["description"])


@pytest.mark.parametrize("saved_query", SAVED)
def test_a_saved_query_asked_of_the_copy_answers_as_the_engine_does(
    copied: Copied, target: Path, saved_query: str
) -> None:
    engine = Engine.open()
    with open_copy(".", copied.address) as door:
        planned = door.plan(saved_query=saved_query)
    answer = engine.query(saved_query=saved_query)
    engine.close()
    assert planned.rollups
    groups = list(planned.groups)
    ours = sorted(answer.to_arrow().to_pylist(), key=lambda row: [str(row[name]) for name in groups])
    theirs = sorted(ask(copied.url, planned.sql), key=lambda row: [str(row[name]) for name in groups])
    assert len(ours) == len(theirs) > 0
    for mine, other in zip(ours, theirs, strict=True):
        for name, value in mine.items():
            assert is_same(value, other[name]), (name, mine, other)


def is_same(ours: Any, theirs: Any) -> bool:
    """Numbers of many places come from the driver as texts; fractions are equal but for their last digits."""
    if ours is None or theirs is None:
        return ours is theirs
    if isinstance(ours, float):
        return math.isclose(ours, float(theirs), rel_tol=1e-9)
    return bool(Decimal(theirs) == ours if isinstance(theirs, str) else theirs == ours)


def test_the_shell_plans_for_the_copy_and_refuses_what_it_does_not_hold(copied: Copied, target: Path) -> None:
    planned = copied.run("plan", "--copy", "postgres", "--saved-query", "engagement_daily", "--json")
    assert planned.returncode == 0, planned.stderr
    assert json.loads(planned.stdout)["rollups"] == ["engagement_daily"]
    assert "-- for the copy of g0001-" in planned.stderr
    refused = copied.run("plan", "views", "--by", "content__language", "--copy", copied.address.url)
    assert refused.returncode == 2
    assert "not rollup engagement_by_creator: it does not have 'content_id'" in refused.stderr
    misused = copied.run("plan", "views", "--copy", "postgres", "--dialect", "spark")
    assert (misused.returncode, "Leave out the other options" in misused.stderr) == (2, True)


def test_the_shell_lists_the_copies_and_says_what_is_wrong(copied: Copied, said: dict[str, Any]) -> None:
    listed = copied.run("publish", "--to", "postgres", "--list")
    assert listed.stdout.splitlines()[1].split()[:2] == [said["generation_id"], "serving"]
    again = copied.run("publish", "--to", "postgres")
    assert again.stdout == f"{said['generation_id']}\n"
    assert "nothing is new" in again.stderr
    back = copied.run("publish", "--to", "postgres", "--rollback")
    assert (back.returncode, "no copy before" in back.stderr) == (2, True)
    lost = copied.run("publish", "--to", f"postgres://somebody:{SECRET}@127.0.0.1:1/nowhere")
    assert (lost.returncode, "cannot be reached" in lost.stderr) == (2, True)
    unread = copied.run("publish", "--to", f"postgres://somebody:{SECRET}/@127.0.0.1/nowhere")
    assert (unread.returncode, "cannot be read" in unread.stderr) == (2, True)


@pytest.mark.nightly
def test_the_real_log_is_copied_though_most_of_its_tables_are_empty(
    built_real_log: Built, postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    shutil.copyfile(built_real_log.database, tmp_path / "gnomon.duckdb")
    publish(Path())
    with make_database(postgres_server, "real") as address:
        done = copy_generation(Path(), address, budget="1GB")
        assert (done.tables["fct_actions"], done.tables["rollup_orders_daily"]) == (0, 0)
        assert "the source has no" in done.refused["commerce_daily"]
        with open_copy(".", address) as door:
            (row,) = ask(address.url, door.plan(["impressions"]).sql)
            assert int(row["impressions"]) > 80_000
            with pytest.raises(QueryError, match="metric 'gmv' is null"):
                door.plan(["gmv"])
