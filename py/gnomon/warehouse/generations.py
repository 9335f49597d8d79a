"""The folder of generations: which one is in service, which are kept, and who reads one.

    current             the pointer, one small file, replaced at once
    gNNNN-…/            a generation: gNNNN-….duckdb, both manifests, and its lease
    .making-gNNNN-…/    one that is being made, or was when its maker ended

A reader holds a shared lock on the lease. The system lets go of it when the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import weakref
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from gnomon.core.errors import WarehouseError

POINTER = "current"
LEASE = "lease"
_MAKING, _REMOVING, _POINTING = ".making-", ".removing-", ".current-"
_ID = re.compile(r"g(\d{4,})-\d{8}T\d{6}-([0-9a-f]+)")


@dataclass(frozen=True)
class Service:
    """What the pointer says.

    `kept` are generations that can be served, the one in service first and then those that a rollback leads to;
    `withdrawn` are those that a rollback took out of service.
    """

    kept: tuple[str, ...]
    withdrawn: tuple[str, ...] = ()

    @property
    def serving(self) -> str:
        """The generation in service."""
        return self.kept[0]


class Lease:
    """A hold on one generation: while it lasts, the generation is not removed."""

    def __init__(self, generation_id: str, database: Path, descriptor: int) -> None:
        self.generation_id = generation_id
        self.database = database
        self.release = weakref.finalize(self, os.close, descriptor)


class Generations:
    """The generations in a folder; nothing is read before it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read_service(self) -> Service | None:
        """Return what the pointer says; None if nothing has been published."""
        path = self.folder / POINTER
        try:
            document = json.loads(path.read_bytes())
            service = Service(tuple(document.pop("kept")), tuple(document.pop("withdrawn")))
            if document or not service.kept or not all(map(_ID.fullmatch, (*service.kept, *service.withdrawn))):
                raise ValueError
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise WarehouseError(f"{path}: the pointer cannot be read: {error.strerror}.") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise WarehouseError(
                f"{path}: says no generation, and only `gnomon publish` writes it. Remove it and run `gnomon publish`."
            ) from None
        return service

    def write_service(self, service: Service) -> None:
        """Move the pointer: who reads it sees all of the old or all of the new, whatever happens meanwhile."""
        path = self.folder / f"{_POINTING}{os.getpid()}"
        write_durably(path, json.dumps(asdict(service)) + "\n")
        os.replace(path, self.folder / POINTER)
        sync(self.folder)

    def locate(self, generation_id: str) -> Path:
        """Return where a generation's DuckDB file stands."""
        return self.folder / generation_id / f"{generation_id}.duckdb"

    def locate_making(self, generation_id: str) -> Path:
        """Return the folder in which a generation is made, before it has its own name."""
        return self.folder / f"{_MAKING}{generation_id}"

    def take(self) -> Lease | None:
        """Return a lease on the generation in service; None if nothing has been published."""
        service = self.read_service()
        while service is not None:
            lease = self.hold(service.serving)
            if lease is not None:
                return lease
            before, service = service, self.read_service()
            if service == before:
                break
        else:
            return None
        raise WarehouseError(
            f"{self.folder}: the generation in service, '{service.serving}', is not there. "
            "`gnomon publish` makes a new one; `gnomon publish --rollback` serves the one before."
        )

    def hold(self, generation_id: str) -> Lease | None:
        """Return a lease on a generation; None if it is not there, or just being removed."""
        path = self.folder / generation_id / LEASE
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise WarehouseError(f"{path}: cannot be opened: {error.strerror}.") from None
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        lease = Lease(generation_id, self.locate(generation_id), descriptor)
        # Whoever removed it did so before the lock was ours: its name is gone.
        if path.exists():
            return lease
        lease.release()
        return None

    def list_whole(self) -> tuple[str, ...]:
        """Return the generations that are there, oldest first, in service or not."""
        if not self.folder.is_dir():
            return ()
        found = [path.name for path in self.folder.iterdir() if path.is_dir() and _ID.fullmatch(path.name)]
        return tuple(sorted(found, key=read_number))

    def list_leftovers(self) -> tuple[Path, ...]:
        """Return what a publisher left that did not end; only who holds the publishers' lock may judge so."""
        if not self.folder.is_dir():
            return ()
        return tuple(
            path for path in sorted(self.folder.iterdir()) if path.name.startswith((_MAKING, _REMOVING, _POINTING))
        )

    def is_held(self, generation_id: str) -> bool:
        """Tell whether a reader holds a generation at this moment."""
        descriptor = self._lock_alone(generation_id)
        if descriptor is None:
            return (self.folder / generation_id / LEASE).exists()
        os.close(descriptor)
        return False

    def remove(self, generation_id: str) -> bool:
        """Remove a generation unless a reader holds it; tell whether it is gone."""
        descriptor = self._lock_alone(generation_id)
        if descriptor is None and (self.folder / generation_id / LEASE).exists():
            return False
        away = self.folder / f"{_REMOVING}{generation_id}"
        # Renamed while no reader can take it, so that none ever sees a part of it.
        with suppress(FileNotFoundError):
            os.rename(self.folder / generation_id, away)
        if descriptor is not None:
            os.close(descriptor)
        shutil.rmtree(away, ignore_errors=True)
        return True

    def _lock_alone(self, generation_id: str) -> int | None:
        try:
            descriptor = os.open(self.folder / generation_id / LEASE, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor


def name_generation(number: int, as_of: datetime, run_id: str) -> str:
    """Return a generation's id: its number in time, what it is as of, and the build that it is a copy of."""
    run = re.sub(r"[^0-9a-f]", "", run_id.lower())[:8] or "0"
    return f"g{number:04d}-{as_of:%Y%m%dT%H%M%S}-{run}"


def read_number(generation_id: str) -> int:
    """Return the number of a generation: later ones have greater numbers."""
    match = _ID.fullmatch(generation_id.removeprefix(_MAKING).removeprefix(_REMOVING))
    return int(match[1]) if match else 0


def read_run(generation_id: str) -> str:
    """Return what a generation's id says of its build: what it is as of, and the beginning of its run's id."""
    return generation_id.partition("-")[2]


def write_durably(path: Path, text: str) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Wait until the disk has what a file holds, or what names a folder holds."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
