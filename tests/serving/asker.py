"""One client that asks one question, and stops when nobody answers."""

from __future__ import annotations

import json
import time
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException

from tests.generations import POSTS
from tests.serving.soak import WEEKLY, read_stamp

# Seconds in which whatever is waited for has happened, on a machine that has much else to do.
PATIENCE = 60.0


class Asker:
    """Asks the same question again and again until nobody answers, and keeps the stamps of whole answers."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.stamps: list[int] = []

    def ask(self) -> int:
        """Return the stamp of one answer, held to be of one generation."""
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/v1/query", json.dumps(WEEKLY), headers)
        answer = self._connection.getresponse()
        told = json.loads(answer.read())
        assert answer.status == 200, told
        stamp = read_stamp(told["provenance"]["generation"])
        assert {row["stamp"] for row in told["rows"]} == {stamp}, told
        assert sum(row["posts"] for row in told["rows"]) == POSTS
        self.stamps.append(stamp)
        return stamp

    def ask_until_gone(self) -> list[int]:
        with closing(self), suppress(OSError, HTTPException, json.JSONDecodeError):
            while True:
                self.ask()
        return self.stamps

    def close(self) -> None:
        self._connection.close()

    def ask_until(self, stamp: int) -> None:
        """Ask until a generation has been taken up."""
        until = time.monotonic() + PATIENCE
        while self.ask() != stamp:
            assert time.monotonic() < until, f"generation {stamp} is not served"
