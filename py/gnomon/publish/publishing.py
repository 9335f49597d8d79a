"""Publishing: the working file's last build becomes the generation in service, or nothing changes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from gnomon.core.errors import GnomonError, WarehouseError
from gnomon.core.settings import Settings
from gnomon.engine import BuildRecord
from gnomon.publish.journal import Journal, Phase
from gnomon.publish.making import Intent, Made, intend, make, seal
from gnomon.publish.service import clean_up, read_build, work_alone
from gnomon.publish.space import Need, check_space, read_free_space
from gnomon.warehouse import Generations, Service, WorkingFile, name_generation, read_number

DEFAULT_KEEP = 3


class Effect(Enum):
    """What a publish changed."""

    PUBLISHED = "published"
    NOTHING_NEW = "nothing new"
    RESTORED = "served again"
    WITHDRAWN = "withdrawn"
    DRY = "dry run"


@dataclass(frozen=True)
class Publication:
    """What a publish did, or would do.

    `generation_id` is that of the build, None in a dry run of a new one; it is not in service only if it was
    withdrawn. `rollups` are the rows of each; `questions` is how many of their answers were compared with the tables';
    `size` the file's bytes; `removed` and `held` are generations that went, and those that must wait for a reader.
    """

    effect: Effect
    run_id: str
    generation_id: str | None
    tables: int = 0
    rows: int = 0
    rollups: Mapping[str, int] = field(default_factory=dict)
    questions: int = 0
    size: int = 0
    need: Need | None = None
    removed: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class _Known:
    """What the pointer says, the next generation's number, and the generation that the build already is, if any."""

    service: Service | None
    number: int
    same: str | None


def publish(
    project_dir: Path,
    *,
    keep: int = DEFAULT_KEEP,
    dry_run: bool = False,
    restores: bool = True,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    free_space: Callable[[Path], int] = read_free_space,
    environ: Mapping[str, str] = os.environ,
) -> Publication:
    """Serve the working file's last build as a generation, and keep the last `keep` of them.

    A build that was published is not copied again; one that was rolled back is served again only if `restores`.
    WarehouseError or DefinitionError says why nothing was published: what was in service then still is.
    """
    check_keep(keep)
    settings = Settings.read(environ, project_dir)
    generations = Generations(settings.generations)
    began = clock()
    with WorkingFile.open(settings.database, settings.memory_limit) as working:
        run_id = BuildRecord.read(working.reader).run_id
        if dry_run:
            known = _look_up(generations, run_id)
            if known.same is not None:
                return Publication(Effect.DRY, run_id, known.same)
            return _describe(Effect.DRY, intend(working))
        with work_alone(generations.folder, clock) as journal:
            journal.write(Phase.CLEAN)
            known = _look_up(generations, run_id)
            if known.same is None:
                # First, so that a smaller `keep` makes room.
                removed, _ = _retire(generations, keep)
                done = _publish_anew(settings, working, generations, known.number, keep, journal, clock, free_space)
            else:
                removed, _ = clean_up(generations, known.service)
                done = _serve_again(generations, known, known.same, run_id, restores, journal)
            journal.write(Phase.RETIRE)
            also_removed, held = _retire(generations, keep)
            journal.write(Phase.DONE, done.generation_id or "")
    seconds = round((clock() - began).total_seconds(), 1)
    return replace(done, removed=(*removed, *also_removed), held=held, seconds=seconds)


def check_keep(keep: int) -> None:
    """WarehouseError if so few generations cannot be kept."""
    if keep < 1:
        raise WarehouseError(f"--keep is {keep}; the generation in service is always kept. Write 1 or more.")


def _publish_anew(
    settings: Settings,
    working: WorkingFile,
    generations: Generations,
    number: int,
    keep: int,
    journal: Journal,
    clock: Callable[[], datetime],
    free_space: Callable[[Path], int],
) -> Publication:
    journal.write(Phase.JUDGE)
    intent = intend(working)
    check_space(generations.folder, intent.need, free_space)
    record = intent.build.record
    generation_id = name_generation(number, record.as_of, record.run_id)
    making = generations.locate_making(generation_id)
    try:
        at = clock().replace(tzinfo=None)
        made = make(working, intent, making, generation_id, at, settings.memory_limit, journal)
        journal.write(Phase.SEAL, generation_id)
        seal(generations, generation_id, intent.build)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    journal.write(Phase.POINT, generation_id)
    service = generations.read_service()
    generations.write_service(Service((generation_id, *(service.kept if service else ()))[:keep]))
    return _describe(Effect.PUBLISHED, intent, generation_id, made)


def _serve_again(
    generations: Generations, known: _Known, same: str, run_id: str, restores: bool, journal: Journal
) -> Publication:
    service = known.service
    assert service is not None
    if same == service.serving:
        return Publication(Effect.NOTHING_NEW, run_id, same)
    if not restores:
        return Publication(Effect.WITHDRAWN, run_id, same)
    journal.write(Phase.POINT, same)
    kept, withdrawn = (tuple(each for each in ids if each != same) for ids in (service.kept, service.withdrawn))
    generations.write_service(Service((same, *kept), withdrawn))
    return Publication(Effect.RESTORED, run_id, same)


def _retire(generations: Generations, keep: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Take all but the newest out of the pointer, then remove what it does not name and no reader holds."""
    service = generations.read_service()
    if service is not None and len(service.kept) > keep:
        service = Service(service.kept[:keep], service.withdrawn)
        generations.write_service(service)
    return clean_up(generations, service)


def _look_up(generations: Generations, run_id: str) -> _Known:
    service = generations.read_service()
    named = (*service.kept, *service.withdrawn) if service else ()
    there = (*named, *generations.list_whole())
    same = next((each for each in named if _is_of_build(generations, each, run_id)), None)
    return _Known(service, 1 + max(map(read_number, there), default=0), same)


def _is_of_build(generations: Generations, generation_id: str, run_id: str) -> bool:
    try:
        return read_build(generations, generation_id)[1].run_id == run_id
    except GnomonError:
        # What cannot be read is not served again: the build is published anew.
        return False


def _describe(
    effect: Effect, intent: Intent, generation_id: str | None = None, made: Made | None = None
) -> Publication:
    return Publication(
        effect=effect,
        run_id=intent.build.record.run_id,
        generation_id=generation_id,
        tables=len(intent.build.nodes),
        rows=sum(intent.build.row_counts.values()),
        rollups=made.rollups if made else {rollup.name: 0 for _, rollup, _ in intent.rollups},
        questions=made.questions if made else 0,
        size=made.size if made else 0,
        need=intent.need,
    )
