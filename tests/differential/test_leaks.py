"""Random questions of a restricted role, after everybody's answers are kept: those over tables with its rows only."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gnomon.access import EVERYTHING, Policy
from gnomon.core.errors import GnomonError
from gnomon.engine import AnswerCache, Engine
from gnomon.planner import Plan, Planner
from gnomon.semantic import read_manifest
from gnomon.warehouse import Warehouse
from tests.differential.catalog import Catalog
from tests.differential.judge import Answer, compare_answers
from tests.differential.questions import Asked, Asker
from tests.differential.rollups import draw_rollups, make_rollups
from tests.differential.row_filters import RowFilter, draw_row_filters, list_scanned
from tests.differential.shape import CATALOG
from tests.differential.worlds import World, make_world
from tests.oracle import Oracle

WORLDS, FILTERS, QUESTIONS = 1, 4, 15
NIGHTLY_WORLDS, NIGHTLY_QUESTIONS = 10, 25  # questions to each of four filters


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """MetricFlow logs at length."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", range(901, 901 + WORLDS))
def test_nothing_that_others_asked_leaks_to_a_role(seed: int, tmp_path: Path) -> None:
    check(seed, QUESTIONS, tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(951, 951 + NIGHTLY_WORLDS))
def test_nothing_that_others_asked_leaks_to_a_role_at_length(seed: int, tmp_path: Path) -> None:
    check(seed, NIGHTLY_QUESTIONS, tmp_path)


def check(seed: int, questions: int, folder: Path) -> None:
    world = make_world(seed, folder)
    rng = random.Random(f"leaks {seed}")
    asker = Asker(rng, Catalog(world, Oracle.read(world.manifest_path)))
    manifest = draw_rollups(read_manifest(world.manifest_path), rng)
    with duckdb.connect(str(world.database)) as connection:
        rows = make_rollups(manifest, connection)
    counts: Counter[str] = Counter()
    for place, row_filter in enumerate(draw_row_filters(world.shape, rng, FILTERS)):
        role = Policy("restricted", row_filters=row_filter.texts)
        policies = {EVERYTHING.name: EVERYTHING, role.name: role}
        warehouse = Warehouse.attach(world.database, CATALOG)
        engine = Engine(manifest, warehouse, policies=policies, cache=AnswerCache())
        # As in a generation: the rollups are there.
        engine._planner = Planner(manifest, rows, warehouse.date_columns())
        cut = Engine(manifest, Warehouse.attach(row_filter.fill(world, folder / f"filter_{place}"), CATALOG))
        counts += ask(world, asker, row_filter, engine, cut, questions)
        engine.close()
        cut.close()
    print(f"\nworld {seed}: {dict(counts)}")
    assert counts["other rows"]
    assert counts["rollup"]


def ask(world: World, asker: Asker, row_filter: RowFilter, engine: Engine, cut: Engine, questions: int) -> Counter[str]:
    """Ask as the owner, as the role, and as the role again, until so many questions are answered."""
    counts: Counter[str] = Counter()
    fitting = Asker(asker.rng, asker.catalog)
    fitting.keep(name for name in world.metrics if row_filter.covers(list_scanned(world, [name])))
    while counts["answered"] < questions:
        asked = fitting.ask()
        if asked is None or asked.saved_query:
            continue
        try:
            everybodys = read(engine, asked)
            mine, again = read(engine, asked, "restricted"), read(engine, asked, "restricted")
        except GnomonError:
            continue
        difference = compare_answers(mine, read(cut, asked), asked)
        assert not difference, f"world {world.shape.seed}: {row_filter.texts}\n{asked}\n{difference}"
        assert not compare_answers(mine, again, asked)
        counts["answered"] += 1
        counts["other rows"] += bool(compare_answers(everybodys, mine, asked))
        counts["rollup"] += bool(plan(engine, asked, "restricted").rollups)
    return counts


def read(engine: Engine, asked: Asked, role: str | None = None) -> Answer:
    table = engine.query(**words_of(asked), policy=role).to_arrow()
    return table.column_names, list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def plan(engine: Engine, asked: Asked, role: str) -> Plan:
    return engine.plan(**words_of(asked), policy=role)


def words_of(asked: Asked) -> dict[str, Any]:
    names = ("metrics", "group_by", "where", "order_by", "limit", "start", "end")
    return {name: getattr(asked, name) for name in names} | {"takes_extremes": asked.is_min_max}
