"""The door: every corruption is refused or put into quarantine with its reason, and no row is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gnomon.core.contract import read_contract
from gnomon.core.errors import WarehouseError
from gnomon.core.names import TableName
from gnomon.core.raw_set import RawSet, arrow_schema
from gnomon.ingest import Decision, Verdict, check, convert, validate
from gnomon.ingest.expectations import Policy
from gnomon.ingest.second_reader import Reading, find_differences, read_again
from gnomon.ingest.sifting import REASON_COLUMN, Sifted
from gnomon.ingest.validate import SecondReader

NOON = datetime(2026, 3, 2, 12)
LATER = datetime(2026, 3, 2, 13)
TABLES = read_contract().tables
PRESENT = ("accounts", "content", "engagement", "sellers", "products", "user_reports", "content_counters")
VIEWS = 400
Rows = dict[str, list[dict[str, Any]]]
Corruption = Callable[[Path], None]


def moments(**changes: Any) -> dict[str, Any]:
    return {"occurred_at": NOON, "ingested_at": LATER, **changes}


def view(number: int | str, **changes: Any) -> dict[str, Any]:
    row = {
        "engagement_id": f"e{number}", "viewer_id": "v1", "content_id": "k1", "event_type": "view",
        "surface": "feed", "watch_ms": 900, "is_ad": False, "is_owner": False,
    }  # fmt: skip
    return row | moments(**changes)


def rows_of_a_clean_set() -> Rows:
    counters = [column.name for column in TABLES[TableName("content_counters")].columns if "_count" in column.name]
    report = {"user_report_id": "r1", "reporter_id": "v1", "target_type": "content", "target_id": "k1"}
    return {
        "accounts": [{"account_id": name, "account_kind": "viewer", **moments()} for name in ("v1", "v2", "c1")],
        "content": [
            {"content_id": name, "creator_id": "c1", "content_kind": "video", **moments()} for name in ("k1", "k2")
        ],
        "engagement": [view(number) for number in range(VIEWS)],
        "sellers": [{"seller_id": "s1", "region": "east", **moments()}],
        "products": [
            {"product_id": "p1", "seller_id": "s1", "category": "a", "currency": "USD", "price_amount": 5, **moments()}
        ],
        "user_reports": [{**report, "reason": "spam", **moments()}],
        "content_counters": [{"content_id": "k1", **dict.fromkeys(counters, 1), **moments()}],
    }


def write_set(folder: Path, rows: Mapping[str, list[dict[str, Any]]], newest: datetime = LATER) -> Path:
    for name in TABLES:
        (folder / name).mkdir(parents=True)
        write_rows(folder, name, rows.get(name, []))
    absent = {name: "not in this test" for name in TABLES if name not in PRESENT}
    RawSet("set-1", "test", newest, absent).write(folder)
    return folder


def write_rows(folder: Path, table: str, rows: list[dict[str, Any]]) -> None:
    schema = arrow_schema(TABLES[TableName(table)])
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / table / "part-0.parquet")


def read_rows(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def agree(connection: object, sifted: Mapping[TableName, Sifted], *_: object) -> dict[TableName, tuple[Reading, ...]]:
    """Stand in for the suites' process, which takes seconds: it counts as DuckDB does."""
    return {
        name: tuple(
            Reading(rule.name, rule.column, "", not count, count, None)
            for rule, count in zip(part.rules, part.broken_counts, strict=True)
        )
        for name, part in sifted.items()
    }


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return write_set(tmp_path / "raw", rows_of_a_clean_set())


def judge(raw: Path, **options: Any) -> Verdict:
    options = {"out": raw.parent / "out", "history": raw.parent / "history", "second_reader": agree} | options
    return validate(raw, **options)


def broken_rules(verdict: Verdict) -> set[tuple[str, str, int | None]]:
    return {(finding.table, finding.rule, finding.row_count) for finding in verdict.findings}


def assert_no_row_is_lost(raw: Path, out: Path) -> None:
    for name in TABLES:
        read = sum(pq.read_metadata(path).num_rows for path in (raw / name).glob("*.parquet"))
        passed = pq.read_metadata(out / name / "part-0.parquet").num_rows
        kept = sum(pq.read_metadata(path).num_rows for path in (out / "quarantine" / name).glob("*.parquet"))
        assert read == passed + kept, name


def test_a_clean_batch_passes_whole_with_its_identity(raw: Path) -> None:
    verdict = judge(raw)
    out = raw.parent / "out"
    assert (verdict.decision, verdict.exit_code, verdict.out) == (Decision.CLEAN, 0, out)
    assert RawSet.read(out) == RawSet.read(raw)
    assert check(out).is_clean
    assert read_rows(out / "engagement") == read_rows(raw / "engagement")
    assert not (out / "quarantine").exists()


