"""The daily run: judge the batch, build from its good rows beside the working file, swap it in, and publish it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from gnomon.core.errors import GnomonError, WarehouseError
from gnomon.core.lock import hold_lock
from gnomon.core.settings import Settings
from gnomon.ingest.news import News, read_news
from gnomon.operations.dbt_process import DbtRun, run_dbt
from gnomon.operations.fingerprint import fingerprint_batch, fingerprint_definitions
from gnomon.operations.journal import Entry, append_entry, read_journal
from gnomon.publish import DEFAULT_KEEP, Effect, Publication, check_keep, publish
from gnomon.warehouse import Build, carry_history, read_history, settle, write_memory

DEFAULT_RAW = "data/sample"
# Files of the daily run stand in this folder under dbt's target.
FOLDER = "daily"
_BATCH, _PARTIAL = "batch-", "building"
_NO_VERDICT = 3


class Outcome(Enum):
    """How a daily run ended."""

    BUILT = "built"
    NOTHING_NEW = "nothing new"
    REFUSED = "refused"
    FAILED = "build failed"
    DRY = "dry run"


@dataclass(frozen=True)
class DailyRun:
    """What happened. `verdict` is the door's document; `news` and `build` are None where it did not come to them.

    `publication` is what publishing did, None if it was not asked for or failed; then `publish_error` says why.
    """

    outcome: Outcome
    raw: Path
    database: Path
    verdict: Mapping[str, Any] = field(default_factory=dict)
    news: News | None = None
    build: DbtRun | None = None
    log: Path | None = None
    publication: Publication | None = None
    publish_error: str | None = None
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """Return 0 if the numbers are as new as the batch, 1 if it was refused, or the build or publishing failed."""
        is_refused = self.verdict.get("decision") == "refused"
        has_failed = self.outcome in (Outcome.REFUSED, Outcome.FAILED) or self.publish_error is not None
        return 1 if is_refused or has_failed else 0

    @property
    def is_served(self) -> bool:
        """Tell whether the working file's build is the generation in service."""
        return self.publication is not None and self.publication.effect is not Effect.WITHDRAWN

    @property
    def rows_read(self) -> int:
        """Return how many rows the batch has."""
        return sum(table["row_count"] for table in self.verdict.get("tables", ()))

    @property
    def rows_quarantined(self) -> int:
        """Return how many of them are in quarantine."""
        return sum(table["quarantined"] for table in self.verdict.get("tables", ()))


@dataclass(frozen=True)
class _Places:
    """Where a run reads and writes, all absolute.

    `locks` are handed to every process that it starts: one that outlives a run that was killed still writes there.
    """

    project: Path
    raw: Path
    target: Path
    database: Path
    work: Path
    locks: tuple[int, ...] = ()


def run_daily(
    project_dir: Path,
    raw: Path | None = None,
    *,
    dry_run: bool = False,
    publishes: bool = True,
    keep: int = DEFAULT_KEEP,
    environ: Mapping[str, str] = os.environ,
) -> DailyRun:
    """Take the raw set `raw` (by default GNOMON_RAW) through the door and dbt into the working file, and publish it.

    The working file changes only if all of the build passed, and then at once; what is in service changes only if
    all of the publishing passed. A dry run judges the batch and writes nothing. WarehouseError if another run is at
    work or the door cannot judge.
    """
    check_keep(keep)
    places = _find_places(project_dir, raw, environ)
    began = datetime.now(UTC)
    with nullcontext() if dry_run else hold_lock(places.work / "lock", "daily run") as lock:
        places = replace(places, locks=() if lock is None else (lock,))
        run = _run(places, dry_run, environ, began)
        if publishes and run.outcome in (Outcome.BUILT, Outcome.NOTHING_NEW) and not dry_run:
            run = replace(_publish(places, run, keep, environ), seconds=_measure(began))
        return run


def _publish(places: _Places, run: DailyRun, keep: int, environ: Mapping[str, str]) -> DailyRun:
    """Publish also where nothing is new: an earlier run may have ended between its build and its publishing."""
    try:
        # A schedule does not undo what a person took out of service.
        done = publish(places.project, keep=keep, restores=False, environ=environ)
    except GnomonError as error:
        return replace(run, publish_error=str(error))
    return replace(run, publication=done)


