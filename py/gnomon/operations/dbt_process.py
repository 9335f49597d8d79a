"""dbt in a process of its own, its memory sampled while it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gnomon.core.errors import WarehouseError

# Seconds between two samples; a node shorter than this has the memory of the samples around it.
SAMPLED_EVERY = 0.05
_NODE_KINDS = ("model", "seed", "snapshot")
_TEST_KINDS = ("test", "unit_test")
_GOOD = ("success", "pass", "warn")
_LINES_SHOWN = 12
# The code that macros/materializations.sql gives to a failed test that says which rules are broken.
_TELLS_RULES = "BROKEN_RULES"


@dataclass(frozen=True)
class Sample:
    """Resident memory of a process at a moment (seconds since 1970), in bytes."""

    moment: float
    resident: int


@dataclass(frozen=True)
class DbtRun:
    """One run of dbt. `peaks` is the process's peak memory while each node ran, in bytes; empty if not measured.

    `broken_rules` are those of failed data tests, each with its model, its column and how many rows break it.
    """

    run_id: str | None
    is_good: bool
    built: int
    asked: int
    tests_passed: int
    tests_asked: int
    peaks: Mapping[str, int]
    peak_memory_bytes: int | None
    last_words: str
    broken_rules: tuple[str, ...] = ()


def run_dbt(
    project_dir: Path, target: Path, environ: Mapping[str, str], log: Path, pass_fds: Sequence[int] = ()
) -> DbtRun:
    """Run `dbt build` in `project_dir`; its words go to `log`. WarehouseError if it leaves no results.

    The process keeps the descriptors `pass_fds` open: a lock among them is held until it has ended.
    """
    results = target / "run_results.json"
    results.unlink(missing_ok=True)
    command = [sys.executable, "-m", "dbt.cli.main", "build", "--no-use-colors", "--log-path", str(log.parent)]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command,
            cwd=project_dir,
            env=dict(environ),
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=pass_fds,
        )
        try:
            samples = _watch(process)
        finally:
            process.kill()
            process.wait()
    words = "\n".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_LINES_SHOWN:])
    if not results.is_file():
        raise WarehouseError(f"dbt ended with {process.returncode} before it built anything; {log} says more:\n{words}")
    return read_run(json.loads(results.read_text(encoding="utf-8")), samples, process.returncode, words)


def read_run(document: Mapping[str, Any], samples: Sequence[Sample], exit_code: int, words: str) -> DbtRun:
    """Return what run_results.json says, with the memory of the samples taken meanwhile."""
    results = [(str(result["unique_id"]), result) for result in document["results"]]
    nodes = [result for name, result in results if name.split(".")[0] in _NODE_KINDS]
    tests = [result for name, result in results if name.split(".")[0] in _TEST_KINDS]
    return DbtRun(
        run_id=document["metadata"].get("invocation_id"),
        is_good=exit_code == 0,
        built=sum(result["status"] in _GOOD for result in nodes),
        asked=len(nodes),
        tests_passed=sum(result["status"] in _GOOD for result in tests),
        tests_asked=len(tests),
        peaks={name: peak for name, result in results if (peak := _find_peak(result, samples)) is not None},
        peak_memory_bytes=max((sample.resident for sample in samples), default=None),
        last_words=words,
        broken_rules=tuple(rule for test in tests for rule in _read_broken_rules(test)),
    )


def _read_broken_rules(test: Mapping[str, Any]) -> list[str]:
    said = test.get("adapter_response", {})
    return str(said["_message"]).splitlines() if said.get("code") == _TELLS_RULES else []


def _watch(process: subprocess.Popen[str]) -> list[Sample]:
    samples = []
    while True:
        resident = _read_resident(process.pid)
        if resident is not None:
            samples.append(Sample(datetime.now(UTC).timestamp(), resident))
        try:
            process.wait(SAMPLED_EVERY)
        except subprocess.TimeoutExpired:
            continue
        return samples


def _read_resident(pid: int) -> int | None:
    """Return the resident memory of a process in bytes; None where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return None


def _find_peak(result: Mapping[str, Any], samples: Sequence[Sample]) -> int | None:
    """Return the largest sample from the last one before the node began to the first one after it ended."""
    spans = [(_read_moment(part["started_at"]), _read_moment(part["completed_at"])) for part in result["timing"]]
    moments = [sample.moment for sample in samples]
    if not spans or not moments:
        return None
    first = max(bisect_right(moments, min(start for start, _ in spans)) - 1, 0)
    last = bisect_left(moments, max(end for _, end in spans)) + 1
    return max(sample.resident for sample in samples[first:last] or samples[-1:])


def _read_moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
