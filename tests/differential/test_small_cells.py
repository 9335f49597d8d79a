"""Random questions over random worlds of a role with a smallest cell: what it is shown is what the owner is shown."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gnomon.access import EVERYTHING, Policy, SmallestCell
from gnomon.core.errors import AccessError, GnomonError, QueryError
from gnomon.engine import Engine
from gnomon.semantic import read_manifest
from gnomon.warehouse import Warehouse
from tests.differential.catalog import Catalog
from tests.differential.judge import compare_answers
from tests.differential.ours import add_words, write_question
from tests.differential.questions import Asked, Asker
from tests.differential.shape import CATALOG
from tests.differential.worlds import make_world
from tests.oracle import Oracle

WORLDS, QUESTIONS = 1, 20
NIGHTLY_WORLDS, NIGHTLY_QUESTIONS = 20, 150
LEAST = 2
ROLE = Policy("careful", smallest_cell=SmallestCell(LEAST, ("shopper",)))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """MetricFlow logs at length."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", range(1001, 1001 + WORLDS))
def test_what_is_shown_beside_hidden_cells_is_right(seed: int, tmp_path: Path) -> None:
    check(seed, QUESTIONS, tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(1101, 1101 + NIGHTLY_WORLDS))
def test_what_is_shown_beside_hidden_cells_is_right_at_length(seed: int, tmp_path: Path) -> None:
    check(seed, NIGHTLY_QUESTIONS, tmp_path)


def check(seed: int, questions: int, folder: Path) -> None:
    world = make_world(seed, folder)
    asker = Asker(random.Random(f"small cells {seed}"), Catalog(world, Oracle.read(world.manifest_path)))
    roles = {each.name: each for each in (EVERYTHING, ROLE)}
    engine = Engine(read_manifest(world.manifest_path), Warehouse.attach(world.database, CATALOG), policies=roles)
    asker.keep(str(metric.name) for metric in engine.list_metrics(ROLE.name))
    counts: Counter[str] = Counter()
    while counts["answered"] < questions:
        asked = asker.ask()
        if asked is None or asked.saved_query or not asked.metrics:
            continue
        question = add_words(write_question(asked), asker.rng)
        names = ("metrics", "group_by", "where", "start", "end", "time_zone", "top")
        words: dict[str, Any] = {name: getattr(question, name) for name in names}
        try:
            right = engine.query(**words).table.to_pylist()
        except GnomonError:
            continue
        try:
            mine = engine.query(**words, policy=ROLE.name).table.to_pylist()
        except AccessError:
            counts["refused"] += 1
            continue
        except QueryError as error:
            if not any(why in str(error) for why in ("what it leaves out", "kept back")):
                raise
            counts["refused"] += 1
            continue
        if question.top is None:
            compare(mine, right, engine.plan(**words).groups, asked, f"world {seed}: {words}")
        counts["answered"] += 1
        counts["shown"] += sum(not row["is_suppressed"] for row in mine)
        counts["hidden"] += sum(row["is_suppressed"] for row in mine)
    print(f"\nworld {seed}: {dict(counts)}")
    assert counts["shown"]
    assert counts["hidden"]
    engine.close()


def compare(
    mine: list[dict[str, Any]], right: list[dict[str, Any]], groups: Sequence[str], asked: Asked, told: str
) -> None:
    """Hold the rows that are shown against the owner's, of which none may be missing."""
    by_group = {tuple(repr(row[group]) for group in groups): row for row in right}
    assert by_group.keys() == {tuple(repr(row[group]) for group in groups) for row in mine}, told
    shown = [row for row in mine if not row["is_suppressed"]]
    columns = [name for name in mine[0] if name != "is_suppressed"] if mine else []
    whole = [by_group[tuple(repr(row[group]) for group in groups)] for row in shown]
    sides = [(columns, [tuple(row[name] for name in columns) for row in rows]) for rows in (shown, whole)]
    difference = compare_answers(sides[0], sides[1], asked)
    assert not difference, f"{told}\n{difference}"
