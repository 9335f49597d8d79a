"""The HTTP API beside Cube: the same questions, over the same rows of DuckDB, in one run; and beside DuckDB alone.

Cube's native add-on is not on npm, so a stand-in writes its rows (tests/cube). No rollup is defined: both read tables.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from urllib.request import Request, urlopen

import duckdb
from tests.cube.process import Cube, NoCubeError, run_cube
from tests.generations import build_small
from tests.serving.load import ANEW, Measured, find_percentile, measure, write_request
from tests.serving.process import run_server

from gnomon import Engine
from gnomon.publish import publish
from gnomon.warehouse import Generations

POSTS = 100_000
CLIENTS = (1, 8, 32)
ROUTE = "/v1/query"
ROUNDS, SECONDS = 3, 4.0
AIM_TIMES, AIM_SECONDS = 5, 0.005
STAND_IN = "Cube 1.7.43, its rows written by a stand-in"
MODEL = """
cubes:
  - name: posts
    sql_table: main.fct_posts
    refresh_key: { every: 1 hour }
    joins:
      - { name: creators, relationship: many_to_one, sql: "{CUBE}.creator_id = {creators}.creator_id" }
    measures:
      - { name: count, type: count }
      - { name: views, type: sum, sql: views }
      - { name: stamp, type: number, sql: "1.0 * {views} / nullif({count}, 0)" }
    dimensions:
      - { name: post_id, type: string, sql: post_id, primary_key: true }
      - { name: creator_id, type: string, sql: creator_id }
      - { name: kind, type: string, sql: kind }
      - { name: post_date, type: time, sql: "cast({CUBE}.post_date as timestamp)" }
  - name: creators
    sql_table: main.dim_creators
    refresh_key: { every: 1 hour }
    dimensions:
      - { name: creator_id, type: string, sql: creator_id, primary_key: true }
      - { name: tier, type: string, sql: tier }
"""


@dataclass(frozen=True)
class Asked:
    """One question in both languages. Each has a filter that all rows pass, with a text that can be new each time."""

    name: str
    metrics: tuple[str, ...]
    groups: tuple[str, ...]

    def write_ours(self, anew: str) -> dict[str, Any]:
        """Return the body of a question to the API."""
        where = [f"{{{{ Entity('creator') }}}} <> '{anew}'"]
        return {"metrics": self.metrics, "group_by": self.groups, "where": where}

    def write_theirs(self, anew: str) -> dict[str, Any]:
        """Return the body of a question to Cube."""
        times = [name.rsplit("__", 1)[1] for name in self.groups if name.startswith("metric_time__")]
        return {
            "query": {
                "measures": [MEASURES[name] for name in self.metrics],
                "dimensions": [DIMENSIONS[name] for name in self.groups if name in DIMENSIONS],
                "timeDimensions": [{"dimension": "posts.post_date", "granularity": grain} for grain in times],
                "filters": [{"member": "posts.creator_id", "operator": "notEquals", "values": [anew]}],
            }
        }


MEASURES = {"posts": "posts.count", "views": "posts.views", "stamp": "posts.stamp"}
DIMENSIONS = {"post__kind": "posts.kind", "creator__tier": "creators.tier"}
QUESTIONS = (
    Asked("by week", ("posts", "views"), ("metric_time__week",)),
    Asked("by month and kind", ("posts", "stamp"), ("metric_time__month", "post__kind")),
    Asked("by an attribute one join away", ("posts", "views"), ("creator__tier",)),
)


def run() -> Iterator[str]:
    """Yield what kept answers take beside Cube's, and what new ones take beside Cube's and bare DuckDB's."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        project = Path(folder)
        os.environ.pop("DBT_TARGET_PATH", None)
        small = build_small(project, posts=POSTS, rollups=[])
        publish(project)
        ours = stack.enter_context(run_server(project, "--anonymous", "owner", "--waiting", "1000")).port
        yield from _measure_ceiling()
        try:
            copy = Path(shutil.copyfile(small.database, project / "cube.duckdb"))
            cube: Cube | None = stack.enter_context(run_cube(project / "cube", copy, MODEL))
        except NoCubeError as reason:
            cube = None
            yield f"Cube is skipped: {reason}"
        if cube is not None:
            _check_alike(ours, cube.port)
        yield from _compare_kept(ours, cube)
        yield from _measure_other_bytes(ours)
        yield from _compare_new(project, ours, cube)
        stack.close()
        if cube is not None:
            answers, seconds = cube.formatted
            each = 1000 * seconds / max(answers, 1)
            yield f"the stand-in wrote Cube's answers in {each:.3f} ms each, {answers:,} of them"


def _compare_kept(ours: int, cube: Cube | None) -> Iterator[str]:
    for clients in CLIENTS:
        asks = [partial(measure, ours, [_ask_ours(each, "nobody") for each in QUESTIONS], b'"rows"', clients, SECONDS)]
        if cube is not None:
            requests = [_ask_theirs(each, "nobody") for each in QUESTIONS]
            asks.append(partial(measure, cube.port, requests, b'"data"', clients, SECONDS))
        mine, *theirs = _alternate(asks)
        yield f"{_name('kept', clients)} {_show(mine)}"
        for each in theirs:
            times, faster = mine.rate / each.rate, each.p99 / mine.p99
            yield (
                f"{'':<34} {_show(each)}   {STAND_IN}: ours are {times:.1f} times as many (aim {AIM_TIMES}), "
                f"the p99 is {faster:.1f} times as short"
            )


