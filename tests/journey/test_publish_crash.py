"""Publishing that dies, on any moment or any fault of the disk: the last good generation is served, none is half."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from gnomon.engine import EngineHouse
from gnomon.publish import Effect, publish
from gnomon.publish.journal import FILE_NAME, Phase
from tests.generations import Small, build_small

# Phases in which a publish can be killed; the others end it.
PHASES = tuple(phase.value for phase in Phase)[:8]
FEW = ("judge", "copy", "check", "point")
NIGHTLY_KILLS = 100
KEEP = 2
PUBLISH = """
import sys
from pathlib import Path
from gnomon.publish import publish
publish(Path(sys.argv[1]), keep=2, free_space=lambda folder: 10**12, environ={})
"""

# In a mount namespace of its own: disks of 16 MB for generations and of 32 MB for what serving writes. Both are filled,
# and then the first is read-only. Clients ask all the while.
SMALL_DISKS = """
import os, subprocess, sys
from contextlib import closing, suppress
from pathlib import Path
from gnomon.core.errors import WarehouseError
from gnomon.publish import publish
from tests.generations import build_small
from tests.journey.test_publish_crash import check_served
from tests.serving.asker import Asker
from tests.serving.conftest import make_key, make_served
from tests.serving.process import run_server
from tests.serving.soak import run_clients

project = Path(sys.argv[1])
folder, state = project / "target" / "generations", project / "state"

def mount(path, *words):
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", *words, str(path)], check=True)

def fill(disk, free):
    space = os.statvfs(disk)
    # Who else writes there may take the last of it.
    with suppress(OSError):
        (disk / "filler").write_bytes(bytes(space.f_bavail * space.f_frsize - free))

def attempt(said, stamp):
    build_small(project, stamp + 1)
    try:
        publish(project, environ={}, free_space=lambda _: 10**12)
    except WarehouseError as error:
        assert said in str(error), error
    else:
        raise AssertionError("it was published on a full disk")
    check_served(project, stamp)
    assert not [path for path in folder.iterdir() if path.name.startswith(".making")]

mount(folder, "-t", "tmpfs", "-o", "size=16m", "tmpfs")
mount(state, "-t", "tmpfs", "-o", "size=32m", "tmpfs")
make_served(project, free_space=lambda _: 10**12)
with run_server(project, "--anonymous", "owner") as server:
    with run_clients(server.port, 4, make_key(project)) as report:
        for free in (0, 1_000_000, 2_500_000):
            fill(folder, free)
            attempt("o space left on device", 1)
            (folder / "filler").unlink()
        fill(state, 0)
        publish(project, environ={}, free_space=lambda _: 10**12)
        check_served(project, 2)
        (state / "filler").unlink()
        mount(folder, "-o", "remount,ro")
        attempt("Read-only file system", 2)
        with closing(Asker(server.port)) as asker:
            asker.ask_until(2)
