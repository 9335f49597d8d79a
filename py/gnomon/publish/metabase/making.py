"""What is to be in Metabase, made of the dashboards of a project."""

from __future__ import annotations

from pathlib import Path

from gnomon.core.errors import DefinitionError
from gnomon.publish.metabase.wanted import Wanted
from gnomon.warehouse.postgres import PostgresAddress


def make_wanted(project_dir: Path, copy: PostgresAddress, *, shown_as: PostgresAddress | None = None) -> Wanted:
    """Return what is to be there; not written yet, so DefinitionError."""
    raise DefinitionError(f"{project_dir / 'dashboards'}: dashboards are not made into values for Metabase yet.")