def _run(places: _Places, dry_run: bool, environ: Mapping[str, str], began: datetime) -> DailyRun:
    fingerprint = f"{fingerprint_batch(places.raw)}-{fingerprint_definitions(places.project)}"
    last = _read_last(places.database)
    if last and _is_built(places, fingerprint, last):
        return DailyRun(Outcome.NOTHING_NEW, places.raw, places.database, seconds=_measure(began))
    accepted = places.work / f"{_BATCH}{fingerprint}"
    if not dry_run:
        # What a run left that did not end; the lock says that it is nobody's.
        shutil.rmtree(accepted, ignore_errors=True)
    verdict = _judge(places, None if dry_run else accepted)
    run = DailyRun(Outcome.DRY if dry_run else Outcome.REFUSED, places.raw, places.database, verdict)
    if not dry_run and verdict["decision"] != "refused":
        run = _build(places, run, accepted, last, environ)
    run = replace(run, seconds=_measure(began))
    if not dry_run:
        append_entry(places.work, _describe(run, fingerprint))
    return run


def _build(places: _Places, run: DailyRun, accepted: Path, last: Build | None, environ: Mapping[str, str]) -> DailyRun:
    partial = places.work / _PARTIAL / places.database.name
    shutil.rmtree(partial.parent, ignore_errors=True)
    partial.parent.mkdir()
    if last and last.raw_set_id == run.verdict["raw_set_id"]:
        # The same raw set, grown: an incremental model needs what it had.
        settle(places.database)
        shutil.copyfile(places.database, partial)
    log = places.work / "dbt" / "build.txt"
    environ = _set_environment(places, accepted, partial, environ)
    build = run_dbt(places.project, places.target, environ, log, pass_fds=places.locks)
    news = read_news(accepted, last.as_of if last else None)
    if not build.is_good or build.run_id is None:
        return replace(run, outcome=Outcome.FAILED, news=news, build=build, log=log)
    write_memory(partial, build.run_id, build.peaks)
    if last:
        carry_history(places.database, partial)
        settle(places.database)
    os.replace(partial, places.database)
    _remove_older(places.work, accepted)
    return replace(run, outcome=Outcome.BUILT, news=news, build=build, log=log)


def _judge(places: _Places, out: Path | None) -> dict[str, Any]:
    """Have the door judge the batch in a process of its own, so that its memory is free for the build."""
    order = {
        "folder": str(places.raw),
        "out": str(out) if out else None,
        "history": str(places.target / "history"),
        "dry_run": out is None,
    }
    command = [sys.executable, "-m", "gnomon.ingest", json.dumps(order)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, pass_fds=places.locks)
    if done.returncode >= _NO_VERDICT or not done.stdout:
        raise WarehouseError(f"the door could not judge {places.raw}: {done.stderr.strip() or done.returncode}")
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict


def _find_places(project_dir: Path, raw: Path | None, environ: Mapping[str, str]) -> _Places:
    project = project_dir.absolute()
    settings = Settings.read(environ, project)
    if not (project / "dbt_project.yml").is_file():
        raise WarehouseError(f"{project_dir}: has no dbt_project.yml. --project names the project's folder.")
    chosen = raw.absolute() if raw else project / environ.get("GNOMON_RAW", DEFAULT_RAW)
    return _Places(project, chosen, settings.target, settings.database, settings.target / FOLDER)


def _set_environment(places: _Places, accepted: Path, database: Path, environ: Mapping[str, str]) -> dict[str, str]:
    # A path from the project's folder, as views keep it: a project that is moved finds its rows again.
    raw = os.path.relpath(accepted, places.project)
    return {**environ, "GNOMON_RAW": raw, "GNOMON_DATABASE": str(database), "DBT_TARGET_PATH": str(places.target)}


def _read_last(database: Path) -> Build | None:
    """Return the newest build of the working file; None if there is no file, or no build has ended in it."""
    if not database.is_file():
        return None
    settle(database)
    try:
        return read_history(database).last
    except WarehouseError:
        return None


def _is_built(places: _Places, fingerprint: str, last: Build) -> bool:
    """Tell whether the working file is what an earlier daily run made from the very same."""
    built = [entry for entry in read_journal(places.work) if entry.outcome == Outcome.BUILT.value]
    return bool(built) and (built[-1].fingerprint, built[-1].run_id) == (fingerprint, last.run_id)


def _remove_older(work: Path, accepted: Path) -> None:
    """Remove the batches of earlier builds; views of the working file read this one."""
    for path in work.glob(f"{_BATCH}*"):
        if path != accepted:
            shutil.rmtree(path)


def _describe(run: DailyRun, fingerprint: str) -> Entry:
    return Entry(
        ended_at=datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds"),
        outcome=run.outcome.value,
        raw_set_id=run.verdict.get("raw_set_id"),
        fingerprint=fingerprint,
        rows_read=run.rows_read,
        rows_quarantined=run.rows_quarantined,
        run_id=run.build.run_id if run.build else None,
        seconds=run.seconds,
    )


def _measure(began: datetime) -> float:
    return round((datetime.now(UTC) - began).total_seconds(), 1)
