"""A publisher into Postgres that is killed at any moment: readers have the old copy or the new one, none is left."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gnomon.publish import Effect
from gnomon.publish.serving_copy import copy_generation
from gnomon.warehouse.postgres import PostgresAddress
from tests.copies import BUDGET, ask, list_schemas, make_database, serve, take_from

# Where a publisher stops and waits to be killed: before a function, or after it. The last moment is after the commit.
MOMENTS = {
    "in the middle of a table": ("loading.Budget", "check", "before"),
    "before the commit of the load": ("loading", "measure", "after"),
    "after the load": ("copying", "check", "before"),
    "after the check": ("copying", "swap", "before"),
    "while readers are locked out": ("schemas", "_put_in", "before"),
    "before the commit of the swap": ("schemas", "_put_in", "after"),
    "after the swap": ("copying", "_retire", "before"),
}
FEW = ("in the middle of a table", "after the check", "before the commit of the swap")
NIGHTLY_KILLS = 40
PUBLISH = """
import sys, time
from functools import reduce
from pathlib import Path
from gnomon.publish.serving_copy import copying, loading, schemas
from gnomon.warehouse.postgres import PostgresAddress

project, url, place, name, when = sys.argv[1:]
def halt():
    print("there", flush=True)
    time.sleep(600)
if place:
    module, *inner = place.split(".")
    home = reduce(getattr, inner, {"copying": copying, "loading": loading, "schemas": schemas}[module])
    real = getattr(home, name)
    def run(*words, **options):
        if when == "before":
            halt()
        done = real(*words, **options)
        if when == "after":
            halt()
        return done
    setattr(home, name, run)
print("begun", flush=True)
copying.copy_generation(Path(project), PostgresAddress.read(url), budget="1GB")
"""


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DBT_TARGET_PATH", "GNOMON_DATABASE", "GNOMON_GENERATIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def database(postgres_server: str) -> Iterator[PostgresAddress]:
    with make_database(postgres_server, "crashes") as address:
        yield address


def start(project: Path, database: PostgresAddress, *stops: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PUBLISH, str(project), database.url, *(stops or ("", "", ""))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def read_stamp(database: PostgresAddress) -> int:
    """The build that a new reader reads, whole: two rollups and the stamp agree."""
    (row,) = ask(
        database.url,
        "select (select sum(views) / sum(posts) from gnomon.rollup_posts_weekly) as weekly, "
        "(select sum(views) / sum(posts) from gnomon.rollup_posts_by_creator) as daily, "
        "(select right(generation_id, 8) from gnomon.gnomon_stamp) as run_id",
    )
    assert row["weekly"] == row["daily"]
    assert float(row["weekly"]) == int(row["run_id"], 16)
    return int(row["run_id"], 16)


def mend(project: Path, database: PostgresAddress, expected: int) -> None:
    """Publish once more: it is served, and nothing of the one that was killed is left."""
    done = copy_generation(project, database, budget=BUDGET, keep=1)
    assert done.effect in (Effect.PUBLISHED, Effect.NOTHING_NEW)
    assert read_stamp(database) == expected
    assert list_schemas(database.url) == ["gnomon", "public"]


@pytest.mark.parametrize(
    "moment", [each if each in FEW else pytest.param(each, marks=pytest.mark.nightly) for each in MOMENTS]
)
def test_a_publisher_that_is_killed_leaves_the_copy_in_service(
    shelf: Path, tmp_path: Path, database: PostgresAddress, moment: str
) -> None:
    project = take_from(shelf, tmp_path / "small")
    copy_generation(project, database, budget=BUDGET)
    serve(project, 2)
    with start(project, database, *MOMENTS[moment]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        process.kill()
    assert read_stamp(database) == (2 if moment == "after the swap" else 1)
    mend(project, database, 2)


@pytest.mark.nightly
def test_a_publisher_that_is_killed_at_any_moment_leaves_a_whole_copy(
    shelf: Path, tmp_path: Path, database: PostgresAddress
) -> None:
    project = take_from(shelf, tmp_path / "small")
    copy_generation(project, database, budget=BUDGET)
    rng, served = random.Random(7), Counter[int]()
    for kill in range(NIGHTLY_KILLS):
        before, after = (1, 2) if kill % 2 == 0 else (2, 1)
        serve(project, after)
        with start(project, database) as process:
            try:
                process.wait(rng.uniform(0, 2))
            except subprocess.TimeoutExpired:
                process.kill()
        found = read_stamp(database)
        assert found in (before, after)
        served[found == after] += 1
        mend(project, database, after)
    print(f"\nserved after a kill: the old copy {served[False]}x, the new one {served[True]}x")
