"""From the generation in service to files of a BI tool, over the views that its copy has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from gnomon.publish.bi import pages
from gnomon.publish.bi.kinds import list_untyped
from gnomon.publish.bi.place import Place
from gnomon.publish.bi.powerbi import list_unrelated, write_model
from gnomon.publish.bi.tableau import write_data_source
from gnomon.publish.folders import check_new, write_folder
from gnomon.publish.serving_copy.source import Source
from gnomon.publish.views import LeftOut

Files = dict[str, str]


@dataclass(frozen=True)
class WrittenFiles:
    """What was exported, or would be: the metrics by view, what is in no view, what the tool has not, and the files."""

    data_version: str
    definition_version: str
    views: Mapping[str, tuple[str, ...]]
    left_out: LeftOut
    missing: Mapping[str, str]
    files: tuple[str, ...]


def export_tableau(project_dir: Path, out: Path, place: Place, *, dry_run: bool = False) -> WrittenFiles:
    """Write a data source for Tableau of each view of the copy to a new folder; QueryError if it is there."""

    def write(source: Source) -> tuple[Files, Mapping[str, str]]:
        views = source.contents.views.views
        files = {f"{view.name}.tds": write_data_source(view, place) for view in views}
        return files, {name: reason for view in views for name, reason in list_untyped(view)}

    return _export(project_dir, out, "tableau", write, dry_run=dry_run)


def export_powerbi(project_dir: Path, out: Path, place: Place, *, dry_run: bool = False) -> WrittenFiles:
    """Write a semantic model for Power BI of all views of the copy to a new folder; QueryError if it is there."""

    def write(source: Source) -> tuple[Files, Mapping[str, str]]:
        views, tables = source.contents.views.views, source.contents.tables
        missing = {name: reason for view in views for name, reason in list_untyped(view)}
        return write_model(views, tables, place), missing | dict(list_unrelated(views, tables))

    return _export(project_dir, out, "powerbi", write, dry_run=dry_run)


def _export(
    project_dir: Path,
    out: Path,
    tool: str,
    write: Callable[[Source], tuple[Files, Mapping[str, str]]],
    *,
    dry_run: bool,
) -> WrittenFiles:
    check_new(out)
    with Source.open(project_dir) as source:
        files, missing = write(source)
        found = source.contents.views
        written = WrittenFiles(
            data_version=source.generation_id,
            definition_version=source.engine.manifest.version,
            views={view.name: view.metrics for view in found.views},
            left_out=found.left_out,
            missing=dict(sorted(missing.items())),
            files=(),
        )
    files["README.md"] = pages.write_readme(tool, written)
    files["not_exported.yml"] = yaml.safe_dump(
        pages.describe_left_out(written), sort_keys=False, width=110, allow_unicode=True, default_flow_style=False
    )
    if not dry_run:
        write_folder(files, out)
    return replace(written, files=tuple(sorted(files)))
