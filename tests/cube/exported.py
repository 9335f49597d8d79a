"""Cube over an exported folder, asked over HTTP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.cube.process import HERE, NoCubeError, install_cube

SECRET = "a-secret-for-tests-only-of-32-bytes"
Json = dict[str, Any]


class Refused(Exception):  # noqa: N818
    """What Cube says instead of an answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


@dataclass(frozen=True)
class CubeApi:
    """A running server."""

    port: int

    def load(self, role: str | None = "owner", **query: Any) -> list[Json]:
        """Return the rows of a question, asked as a role of access.yml."""
        rows: list[Json] = self._ask("load", role, {"query": query})["data"]
        return rows

    def sql(self, role: str | None = "owner", **query: Any) -> str:
        """Return the SQL of a question."""
        text: str = self._ask("sql", role, {"query": query})["sql"]["sql"][0]
        return text

    def used_rollups(self, **query: Any) -> list[str]:
        """Return the pre-aggregations that a question reads."""
        found = self._ask("sql", "owner", {"query": query})["sql"]["preAggregations"]
        return [each["preAggregationId"] for each in found]

    def meta(self, role: str | None = "owner") -> dict[str, set[str]]:
        """Return the members that a role sees, by view."""
        cubes = self._ask("meta", role, None)["cubes"]
        parts = ("measures", "dimensions", "segments")
        return {cube["name"]: {each["name"] for part in parts for each in cube[part]} for cube in cubes}

    def _ask(self, what: str, role: str | None, body: Json | None) -> Json:
        claims = {} if role is None else {"gnomon_role": role}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/cubejs-api/v1/{what}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": jwt.encode(claims, SECRET, "HS256")},
        )
        while True:
            try:
                with urllib.request.urlopen(request) as answer:
                    found: Json = json.load(answer)
            except urllib.error.HTTPError as error:
                raise Refused(error.code, error.read().decode()) from None
            if found.get("error") != "Continue wait":
                return found


@contextmanager
def serve(folder: Path, **environ: str) -> Iterator[CubeApi]:
    """Start Cube in an exported folder whose gnomon.duckdb is a copy of its own."""
    try:
        packages = install_cube()
    except NoCubeError as reason:
        pytest.skip(f"Cube is not asked: {reason}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = dict(
        line.split("=", 1) for line in (folder / ".env.example").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    )  # fmt: skip
    settings |= {
        "CUBEJS_API_SECRET": SECRET,
        "CUBEJS_SCHEDULED_REFRESH_TIMER": "false",
        "CUBEJS_LOG_LEVEL": "error",
        "NODE_PATH": str(packages),
        "PORT": str(port),
        **environ,
    }
    command = ["node", str(HERE / "exported.js")]
    with subprocess.Popen(
        command, cwd=folder, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        said: list[str] = []
        try:
            for line in server.stdout:
                said.append(line)
                if "listening" in line:
                    break
            else:
                raise AssertionError("".join(said))
            # A full pipe would stop the server.
            threading.Thread(target=server.stdout.read, daemon=True).start()
            yield CubeApi(port)
        finally:
            server.kill()
