"""Projects built once for all tests: the sample, and the real log where it is there."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journey.shown_copy import Shown, show_copy
from tests.serving.process import run_server

BIN = Path(sys.executable).parent
HASH_KEY = "a-key-for-tests-only"


@dataclass(frozen=True)
class Built:
    """A finished build: where its artefacts and working file are, and the raw set it read."""

    target: Path
    raw: Path

    @property
    def database(self) -> Path:
        return self.target / "gnomon.duckdb"

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "DBT_TARGET_PATH": str(self.target), "GNOMON_RAW": str(self.raw)}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment over this build, from the project's folder."""
        return run_command(command, self.environ)


Run = Callable[..., subprocess.CompletedProcess[str]]


def run_command(
    command: Sequence[str], environ: dict[str, str] | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment in `folder`, by default the project's."""
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=folder or Path(__file__).resolve().parents[2],
        env={**(environ or os.environ), "GNOMON_HASH_KEY": HASH_KEY},
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def serve(built: Built, project: Path, *options: str) -> Iterator[str]:
    """Serve a build at a free port, with the roles and the state of the folder `project`; give the address."""
    with run_server(project, *options, environ=built.environ) as server:
        yield server.address


@pytest.fixture(scope="session")
def built_sample(project: Path, shared_folder: Path) -> Built:
    """data/sample without its truth, built with all of dbt's own tests: nothing may need what really is so."""
    raw = shared_folder / "raw_sample"
    with _lock(shared_folder / "raw_sample.lock"):
        if not raw.exists():
            shutil.copytree(project / "data" / "sample", raw, ignore=shutil.ignore_patterns("truth"))
    return _build_once(Built(shared_folder / "sample", raw), "build")


@pytest.fixture(scope="module")
def shown(built_sample: Built, postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The sample in a serving copy on a real Postgres, and what is to be in Metabase for it."""
    with show_copy(built_sample.database, postgres_server, tmp_path_factory.mktemp("shown")) as found:
        yield found


@pytest.fixture(scope="session")
def built_real_log(real_log: Path, shared_folder: Path) -> Built:
    """The real log, mapped and built with all of dbt's own tests."""
    raw = shared_folder / "kuairand"
    with _lock(shared_folder / "kuairand.lock"):
        if not raw.exists():
            mapped = run_command(["gnomon", "ingest", "kuairand", str(real_log), "--out", str(raw)])
            assert mapped.returncode == 0, mapped.stderr
    return _build_once(Built(shared_folder / "real", raw), "build")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One folder for all processes of a test run, so that nothing is built twice."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "built"
    folder.mkdir(exist_ok=True)
    return folder


def _build_once(built: Built, command: str) -> Built:
    with _lock(built.target.with_suffix(".lock")):
        if not (built.target / "done").exists():
            built.target.mkdir()
            run = built.run("dbt", command, "--no-use-colors", "--log-path", str(built.target / "logs"))
            assert run.returncode == 0, run.stdout[-3000:]
            (built.target / "done").touch()
    return built


class _lock:  # noqa: N801
    """Hold a lock file: the first process builds, the others wait and find it done."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()
