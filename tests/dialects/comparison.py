"""The same random questions on DuckDB and on another engine, and what came of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from gnomon.core.errors import QueryError
from gnomon.planner import Compiled, Question, plan
from gnomon.semantic import parse_manifest
from gnomon.warehouse import Warehouse
from tests.differential.catalog import Catalog
from tests.differential.judge import Answer, compare_answers, run_ours
from tests.differential.ours import add_words, write_question
from tests.differential.questions import Asked, Asker
from tests.differential.shape import CATALOG
from tests.differential.worlds import World
from tests.oracle import Oracle

TRIES = 12
WORDS = ("previous", "change", "growth", "total", "share", "top", "time_zone")
Run = Callable[[str], Answer]


@dataclass
class Comparison:
    """Questions of one world, asked of both engines."""

    world: World
    dialect: str
    run: Run
    has_catalog: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    met: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        text = self.world.manifest_path.read_text(encoding="utf-8")
        prefix, origin = f'\\"{CATALOG}\\".', str(self.world.manifest_path)
        self._compiled = Compiled(parse_manifest(text, origin))
        there = text if self.has_catalog else text.replace(prefix, "")
        self._compiled_there = Compiled(parse_manifest(there, origin))
        with self.world.open() as connection:
            self._types = read_types(connection, has_catalog=self.has_catalog)
        self._warehouse = Warehouse.attach(self.world.database, CATALOG)
        self._rng = random.Random(f"dialects {self.world.shape.seed}")
        self._asker = Asker(self._rng, Catalog(self.world, Oracle.read(self.world.manifest_path)))

    def ask(self, questions: int, features: Sequence[str] = ()) -> None:
        """Ask for each feature and each word of our own that no question before had, then any, so many in all."""
        for feature in features:
            for _ in range(TRIES):
                if feature in self.met:
                    break
                self._ask_one((feature,))
        for word in WORDS:
            for _ in range(TRIES * 5):
                if self.counts[word]:
                    break
                self._ask_one((), word)
        while self.counts["asked"] < questions:
            self._ask_one(())

    def _ask_one(self, wish: tuple[str, ...], word: str | None = None) -> None:
        asked = self._asker.ask(wish)
        if asked is None:
            return
        question = write_question(asked)
        question = add_words(question, self._rng) if word is None else add_word(question, word)
        try:
            base = plan(self._compiled, question).sql
        except QueryError:
            return
        right = run_ours(self._warehouse, base)
        self.counts["asked"] += 1
        self.counts["with rows"] += bool(right[1])
        self.counts.update(list_words(question))
        self._compare(asked, question, base, right)

    def _compare(self, asked: Asked, question: Question, base: str, right: Answer) -> None:
        try:
            sql = plan(self._compiled_there, question, dialect=self.dialect, types=self._types).sql
        except QueryError as refusal:
            self.refused[str(refusal)] += 1
            return
        try:
            difference = compare_answers(self.run(sql), right, asked)
        except Exception as error:  # whatever the other engine raises is a fault of ours
            difference = f"{type(error).__name__}: {str(error)[:600]}"
        self.met |= asked.features
        if difference:
            self.faults.append(
                f"world {self.world.shape.seed}\n{asked}\n{question}\n{difference}\n{sql}\n-- DuckDB\n{base}"
            )


def add_word(question: Question, word: str) -> Question:
    """Return the question with a word that MetricFlow has not, if it can take it."""
    if not question.metrics or question.order_by:
        return question
    if word == "top":
        return replace(question, top=2)
    if word == "time_zone":
        return replace(question, time_zone="America/New_York")
    first, *others = question.metrics
    return replace(question, metrics=(f"{first}__{word}", *others))


def list_words(question: Question) -> list[str]:
    """Return which of our own words a question has."""
    said = [word for word in WORDS if any(metric.endswith(f"__{word}") for metric in question.metrics)]
    return said + ["top"] * (question.top is not None) + ["time_zone"] * (question.time_zone is not None)


def read_types(connection: duckdb.DuckDBPyConnection, *, has_catalog: bool = True) -> Mapping[tuple[str, str], str]:
    """Return the types of a database's columns, as the planner takes them."""
    found = connection.execute(
        "select database_name, schema_name, table_name, lower(column_name), data_type from duckdb_columns() "
        "where not internal"
    ).fetchall()
    return {
        (".".join(f'"{part}"' for part in (relation if has_catalog else relation[1:])), column): kind
        for *relation, column, kind in found
    }


def explain(comparison: Comparison, shown: int = 2) -> str:
    """Return the first differences in full."""
    return f"{len(comparison.faults)} answers differ\n\n" + "\n\n".join(comparison.faults[:shown])


def make_folder(folder: Path, name: str) -> Path:
    """Return a new folder."""
    made = folder / name
    made.mkdir()
    return made
