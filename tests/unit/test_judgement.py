"""A metric that does not say what it needs is judged by what its table is built from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from gnomon.core.errors import DefinitionError
from gnomon.engine.build_record import BuildRecord
from gnomon.engine.judgement import find_absent_tables
from gnomon.semantic import Manifest, read_manifest
from tests.manifests import measure, ratio, semantic_model, simple, write_manifest

PARENTS = {
    "model.gnomon.fct_orders": ("model.gnomon.stg_orders", "model.gnomon.stg_refunds"),
    "model.gnomon.stg_orders": ("source.gnomon.raw.orders",),
    "model.gnomon.stg_refunds": ("source.gnomon.raw.refunds",),
}
RECORD = BuildRecord(
    run_id="run",
    raw_set_id="set",
    as_of=datetime(2026, 1, 1),
    is_whole=True,
    is_passed=True,
    semantic_manifest="",
    absent={"refunds": "the shop keeps none"},
    parents=PARENTS,
)


def read(folder: Path, table: str, **meta: object) -> Manifest:
    model = semantic_model(
        table,
        entities={"order": ("primary", "order_id")},
        dimensions={"d": "day"},
        measures=[measure("orders", "count", "order_id"), measure("paid", "count", "paid_at")],
        time="d",
    )
    metrics = [simple("orders", **meta), simple("paid", needs=["refunds"]), ratio("paid_rate", "paid", "orders")]
    return read_manifest(write_manifest(folder / "m.json", [model], metrics))


def test_without_needs_every_raw_table_behind_the_mart_counts(tmp_path: Path) -> None:
    manifest = read(tmp_path, "fct_orders")
    assert find_absent_tables(manifest, RECORD, manifest.metrics["orders"]) == ("refunds",)


def test_needs_narrow_it_down(tmp_path: Path) -> None:
    manifest = read(tmp_path, "fct_orders", needs=["orders"])
    assert find_absent_tables(manifest, RECORD, manifest.metrics["orders"]) == ()


def test_a_ratio_needs_what_its_parts_need(tmp_path: Path) -> None:
    manifest = read(tmp_path, "fct_orders", needs=["orders"])
    assert find_absent_tables(manifest, RECORD, manifest.metrics["paid_rate"]) == ("refunds",)


def test_a_table_of_unknown_origin_is_not_trusted(tmp_path: Path) -> None:
    manifest = read(tmp_path, "fct_elsewhere")
    with pytest.raises(DefinitionError, match=r"Name them in config\.meta\.needs"):
        find_absent_tables(manifest, RECORD, manifest.metrics["orders"])
