"""The files of an export, as texts by their paths; the same model gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import resources

import yaml

from gnomon.publish.cube.describing import describe_cube, describe_view
from gnomon.publish.cube.exporting import Export
from gnomon.publish.cube.model import Yaml
from gnomon.publish.cube.pages import write_readme

_WIDTH = 110


def write_files(export: Export, data_version: str) -> dict[str, str]:
    """Return the text of each file: cube.js, the model, what is left out, and how to run it."""
    files = {
        ".env.example": _read_template("env.example"),
        "README.md": write_readme(export, data_version),
        "cube.js": _read_template("cube.js"),
        "not_exported.yml": _write_yaml(_describe_left_out(export, data_version)),
        "refusals.json": json.dumps(_describe_refusals(export), indent=2) + "\n",
        "model/view_groups.yml": _write_yaml({"view_groups": list(_describe_groups(export))}),
    }
    for name, cubes in export.cubes.items():
        files[f"model/cubes/{name}.yml"] = _write_yaml({"cubes": [describe_cube(each) for each in cubes]})
    for view in export.views:
        files[f"model/views/{view.name}.yml"] = _write_yaml({"views": [describe_view(view)]})
    return files


def _describe_groups(export: Export) -> Iterator[Yaml]:
    for domain in sorted({view.domain for view in export.views}):
        yield {"name": domain, "includes": [view.name for view in export.views if view.domain == domain]}


def _describe_refusals(export: Export) -> Mapping[str, object]:
    return {"views": [view.name for view in export.views], "not_by": export.not_by, "running": export.running}


def _describe_left_out(export: Export, data_version: str) -> Yaml:
    out = export.left_out
    return {
        "definition_version": export.definition_version,
        "data_version": data_version,
        "metrics": _list_reasons(out.metrics),
        "intervals": list(out.intervals),
        "attributes": [
            {"model": str(model), "name": name, "reason": reason}
            for model, names in out.attributes.items() for name, reason in names.items()
        ],
        "roles": _list_reasons(out.roles),
        "rollups": _list_reasons(out.rollups),
    }  # fmt: skip


def _list_reasons(reasons: Mapping[str, str]) -> list[Yaml]:
    return [{"name": str(name), "reason": reason} for name, reason in reasons.items()]


def _write_yaml(document: Yaml) -> str:
    """Return YAML in blocks: two braces side by side would begin a template of Jinja's."""
    return yaml.safe_dump(document, sort_keys=False, width=_WIDTH, allow_unicode=True, default_flow_style=False)


def _read_template(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
