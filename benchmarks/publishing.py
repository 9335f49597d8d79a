"""Publishing beside DuckDB's own copy of the same tables, and questions to a generation beside the working file.

GNOMON_BENCH_ROWS sets the number of rows.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from tests.generations import LAYERS, build_small

from benchmarks.measure import Comparison, compare
from gnomon import Engine
from gnomon.publish import roll_back

ROWS = int(os.environ.get("GNOMON_BENCH_ROWS", "10_000_000"))
MEMORY_LIMIT = "1GB"
QUESTIONS = (
    ("posts by week", ["posts", "views"], ["metric_time__week"]),
    ("posts by day and tier", ["posts"], ["metric_time__day", "creator__tier"]),
)
_PUBLISH = """
import resource, sys
from pathlib import Path
from gnomon.publish import publish
publish(Path(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def run() -> Iterator[Comparison | str]:
    """Yield a publish beside a bare copy, its memory, and questions from rollups beside the same from the tables."""
    with TemporaryDirectory() as folder:
        project = Path(folder)
        os.environ.pop("DBT_TARGET_PATH", None)
        small = build_small(project, posts=ROWS)
        peak, seconds = _publish(project)
        yield Comparison(f"publish {ROWS:,} rows", seconds, "the same tables copied, unchecked", _copy(small.database))
        yield f"publish {ROWS:,} rows: memory peaked at {peak / 2**20:,.0f} MB under a limit of {MEMORY_LIMIT}"
        served, working = Engine.open(project), Engine.open(project, working=True)
        for name, metrics, group_by in QUESTIONS:
            ours, theirs = (partial(engine.query, metrics, group_by) for engine in (served, working))
            yield compare(f"{ROWS:,} rows: {name}", ours, "from the working file", theirs, runs=7)
        for engine in (served, working):
            engine.close()
        build_small(project, 2, posts=1000)
        _publish(project)
        began = time.perf_counter()
        roll_back(project)
        yield f"a rollback over {ROWS:,} rows: {(time.perf_counter() - began) * 1000:,.0f} ms"


def _publish(project: Path) -> tuple[int, float]:
    """Publish in a process of its own; return the most memory that it held, in bytes, and the seconds."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _PUBLISH, str(project)],
        env={**os.environ, "GNOMON_MEMORY_LIMIT": MEMORY_LIMIT},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout) * 1024, time.perf_counter() - began


def _copy(database: Path) -> float:
    """Copy what is published, and nothing else, with one statement for each table; return the seconds."""
    began = time.perf_counter()
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'; set preserve_insertion_order = false")
        connection.execute(f"attach '{database}' as gnomon (read_only)")
        connection.execute(f"attach '{database.parent / 'copy.duckdb'}' as copy")
        for name in LAYERS:
            if not name.startswith("int_"):
                connection.execute(f"create table copy.main.{name} as from gnomon.main.{name}")
        connection.execute("detach copy")
    return time.perf_counter() - began