# Rows that replace or join the 400 views; each breaks one rule, in one row of its table.
BAD_VIEWS: dict[str, tuple[dict[str, Any], str]] = {
    "a null": (view("x", viewer_id=None), "null"),
    "an unknown value": (view("x", surface="billboard"), "value_not_allowed"),
    "a negative count": (view("x", watch_ms=-1), "out_of_range"),
    "an absurd size": (view("x", watch_ms=10**12), "watch_within_a_day"),
    "a repeated key": (view(7), "duplicate_key"),
    "a broken reference": (view("x", content_id="nothing"), "missing_reference"),
    "a future date": (view("x", occurred_at=datetime(2099, 1, 1)), "ingested_before_occurred"),
    "ingested after the record": (view("x", ingested_at=datetime(2026, 3, 3)), "ingested_after_record"),
}


def test_each_bad_row_goes_to_quarantine_with_its_reason_and_place(raw: Path) -> None:
    bad = [row if rule == "duplicate_key" else row | {"engagement_id": rule} for row, rule in BAD_VIEWS.values()]
    write_rows(raw, "engagement", [view(number) for number in range(2 * VIEWS)] + bad)
    verdict = judge(raw)
    out = raw.parent / "out"
    assert (verdict.decision, verdict.exit_code) == (Decision.FINDINGS, 1)
    assert broken_rules(verdict) == {("engagement", rule, 1) for _, rule in BAD_VIEWS.values()}
    kept = read_rows(out / "quarantine" / "engagement")
    assert [row[REASON_COLUMN].split(":")[0] for row in kept] == [rule for _, rule in BAD_VIEWS.values()]
    assert [row["engagement_id"] for row in kept] == [row["engagement_id"] for row in bad]
    assert [(row["source_file"], row["source_row"]) for row in kept] == [
        ("part-0.parquet", 2 * VIEWS + number) for number in range(len(bad))
    ]
    assert check(out).is_clean
    assert_no_row_is_lost(raw, out)


@pytest.mark.parametrize(("row", "rule"), [BAD_VIEWS["a negative count"], BAD_VIEWS["a repeated key"]])
def test_over_its_limit_the_batch_is_refused_whole(raw: Path, row: dict[str, Any], rule: str) -> None:
    # 5 of 405 rows are more than 1 %.
    bad = [row if rule == "duplicate_key" else row | {"engagement_id": f"x{number}"} for number in range(5)]
    write_rows(raw, "engagement", [*rows_of_a_clean_set()["engagement"], *bad])
    verdict = judge(raw)
    assert (verdict.decision, verdict.exit_code, verdict.out) == (Decision.REFUSED, 2, None)
    assert "engagement: 5 of 405 rows fail (1.23%); the limit is 1.00%." in verdict.render()
    assert sorted(path.name for path in raw.parent.iterdir()) == ["raw"]


def test_exactly_at_its_limit_a_batch_passes(raw: Path) -> None:
    bad = [view(f"x{number}", watch_ms=-1) for number in range(4)]
    write_rows(raw, "engagement", [*rows_of_a_clean_set()["engagement"][:396], *bad])
    assert judge(raw).decision is Decision.FINDINGS


def rewrite(change: Callable[[pa.Table], pa.Table]) -> Corruption:
    def corrupt(raw: Path) -> None:
        path = raw / "engagement" / "part-0.parquet"
        pq.write_table(change(pq.read_table(path)), path)

    return corrupt


def cut(raw: Path) -> None:
    path = raw / "engagement" / "part-0.parquet"
    path.write_bytes(path.read_bytes()[:-40])


def encode_wrongly(raw: Path) -> None:
    path = raw / "sellers" / "part-0.parquet"
    table = pq.read_table(path)
    latin = pa.array(["caf\xe9".encode("latin-1")], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 1, latin.buffers())
    pq.write_table(table.set_column(1, "region", text), path)


def copy_file(raw: Path) -> None:
    source = raw / "engagement" / "part-0.parquet"
    source.with_name("part-1.parquet").write_bytes(source.read_bytes())


REFUSED: dict[str, tuple[Corruption, str]] = {
    "a truncated file": (cut, "broken_parquet"),
    "a wrong encoding": (encode_wrongly, "broken_parquet"),
    "a missing column": (rewrite(lambda table: table.drop(["surface"])), "missing_column"),
    "an extra column": (rewrite(lambda table: table.append_column("x", pa.nulls(VIEWS, pa.int64()))), "unknown_column"),
    "a wrong type": (
        rewrite(lambda table: table.set_column(6, "watch_ms", table["watch_ms"].cast(pa.string()))), "wrong_type",
    ),
    "a file twice": (copy_file, "duplicate_key"),
    "a missing table": (lambda raw: (raw / "content" / "part-0.parquet").unlink(), "missing_table"),
    "no record": (lambda raw: (raw / "raw_set.json").unlink(), "raw_set_record"),
}  # fmt: skip


