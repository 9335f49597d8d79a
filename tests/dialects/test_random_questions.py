"""Random questions over random worlds: another engine's answers to its own plan are DuckDB's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.dialects.comparison import WORDS, Comparison, explain, make_folder
from tests.dialects.postgres import load_postgres, run_postgres
from tests.dialects.spark import load_spark, run_spark
from tests.differential.features import FEATURES
from tests.differential.shape import CATALOG, draw_shape
from tests.differential.worlds import make_world

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# A saved query is expanded before the planner is asked.
ASKED = [feature for feature in FEATURES if feature != "saved_query"]
SEEDS, QUESTIONS = (901, 902), 50
NIGHTLY_SEEDS, NIGHTLY_QUESTIONS = range(911, 926), 100
SPARK_SEEDS, SPARK_QUESTIONS = (931, 932), 60
FEWEST_WITH_ROWS = 0.8
# What a world may ask and other engines cannot say: the remainder of a size that is a floating number.
UNSAYABLE = "% is of whole numbers"


def pick(features: Sequence[str], place: int, of: int) -> list[str]:
    return list(features[place::of])


@pytest.mark.parametrize("place", range(len(SEEDS)), ids=lambda place: f"world_{SEEDS[place]}")
def test_postgres_answers_as_duckdb_does(place: int, tmp_path: Path, postgres_server: str) -> None:
    check_postgres(SEEDS[place], QUESTIONS, pick(ASKED, place, len(SEEDS)), tmp_path, postgres_server)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", NIGHTLY_SEEDS, ids=lambda seed: f"world_{seed}")
def test_postgres_answers_as_duckdb_does_at_length(seed: int, tmp_path: Path, postgres_server: str) -> None:
    check_postgres(seed, NIGHTLY_QUESTIONS, ASKED, tmp_path, postgres_server)


@pytest.mark.nightly
@pytest.mark.parametrize("place", range(len(SPARK_SEEDS)), ids=lambda place: f"world_{SPARK_SEEDS[place]}")
def test_spark_answers_as_duckdb_does(place: int, tmp_path: Path, spark: SparkSession) -> None:
    world = make_world(SPARK_SEEDS[place], make_folder(tmp_path, "world"))
    with world.open() as source:
        load_spark(spark, make_folder(tmp_path, "parquet"), source)
    comparison = Comparison(world, "spark", partial(run_spark, spark), has_catalog=False)
    comparison.ask(SPARK_QUESTIONS, pick(ASKED, place, len(SPARK_SEEDS)))
    check(comparison, pick(ASKED, place, len(SPARK_SEEDS)))


def check_postgres(seed: int, questions: int, features: Sequence[str], folder: Path, server: str) -> None:
    world = make_world(seed, make_folder(folder, "world"))
    with world.open() as source, load_postgres(server, CATALOG, source) as connection:
        comparison = Comparison(world, "postgres", partial(run_postgres, connection))
        comparison.ask(questions, features)
    check(comparison, features)


def check(comparison: Comparison, features: Sequence[str]) -> None:
    counts = comparison.counts
    print(f"\nworld {comparison.world.shape.seed} on {comparison.dialect}: {dict(counts)}, {comparison.refused}")
    assert not comparison.faults, explain(comparison)
    assert not [refusal for refusal in comparison.refused if UNSAYABLE not in refusal]
    assert counts["with rows"] >= FEWEST_WITH_ROWS * counts["asked"]
    lacking = draw_shape(comparison.world.shape.seed).lacks
    assert {*features} - comparison.met <= lacking
    assert {*WORDS} <= {*counts}
