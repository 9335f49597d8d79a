"""Corruptions of files, columns, layout and record: what a batch is made of, not what its rows say."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from gnomon.core.contract import Column, read_contract
from tests.contract.corruption import PART, Change, Corruption, rewrite

TABLES = read_contract().tables
OTHER_TYPES: dict[str, tuple[pa.DataType, ...]] = {
    "VARCHAR": (pa.int64(), pa.binary(), pa.list_(pa.string())),
    "BOOLEAN": (pa.int64(), pa.string()),
    "BIGINT": (pa.int32(), pa.float64(), pa.uint64(), pa.string()),
    "DOUBLE": (pa.float32(), pa.string(), pa.int64()),
    "DECIMAL(18,2)": (pa.decimal128(38, 2), pa.decimal128(18, 4), pa.float64()),
    "TIMESTAMP": (pa.timestamp("us", "UTC"), pa.timestamp("ns"), pa.date32(), pa.string(), pa.int64()),
}


def list_file_corruptions(seed: int) -> tuple[Corruption, ...]:
    """Return every corruption of this module; the seed picks columns and places."""
    chance = random.Random(seed)
    return (
        *_list_types(chance),
        *_list_columns(chance),
        *_list_truncated(chance),
        *_list_layout(),
        *_list_records(),
    )


def _list_types(chance: random.Random) -> Iterator[Corruption]:
    for table in TABLES.values():
        for column in chance.sample(table.columns, 3):
            other = chance.choice(OTHER_TYPES[column.duckdb_type])
            name = f"{table.name}.{column.name} as {other}"
            yield Corruption("types", name, rewrite(table.name, _retype(column, other)), ("wrong_type",), table.name)


def _retype(column: Column, other: pa.DataType) -> Any:
    def change(rows: pa.Table) -> pa.Table:
        place = rows.column_names.index(column.name)
        return rows.set_column(place, column.name, pa.nulls(rows.num_rows, other))

    return change


def _list_columns(chance: random.Random) -> Iterator[Corruption]:
    for table in TABLES.values():
        column = chance.choice(table.columns).name
        dropped = rewrite(table.name, lambda rows, name=column: rows.drop([name]))
        yield Corruption("columns", f"{table.name} without {column}", dropped, ("missing_column",), table.name)
    extras = {
        "an extra column": lambda rows: rows.append_column("note", pa.nulls(rows.num_rows, pa.string())),
        "another case": lambda rows: rows.rename_columns([name.upper() for name in rows.column_names]),
        "a name with a space": lambda rows: rows.rename_columns([f"{name} " for name in rows.column_names]),
        "a column twice": lambda rows: rows.append_column("region", rows["region"]),
        "a name of the reader": lambda rows: rows.append_column("filename", rows["region"]),
        "no column at all": lambda rows: pa.table({"nothing": pa.nulls(rows.num_rows)}),
    }
    for name, change in extras.items():
        rules = ("unknown_column", "missing_column")
        yield Corruption("columns", f"orders with {name}", rewrite("orders", change), rules, "orders")


def _list_truncated(chance: random.Random) -> Iterator[Corruption]:
    def write(change: Any) -> Any:
        def corrupt(path: Path) -> None:
            path.write_bytes(change(path.read_bytes()))

        return corrupt

    damages = {
        "of no bytes": write(lambda content: b""),
        "cut to its mark": write(lambda content: content[:4]),
        "cut in half": write(lambda content: content[: len(content) // 2]),
        "without its last byte": write(lambda content: content[:-1]),
        "without its footer": write(lambda content: content[:-40]),
        "without its first byte": write(lambda content: content[1:]),
        "with noise in its pages": write(lambda content: content[:4] + b"\xff" * 600 + content[604:]),
        "with noise in its footer": write(lambda content: content[:-60] + b"\xff" * 50 + content[-10:]),
        "that is text": write(lambda content: b"engagement_id,viewer_id\ne1,v1\n"),
        "that is a folder": lambda path: (path.unlink(), path.mkdir()),
        "that links to nothing": lambda path: (path.unlink(), path.symlink_to("nowhere.parquet")),
    }
    for name, damage in damages.items():
        table = chance.choice(("engagement", "content", "quality_reviews", "account_events"))
        change: Change = lambda folder, table=table, damage=damage: damage(folder / table / PART)  # noqa: E731
        rules = ("broken_parquet", "stray_file", "missing_table")
        yield Corruption("truncated files", f"{table}: a file {name}", change, rules, table)


def _list_layout() -> Iterator[Corruption]:
    def move(table: str, place: str) -> Change:
        def corrupt(folder: Path) -> None:
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            (folder / table / PART).rename(target)

        return corrupt

    def copy(table: str, place: str) -> Change:
        def corrupt(folder: Path) -> None:
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / table / PART, target)

        return corrupt

    def write_beside(place: str) -> Change:
        return lambda folder: (folder / place).write_text("order_id\no1\n", encoding="utf-8")

    stray, unknown = ("stray_file",), ("unknown_table",)
    cases: dict[str, tuple[Change, tuple[str, ...]]] = {
        "all of a table in a partition": (move("orders", f"orders/day=2026-06-23/{PART}"), ("missing_table", *stray)),
        "a partition beside the file": (copy("orders", f"orders/day=2026-06-24/{PART}"), stray),
        "a partition that says another day": (copy("orders", f"orders/occurred_at=2020-01-01/{PART}"), stray),
        "a folder in a table's folder": (copy("orders", f"orders/new/{PART}"), stray),
        "rows as CSV": (write_beside("orders/part-1.csv"), stray),
        "a suffix in capitals": (copy("orders", "orders/part-1.PARQUET"), stray),
        "a file half written": (copy("orders", "orders/part-1.parquet.tmp"), stray),
        "a suffix of compression": (copy("orders", "orders/part-1.parquet.gz"), stray),
        "a name that is a pattern": (copy("orders", "orders/part-[0].parquet"), stray),
        "a name with a star": (copy("orders", "orders/part-*.parquet"), stray),
        "a file beside the tables": (copy("orders", "orders.parquet"), stray),
        "a table of another name": (copy("orders", f"order/{PART}"), unknown),
        "a table in another folder": (copy("orders", f"2026/orders/{PART}"), unknown),
        "a table's folder in capitals": (copy("orders", f"Orders/{PART}"), unknown),
        "a hidden file of rows": (copy("orders", "orders/.part-0.parquet"), ("duplicate_key",)),
    }
    wrong = ("unknown_column", "missing_column")
    for other in ("order_items", "refunds", "accounts", "comments"):
        cases[f"orders in the folder of {other}"] = (copy("orders", f"{other}/part-1.parquet"), wrong)
    for name, (change, rules) in cases.items():
        yield Corruption("wrong partitions", name, change, rules)
    for table in ("orders", "engagement", "sampling_designs"):
        yield Corruption(
            "duplicated files", f"{table} twice", copy(table, f"{table}/part-1.parquet"), ("duplicate_key",), table
        )
        doubled = rewrite(table, lambda rows: pa.concat_tables([rows, rows]))
        yield Corruption("duplicated files", f"{table} twice in one file", doubled, ("duplicate_key",), table)


def _list_records() -> Iterator[Corruption]:
    def edit(change: Any) -> Change:
        def corrupt(folder: Path) -> None:
            path = folder / "raw_set.json"
            document = json.loads(path.read_text(encoding="utf-8"))
            path.write_text(json.dumps(change(document)), encoding="utf-8")

        return corrupt

    def put(**values: Any) -> Change:
        return edit(lambda document: document | values)

    def put_text(change: Any) -> Change:
        def corrupt(folder: Path) -> None:
            path = folder / "raw_set.json"
            path.write_bytes(change(path.read_bytes()))

        return corrupt

    def declare(*rows: Any) -> Change:
        return put(absent=list(rows))

    comments = {"table_name": "comments", "reason": "none"}
    cases: dict[str, Change] = {
        "it is not there": lambda folder: (folder / "raw_set.json").unlink(),
        "it is a folder": lambda folder: ((folder / "raw_set.json").unlink(), (folder / "raw_set.json").mkdir()),
        "it is empty": put_text(lambda text: b""),
        "it is cut": put_text(lambda text: text[:-3]),
        "it is a list": edit(lambda document: [document]),
        "it is a number": edit(lambda document: 7),
        "it is null": edit(lambda document: None),
        "it is not UTF-8": put_text(lambda text: text.replace(b"days", b"d\xe9ys")),
        "it begins with a mark of order": put_text(lambda text: b"\xef\xbb\xbf" + text),
        "it is nested too deep": put_text(lambda text: b"[" * 100_000 + b"]" * 100_000),
        "it has a key twice": put_text(lambda text: text.replace(b"{", b'{"raw_set_id": "other",', 1)),
        "it has an unknown key": put(rows=7),
        "its identity is null": put(raw_set_id=None),
        "its identity is empty": put(raw_set_id=""),
        "its identity is a number": put(raw_set_id=7),
        "its identity is a path": put(raw_set_id="../other"),
        "its identity looks like another": put(raw_set_id="tiny-1\u200b"),
        "its source is null": put(source=None),
        "its source is blank": put(source="  "),
        "its version is another": put(contract_version=99),
        "its version is true": put(contract_version=True),
        "its version is a text": put(contract_version="1"),
        "its version is not whole": put(contract_version=1.5),
        "its clock is a text": put(newest_ingested_at="today"),
        "its clock is a number": put(newest_ingested_at=1_782_777_600),
        "its clock is null": put(newest_ingested_at=None),
        "its clock is a date": put(newest_ingested_at="2026-06-30"),
        "its clock has a zone": put(newest_ingested_at="2026-06-30 00:00:00+08:00"),
        "its absent tables are null": put(absent=None),
        "its absent tables are a mapping": put(absent={"comments": "none"}),
        "an absent table is unknown": declare(comments | {"table_name": "commments"}),
        "an absent table has no reason": declare(comments | {"reason": " "}),
        "an absent table has a null reason": declare(comments | {"reason": None}),
        "an absent table stands twice": declare(comments, comments),
        "an absent table is only a name": declare("comments"),
    }
    for name in ("raw_set_id", "source", "contract_version", "newest_ingested_at", "absent"):
        cases[f"it has no {name}"] = edit(lambda document, name=name: {k: v for k, v in document.items() if k != name})
    for name, change in cases.items():
        yield Corruption("record", name, change, ("raw_set_record",))
    yield Corruption("record", "a table with rows is absent", declare(comments), ("absent_with_rows",), "comments")
    clocks = {"an hour early": "2026-06-29 21:00:00", "a year early": "2025-06-30 00:00:00"}
    for name, moment in clocks.items():
        yield Corruption("record", f"its clock is {name}", put(newest_ingested_at=moment), ("ingested_after_record",))
    for moment in ("2026-07-08 00:00:00", "2099-01-01 00:00:00"):
        yield Corruption("record", f"its clock is {moment}", put(newest_ingested_at=moment), ("clock_ahead",))
