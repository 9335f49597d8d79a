"""`gnomon simulate`: a synthetic world, and one more day of it."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from gnomon.core.errors import QueryError
from gnomon.simulate.scale import SCALES

simulate_app = typer.Typer(help="Write a synthetic raw set, with its truth apart under truth/.", add_completion=False)

_Scale = Annotated[str, typer.Option("--scale", help=f"How large: {', '.join(SCALES)}.")]
_Start = Annotated[datetime, typer.Option("--start", formats=["%Y-%m-%d"], help="The first day.")]
_Sets = Annotated[
    list[str] | None, typer.Option("--set", help="Override a number of the scale: NAME=VALUE. Repeatable.")
]
_Scenarios = Annotated[
    list[str] | None,
    typer.Option("--scenario", help="A scenario of the library, or a file. Repeatable; `none` plays none."),
]


@simulate_app.callback(invoke_without_command=True)
def simulate(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option("--out", help="A new folder for the raw set.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same rows.")] = 7,
    scale: _Scale = "tiny",
    days: Annotated[int | None, typer.Option("--days", help="Days of events.")] = None,
    creators: Annotated[int | None, typer.Option("--creators", help="How many creators.")] = None,
    sets: _Sets = None,
    start: _Start = datetime(2026, 3, 2),
    scenario: _Scenarios = None,
    keep_state: Annotated[bool, typer.Option("--keep-state", help="Keep what `simulate step` needs.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written; write nothing.")] = False,
) -> None:
    """Write a synthetic raw set, with its truth apart under truth/."""
    if context.invoked_subcommand is not None:
        return
    from gnomon.simulate import check_arguments, choose_scale
    from gnomon.simulate import simulate as run

    if out is None:
        raise QueryError("--out is missing: name a new folder for the raw set.")
    overrides = _read_sets(sets or [])
    overrides |= {name: value for name, value in (("days", days), ("creators", creators)) if value is not None}
    chosen = choose_scale(scale, overrides)
    begins = date(start.year, start.month, start.day)
    played = [name for name in scenario if name != "none"] if scenario else None
    if dry_run:
        check_arguments(out, seed=seed, scale=chosen, start=begins, scenarios=played)
        typer.echo(f"would write {chosen.days} days of {chosen.creators} creators (seed {seed}) to {out}", err=True)
        return
    with typer.progressbar(length=chosen.days, label="days", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        record = run(
            out,
            seed=seed,
            scale=chosen,
            start=begins,
            scenarios=played,
            keep_state=keep_state,
            tell=lambda done, of: bar.update(1),
        )
    typer.echo(record.raw_set_id)
    typer.echo(f"wrote {out}; read it with GNOMON_RAW={out}", err=True)


@simulate_app.command("step")
def step(
    folder: Annotated[Path, typer.Argument(help="A raw set written with --keep-state.")],
    decisions: Annotated[
        Path | None, typer.Option("--decisions", help="CSV, JSON lines or Parquet: target_type, target_id, action, …")
    ] = None,
    twin: Annotated[bool, typer.Option(help="Step the world without decisions beside it, under truth/twin.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Live one more day of a world under given decisions."""
    from gnomon.simulate import step as run

    done = run(folder, decisions=decisions, twin=twin)
    if as_json:
        told = {"day": done.day, "row_counts": done.row_counts, "twin_row_counts": done.twin_row_counts}
        typer.echo(json.dumps(told, indent=2))
        return
    typer.echo(f"{done.day}: {sum(done.row_counts.values())} rows became known")
    typer.echo(f"wrote into {folder}; the raw set keeps its identity", err=True)


def _read_sets(sets: list[str]) -> dict[str, float]:
    values = {}
    for given in sets:
        name, equals, value = given.partition("=")
        try:
            values[name] = float(value)
        except ValueError:
            raise QueryError(f"--set {given}: write NAME=VALUE with a number, as in --set creators=500.") from None
        if not equals:
            raise QueryError(f"--set {given}: write NAME=VALUE with a number, as in --set creators=500.")
    return values
