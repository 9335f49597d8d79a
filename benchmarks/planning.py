"""A question from words to SQL, beside MetricFlow on the same manifest, and to rows, beside its SQL.

Reads the working file of the last `dbt build`; the rest is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from tests.manifests import measure, semantic_model, simple, write_manifest
from tests.oracle import Oracle

from benchmarks.measure import Comparison, compare
from gnomon import Engine
from gnomon.core.errors import QueryError
from gnomon.core.settings import Settings
from gnomon.engine.build_record import BuildRecord
from gnomon.planner import Compiled, Planner, Question, plan
from gnomon.semantic import read_manifest
from gnomon.warehouse import Warehouse

QUESTIONS = {
    "one rate by week": Question(("low_quality_content_rate",), ("metric_time__week",), applies_floors=False),
    "two North Stars by week and tier, filtered": Question(
        ("low_quality_content_rate", "creator_violation_rate"),
        ("metric_time__week", "creator__tier"),
        where=("{{ Dimension('creator__region') }} = 'ID'",),
        applies_floors=False,
    ),
    "a score of four rates": Question(("safety_score",), ("metric_time__month",), applies_floors=False),
}
WIDE = 20
MODELS = 100


def run() -> Iterator[Comparison]:
    """Yield the comparisons."""
    database = Settings.read().database
    warehouse = Warehouse.attach(database, "gnomon")
    text = BuildRecord.read(warehouse).semantic_manifest
    warehouse.close()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "semantic_manifest.json"
        path.write_text(text, encoding="utf-8")
        yield from _compare_planning(path)
        yield from _compare_wide(Path(folder) / "wide.json")
        yield from _compare_refusals(Path(folder) / "many.json")
    yield from _compare_running(database)


def _compare_planning(path: Path) -> Iterator[Comparison]:
    manifest, oracle = read_manifest(path), Oracle.read(path)
    compiled, planner = Compiled(manifest), Planner(manifest)
    for name, question in QUESTIONS.items():
        asked: Callable[..., Any] = lambda question=question: oracle.sql(  # noqa: E731
            question.metrics, question.group_by, question.where
        )
        yield compare(
            f"new shape: {name}", lambda question=question: plan(compiled, question), "MetricFlow, warm", asked
        )
        yield compare(f"kept: {name}", lambda question=question: planner.plan(question), "MetricFlow, warm", asked)


def _compare_wide(path: Path) -> Iterator[Comparison]:
    """Twenty metrics of five tables by twenty attributes of a table that all of them join."""
    tables = [
        semantic_model(
            f"fact_{place}",
            entities={f"row_{place}": ("primary", "row_id"), "item": ("foreign", "item_id")},
            dimensions={"d": "day"},
            measures=[measure(f"m_{place}_{each}", "sum") for each in range(WIDE // 5)],
            time="d",
        )
        for place in range(5)
    ]
    items = semantic_model(
        "items", entities={"item": ("primary", "item_id")}, dimensions={f"a_{each}": None for each in range(WIDE)}
    )
    names = tuple(f"m_{place}_{each}" for place in range(5) for each in range(WIDE // 5))
    write_manifest(path, [*tables, items], [simple(name) for name in names])
    compiled, oracle = Compiled(read_manifest(path)), Oracle.read(path)
    question = Question(names, tuple(f"item__a_{each}" for each in range(WIDE)))
    yield compare(
        f"{WIDE} metrics by {WIDE} dimensions",
        lambda: plan(compiled, question),
        "MetricFlow, warm",
        lambda: oracle.sql(question.metrics, question.group_by),
        runs=5,
    )


# Each with a number, so that no question is one that was refused before.
REFUSED: dict[str, Callable[[int], Question]] = {
    "a wrong name": lambda n: Question(("m_7",), (f"e_7__a_9{n}",)),
    "a wrong metric": lambda n: Question((f"m_seven_{n}",), ("e_7__a_1",)),
    "a join that fans out": lambda n: Question((f"m_{n + 1}",), (f"e_{n + 1}__b_{n}",)),
    "a grain too fine": lambda n: Question((f"m_{n}",), ("metric_time__hour",)),
    "an ambiguous name": lambda n: Question((f"m_{n}",), ("twin__shade",)),
    "a filter that does not parse": lambda n: Question(("m_7",), where=(f"{{{{ Entity('e_7') }}}} = = {n}",)),
    "a filter by a wrong name": lambda n: Question(("m_7",), where=(f"{{{{ Dimension('e_7__a_9{n}') }}}} = 1",)),
    "rows that do not say a row filter": lambda n: Question(
        (f"m_{n}",), row_filters=("{{ Dimension('e_50__a_1') }} = 1",)
    ),
}


def _compare_refusals(path: Path) -> Iterator[Comparison]:
    """Questions of several kinds that have no answer, among a hundred tables."""
    tables = [
        semantic_model(
            f"t_{place}",
            entities={
                f"e_{place}": ("primary", "id"), f"e_{(place + 1) % MODELS}": ("foreign", "other"),
                "twin": ("foreign", "twin_id"),
            },
            dimensions={"d": "day", f"b_{place}": None, **{f"a_{each}": None for each in range(10)}},
            measures=[measure(f"m_{place}", "sum")],
            time="d",
        )
        for place in range(MODELS)
    ]  # fmt: skip
    twins = [
        semantic_model(name, entities={"twin": ("primary", "id")}, dimensions={"shade": None})
        for name in ("left", "right")
    ]
    write_manifest(path, [*tables, *twins], [simple(f"m_{place}") for place in range(MODELS)])
    compiled, oracle = Compiled(read_manifest(path)), Oracle.read(path)
    manifest = compiled.manifest
    first = Question(("m_7",), ("e_7__a_99",))
    yield compare(
        f"refused, {MODELS} tables: the first question, all cold",
        lambda: _refuse(lambda: plan(Compiled(manifest), first)),
        "MetricFlow, warm",
        lambda: _try(lambda: oracle.sql(first.metrics, first.group_by)),
        runs=3,
    )
    for name, write in REFUSED.items():
        ours, theirs = (iter(map(write, range(MODELS))) for _ in range(2))
        yield compare(
            f"refused, {MODELS} tables: {name}",
            lambda ours=ours: _refuse(lambda: plan(compiled, next(ours))),
            "MetricFlow, warm",
            lambda theirs=theirs: _ask_oracle(oracle, next(theirs)),
            runs=3,
        )


def _ask_oracle(oracle: Oracle, wrong: Question) -> None:
    """Let MetricFlow refuse it, or answer it: it does not look into filters, and row filters are filters to it."""
    _try(lambda: oracle.sql(wrong.metrics, wrong.group_by, (*wrong.where, *wrong.row_filters)))


def _try(ask: Callable[[], object]) -> None:
    with suppress(Exception):
        ask()


def _refuse(ask: Callable[[], object]) -> None:
    try:
        ask()
    except QueryError:
        return
    raise AssertionError("it was not refused")


def _compare_running(database: Path) -> Iterator[Comparison]:
    engine = Engine.open(working=True)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach '{database}' as gnomon (read_only)")
        for name, question in QUESTIONS.items():
            result = engine.query(question.metrics, question.group_by, question.where)
            yield compare(
                f"query: {name}",
                lambda question=question: engine.query(question.metrics, question.group_by, question.where),
                "the same SQL, bare DuckDB",
                lambda sql=result.sql: connection.execute(sql).to_arrow_table(),
            )
    engine.close()
