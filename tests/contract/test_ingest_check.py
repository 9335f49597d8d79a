"""The check of a raw set finds every way in which a set can break the contract."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gnomon.core.contract import Column, Table, read_contract
from gnomon.core.names import TableName
from gnomon.core.raw_set import RawSet, arrow_schema, write_table
from gnomon.ingest import CheckReport, Finding, check

Golden = Callable[[str, str], None]
NOON = datetime(2026, 3, 2, 12)
LATER = datetime(2026, 3, 2, 13)
TABLES = read_contract().tables
FILLED = ("accounts", "content", "engagement", "content_counters")


def account(account_id: str, **changes: Any) -> dict[str, Any]:
    return {"account_id": account_id, "account_kind": "viewer", "occurred_at": NOON, "ingested_at": NOON, **changes}


def act(engagement_id: str, **changes: Any) -> dict[str, Any]:
    row = {
        "engagement_id": engagement_id,
        "viewer_id": "v1",
        "content_id": "k1",
        "event_type": "view",
        "surface": "feed",
        "watch_ms": 900,
        "is_ad": False,
        "is_owner": False,
        "occurred_at": NOON,
        "ingested_at": LATER,
    }
    return row | changes


def counters(content_id: str, **changes: Any) -> dict[str, Any]:
    names = [column.name for column in TABLES[TableName("content_counters")].columns if column.name.endswith("_count")]
    return dict.fromkeys(names, 1.0) | {
        "content_id": content_id,
        "cell_count": 1,
        "occurred_at": NOON,
        "ingested_at": NOON,
        **changes,
    }


def rows_of_a_clean_set() -> dict[str, list[dict[str, Any]]]:
    item = {"content_id": "k1", "creator_id": "c1", "content_kind": "video", "occurred_at": NOON, "ingested_at": NOON}
    return {
        "accounts": [account("v1"), account("c1", account_kind="creator")],
        "content": [item],
        "engagement": [act("e1"), act("e2", event_type="impression", watch_ms=None)],
        "content_counters": [counters("k1")],
    }


def write_set(folder: Path, rows: Mapping[str, list[dict[str, Any]]]) -> Path:
    """Write `rows`; every other table is declared absent, with an empty file."""
    for name, table in TABLES.items():
        schema = arrow_schema(table)
        place = folder / name
        place.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows.get(name, []), schema=schema), place / "part-0.parquet")
    absent = {name: "not in this test" for name in TABLES if name not in FILLED}
    RawSet("set-1", "test", LATER, absent).write(folder)
    return folder


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clean raw set under a short relative path, so that golden texts hold no machine path."""
    monkeypatch.chdir(tmp_path)
    return write_set(Path("raw"), rows_of_a_clean_set())


def rewrite(raw: Path, table: str, rows: list[dict[str, Any]]) -> None:
    schema = arrow_schema(TABLES[TableName(table)])
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), raw / table / "part-0.parquet")


def only_finding(report: CheckReport) -> Finding:
    assert len(report.findings) == 1, report.render()
    return report.findings[0]


def test_a_clean_set_has_no_finding_and_exit_code_0(raw: Path, golden: Golden) -> None:
    report = check(raw)
    assert report.is_clean
    assert report.exit_code == 0
    assert len(report.row_counts) == len(TABLES) == 26
    assert sum(report.row_counts.values()) == 6
    golden("ingest/check_clean.txt", report.render())


def test_structural_faults_are_shown_together(raw: Path, golden: Golden) -> None:
    (raw / "orders" / "part-0.parquet").unlink()
    (raw / "content" / "part-0.parquet").unlink()
    (raw / "engagements").mkdir()
    pq.write_table(pa.table({"a": [1]}), raw / "engagements" / "part-0.parquet")
    table = pq.read_table(raw / "engagement" / "part-0.parquet")
    table = table.rename_columns(["watch_millis" if name == "watch_ms" else name for name in table.column_names])
    pq.write_table(
        table.set_column(0, "engagement_id", pa.array([1, 2], pa.int64())), raw / "engagement" / "part-0.parquet"
    )
    rewrite(raw, "sellers", [{"seller_id": "s1", "region": "east", "occurred_at": NOON, "ingested_at": NOON}])
    broken = raw / "refunds" / "part-0.parquet"
    broken.write_bytes(broken.read_bytes()[:-40])
    report = check(raw)
    assert report.exit_code == 2
    assert {finding.rule for finding in report.findings if finding.is_structural} == {
        "missing_table",
        "unknown_table",
        "missing_column",
        "unknown_column",
        "wrong_type",
        "absent_with_rows",
        "broken_parquet",
    }
    golden("ingest/check_structural.txt", report.render())


