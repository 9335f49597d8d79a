"""access.yml: the roles of a project, schema-checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from gnomon.access.policy import EVERYTHING, Policy, SmallestCell
from gnomon.core.checked_yaml import read_checked_yaml
from gnomon.core.errors import DefinitionError

FILE_NAME = "access.yml"


class _SmallestCell(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    least: int = Field(ge=2)
    of: list[str] = Field(min_length=1)


class _Role(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    why: str = Field(min_length=10)
    metrics: list[str] | None = None
    rows: list[str] = []
    hidden: list[str] = []
    per_minute: int | None = Field(default=None, ge=1)
    smallest_cell: _SmallestCell | None = None


class _AccessFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    roles: dict[str, _Role]


def read_policies(project_dir: Path) -> Mapping[str, Policy]:
    """Return the project's roles by name; without an access.yml there is the owner only.

    DefinitionError with every error of the file. Whether its metrics and dimensions exist is for
    whoever knows the definitions.
    """
    path = project_dir / FILE_NAME
    if not path.is_file():
        return {EVERYTHING.name: EVERYTHING}
    file, lines = read_checked_yaml(path, _AccessFile, "docs/access.md")
    if EVERYTHING.name in file.roles:
        where = lines.locate(("roles", EVERYTHING.name))
        raise DefinitionError(
            f"{where}: '{EVERYTHING.name}' is who runs the program on the file. Name the role otherwise."
        )
    roles = {
        name: Policy(
            name=name,
            metrics=None if role.metrics is None else frozenset(role.metrics),
            row_filters=tuple(role.rows),
            hidden=frozenset(role.hidden),
            per_minute=role.per_minute,
            smallest_cell=_read_cell(role.smallest_cell),
        )
        for name, role in file.roles.items()
    }
    return {EVERYTHING.name: EVERYTHING, **roles}


def _read_cell(cell: _SmallestCell | None) -> SmallestCell | None:
    return None if cell is None else SmallestCell(cell.least, tuple(dict.fromkeys(cell.of)))
