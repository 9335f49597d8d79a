"""Admission: so many questions run, so many wait, and the others are told when to come back."""

from __future__ import annotations

import asyncio
import math
import time

from gnomon.core.errors import GnomonError

_FIRST_GUESS_SECONDS = 1.0
# How much the newest question counts in the mean of what one takes.
_WEIGHT = 0.1


class BusyError(GnomonError):
    """More questions wait than may; `seconds` is when to ask again."""

    def __init__(self, text: str, seconds: int) -> None:
        super().__init__(text)
        self.seconds = seconds


class Gate:
    """An asynchronous context in which one of `running` places is held; BusyError where `waiting` wait already."""

    def __init__(self, running: int, waiting: int) -> None:
        self._places = asyncio.Semaphore(running)
        self._running = running
        self._most_waiting = waiting
        self._mean_seconds = _FIRST_GUESS_SECONDS
        self.waiting = 0
        self._begun: dict[asyncio.Task[object] | None, float] = {}

    async def __aenter__(self) -> None:
        if self._places.locked() and self.waiting >= self._most_waiting:
            seconds = max(1, math.ceil(self._mean_seconds * (self.waiting + 1) / self._running))
            raise BusyError(f"{self.waiting} questions wait already. Ask again in {seconds} s.", seconds)
        self.waiting += 1
        try:
            await self._places.acquire()
        finally:
            self.waiting -= 1
        self._begun[asyncio.current_task()] = time.monotonic()

    async def __aexit__(self, *_: object) -> None:
        self._places.release()
        seconds = time.monotonic() - self._begun.pop(asyncio.current_task())
        self._mean_seconds += _WEIGHT * (seconds - self._mean_seconds)