def test_content_faults_are_counted_by_table_column_and_rule(raw: Path, golden: Golden) -> None:
    rewrite(
        raw,
        "engagement",
        [
            act("e1"),
            act("e1"),
            act("e1"),
            act("e2", viewer_id="nobody"),
            act("e3", viewer_id=None),
            act("e4", surface="billboard"),
            act("e5", surface="moon"),
            act("e6", watch_ms=-1),
            act("e7", ingested_at=datetime(2026, 3, 2, 11)),
            act("e8", ingested_at=datetime(2026, 3, 3)),
        ],
    )
    report = check(raw)
    assert report.exit_code == 1
    assert {(finding.column, finding.rule): finding.row_count for finding in report.findings} == {
        ("viewer_id", "null"): 1,
        ("surface", "value_not_allowed"): 2,
        ("watch_ms", "out_of_range"): 1,
        ("ingested_at", "ingested_before_occurred"): 1,
        ("ingested_at", "ingested_after_record"): 1,
        ("engagement_id", "duplicate_key"): 2,
        ("viewer_id", "missing_reference"): 1,
    }
    golden("ingest/check_content.txt", report.render())


def test_every_finding_names_its_table_and_says_what_to_do(raw: Path) -> None:
    rewrite(raw, "accounts", [account("v1"), account("v1", account_kind="robot")])
    (raw / "orders" / "part-0.parquet").unlink()
    for finding in check(raw).findings:
        assert finding.table in finding.text
        assert finding.column in finding.text
        assert finding.text.count(".") >= 2, "a finding is a problem and a remedy"


def test_a_missing_folder_is_one_structural_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Golden
) -> None:
    monkeypatch.chdir(tmp_path)
    report = check(Path("nowhere"))
    assert only_finding(report).rule == "raw_set_record"
    assert report.exit_code == 2
    golden("ingest/check_no_folder.txt", report.render())


def test_a_missing_record_is_structural_and_the_tables_are_still_read(raw: Path, golden: Golden) -> None:
    (raw / "raw_set.json").unlink()
    report = check(raw)
    assert only_finding(report).rule == "raw_set_record"
    assert sum(report.row_counts.values()) == 6
    golden("ingest/check_no_record.txt", report.render())


def test_an_undeclared_missing_table_is_structural(raw: Path) -> None:
    (raw / "engagement" / "part-0.parquet").unlink()
    finding = only_finding(check(raw))
    assert (finding.table, finding.rule, finding.is_structural) == ("engagement", "missing_table", True)


def test_bytes_changed_inside_a_file_are_a_broken_parquet(raw: Path) -> None:
    path = raw / "engagement" / "part-0.parquet"
    content = bytearray(path.read_bytes())
    content[4:400] = b"\xff" * 396
    path.write_bytes(bytes(content))
    finding = only_finding(check(raw))
    assert (finding.table, finding.rule) == ("engagement", "broken_parquet")


def test_not_a_number_is_out_of_range_even_without_an_upper_bound(raw: Path) -> None:
    rewrite(raw, "content_counters", [counters("k1", like_count=float("nan"), share_count=float("inf"))])
    assert {finding.column for finding in check(raw).findings} == {"like_count", "share_count"}


def test_only_tables_known_ahead_may_be_ingested_before_they_occur(raw: Path) -> None:
    early = {"occurred_at": LATER, "ingested_at": NOON}
    rewrite(raw, "policy_versions", [{"policy_id": "p", "policy_version": 1, "change_note": "first", **early}])
    record = RawSet.read(raw)
    absent = {name: reason for name, reason in record.absent.items() if name != "policy_versions"}
    RawSet("set-1", "test", LATER, absent).write(raw)
    assert check(raw).is_clean
    rewrite(raw, "accounts", [account("v1", **early), account("c1", account_kind="creator")])
    assert only_finding(check(raw)).rule == "ingested_before_occurred"


def test_a_key_of_several_columns_repeats_only_if_all_of_them_do(raw: Path) -> None:
    follow = {"follower_id": "v1", "creator_id": "c1", "action": "follow", "ingested_at": LATER}
    absent = {name: reason for name, reason in RawSet.read(raw).absent.items() if name != "follows"}
    RawSet("set-1", "test", LATER, absent).write(raw)
    rewrite(raw, "follows", [follow | {"occurred_at": NOON}, follow | {"occurred_at": LATER}])
    assert check(raw).is_clean
    rewrite(raw, "follows", [follow | {"occurred_at": NOON}, follow | {"occurred_at": NOON}])
    finding = only_finding(check(raw))
    assert (finding.rule, finding.row_count) == ("duplicate_key", 1)


