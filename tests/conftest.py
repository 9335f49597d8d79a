"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared"


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root folder."""
    return PROJECT


@pytest.fixture(scope="session")
def real_log() -> Path:
    """The folder of the real short-video log, or a loud skip."""
    folder = SHARED / "data" / "kuairand"
    if not folder.is_dir():
        pytest.skip("the real log is not there: ../shared/data/kuairand, beside the project, is missing")
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a real Postgres, or a loud skip."""
    # Read where it is asked for: most tests need no driver.
    from tests.dialects.postgres import start_server

    with ExitStack() as stack:
        try:
            address = stack.enter_context(start_server())
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            pytest.skip(f"Postgres does not start from its wheel here: {error}")
        yield address


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small generations of three builds, to be copied to Postgres."""
    from tests.copies import fill_shelf

    return fill_shelf(tmp_path_factory.mktemp("shelf"), 1, 2, 3)


@pytest.fixture(scope="session")
def semantic_manifest_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The semantic_manifest.json that dbt writes for this project; manifest.json stands beside it."""
    target = tmp_path_factory.mktemp("parse")
    # A process of its own: dbt changes global state, and its imports warn.
    run = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "parse", "--no-use-colors", "--log-path", str(target / "logs")],
        cwd=PROJECT,
        env={**os.environ, "DBT_TARGET_PATH": str(target), "DBT_PROFILES_DIR": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return target / "semantic_manifest.json"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with tests/golden/NAME; GNOMON_REGENERATE=1 writes it instead."""

    def compare(name: str, text: str) -> None:
        path = PROJECT / "tests" / "golden" / name
        if os.environ.get("GNOMON_REGENERATE") == "1":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"{name} is missing; GNOMON_REGENERATE=1 writes it, then read it"
        assert text == path.read_text(encoding="utf-8")

    return compare
