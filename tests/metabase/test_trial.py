"""What docker-compose.yml starts fits what is said and held elsewhere; it is read here, not started."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from gnomon.publish.serving_copy.schemas import OLDEST

PROJECT = Path(__file__).resolve().parents[2]


def read_services() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
    services: dict[str, Any] = document["services"]
    return services


def test_its_postgres_is_one_that_takes_a_copy() -> None:
    version = re.fullmatch(r"postgres:(\d+)\.\d+", read_services()["postgres"]["image"])
    assert version is not None
    assert int(version[1]) * 10_000 >= OLDEST


def test_its_metabase_is_pinned_to_the_release_that_the_docs_name() -> None:
    version = re.fullmatch(r"metabase/metabase:v(\d+\.\d+)\.\d+", read_services()["metabase"]["image"])
    assert version is not None
    assert f"Metabase {version[1]}" in (PROJECT / "docs" / "metabase.md").read_text(encoding="utf-8")


def test_every_script_that_it_starts_is_there() -> None:
    started = re.findall(r"docs/metabase/[\w.]+", (PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert started
    assert all((PROJECT / each).is_file() for each in started)