def test_rows_in_several_files_of_a_table_are_one_table(raw: Path) -> None:
    schema = arrow_schema(TABLES[TableName("accounts")])
    pq.write_table(pa.Table.from_pylist([account("v1")], schema=schema), raw / "accounts" / "part-1.parquet")
    finding = only_finding(check(raw))
    assert (finding.rule, finding.row_count) == ("duplicate_key", 1)
    assert check(raw).row_counts["accounts"] == 3


def test_quarantine_and_truth_are_not_tables(raw: Path) -> None:
    for name in ("quarantine", "truth"):
        (raw / name).mkdir()
        pq.write_table(pa.table({"a": [1]}), raw / name / "part-0.parquet")
    assert check(raw).is_clean


def test_a_long_report_shows_25_findings_and_counts_the_rest() -> None:
    finding = Finding("content", "", "missing_table", None, True, "content: no file. Write it.")
    text = CheckReport(Path("raw"), "set-1", {}, (finding,) * 28).render()
    assert text.count("missing_table") == 25
    assert text.endswith("and 3 more\n")
    assert max(map(len, text.splitlines())) <= 120


def test_the_json_report_holds_every_finding(raw: Path) -> None:
    rewrite(raw, "content", [])
    document = json.loads(check(raw).to_json())
    assert document["is_clean"] is False
    assert document["row_counts"]["content"] == 0
    assert {finding["rule"] for finding in document["findings"]} == {"missing_reference"}
    assert set(document["findings"][0]) == {"table", "column", "rule", "row_count", "is_structural", "text"}


def test_an_empty_table_written_by_the_core_keeps_the_contract(raw: Path) -> None:
    for name, table in TABLES.items():
        if name not in FILLED:
            write_table(raw, table, pa.table({}))
    assert check(raw).is_clean


# docs/raw.md lists every table; the list is made from contract.yml here, and never by hand.

START, END = "<!-- tables: made from contract.yml -->\n", "<!-- end of tables -->\n"


def describe_tables() -> str:
    return "\n".join(describe_table(table) for table in TABLES.values())


def describe_table(table: Table) -> str:
    lines = [f"### {table.name}", "", table.about, "", f"Key: {', '.join(f'`{part}`' for part in table.key)}."]
    if table.known_ahead:
        lines[-1] += " Rows may be ingested before they occur."
    lines += ["", "| column | type | null | allowed |", "|---|---|---|---|"]
    lines += [describe_column(column) for column in table.columns]
    return "\n".join([*lines, ""])


def describe_column(column: Column) -> str:
    allowed = ", ".join(column.values)
    if column.reference:
        allowed = f"a value of {column.reference.table}.{column.reference.column}"
    if column.low is not None or column.high is not None:
        high = "" if column.high is None else f" to {column.high:g}"
        allowed = f"{column.low:g}{high or ' or more'}"
    return f"| `{column.name}` | {column.duckdb_type} | {'yes' if column.is_nullable else ''} | {allowed} |"


def test_the_page_on_raw_sets_lists_the_contract_as_it_is(project: Path) -> None:
    page = project / "docs" / "raw.md"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(START)
    tables, after = rest.split(END)
    if os.environ.get("GNOMON_REGENERATE") == "1":
        tables = describe_tables()
        page.write_text(before + START + tables + END + after, encoding="utf-8")
    assert tables == describe_tables(), "GNOMON_REGENERATE=1 writes the list again"


def test_the_record_shown_on_the_page_is_one_that_can_be_read(project: Path, tmp_path: Path) -> None:
    text = (project / "docs" / "raw.md").read_text(encoding="utf-8")
    example = text.split("```json\n")[1].split("```")[0]
    (tmp_path / "raw_set.json").write_text(example, encoding="utf-8")
    assert RawSet.read(tmp_path).raw_set_id == "mylog-3f1c8a9b2d4e"


def test_every_rule_of_the_check_is_on_the_page(project: Path) -> None:
    text = (project / "docs" / "raw.md").read_text(encoding="utf-8")
    folder = project / "py" / "gnomon" / "ingest"
    rules = {
        "raw_set_record", "unknown_table", "missing_table", "broken_parquet", "missing_column", "unknown_column",
        "wrong_type", "absent_with_rows", "null", "value_not_allowed", "out_of_range", "ingested_before_occurred",
        "ingested_after_record", "duplicate_key", "missing_reference", "stray_file", "unreadable_id",
        "unreadable_text", "impossible_moment", "moment_after_record",
    }  # fmt: skip
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    assert {rule for rule in rules if f'"{rule}"' not in code} == set()
    assert {rule for rule in rules if f"`{rule}`" not in text} == set()
