"""What answers come from: the generation in service, or the working file where nothing has been published."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import DefinitionError, GnomonError, QueryError, WarehouseError
from gnomon.core.settings import Settings
from gnomon.engine.build_record import BuildRecord
from gnomon.planner import Compiled
from gnomon.planner.choose_rollups import list_rollups, write_rollup
from gnomon.semantic import Manifest
from gnomon.warehouse import DATABASE, Generations, Lease, MadeRollup, Warehouse, read_receipt


@dataclass(frozen=True)
class Served:
    """An open file with its build record. A generation is leased, so that it stays while it is open."""

    warehouse: Warehouse
    record: BuildRecord
    lease: Lease | None = None
    made: tuple[MadeRollup, ...] = ()

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
            return cls._read(settings.database, None)
        try:
            return cls._read(lease.database, lease)
        except GnomonError as error:
            lease.release()
            raise WarehouseError(
                f"generation '{lease.generation_id}' cannot be served: {error} "
                "`gnomon publish` then puts it into service; `gnomon publish --rollback` serves the one before."
            ) from None

    @classmethod
    def _read(cls, path: Path, lease: Lease | None) -> Served:
        warehouse = Warehouse.attach(path, DATABASE)
        try:
            receipt = None if lease is None else read_receipt(warehouse)
            return cls(warehouse, BuildRecord.read(warehouse), lease, receipt.rollups if receipt else ())
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
