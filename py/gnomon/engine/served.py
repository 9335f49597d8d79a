"""What answers come from: the generation in service, or the working file where nothing has been published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gnomon.core.errors import DefinitionError, GnomonError, QueryError, WarehouseError
from gnomon.core.settings import Settings
from gnomon.engine.build_record import BuildRecord
from gnomon.planner import Compiled
from gnomon.planner.choose_rollups import list_rollups, write_rollup
from gnomon.semantic import Manifest
from gnomon.warehouse import (
    DATABASE,
    Generations,
    Lease,
    MadeRollup,
    Warehouse,
    name_generation,
    read_receipt,
    read_run,
    read_withdrawn,
    write_withdrawn,
)


@dataclass(frozen=True)
class Served:
    """An open file with its build record. A generation is leased, so that it stays while it is open."""

    warehouse: Warehouse
    record: BuildRecord
    lease: Lease | None = None
    made: tuple[MadeRollup, ...] = ()
    settings: Settings | None = None

    @classmethod
    def open(cls, project_dir: Path, *, working: bool = False, generation: str | None = None) -> Served:
        """Open the generation in service, or the one of that id; WarehouseError if it is not kept.

        It is the working file if `working`, or if nothing has been published.
        """
        settings = Settings.read(project_dir=project_dir)
        generations = Generations(settings.generations)
        lease = None if working else generations.take() if generation is None else generations.hold(generation)
        if lease is None and generation is not None:
            raise WarehouseError(f"{generations.folder}: generation '{generation}' is not kept.")
        if lease is None:
            return cls._read(settings.database)
        try:
            return cls._read(lease.database, lease, settings)
        except GnomonError as error:
            lease.release()
            raise WarehouseError(
                f"generation '{lease.generation_id}' cannot be served: {error} "
                "`gnomon publish` then puts it into service; `gnomon publish --rollback` serves the one before."
            ) from None

    @classmethod
    def _read(cls, path: Path, lease: Lease | None = None, settings: Settings | None = None) -> Served:
        warehouse = Warehouse.attach(path, DATABASE)
        try:
            receipt = None if lease is None else read_receipt(warehouse)
            made = receipt.rollups if receipt else ()
            return cls(warehouse, BuildRecord.read(warehouse), lease, made, settings)
        except BaseException:
            warehouse.close()
            raise

    @property
    def generation_id(self) -> str | None:
        """The generation; None if it is the working file."""
        return None if self.lease is None else self.lease.generation_id

    @property
    def data_version(self) -> str:
        """The generation, else the build."""
        return self.generation_id or self.record.run_id

    def read_withdrawn(self) -> frozenset[str]:
        """Return the rollups of the generation that were found to answer otherwise than their tables."""
        if self.generation_id is None or self.settings is None:
            return frozenset()
        return read_withdrawn(self.settings.withdrawn, self.generation_id)

    def write_withdrawn(self, rollups: Sequence[str], found_at: datetime) -> None:
        """Let no reader of this project read these rollups of the generation any more; OSError if it cannot be."""
        if self.generation_id is not None and self.settings is not None:
            write_withdrawn(self.settings.withdrawn, self.generation_id, rollups, found_at)

    def find_waiting_build(self) -> BuildRecord | None:
        """Return the working file's last build if it is newer than the generation and `gnomon publish` would serve it.

        None, too, while something writes to that file. It is opened only if it is newer than the generation's, and
        for a moment, since a reader keeps a build from beginning.
        """
        if self.lease is None or self.settings is None:
            return None
        try:
            if self.settings.database.stat().st_mtime <= self.lease.database.stat().st_mtime:
                return None
            working = Warehouse.attach(self.settings.database, DATABASE)
            try:
                found = BuildRecord.read(working)
            finally:
                working.close()
            service = Generations(self.settings.generations).read_service()
        except (OSError, GnomonError):
            return None
        known = (*service.kept, *service.withdrawn) if service else ()
        is_known = any(read_run(each) == read_run(name_generation(0, found.as_of, found.run_id)) for each in known)
        is_newer = found.started_at > self.record.started_at and not is_known
        return found if is_newer and found.is_whole and found.is_passed else None

    def count_rollups(self, manifest: Manifest) -> Mapping[str, int]:
        """Return the rows of each rollup that is just what these definitions, and this planner, would make."""
        if not self.made:
            return {}
        compiled, wanted = Compiled(manifest), {}
        for model, rollup in list_rollups(compiled):
            # One that edited definitions cannot make is read no more than one that they make otherwise.
            with suppress(DefinitionError, QueryError):
                wanted[rollup.name] = write_rollup(compiled, model, rollup).sql(dialect="duckdb")
        return {each.name: each.row_count for each in self.made if wanted.get(each.name) == each.made_by}

    def close(self) -> None:
        """Let go of the file."""
        self.warehouse.close()
        if self.lease is not None:
            self.lease.release()
