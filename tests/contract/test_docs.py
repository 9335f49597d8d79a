"""The docs are kept true: commands, settings, links, rooms and the README's own example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from gnomon.core.settings import Settings
from gnomon.serve.cli import app

LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


def pages(project: Path) -> list[Path]:
    return [project / "README.md", *sorted((project / "docs").rglob("*.md"))]


def all_text(project: Path) -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in pages(project))


def list_commands() -> list[str]:
    found = []
    root = get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    for name, command in root.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            found += [f"{name} {inner}" for inner in command.commands]
        else:
            found.append(name)
    return found


@pytest.mark.parametrize("command", list_commands())
def test_every_command_is_documented(project: Path, command: str) -> None:
    assert f"gnomon {command}" in all_text(project)


def test_every_setting_is_documented(project: Path) -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (project / "py").rglob("*.py"))
    names = set(re.findall(r"\b(?:GNOMON|DBT)_[A-Z_]+[A-Z]\b", f"{source}\n{Settings.__doc__}"))
    assert names >= {"GNOMON_RAW", "GNOMON_DATABASE", "GNOMON_HASH_KEY", "GNOMON_TRACEBACK", "DBT_TARGET_PATH"}
    assert [name for name in sorted(names) if name not in all_text(project)] == []


def test_every_link_leads_somewhere(project: Path) -> None:
    broken = [
        f"{page.relative_to(project)}: {link}"
        for page in pages(project)
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []


def test_the_readme_shows_every_room_and_folder(project: Path) -> None:
    readme = (project / "README.md").read_text(encoding="utf-8")
    rooms = [path.name for path in (project / "py" / "gnomon").iterdir() if (path / "__init__.py").exists()]
    assert [room for room in rooms if not re.search(rf"^    {room} ", readme, re.MULTILINE)] == []
    for folder in re.findall(r"^(\w+(?:/\w+)*)/ ", readme, re.MULTILINE):
        assert (project / folder).is_dir(), folder


def test_no_text_names_a_machine(project: Path) -> None:
    machine = re.compile(r"(?<![\w.])/(?:root|home|Users)/\w")
    named = [
        str(path)
        for folder in ("py", "models", "metrics", "macros", "docs", "benchmarks")
        for path in (project / folder).rglob("*")
        if path.is_file() and path.suffix in {".py", ".sql", ".yml", ".md"} and machine.search(path.read_text("utf-8"))
    ]
    assert named == []