@pytest.mark.parametrize(("corrupt", "rule"), REFUSED.values(), ids=REFUSED)
def test_a_batch_that_cannot_be_trusted_is_refused_and_writes_nothing(
    raw: Path, corrupt: Corruption, rule: str
) -> None:
    corrupt(raw)
    verdict = judge(raw)
    assert (verdict.decision, verdict.exit_code) == (Decision.REFUSED, 2)
    assert rule in {finding.rule for finding in verdict.findings}
    assert sorted(path.name for path in raw.parent.iterdir()) == ["raw"]


def test_rows_whose_parent_is_in_quarantine_go_there_too(raw: Path) -> None:
    rows = rows_of_a_clean_set()
    rows["content"] += [{"content_id": f"k{n}", "creator_id": "c1", "content_kind": "video", **moments()}
                        for n in range(3, 303)]  # fmt: skip
    rows["content"][1]["content_kind"] = "painting"
    write_rows(raw, "content", rows["content"])
    write_rows(raw, "engagement", [*rows["engagement"], view("x", content_id="k2")])
    verdict = judge(raw)
    assert broken_rules(verdict) == {("content", "value_not_allowed", 1), ("engagement", "quarantined_reference", 1)}
    assert check(raw.parent / "out").is_clean
    assert_no_row_is_lost(raw, raw.parent / "out")


def test_versions_of_a_fact_pass_and_one_that_moves_it_does_not(raw: Path) -> None:
    older = view(7, watch_ms=1, ingested_at=LATER - timedelta(minutes=2))
    moved = view(7, watch_ms=2, occurred_at=NOON + timedelta(minutes=1), ingested_at=LATER - timedelta(minutes=1))
    write_rows(raw, "engagement", [*rows_of_a_clean_set()["engagement"], older, moved])
    judge(raw)
    (kept,) = read_rows(raw.parent / "out" / "quarantine" / "engagement")
    assert (kept["watch_ms"], kept[REASON_COLUMN]) == (2, "moved_version: occurred_at")
    passed = [row for row in read_rows(raw.parent / "out" / "engagement") if row["engagement_id"] == "e7"]
    assert {row["ingested_at"] for row in passed} == {older["ingested_at"], LATER}
    assert check(raw.parent / "out").is_clean


def test_a_table_with_a_column_named_reason_keeps_both_reasons(raw: Path, tmp_path: Path) -> None:
    report = rows_of_a_clean_set()["user_reports"][0]
    write_rows(raw, "user_reports", [report | {"user_report_id": f"r{n}"} for n in range(200)]
               + [report | {"user_report_id": "x", "target_id": None}])  # fmt: skip
    judge(raw)
    (kept,) = read_rows(raw.parent / "out" / "quarantine" / "user_reports")
    assert (kept["reason"], kept[REASON_COLUMN]) == ("spam", "null: target_id")


def test_not_a_number_is_caught_and_a_price_is_judged_by_its_currency(raw: Path) -> None:
    rows = rows_of_a_clean_set()
    write_rows(raw, "content_counters", [rows["content_counters"][0] | {"like_count": float("nan")}])
    price = {"price_amount": 300_000}
    write_rows(raw, "products", [rows["products"][0] | {"product_id": f"p{currency}", "currency": currency, **price}
                                 for currency in ("USD", "IDR", "XXX")])  # fmt: skip
    assert broken_rules(judge(raw)) >= {
        ("content_counters", "out_of_range", 1), ("products", "product_price_plausible", 2),
    }  # fmt: skip


def test_without_out_or_on_a_dry_run_nothing_is_written(raw: Path) -> None:
    before = sorted(raw.parent.rglob("*"))
    assert judge(raw, out=None).out is None
    assert judge(raw, dry_run=True, docs=raw.parent / "docs").out is None
    assert sorted(raw.parent.rglob("*")) == before


