"""The log of questions: written off the request's path, in batches, and kept through a kill.

An entry goes to a spool file with one write, so that it outlives the process at once. A thread moves spool files
into the database, where an entry's id keeps it from being there twice; what a killed process left is moved by
the next one.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import sqlalchemy as sa

from gnomon.core.errors import WarehouseError
from gnomon.state.database import StateDatabase, question_log

_BATCH_SECONDS = 1.0
_SPOOL = "questions-*.jsonl"
_MOST_WAITING = 10_000


@dataclass(frozen=True)
class Entry:
    """Who asked what, as whom, and what came of it. `asked_at` is UTC; `seconds` until the answer was ready."""

    asked_at: datetime
    caller: str
    role: str
    question: Mapping[str, Any]
    outcome: str
    seconds: float
    reason: str | None = None
    data_version: str | None = None
    definition_version: str | None = None
    row_count: int | None = None
    rollups: tuple[str, ...] = ()
    is_cached: bool = False
    entry_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class Counted:
    """A question as a role asked it: how often an answer was made, and the seconds that it took on average."""

    question: Mapping[str, Any]
    role: str
    count: int
    seconds: float


def count_questions(database: StateDatabase) -> tuple[Counted, ...]:
    """Return the questions of the log for which rows were read, those that were stopped among them, the oldest first.

    Who asked is not looked at. What was kept already, and what was planned only, cost nothing and is left out.
    """
    log = question_log.c
    made = sa.and_(log.is_cached.is_(False), log.outcome == "answered", log.row_count.is_not(None))
    query = (
        sa.select(log.question, log.role, sa.func.count().label("times"), sa.func.avg(log.seconds).label("seconds"))
        .where(sa.or_(made, log.outcome == "stopped"))
        .group_by(log.question, log.role)
        .order_by(sa.func.min(log.asked_at), log.question, log.role)
    )
    with database.begin() as connection:
        rows = connection.execute(query).all()
    return tuple(Counted(json.loads(row.question), row.role, row.times, float(row.seconds)) for row in rows)


class QuestionLog:
    """Appends entries; one per process and spool folder. Safe to share between threads.

    `lost` counts the entries that nobody will find in the database.
    """

    def __init__(self, database: StateDatabase, spool: Path) -> None:
        self._database = database
        self._folder = spool
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        # Lines that the disk did not take yet.
        self._waiting: deque[bytes] = deque()
        try:
            spool.mkdir(parents=True, exist_ok=True)
            self._spool = _Spool.open(spool)
        except OSError as error:
            raise WarehouseError(f"{spool}: the log of questions cannot be written: {error.strerror}.") from None
        self.lost = 0
        self._mover = threading.Thread(target=self._move_until_closed, name="gnomon-question-log", daemon=True)
        self._mover.start()

    @property
    def waiting(self) -> int:
        """How many entries the disk has not taken yet."""
        return len(self._waiting)

    def add(self, entry: Entry) -> None:
        """Keep an entry; it is in the spool when this returns, and in the database within seconds.

        While the disk takes nothing, entries wait in memory, and the oldest are lost once many do.
        """
        texts = {"question": json.dumps(entry.question, default=str), "rollups": json.dumps(entry.rollups)}
        line = json.dumps({**vars(entry), **texts, "asked_at": entry.asked_at.isoformat()})
        with self._lock:
            self._waiting.append(line.encode() + b"\n")
            self._write_waiting()
            if len(self._waiting) > _MOST_WAITING:
                self._waiting.popleft()
                self.lost += 1

    def read(self, limit: int = 100) -> list[dict[str, Any]]:
        """Return the newest entries that have reached the database, newest first."""
        newest = sa.select(question_log).order_by(question_log.c.asked_at.desc(), question_log.c.entry_id).limit(limit)
        with self._database.begin() as connection:
            rows = [dict(row) for row in connection.execute(newest).mappings()]
        for row in rows:
            row["question"], row["rollups"] = json.loads(row["question"]), json.loads(row["rollups"])
        return rows

    def flush(self) -> None:
        """Move all that is in the spool into the database now; WarehouseError if that cannot be."""
        try:
            with self._lock:
                self._write_waiting()
                if self._spool.size:
                    full, self._spool = self._spool, _Spool.open(self._folder)
                    full.close()
            for path in sorted(self._folder.glob(_SPOOL)):
                self._move(path)
        except OSError as error:
            raise WarehouseError(f"{self._folder}: the log of questions cannot be moved: {error.strerror}.") from None

    def close(self) -> None:
        """Move what is left and let go of the spool."""
        self._is_closed.set()
        self._mover.join()
        with suppress(WarehouseError):
            self.flush()
        with self._lock:
            self.lost += len(self._waiting)
            if not self._spool.size:
                self._spool.path.unlink(missing_ok=True)
            self._spool.close()

    def _write_waiting(self) -> None:
        while self._waiting and self._spool.write(self._waiting[0]):
            self._waiting.popleft()

    def _move_until_closed(self) -> None:
        while not self._is_closed.wait(_BATCH_SECONDS):
            # The database may be away for a while; the spool keeps all until it is back.
            with suppress(WarehouseError):
                self.flush()

    def _move(self, path: Path) -> None:
        try:
            file = path.open(encoding="utf-8")
        except FileNotFoundError:
            return
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            rows = list(self._read_spool(file))
            if rows:
                with self._database.begin() as connection:
                    connection.execute(self._database.insert_new(question_log), rows)
            with suppress(FileNotFoundError):
                os.unlink(path)

    def _read_spool(self, file: TextIO) -> Iterator[dict[str, Any]]:
        for line in file:
            try:
                row = json.loads(line)
                row["asked_at"] = datetime.fromisoformat(row["asked_at"])
            except (ValueError, KeyError):
                # The last line of a process that was killed while it wrote: it had not been answered.
                self.lost += 1
                continue
            yield row


@dataclass
class _Spool:
    """A file that lines are added to. It is locked while its process lives: another one moves what nobody holds."""

    path: Path
    descriptor: int
    size: int = 0

    @classmethod
    def open(cls, folder: Path) -> _Spool:
        while True:
            path = folder / f"questions-{uuid.uuid4().hex}.jsonl"
            opened = cls(path, os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666))
            fcntl.flock(opened.descriptor, fcntl.LOCK_EX)
            # Who moves files may have come before the lock, and have removed this one, which was empty.
            if path.exists():
                return opened
            opened.close()

    def write(self, line: bytes) -> bool:
        """Add a line with one call; tell whether the disk took all of it. It never keeps a part."""
        with suppress(OSError):
            written = os.write(self.descriptor, line)
            if written == len(line):
                self.size += written
                return True
            os.ftruncate(self.descriptor, self.size)
        return False

    def close(self) -> None:
        os.close(self.descriptor)
