"""The record of a raw set is read whole, or refused in words."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gnomon.core.errors import WarehouseError
from gnomon.core.raw_set import RECORD_NAME, RawSet


def write(folder: Path, **changes: Any) -> None:
    RawSet("a-set", "a log", datetime(2026, 3, 2), {"comments": "the log has none"}).write(folder)
    path = folder / RECORD_NAME
    document = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    kept = {key: value for key, value in document.items() if value is not ...}
    path.write_text(json.dumps(kept), encoding="utf-8")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(tmp_path)
    assert RawSet.read(tmp_path) == RawSet("a-set", "a log", datetime(2026, 3, 2), {"comments": "the log has none"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"raw_set_id": None}, "raw_set_id is null, and should be a text"),
        ({"raw_set_id": ""}, 'raw_set_id is "", and should be a text'),
        ({"raw_set_id": 7}, "raw_set_id is 7, and should be a text"),
        ({"source": ...}, "source is missing, and should be a text"),
        ({"absent": {"comments": "none"}}, 'absent is {"comments": "none"}, and should be a list'),
        ({"absent": ["comments"]}, '"comments" stands where keys and values should'),
        ({"absent": [{"table_name": "comments"}]}, "reason is missing, and should be a text"),
        ({"absent": [{"table_name": "coments", "reason": "none"}]}, "Did you mean 'comments'"),
        ({"contract_version": "1"}, 'contract_version is "1", and should be a whole number'),
        ({"contract_version": True}, "contract_version is true, and should be a whole number"),
        ({"newest_ingested_at": "yesterday"}, "newest_ingested_at: Invalid isoformat string: 'yesterday'"),
    ],
)
def test_a_record_of_another_form_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    write(tmp_path, **changes)
    with pytest.raises(WarehouseError) as refusal:
        RawSet.read(tmp_path)
    assert words in str(refusal.value)
    assert RECORD_NAME in str(refusal.value)


def test_a_list_is_no_record(tmp_path: Path) -> None:
    (tmp_path / RECORD_NAME).write_text("[]", encoding="utf-8")
    with pytest.raises(WarehouseError, match=r"\[\] stands where keys and values should"):
        RawSet.read(tmp_path)
