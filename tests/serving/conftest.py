"""A small project that is served: one generation, and a role that sees a part of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gnomon.publish import publish
from gnomon.state import KeyRing, StateDatabase
from tests.generations import build_small

ACCESS = """
roles:
  gold_only:
    why: A role that sees the posts of gold creators only.
    rows: ["{{ Dimension('creator__tier') }} = 'gold'"]
"""


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DBT_TARGET_PATH", "GNOMON_DATABASE", "GNOMON_GENERATIONS", "GNOMON_STATE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """The project's folder."""
    return make_served(tmp_path)


def make_served(project: Path, **options: Any) -> Path:
    (project / "access.yml").write_text(ACCESS, encoding="utf-8")
    publish(build_small(project, 1).project, environ={}, **options)
    return project


def make_key(project: Path, role: str = "gold_only") -> str:
    """Return the text of a new key of a role."""
    database = StateDatabase.open(f"sqlite:///{project / 'state' / 'gnomon.db'}")
    _, text = KeyRing(database).make(role, role, datetime(2026, 1, 1))
    database.close()
    return text
