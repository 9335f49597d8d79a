"""`gnomon serve` in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

GNOMON = str(Path(sys.executable).with_name("gnomon"))


@dataclass(frozen=True)
class Server:
    """A server that listens. What it wrote to stderr is in `said` once it has ended."""

    process: subprocess.Popen[str]
    port: int
    said: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def read_memory(self) -> int:
        """Return the bytes that the process holds for itself: without the pages of files."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"RssAnon:\s+(\d+) kB", status)
        assert found, status
        return int(found[1]) * 1024


def start_server(project: Path, *options: str, environ: Mapping[str, str] = os.environ) -> subprocess.Popen[str]:
    """Start to serve a project at a free port, and wait for nothing."""
    command = [GNOMON, "serve", "--port", "0", "--project-dir", str(project), *options]
    return subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True)


@contextmanager
def run_server(project: Path, *options: str, environ: Mapping[str, str] = os.environ) -> Iterator[Server]:
    """Serve a project until the block ends, unless it is killed before; what it says is kept."""
    with start_server(project, *options, environ=environ) as process:
        assert process.stderr is not None
        try:
            told = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)", told)
            assert found, told
            server = Server(process, int(found[1]))
            # Read all the while: a pipe that is full would hold the server.
            reading = Thread(target=server.said.extend, args=[process.stderr])
            reading.start()
            yield server
        finally:
            process.terminate()
            process.wait()
        reading.join()
