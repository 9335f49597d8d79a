"""The command that puts a build into service, takes it back, and lists what is kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from gnomon.core.errors import QueryError

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
    project_dir: Project = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Make the last build the generation that is served, once all of it has been checked."""
    from gnomon import publish as room
    from gnomon.serve import publish_words

    if rollback and list_:
        raise QueryError("--rollback and --list are two commands. Ask for one of them.")
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
