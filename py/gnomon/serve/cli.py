"""The command line: data on stdout, words on stderr.

Exit codes: 0 good, 1 a finding, 2 misuse or a refusal, 3 a fault of Gnomon's own.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gnomon import __version__
from gnomon.core.errors import GnomonError, QueryError
from gnomon.serve.dashboard_commands import dashboards_app
from gnomon.serve.export_commands import export_app
from gnomon.serve.key_commands import keys_app
from gnomon.serve.metabase_commands import metabase_app
from gnomon.serve.operation_commands import daily, doctor
from gnomon.serve.publish_commands import publish, read_address
from gnomon.serve.recommend_command import recommend as recommend_rollups
from gnomon.serve.serve_command import serve
from gnomon.serve.simulate_commands import simulate_app

if TYPE_CHECKING:
    from gnomon.engine import Engine, Result
    from gnomon.planner import Plan

app = typer.Typer(
    name="gnomon",
    help="Gnomon: governance metrics, asked through one engine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
ingest_app = typer.Typer(help="Bring raw data in, or hold it against the contract.", no_args_is_help=True)
app.add_typer(ingest_app, name="ingest", rich_help_panel=None)
app.add_typer(simulate_app, name="simulate", rich_help_panel=None)
app.add_typer(keys_app, name="keys", rich_help_panel=None)
app.add_typer(dashboards_app, name="dashboards", rich_help_panel=None)
app.add_typer(export_app, name="export", rich_help_panel=None)
app.add_typer(metabase_app, name="metabase", rich_help_panel=None)
app.command()(daily)
app.command()(doctor)
app.command()(publish)
app.command()(serve)

_TRACEBACK = "GNOMON_TRACEBACK"
_OUTSIDE_CALLS = re.compile(r",(?![^(]*\))")


class Format(Enum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    ARROW = "arrow"


Metrics = Annotated[list[str] | None, typer.Argument(help="Names of metrics; `gnomon metrics` lists them.")]
By = Annotated[list[str] | None, typer.Option("--by", help="Group by these names, separated by commas.")]
Where = Annotated[
    list[str] | None, typer.Option("--where", help="A filter: \"{{ Dimension('creator__tier') }} = 'gold'\".")
]
Order = Annotated[list[str] | None, typer.Option("--order", help="Sort by these columns; -NAME descends.")]
Limit = Annotated[int | None, typer.Option("--limit", help="At most so many rows.")]
Zone = Annotated[str | None, typer.Option("--time-zone", help="Days and hours of this zone; of UTC if left out.")]
Top = Annotated[int | None, typer.Option("--top", help="So many groups, the others as one.")]
Start = Annotated[str | None, typer.Option("--start", help="First moment of metric_time, UTC, included.")]
End = Annotated[str | None, typer.Option("--end", help="Last moment of metric_time, UTC, included.")]
Saved = Annotated[str | None, typer.Option("--saved-query", help="A saved query of metrics/.")]
Project = Annotated[Path, typer.Option("--project-dir", help="The dbt project's folder.")]
ManifestPath = Annotated[
    Path | None, typer.Option("--manifest", help="Other definitions: a semantic_manifest.json or its folder.")
]
Working = Annotated[bool, typer.Option("--working", help="Ask the working file, published or not.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be written; write nothing.")]
Out = Annotated[Path, typer.Option("--out", help="A new folder for the raw set.")]


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"gnomon {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Gnomon: governance metrics, asked through one engine."""


@app.command()
def query(
    metrics: Metrics = None,
    by: By = None,
    where: Where = None,
    order: Order = None,
    limit: Limit = None,
    top: Top = None,
    time_zone: Zone = None,
    start: Start = None,
    end: End = None,
    saved_query: Saved = None,
    manifest: ManifestPath = None,
    working: Working = False,
    project_dir: Project = Path(),
    format: Annotated[Format, typer.Option("--format", help="How the answer is written.")] = Format.TABLE,
) -> None:
    """Ask for metrics; numbers go to stdout, what to know of them to stderr."""
    from gnomon.serve import rendering

    engine = _open_engine(project_dir, manifest, working)
    result = engine.query(
        metrics or (),
        _split(by),
        where or (),
        _split(order),
        limit,
        start,
        end,
        saved_query=saved_query,
        top=top,
        time_zone=time_zone,
    )
    if format is Format.ARROW:
        sys.stdout.buffer.write(rendering.render_arrow(result))
    else:
        write: dict[Format, Callable[[Result], str]] = {
            Format.TABLE: rendering.render_table,
            Format.CSV: rendering.render_csv,
            Format.JSON: rendering.render_json,
        }
        typer.echo(write[format](result))
    typer.echo(rendering.render_words(result.provenance, engine.find_waiting_build()), err=True)


