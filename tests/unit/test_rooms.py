"""The import graph between rooms: imports point down only; rooms on one line do not know each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

LINES = {
    "core": 0,
    "semantic": 1, "warehouse": 1, "state": 1, "access": 1, "simulate": 1, "ingest": 1,
    "planner": 2, "scores": 2, "measurement": 2,
    "engine": 3, "rootcause": 3, "dashboards": 3,
    "monitors": 4, "strategies": 4, "publish": 4,
    "reports": 5, "operations": 5,
    "serve": 6,
}  # fmt: skip
OPENS_DUCKDB = {"warehouse", "ingest", "simulate", "scores"}
ONLY_IN = {
    "typer": {"serve"}, "fastapi": {"serve"}, "jinja2": {"serve"}, "vl_convert": {"serve"}, "asyncpg": {"warehouse"},
    "altair": {"dashboards"}, "metabase_api": {"publish"}, "xgboost": {"scores"}, "sklearn": {"scores"},
}  # fmt: skip


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


def modules(project: Path) -> list[tuple[str, Path]]:
    package = project / "py" / "gnomon"
    return [(path.relative_to(package).parts[0], path) for path in sorted(package.glob("*/**/*.py"))]


def test_every_room_has_a_line(project: Path) -> None:
    assert {room for room, _ in modules(project)} <= set(LINES)


def test_imports_point_down_only(project: Path) -> None:
    wrong = [
        f"{path.relative_to(project)} imports gnomon.{other}"
        for room, path in modules(project)
        for name in imports_of(path)
        if name.startswith("gnomon.") and (other := name.split(".")[1]) != room and LINES[other] >= LINES[room]
    ]
    assert wrong == []


@pytest.mark.parametrize(("library", "rooms"), [("duckdb", OPENS_DUCKDB), *ONLY_IN.items()])
def test_heavy_libraries_stay_in_their_rooms(project: Path, library: str, rooms: set[str]) -> None:
    users = {room for room, path in modules(project) if any(n.split(".")[0] == library for n in imports_of(path))}
    assert users <= rooms


def test_a_module_stays_under_400_lines(project: Path) -> None:
    long = [str(path) for _, path in modules(project) if len(path.read_text(encoding="utf-8").splitlines()) > 400]
    assert long == []
