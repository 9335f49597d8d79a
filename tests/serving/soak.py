"""Clients that ask all the while, in a process of their own, and hold each answer to be of the generation it names.

Each post of the build with stamp K has K views (tests/generations.py), and a generation's id ends with its stamp: in
whatever form, and of whatever rows, views / posts = K in an answer that comes from one generation alone.
"""

from __future__ import annotations

import asyncio
import csv
import json
import random
import subprocess
import sys
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from tests.generations import CREATORS, POSTS
from tests.serving.load import Answer, Connection, find_percentile, write_request

GOLD_POSTS = sum(number % CREATORS % 4 == 0 for number in range(POSTS))
WEEKLY: dict[str, Any] = {
    "metrics": ["stamp", "posts", "views"],
    "group_by": ["metric_time__week"],
    "order_by": ["metric_time__week"],
}
ADDRESS = "/v1/query?metrics=stamp&metrics=posts&metrics=views&group_by=metric_time__week"
PAGED = {**WEEKLY, "group_by": ["metric_time__week", "post__kind"], "page_size": 10}
Rows = Sequence[Mapping[str, Any]]


@dataclass
class Report:
    """What the clients of a process saw: answers by kind and status, seconds of each kind, and what was wrong."""

    answers: Counter[str] = field(default_factory=Counter)
    stamps: Counter[int] = field(default_factory=Counter)
    seconds: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def find_percentile(self, share: float) -> float:
        """Return the seconds that a share of all answers did not take longer than."""
        return find_percentile([each for kind in self.seconds.values() for each in kind], share)


@dataclass
class Client:
    """One of them. What it has seen never goes back: the data of its next answer is as new, or newer."""

    connection: Connection
    report: Report
    rng: random.Random
    headers: Mapping[str, str]
    posts: int
    newest: int = 0
    # What stood for the kept answer, and its generation.
    etag: tuple[str, int] = ("", 0)

    async def ask(self, kind: str, path: str, body: Any = None, headers: Mapping[str, str] = {}) -> Answer:
        answer = await self.connection.ask(write_request(path, body, {**self.headers, **headers}))
        self.report.answers[f"{kind} {answer.status}"] += 1
        self.report.seconds.setdefault(kind, array("f")).append(answer.seconds)
        return answer

    def hold(self, answer: Answer, rows: Rows, named: str | None = None) -> int:
        """Hold rows to be of one generation: the one that the header, and what stands beside the rows, name."""
        assert answer.status == 200, answer
        generation = answer.headers["x-gnomon-data-version"]
        assert named in (None, generation), (named, generation)
        stamp = read_stamp(generation)
        for row in rows:
            assert float(row["stamp"]) == stamp, (generation, row)
            assert int(row["views"]) == stamp * int(row["posts"]), (generation, row)
        assert stamp >= self.newest, f"generation {stamp} after {self.newest}"
        self.newest = stamp
        self.report.stamps[stamp] += 1
        return stamp

    def hold_all(self, answer: Answer, rows: Rows, named: str | None = None) -> int:
        """Hold rows to be all there are, too."""
        assert sum(int(row["posts"]) for row in rows) == self.posts, rows
        return self.hold(answer, rows, named)

    async def ask_kept(self) -> None:
        answer = await self.ask("kept", "/v1/query", WEEKLY)
        told = json.loads(answer.body)
        stamp = self.hold_all(answer, told["rows"], told["provenance"]["generation"])
        assert told["provenance"]["rollups"], told
        self.etag = answer.headers["etag"], stamp

    async def ask_by_address(self) -> None:
        answer = await self.ask("address", ADDRESS)
        self.hold_all(answer, json.loads(answer.body)["rows"])

    async def ask_anew(self) -> None:
        where = (
            f"{{{{ Dimension('post__kind') }}}} is null or {{{{ Dimension('post__kind') }}}} != '{self.rng.random()}'"
        )
        answer = await self.ask("new", "/v1/query", {**WEEKLY, "where": [where]})
        told = json.loads(answer.body)
        self.hold_all(answer, told["rows"], told["provenance"]["data_version"])

    async def ask_tables(self) -> None:
        asked = {"metrics": ["median_views", "stamp", "posts", "views"], "group_by": ["creator__tier"]}
        answer = await self.ask("tables", "/v1/query", asked)
        rows = json.loads(answer.body)["rows"]
        stamp = self.hold_all(answer, rows)
        assert {row["median_views"] for row in rows} == {stamp}, rows

    async def ask_csv(self) -> None:
        answer = await self.ask("csv", "/v1/query", {**WEEKLY, "format": "csv"})
        self.hold_all(answer, list(csv.DictReader(answer.body.decode().splitlines())))

    async def ask_arrow(self) -> None:
        answer = await self.ask("arrow", "/v1/query", {**WEEKLY, "format": "arrow"})
        table = pa.ipc.open_stream(answer.body).read_all()
        beside = json.loads(table.schema.metadata[b"gnomon"])
        self.hold_all(answer, table.to_pylist(), beside["provenance"]["generation"])

    async def ask_again(self) -> None:
        """What is as it was is not sent again, and what has changed is."""
        etag, before = self.etag
        answer = await self.ask("again", "/v1/query", WEEKLY, {"If-None-Match": etag})
        if answer.status == 304:
            assert answer.headers["etag"] == etag
            assert before >= self.newest, f"generation {before} after {self.newest}"
            return
        stamp = self.hold_all(answer, json.loads(answer.body)["rows"])
        assert stamp > before
        self.etag = answer.headers["etag"], stamp

    async def ask_pages(self) -> None:
        """Pages are of one answer, or the next one is gone."""
        rows: list[Mapping[str, Any]] = []
        cursor, stamps = None, set()
        while cursor is not None or not rows:
            answer = await self.ask("page", "/v1/query", {**PAGED, "cursor": cursor})
            if answer.status == 410:
                return
            told = json.loads(answer.body)
            stamps.add(self.hold(answer, told["rows"], told["provenance"]["generation"]))
            rows, cursor = [*rows, *told["rows"]], told["next_cursor"]
        assert len(stamps) == 1, stamps
        assert sum(row["posts"] for row in rows) == self.posts, rows

    async def ask_ready(self) -> None:
        answer = await self.ask("ready", "/v1/ready")
        told = json.loads(answer.body)
        assert told["is_ready"], told
        stamp = read_stamp(told["data_version"])
        assert stamp >= self.newest
        self.newest = stamp

    async def ask_values(self) -> None:
        answer = await self.ask("values", "/v1/values/creator__tier")
        assert set(json.loads(answer.body)["values"]) == {"gold"} | ({"new"} if self.posts == POSTS else set())

    def choose(self) -> Callable[[], Awaitable[None]]:
        asks = {
            self.ask_kept: 60,
            self.ask_again: 10,
            self.ask_anew: 8,
            self.ask_tables: 5,
            self.ask_by_address: 5,
            self.ask_csv: 4,
            self.ask_arrow: 3,
            self.ask_pages: 2,
            self.ask_ready: 2,
            self.ask_values: 1,
        }
        return self.rng.choices(list(asks), list(asks.values()))[0]


