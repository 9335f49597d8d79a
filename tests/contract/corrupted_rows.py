"""Corruptions of what rows say: missing and repeated keys, texts, moments, numbers, sizes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from gnomon.core.contract import read_contract
from tests.contract.corruption import Corruption, put_bytes, put_values, rewrite

TABLES = read_contract().tables
# Every table of the tiny set has so many rows.
FEWEST_ROWS = 3
HUNDRED_MEGABYTES = 100_000_000
# Further than microseconds since 1970 reach in DuckDB as a moment, where it reads infinity.
INFINITY = 2**63 - 1


def list_row_corruptions(seed: int) -> tuple[Corruption, ...]:
    """Return every corruption of this module; the seed picks columns and rows."""
    chance = random.Random(seed)
    return (
        *_list_nulls(chance),
        *_list_keys(chance),
        *_list_references(chance),
        *_list_encodings(chance),
        *_list_values(chance),
        *_list_moments(chance),
        *_list_numbers(chance),
        *_list_sizes(),
    )


def _list_nulls(chance: random.Random) -> Iterator[Corruption]:
    for table in TABLES.values():
        column = chance.choice([column.name for column in table.columns if not column.is_nullable])
        change = put_values(table.name, column, {chance.randrange(FEWEST_ROWS): None})
        yield Corruption("nulls", f"{table.name}.{column}", change, ("null",), table.name)


def _list_keys(chance: random.Random) -> Iterator[Corruption]:
    for name in chance.sample(list(TABLES), 10):
        table = TABLES[name]
        row = chance.randrange(FEWEST_ROWS)
        again = rewrite(name, lambda rows, row=row: pa.concat_tables([rows, rows.slice(row, 1)]))
        yield Corruption("keys", f"{name}: a row twice", again, ("duplicate_key",), table.name)


def _list_references(chance: random.Random) -> Iterator[Corruption]:
    pairs = [(table.name, column.name) for table in TABLES.values() for column in table.columns if column.reference]
    for table, column in chance.sample(pairs, 12):
        change = put_values(table, column, {chance.randrange(FEWEST_ROWS): "nobody"})
        yield Corruption("keys", f"{table}.{column} points nowhere", change, ("missing_reference",), table)


def _list_encodings(chance: random.Random) -> Iterator[Corruption]:
    broken = {
        "Latin-1": b"caf\xe9", "an overlong slash": b"a\xc0\xaf", "an overlong NUL": b"a\xc0\x80",
        "half a character": b"a\xe4\xbd", "a lone surrogate": b"a\xed\xa0\x80", "past Unicode": b"a\xf5\x80\x80\x80",
    }  # fmt: skip
    places = (("content", "category"), ("engagement", "engagement_id"), ("content", "caption_hash"))
    for number, (name, value) in enumerate(broken.items()):
        table, column = places[number % len(places)]
        change = put_bytes(table, column, chance.randrange(FEWEST_ROWS), value)
        yield Corruption("encodings", f"{table}.{column} with {name}", change, ("broken_parquet",), table)
    texts = {
        "NUL": "home\x00", "an escape": "\x1b[31mhome", "no width": "ho\u200bme", "turned writing": "\u202ehome",
        "a lost character": "h\ufffdme", "a space after": "home ", "a wide space before": "\u3000home",
        "Cyrillic among Latin": "h\u043eme", "Greek among Latin": "h\u03bfme", "full width": "\uff28\uff4f",
        "a loose accent": "cafe\u0301", "nothing": "", "blanks": "   ", "a mark of order": "\ufeffhome",
    }  # fmt: skip
    for number, (name, value) in enumerate(texts.items()):
        table, column = (("content", "category"), ("orders", "region"))[number % 2]
        change = put_values(table, column, {chance.randrange(FEWEST_ROWS): value})
        yield Corruption("encodings", f"{table}.{column} with {name}", change, ("unreadable_text",), table)
    for name, value in (("no character", ""), ("a blank", " "), ("Cyrillic", "\u0435123"), ("NUL", "e1\x00")):
        change = put_values("engagement", "engagement_id", {chance.randrange(FEWEST_ROWS): value})
        yield Corruption("encodings", f"engagement_id with {name}", change, ("unreadable_id",), "engagement")


def _list_values(chance: random.Random) -> Iterator[Corruption]:
    listed = [(table.name, column) for table in TABLES.values() for column in table.columns if column.values]
    shapes = {
        "a new word": lambda word: "painting",
        "capitals": lambda word: word.upper(),
        "a space after": lambda word: f"{word} ",
        "a look-alike": lambda word: word.replace("e", "\u0435").replace("a", "\u0430"),
        "nothing": lambda word: "",
    }
    for (table, column), (name, shape) in zip(chance.sample(listed, 10), [*shapes.items()] * 2, strict=True):
        change = put_values(table, column.name, {chance.randrange(FEWEST_ROWS): shape(column.values[0])})
        yield Corruption("words", f"{table}.{column.name}: {name}", change, ("value_not_allowed",), table)
    for table in ("products", "order_items", "refunds"):
        change = put_values(table, "currency", {1: "usd"})
        rules = ("product_price_plausible", "line_price_plausible", "refund_plausible")
        yield Corruption("words", f"{table}.currency: an unknown one", change, rules, table)


def _list_moments(chance: random.Random) -> Iterator[Corruption]:
    future, past = datetime(2099, 1, 1), datetime(1970, 1, 1)
    for table in chance.sample([name for name, table in TABLES.items() if not table.known_ahead], 4):
        change = put_values(table, "occurred_at", {2: future})
        yield Corruption("moments", f"{table} occurs in 2099", change, ("ingested_before_occurred",), table)
        change = put_values(table, "occurred_at", {2: past})
        yield Corruption("moments", f"{table} occurs at the epoch", change, ("impossible_moment",), table)
        change = put_values(table, "ingested_at", {2: datetime(2020, 6, 1)})
        yield Corruption("moments", f"{table} is known before it is", change, ("ingested_before_occurred",), table)
    change = put_values("engagement", "ingested_at", {2: future})
    yield Corruption("moments", "engagement is ingested in 2099", change, ("ingested_after_record",), "engagement")
    for moment in (future, datetime(2026, 7, 9)):
        yield Corruption("moments", f"a row and the clock in {moment:%Y-%m}", _move_clock(moment), ("clock_alone",))
    for table, column in (("orders", "paid_at"), ("appeals", "decided_at"), ("enforcements", "restored_at")):
        change = put_values(table, column, {2: future})
        yield Corruption("moments", f"{table}.{column} in 2099", change, ("moment_after_record",), table)
    for table, column in (("policy_versions", "occurred_at"), ("sampling_designs", "frame_ends_at")):
        change = put_values(table, column, {2: future})
        yield Corruption("moments", f"{table}.{column} in 2099", change, ("impossible_moment",), table)
    change = rewrite("orders", _put_infinity)
    yield Corruption("moments", "orders occur at infinity", change, ("ingested_before_occurred",), "orders")
    change = put_values("orders", "paid_at", {2: datetime(2020, 6, 1)})
    yield Corruption("moments", "an order is paid before it is placed", change, ("paid_after_placed",), "orders")


def _put_infinity(rows: pa.Table) -> pa.Table:
    place = rows.column_names.index("occurred_at")
    values = rows["occurred_at"].cast(pa.int64()).to_pylist()
    values[2] = INFINITY
    return rows.set_column(place, "occurred_at", pa.array(values, pa.int64()).cast(pa.timestamp("us")))


def _move_clock(moment: datetime) -> Any:
    def corrupt(folder: Path) -> None:
        put_values("engagement", "ingested_at", {2: moment - timedelta(hours=1)})(folder)
        path = folder / "raw_set.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(document | {"newest_ingested_at": f"{moment:%Y-%m-%d %H:%M:%S}"}), encoding="utf-8")

    return corrupt


def _list_numbers(chance: random.Random) -> Iterator[Corruption]:
    bounded = [(table, column) for table in TABLES.values() for column in table.columns if column.low is not None]
    for table, column in chance.sample(bounded, 10):
        value: Any = {"BIGINT": -1, "DOUBLE": -0.5}.get(column.duckdb_type, Decimal("-0.01"))
        change = put_values(table.name, column.name, {chance.randrange(FEWEST_ROWS): value})
        yield Corruption("numbers", f"{table.name}.{column.name} is {value}", change, ("out_of_range",), table.name)
    for value in (float("nan"), float("inf"), float("-inf")):
        for table, column in (("content_counters", "view_count"), ("quality_reviews", "inclusion_probability")):
            change = put_values(table, column, {1: value})
            yield Corruption("numbers", f"{table}.{column} is {value}", change, ("out_of_range",), table)
    change = put_values("quality_reviews", "inclusion_probability", {1: 0.0})
    yield Corruption("numbers", "a review had no chance", change, ("probability_above_zero",), "quality_reviews")


def _list_sizes() -> Iterator[Corruption]:
    whole, real = 10**18, 1e18
    sizes: dict[tuple[str, str], tuple[Any, str]] = {
        ("live_sessions", "peak_viewer_count"): (whole, "viewers_plausible"),
        ("engagement", "watch_ms"): (whole, "watch_within_a_day"),
        ("content", "duration_ms"): (whole, "content_within_a_day"),
        ("sampling_designs", "frame_size"): (whole, "frame_plausible"),
        ("content_counters", "cell_count"): (whole, "cells_plausible"),
        ("content_counters", "impression_count"): (real, "impressions_plausible"),
        ("content_counters", "report_count"): (1e300, "reports_plausible"),
        ("order_items", "quantity"): (whole, "quantity_plausible"),
        ("violations", "policy_version"): (whole, "version_plausible"),
        ("products", "price_amount"): (Decimal("9999999999999999.99"), "product_price_plausible"),
        ("refunds", "refund_amount"): (Decimal("9999999999999999.99"), "refund_plausible"),
    }
    for (table, column), (value, rule) in sizes.items():
        yield Corruption("sizes", f"{table}.{column} is {value}", put_values(table, column, {1: value}), (rule,), table)
    change = put_values("content", "category", {1: "a" * HUNDRED_MEGABYTES})
    yield Corruption("sizes", "a category of 100 MB", change, ("unreadable_text",), "content")
    change = put_values("comments", "comment_id", {1: "a" * 1_000_000})
    yield Corruption("sizes", "an identifier of 1 MB", change, ("unreadable_id",), "comments")
    beyond = rewrite("products", _write_beyond_decimal)
    yield Corruption("sizes", "a price beyond its decimal", beyond, ("wrong_type",), "products")


def _write_beyond_decimal(rows: pa.Table) -> pa.Table:
    place = rows.column_names.index("price_amount")
    values = [Decimal(10) ** 30, *rows["price_amount"].to_pylist()[1:]]
    return rows.set_column(place, "price_amount", pa.array(values, pa.decimal128(38, 2)))
