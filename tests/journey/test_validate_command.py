"""`gnomon ingest validate` as a user meets it: exit codes 0, 1 and 2, the verdict on stdout, words on stderr."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.corruption import Change, put_values
from tests.contract.tiny_set import write_tiny_set
from tests.journey.conftest import run_command

# Within the limit of a table of some 900 accounts, and over that of 3 policies.
BAD_ACCOUNT = put_values("accounts", "signup_channel", {0: "telepathy"})
BAD_POLICY = put_values("policy_versions", "policy_version", {0: 0})


@pytest.fixture(scope="module")
def tiny(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_set(project / "data" / "sample", tmp_path_factory.mktemp("tiny") / "raw")


def cut(folder: Path) -> None:
    path = folder / "orders" / "part-0.parquet"
    path.write_bytes(path.read_bytes()[:100])


CASES: dict[str, tuple[Change, int]] = {
    "clean": (lambda folder: None, 0),
    "findings": (BAD_ACCOUNT, 1),
    "refused_by_limit": (BAD_POLICY, 2),
    "refused_by_structure": (cut, 2),
}


@pytest.mark.parametrize(("name", "case"), CASES.items(), ids=CASES)
def test_the_exit_code_and_the_words_are_those_of_the_decision(
    name: str, case: tuple[Change, int], tiny: Path, tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    change, code = case
    shutil.copytree(tiny, tmp_path / "raw")
    change(tmp_path / "raw")
    run = run_command(["gnomon", "ingest", "validate", "raw", "--out", "out"], folder=tmp_path)
    assert run.returncode == code, run.stderr
    assert (tmp_path / "out").exists() is (code < 2)
    assert (tmp_path / "out" / "quarantine").exists() is (code == 1)
    golden(f"ingest/validate_{name}.txt", f"{run.stdout}--- stderr\n{run.stderr}")


def test_json_is_the_whole_of_stdout(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny, tmp_path / "raw")
    cut(tmp_path / "raw")
    run = run_command(["gnomon", "ingest", "validate", "raw", "--json"], folder=tmp_path)
    document = json.loads(run.stdout)
    assert (run.returncode, document["decision"], document["out"]) == (2, "refused", None)
    assert [finding["rule"] for finding in document["findings"]] == ["broken_parquet"]


def test_misuse_is_one_line_on_stderr_with_exit_code_2(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny, tmp_path / "raw")
    run = run_command(["gnomon", "ingest", "validate", "raw", "--out", "raw/clean"], folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert re.fullmatch(r"error: raw/clean: is inside the batch raw\. .*\n", run.stderr)
