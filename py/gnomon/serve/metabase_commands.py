"""`gnomon metabase`: dashboards as Metabase shows them, planned, applied, run and put away."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from gnomon.core.errors import QueryError

if TYPE_CHECKING:
    from gnomon.publish.metabase import Outcome, Plan, Transport, Waiting
    from gnomon.publish.metabase.planning import Step
    from gnomon.publish.metabase.wanted import Wanted
    from gnomon.state import MetabaseMemory

metabase_app = typer.Typer(help="Metabase as code: what is to be there, and the way to it.", no_args_is_help=True)

Url = Annotated[str, typer.Option("--url", help="The address of Metabase, such as https://metabase.example.com.")]
Force = Annotated[bool, typer.Option("--force", help="Also overwrite what people edited, and make what they deleted.")]
Copy = Annotated[
    str, typer.Option("--copy", help="The serving copy: postgres://…, or `postgres`, that of GNOMON_COPY.")
]
ShownAs = Annotated[
    str | None, typer.Option("--shown-as", help="The copy's address and user as Metabase has them, if others.")
]
Project = Annotated[Path, typer.Option("--project-dir", "--project", help="The dbt project's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@dataclass(frozen=True)
class _Server:
    """One server, and what is remembered of it."""

    transport: Transport
    memory: MetabaseMemory
    waiting: Waiting


@metabase_app.command("plan")
def plan(
    url: Url,
    copy: Copy = "postgres",
    shown_as: ShownAs = None,
    project_dir: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Say what an apply would do, as a diff; exit 1 if it would do anything, or if people edited something."""
    from gnomon.publish.metabase import read_plan

    wanted = _want(project_dir, copy, shown_as)
    with _open(url, project_dir) as server:
        planned = read_plan(server.transport, wanted, server.memory)
    _end_plan(planned, as_json)


@metabase_app.command("apply")
def apply(
    url: Url,
    force: Force = False,
    copy: Copy = "postgres",
    shown_as: ShownAs = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="The same as plan: nothing is sent.")] = False,
    project_dir: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Make Metabase as wanted; exit 1 if something that people edited stays otherwise."""
    from gnomon.publish import metabase as room

    if dry_run:
        plan(url, copy, shown_as, project_dir, as_json)
    wanted = _want(project_dir, copy, shown_as)
    password = os.environ.get("GNOMON_METABASE_DATABASE_PASSWORD")
    with _open(url, project_dir) as server:
        done = room.apply(
            server.transport,
            wanted,
            server.memory,
            server.waiting,
            secrets={"password": password} if password else {},
            force=force,
            on_step=_tell_step,
        )
    _end(done, as_json)


@metabase_app.command("destroy")
def destroy(
    url: Url,
    force: Force = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be archived; send nothing.")] = False,
    project_dir: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Archive all that was made there by an apply, and nothing else; exit 1 if something stays."""
    from gnomon.publish import metabase as room

    with _open(url, project_dir) as server:
        if dry_run:
            planned = room.read_destruction(server.transport, server.memory)
            _end_plan(planned, as_json)
        done = room.destroy(
            server.transport,
            server.memory,
            server.waiting,
            force=force,
            on_step=_tell_step,
        )
    _end(done, as_json)


@metabase_app.command("run")
def run(url: Url, project_dir: Project = Path(), as_json: AsJson = False) -> None:
    """Run every card that an apply made, with its filters empty; exit 1 if one fails."""
    from gnomon.publish.metabase import run_cards
    from gnomon.serve import metabase_words

    with _open(url, project_dir) as server:
        ran = run_cards(server.transport, server.memory)
    typer.echo(metabase_words.describe_runs(ran) if as_json else metabase_words.show_runs(ran))
    failed = sum(each.error is not None for each in ran)
    typer.echo(f"{len(ran)} cards were run, {failed or 'none'} failed", err=True)
    raise typer.Exit(1 if failed else 0)


def _tell_step(step: Step) -> None:
    from gnomon.serve import metabase_words

    typer.echo(metabase_words.tell_step(step), err=True)


def _end_plan(planned: Plan, as_json: bool) -> NoReturn:
    from gnomon.serve import metabase_words

    typer.echo(metabase_words.describe_plan(planned) if as_json else metabase_words.show_plan(planned))
    typer.echo(metabase_words.tell_plan(planned), err=True)
    raise typer.Exit(0 if planned.is_empty else 1)


def _end(done: Outcome, as_json: bool) -> NoReturn:
    from gnomon.serve import metabase_words

    if as_json:
        typer.echo(metabase_words.describe_outcome(done))
    typer.echo(metabase_words.tell_outcome(done), err=True)
    raise typer.Exit(1 if done.left else 0)


def _want(project_dir: Path, copy: str, shown_as: str | None) -> Wanted:
    from gnomon.publish.metabase import make_wanted
    from gnomon.serve.publish_commands import read_address

    shown = None if shown_as is None else read_address(shown_as, project_dir)
    wanted = make_wanted(project_dir, read_address(copy, project_dir), shown_as=shown)
    for tile, why in wanted.refused.items():
        typer.echo(f"tile '{tile}' is words only: {why.splitlines()[0]}", err=True)
    return wanted


@contextmanager
def _open(url: str, project_dir: Path) -> Iterator[_Server]:
    from gnomon.core.settings import Settings
    from gnomon.publish.metabase import Credentials, Transport, Waiting
    from gnomon.state import MetabaseMemory, StateDatabase

    if not url.startswith(("http://", "https://")):
        raise QueryError(f"--url '{url}' is no address. Write https://metabase.example.com.")
    if "@" in urlsplit(url).netloc:
        raise QueryError("--url has a user or a password in it, and it is remembered and told. Leave them out.")
    credentials = Credentials.read(os.environ)
    transport = Transport(url, credentials, pause=time.sleep)
    database = StateDatabase.open(Settings.read(project_dir=project_dir).state)
    try:
        yield _Server(transport, MetabaseMemory(database, url), Waiting(time.monotonic, time.sleep))
    finally:
        database.close()
