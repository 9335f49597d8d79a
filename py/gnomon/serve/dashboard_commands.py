"""The commands over dashboards/: check, render, exposures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gnomon.engine import Engine

dashboards_app = typer.Typer(help="Dashboards as code: check them, render them.", no_args_is_help=True)

Project = Annotated[Path, typer.Option("--project-dir", "--project", help="The dbt project's folder.")]
ManifestPath = Annotated[
    Path | None, typer.Option("--manifest", help="Other definitions: a semantic_manifest.json or its folder.")
]
Working = Annotated[bool, typer.Option("--working", help="Ask the working file, published or not.")]


@dashboards_app.command("check")
def check(
    manifest: ManifestPath = None,
    working: Working = False,
    project_dir: Project = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Hold dashboards/ against their form and the definitions; exit 1 with every fault."""
    from gnomon.dashboards import check_dashboards

    with _open(project_dir, manifest, working) as engine:
        checked = check_dashboards(engine, project_dir)
    names = [each.name for each in checked.dashboards]
    if as_json:
        typer.echo(json.dumps({"dashboards": names, "faults": checked.faults}, indent=2))
    else:
        for fault in checked.faults:
            typer.echo(fault)
        tiles = sum(len(each.tiles) for each in checked.dashboards)
        typer.echo(f"{len(names)} dashboards of {tiles} tiles: {len(checked.faults) or 'no'} faults", err=True)
    raise typer.Exit(checked.exit_code)


@contextmanager
def _open(project_dir: Path, manifest: Path | None, working: bool) -> Iterator[Engine]:
    from gnomon.engine import Engine

    engine = Engine.open(project_dir, manifest=manifest, working=working)
    try:
        yield engine
    finally:
        engine.close()
