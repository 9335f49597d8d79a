"""`gnomon keys`: API keys, each shown once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gnomon.state import Key, KeyRing

keys_app = typer.Typer(help="API keys: who may ask over HTTP, and as which role.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="What the key is called, such as who holds it.")]
_Days = Annotated[int | None, typer.Option("--days", help="For how many days it is good; without it, for good.")]
_Project = Annotated[Path, typer.Option("--project-dir", help="The dbt project's folder.")]


@keys_app.command("create")
def create(
    name: _Name,
    role: Annotated[str, typer.Option("--role", help="A role of access.yml; `owner` sees everything.")],
    days: _Days = None,
    project_dir: _Project = Path(),
) -> None:
    """Make a key and print it; it is not kept, so it cannot be shown again."""
    from gnomon.access import read_policies
    from gnomon.core.errors import QueryError, explain_unknown

    policies = read_policies(project_dir)
    if role not in policies:
        raise QueryError(explain_unknown("role", role, policies))
    with _open(project_dir) as ring:
        key, text = ring.make(name, role, tell_time(), days)
        _show(key, text)


@keys_app.command("rotate")
def rotate(name: _Name, days: _Days = None, project_dir: _Project = Path()) -> None:
    """Revoke a key and print another one of the same name and role."""
    with _open(project_dir) as ring:
        key, text = ring.rotate(name, tell_time(), days)
        _show(key, text)


@keys_app.command("revoke")
def revoke(name: _Name, project_dir: _Project = Path()) -> None:
    """Let a key open nothing from now on."""
    with _open(project_dir) as ring:
        key = ring.revoke(name, tell_time())
    typer.echo(f"key '{key.name}' of role '{key.role}' opens nothing any more", err=True)


@keys_app.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False, project_dir: _Project = Path()
) -> None:
    """List all keys there ever were, oldest first."""
    from gnomon.serve.rendering import align

    with _open(project_dir) as ring:
        keys = ring.list()
    if as_json:
        typer.echo(json.dumps([vars(key) for key in keys], indent=2, default=str))
        return
    typer.echo(
        align(
            [
                ("name", [key.name for key in keys], False),
                ("role", [key.role for key in keys], False),
                ("created", [f"{key.created_at:%Y-%m-%d}" for key in keys], False),
                ("expires", [f"{key.expires_at:%Y-%m-%d}" if key.expires_at else "-" for key in keys], False),
                ("is good", ["yes" if key.is_good(tell_time()) else "no" for key in keys], False),
            ]
        )
    )


@contextmanager
def _open(project_dir: Path) -> Iterator[KeyRing]:
    from gnomon.core.settings import Settings
    from gnomon.state import KeyRing, StateDatabase

    database = StateDatabase.open(Settings.read(project_dir=project_dir).state)
    try:
        yield KeyRing(database)
    finally:
        database.close()


def _show(key: Key, text: str) -> None:
    typer.echo(text)
    until = f"until {key.expires_at:%Y-%m-%d}" if key.expires_at else "for good"
    typer.echo(f"key '{key.name}' of role '{key.role}', {until}; keep it, it is not shown again", err=True)


def tell_time() -> datetime:
    """Return the moment, UTC without a zone: the one place where serving asks the machine for it."""
    return datetime.now(UTC).replace(tzinfo=None)
