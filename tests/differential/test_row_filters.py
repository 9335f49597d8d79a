"""Random questions under random row filters: the answers are those over tables that hold no other rows."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gnomon.core.errors import QueryError
from gnomon.planner import Compiled, plan
from gnomon.semantic import read_manifest
from gnomon.warehouse import Warehouse
from tests.differential.catalog import Catalog
from tests.differential.judge import compare_answers, run_ours
from tests.differential.ours import add_words, write_question
from tests.differential.questions import Asker
from tests.differential.row_filters import RowFilter, draw_row_filters, list_scanned
from tests.differential.worlds import World, make_world, serve
from tests.oracle import Oracle

WORLDS, FILTERS, QUESTIONS = 3, 5, 10
NIGHTLY_WORLDS, NIGHTLY_QUESTIONS = 30, 40  # questions to each of five filters
OTHER_FACTS = 0.15  # of the questions, so many are of any facts, and mostly refused
FEWEST_CUT = 0.5  # of the answers, so many are others than without the filter


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """MetricFlow logs at length."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", range(501, 501 + WORLDS))
def test_a_row_filter_answers_as_if_there_were_no_other_rows(seed: int, tmp_path: Path) -> None:
    check(seed, QUESTIONS, tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(601, 601 + NIGHTLY_WORLDS))
def test_a_row_filter_answers_as_if_there_were_no_other_rows_at_length(seed: int, tmp_path: Path) -> None:
    check(seed, NIGHTLY_QUESTIONS, tmp_path)


def check(seed: int, questions: int, folder: Path) -> None:
    world = make_world(seed, folder)
    rng = random.Random(f"row filters {seed}")
    asker = Asker(rng, Catalog(world, Oracle.read(world.manifest_path)))
    compiled = Compiled(read_manifest(world.manifest_path))
    counts: Counter[str] = Counter()
    with serve(world.database) as everything:
        for place, row_filter in enumerate(draw_row_filters(world.shape, rng, FILTERS)):
            copy = row_filter.fill(world, folder / f"filter_{place}")
            with serve(copy) as cut:
                counts += ask(world, compiled, asker, row_filter, questions, everything, cut)
    print(f"\nworld {seed}: {dict(counts)}")
    assert counts["refused"]
    assert counts["cut"] >= FEWEST_CUT * counts["answered"]


def ask(
    world: World,
    compiled: Compiled,
    asker: Asker,
    row_filter: RowFilter,
    questions: int,
    everything: Warehouse,
    cut: Warehouse,
) -> Counter[str]:
    """Ask until so many questions are answered; those that read other tables must be refused."""
    counts: Counter[str] = Counter()
    fitting = Asker(asker.rng, asker.catalog)
    fitting.keep(name for name in world.metrics if row_filter.covers(list_scanned(world, [name])))
    while counts["answered"] < questions:
        asked = (asker if asker.rng.random() < OTHER_FACTS else fitting).ask()
        if asked is None:
            continue
        question = add_words(write_question(asked), asker.rng)
        restricted = replace(question, row_filters=row_filter.texts)
        told = f"world {world.shape.seed}: {restricted}\n{asked}"
        try:
            base = plan(compiled, question).sql
        except QueryError:
            continue
        if not row_filter.covers(list_scanned(world, asked.metrics, asked.where)):
            with pytest.raises(QueryError, match="row filter"):
                plan(compiled, restricted)
            counts["refused"] += 1
            continue
        try:
            ours = plan(compiled, restricted).sql
        except QueryError:
            if asked.metrics and row_filter.strict_about not in told:
                raise
            counts["refused"] += 1
            continue
        right, mine = run_ours(cut, base), run_ours(everything, ours)
        difference = compare_answers(mine, right, asked)
        assert not difference, f"{told}\n{difference}\n-- ours\n{ours}\n-- over cut tables\n{base}"
        counts["answered"] += 1
        counts["cut"] += bool(compare_answers(run_ours(everything, base), mine, asked))
    return counts
