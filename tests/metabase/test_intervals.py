"""Intervals written in SQL are those of gnomon.measurement, to the last case."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import pytest
from sqlglot import exp

from gnomon.core.names import MetricName
from gnomon.measurement import bound_difference, bound_proportion
from gnomon.publish.metabase.making.intervals import write_ends
from gnomon.semantic import read_manifest
from tests.copies import ask
from tests.manifests import measure, ratio, semantic_model, simple, write_manifest

VALUES = (None, -0.1, 0.0, 1e-9, 0.02, 0.5, 0.98, 1.0, 1.2)
VARIANCES = (None, 0.0, 1e-12, 1e-4, 0.01, 4.0, 1e9)
REPLICATES = (0, 5, 6, 7, 19, 20)


@pytest.mark.parametrize("is_proportion", [True, False])
def test_both_ends_are_those_of_the_engine(postgres_server: str, tmp_path: Path, is_proportion: bool) -> None:
    posts = semantic_model(
        "posts",
        entities={"post": ("primary", "post_id")},
        dimensions={"posted": "day"},
        measures=[measure("posts", "count", "post_id")],
        time="posted",
    )
    path = write_manifest(tmp_path / "m.json", [posts], [simple("posts"), ratio("rate", "posts", "posts")])
    metric = read_manifest(path).metrics[MetricName("rate")]
    metric = replace(metric, documentation=replace(metric.documentation, replicates=20))
    low, high = (end.sql("postgres") for end in write_ends(metric, is_proportion=is_proportion))
    cases = list(itertools.product(VALUES, VARIANCES, REPLICATES))
    rows = exp.values(cases, "given", ["rate", "__variance__rate", "__replicates__rate"]).sql("postgres")
    sql = (
        'select rate, cast("__variance__rate" as double precision) as variance, "__replicates__rate" as replicates, '
        f"{low} as low, {high} as high from {rows}"
    )
    found = ask(postgres_server, sql)
    bound = bound_proportion if is_proportion else bound_difference
    there = 0
    for row, (value, variance, replicates) in zip(found, cases, strict=True):
        right = None if value is None else bound(value, variance, replicates)
        assert (row["low"] is None) == (right is None), (row, right)
        if right is not None:
            there += 1
            assert math.isclose(row["low"], right.low, rel_tol=1e-9, abs_tol=1e-300)
            assert math.isclose(row["high"], right.high, rel_tol=1e-9)
    assert there > 50