@app.command()
def plan(
    metrics: Metrics = None,
    by: By = None,
    where: Where = None,
    order: Order = None,
    limit: Limit = None,
    top: Top = None,
    time_zone: Zone = None,
    start: Start = None,
    end: End = None,
    saved_query: Saved = None,
    manifest: ManifestPath = None,
    working: Working = False,
    project_dir: Project = Path(),
    dialect: Annotated[
        str | None, typer.Option("--dialect", help="duckdb, postgres or spark; duckdb if left out.")
    ] = None,
    copy: Annotated[
        str | None,
        typer.Option("--copy", help="For the serving copy at postgres://…, or at `postgres`: the one in GNOMON_COPY."),
    ] = None,
    outer_filters: Annotated[
        list[str] | None,
        typer.Option("--outer-filters", help="Dimensions that somebody else will filter by, such as Metabase."),
    ] = None,
    as_json: AsJson = False,
    recommend: Annotated[
        bool, typer.Option("--recommend", help="Instead: propose rollups for the questions of a log.")
    ] = False,
    log: Annotated[
        Path | None, typer.Option("--log", help="The log: JSON lines, one question each; by default the API's own.")
    ] = None,
) -> None:
    """Show the SQL that would answer the same question, and why it is this one; or propose rollups for a log."""
    if recommend or log is not None:
        if metrics or not recommend:
            raise QueryError(
                "rollups are proposed for a log and nothing else: `gnomon plan --recommend` reads that of the API, and "
                "with --log FILE another one."
            )
        recommend_rollups(_open_engine(project_dir, manifest, working), project_dir, log, as_json)
        return
    words: dict[str, Any] = {
        "metrics": metrics or (),
        "group_by": _split(by),
        "where": where or (),
        "order_by": _split(order),
        "limit": limit,
        "start": start,
        "end": end,
        "saved_query": saved_query,
        "top": top,
        "time_zone": time_zone,
        "outer_filters": _split(outer_filters),
    }
    if copy is None:
        chosen = _open_engine(project_dir, manifest, working).plan(**words, dialect=dialect or "duckdb")
    else:
        if manifest is not None or working or dialect not in (None, "postgres"):
            raise QueryError("--copy plans for what the copy was made of, in postgres. Leave out the other options.")
        chosen = _plan_on_copy(copy, project_dir, words)
    if as_json:
        filters = [asdict(each) for each in chosen.filters]
        told = {"sql": chosen.format(), "rollups": chosen.rollups, "why": chosen.why, "filters": filters}
        typer.echo(json.dumps(told, indent=2))
        return
    typer.echo(chosen.format())
    for reason in chosen.why:
        typer.echo(f"-- {reason}", err=True)


def _plan_on_copy(copy: str, project_dir: Path, words: dict[str, Any]) -> Plan:
    from gnomon.publish.serving_copy import open_copy

    with open_copy(project_dir, read_address(copy, project_dir)) as door:
        typer.echo(f"-- for the copy of {door.stored.generation_id}", err=True)
        return door.plan(**words)


