"""Apache Superset, a BI tool that adds up by itself, over the views in a real Postgres: the engine says the same."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.bi.conftest import Copied
from tests.bi.superset import NoSupersetError, Superset, install, run_superset

pytestmark = pytest.mark.nightly
SUMS = {"posts": "SUM(posts)", "live_posts": "SUM(live_posts)", "weights": "SUM(weights)"}
RATIOS = {
    "live_share": "CASE WHEN SUM(posts) >= 40 THEN SUM(live_posts)::float / NULLIF(SUM(posts), 0) END",
    "mean_weight_of_posts": "SUM(weights) / NULLIF(SUM(posts), 0)",
}


@pytest.fixture(scope="module")
def superset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    try:
        venv = install()
    except NoSupersetError as reason:
        pytest.skip(f"Superset cannot be installed here: {reason}")
    with run_superset(venv, tmp_path_factory.mktemp("superset")) as running:
        yield running


@pytest.fixture(scope="module")
def dataset(superset: Superset, copied: Copied) -> int:
    # Superset's own driver wants a host that is a folder as libpq does.
    database = superset.add_database(copied.url.replace("postgresql://postgres:@/", "postgresql+psycopg2://postgres@/"))
    return superset.add_dataset(database, "bi_posts_day", SUMS | RATIOS)


@pytest.mark.parametrize("groups", [["post__kind"], ["creator__tier", "post__kind"], ["metric_time__day"], ["creator"]])
def test_a_chart_shows_the_engines_numbers(superset: Superset, dataset: int, copied: Copied, groups: list[str]) -> None:
    metrics = [*SUMS, *RATIOS]
    rows = {read_key(row, groups): row for row in superset.ask_chart(dataset, metrics, groups)}
    ours = copied.engine.query(metrics, groups).to_arrow().to_pylist()
    assert len(ours) == len(rows) > 0
    for row in ours:
        other = rows[read_key(row, groups)]
        for metric in metrics:
            value = row[metric]
            is_same = other[metric] is None if value is None else math.isclose(other[metric], value, rel_tol=1e-9)
            assert is_same, (metric, row, other)
    assert "gnomon" in superset.seen[-1]


def test_superset_knows_the_view_by_its_columns_and_no_ratio_among_them(superset: Superset, dataset: int) -> None:
    columns = {each["column_name"] for each in superset.ask("GET", f"dataset/{dataset}")["result"]["columns"]}
    assert {"metric_time__day", "creator__tier", "is_mature_after_10_days", "posts"} <= columns
    assert not columns & set(RATIOS)


def read_key(row: dict[str, Any], groups: list[str]) -> tuple[str, ...]:
    """Superset writes a day as milliseconds of its midnight."""
    values = [row[name] for name in groups]
    days = [datetime.fromtimestamp(each / 1000, UTC) if isinstance(each, int | float) else each for each in values]
    return tuple(str(each)[:10] for each in days)
