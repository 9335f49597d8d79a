"""A load generator: clients that each keep one connection and ask again as soon as they are answered.

It speaks just as much HTTP/1.1 as it needs, so that it is not what is measured: `benchmarks/serving.py` prints what it
reaches against a server that does nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from types import MappingProxyType
from typing import Any, cast

import uvloop

Headers = Mapping[str, str]
# In a request it stands for a number that no other request has.
ANEW = "000000000000"


@dataclass(frozen=True)
class Answer:
    """What came back, and the seconds from the first byte sent to the last byte read. Names of headers are lower."""

    status: int
    headers: Headers
    body: bytes
    seconds: float


@dataclass(frozen=True)
class Measured:
    """Answers in a second, and seconds that half of them and 99 of 100 did not take longer than."""

    clients: int
    rate: float
    p50: float
    p99: float


def write_request(path: str, body: Any = None, headers: Headers = MappingProxyType({})) -> bytes:
    """Return the bytes of a GET, or of a POST where there is a body."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Connection(asyncio.Protocol):
    """One connection that is kept; one question at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._waiting: asyncio.Future[Answer] | None = None
        self._begun = 0.0
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        _, opened = await asyncio.get_running_loop().create_connection(cls, host, port)
        return opened

    async def ask(self, request: bytes) -> Answer:
        """Send a request and return its answer; ConnectionError where the server has gone."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError("the server has closed the connection")
        self._waiting = asyncio.get_running_loop().create_future()
        self._begun = perf_counter()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own is no subclass.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError(f"the server went away: {exc}"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        status = int(first.split(" ", 2)[1])
        length = 0 if status == 304 else int(headers["content-length"])
        if len(rest) < length:
            return
        self._buffer = b""
        assert len(rest) == length, "more came than was asked for"
        assert self._waiting is not None
        self._waiting.set_result(Answer(status, headers, rest, perf_counter() - self._begun))


def find_percentile(seconds: Sequence[float], share: float) -> float:
    """Return the value that a share of all are not above."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(port: int, requests: Sequence[bytes], holds: bytes, clients: int, seconds: float) -> Measured:
    """Let clients of a process of their own ask in turn; every answer must be 200 and hold some bytes."""
    told = {
        "port": port,
        "requests": [request.decode("latin-1") for request in requests],
        "holds": holds.decode("latin-1"),
        "clients": clients,
        "seconds": seconds,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.serving.load"],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Measured(**json.loads(done.stdout))


async def _ask(port: int, requests: Sequence[str], holds: str, clients: int, seconds: float) -> Measured:
    numbers, taken = itertools.count(1), array("d")
    begun = perf_counter() + min(1.0, seconds / 4)
    ends, held = begun + seconds, holds.encode("latin-1")

    async def be(place: int) -> None:
        connection = await Connection.open("127.0.0.1", port)
        for request in itertools.islice(itertools.cycle(requests), place, None):
            answer = await connection.ask(request.replace(ANEW, f"{next(numbers):012}").encode("latin-1"))
            assert answer.status == 200 and held in answer.body, answer  # noqa: PT018
            now = perf_counter()
            if now >= ends:
                break
            # What was asked while it got warm is not counted.
            if now - answer.seconds >= begun:
                taken.append(answer.seconds)
        connection.close()

    await asyncio.gather(*map(be, range(clients)))
    assert taken, "not one answer came in that time"
    return Measured(clients, len(taken) / seconds, find_percentile(taken, 0.5), find_percentile(taken, 0.99))


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(_ask(**json.load(sys.stdin))))))
