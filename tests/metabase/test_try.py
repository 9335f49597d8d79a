"""The files of docker-compose: their scripts are run against the fake; no container is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gnomon.publish.serving_copy.schemas import OLDEST
from tests.metabase.fake import FakeMetabase
from tests.metabase.fake_server import KEY, PASSWORD, USER, serve
from tests.metabase.shop import WAREHOUSE

GNOMON = """#!{python}
from gnomon.publish import metabase as room
from tests.metabase.shop import make_shop

room.make_wanted = lambda *_, **__: make_shop()
from gnomon.serve.cli import main

main()
"""


@pytest.fixture
def environ(project: Path, tmp_path: Path) -> dict[str, str]:
    """An environment in which `gnomon` wants the shop of these tests."""
    command = tmp_path / "bin" / "gnomon"
    command.parent.mkdir()
    command.write_text(GNOMON.format(python=sys.executable), encoding="utf-8")
    command.chmod(0o755)
    return {
        **{name: each for name, each in os.environ.items() if not name.startswith("GNOMON_")},
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(project),
        "GNOMON_COPY": "postgres://reader@db/gnomon",
        "GNOMON_METABASE_KEY": KEY,
        "GNOMON_STATE": f"sqlite:///{tmp_path / 'state.db'}",
    }


def test_the_smoke_script_goes_through_against_the_fake_and_leaves_nothing(
    project: Path, environ: dict[str, str]
) -> None:
    with serve(FakeMetabase(WAREHOUSE, polls=0)) as server:
        script = project / "docs" / "metabase" / "smoke.sh"
        run = subprocess.run(
            [script, server.url], env=environ, capture_output=True, text=True, check=False, timeout=120
        )
        assert run.returncode == 0, run.stderr
        assert run.stderr.splitlines()[-1] == "== all of it went well"
        cards = server.fake.rows["card"].values()
        assert (len(cards), {each["archived"] for each in cards}) == (13, {True})


def test_the_smoke_script_fails_where_a_card_does(project: Path, environ: dict[str, str]) -> None:
    with serve(FakeMetabase(WAREHOUSE, polls=0)) as server:
        server.fake.broken_sql = "appeal_cases"
        script = project / "docs" / "metabase" / "smoke.sh"
        run = subprocess.run(
            [script, server.url], env=environ, capture_output=True, text=True, check=False, timeout=120
        )
        assert run.returncode == 1
        assert run.stderr.splitlines()[-1] == "13 cards were run, 1 failed"


def test_a_new_server_gets_its_first_user_once(project: Path, environ: dict[str, str]) -> None:
    with serve(FakeMetabase(WAREHOUSE)) as server:
        script = project / "docs" / "metabase" / "first_user.py"
        who = {"GNOMON_METABASE_USER": USER, "GNOMON_METABASE_PASSWORD": PASSWORD}
        for said in (f"its first user is {USER}", "has a user already"):
            run = subprocess.run(
                [sys.executable, script, server.url], env={**environ, **who}, capture_output=True, text=True, check=True
            )
            assert said in run.stderr
        assert server.fake.first_user is not None
        assert server.fake.first_user["email"] == USER


def test_images_are_pinned_and_what_is_mounted_is_there(project: Path) -> None:
    services = yaml.safe_load((project / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    images = [each["image"] for each in services.values() if "image" in each]
    assert len(images) == 2
    assert all(re.fullmatch(r"[\w/]+:v?\d+\.\d+(\.\d+)?", image) for image in images)
    for service in services.values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert not source.startswith(".") or (project / source).is_file(), source
    [command] = services["gnomon"]["command"]
    assert os.access(project / command, os.X_OK)


def test_its_postgres_is_one_that_takes_a_copy(project: Path) -> None:
    services = yaml.safe_load((project / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    version = re.fullmatch(r"postgres:(\d+)\.\d+", services["postgres"]["image"])
    assert version is not None
    assert int(version[1]) * 10_000 >= OLDEST
