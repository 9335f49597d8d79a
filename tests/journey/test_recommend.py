"""Rollups proposed from a log, pasted and made: the log's questions read them, and their answers stay the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import yaml

from gnomon import Engine
from gnomon.planner import Compiled, Question, plan
from gnomon.planner.choose_rollups import list_rollups, write_rollup
from gnomon.semantic import read_manifest
from tests.journey.conftest import Built
from tests.oracle import assert_equal_answers

TIER = "{{ Dimension('creator__tier') }} = 'gold'"
SERVED = [
    {"metrics": ["views", "impressions"], "group_by": ["metric_time__day"], "count": 40, "seconds": 0.2},
    {"metrics": ["views"], "group_by": ["metric_time__week", "creator__tier"], "where": [TIER], "count": 20},
    {"metrics": ["impressions"], "start": "2026-05-01", "end": "2026-05-31", "count": 9},
    {"metrics": ["creator_violation_rate"], "group_by": ["metric_time__month"], "count": 9},
    {"metrics": ["low_quality_content_rate"], "group_by": ["metric_time__week"], "count": 30},
]
UNSERVED = [
    {"metrics": ["vieews"]},
    {"metrics": ["views"], "group_by": ["metric_time__day"], "time_zone": "Asia/Jakarta"},
    {"group_by": ["creator__tier"], "count": 2},
]


def test_the_questions_of_a_log_read_the_rollups_proposed_for_them(built_sample: Built, tmp_path: Path) -> None:
    log = tmp_path / "questions.jsonl"
    log.write_text("\n".join(map(json.dumps, [*SERVED, *UNSERVED])), encoding="utf-8")
    run = built_sample.run("gnomon", "plan", "--recommend", "--log", str(log))
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("not served") == len(UNSERVED)
    told = json.loads(built_sample.run("gnomon", "plan", "--recommend", "--log", str(log), "--json").stdout)
    pasted = {each["rollup"]["name"]: each for each in told["proposals"]}
    assert [rollup["name"] for rollup in yaml.safe_load(run.stdout.replace("\n\n#", "\n#"))] == sorted(pasted)
    assert sum(each["rows_saved"] for each in pasted.values()) > told["rows_read"] / 2

    manifest = json.loads((built_sample.target / "semantic_manifest.json").read_text(encoding="utf-8"))
    for model in manifest["semantic_models"]:
        rollups = [each["rollup"] for each in pasted.values() if each["semantic_model"] == model["name"]]
        model["config"] = {**(model.get("config") or {}), "meta": {"rollups": rollups}}
    path = tmp_path / "semantic_manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    compiled = Compiled(read_manifest(path))
    shutil.copy(built_sample.database, tmp_path / "copy.duckdb")
    read: set[str] = set()
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach '{tmp_path / 'copy.duckdb'}' as gnomon")
        sizes = {}
        for semantic_model, rollup in list_rollups(compiled):
            made = write_rollup(compiled, semantic_model, rollup).sql("duckdb")
            connection.execute(f"create table {rollup.relation} as {made}")
            (sizes[rollup.name],) = connection.execute(f"select count(*) from {rollup.relation}").fetchone() or (0,)
        assert sizes == {name: each["rows"] for name, each in pasted.items()}
        engine = Engine.from_manifest(built_sample.target / "semantic_manifest.json", built_sample.database)
        for line in SERVED:
            asked = {name: value for name, value in line.items() if name not in ("count", "seconds")}
            base = engine.plan(**asked)  # type: ignore[arg-type]
            bounds = {name: _read(value) for name, value in asked.items() if name in ("start", "end")}
            words = {name: tuple(value) for name, value in asked.items() if isinstance(value, list)}
            rolled = plan(compiled, Question(**words, **bounds), sizes)
            assert rolled.rollups, line
            assert not [why for why in rolled.why if "its own table" in why]
            read |= set(rolled.rollups)
            assert_equal_answers(connection, rolled.sql, base.sql)
        engine.close()
    assert read == set(pasted)


def _read(day: object) -> object:
    from gnomon.engine.request import read_moment

    return read_moment("day", str(day))


def test_a_log_is_read_and_nothing_else_is_asked(built_sample: Built, tmp_path: Path) -> None:
    for more in (["--recommend", "views", "--log", str(tmp_path)], ["--log", str(tmp_path)]):
        run = built_sample.run("gnomon", "plan", *more)
        assert run.returncode == 2
        assert "`gnomon plan --recommend`" in run.stderr
