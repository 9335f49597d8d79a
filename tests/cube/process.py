"""Cube in a process of its own, over a model and a DuckDB file."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("GNOMON_CUBE_CACHE", HERE.parents[1] / "target" / "bench" / "cube"))
_OLDEST_NODE = 20


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
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoCubeError("Node.js and npm are not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < _OLDEST_NODE:
        raise NoCubeError(f"Node.js is {version}, and Cube needs {_OLDEST_NODE} or newer")
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted, done = (HERE / "package-lock.json").read_bytes(), FOLDER / "installed.json"
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.is_file() or done.read_bytes() != wanted:
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(HERE / name, FOLDER / name)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            run = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
            if run.returncode:
                raise NoCubeError(f"npm cannot install it: {run.stderr.strip().splitlines()[0]}")
            done.write_bytes(wanted)
    return FOLDER / "node_modules"


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
