"""Answers from rollups are made again from the tables: a wrong rollup is found, told, and read no more."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import duckdb
import pytest
from fastapi.testclient import TestClient

from gnomon.core.errors import WarehouseError
from gnomon.engine import Engine, WrongRollups
from gnomon.planner import Plan
from gnomon.publish import publish
from gnomon.serve.http.app import create_app
from gnomon.serve.http.service import ServeLimits, Service
from gnomon.serve.serve_command import open_service
from tests.generations import Small, build_small

ROLES = """
roles:
  gold_only:
    why: It sees the posts of gold creators only.
    rows: ["{{ Dimension('creator__tier') }} = 'gold'"]
"""
BY_KIND = {"metrics": ["posts"], "group_by": ["post__kind"]}
BY_TIER = {"metrics": ["posts"], "group_by": ["creator__tier"]}
# Creator 1 is new, and so is her post that is lost here.
LOSE_A_POST = "update rollup_posts_by_creator set posts = posts - 1 where creator = 'c1' and post__kind = 'live'"
_MOST_LOOKS = 20_000


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith(("GNOMON_", "DBT_"))]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """A published project with roles, to be copied."""
    built = build_small(tmp_path_factory.mktemp("published") / "project")
    (built.project / "access.yml").write_text(ROLES)
    publish(built.project, environ={})
    return built


@pytest.fixture
def small(published: Small, tmp_path: Path) -> Small:
    """A published project of a test's own."""
    shutil.copytree(published.project, tmp_path / "project")
    return replace(published, project=tmp_path / "project")


def tamper(small: Small, statement: str) -> str:
    """Change the generation in service behind everybody's back; return which it is."""
    service = small.generations.read_service()
    assert service is not None
    path = small.generations.locate(service.serving)
    path.chmod(0o644)
    with duckdb.connect(str(path)) as connection:
        (changed,) = connection.execute(statement).fetchone() or (0,)
        assert changed
    return service.serving


@pytest.fixture
def serve(small: Small) -> Iterator[Callable[..., tuple[TestClient, Service]]]:
    """Serve the project as a role; every answer from a rollup is checked."""
    opened: list[TestClient] = []

    def serve_as(role: str = "owner", checked: float = 1.0) -> tuple[TestClient, Service]:
        service = open_service(small.project, ServeLimits(checked=checked), anonymous=role)
        client = TestClient(create_app(service))
        client.__enter__()
        opened.append(client)
        return client, service

    yield serve_as
    for client in opened:
        client.__exit__(None, None, None)


def count_checks(client: TestClient) -> dict[str, float]:
    """Return how many checks came to what."""
    lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith("gnomon_rollup_checks_total")]
    return {line.split('"')[1]: float(line.rsplit(" ", 1)[1]) for line in lines}


def wait_for(client: TestClient, outcome: str, times: int = 1) -> None:
    """Look until so many checks have come to this; the server runs in a thread of its own."""
    for _ in range(_MOST_LOOKS):
        if count_checks(client).get(outcome, 0) >= times:
            return
    raise AssertionError(f"no check came to '{outcome}': {count_checks(client)}")


def test_an_answer_that_is_right_is_checked_and_nothing_is_withdrawn(
    serve: Callable[..., tuple[TestClient, Service]],
) -> None:
    client, _ = serve()
    assert client.post("/v1/query", json=BY_KIND).json()["provenance"]["rollups"]
    wait_for(client, "equal")
    assert client.get("/v1/ready").json()["withdrawn_rollups"] == []
    assert count_checks(client) == {"equal": 1}


