"""The journal of publishing: a line of JSON as each phase begins, so that a publish that died says where."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import Enum
from pathlib import Path

FILE_NAME = "journal.jsonl"


class Phase(Enum):
    """What a publish does, in this order; the last three are how it ended."""

    CLEAN = "clean"
    JUDGE = "judge"
    COPY = "copy"
    ROLL_UP = "roll up"
    CHECK = "check"
    SEAL = "seal"
    POINT = "point"
    RETIRE = "retire"
    DONE = "done"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"


class Journal:
    """Appends to the journal in a folder."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._path = folder / FILE_NAME
        self._clock = clock

    def write(self, phase: Phase, about: str = "") -> None:
        """Add a line; `about` is the generation, or what went wrong."""
        at = self._clock().isoformat(sep=" ", timespec="milliseconds")
        line = json.dumps({"at": at, "process": os.getpid(), "phase": phase.value, "about": about})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    @contextmanager
    def tell_failure(self) -> Iterator[None]:
        """Say in the journal that the block failed, if the disk still takes it."""
        try:
            yield
        except BaseException as error:
            with suppress(OSError):
                self.write(Phase.FAILED, str(error))
            raise