def test_a_folder_that_is_taken_or_inside_the_batch_is_refused_before_any_work(raw: Path) -> None:
    with pytest.raises(WarehouseError, match="inside the batch"):
        judge(raw, out=raw / "clean")
    taken = raw.parent / "out"
    taken.mkdir()
    (taken / "mine.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(WarehouseError, match="not empty"):
        judge(raw)
    assert (taken / "mine.txt").read_text(encoding="utf-8") == "kept"


def test_a_count_on_which_the_readers_differ_stops_the_batch() -> None:
    table = TABLES[TableName("sellers")]
    from gnomon.ingest.content_rules import list_rules

    rules = list_rules(table)
    sifted = {table.name: Sifted(table, rules, 10, 9, (1, *[0] * (len(rules) - 1)))}
    readings = agree(None, sifted)
    assert list(find_differences(sifted, readings)) == []
    first, *rest = readings[table.name]
    wrong = Reading(first.rule, first.column, "", False, 2, None)
    (text,) = find_differences(sifted, {table.name: (wrong, *rest)})
    assert "DuckDB counts 1 rows that break null, Great Expectations 2" in text
    (text,) = find_differences(sifted, {table.name: tuple(rest)})
    assert "no suite has the rule null" in text


def test_the_real_log_passes_clean(real_log: Path, tmp_path: Path) -> None:
    convert(real_log, tmp_path / "raw", hash_key="a-key-of-the-tests-only")
    verdict = judge(tmp_path / "raw", out=None)
    assert (verdict.decision, verdict.findings) == (Decision.CLEAN, ())
    assert sum(table.row_count for table in verdict.tables) > 200_000


# The suites themselves: one run of the other process for the tests below.


def run_suites(raw: Path, folder: Path) -> Verdict:
    return validate(raw, out=folder / "out", docs=folder / "docs", history=folder / "history")


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Verdict, Path]:
    """A batch with one bad row of each kind among enough good ones, read by both readers."""
    folder = tmp_path_factory.mktemp("dirty")
    rows = rows_of_a_clean_set()
    bad = [row if rule == "duplicate_key" else row | {"engagement_id": f"x{number}"}
           for number, (row, rule) in enumerate(BAD_VIEWS.values())]  # fmt: skip
    rows["engagement"] = [view(number) for number in range(2 * VIEWS)] + bad
    return run_suites(write_set(folder / "raw", rows), folder), folder


def test_the_suites_count_what_duckdb_counts(dirty: tuple[Verdict, Path]) -> None:
    verdict, folder = dirty
    assert verdict.decision is Decision.FINDINGS
    assert broken_rules(verdict) == {("engagement", rule, 1) for _, rule in BAD_VIEWS.values()}
    assert verdict.expectation_count > 500
    assert_no_row_is_lost(folder / "raw", folder / "out")


def test_data_docs_load_nothing_from_elsewhere(dirty: tuple[Verdict, Path]) -> None:
    _, folder = dirty
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (folder / "docs").glob("*.html")}
    assert set(pages) == {"index", *TABLES}
    outside = re.compile(r"<(?:script|link|img|iframe)\b|url\(\s*['\"]?https?:", re.IGNORECASE)
    assert [name for name, page in pages.items() if outside.search(page)] == []
    for page in pages.values():
        for link in re.findall(r'href="([^"#]+)"', page):
            assert (folder / "docs" / link).is_file(), link
    assert "billboard" in pages["engagement"]
    assert "nothing" not in re.sub(r"<style>.*?</style>", "", pages["engagement"], flags=re.DOTALL)


def test_the_json_verdict_holds_tables_limits_and_findings(dirty: tuple[Verdict, Path]) -> None:
    document = json.loads(dirty[0].to_json())
    table = next(table for table in document["tables"] if table["table"] == "engagement")
    # Eight bad rows of 808, which is within the limit of one in a hundred.
    assert (table["row_count"], table["passed"], table["quarantined"], table["is_over"]) == (808, 800, 8, False)
    assert document["decision"] == "findings"
    assert {finding["rule"] for finding in document["findings"]} == {rule for _, rule in BAD_VIEWS.values()}


@pytest.mark.parametrize(
    "second_reader", [agree, pytest.param(read_again, marks=pytest.mark.nightly)], ids=["one reader", "both readers"]
)
def test_the_sample_passes_clean(project: Path, tmp_path: Path, second_reader: SecondReader) -> None:
    verdict = validate(
        project / "data" / "sample", out=tmp_path / "out", history=tmp_path / "history", second_reader=second_reader
    )
    assert (verdict.decision, verdict.findings) == (Decision.CLEAN, ())
    (total,) = duckdb.execute(
        "select count(*) from read_parquet(?)", [str(tmp_path / "out" / "engagement" / "*.parquet")]
    ).fetchone() or (0,)
    assert total == pq.read_metadata(project / "data" / "sample" / "engagement" / "part-0.parquet").num_rows


def test_the_second_reader_gets_the_policy(raw: Path) -> None:
    seen: list[Policy] = []

    def look(connection: Any, sifted: Any, policy: Policy, *rest: Any) -> Any:
        seen.append(policy)
        return agree(connection, sifted)

    judge(raw, second_reader=look)
    assert len(seen[0].expectations) > 10
