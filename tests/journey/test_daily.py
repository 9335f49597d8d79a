"""The daily run: safe to run twice, and no warehouse is changed by a batch that is refused."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gnomon.core.errors import WarehouseError
from gnomon.core.lock import hold_lock
from gnomon.operations.dbt_process import Sample, read_run
from gnomon.warehouse import read_history
from tests.journey.conftest import BIN, HASH_KEY, run_command


class World:
    """A target folder of its own over the project, and the raw set of the sample."""

    def __init__(self, target: Path, project: Path) -> None:
        self.target = target
        self.sample = project / "data" / "sample"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return run_command(["gnomon", *command], {**os.environ, "DBT_TARGET_PATH": str(self.target)})

    @property
    def database(self) -> Path:
        return self.target / "gnomon.duckdb"

    def damage(self, folder: Path) -> Path:
        """A copy of the sample whose orders are cut in half."""
        shutil.copytree(self.sample, folder)
        path = folder / "orders" / "part-0.parquet"
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        return folder


@pytest.fixture(scope="module")
def first(project: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[World, subprocess.CompletedProcess[str]]:
    """A first daily run over the sample, which builds."""
    world = World(tmp_path_factory.mktemp("daily") / "target", project)
    return world, world.run("daily", "--json")


def checksum_marts(database: Path) -> dict[str, Any]:
    """The rows of every mart, added up regardless of their order."""
    with duckdb.connect(str(database), read_only=True) as connection:
        names = [
            name
            for (name,) in connection.execute(
                "select table_name from duckdb_tables() where table_name like 'fct%' or table_name like 'dim%'"
            ).fetchall()
        ]
        return {name: connection.execute(f'select count(*), bit_xor(hash(t)) from "{name}" as t').fetchone()
                for name in names}  # fmt: skip


def test_a_first_run_builds_and_tells_what_happened(first: tuple[World, subprocess.CompletedProcess[str]]) -> None:
    _, run = first
    assert run.returncode == 0, run.stdout + run.stderr
    told = json.loads(run.stdout)
    assert (told["outcome"], told["rows_quarantined"], told["publish_error"]) == ("built", 0, None)
    assert told["published"]["effect"] == "published"
    assert told["published"]["generation_id"].startswith("g0001-")
    assert told["published"]["run_id"] == told["build"]["run_id"]
    assert told["news"]["row_count"] == told["rows_read"] > 200_000
    assert told["build"]["built"] == told["build"]["asked"] > 50
    assert told["build"]["tests_passed"] == told["build"]["tests_asked"] > 100
    stars = {star["metric"]: star for star in told["north_stars"]}
    assert 0 < stars["creator_violation_rate"]["value"] < 1
    assert stars["ecosystem_health_index"]["value"] is None
    assert stars["ecosystem_health_index"]["reason"]


def test_the_record_has_rows_seconds_and_memory_of_every_table(
    first: tuple[World, subprocess.CompletedProcess[str]],
) -> None:
    world, _ = first
    last = read_history(world.database).last
    tables = [node for name, node in last.nodes.items() if name.startswith(("model.", "seed."))]
    assert all(node.row_count is not None and node.seconds is not None for node in tables)
    with duckdb.connect(str(world.database), read_only=True) as connection:
        counted = connection.execute("select count(*) from fct_content_days").fetchone()
    assert counted == (last.nodes["model.gnomon.fct_content_days"].row_count,)
    if Path("/proc/self/status").exists():
        assert min(node.peak_memory_bytes or 0 for node in tables) > 50_000_000


def test_a_second_run_with_nothing_new_says_so_and_is_good(
    first: tuple[World, subprocess.CompletedProcess[str]],
) -> None:
    world, _ = first
    before = hashlib.sha256(world.database.read_bytes()).hexdigest()
    again = world.run("daily")
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("Nothing is new: ")
    assert "creator_violation_rate, week of " in again.stdout
    quiet = world.run("daily", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert hashlib.sha256(world.database.read_bytes()).hexdigest() == before


def test_what_was_built_and_not_published_is_published_by_the_next_run(
    first: tuple[World, subprocess.CompletedProcess[str]],
) -> None:
    world, _ = first
    # As after a run that died between its build and its publishing.
    (world.target / "generations" / "current").unlink()
    left = world.run("daily", "--no-publish", "--json")
    assert (left.returncode, json.loads(left.stdout)["published"]) == (0, None)
    assert not (world.target / "generations" / "current").exists()
    told = json.loads(world.run("daily", "--json").stdout)
    assert (told["outcome"], told["published"]["effect"]) == ("nothing new", "published")
    assert world.run("publish", "--list").stdout.count("serving") == 1


def test_a_run_that_cannot_publish_says_so_and_exits_1(
    first: tuple[World, subprocess.CompletedProcess[str]],
) -> None:
    world, _ = first
    with (world.target / "generations" / "publish.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        run = world.run("daily")
    assert run.returncode == 1
    assert "It was NOT published; what is in service is as it was: " in run.stderr
    assert "another publish is at work" in run.stderr
    assert "Next: mend that and run `gnomon publish`" in run.stderr


def test_a_refused_batch_changes_no_mart_and_exits_1(
    first: tuple[World, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    world, _ = first
    before, marts = world.database.read_bytes(), checksum_marts(world.database)
    assert len(marts) > 10
    batches = sorted(world.target.glob("daily/batch-*"))
    refused = world.run("daily", "--raw", str(world.damage(tmp_path / "raw")), "--quiet")
    assert refused.returncode == 1
    assert "the batch is REFUSED" in refused.stderr
    assert "orders: part-0.parquet cannot be read" in refused.stderr
    assert refused.stdout == ""
    assert sorted(world.target.glob("daily/batch-*")) == batches
    assert world.database.read_bytes() == before
    assert checksum_marts(world.database) == marts


def test_a_dry_run_judges_and_writes_nothing(
    first: tuple[World, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    world, _ = first
    bad = world.damage(tmp_path / "raw")
    before = {path: path.stat().st_mtime_ns for path in world.target.rglob("*")}
    run = world.run("daily", "--raw", str(bad), "--dry-run", "--json")
    assert (run.returncode, json.loads(run.stdout)["outcome"]) == (1, "dry run")
    assert {path: path.stat().st_mtime_ns for path in world.target.rglob("*")} == before


def test_two_at_once_are_refused_with_the_process_that_works(
    first: tuple[World, subprocess.CompletedProcess[str]],
) -> None:
    world, _ = first
    with (world.target / "daily" / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("4242\n")
        file.flush()
        run = world.run("daily")
    assert run.returncode == 2
    assert "another daily run is at work (process 4242)" in run.stderr
    assert run.stdout == ""


def test_a_folder_that_is_no_project_is_misuse(tmp_path: Path) -> None:
    run = run_command(["gnomon", "daily", "--project", str(tmp_path)])
    assert run.returncode == 2
    assert "has no dbt_project.yml" in run.stderr


def test_the_doctor_reads_what_the_daily_run_recorded(
    first: tuple[World, subprocess.CompletedProcess[str]],
) -> None:
    world, _ = first
    run = world.run("doctor")
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.startswith("1 build on record: nothing is wrong.")
    assert "Too little history" in run.stdout
    document = json.loads(world.run("doctor", "--json").stdout)
    assert (document["build_count"], document["problems"]) == (1, [])


def test_the_doctor_needs_a_build(tmp_path: Path, project: Path) -> None:
    run = World(tmp_path / "empty", project).run("doctor")
    assert run.returncode == 2
    assert "no such DuckDB file" in run.stderr


def test_a_lock_is_free_again_after_the_block(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        hold_lock(path, "daily run"),
        pytest.raises(WarehouseError, match=f"process {os.getpid()}"),
        hold_lock(path, "daily run"),
    ):
        pass
    with hold_lock(path, "run"):
        assert path.read_text(encoding="utf-8") == f"{os.getpid()}\n"


def find_children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]


def test_a_run_that_is_killed_keeps_its_lock_until_the_door_that_it_started_has_ended(
    tmp_path: Path, project: Path
) -> None:
    """Else a second run would clear away and write what the first one's door still writes."""
    lock = tmp_path / "target" / "daily" / "lock"
    environ = {**os.environ, "DBT_TARGET_PATH": str(tmp_path / "target"), "GNOMON_HASH_KEY": HASH_KEY}
    daily = subprocess.Popen([str(BIN / "gnomon"), "daily"], cwd=project, env=environ, stdout=subprocess.DEVNULL)
    try:
        while not (doors := find_children(daily.pid)):
            with suppress(subprocess.TimeoutExpired):
                assert daily.wait(0.02) is None, "it ended before its door began"
    finally:
        daily.kill()
        daily.wait()
    try:
        with pytest.raises(WarehouseError, match="another daily run"), hold_lock(lock, "daily run"):
            pass
    finally:
        for door in doors:
            handle = os.pidfd_open(door)
            os.kill(door, signal.SIGKILL)
            # Readable once the process has ended.
            select.select([handle], [], [], 10)
            os.close(handle)
    with hold_lock(lock, "daily run"):
        pass