def test_a_wrong_rollup_is_found_logged_counted_and_read_no_more(
    small: Small, serve: Callable[..., tuple[TestClient, Service]], caplog: pytest.LogCaptureFixture
) -> None:
    """Of 2,000 posts the rollup has lost one; the first answer is of it, those after the check are of the table."""
    generation = tamper(small, LOSE_A_POST)
    client, _ = serve()
    first = client.post("/v1/query", json=BY_TIER)
    assert sum(row["posts"] for row in first.json()["rows"]) == 1999
    wait_for(client, "different")
    again = client.post("/v1/query", json=BY_TIER, headers={"If-None-Match": first.headers["ETag"]})
    assert sum(row["posts"] for row in again.json()["rows"]) == 2000
    assert again.json()["provenance"]["rollups"] == []
    ready = client.get("/v1/ready").json()
    assert (ready["is_ready"], ready["withdrawn_rollups"]) == (True, ["posts_by_creator"])
    assert "gnomon_rollups_withdrawn 1.0" in client.get("/metrics").text
    (told,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert f"rollup posts_by_creator of {generation}" in told.getMessage()
    assert '"group_by": ["creator__tier"]' in told.getMessage()
    assert "1499" in told.getMessage()
    assert "1500" in told.getMessage()


def test_only_the_rollup_that_is_wrong_is_withdrawn(
    small: Small, serve: Callable[..., tuple[TestClient, Service]]
) -> None:
    tamper(small, LOSE_A_POST)
    client, _ = serve()
    weekly = {"metrics": ["views"], "group_by": ["metric_time__week"]}
    client.post("/v1/query", json=BY_TIER)
    wait_for(client, "different")
    assert client.post("/v1/query", json=weekly).json()["provenance"]["rollups"] == ["posts_weekly"]
    wait_for(client, "equal")


def test_no_other_reader_reads_it_until_the_next_publish(
    small: Small, serve: Callable[..., tuple[TestClient, Service]]
) -> None:
    tamper(small, LOSE_A_POST)
    client, other = serve()[0], serve(checked=0)[1]
    assert other.house._current is not None
    client.post("/v1/query", json=BY_TIER)
    wait_for(client, "different")
    engine = Engine.open(small.project)
    assert engine.plan(**BY_TIER).rollups == ()
    engine.close()
    # A program that runs already learns of it within a second.
    other.house.refresh()
    with other.house.engine() as found:
        assert found.plan(**BY_TIER).rollups == ()
    build_small(small.project, 2)
    publish(small.project)
    anew = Engine.open(small.project)
    assert anew.plan(**BY_TIER).rollups == ("posts_by_creator",)
    anew.close()


def test_an_answer_of_a_role_is_made_again_over_its_rows(
    small: Small, serve: Callable[..., tuple[TestClient, Service]]
) -> None:
    """The lost post is of a creator whom the role does not see: its answer is right, and not the owner's."""
    tamper(small, LOSE_A_POST)
    client, service = serve("gold_only")
    assert client.post("/v1/query", json=BY_TIER).json()["rows"] == [{"creator__tier": "gold", "posts": 500}]
    wait_for(client, "equal")
    with service.house.engine() as engine:
        assert engine.check_rollups(engine.plan(**BY_TIER, policy="gold_only")) is None
        assert engine.check_rollups(engine.plan(**BY_TIER)) is not None


def test_a_place_in_an_order_and_a_last_digit_are_no_difference(small: Small) -> None:
    """Ties stand in any order, and a change of sums of fractions differs in its last digits."""
    engine = Engine.open(small.project)
    for asked in (
        {**BY_KIND, "order_by": ["-posts"], "limit": 1},
        {"metrics": ["posts"], "group_by": ["creator"], "top": 3},
        {"metrics": ["posts__share", "posts__total"], "group_by": ["post__kind"]},
        {"metrics": ["stamp__change"], "group_by": ["metric_time__week"]},
    ):
        chosen = engine.plan(**asked)
        assert chosen.rollups
        assert engine.check_rollups(chosen) is None
    engine.close()


def test_of_the_answers_only_a_share_is_checked(serve: Callable[..., tuple[TestClient, Service]]) -> None:
    client, _ = serve(checked=0.0)
    assert client.post("/v1/query", json=BY_KIND).json()["provenance"]["rollups"]
    client.post("/v1/query", json={"metrics": ["median_views"]})
    assert count_checks(client) == {}


def test_what_cannot_be_checked_in_time_is_dropped_and_counted(
    serve: Callable[..., tuple[TestClient, Service]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One check runs until it is let go, 16 wait, and two more find no place."""
    goes_on = Event()

    def hang(*_: Any) -> WrongRollups | None:
        goes_on.wait()
        return None

    monkeypatch.setattr(Engine, "check_rollups", hang)
    client, _ = serve()
    for limit in range(1, 20):
        assert client.post("/v1/query", json={**BY_TIER, "limit": limit}).status_code == 200
    # The first may have been taken up before or after the second came.
    wait_for(client, "dropped", 2)
    goes_on.set()
    wait_for(client, "equal", 17)
    assert count_checks(client) == {"dropped": 2, "equal": 17}


def test_a_check_gives_way_to_whoever_waits(small: Small) -> None:
    service = open_service(small.project, ServeLimits(checked=1.0))

    async def play() -> None:
        checking = asyncio.create_task(service.checks.run(service))
        await asyncio.sleep(0)
        with service.house.engine() as engine:
            service.gate.waiting = 1
            service.checks.offer(service, engine, engine.plan(**BY_TIER))
            while not service.measures.rollup_checks.collect()[0].samples:
                await asyncio.sleep(0)
        checking.cancel()
        await asyncio.gather(checking, return_exceptions=True)

    asyncio.run(play())
    samples = service.measures.rollup_checks.collect()[0].samples
    assert samples[0].labels == {"outcome": "dropped"}
    service.close()


def test_a_check_that_fails_is_counted_and_the_next_one_is_made(
    serve: Callable[..., tuple[TestClient, Service]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    real = Engine.check_rollups

    def fail_once(self: Engine, chosen: Plan, interruption: Any) -> WrongRollups | None:
        monkeypatch.setattr(Engine, "check_rollups", real)
        raise WarehouseError("the disk is away")

    monkeypatch.setattr(Engine, "check_rollups", fail_once)
    client, _ = serve()
    client.post("/v1/query", json=BY_TIER)
    wait_for(client, "failed")
    client.post("/v1/query", json=BY_KIND)
    wait_for(client, "equal")
    assert "could not be checked" in caplog.text


def test_an_answer_under_way_from_a_rollup_found_wrong_is_not_given(small: Small) -> None:
    service = open_service(small.project, ServeLimits(checked=0.0), anonymous="owner")
    client = TestClient(create_app(service))
    with service.house.engine() as engine:
        engine.withdrawn = frozenset({"posts_by_creator"})
        refused = client.post("/v1/query", json=BY_TIER)
        assert (refused.status_code, refused.json()["kind"]) == (410, "changed")
    service.close()


def test_a_file_of_withdrawn_rollups_in_another_form_is_told(small: Small) -> None:
    path = small.project / "state" / "withdrawn-rollups.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text('{"generation": "g0001"}\n')
    with pytest.raises(WarehouseError, match=r"withdrawn-rollups.jsonl:1: names no rollup"):
        Engine.open(small.project)
