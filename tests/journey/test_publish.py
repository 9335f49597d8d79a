"""The sample, published from the shell: saved queries read rollups and answer as the tables do."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gnomon import Engine
from gnomon.engine import Result
from gnomon.publish import DEFAULT_KEEP, Effect, publish
from tests.journey.conftest import Built, run_command

SAVED = ("north_star_weekly", "enforcement_weekly", "commerce_daily", "engagement_daily")


@dataclass(frozen=True)
class Published:
    """A target of its own with the sample's working file, and what `gnomon publish` said."""

    target: Path
    said: subprocess.CompletedProcess[str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return run_command(["gnomon", *command], {**os.environ, "DBT_TARGET_PATH": str(self.target)})


@pytest.fixture(scope="module")
def published(built_sample: Built, tmp_path_factory: pytest.TempPathFactory) -> Published:
    target = tmp_path_factory.mktemp("published")
    shutil.copyfile(built_sample.database, target / "gnomon.duckdb")
    return Published(target, Published(target, subprocess.CompletedProcess([], 0)).run("publish", "--json"))


@pytest.fixture
def engines(published: Published, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The engine of the generation and that of the working file."""
    monkeypatch.setenv("DBT_TARGET_PATH", str(published.target))
    pair = (Engine.open(), Engine.open(working=True))
    yield pair
    for engine in pair:
        engine.close()


def test_the_sample_is_published_with_its_rollups(published: Published) -> None:
    assert published.said.returncode == 0, published.said.stderr
    document = json.loads(published.said.stdout)
    assert document["effect"] == "published"
    assert document["generation_id"].startswith("g0001-2026")
    assert document["questions"] == 5 * len(document["rollups"])
    assert len(document["rollups"]) >= 15
    assert document["size"] < document["need"]["tables"] + document["need"]["rollups"] + 32 * 2**20
    assert "answers from rollups equal those from the tables" in published.said.stderr


@pytest.mark.parametrize("saved_query", SAVED)
def test_a_saved_query_reads_nothing_but_rollups_and_answers_as_the_tables_do(engines: Any, saved_query: str) -> None:
    served, working = engines
    planned = served.plan(saved_query=saved_query)
    assert planned.rollups
    assert '"fct_' not in planned.sql
    assert '"fct_' in working.plan(saved_query=saved_query).sql
    answers = [engine.query(saved_query=saved_query) for engine in (served, working)]
    assert_alike(*answers)
    assert answers[0].provenance.generation is not None
    assert answers[1].provenance.generation is None


def test_regions_and_months_are_answered_from_rollups_too(engines: Any) -> None:
    served, working = engines
    question: dict[str, Any] = {
        "metrics": ["views", "top_one_percent_exposure_share"],
        "group_by": ["metric_time__month", "creator__region"],
    }
    assert served.plan(**question).rollups == ("engagement_by_creator",)
    assert_alike(served.query(**question), working.query(**question))


def assert_alike(left: Result, right: Result) -> None:
    """Hold two answers equal, rows in any order, fractions but for their last digits, with their intervals."""
    assert left.table.column_names == right.table.column_names
    sides = []
    for result in (left, right):
        rows = result.table.to_pylist()
        for place, row in enumerate(rows):
            row |= {f"interval of {name}": intervals[place] for name, intervals in result.intervals.items()}
        groups = [name for name in left.table.column_names if "__" in name]
        sides.append(sorted(rows, key=lambda row: [str(row[name]) for name in groups]))
    assert len(sides[0]) == len(sides[1])
    for mine, other in zip(*sides, strict=True):
        for name, value in mine.items():
            if isinstance(value, float) and other[name] is not None:
                assert math.isclose(value, other[name], rel_tol=1e-9), (name, mine, other)
            elif name.startswith("interval of ") and value is not None:
                assert (value.low, value.high) == pytest.approx((other[name].low, other[name].high))
            else:
                assert value == other[name], (name, mine, other)


def test_the_shell_lists_what_is_kept_and_says_what_answered(published: Published) -> None:
    generation = json.loads(published.said.stdout)["generation_id"]
    listed = published.run("publish", "--list")
    assert listed.stdout.splitlines()[1].split()[:2] == [generation, "serving"]
    assert json.loads(published.run("publish", "--list", "--json").stdout)[0]["rollups"] >= 15
    asked = published.run("query", "views")
    assert f"generation {generation}" in asked.stderr
    asked = published.run("query", "views", "--working", "--format", "json")
    assert json.loads(asked.stdout)["provenance"]["generation"] is None
    again = published.run("publish")
    assert (again.returncode, again.stdout) == (0, f"{generation}\n")
    assert "nothing is new" in again.stderr


def test_the_shell_refuses_with_2_and_says_why(published: Published) -> None:
    back = published.run("publish", "--rollback")
    assert back.returncode == 2
    assert "is kept. `gnomon publish --keep N` keeps more of them from now on." in back.stderr
    both = published.run("publish", "--rollback", "--list")
    assert both.returncode == 2
    assert "are two commands" in both.stderr
    none = published.run("publish", "--keep", "0", "--dry-run")
    assert none.returncode == 2


def test_the_real_log_is_published_though_most_of_its_tables_are_empty(
    built_real_log: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    shutil.copyfile(built_real_log.database, tmp_path / "gnomon.duckdb")
    assert publish(Path()).effect is Effect.PUBLISHED
    engine = Engine.open()
    answer = engine.query(["impressions", "gmv"])
    (row,) = answer.to_arrow().to_pylist()
    assert row["impressions"] > 80_000
    assert row["gmv"] is None
    assert "the source has no" in answer.provenance.nulls["gmv"]
    assert engine.plan(["impressions"]).rollups == ("engagement_daily",)
    engine.close()


def test_so_many_are_kept_as_the_help_says(published: Published) -> None:
    assert f"default {DEFAULT_KEEP}" in " ".join(published.run("publish", "--help").stdout.split())
