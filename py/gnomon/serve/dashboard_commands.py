"""The commands over dashboards/: check, render, exposures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gnomon.core.errors import QueryError

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


@dashboards_app.command("render")
def render(
    out: Annotated[Path, typer.Option("--out", help="The folder for the pages; files of other names stay.")],
    name: Annotated[list[str] | None, typer.Option("--name", help="Only this dashboard; may be said again.")] = None,
    filter_: Annotated[
        list[str] | None, typer.Option("--filter", help="NAME=VALUE of a filter; said again, either value.")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", help="The first day, UTC, included.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="The last day, UTC, included.")] = None,
    role: Annotated[str | None, typer.Option("--role", help="Ask as a role of access.yml; else as the owner.")] = None,
    manifest: ManifestPath = None,
    working: Working = False,
    project_dir: Project = Path(),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Ask and draw; write nothing.")] = False,
) -> None:
    """Write dashboards as static pages: one file each that stands alone, and an index."""
    from gnomon.dashboards import Asking, choose_dashboards, load_dashboards, read_choices
    from gnomon.serve.pages import write_pages

    first, last = _read_day("--from", from_), _read_day("--to", to)
    with _open(project_dir, manifest, working) as engine:
        wanted = choose_dashboards(load_dashboards(engine, project_dir), name or ())
        chosen = read_choices(wanted, filter_ or ())
        asking = Asking(engine, role)
        pages = write_pages([asking.answer(each, chosen, first, last) for each in wanted])
    if not dry_run:
        out.mkdir(parents=True, exist_ok=True)
        for file, text in pages.items():
            (out / file).write_text(text, encoding="utf-8")
            typer.echo(out / file)
    did = "would write" if dry_run else "wrote"
    typer.echo(f"{did} {len(pages)} pages of {asking.count} questions; open {out / 'index.html'}", err=True)


@dashboards_app.command("exposures")
def exposures(
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if the file is not what would be written.")
    ] = False,
    manifest: ManifestPath = None,
    working: Working = False,
    project_dir: Project = Path(),
) -> None:
    """Write dbt's exposures from the definitions and the dashboards, so that dbt's graph ends in them."""
    from gnomon.dashboards import load_dashboards
    from gnomon.dashboards.exposures import FILE, write_exposures

    with _open(project_dir, manifest, working) as engine:
        text = write_exposures(engine.manifest, load_dashboards(engine, project_dir))
    path = project_dir / FILE
    is_stale = not path.is_file() or path.read_text(encoding="utf-8") != text
    if check_only:
        said = "is not what would be written. Run `gnomon dashboards exposures`." if is_stale else "is up to date"
        typer.echo(f"{path}: {said}", err=True)
        raise typer.Exit(1 if is_stale else 0)
    path.write_text(text, encoding="utf-8")
    typer.echo(path)


def _read_day(option: str, text: str | None) -> date | None:
    """Return the day that an option says; QueryError if it says none."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise QueryError(f"{option} '{text}' is not a day. Write 2026-05-01.") from None


@contextmanager
def _open(project_dir: Path, manifest: Path | None, working: bool) -> Iterator[Engine]:
    from gnomon.engine import Engine

    engine = Engine.open(project_dir, manifest=manifest, working=working)
    try:
        yield engine
    finally:
        engine.close()