assert (server.said, report.faults) == ([], []), (server.said, report.faults)
assert set(report.stamps) == {1, 2}, report.stamps
print("served throughout")
"""


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DBT_TARGET_PATH", "GNOMON_DATABASE", "GNOMON_GENERATIONS"):
        monkeypatch.delenv(name, raising=False)


def check_served(project: Path, *stamps: int) -> int:
    """Ask as a new reader does: the answer is whole, of one of these builds, and the one that it says it is of."""
    house = EngineHouse(project)
    with house.engine() as engine:
        result = engine.query(["stamp", "posts"], ["metric_time__week"])
        assert set(result.to_arrow().column("stamp").to_pylist()) <= {float(stamp) for stamp in stamps}
        assert engine.plan(["posts"], ["metric_time__week"]).rollups
        stamp = int(str(result.provenance.generation).rsplit("-", 1)[1], 16)
        assert result.to_arrow().column("stamp")[0].as_py() == stamp
        assert (Path(engine._warehouse.path).parent / "manifest.json").is_file()
    house.close()
    return stamp


def read_journal(small: Small) -> list[dict[str, str]]:
    path = small.generations.folder / FILE_NAME
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def start(small: Small) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PUBLISH, str(small.project)], stderr=subprocess.PIPE)


def measure_phases(small: Small) -> dict[str, float]:
    """Seconds that each phase of an undisturbed publish took."""
    publish(small.project, keep=KEEP, environ={})
    lines = read_journal(small)
    moments = [datetime.fromisoformat(line["at"]) for line in lines]
    return {
        line["phase"]: (after - before).total_seconds()
        for line, before, after in zip(lines, moments, moments[1:], strict=False)
    }


def kill_in(
    small: Small, phase: str, seconds: float, kill: Callable[[subprocess.Popen[bytes]], None] = subprocess.Popen.kill
) -> str:
    """Publish in a process of its own, kill so long after a phase began, and return the phase that it was in.

    `kill` is given the publishing process, and may kill another one with it or in its place.
    """
    before = len(read_journal(small))
    with start(small) as process:

        def has_begun() -> bool:
            return any(line["phase"] == phase for line in read_journal(small)[before:])

        while process.poll() is None and not has_begun():
            _wait(process, 0.0003)
        _wait(process, seconds)
        kill(process)
        hit = read_journal(small)[-1]["phase"]
        process.wait()
    return hit


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def check_kills(project: Path, phases: Sequence[str], seed: int) -> Counter[str]:
    rng = random.Random(seed)
    small = build_small(project, 1)
    spans = measure_phases(small)
    house, served, hits = EngineHouse(project), 1, Counter[str]()
    for stamp, phase in enumerate(phases, start=2):
        small = build_small(project, stamp)
        hits[kill_in(small, phase, rng.uniform(0, spans[phase]))] += 1
        # A reader that starts now, and one that was there all the while.
        served = check_served(project, served, stamp)
        with house.engine() as engine:
            assert engine.query(["stamp"]).to_arrow().column("stamp").to_pylist() == [float(served)]
        service = small.generations.read_service()
        assert service is not None
        assert set(service.kept) <= set(small.generations.list_whole())
        # The next publish serves the new build and leaves nothing lying about.
        done = publish(project, keep=KEEP, environ={})
        assert done.effect in (Effect.PUBLISHED, Effect.NOTHING_NEW)
        served = check_served(project, stamp)
        service = small.generations.read_service()
        assert service is not None
        assert small.generations.list_leftovers() == ()
        assert set(small.generations.list_whole()) - set(service.kept) <= set(done.held)
    house.close()
    print(f"\nkilled in: {', '.join(f'{phase} {hits[phase]}' for phase in (*PHASES, 'done'))}")
    return hits


def test_a_publish_that_is_killed_leaves_the_last_good_generation_in_service(tmp_path: Path) -> None:
    assert sum(check_kills(tmp_path, FEW, seed=5).values()) == len(FEW)


@pytest.mark.nightly
def test_a_publish_that_is_killed_a_hundred_times_does_so_in_every_phase(tmp_path: Path) -> None:
    phases = [PHASES[number % len(PHASES)] for number in range(NIGHTLY_KILLS)]
    assert set(check_kills(tmp_path, phases, seed=6)) >= set(PHASES)


# A limit on the size of files stops DuckDB and Python alike, as a full disk does, without being root.
@pytest.mark.parametrize("size", [100, 800_000, 3_500_000])
def test_a_file_that_cannot_grow_leaves_the_last_good_generation_in_service(tmp_path: Path, size: int) -> None:
    publish(build_small(tmp_path, 1).project, environ={})
    small = build_small(tmp_path, 2)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    command = [sys.executable, "-c", PUBLISH, str(tmp_path)]
    run = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "File too large" in run.stderr
    assert "WarehouseError" in run.stderr
    assert check_served(tmp_path, 1) == 1
    assert small.generations.list_leftovers() == ()
    assert publish(tmp_path, environ={}).effect is Effect.PUBLISHED
    assert check_served(tmp_path, 2) == 2


def test_full_and_read_only_disks_leave_the_last_good_generation_in_service_and_stop_no_answer(
    tmp_path: Path, project: Path
) -> None:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("a disk of its own cannot be mounted here; the limit on the size of files is tested above")
    run = subprocess.run(
        ["unshare", "-rm", sys.executable, "-c", SMALL_DISKS, str(tmp_path)],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == "served throughout\n"
