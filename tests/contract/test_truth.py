"""What really is so stays apart: only the simulator writes it, and nothing that builds or trains reads it."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gnomon.core.contract import read_contract

PROJECT = Path(__file__).parents[2]
SAMPLE = PROJECT / "data" / "sample"
# Rooms and folders whose code makes tables, features, scores or answers.
READERS = ("models", "macros", "metrics", "analyses", "seeds", "py/gnomon")
# The simulator writes it; the door and the fingerprint must know that the folder is no table.
KNOWS = (
    "py/gnomon/simulate/",
    "py/gnomon/ingest/",
    "py/gnomon/operations/fingerprint.py",
    "py/gnomon/serve/simulate_commands.py",
)
A_PATH = re.compile(r"""truth[/\\]|["']truth["']""")


def list_readers() -> list[Path]:
    files = [
        path
        for folder in READERS
        for path in sorted((PROJECT / folder).rglob("*"))
        if path.suffix in {".py", ".sql", ".yml", ".csv"}
    ]
    return [path for path in files if not path.relative_to(PROJECT).as_posix().startswith(KNOWS)]


def test_no_code_that_builds_or_trains_names_the_folder_of_the_truth() -> None:
    files = list_readers()
    assert len(files) > 200
    assert [path for path in files if A_PATH.search(path.read_text(encoding="utf-8"))] == []


def test_the_door_names_the_folder_only_to_leave_it_out() -> None:
    found = [
        (path.name, line.strip())
        for path in sorted((PROJECT / "py/gnomon/ingest").glob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if A_PATH.search(line)
    ]
    assert {name for name, _ in found} <= {"check.py", "layout.py"}, found


def test_the_sources_of_dbt_are_the_tables_of_the_contract_and_cannot_reach_the_truth() -> None:
    text = (PROJECT / "models/staging/_sources.yml").read_text(encoding="utf-8")
    patterns = re.findall(r"read_(?:parquet|json)\('([^']*(?:'[^']*'[^']*'[^']*')?[^']*)'\)", text)
    assert patterns
    assert all(pattern.endswith(("/{name}/*.parquet", "/raw_set.json")) for pattern in patterns)
    assert "truth" not in read_contract().tables


@pytest.mark.parametrize("path", sorted((SAMPLE / "truth").glob("*.parquet")), ids=lambda path: path.stem)
def test_a_column_of_the_truth_is_in_no_raw_table(path: Path) -> None:
    raw = {column.name for table in read_contract().tables.values() for column in table.columns}
    keys = {"account_id", "content_id", "enforcement_id", "policy_id"}
    assert set(pq.read_schema(path).names) & raw <= keys
