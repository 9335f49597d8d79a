"""Apache Superset in a virtual environment of its own, over SQLite, driven by its REST API as any client would."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# Where it stays installed: some 900 MB, and minutes to get.
FOLDER = Path(os.environ.get("GNOMON_SUPERSET_CACHE", HERE.parents[1] / "target" / "bench" / "superset"))
# Its own list of packages lets a cache in that it does not start with, and leaves out two that it imports.
PACKAGES = (
    "apache-superset==6.1.0",
    "cachetools==8.0.2",
    "flask-caching==2.3.1",
    "psycopg2-binary==2.9.13",
    "rich==15.0.0",
)
USER, PASSWORD = "admin", "a-password-of-this-test"
CONFIG = """
SECRET_KEY = "a-key-of-this-test-that-guards-nothing-0123456789"
SQLALCHEMY_DATABASE_URI = "sqlite:///{home}/superset.db"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
"""
_START_SECONDS = 180


class NoSupersetError(Exception):
    """Superset cannot be installed here, and why."""


def install() -> Path:
    """Return the folder of its virtual environment, made unless it is there; NoSupersetError says why it is not."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    done = FOLDER / "installed"
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text(encoding="utf-8") != "\n".join(PACKAGES):
            for command in (
                [sys.executable, "-m", "venv", "--clear", str(FOLDER / "venv")],
                [str(FOLDER / "venv" / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *PACKAGES],
            ):
                made = subprocess.run(command, capture_output=True, text=True, check=False)
                if made.returncode:
                    raise NoSupersetError(f"{' '.join(command)}: {made.stderr.strip()[-500:]}")
            done.write_text("\n".join(PACKAGES), encoding="utf-8")
    return FOLDER / "venv"


class Superset:
    """A running server, asked as the pages in a browser ask it: by a session that was logged in."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor()).open
        self.seen: list[str] = []

    def log_in(self) -> None:
        """Ask as the administrator from now on."""
        form = urllib.parse.urlencode({"username": USER, "password": PASSWORD}).encode()
        with self._open(f"{self._address}/login/", form, timeout=120) as answer:
            assert answer.status == 200
        assert self.ask("GET", "me/")["result"]["username"] == USER

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the answer's document; AssertionError with its text if it is a refusal."""
        request = urllib.request.Request(
            f"{self._address}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with self._open(request, timeout=120) as answer:
                document: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{method} {path}: {refused.code} {refused.read()[:800]!r}") from None
        return document

    def add_database(self, url: str) -> int:
        """Register a database; return its id."""
        body = {"database_name": "gnomon", "sqlalchemy_uri": url, "expose_in_sqllab": True}
        return int(self.ask("POST", "database/", body)["id"])

    def add_dataset(self, database: int, view: str, metrics: dict[str, str]) -> int:
        """Register a view with metrics of its own, as SQL by name; return the dataset's id."""
        made = self.ask("POST", "dataset/", {"database": database, "schema": "gnomon", "table_name": view})
        listed = [{"metric_name": name, "expression": sql, "verbose_name": name} for name, sql in metrics.items()]
        self.ask("PUT", f"dataset/{made['id']}?override_columns=false", {"metrics": listed})
        return int(made["id"])

    def ask_chart(self, dataset: int, metrics: list[str], groups: list[str]) -> list[dict[str, Any]]:
        """Return the rows that a chart of a dataset shows."""
        query = {"columns": groups, "metrics": metrics, "row_limit": 50_000, "orderby": [], "filters": []}
        body = {
            "datasource": {"id": dataset, "type": "table"},
            "queries": [query],
            "result_format": "json",
            "result_type": "full",
            "force": True,
        }
        (result,) = self.ask("POST", "chart/data", body)["result"]
        assert result["status"] == "success", result
        self.seen.append(result["query"])
        rows: list[dict[str, Any]] = result["data"]
        return rows


@contextmanager
def run_superset(venv: Path, home: Path) -> Iterator[Superset]:
    """Run a new Superset with its own SQLite in a folder, for the block."""
    config = home / "superset_config.py"
    config.write_text(CONFIG.format(home=home), encoding="utf-8")
    environ = {
        "PATH": f"{venv / 'bin'}:/usr/bin:/bin", "HOME": str(home), "SUPERSET_HOME": str(home),
        "SUPERSET_CONFIG_PATH": str(config), "FLASK_APP": "superset.app:create_app()", "LANG": "C.UTF-8",
    }  # fmt: skip
    program = str(venv / "bin" / "superset")
    admin = [
        "--username",
        USER,
        "--password",
        PASSWORD,
        "--firstname",
        "A",
        "--lastname",
        "B",
        "--email",
        "a@b.example",
    ]
    for command in (["db", "upgrade"], ["fab", "create-admin", *admin], ["init"]):
        made = subprocess.run([program, *command], env=environ, capture_output=True, text=True, check=False)
        assert made.returncode == 0, f"superset {command[0]}: {made.stderr.strip()[-800:]}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (home / "server.log").open("w")
    command = [program, "run", "-h", "127.0.0.1", "-p", str(port), "--without-threads"]
    server = subprocess.Popen(command, env=environ, stdout=log, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(server, f"{address}/health", home / "server.log")
        found = Superset(address)
        found.log_in()
        yield found
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"superset run does not answer: {log.read_text('utf-8')[-800:]}")
