"""Stopping a query that runs, from another thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import duckdb

from gnomon.core.errors import StoppedError

_STOPPED = "the question was stopped before it was answered. Ask for fewer days or groups, or again later."


class Interruption:
    """Stops the queries of one request, those that run and those that have not begun.

    DuckDB forgets an interruption that comes between two steps of a query, so whoever stops one calls `stop`
    again until it has ended.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self.is_stopped = False

    def stop(self) -> None:
        """Interrupt what runs, and let nothing more begin."""
        with self._lock:
            self.is_stopped = True
            if self._cursor is not None:
                self._cursor.interrupt()

    @contextmanager
    def covers(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Let `stop` interrupt what runs on the cursor in this block; StoppedError if it is stopped, or was."""
        with self._lock:
            if self.is_stopped:
                raise StoppedError(_STOPPED)
            self._cursor = cursor
        try:
            yield
        except duckdb.InterruptException:
            raise StoppedError(_STOPPED) from None
        finally:
            with self._lock:
                self._cursor = None
