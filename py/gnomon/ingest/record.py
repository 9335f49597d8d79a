"""Hold raw_set.json to more than its form: names that are plain, a moment in UTC, nothing said twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from gnomon.core.errors import WarehouseError, explain_unknown
from gnomon.core.raw_set import ABSENT_FORM, RECORD_FORM, RECORD_NAME, SEE_FORM, RawSet
from gnomon.ingest.report import Finding

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][\w.+-]{0,127}", re.ASCII)
_LONGEST_WORDS = 1_000


def inspect_record(folder: Path) -> tuple[RawSet | None, list[Finding]]:
    """Return the record of the raw set in `folder` and what is wrong with it; None if it cannot be used."""
    path = folder / RECORD_NAME
    try:
        record = RawSet.read(folder)
        faults = list(_list_faults(_read_document(path)))
    except (WarehouseError, OSError, RecursionError) as error:
        text = str(error) if isinstance(error, WarehouseError) else f"{path}: {_word_cause(error)}. {SEE_FORM}"
        if folder.is_dir():
            text += " Until then a missing table cannot be told from an absent one."
        return None, [_report(text)]
    return None if faults else record, [_report(f"{path}: {fault} {SEE_FORM}") for fault in faults]


def _read_document(path: Path) -> Mapping[str, Any]:
    """Read the file again, refusing what two readers of JSON may read in two ways: a key written twice."""

    def read_pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
        for key in {key for key, _ in pairs}:
            if sum(other == key for other, _ in pairs) > 1:
                raise WarehouseError(f"{path}: the key '{key}' stands there twice. Keep one. {SEE_FORM}")
        return dict(pairs)

    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=read_pairs)
    return document


def _list_faults(document: Mapping[str, Any]) -> Iterator[str]:
    for key in document:
        if key not in RECORD_FORM:
            yield explain_unknown("key", key, RECORD_FORM)
    if not _PLAIN_NAME.fullmatch(document["raw_set_id"]):
        yield "raw_set_id must be 1 to 128 letters, digits and . _ + - as a text."
    if not _is_words(document["source"]):
        yield "source must be a text that is not empty."
    yield from _list_clock_faults(document["newest_ingested_at"])
    yield from _list_absent_faults(document["absent"])


def _list_clock_faults(value: str) -> Iterator[str]:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is not None:
        yield "newest_ingested_at has a time zone; write it in UTC without one."
    if len(value) <= len("2026-03-02"):
        yield "newest_ingested_at is a date; write the moment, to the second."


def _list_absent_faults(rows: list[Mapping[str, str]]) -> Iterator[str]:
    for row in rows:
        for key in row:
            if key not in ABSENT_FORM:
                yield f"absent: {explain_unknown('key', key, ABSENT_FORM)}"
    names = [row["table_name"] for row in rows]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"absent names the table '{name}' twice. Keep one."
    for row in rows:
        if not _is_words(row["reason"]):
            yield f"absent gives no reason for the table '{row['table_name']}'. Say why the source has none."


def _is_words(value: str) -> bool:
    return bool(value.strip()) and value.isprintable() and len(value) <= _LONGEST_WORDS


def _word_cause(error: BaseException) -> str:
    return "nested too deep to be a record" if isinstance(error, RecursionError) else f"cannot be read: {error}"


def _report(text: str) -> Finding:
    return Finding("", "", "raw_set_record", row_count=None, is_structural=True, text=text)
