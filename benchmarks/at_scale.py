"""A world at scale: simulated, built whole, built a day on; beside the same SQL as one bare DuckDB script.

GNOMON_BENCH_SCALE names the size (default small; large takes about an hour on 2 cores).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.measure import Comparison

PROJECT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
MEMORY_LIMIT = "8GB"


@dataclass(frozen=True)
class Run:
    """A finished process: seconds of wall clock and of CPU, and the most memory that it held, in bytes."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int

    def __str__(self) -> str:
        return f"{self.seconds:9.1f} s   CPU {self.cpu_seconds:7.1f} s   peak {self.peak_bytes / 2**30:5.2f} GB"


def run() -> Iterator[Comparison | str]:
    """Yield lines on simulation and builds, and the build beside the bare script and beside the next day."""
    scale = os.environ.get("GNOMON_BENCH_SCALE", "small")
    folder = PROJECT / "target" / "bench" / scale
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    raw, target = folder / "raw", folder / "target"
    environ = {
        **os.environ,
        "GNOMON_RAW": str(raw),
        "DBT_TARGET_PATH": str(target),
        "GNOMON_MEMORY_LIMIT": MEMORY_LIMIT,
    }
    made = _measure(["gnomon", "simulate", "--out", str(raw), "--scale", scale, "--keep-state"], environ)
    yield f"simulate --scale {scale:<28} {made}"
    logs = ["--quiet", "--log-path", str(folder / "logs")]
    whole = _measure(["dbt", "build", *logs], environ)
    yield f"dbt build of the whole {'':<20} {whole}"
    yield from _list_slowest(target, "the whole")
    _measure(["gnomon", "simulate", "step", str(raw), "--no-twin"], environ)
    # Unit tests are of the code, not of the day.
    next_day = _measure(["dbt", "build", "--exclude", "resource_type:unit_test", *logs], environ)
    yield f"dbt build of the next day {'':<17} {next_day}"
    yield from _list_slowest(target, "the next day")
    yield Comparison("the next day", next_day.seconds, "the whole", whole.seconds)
    yield Comparison("CPU of the next day", next_day.cpu_seconds, "CPU of the whole", whole.cpu_seconds)
    nothing_new = _measure(["dbt", "build", "--exclude", "resource_type:unit_test", *logs], environ)
    yield f"dbt build in which nothing is new {'':<9} {nothing_new}"
    models = ["--full-refresh", "--exclude", "resource_type:test", "resource_type:unit_test"]
    built = _measure(["dbt", "build", *models, *logs], environ)
    yield f"dbt build, models only {'':<20} {built}"
    bare = _run_bare(target, folder / "bare.duckdb")
    yield Comparison("dbt build, without tests", built.seconds, "its SQL as one DuckDB script", bare)
    yield f"the raw set and the file {'':<18} {_size(raw):9.2f} GB   {_size(target):9.2f} GB"


def _measure(command: list[str], environ: dict[str, str]) -> Run:
    begin = time.perf_counter()
    process = subprocess.Popen(
        [str(BIN / command[0]), *command[1:]], cwd=PROJECT, env=environ, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}")
    return Run(time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _run_bare(target: Path, path: Path) -> float:
    """Run every SQL model's compiled select as one script in a fresh database; return the seconds.

    Seeds and the build record are copied first, uncounted. Python models are in neither.
    """
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    order = [row["unique_id"] for row in json.loads((target / "run_results.json").read_text())["results"]]
    nodes = [manifest["nodes"][name] for name in order if name in manifest["nodes"]]
    path.unlink(missing_ok=True)
    with duckdb.connect(":memory:") as database:
        database.execute(f"attach '{path}' as gnomon")
        database.execute(f"attach '{target / 'gnomon.duckdb'}' as built (read_only)")
        database.execute(f"set threads = 2; set memory_limit = '{MEMORY_LIMIT}'; set preserve_insertion_order = false")
        database.execute("set enable_progress_bar = false")
        database.execute("use gnomon")
        _copy_inputs(database, nodes)
        begin = time.perf_counter()
        for node in nodes:
            if node["resource_type"] == "model" and node["language"] == "sql":
                kind = "view" if node["config"]["materialized"] == "view" else "table"
                sql = (target / "compiled" / "gnomon" / node["original_file_path"]).read_text(encoding="utf-8")
                database.execute(f"create {kind} {node['relation_name']} as {sql}")
        return time.perf_counter() - begin


def _copy_inputs(database: duckdb.DuckDBPyConnection, nodes: list[dict[str, str]]) -> None:
    tables = database.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'built'"
    ).fetchall()
    seeds = {node["name"] for node in nodes if node["resource_type"] == "seed"}
    python = {node["name"] for node in nodes if node.get("language") == "python"}
    for schema, name in tables:
        if schema == "gnomon_build" or name in seeds | python:
            database.execute(f'create schema if not exists gnomon."{schema}"')
            database.execute(f'create table gnomon."{schema}"."{name}" as from built."{schema}"."{name}"')


def _list_slowest(target: Path, build: str) -> Iterator[str]:
    """Yield the five slowest nodes of the newest build."""
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    for row in sorted(results, key=lambda row: -row["execution_time"])[:5]:
        yield f"  slowest of {build}: {row['unique_id'].split('.', 2)[-1]:<50} {row['execution_time']:8.1f} s"


def _size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**30
