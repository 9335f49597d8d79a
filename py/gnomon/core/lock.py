"""One run at a time: a lock file that holds the process id of whoever works."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gnomon.core.errors import WarehouseError


@contextmanager
def hold_lock(path: Path, work: str) -> Iterator[int]:
    """Hold the lock at `path` for the block; WarehouseError names the `work` and the process that holds it.

    The system lets go of the lock when a process ends, however it ends, so none is ever stale. Gives the file's
    descriptor: a process that is handed it (`pass_fds`) keeps the lock until it has ended, too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise WarehouseError(
                f"{path}: another {work} is at work (process {holder}). Wait until it has ended, then run again."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        try:
            yield file.fileno()
        finally:
            file.truncate(0)
