"""The command that puts a build into service, takes it back, and lists what is kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gnomon.core.errors import QueryError

if TYPE_CHECKING:
    from gnomon.warehouse.postgres import PostgresAddress

Keep = Annotated[
    int | None, typer.Option("--keep", help="So many generations are kept, the one in service among them; default 3.")
]
# Where all cores are busy, work so nice gets a third of what others get.
_NICENESS = 5
Project = Annotated[Path, typer.Option("--project-dir", "--project", help="The dbt project's folder.")]


def publish(
    keep: Keep = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="Serve the kept generation before this one.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the generations that are there.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge and measure only; write nothing.")] = False,
    to: Annotated[
        str | None,
        typer.Option("--to", help="Copy what is served to postgres://…, or to `postgres`: the one in GNOMON_COPY."),
    ] = None,
    project_dir: Project = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Make the last build the generation that is served, once all of it has been checked; or copy it to Postgres."""
    from gnomon import publish as room
    from gnomon.serve import publish_words

    if rollback and list_:
        raise QueryError("--rollback and --list are two commands. Ask for one of them.")
    if to is not None:
        _publish_copy(to, project_dir, keep, rollback, list_, dry_run, as_json)
        return
    if list_:
        shown = room.list_generations(project_dir)
        typer.echo(publish_words.describe(shown) if as_json else publish_words.render_list(shown))
        return
    if rollback:
        back = room.roll_back(project_dir, dry_run=dry_run)
        typer.echo(publish_words.describe(back) if as_json else back.serving)
        typer.echo(publish_words.tell_rollback(back, dry_run), err=True)
        return
    step_back()
    done = room.publish(project_dir, keep=room.DEFAULT_KEEP if keep is None else keep, dry_run=dry_run)
    if as_json:
        typer.echo(publish_words.describe(done))
    elif done.generation_id is not None:
        typer.echo(done.generation_id)
    typer.echo(publish_words.tell_publication(done), err=True)


def step_back() -> None:
    """Let whatever answers on this machine go before the work of this process."""
    os.nice(_NICENESS)


def read_address(text: str, project_dir: Path) -> PostgresAddress:
    """Return the address that an option says; the word `postgres` is the one that GNOMON_COPY says."""
    from gnomon.core.settings import Settings
    from gnomon.warehouse.postgres import PostgresAddress

    if text != "postgres":
        return PostgresAddress.read(text)
    stated = Settings.read(project_dir=project_dir).copy
    if stated is None:
        raise QueryError("GNOMON_COPY says no address. Set it to postgres://USER:PASSWORD@HOST:PORT/DATABASE.")
    return PostgresAddress.read(stated)


def _publish_copy(
    to: str, project_dir: Path, keep: int | None, rollback: bool, list_: bool, dry_run: bool, as_json: bool
) -> None:
    from gnomon.core.settings import Settings
    from gnomon.publish import DEFAULT_KEEP, serving_copy
    from gnomon.serve import copy_words, publish_words

    address = read_address(to, project_dir)
    if list_:
        shown = serving_copy.list_copies(address)
        typer.echo(publish_words.describe(shown) if as_json else copy_words.render_list(shown))
        return
    if rollback:
        back = serving_copy.roll_back_copy(address, dry_run=dry_run)
        typer.echo(publish_words.describe(back) if as_json else back.serving)
        typer.echo(copy_words.tell_rollback(back, dry_run), err=True)
        return
    budget = Settings.read(project_dir=project_dir).copy_budget
    kept = DEFAULT_KEEP if keep is None else keep
    done = serving_copy.copy_generation(project_dir, address, budget=budget, keep=kept, dry_run=dry_run)
    typer.echo(publish_words.describe(done) if as_json else done.generation_id)
    typer.echo(copy_words.tell_copy(done, address.shown), err=True)
