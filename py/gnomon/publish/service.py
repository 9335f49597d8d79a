"""What is in service and what is kept: cleaning up, rolling back, listing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gnomon.core.errors import GnomonError, WarehouseError
from gnomon.core.lock import hold_lock
from gnomon.core.settings import Settings
from gnomon.engine import BuildRecord
from gnomon.publish.journal import Journal, Phase
from gnomon.warehouse import DATABASE, Generations, Receipt, Service, Warehouse, read_receipt

LOCK = "publish.lock"


@dataclass(frozen=True)
class Rollback:
    """A move of the pointer back; `skipped` are kept generations that cannot be read."""

    withdrawn: str
    serving: str
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """One generation of the list. `state` is serving, kept, withdrawn or unused; what cannot be read has a `fault`."""

    generation_id: str
    state: str
    is_held: bool
    size: int
    published_at: datetime | None = None
    as_of: datetime | None = None
    raw_set_id: str | None = None
    run_id: str | None = None
    rollups: int = 0
    fault: str | None = None


@contextmanager
def work_alone(folder: Path, clock: Callable[[], datetime]) -> Iterator[Journal]:
    """Be the only publisher for the block and journal it; a fault of the disk is a WarehouseError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with hold_lock(folder / LOCK, "publish"):
            journal = Journal(folder, clock)
            with journal.tell_failure():
                yield journal
    except OSError as error:
        raise WarehouseError(
            f"{error.filename or folder}: {error.strerror or error}. What was in service still is. Free some space, "
            "or name another folder with GNOMON_GENERATIONS, and run it again."
        ) from None


def clean_up(generations: Generations, service: Service | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remove what a publisher left half-made, and generations that the pointer does not name.

    Returns those that are gone and those that a reader holds. Only who works alone may ask for it.
    """
    for path in generations.list_leftovers():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    named = (*service.kept, *service.withdrawn) if service else ()
    removed: list[str] = []
    held: list[str] = []
    for generation_id in generations.list_whole():
        if generation_id not in named:
            (removed if generations.remove(generation_id) else held).append(generation_id)
    return tuple(removed), tuple(held)


def roll_back(
    project_dir: Path,
    *,
    dry_run: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    environ: Mapping[str, str] = os.environ,
) -> Rollback:
    """Serve the kept generation before the one in service; WarehouseError if there is none."""
    generations = Generations(Settings.read(environ, project_dir).generations)
    if dry_run:
        return _find_older(generations)[0]
    # Not made for the asking: without a folder there is nothing to go back to.
    if not generations.folder.is_dir():
        _find_older(generations)
    with work_alone(generations.folder, clock) as journal:
        rollback, service = _find_older(generations)
        journal.write(Phase.POINT, rollback.serving)
        generations.write_service(service)
        journal.write(Phase.ROLLED_BACK, rollback.serving)
        return rollback


def list_generations(project_dir: Path, environ: Mapping[str, str] = os.environ) -> tuple[Shown, ...]:
    """Return all generations that are there, the newest first."""
    generations = Generations(Settings.read(environ, project_dir).generations)
    service = generations.read_service()
    return tuple(_show(generations, service, each) for each in reversed(generations.list_whole()))


def read_build(generations: Generations, generation_id: str) -> tuple[Receipt, BuildRecord]:
    """Return what a generation's file says of itself; WarehouseError if it cannot be read or is another one."""
    warehouse = Warehouse.attach(generations.locate(generation_id), DATABASE)
    try:
        receipt = read_receipt(warehouse)
        if receipt is None or receipt.generation_id != generation_id:
            raise WarehouseError(f"{warehouse.path}: is not generation '{generation_id}'.")
        return receipt, BuildRecord.read(warehouse)
    finally:
        warehouse.close()


def _find_older(generations: Generations) -> tuple[Rollback, Service]:
    service = generations.read_service()
    if service is None:
        raise WarehouseError(f"{generations.folder}: nothing is published, so there is nothing to go back to.")
    skipped: list[str] = []
    for place, older in enumerate(service.kept[1:], start=1):
        try:
            read_build(generations, older)
        except GnomonError:
            skipped.append(older)
            continue
        withdrawn = (service.serving, *service.withdrawn)
        return Rollback(service.serving, older, tuple(skipped)), Service(service.kept[place:], withdrawn)
    told = f"; {', '.join(skipped)} cannot be read" if skipped else ""
    raise WarehouseError(
        f"{generations.folder}: no generation before '{service.serving}' is kept{told}. "
        "`gnomon publish --keep N` keeps more of them from now on."
    )


def _show(generations: Generations, service: Service | None, generation_id: str) -> Shown:
    state = "unused"
    if service is not None:
        state = (
            "kept" if generation_id in service.kept else "withdrawn" if generation_id in service.withdrawn else state
        )
        state = "serving" if generation_id == service.serving else state
    path = generations.locate(generation_id)
    is_held, size = generations.is_held(generation_id), path.stat().st_size if path.is_file() else 0
    try:
        receipt, record = read_build(generations, generation_id)
    except GnomonError as error:
        return Shown(generation_id, state, is_held, size, fault=str(error))
    return Shown(
        generation_id,
        state,
        is_held,
        size,
        receipt.published_at,
        record.as_of,
        record.raw_set_id,
        record.run_id,
        len(receipt.rollups),
    )
