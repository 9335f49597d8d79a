"""Cube in a process of its own, over a model and a DuckDB file."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.npm import NotInstalledError, install_npm

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("GNOMON_CUBE_CACHE", HERE.parents[1] / "target" / "bench" / "cube"))


class NoCubeError(Exception):
    """Cube cannot be run here, and why."""


@dataclass
class Cube:
    """A running Cube. Once it has ended, `formatted` says how many answers the stand-in wrote, in how many seconds."""

    port: int
    process: subprocess.Popen[str]
    formatted: tuple[int, float] = (0, 0.0)


def install_cube() -> Path:
    """Return the folder of Cube's modules, installed at the first call; NoCubeError where it cannot be."""
    try:
        return install_npm(HERE, FOLDER)
    except NotInstalledError as error:
        raise NoCubeError(str(error)) from None


@contextmanager
def run_cube(folder: Path, database: Path, model: str) -> Iterator[Cube]:
    """Serve `model`, a YAML file of cubes, over `database`, which Cube opens for writing, until the block ends."""
    modules = install_cube()
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "model.yml").write_text(model, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environ = {
        **os.environ,
        "NODE_ENV": "production",
        "NODE_PATH": str(modules),
        "PORT": str(port),
        "CUBEJS_API_SECRET": "for tests only",
        "CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory",
        "CUBEJS_DB_DUCKDB_DATABASE_PATH": str(database),
        "CUBEJS_DB_TYPE": "duckdb",
        "CUBEJS_LOG_LEVEL": "error",
        "CUBEJS_TELEMETRY": "false",
        "CUBEJS_TESSERACT_SQL_PLANNER": "false",
    }
    command = ["node", str(HERE / "server.js")]
    with subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            told = next((line for line in process.stdout if line.startswith('{"port"')), None)
            if told is None:
                raise NoCubeError("it ended before it listened; what it wrote stands above")
            cube = Cube(json.loads(told)["port"], process)
            yield cube
        finally:
            process.terminate()
        said = process.stdout.read().strip().splitlines()
        spent = json.loads(said[-1])
        cube.formatted = spent["calls"], spent["milliseconds"] / 1000
