"""`gnomon export`: definitions for other tools."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gnomon.publish.cube import Written

export_app = typer.Typer(help="Write the definitions of what is served for another tool.", no_args_is_help=True)


@export_app.callback()
def options() -> None:
    """Write the definitions of what is served for another tool."""


@export_app.command("cube")
def cube(
    out: Annotated[Path, typer.Option("--out", help="A new folder for the data model and its configuration.")],
    working: Annotated[bool, typer.Option("--working", help="Of the working file, published or not.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written; write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    project_dir: Annotated[Path, typer.Option("--project-dir", help="The dbt project's folder.")] = Path(),
) -> None:
    """Write a data model for Cube: every metric that it can answer exactly, and a list of the others."""
    from gnomon.publish.cube import export_cube

    written = export_cube(project_dir, out, working=working, dry_run=dry_run)
    typer.echo(json.dumps(asdict(written), indent=2) if as_json else _list_left_out(written))
    typer.echo(_tell(written, out, dry_run), err=True)


def _list_left_out(written: Written) -> str:
    left_out = written.left_out
    kinds = (("metric", left_out.metrics), ("role", left_out.roles), ("rollup", left_out.rollups))
    return "\n".join(f"{kind} {name}: {reason}" for kind, reasons in kinds for name, reason in reasons.items())


def _tell(written: Written, out: Path, is_dry: bool) -> str:
    shown = sum(map(len, written.views.values()))
    verb = "would write" if is_dry else "wrote"
    return (
        f"{verb} {out}: {len(written.files)} files of {written.data_version}; {shown} metrics in {len(written.views)} "
        f"views, {len(written.left_out.metrics)} not exported. Its README says how to run it."
    )
