"""dbt and the raw set that it reads: what is refused, what is built, and what is written down."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from gnomon.core.contract import read_contract
from gnomon.core.names import TableName
from gnomon.core.raw_set import RawSet, arrow_schema, write_table

NEWEST = datetime(2026, 6, 30, 12, 0)


@dataclass(frozen=True)
class Run:
    """One run of dbt: its exit code, its words on one line, and its working file."""

    code: int
    words: str
    database: Path


RunDbt = Callable[..., Run]


@pytest.fixture(scope="session")
def run_dbt(project: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDbt:
    # One folder of artefacts for all runs, so that dbt parses the project once.
    target = tmp_path_factory.mktemp("dbt")

    def run(raw: Path, database: Path, *select: str, command: str = "run") -> Run:
        # A process of its own: dbt changes global state, and its imports warn.
        done = subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", command, "--no-use-colors", "--select", *select],
            cwd=project,
            env={
                **os.environ,
                "DBT_TARGET_PATH": str(target),
                "DBT_LOG_PATH": str(target / "logs"),
                "DBT_PROFILES_DIR": str(project),
                "GNOMON_DATABASE": str(database),
                "GNOMON_RAW": str(raw),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return Run(done.returncode, " ".join((done.stdout + done.stderr).split()), database)

    return run


@pytest.fixture(scope="session")
def empty_raw_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw set whose source has nothing but accounts and content, and no rows of those."""
    folder = tmp_path_factory.mktemp("raw") / "one"
    _write_raw_set(folder, "one")
    return folder


@pytest.fixture(scope="session")
def built(run_dbt: RunDbt, empty_raw_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    database = tmp_path_factory.mktemp("built") / "gnomon.duckdb"
    return run_dbt(empty_raw_set, database, "stg_raw__raw_set", "stg_raw__orders")


def test_a_table_declared_absent_is_an_empty_relation_of_the_contracts_types(built: Run) -> None:
    assert built.code == 0, built.words
    with duckdb.connect(str(built.database), read_only=True) as connection:
        columns = connection.sql("describe stg_raw__orders").fetchall()
        assert connection.sql("select count(*) from stg_raw__orders").fetchone() == (0,)
    expected = [(column.name, column.duckdb_type) for column in read_contract().tables[TableName("orders")].columns]
    assert [(name, kind) for name, kind, *_ in columns] == expected


def test_a_run_writes_down_its_raw_set_and_that_it_was_not_a_whole_build(built: Run) -> None:
    with duckdb.connect(str(built.database), read_only=True) as connection:
        runs = connection.sql("select raw_set_id, as_of_at, is_whole, is_passed from gnomon_build.runs").fetchall()
        nodes = connection.sql("select node_id, status from gnomon_build.nodes order by node_id").fetchall()
        manifest = connection.sql("select semantic_manifest from gnomon_build.runs").fetchone()
    assert runs == [("one", NEWEST, False, True)]
    assert nodes == [("model.gnomon.stg_raw__orders", "success"), ("model.gnomon.stg_raw__raw_set", "success")]
    assert manifest is not None
    assert "semantic_models" in manifest[0]


def test_another_raw_set_is_refused_until_the_command_that_it_names_is_run(
    run_dbt: RunDbt, built: Run, tmp_path: Path
) -> None:
    other = tmp_path / "two"
    _write_raw_set(other, "two")
    database = tmp_path / "gnomon.duckdb"
    shutil.copy(built.database, database)

    refused = run_dbt(other, database, "stg_raw__raw_set")
    assert refused.code != 0
    assert f"This working file was built from the raw set 'one'; '{other}' is 'two'." in refused.words
    command = re.search(r"Start afresh with `rm (\S+)`", refused.words)
    assert command is not None, refused.words
    assert Path(command[1]) == database
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.sql("select raw_set_id from stg_raw__raw_set").fetchall() == [("one",)]

    Path(command[1]).unlink()
    afresh = run_dbt(other, database, "stg_raw__raw_set")
    assert afresh.code == 0, afresh.words
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.sql("select raw_set_id from gnomon_build.raw_set").fetchall() == [("two",)]


def test_a_missing_table_that_is_not_declared_is_refused_by_name(run_dbt: RunDbt, tmp_path: Path) -> None:
    folder = tmp_path / "holed"
    _write_raw_set(folder, "holed")
    for name in ("orders", "appeals"):
        shutil.rmtree(folder / name)
    run = run_dbt(folder, tmp_path / "gnomon.duckdb", "stg_raw__raw_set")
    assert run.code != 0
    assert f"{folder}: no Parquet file for the raw tables appeals, orders." in run.words
    assert f"`gnomon ingest check {folder}` says more." in run.words


def test_a_folder_without_a_record_is_not_a_raw_set(run_dbt: RunDbt, tmp_path: Path) -> None:
    run = run_dbt(tmp_path / "nothing", tmp_path / "gnomon.duckdb", "stg_raw__raw_set")
    assert run.code != 0
    assert "is not a raw set. GNOMON_RAW names the folder" in run.words


def test_a_broken_rule_is_told_with_its_model_its_column_and_how_many_rows_break_it(
    run_dbt: RunDbt, tmp_path: Path
) -> None:
    folder = tmp_path / "broken"
    _write_raw_set(folder, "broken")
    table = read_contract().tables[TableName("accounts")]
    nobody = {column.name: None for column in table.columns} | {"occurred_at": NEWEST, "ingested_at": NEWEST}
    rows = [
        nobody | {"account_id": "a", "account_kind": "robot"},
        nobody | {"account_id": "a", "account_kind": "creator"},
        nobody | {"account_id": "b"},
    ]
    write_table(folder, table, pa.Table.from_pylist(rows, schema=arrow_schema(table)))
    words = ("stg_raw__accounts", "--indirect-selection", "cautious")
    run = run_dbt(folder, tmp_path / "gnomon.duckdb", *words, command="build")
    assert run.code == 1, run.words
    for rule in (
        "stg_raw__accounts: account_kind is null (1)",
        "stg_raw__accounts: account_kind is none of creator, viewer (1)",
        "stg_raw__accounts: the key account_id, ingested_at is null or repeated (1)",
    ):
        assert rule in run.words
    assert "Got 3 results" in run.words


def _write_raw_set(folder: Path, raw_set_id: str) -> None:
    tables = read_contract().tables
    for table in tables.values():
        write_table(folder, table, arrow_schema(table).empty_table())
    absent = {name: "the source has none" for name in tables if name not in ("accounts", "content")}
    RawSet(raw_set_id=raw_set_id, source="a test", newest_ingested_at=NEWEST, absent=absent).write(folder)