# A node from second 10 to 12 over samples at 9, 11 and 13 s: its peak is the largest of the three,
# and the sample of 15 s is another node's.
def test_the_memory_of_a_node_is_that_of_the_samples_around_it() -> None:
    timing = [{"name": "execute", "started_at": "1970-01-01T00:00:10Z", "completed_at": "1970-01-01T00:00:12Z"}]
    results = [
        {"unique_id": "model.p.a", "status": "success", "timing": timing},
        {"unique_id": "test.p.b", "status": "fail", "timing": []},
    ]
    samples = [Sample(5, 900), Sample(9, 100), Sample(11, 300), Sample(13, 200), Sample(15, 800)]
    run = read_run({"metadata": {"invocation_id": "r"}, "results": results}, samples, 1, "")
    assert run.peaks == {"model.p.a": 300}
    assert (run.peak_memory_bytes, run.built, run.tests_passed, run.tests_asked) == (900, 1, 0, 1)
    assert not run.is_good


def test_the_broken_rules_of_a_failed_test_are_kept() -> None:
    said = {"code": "BROKEN_RULES", "_message": "fct_a: b is null (1)\nfct_a: c is below 0 (2)", "rows_affected": 0}
    results = [
        {"unique_id": "test.p.rules_of_fct_a", "status": "fail", "timing": [], "adapter_response": said},
        {"unique_id": "test.p.other", "status": "fail", "timing": [], "adapter_response": {"_message": "OK"}},
    ]
    run = read_run({"metadata": {"invocation_id": "r"}, "results": results}, [], 1, "")
    assert run.broken_rules == ("fct_a: b is null (1)", "fct_a: c is below 0 (2)")
