"""The door of the warehouse: a batch passes, passes without its bad rows, or is refused whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.core.contract import read_contract
from gnomon.core.errors import WarehouseError
from gnomon.core.names import TableName
from gnomon.core.raw_set import RawSet, check_vacant, make_folder
from gnomon.ingest.check import check, check_structure, report_broken
from gnomon.ingest.clock import judge_clock
from gnomon.ingest.content_rules import report_rule
from gnomon.ingest.expectations import DEFAULT_FILE, Policy, read_policy
from gnomon.ingest.history import HistoryReport, append_history, compare, read_history
from gnomon.ingest.profiling import profile_batch
from gnomon.ingest.report import CheckReport, Finding
from gnomon.ingest.second_reader import Reading, read_again
from gnomon.ingest.sifting import Sifted, UnreadableTableError, sift, write_rows
from gnomon.ingest.verdict import Decision, TableVerdict, Verdict

if TYPE_CHECKING:
    import duckdb

DEFAULT_HISTORY = Path("target/history")
SecondReader = Callable[
    ["duckdb.DuckDBPyConnection", Mapping[TableName, Sifted], Policy, Path, Path | None, str],
    Mapping[TableName, tuple[Reading, ...]],
]


def validate(
    folder: Path,
    *,
    out: Path | None = None,
    docs: Path | None = None,
    history: Path = DEFAULT_HISTORY,
    expectations: Path | None = None,
    dry_run: bool = False,
    second_reader: SecondReader = read_again,
) -> Verdict:
    """Judge the raw set in `folder`; write its good rows to `out` and the others to OUT/quarantine.

    Without `out`, and on a dry run, the batch is judged only: nothing is written but `docs`, and on
    a dry run not even that. A refused batch writes no `out` and no history. `folder` is never
    changed. Raises DefinitionError for bad expectations, WarehouseError if `out` or `docs` is not
    vacant or the two readers count differently. `second_reader` runs the suites.
    """
    policy = read_policy(expectations or DEFAULT_FILE)
    for place in (out, docs):
        if place is not None:
            check_vacant(place)
            _check_apart(place, folder)
    structure = check_structure(folder)
    if structure.exit_code == 2:
        return _refuse_structure(structure)
    with tempfile.TemporaryDirectory(prefix="gnomon-door-") as name:
        try:
            return _validate_rows(folder, Path(name), policy, out, docs, history, dry_run, second_reader)
        except UnreadableTableError as broken:
            finding = report_broken(broken.table, folder / broken.table, broken.error)
            return _refuse_structure(replace(structure, findings=(finding,)))


def _validate_rows(
    folder: Path,
    scratch: Path,
    policy: Policy,
    out: Path | None,
    docs: Path | None,
    history: Path,
    dry_run: bool,
    second_reader: SecondReader,
) -> Verdict:
    import duckdb

    record = RawSet.read(folder)
    # A database in a file: what does not fit into memory goes to disk.
    with duckdb.connect(str(scratch / "door.duckdb")) as connection:
        # One transaction that never ends: the file is thrown away, and nothing waits for a disk to be safe.
        connection.begin()
        sifted = sift(connection, folder, read_contract(), policy, record.newest_ingested_at)
        clock = tuple(judge_clock(connection, record, sifted))
        pages = scratch / "docs" if docs and not dry_run else None
        readings = second_reader(connection, sifted, policy, scratch, pages, f"Data Docs of {record.raw_set_id}")
        profile = profile_batch(connection, record, sifted, policy.history.settled_after_days)
        earlier = read_history(history, record.source, policy.history.settled_after_days)
        # A clock that is refused settles days that no row is of, and may be thousands of years ahead.
        past = HistoryReport((), 0, 0, len(earlier)) if clock else compare(profile, earlier, policy.history)
        verdict = Verdict(
            folder=folder,
            raw_set_id=record.raw_set_id,
            tables=tuple(
                TableVerdict(name, part.row_count, part.passed, part.quarantined, policy.find_limit(name))
                for name, part in sifted.items()
            ),
            findings=(*clock, *_list_findings(sifted), *past.findings),
            expectation_count=sum(map(len, readings.values())),
            earlier_batches=past.earlier_batches,
            judged=past.judged,
            unjudged=past.unjudged,
        )
        if pages and docs:
            with make_folder(docs) as partial:
                shutil.copytree(pages, partial, dirs_exist_ok=True)
            verdict = replace(verdict, docs=docs)
        if out is None or dry_run or verdict.decision is Decision.REFUSED:
            return verdict
        with make_folder(out) as partial:
            write_rows(connection, sifted, partial)
            record.write(partial)
            _check_written(partial)
        append_history(history, profile)
        return replace(verdict, out=out)


def _list_findings(sifted: Mapping[TableName, Sifted]) -> list[Finding]:
    return [
        report_rule(part.table, rule, count)
        for part in sifted.values()
        for rule, count in zip(part.rules, part.broken_counts, strict=True)
        if count
    ]


def _refuse_structure(report: CheckReport) -> Verdict:
    """A structure that cannot be read refuses the batch before any row is sifted."""
    return Verdict(
        folder=report.folder,
        raw_set_id=report.raw_set_id,
        tables=(),
        findings=report.findings,
        expectation_count=0,
        earlier_batches=0,
        judged=0,
        unjudged=0,
    )


def _check_written(folder: Path) -> None:
    """What leaves the door keeps the contract, as its own check reads it from the files written."""
    report = check(folder)
    if not report.is_clean:
        raise WarehouseError(
            f"the rows that passed break the contract: {report.findings[0].text} Nothing was written; this is a "
            "fault of Gnomon, please report it."
        )


def _check_apart(place: Path, folder: Path) -> None:
    """A folder inside the batch would be read as a part of it the next time."""
    if place.absolute().resolve().is_relative_to(folder.absolute().resolve()):
        raise WarehouseError(f"{place}: is inside the batch {folder}. Name a folder outside of it.")