def _measure_other_bytes(ours: int) -> Iterator[str]:
    """Questions that were answered before, in bytes that nobody sent before: each is read and planned."""
    requests = [write_request(f"{ROUTE}?{ANEW}", each.write_ours("nobody")) for each in QUESTIONS]
    measured = measure(ours, requests, b'"rows"', CLIENTS[1], SECONDS)
    yield f"{_name('kept, in other bytes', CLIENTS[1])} {_show(measured)}"


def _compare_new(project: Path, ours: int, cube: Cube | None) -> Iterator[str]:
    engine = Engine.open(project)
    with duckdb.connect(":memory:") as connection:
        served = Generations(project / "target" / "generations").locate(str(engine.generation_id))
        connection.execute(f"attach '{served}' as gnomon (read_only)")
        for each in QUESTIONS:
            sql = engine.plan(**each.write_ours(ANEW)).sql
            asks: list[Callable[[], Measured]] = [
                partial(measure, ours, [_ask_ours(each, ANEW)], b'"rows"', 1, SECONDS),
                partial(_run_bare, connection, sql),
            ]
            if cube is not None:
                asks.append(partial(measure, cube.port, [_ask_theirs(each, ANEW)], b'"data"', 1, SECONDS))
            mine, bare, *theirs = _alternate(asks)
            over = mine.p50 - bare.p50
            yield f"{'new ' + each.name:<34} {_show(mine)}"
            yield (
                f"{'':<34} {_show(bare)}   the same SQL in bare DuckDB: ours take {1000 * over:.2f} ms more at p50 "
                f"(aim {1000 * AIM_SECONDS:.0f})"
            )
            for other in theirs:
                yield f"{'':<34} {_show(other)}   {STAND_IN}: it takes {other.p50 / mine.p50:.1f} times ours at p50"
    engine.close()


def _alternate(asks: Sequence[Callable[[], Measured]]) -> list[Measured]:
    """Measure all in turn, so that a machine that slows down slows all; return the run of middle rate of each."""
    rounds = [[ask() for ask in asks] for _ in range(ROUNDS)]
    return [sorted(runs, key=lambda run: run.rate)[ROUNDS // 2] for runs in zip(*rounds, strict=True)]


def _run_bare(connection: duckdb.DuckDBPyConnection, sql: str) -> Measured:
    taken, begun = [], perf_counter()
    while perf_counter() < begun + SECONDS:
        asked = perf_counter()
        connection.execute(sql.replace(ANEW, f"{len(taken):012}")).to_arrow_table()
        taken.append(perf_counter() - asked)
    return Measured(1, len(taken) / SECONDS, find_percentile(taken, 0.5), find_percentile(taken, 0.99))


def _ask_ours(asked: Asked, anew: str) -> bytes:
    return write_request(ROUTE, asked.write_ours(anew))


def _ask_theirs(asked: Asked, anew: str) -> bytes:
    return write_request("/cubejs-api/v1/load", asked.write_theirs(anew))


def _check_alike(ours: int, theirs: int) -> None:
    """Hold both to the same rows before anything is measured."""
    for each in QUESTIONS:
        mine = _post(ours, ROUTE, each.write_ours("nobody"))["rows"]
        others = _post(theirs, "/cubejs-api/v1/load", each.write_theirs("nobody"))["data"]
        names = {
            **MEASURES,
            **DIMENSIONS,
            "metric_time__week": "posts.post_date",
            "metric_time__month": "posts.post_date",
        }
        rows = sorted([_plain(row[name]) for name in (*each.groups, *each.metrics)] for row in mine)
        told = sorted([_plain(row[names[name]]) for name in (*each.groups, *each.metrics)] for row in others)
        if not rows or rows != told:
            raise AssertionError(f"{each.name}: {rows[:3]} and {told[:3]}")


def _plain(value: object) -> str:
    """A number, a day or a text as a text that both write alike."""
    text = str(value)
    try:
        return f"{float(text):.9g}"
    except ValueError:
        return text[:10] if text[4:5] == "-" else text


def _post(port: int, path: str, body: Any) -> Any:
    request = Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)


# A server that does nothing but send the same bytes, of the length of an answer.
_NOTHING = """
import asyncio, sys, uvloop
body = b'{"rows": [' + b'1, ' * 400 + b'1]}'
answer = b"HTTP/1.1 200 OK\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(body) + body
class Nothing(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data): self.transport.write(answer)
async def main():
    server = await asyncio.get_running_loop().create_server(Nothing, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
uvloop.run(main())
"""


def _measure_ceiling() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", _NOTHING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            for clients in CLIENTS:
                most = measure(port, [_ask_ours(QUESTIONS[0], "nobody")], b'"rows"', clients, SECONDS)
                yield f"{_name('the load generator', clients)} {_show(most)}   against a server that does nothing"
        finally:
            process.terminate()


def _name(what: str, clients: int) -> str:
    return f"{what + ', ' + str(clients) + (' client' if clients == 1 else ' clients'):<34}"


def _show(measured: Measured) -> str:
    return f"{measured.rate:9,.0f} /s   p50 {1000 * measured.p50:8.2f} ms   p99 {1000 * measured.p99:8.2f} ms"