def read_stamp(generation_id: str) -> int:
    return int(generation_id.rsplit("-", 1)[1], 16)


async def soak(port: int, clients: int, key: str, is_over: asyncio.Event) -> Report:
    """Let clients ask until it is over; every other one has a key, of a role that sees gold creators' posts only."""
    report = Report()

    async def be(number: int) -> None:
        connection = await Connection.open("127.0.0.1", port)
        headers = {"Authorization": f"Bearer {key}"} if number % 2 else {}
        posts = GOLD_POSTS if number % 2 else POSTS
        client = Client(connection, report, random.Random(number), headers, posts)
        while not is_over.is_set() and not report.faults:
            ask = client.choose()
            try:
                await ask()
            except Exception as error:
                report.faults.append(f"client {number}, {ask.__name__}: {error!r}")
        connection.close()

    await asyncio.gather(*map(be, range(clients)))
    return report


@contextmanager
def run_clients(port: int, clients: int, key: str) -> Iterator[Report]:
    """Let clients ask for as long as the block lasts; the report is filled at its end."""
    command = [sys.executable, "-m", "tests.serving.soak", str(port), str(clients), key]
    report = Report()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield report
        except BaseException:
            process.kill()
            raise
        told = json.loads(process.communicate()[0])
    report.answers.update(told["answers"])
    report.stamps.update({int(stamp): count for stamp, count in told["stamps"].items()})
    report.seconds.update(told["seconds"])
    report.faults.extend(told["faults"])


async def _main(port: str, clients: str, key: str) -> None:
    is_over = asyncio.Event()
    # Who started this closes its stdin to end it.
    asyncio.get_running_loop().add_reader(sys.stdin, is_over.set)
    report = await soak(int(port), int(clients), key, is_over)
    told = vars(report) | {"seconds": {kind: list(seconds) for kind, seconds in report.seconds.items()}}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