@app.command()
def sql(
    text: Annotated[str | None, typer.Argument(help="One SELECT over marts, features, scores and seeds.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="Read it from a file, such as one of analyses/.")] = None,
    max_rows: Annotated[int, typer.Option("--max-rows", help="More rows than that are an error, not a cut.")] = 10_000,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds after which it is interrupted.")] = 60.0,
    max_scan_rows: Annotated[
        int, typer.Option("--max-scan-rows", help="Refused if it is estimated to read more rows.")
    ] = 200_000_000,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would cost; do not run it.")] = False,
    working: Working = False,
    project_dir: Project = Path(),
    format: Annotated[Format, typer.Option("--format", help="How the answer is written.")] = Format.TABLE,
) -> None:
    """Run one SELECT, read-only and within limits; its cost is said before it runs."""
    from gnomon.engine import Limits, SqlDoor
    from gnomon.serve import rendering, sql_words

    limits = Limits(max_rows, timeout, max_scan_rows)
    written, origin = _read_sql(text, file)
    door = SqlDoor.open(project_dir, working=working)
    priced = door.price(written, origin)
    typer.echo(sql_words.render_cost(priced.estimate), err=True)
    if dry_run:
        return
    result = door.answer(priced, limits)
    if format is Format.ARROW:
        sys.stdout.buffer.write(rendering.render_arrow(result))
    else:
        write: dict[Format, Callable[[Result], str]] = {
            Format.TABLE: lambda answer: sql_words.render_rows(answer.table),
            Format.CSV: rendering.render_csv,
            Format.JSON: rendering.render_json,
        }
        typer.echo(write[format](result))
    typer.echo(rendering.render_words(result.provenance), err=True)


@app.command()
def metrics(
    name: Annotated[str | None, typer.Argument(help="A metric; without one, all are listed.")] = None,
    as_json: AsJson = False,
    manifest: ManifestPath = None,
    working: Working = False,
    project_dir: Project = Path(),
) -> None:
    """List the metrics, or show one: definition, owner, dimensions, parents."""
    from gnomon.serve import catalogue

    engine = _open_engine(project_dir, manifest, working)
    if as_json:
        typer.echo(catalogue.render_json(engine, name))
    else:
        typer.echo(catalogue.render_metric(engine, name) if name else catalogue.render_list(engine))


@ingest_app.command("check")
def ingest_check(folder: Annotated[Path, typer.Argument(help="A raw set.")], as_json: AsJson = False) -> None:
    """Hold a raw set against the contract; exit 1 on bad rows, 2 on a bad structure."""
    from gnomon.ingest import check as run

    report = run(folder)
    typer.echo(report.to_json() if as_json else report.render())
    raise typer.Exit(report.exit_code)


@ingest_app.command("validate")
def ingest_validate(
    folder: Annotated[Path, typer.Argument(help="A raw set: the batch.")],
    out: Annotated[Path | None, typer.Option("--out", help="A new folder for the rows that pass.")] = None,
    docs: Annotated[Path | None, typer.Option("--docs", help="A new folder for Data Docs, as HTML.")] = None,
    history: Annotated[Path, typer.Option("--history", help="The folder that remembers accepted batches.")] = Path(
        "target/history"
    ),
    expectations: Annotated[
        Path | None, typer.Option("--expectations", help="Your own expectations instead of the built-in file.")
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Judge a batch before dbt reads it; exit 1 on findings within the limits, 2 if it is refused."""
    from gnomon.ingest import validate as run

    verdict = run(folder, out=out, docs=docs, history=history, expectations=expectations, dry_run=dry_run)
    typer.echo(verdict.to_json() if as_json else verdict.render())
    if verdict.out:
        typer.echo(f"wrote {verdict.out}; read it with GNOMON_RAW={verdict.out}", err=True)
    if verdict.docs:
        typer.echo(f"wrote {verdict.docs}; open {verdict.docs / 'index.html'}", err=True)
    raise typer.Exit(verdict.exit_code)


@ingest_app.command("kuairand")
def ingest_kuairand(
    path: Annotated[Path, typer.Argument(help="The folder of the downloaded log.")],
    out: Out,
    dry_run: DryRun = False,
) -> None:
    """Map a KuaiRand-Pure log to the raw contract; identifiers become keyed hashes."""
    from gnomon.core.settings import Settings
    from gnomon.ingest import check_conversion, convert

    hash_key = Settings.read().hash_key
    if dry_run:
        check_conversion(path, out, hash_key=hash_key)
        typer.echo(f"would map {path} to a raw set in {out}", err=True)
        return
    conversion = convert(path, out, hash_key=hash_key)
    typer.echo(conversion.raw_set_id)
    for name, tally in (("exposures", conversion.exposures), ("videos", conversion.videos)):
        typer.echo(
            f"{name}: {tally.read:,} read = {tally.kept:,} kept + {tally.dropped:,} duplicates dropped "
            f"+ {tally.quarantined:,} in quarantine",
            err=True,
        )
    typer.echo(f"wrote {out}; read it with GNOMON_RAW={out}", err=True)


@ingest_app.command("find")
def ingest_find(path: Annotated[Path, typer.Argument(help="A folder of data.")]) -> None:
    """Say which adapter reads a folder; `raw` if it is a raw set already."""
    from gnomon.ingest import find_adapter

    typer.echo(find_adapter(path))


def main() -> None:
    """Run the command line; every error that is foreseen is a text of one screen, never a traceback."""
    try:
        app()
    except GnomonError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except Exception as error:
        if os.environ.get(_TRACEBACK):
            raise
        typer.echo(
            f"error: {type(error).__name__}: {error}\nThis is a fault of Gnomon, not of the question. "
            f"{_TRACEBACK}=1 shows where.",
            err=True,
        )
        sys.exit(3)


def _open_engine(project_dir: Path, manifest: Path | None, working: bool) -> Engine:
    from gnomon.engine import Engine

    return Engine.open(project_dir, manifest=manifest, working=working)


def _read_sql(text: str | None, file: Path | None) -> tuple[str, str]:
    """Return the SQL and where it stands: the argument, or the file."""
    if (text is None) == (file is None):
        raise QueryError('gnomon sql takes one statement: `gnomon sql "select …"` or `gnomon sql --file F`.')
    if file is None:
        return text or "", "sql"
    try:
        # Some editors begin a file with a byte order mark.
        return file.read_text(encoding="utf-8-sig"), str(file)
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"{file}: cannot be read: {error}. --file names a text file with one SELECT.") from None


def _split(values: list[str] | None) -> list[str]:
    """Split at commas, but not inside a call such as TimeDimension('metric_time', 'week')."""
    words = [word.strip() for value in values or () for word in _OUTSIDE_CALLS.split(value)]
    return [word for word in words if word]
