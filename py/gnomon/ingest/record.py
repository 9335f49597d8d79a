"""Hold raw_set.json against its form, more strictly than a reader that only needs its values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from gnomon.core.errors import WarehouseError, explain_unknown
from gnomon.core.raw_set import RECORD_NAME, RawSet
from gnomon.ingest.report import Finding

_KEYS = ("raw_set_id", "source", "contract_version", "newest_ingested_at", "absent")
_ABSENT_KEYS = {"table_name", "reason"}
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][\w.+-]{0,127}", re.ASCII)
_LONGEST_WORDS = 1_000
_FORM = "docs/raw.md shows its form."


def inspect_record(folder: Path) -> tuple[RawSet | None, list[Finding]]:
    """Return the record of the raw set in `folder` and what is wrong with it; None if it cannot be used."""
    path = folder / RECORD_NAME
    try:
        record = RawSet.read(folder)
        faults = list(_list_faults(_read_document(path)))
    except (WarehouseError, OSError, RecursionError) as error:
        text = str(error) if isinstance(error, WarehouseError) else f"{path}: {_word_cause(error)}. {_FORM}"
        if folder.is_dir():
            text += " Until then a missing table cannot be told from an absent one."
        return None, [_report(text)]
    return None if faults else record, [_report(f"{path}: {fault} {_FORM}") for fault in faults]


def _read_document(path: Path) -> Mapping[str, object]:
    """Read the file again, refusing what two readers of JSON may read in two ways: a key written twice."""

    def read_pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
        for key in {key for key, _ in pairs}:
            if sum(other == key for other, _ in pairs) > 1:
                raise WarehouseError(f"{path}: the key '{key}' stands there twice. Keep one. {_FORM}")
        return dict(pairs)

    document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=read_pairs)
    if not isinstance(document, dict):
        raise WarehouseError(f"{path}: is not a JSON object. {_FORM}")
    return document


def _list_faults(document: Mapping[str, object]) -> Iterator[str]:
    for key in document:
        if key not in _KEYS:
            yield explain_unknown("key", key, _KEYS)
    name = document["raw_set_id"]
    if not isinstance(name, str) or not _PLAIN_NAME.fullmatch(name):
        yield "raw_set_id must be 1 to 128 letters, digits and . _ + - as a text."
    if not _is_words(document["source"]):
        yield "source must be a text that is not empty."
    if type(document["contract_version"]) is not int:
        yield "contract_version must be a whole number."
    yield from _list_clock_faults(document["newest_ingested_at"])
    yield from _list_absent_faults(document["absent"])


def _list_clock_faults(value: object) -> Iterator[str]:
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is not None:
        yield "newest_ingested_at has a time zone; write it in UTC without one."
    if len(str(value)) <= len("2026-03-02"):
        yield "newest_ingested_at is a date; write the moment, to the second."


def _list_absent_faults(value: object) -> Iterator[str]:
    rows = value if isinstance(value, list) else None
    if rows is None or not all(isinstance(row, dict) and set(row) == _ABSENT_KEYS for row in rows):
        yield "absent must be a list of {table_name, reason}."
        return
    names = [row["table_name"] for row in rows]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"absent names the table '{name}' twice. Keep one."
    for row in rows:
        if not _is_words(row["reason"]):
            yield f"absent gives no reason for the table '{row['table_name']}'. Say why the source has none."


def _is_words(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable() and len(value) <= _LONGEST_WORDS


def _word_cause(error: BaseException) -> str:
    return "nested too deep to be a record" if isinstance(error, RecursionError) else f"cannot be read: {error}"


def _report(text: str) -> Finding:
    return Finding("", "", "raw_set_record", row_count=None, is_structural=True, text=text)
