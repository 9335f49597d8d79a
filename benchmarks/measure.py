"""Timing two things in turn, so that a machine that slows down slows both."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """Medians in seconds of ours and of what stands beside it."""

    name: str
    ours: float
    beside: str
    theirs: float

    def __str__(self) -> str:
        return (
            f"{self.name:<44} {_show(self.ours)}   {self.beside:<34} {_show(self.theirs)}   "
            f"ratio {self.ours / self.theirs:8.3f}"
        )


def compare(
    name: str, ours: Callable[[], object], beside: str, theirs: Callable[[], object], runs: int = 15
) -> Comparison:
    """Run both in turn, once uncounted and then `runs` times; return the medians."""
    ours()
    theirs()
    pairs = [(_time(ours), _time(theirs)) for _ in range(runs)]
    return Comparison(
        name, statistics.median(mine for mine, _ in pairs), beside, statistics.median(other for _, other in pairs)
    )


def run_process(*command: str) -> Callable[[], object]:
    """Return a function that runs a whole process and fails if it does."""
    return lambda: subprocess.run(command, check=True, capture_output=True)


def _time(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def _show(seconds: float) -> str:
    return f"{seconds * 1000:10.2f} ms"
