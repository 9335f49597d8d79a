"""Places of filters from outside: without one the answer is the plain one, with one it is that of the same `where`."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb
import pytest

from gnomon.core.errors import QueryError
from gnomon.planner import Compiled, Plan, Question, plan
from gnomon.semantic import read_manifest
from tests.dialects.comparison import make_folder, read_types
from tests.dialects.postgres import load_postgres, run_postgres
from tests.differential.catalog import Catalog, Item, write_literal
from tests.differential.judge import Answer, compare_answers, run_ours, run_sql
from tests.differential.ours import add_words, write_question
from tests.differential.questions import Asked, Asker
from tests.differential.rollups import draw_rollups, make_rollups
from tests.differential.shape import CATALOG
from tests.differential.worlds import make_world, serve
from tests.manifests import DATABASE, measure, semantic_model, simple, write_manifest
from tests.oracle import Oracle
from tests.soundness import conftest as small

PLACE = re.compile(r"\[\[AND \{\{(\w+)\}\}\]\]")
SEED, QUESTIONS = 951, 40
NIGHTLY_SEEDS, NIGHTLY_QUESTIONS = range(961, 971), 100
# How often a filter has a place is the world's: it is asked on until it had one so often per question, at most so long.
FEWEST_PLACED, MOST_ASKED = 0.5, 2
Run = Callable[[str], Answer]

EVERY_DAY = simple("every_day", "posts")
EVERY_DAY["type_params"]["measure"]["join_to_timespine"] = True

REFUSED: dict[str, Question] = {
    "a dimension that the metric does not reach": Question(("posts",), outer_filters=("creator__status_date__day",)),
    "an unknown dimension": Question(("posts",), outer_filters=("creator__teir",)),
    "one that a second metric does not reach": Question(("posts", "violating_creators"), outer_filters=("post__kind",)),
    "a time that is truncated": Question(("posts",), outer_filters=("metric_time__week",)),
    "days of a time of day": Question(("posts",), outer_filters=("post__posted_at__day",)),
    "a part of a time": Question(("posts",), outer_filters=("metric_time__extract_dow",)),
    "times of two tables": Question(("posts", "violating_creators"), outer_filters=("metric_time__day",)),
    "a table cut by row filters before it is joined": Question(
        group_by=("creator__tier", "post__kind"),
        outer_filters=("creator__tier",),
        row_filters=("{{ Dimension('creator__region') }} = 'ID'",),
    ),
    "periods that are added afterwards": Question(
        ("every_day",), ("metric_time__day", "creator__tier"), outer_filters=("creator__tier",)
    ),
    "one asked for twice": Question(("posts",), outer_filters=("creator__tier", "Dimension('creator__tier')")),
    "a text that reads as a place": Question(
        ("posts",), where=("{{ Dimension('post__kind') }} <> '[[ AND'",), outer_filters=("creator__tier",)
    ),
    "a text with a mark of ours": Question(
        ("posts",), where=("{{ Dimension('post__kind') }} <> '\x02'",), outer_filters=("creator__tier",)
    ),
}


def fill(sql: str, condition: str) -> str:
    """Put a condition at each place, as Metabase does."""
    return PLACE.sub(lambda _: f"AND {condition}", sql)


def empty(sql: str) -> str:
    """Leave the places out, as Metabase does where no value is chosen."""
    return PLACE.sub("", sql)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outer")
    write_manifest(folder / "m.json", small.MODELS, [*small.METRICS, EVERY_DAY])
    with duckdb.connect(str(folder / f"{DATABASE}.duckdb")) as connection:
        connection.execute(small.WORLD)
    return folder


def ask(world: Path, question: Question, dialect: str = "duckdb") -> Plan:
    with duckdb.connect(str(world / f"{DATABASE}.duckdb"), read_only=True) as connection:
        types = read_types(connection)
    dates = frozenset(column for column, kind in types.items() if kind == "DATE")
    return plan(Compiled(read_manifest(world / "m.json"), dates), question, dialect=dialect, types=types)


def test_totals_worked_by_hand(world: Path) -> None:
    """Posts 1 and 2 are ana's, who is gold; 3 and 4 are bo's, who is new; 5 and 6 have no creator with a row."""
    chosen = ask(world, Question(("posts", "views"), outer_filters=("creator__tier",)))
    (place,) = chosen.filters
    column = f'"{place.schema}"."{place.table}"."{place.column}"'
    with duckdb.connect(str(world / f"{DATABASE}.duckdb"), read_only=True) as connection:
        assert run_sql(connection, empty(chosen.sql))[1] == [(6, 207)]
        assert run_sql(connection, fill(chosen.sql, f"{column} = 'gold'"))[1] == [(2, 150)]
        assert run_sql(connection, fill(chosen.sql, f"{column} in ('gold', 'new')"))[1] == [(4, 200)]
        assert run_sql(connection, fill(chosen.format(), f"{column} is null"))[1] == [(2, 7)]


def test_days_of_a_date_are_filtered_by_the_date_itself(world: Path) -> None:
    chosen = ask(world, Question(("posts",), outer_filters=("metric_time__day",)))
    assert [(each.table, each.column) for each in chosen.filters] == [("posts", "post_date")]
    with duckdb.connect(str(world / f"{DATABASE}.duckdb"), read_only=True) as connection:
        sql = fill(chosen.sql, '"main"."posts"."post_date" between \'2026-01-06\' and \'2026-01-12\'')
        assert run_sql(connection, sql)[1] == [(4,)]


def test_a_table_that_stands_twice_has_no_place(tmp_path: Path) -> None:
    """A deal has a buyer and a seller, both of whom are people: of whom would a filter be?"""
    models = [
        semantic_model(
            "deals",
            entities={"buyer": ("foreign", "buyer_id"), "seller": ("foreign", "seller_id")},
            dimensions={"deal_date": "day"},
            measures=[measure("deals", "count", "deal_date")],
            time="deal_date",
            primary_entity="deal",
        ),
        *(
            {
                **semantic_model(f"{role}s", entities={role: ("primary", "person_id")}, dimensions={"home": None}),
                "node_relation": {
                    "alias": "people", "schema_name": "main", "database": DATABASE,
                    "relation_name": f'"{DATABASE}"."main"."people"',
                },
            }
            for role in ("buyer", "seller")
        ),
    ]  # fmt: skip
    manifest = read_manifest(write_manifest(tmp_path / "m.json", models, [simple("deals", "deals")]))
    assert plan(manifest, Question(("deals",), ("buyer__home",), outer_filters=("seller__home",))).filters
    with pytest.raises(QueryError, match="'people' stands twice in one scan"):
        plan(manifest, Question(("deals",), outer_filters=("buyer__home", "seller__home")))


def test_what_has_no_place_is_refused_in_these_words(world: Path, golden: Callable[[str, str], None]) -> None:
    texts = []
    for called, question in REFUSED.items():
        with pytest.raises(QueryError) as refusal:
            ask(world, question)
        texts.append(f"{called}\n    {refusal.value}\n")
    golden("dialects/outer_filters.txt", "".join(texts))


def test_random_questions_with_and_without_a_filter(tmp_path: Path, postgres_server: str) -> None:
    check(SEED, QUESTIONS, tmp_path, postgres_server)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", NIGHTLY_SEEDS)
def test_random_questions_with_and_without_a_filter_at_length(seed: int, tmp_path: Path, postgres_server: str) -> None:
    check(seed, NIGHTLY_QUESTIONS, tmp_path, postgres_server)


def check(seed: int, questions: int, folder: Path, server: str) -> None:
    """Ask at least so many questions with one more dimension to filter by, on DuckDB and on Postgres."""
    world = make_world(seed, make_folder(folder, "world"))
    rng = random.Random(f"outer filters {seed}")
    catalog = Catalog(world, Oracle.read(world.manifest_path))
    manifest = draw_rollups(read_manifest(world.manifest_path), rng)
    with duckdb.connect(str(world.database)) as connection:
        rows = make_rollups(manifest, connection)
    asker, compiled = Asker(rng, catalog), Compiled(manifest)
    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    with (
        world.open() as connection,
        serve(world.database) as warehouse,
        load_postgres(server, CATALOG, connection) as postgres,
    ):
        types = read_types(connection)
        engines: dict[str, Run] = {"duckdb": partial(run_ours, warehouse), "postgres": partial(run_postgres, postgres)}
        fewest_placed = FEWEST_PLACED * len(engines) * questions
        while counts["asked"] < questions or counts["placed"] < fewest_placed:
            assert counts["asked"] < MOST_ASKED * questions, f"world {seed}: {dict(counts)}, {refused.most_common(5)}"
            asked = asker.ask()
            items = [] if asked is None else [each for each in catalog.items(asked.metrics) if each.kind == "category"]
            if asked is None or not asked.metrics or not items:
                continue
            item = rng.choice(items)
            question = add_words(write_question(asked), rng)
            counts["asked"] += 1
            rollups = rows if rng.random() < 0.5 else {}
            for dialect, run in engines.items():
                make = partial(plan, compiled, rollups=rollups, dialect=dialect, types=types)
                fault = compare(make, run, question, asked, item, catalog, counts, refused)
                assert not fault, f"world {seed}, {dialect}, {item.name}\n{asked}\n{fault}"
    print(f"\nworld {seed}: {dict(counts)}, {refused.most_common(5)}")
    assert counts["on a rollup"]
    assert counts["told apart"] >= counts["placed"] / 4


def compare(
    make: Callable[..., Plan],
    run: Run,
    question: Question,
    asked: Asked,
    item: Item,
    catalog: Catalog,
    counts: Counter[str],
    refused: Counter[str],
) -> str:
    value = catalog.examples(item)[0]
    said = f"{item.reference} = {write_literal(value)}"
    try:
        base = make(question).sql
        same = make(replace(question, where=(*question.where, said))).sql
        chosen = make(replace(question, outer_filters=(item.name,)))
    except QueryError as refusal:
        refused[re.sub(r"'[^']*'", "…", str(refusal))] += 1
        return ""
    (place,) = chosen.filters
    filled = fill(chosen.sql, f'"{place.schema}"."{place.table}"."{place.column}" = {write_literal(value)}')
    plain, cut = run(base), run(same)
    counts["placed"] += 1
    counts["on a rollup"] += bool(chosen.rollups)
    counts["told apart"] += plain != cut
    return compare_answers(run(empty(chosen.sql)), plain, asked) or compare_answers(run(filled), cut, asked)
