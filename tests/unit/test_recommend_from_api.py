"""Rollups proposed from what the API was asked, as its own log says it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gnomon.core.errors import QueryError
from gnomon.engine import Engine
from gnomon.serve.http.app import create_app
from gnomon.serve.http.service import ServeLimits
from gnomon.serve.recommend_command import _count_questions
from gnomon.serve.serve_command import open_service
from gnomon.state import Counted, Entry, KeyRing, QuestionLog, StateDatabase, count_questions
from tests.generations import Small, build_small

ROLES = """
roles:
  gold_only:
    why: It sees the posts of gold creators only.
    rows: ["{{ Dimension('creator__tier') }} = 'gold'"]
"""
WEEKLY = {"metrics": ["views"], "group_by": ["metric_time__week"]}
VIDEOS = {"metrics": ["posts"], "where": [{"field": "post__kind", "op": "in", "value": ["video"]}]}


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith(("GNOMON_", "DBT_"))]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """A project without rollups whose API was asked: weekly views twice, videos, and some that nothing is made of."""
    small = build_small(tmp_path_factory.mktemp("asked") / "project", rollups=[])
    (small.project / "access.yml").write_text(ROLES)
    service = open_service(small.project, ServeLimits(), anonymous="owner")
    _, key = KeyRing(StateDatabase.open(f"sqlite:///{small.project / 'state' / 'gnomon.db'}")).make(
        "ana", "gold_only", datetime(2026, 1, 1)
    )
    with TestClient(create_app(service)) as client:
        for body in (WEEKLY, {**WEEKLY, "format": "csv"}, VIDEOS, {"metrics": ["median_views"]}):
            assert client.post("/v1/query", json=body).status_code == 200
        assert client.post("/v1/query", json=WEEKLY, headers={"Authorization": f"Bearer {key}"}).status_code == 200
        client.post("/v1/plan", json={"metrics": ["stamp"]})
        client.post("/v1/query", json={"metrics": ["veiws"]})
    return small


def read(small: Small) -> tuple[Counted, ...]:
    database = StateDatabase.open(f"sqlite:///{small.project / 'state' / 'gnomon.db'}")
    counted = count_questions(database)
    database.close()
    return counted


def test_what_was_made_is_counted_by_question_and_role_and_nobody_is_named(asked: Small) -> None:
    """The CSV was kept from the answer before it; a plan and a refusal read nothing."""
    counted = read(asked)
    assert [(each.question, each.role, each.count) for each in counted] == [
        (WEEKLY, "owner", 1),
        (VIDEOS, "owner", 1),
        ({"metrics": ["median_views"]}, "owner", 1),
        (WEEKLY, "gold_only", 1),
    ]
    assert all(each.seconds > 0 for each in counted)
    assert "ana" not in repr(counted)


def test_rollups_are_proposed_for_the_log_of_the_api(asked: Small) -> None:
    """A role's rows hang on its creators' tier, so the rollup that serves it must know the creator."""
    engine = Engine.open(asked.project)
    found = engine.recommend(read(asked))
    engine.close()
    dimensions = {each.rollup.dimensions for each in found.proposals}
    assert any("creator" in names for names in dimensions)
    assert [(each.question.metrics, each.why) for each in found.unserved] == [
        (("median_views",), "posts: 'median_views' cannot be added up")
    ]


def test_a_question_that_may_not_be_asked_any_more_is_told(asked: Small) -> None:
    engine = Engine.open(asked.project)
    gone = (Counted(WEEKLY, "gone", 3, 0.5), Counted({"metrics": ["veiws"]}, "owner", 1, 0.5))
    found = engine.recommend(gone)
    engine.close()
    assert [each.count for each in found.unserved] == [3, 1]
    assert "refused: unknown role 'gone'" in found.unserved[0].why
    assert "refused: unknown metric 'veiws'" in found.unserved[1].why


def test_pages_and_what_was_stopped_count_as_well(tmp_path: Path) -> None:
    database = StateDatabase.open(f"sqlite:///{tmp_path / 'gnomon.db'}")
    log = QuestionLog(database, tmp_path / "spool")
    entry = Entry(datetime(2026, 1, 1), "key:ana", "owner", WEEKLY, "answered", 2.0, row_count=3)
    log.add(entry)
    log.add(replace(entry, entry_id="2", seconds=4.0))
    log.add(replace(entry, entry_id="3", question={**WEEKLY, "page_size": 2}))
    log.add(replace(entry, entry_id="4", question=VIDEOS, outcome="stopped", row_count=None, seconds=30.0))
    log.add(replace(entry, entry_id="5", is_cached=True))
    log.close()
    assert {(each.count, each.seconds) for each in count_questions(database)} == {(2, 3.0), (1, 2.0), (1, 30.0)}
    database.close()


def test_the_command_reads_the_log_of_the_api(asked: Small) -> None:
    command = [str(Path(sys.executable).parent / "gnomon"), "plan", "--recommend", "--json"]
    run = subprocess.run([*command, "--project-dir", str(asked.project)], capture_output=True, text=True, check=False)
    told = json.loads(run.stdout)
    assert told["proposals"]
    assert [each["count"] for each in told["unserved"]] == [1]
    assert "ana" not in run.stdout


def test_a_log_without_questions_is_told(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="the API's log has no question that was answered"):
        _count_questions(tmp_path)
