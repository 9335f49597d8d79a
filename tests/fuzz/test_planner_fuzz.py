"""Whatever is asked, the planner answers with one SELECT over the manifest's tables, or refuses in words."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon.core.errors import DefinitionError, QueryError
from gnomon.engine.request import expand_saved
from gnomon.planner import DIALECTS, DUCKDB, Planner, Question, plan
from gnomon.semantic import read_manifest
from gnomon.semantic.model import Manifest, SavedQuery
from tests.dialects.comparison import read_types
from tests.dialects.test_outer_filters import PLACE
from tests.differential.catalog import Catalog
from tests.differential.ours import add_words, write_question
from tests.differential.questions import Asker
from tests.differential.row_filters import list_row_filters
from tests.differential.worlds import make_world
from tests.fuzz.grammar import Reader
from tests.fuzz.mutations import mutate_questions, write_questions
from tests.oracle import Oracle

SEED, VALID = 7, 120
EXAMPLES, NIGHTLY_EXAMPLES = 2_000, 100_000
LONGEST_REFUSAL = 2_500


@dataclass(frozen=True)
class Target:
    """A manifest with questions that it answers, and what reads its plans."""

    manifest: Manifest
    corpus: tuple[Question, ...]
    planner: Planner
    reader: Reader
    connection: duckdb.DuckDBPyConnection
    translators: tuple[Planner, ...]

    def try_all(self, question: Question) -> None:
        """Hold a question to the promise, planned afresh, planned through what is kept, and as a saved query."""
        # The places of filters from outside are left out, as where no value is chosen.
        fresh = self._answer(lambda: PLACE.sub("", plan(self.planner.compiled, question).sql))
        kept = self._answer(lambda: PLACE.sub("", self.planner.plan(question).sql))
        # A filter said twice is written once if its strings are known, so the texts may differ, and the rows not.
        assert kept == fresh or self._run(kept) == self._run(fresh)
        for translator in self.translators:
            with suppress(QueryError, DefinitionError):
                assert translator.plan(question).sql
        name = "saved"
        query = SavedQuery(name, question.metrics, question.group_by, question.where, question.order_by, question.limit)
        rest = replace(question, metrics=(), group_by=(), where=(), order_by=(), limit=None)
        saved = replace(self.manifest, saved_queries={name: query})
        assert expand_saved(saved, rest, name) == question

    def _run(self, sql: str) -> str:
        """The rows of an answer in any order, or what kind of error it is."""
        try:
            return str(sorted(map(str, self.connection.execute(sql).fetchall())))
        except duckdb.Error as error:
            return type(error).__name__

    def _answer(self, make: Callable[[], str]) -> str:
        """The SQL, or the words that refuse it."""
        try:
            sql = make()
        except (QueryError, DefinitionError) as refused:
            said = str(refused)
            assert 0 < len(said) < LONGEST_REFUSAL
            return f"refused: {said}"
        fault = self.reader.find_fault(sql)
        assert fault is None, f"{fault}\n{sql}"
        return sql


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    logging.disable(logging.CRITICAL)  # MetricFlow logs at length
    world = make_world(SEED, tmp_path_factory.mktemp("fuzz"))
    manifest = read_manifest(world.manifest_path)
    rng = random.Random(SEED)
    asker, row_filters = Asker(rng, Catalog(world, Oracle.read(world.manifest_path))), list_row_filters(world.shape)
    corpus: list[Question] = []
    while len(corpus) < VALID:
        asked = asker.ask(in_objects=rng.random() < 0.3)
        if asked is None:
            continue
        texts = rng.choice(row_filters).texts if rng.random() < 0.3 else ()
        question = add_words(write_question(asked, texts), rng)
        try:
            plan(manifest, question)
        except QueryError:
            continue
        corpus.append(question)
    logging.disable(logging.NOTSET)
    with world.open() as connection:
        types = read_types(connection)
        others = tuple(Planner(manifest, dialect=each, types=types) for each in DIALECTS if each != DUCKDB)
        yield Target(manifest, tuple(corpus), Planner(manifest), Reader(connection, manifest), connection, others)


def run(target: Target, questions: st.SearchStrategy[Question], examples: int) -> None:
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(questions)
    def hold(question: Question) -> None:
        target.try_all(question)

    hold()


def test_valid_questions_are_planned_within_the_grammar(target: Target) -> None:
    for question in target.corpus:
        sql = plan(target.manifest, question).sql
        assert target.reader.find_fault(sql) is None


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("select 1; select 2", "it is 2 statements"),
        ("drop table x", "it is not one SELECT"),
        ("selec", "it is not one SELECT"),
        ('select * from "world"."main"."secrets"', "it reads"),
        ("select * from read_text('x')", "it reads a TABLE_FUNCTION"),
        ("select getenv('HOME')", "it calls getenv"),
        ("select list_transform([1], lambda x: x)", "it "),
    ],
)
def test_the_grammar_sees_what_may_not_be(target: Target, sql: str, fault: str) -> None:
    assert (target.reader.find_fault(sql) or "").startswith(fault)


def test_mutated_questions_are_planned_or_refused(target: Target) -> None:
    run(target, mutate_questions(target.corpus), EXAMPLES * 3 // 4)


def test_random_words_are_planned_or_refused(target: Target) -> None:
    run(target, write_questions(), EXAMPLES // 4)


@pytest.mark.nightly
def test_mutated_questions_are_planned_or_refused_at_length(target: Target) -> None:
    run(target, mutate_questions(target.corpus), NIGHTLY_EXAMPLES * 9 // 10)


@pytest.mark.nightly
def test_random_words_are_planned_or_refused_at_length(target: Target) -> None:
    run(target, write_questions(), NIGHTLY_EXAMPLES // 10)
