"""The generation in service becomes the copy in service, or nothing changes; and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from gnomon.core.errors import WarehouseError
from gnomon.publish.publishing import DEFAULT_KEEP, Effect, check_keep
from gnomon.publish.service import Rollback
from gnomon.publish.serving_copy.checking import check
from gnomon.publish.serving_copy.judging import judge
from gnomon.publish.serving_copy.loading import Budget, load, read_budget
from gnomon.publish.serving_copy.schemas import (
    TRIES,
    StoredCopy,
    check_server,
    drop,
    ensure_reader,
    hold_copies,
    measure,
    name_schema,
    read_copies,
    swap,
)
from gnomon.publish.serving_copy.source import Source
from gnomon.warehouse import count_all
from gnomon.warehouse.postgres import PostgresAddress, PostgresSession


def _tell_time() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class CopyPublication:
    """What a publish into Postgres did, or would do.

    `tables` are the rows of each by name, and `views` stand over them; `links` how many foreign keys they have;
    `left_out` says which links the rows do not keep; `questions` is how many answers were compared; `refused` are the
    saved queries that the copy does not answer, with the reason; `bound` are views of others that still read the copy
    before; `removed` and `held` are generations whose copies went, and those that something keeps; `size` is in bytes,
    with indexes.
    """

    effect: Effect
    generation_id: str
    tables: Mapping[str, int] = field(default_factory=dict)
    links: int = 0
    left_out: tuple[str, ...] = ()
    questions: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    bound: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    held: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    views: tuple[str, ...] = ()


@dataclass(frozen=True)
class ShownCopy:
    """One copy of the list; `state` is serving, kept, withdrawn or unused, times are UTC."""

    generation_id: str
    state: str
    size: int
    as_of: datetime
    copied_at: datetime
    served_at: datetime | None
    run_id: str
    definition_version: str


def copy_generation(
    project_dir: Path,
    address: PostgresAddress,
    *,
    budget: str,
    keep: int = DEFAULT_KEEP,
    dry_run: bool = False,
    tries: int = TRIES,
    clock: Callable[[], datetime] = _tell_time,
) -> CopyPublication:
    """Serve the generation in service from Postgres, too, and keep the last `keep` copies there.

    A copy that is there is not loaded again. `budget` is the most that a copy may have, such as 2GB. WarehouseError or
    DefinitionError says why nothing was copied: the copy that was in service then still is.
    """
    check_keep(keep)
    limit = Budget(read_budget(budget))
    began = clock()
    with Source.open(project_dir) as source, _open(address) as (session, copies):
        if dry_run:
            return _describe(source, copies)
        with hold_copies(session):
            ensure_reader(session)
            # Anew, by who works alone.
            copies = read_copies(session)
            serving = next((copy for copy in copies if copy.state == "serving"), None)
            same = next((copy for copy in copies if copy.generation_id == source.generation_id), None)
            removed, held = _remove(session, [copy for copy in copies if copy.state == "unused"])
            if same is not None and same.state == "serving":
                done = CopyPublication(Effect.NOTHING_NEW, source.generation_id)
            elif same is not None and same.state != "unused":
                bound = swap(session, serving, same, _plain(clock()), tries=tries)
                done = CopyPublication(Effect.RESTORED, source.generation_id, bound=bound)
            else:
                done = _copy_anew(session, source, serving, limit, tries, clock)
            also_removed, also_held = _retire(session, keep, renews=done.effect is Effect.PUBLISHED)
    return replace(
        done,
        removed=(*removed, *also_removed),
        held={**held, **also_held},
        seconds=round((clock() - began).total_seconds(), 1),
    )


def roll_back_copy(
    address: PostgresAddress,
    *,
    dry_run: bool = False,
    tries: int = TRIES,
    clock: Callable[[], datetime] = _tell_time,
) -> Rollback:
    """Serve the copy before the one in service; WarehouseError if none is kept."""
    with _open(address) as (session, copies):
        if dry_run:
            serving, older = _find_older(address, copies)
            return Rollback(serving.generation_id, older.generation_id)
        with hold_copies(session):
            serving, older = _find_older(address, read_copies(session))
            swap(session, serving, older, _plain(clock()), withdraws=True, tries=tries)
            return Rollback(serving.generation_id, older.generation_id)


def list_copies(address: PostgresAddress) -> tuple[ShownCopy, ...]:
    """Return all copies that are there: the one in service, then what a rollback leads to, then the others."""
    with _open(address) as (session, copies):
        return tuple(
            ShownCopy(
                copy.generation_id,
                copy.state,
                measure(session, copy.schema),
                copy.as_of_at,
                copy.copied_at,
                copy.served_at,
                copy.run_id,
                copy.definition_version,
            )
            for copy in copies
        )


@contextmanager
def _open(address: PostgresAddress) -> Iterator[tuple[PostgresSession, tuple[StoredCopy, ...]]]:
    with PostgresSession.open(address) as session:
        check_server(session)
        yield session, read_copies(session)


def _describe(source: Source, copies: Sequence[StoredCopy]) -> CopyPublication:
    """Return what a publish would do; nothing of it is written."""
    if any(copy.generation_id == source.generation_id and copy.state != "unused" for copy in copies):
        return CopyPublication(Effect.DRY, source.generation_id)
    contents, left_out = judge(source.served.warehouse, source.contents)
    rows = count_all(source.served.warehouse, [table.source for table in contents.tables])
    return CopyPublication(
        Effect.DRY, source.generation_id, rows, len(contents.links), left_out, views=_name_views(source)
    )


def _copy_anew(
    session: PostgresSession,
    source: Source,
    serving: StoredCopy | None,
    budget: Budget,
    tries: int,
    clock: Callable[[], datetime],
) -> CopyPublication:
    contents, left_out = judge(source.served.warehouse, source.contents)
    copy = _stamp(source, _plain(clock()))
    rows, size = load(session, source.served.warehouse, contents, copy, budget)
    try:
        checked = check(session, source, copy.schema)
        bound = swap(session, serving, copy, _plain(clock()), tries=tries)
    except BaseException:
        # What is left where this fails, too, the next publish removes.
        with suppress(WarehouseError):
            drop(session, copy)
        raise
    return CopyPublication(
        Effect.PUBLISHED,
        source.generation_id,
        tables=rows,
        views=_name_views(source),
        links=len(contents.links),
        left_out=left_out,
        questions=checked.questions,
        refused=checked.refused,
        size=size,
        bound=bound,
    )


def _name_views(source: Source) -> tuple[str, ...]:
    return tuple(view.name for view in source.contents.views.views)


def _stamp(source: Source, at: datetime) -> StoredCopy:
    record = source.served.record
    return StoredCopy(
        schema=name_schema(source.generation_id),
        generation_id=source.generation_id,
        data_version=source.served.data_version,
        run_id=record.run_id,
        raw_set_id=record.raw_set_id,
        definition_version=source.engine.manifest.version,
        as_of_at=record.as_of,
        published_at=source.published_at,
        copied_at=at,
        served_at=None,
        withdrawn_at=None,
    )


def _find_older(address: PostgresAddress, copies: Sequence[StoredCopy]) -> tuple[StoredCopy, StoredCopy]:
    kept = [copy for copy in copies if copy.state in ("serving", "kept")]
    if not kept or kept[0].state != "serving":
        raise WarehouseError(f"{address}: no copy is in service, so there is nothing to go back to.")
    if len(kept) < 2:
        raise WarehouseError(
            f"{address}: no copy before '{kept[0].generation_id}' is kept. `gnomon publish --to … --keep N` keeps more "
            "of them from now on."
        )
    return kept[0], kept[1]


def _retire(session: PostgresSession, keep: int, *, renews: bool) -> tuple[tuple[str, ...], dict[str, str]]:
    """Remove all but the newest copies, and, once there is a new one, those that a rollback took out."""
    copies = read_copies(session)
    kept = [copy for copy in copies if copy.state in ("serving", "kept")]
    withdrawn = [copy for copy in copies if copy.state == "withdrawn"] if renews else []
    return _remove(session, [*kept[keep:], *withdrawn])


def _remove(session: PostgresSession, copies: Sequence[StoredCopy]) -> tuple[tuple[str, ...], dict[str, str]]:
    held = {copy.generation_id: why for copy in copies if (why := drop(session, copy)) is not None}
    return tuple(copy.generation_id for copy in copies if copy.generation_id not in held), held


def _plain(moment: datetime) -> datetime:
    """Return a moment of UTC as Postgres keeps it here, without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)
