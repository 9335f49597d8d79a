"""From the generation in service to a folder that Cube can be started in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gnomon.access import read_policies
from gnomon.engine.served import Served
from gnomon.publish.contract import read_dbt_manifest
from gnomon.publish.cube.exporting import LeftOut, export_model, read_domains
from gnomon.publish.cube.files import write_files
from gnomon.publish.folders import check_new, write_folder
from gnomon.semantic import parse_manifest


@dataclass(frozen=True)
class Written:
    """What was exported, or would be: the metrics by view, what is left out, and the files."""

    data_version: str
    definition_version: str
    views: dict[str, tuple[str, ...]]
    left_out: LeftOut
    files: tuple[str, ...]


def export_cube(project_dir: Path, out: Path, *, working: bool = False, dry_run: bool = False) -> Written:
    """Write a data model for Cube of the generation in service (or of the working file) to a new folder.

    QueryError if the folder is there already. It appears with all of its files at once.
    """
    check_new(out)
    served = Served.open(project_dir, working=working)
    try:
        manifest = parse_manifest(served.record.semantic_manifest, origin=str(served.warehouse.path))
        domains = read_domains(read_dbt_manifest(served.warehouse))
        export = export_model(manifest, served.warehouse, served.record, read_policies(project_dir), domains)
        files = write_files(export, served.data_version)
    finally:
        served.close()
    if not dry_run:
        write_folder(files, out)
    return Written(served.data_version, export.definition_version, dict(export.metrics), export.left_out, tuple(files))
