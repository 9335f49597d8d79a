"""The small project, its copy in a real Postgres, and the files that are written for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from gnomon import Engine
from gnomon.publish.bi import Place
from gnomon.publish.serving_copy import copy_generation
from gnomon.publish.serving_copy.source import Source
from gnomon.publish.views import Views
from tests.bi.world import build_world
from tests.copies import BUDGET, make_database

PLACE = Place("bi.example.com", 5433, 'b&i "x"')
SETTINGS = ("DBT_TARGET_PATH", "GNOMON_DATABASE", "GNOMON_GENERATIONS", "GNOMON_COPY", "GNOMON_COPY_BUDGET")


@dataclass(frozen=True)
class Copied:
    project: Path
    url: str
    engine: Engine
    views: Views


@pytest.fixture(scope="module")
def copied(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copied]:
    plain = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    with mock.patch.dict(os.environ, plain, clear=True), make_database(postgres_server, "bi") as address:
        project = build_world(tmp_path_factory.mktemp("bi") / "project")
        copy_generation(project, address, budget=BUDGET)
        with Source.open(project) as source:
            views = source.contents.views
        with closing(Engine.open(project)) as engine:
            yield Copied(project, address.url, engine, views)
