"""`gnomon metabase` against the fake: what it prints, how it exits, and what it asks of the environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gnomon.core.errors import AccessError, QueryError
from gnomon.publish import metabase as room
from gnomon.publish.metabase.wanted import Wanted
from gnomon.serve.cli import app
from tests.metabase.fake import FakeMetabase
from tests.metabase.fake_server import KEY, PASSWORD, USER, Server, serve
from tests.metabase.shop import WAREHOUSE, make_shop
from tests.metabase.test_apply import change_tile


class Shell:
    """The commands, as a user with a project whose dashboards are the shop's."""

    def __init__(self, server: Server, project: Path, patch: pytest.MonkeyPatch) -> None:
        self.server, self._project, self.wanted = server, project, make_shop()
        patch.setattr(room, "make_wanted", self._make)
        patch.setenv("GNOMON_COPY", "postgres://reader@db/gnomon")
        patch.setenv("GNOMON_METABASE_KEY", KEY)
        patch.setenv("GNOMON_METABASE_DATABASE_PASSWORD", "a secret of the fake")
        for name in ("GNOMON_STATE", "GNOMON_METABASE_USER", "GNOMON_METABASE_PASSWORD"):
            patch.delenv(name, raising=False)

    def _make(self, *_: Any, **__: Any) -> Wanted:
        return self.wanted

    def run(self, *words: str) -> Result:
        command = ["metabase", words[0], "--url", self.server.url, "--project-dir", str(self._project), *words[1:]]
        return CliRunner().invoke(app, command)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    with serve(FakeMetabase(WAREHOUSE, polls=0)) as server:
        yield Shell(server, tmp_path, monkeypatch)


def test_a_life_from_a_plan_to_a_destroy_exits_as_it_ought_to(shell: Shell) -> None:
    planned = shell.run("plan")
    assert planned.exit_code == 1
    assert planned.stdout.splitlines()[:2] == [
        "+ database 'copy' (Gnomon)",
        "+ table 'serving.orders_daily' (Orders a day)",
    ]
    assert planned.stderr == "28 to make. `gnomon metabase apply` does it.\n"
    assert shell.run("apply", "--dry-run").stdout == planned.stdout
    assert shell.server.sent == []
    applied = shell.run("apply")
    assert (applied.exit_code, applied.stdout) == (0, "")
    assert applied.stderr.splitlines()[-1] == "28 made."
    again = shell.run("plan")
    assert (again.exit_code, again.stdout, again.stderr) == (0, "\n", "28 as wanted.\n")
    assert shell.run("apply").stderr == "nothing was to do.\n"
    ran = shell.run("run")
    assert (ran.exit_code, ran.stderr) == (0, "13 cards were run, none failed\n")
    assert shell.run("destroy", "--dry-run").exit_code == 1
    destroyed = shell.run("destroy")
    assert (destroyed.exit_code, destroyed.stderr.splitlines()[-1]) == (0, "24 archived.")
    assert shell.run("destroy").stderr == "nothing was to do.\n"


def test_a_plan_is_a_diff_and_json_says_the_same(shell: Shell) -> None:
    shell.run("apply")
    shell.wanted = change_tile(shell.wanted, "words", text="Days end at midnight.\nAll in UTC.", row=9)
    row = next(each for each in shell.server.fake.rows["card"].values() if each["name"] == "Cases")
    row["description"] = "Mine."
    planned = shell.run("plan")
    assert planned.exit_code == 1
    assert planned.stdout.splitlines() == [
        "! card 'cases' (Cases): it was edited there. `--force` makes it as wanted.",
        '    description: "Mine." → "The open cases."',
        "~ dashboard 'commerce' (Commerce)",
        "    dashcards.words.row: 0 → 9",
        "    dashcards.words.text:",
        "      @@ -1 +1,2 @@",
        "      -**Days** end at midnight, UTC.",
        "      +Days end at midnight.",
        "      +All in UTC.",
    ]
    assert planned.stderr == ("1 to change, 1 edited there, and kept, 26 as wanted. `gnomon metabase apply` does it.\n")
    steps = {each["key"]: each for each in json.loads(shell.run("plan", "--json").stdout)["steps"]}
    assert steps["commerce"]["effect"] == "update"
    assert steps["cases"]["differences"] == [{"path": "description", "was": "Mine.", "wanted": "The open cases."}]
    applied = shell.run("apply", "--json")
    assert applied.exit_code == 1
    assert "left as it is: card 'cases': it was edited there. `--force` makes it as wanted." in applied.stderr
    said = json.loads(applied.stdout)
    assert ([each["key"] for each in said["done"]], [each["key"] for each in said["left"]]) == (["commerce"], ["cases"])
    assert shell.run("apply", "--force").exit_code == 0
    assert shell.run("plan").exit_code == 0


def test_a_card_that_fails_is_told_although_the_status_is_good(shell: Shell) -> None:
    shell.run("apply")
    row = next(each for each in shell.server.fake.rows["card"].values() if each["name"] == "Cases")
    row["dataset_query"]["native"]["query"] = "select no_such_column"
    ran = shell.run("run")
    assert ran.exit_code == 1
    assert 'column "no_such_column" does not exist' in ran.stdout
    assert ran.stderr == "13 cards were run, 1 failed\n"


def test_misuse_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GNOMON_METABASE_KEY")
    assert isinstance(shell.run("plan").exception, QueryError)
    assert "GNOMON_METABASE_KEY" in str(shell.run("plan").exception)
    monkeypatch.setenv("GNOMON_METABASE_USER", USER)
    monkeypatch.setenv("GNOMON_METABASE_PASSWORD", PASSWORD)
    assert shell.run("plan").exit_code == 1
    monkeypatch.setenv("GNOMON_METABASE_PASSWORD", "other")
    assert isinstance(shell.run("plan").exception, AccessError)
    shell.server.url = "metabase.example.com"
    assert "is no address" in str(shell.run("plan").exception)
    shell.server.url = "https://ana:secret@metabase.example.com"
    assert "--url has a user or a password in it" in str(shell.run("plan").exception)


def test_no_secret_is_ever_printed(shell: Shell) -> None:
    for words in (("plan", "--json"), ("apply", "--json"), ("plan", "--json"), ("destroy", "--json")):
        result = shell.run(*words)
        assert "a secret of the fake" not in result.output
        assert KEY not in result.output
