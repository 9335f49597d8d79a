"""What is kept for whoever asks the same again: bounded by bytes, and made once however many ask at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from gnomon.core.errors import StoppedError
from gnomon.engine.result import Result
from gnomon.planner import Hiding

DEFAULT_BYTES = 256 * 2**20
# What an entry takes beside what is counted: its key, and the objects around its rows.
_OVERHEAD_BYTES = 4096

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True)
class AnswerKey:
    """All that an answer hangs on. Two questions with one key have one answer; nothing less is ever a key."""

    definition_version: str
    data_version: str
    role: str
    sql: str
    metrics: tuple[str, ...]
    rollups: tuple[str, ...]
    hiding: Hiding | None = None


class Cache(Generic[Key, Value]):
    """Keeps the values asked for last, up to `most_bytes` by `measure`; safe to share between threads."""

    def __init__(self, measure: Callable[[Value], int], most_bytes: int = DEFAULT_BYTES) -> None:
        self.most_bytes = most_bytes
        self._measure = measure
        self._kept: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._under_way: dict[Key, Future[Value]] = {}
        self._lock = Lock()
        self.bytes = 0
        self.hits = 0
        self.misses = 0

    def find(self, key: Key) -> Value | None:
        """Return the value that is kept, and count whether there was one."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                self.misses += 1
                return None
            self._kept.move_to_end(key)
            self.hits += 1
            return found[0]

    def make(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return the value that is kept, or is being made for somebody else; else make it and keep it.

        Who waits for somebody else's gets its error, too: it would be its own, unless that one was stopped.
        """
        while True:
            with self._lock:
                if key in self._kept:
                    return self._kept[key][0]
                waited_for = self._under_way.get(key)
                if waited_for is None:
                    mine = self._under_way[key] = Future[Value]()
                    break
            with suppress(StoppedError):
                return waited_for.result()
        try:
            made = make()
        except BaseException as error:
            with self._lock:
                del self._under_way[key]
            mine.set_exception(error)
            raise
        with self._lock:
            del self._under_way[key]
            self._keep(key, made)
        mine.set_result(made)
        return made

    def keep(self, key: Key, made: Value) -> None:
        """Keep a value that was made elsewhere."""
        with self._lock:
            self._keep(key, made)

    def forget(self, is_over: Callable[[Key], bool]) -> None:
        """Let go of the values that nobody will ask for again."""
        with self._lock:
            for key in [key for key in self._kept if is_over(key)]:
                self.bytes -= self._kept.pop(key)[1]

    def _keep(self, key: Key, made: Value) -> None:
        self.bytes -= self._kept.pop(key, (made, 0))[1]
        size = self._measure(made) + _OVERHEAD_BYTES
        if size > self.most_bytes:
            return
        self._kept[key] = made, size
        self.bytes += size
        while self.bytes > self.most_bytes:
            _, (_, freed) = self._kept.popitem(last=False)
            self.bytes -= freed


class AnswerCache(Cache[AnswerKey, Result]):
    """Keeps answers, by the bytes of their rows and of their SQL."""

    def __init__(self, most_bytes: int = DEFAULT_BYTES) -> None:
        super().__init__(lambda result: result.table.nbytes + len(result.sql), most_bytes)
