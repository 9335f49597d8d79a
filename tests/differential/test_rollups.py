"""Random questions beside random rollups: the answers are those of the tables themselves."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from gnomon.core.errors import QueryError
from gnomon.planner import Compiled, plan
from gnomon.semantic import read_manifest
from tests.differential.catalog import Catalog
from tests.differential.judge import compare_answers, run_ours
from tests.differential.ours import add_words, write_question
from tests.differential.questions import Asker
from tests.differential.rollups import JOINED, draw_rollups, make_rollups
from tests.differential.row_filters import list_row_filters
from tests.differential.worlds import make_world, serve
from tests.oracle import Oracle

WORLDS, QUESTIONS = 3, 50
NIGHTLY_WORLDS, NIGHTLY_QUESTIONS = 30, 200
RESTRICTED = 0.3  # of the questions, so many have a row filter
PREFERRED = 0.5  # and for so many the rollups with attributes of other tables are said to be the smallest
FEWEST_HITS, FEWEST_ROLLUPS = 0.75, 6


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """MetricFlow logs at length."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", range(701, 701 + WORLDS))
def test_rollups_change_no_answer(seed: int, tmp_path: Path) -> None:
    check(seed, QUESTIONS, tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(801, 801 + NIGHTLY_WORLDS))
def test_rollups_change_no_answer_at_length(seed: int, tmp_path: Path) -> None:
    check(seed, NIGHTLY_QUESTIONS, tmp_path)


def check(seed: int, questions: int, folder: Path) -> None:
    world = make_world(seed, folder)
    rng = random.Random(f"rollups {seed}")
    asker = Asker(rng, Catalog(world, Oracle.read(world.manifest_path)))
    manifest = draw_rollups(read_manifest(world.manifest_path), rng)
    with duckdb.connect(str(world.database)) as connection:
        rows = make_rollups(manifest, connection)
    compiled, row_filters = Compiled(manifest), list_row_filters(world.shape)
    counts: Counter[str] = Counter()
    read: Counter[str] = Counter()
    with serve(world.database) as warehouse:
        while counts["answered"] < questions:
            asked = asker.ask()
            if asked is None or not asked.metrics:
                continue
            texts = rng.choice(row_filters).texts if rng.random() < RESTRICTED else ()
            question = add_words(write_question(asked, texts), rng)
            try:
                base = plan(compiled, question).sql
            except QueryError:
                continue
            # As many rows as these have, they would seldom be read: every other time they count as the smallest.
            prefers = rng.random() < PREFERRED
            rolled = plan(compiled, question, {name: rows[name] * (not prefers or JOINED not in name) for name in rows})
            counts["answered"] += 1
            counts["hit"] += bool(rolled.rollups)
            counts["restricted hit"] += bool(rolled.rollups and texts)
            read.update(rolled.rollups)
            if not rolled.rollups:
                assert rolled.sql == base
                continue
            difference = compare_answers(run_ours(warehouse, rolled.sql), run_ours(warehouse, base), asked)
            assert not difference, f"world {seed}: {texts}\n{asked}\n{difference}\n{rolled.sql}\n-- the tables\n{base}"
    print(f"\nworld {seed}: {dict(counts)}, rollups read {len(read)} of {len(rows)}")
    assert counts["hit"] >= FEWEST_HITS * counts["answered"]
    assert counts["restricted hit"]
    assert any(JOINED in name for name in read)
    assert len(read) >= FEWEST_ROLLUPS
