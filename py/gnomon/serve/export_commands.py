"""`gnomon export`: definitions for other tools."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gnomon.serve.publish_commands import read_address

if TYPE_CHECKING:
    from gnomon.publish.bi import Place, WrittenFiles
    from gnomon.publish.cube import Written

Server = Annotated[
    str,
    typer.Option("--to", help="Where the copy is: postgres://HOST:PORT/DATABASE, or `postgres`: as GNOMON_COPY says."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be written; write nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Project = Annotated[Path, typer.Option("--project-dir", help="The dbt project's folder.")]
export_app = typer.Typer(help="Write the definitions of what is served for another tool.", no_args_is_help=True)


@export_app.callback()
def options() -> None:
    """Write the definitions of what is served for another tool."""


@export_app.command("cube")
def cube(
    out: Annotated[Path, typer.Option("--out", help="A new folder for the data model and its configuration.")],
    working: Annotated[bool, typer.Option("--working", help="Of the working file, published or not.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project_dir: Project = Path(),
) -> None:
    """Write a data model for Cube: every metric that it can answer exactly, and a list of the others."""
    from gnomon.publish.cube import export_cube

    written = export_cube(project_dir, out, working=working, dry_run=dry_run)
    typer.echo(json.dumps(asdict(written), indent=2) if as_json else _list_left_out(written))
    typer.echo(_tell(written, out, dry_run), err=True)


@export_app.command("tableau")
def tableau(
    out: Annotated[Path, typer.Option("--out", help="A new folder for the data sources.")],
    to: Server = "postgres",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project_dir: Project = Path(),
) -> None:
    """Write a data source for Tableau of each view of the copy, with the ratios as calculated fields."""
    from gnomon.publish.bi import export_tableau

    written = export_tableau(project_dir, out, _read_place(to, project_dir), dry_run=dry_run)
    _show(written, out, is_dry=dry_run, as_json=as_json)


@export_app.command("powerbi")
def powerbi(
    out: Annotated[Path, typer.Option("--out", help="A new folder for the semantic model.")],
    to: Server = "postgres",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project_dir: Project = Path(),
) -> None:
    """Write a semantic model for Power BI over the views of the copy, with the ratios as measures."""
    from gnomon.publish.bi import export_powerbi

    written = export_powerbi(project_dir, out, _read_place(to, project_dir), dry_run=dry_run)
    _show(written, out, is_dry=dry_run, as_json=as_json)


def _read_place(to: str, project_dir: Path) -> Place:
    from gnomon.publish.bi import Place

    return Place.read(read_address(to, project_dir))


def _show(written: WrittenFiles, out: Path, *, is_dry: bool, as_json: bool) -> None:
    """Say what was written: data on stdout, words on stderr."""
    kinds = (("metric", written.left_out.metrics), ("file", written.missing))
    lines = [f"{kind} {name}: {reason}" for kind, reasons in kinds for name, reason in reasons.items()]
    typer.echo(json.dumps(asdict(written), indent=2) if as_json else "\n".join(lines))
    shown = len({metric for metrics in written.views.values() for metric in metrics})
    verb = "would write" if is_dry else "wrote"
    typer.echo(
        f"{verb} {out}: {len(written.files)} files of {written.data_version}; {shown} metrics in {len(written.views)} "
        f"views, {len(written.left_out.metrics)} not exported. Its README says how to use it.",
        err=True,
    )


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
