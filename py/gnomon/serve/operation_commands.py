"""The commands that keep a warehouse running: daily and doctor."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gnomon.serve.publish_commands import Keep, step_back

Project = Annotated[Path, typer.Option("--project", "--project-dir", help="The dbt project's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


def daily(
    raw: Annotated[
        Path | None, typer.Option("--raw", help="The raw set; by default GNOMON_RAW or data/sample.")
    ] = None,
    project: Project = Path(),
    as_json: AsJson = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge the batch only; write nothing.")] = False,
    no_publish: Annotated[bool, typer.Option("--no-publish", help="Build only; leave what is in service.")] = False,
    keep: Keep = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="For cron: say nothing unless something is wrong.")] = False,
) -> None:
    """Judge the newest batch, build from it, publish, and say what happened; exit 1 if it was refused or failed."""
    from gnomon.operations import Outcome, read_north_stars, run_daily
    from gnomon.publish import DEFAULT_KEEP
    from gnomon.serve import operation_words

    step_back()
    kept = DEFAULT_KEEP if keep is None else keep
    run = run_daily(project, raw, dry_run=dry_run, publishes=not no_publish, keep=kept)
    is_asked = run.outcome in (Outcome.BUILT, Outcome.NOTHING_NEW) and not quiet
    stars = read_north_stars(project, working=not run.is_served) if is_asked else ()
    if as_json:
        typer.echo(operation_words.describe_daily(run, stars))
    elif run.exit_code or not quiet:
        typer.echo(operation_words.render_daily(run, stars), err=run.exit_code != 0)
    raise typer.Exit(run.exit_code)


def doctor(project: Project = Path(), as_json: AsJson = False) -> None:
    """Say what is wrong with the newest build, by the builds before it; exit 1 on a finding."""
    from gnomon.operations import examine
    from gnomon.serve import operation_words

    diagnosis = examine(project, datetime.now(UTC).replace(tzinfo=None))
    typer.echo(operation_words.describe_doctor(diagnosis) if as_json else operation_words.render_doctor(diagnosis))
    raise typer.Exit(diagnosis.exit_code)
