"""Hold a raw set against the contract: structure first, then what the rows say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.core.contract import Table, read_contract
from gnomon.core.errors import explain_unknown
from gnomon.core.names import TableName
from gnomon.core.raw_set import RECORD_NAME, RawSet
from gnomon.ingest.layout import find_strays
from gnomon.ingest.record import inspect_record
from gnomon.ingest.report import CheckReport, Finding

if TYPE_CHECKING:
    import duckdb


def check(folder: Path) -> CheckReport:
    """Return what is wrong with the raw set in `folder`; nothing is raised for a bad set.

    Every table that can be read is read, all faults are collected, and rows are counted per
    table, column and rule. Rules on rows run on tables without a structural fault only.
    """
    return _inspect(folder, with_rows=True)


def check_structure(folder: Path) -> CheckReport:
    """Return the structural faults that show without reading every row; no rule on rows is asked."""
    return _inspect(folder, with_rows=False)


def _inspect(folder: Path, with_rows: bool) -> CheckReport:
    import duckdb

    from gnomon.ingest import content_rules

    contract = read_contract()
    record, findings = inspect_record(folder)
    if not folder.is_dir():
        return CheckReport(folder, None, {}, tuple(findings))
    findings += find_strays(folder, contract.tables)
    row_counts: dict[str, int] = {}
    sound: list[Table] = []
    with duckdb.connect(":memory:") as connection:
        for table in contract.tables.values():
            faults = _check_structure(connection, folder, table, record)
            findings += faults
            if not faults and _find_files(folder, table):
                sound.append(table)
        for table in sound:
            files = [str(path) for path in _find_files(folder, table)]
            connection.read_parquet(files, union_by_name=True, hive_partitioning=False).create_view(table.name)
        newest = record.newest_ingested_at if record else None
        names: set[str] = {table.name for table in sound}
        for table in sound:
            try:
                row_counts[table.name] = content_rules.count_rows(connection, table)
                if with_rows:
                    findings += content_rules.check_table(connection, table, names, newest)
            except duckdb.Error as error:
                findings.append(report_broken(table.name, folder / table.name, error))
        findings += _find_rows_of_absent(record, row_counts)
    findings.sort(key=lambda finding: not finding.is_structural)
    return CheckReport(folder, record.raw_set_id if record else None, row_counts, tuple(findings))


def _check_structure(
    connection: duckdb.DuckDBPyConnection, folder: Path, table: Table, record: RawSet | None
) -> list[Finding]:
    files = _find_files(folder, table)
    if not files:
        return _explain_missing(table, record)
    findings: dict[Finding, None] = {}
    for path in files:
        findings.update(dict.fromkeys(_check_file(connection, path, table)))
    return list(findings)


def _find_files(folder: Path, table: Table) -> list[Path]:
    return sorted((folder / table.name).glob("*.parquet"))


def _explain_missing(table: Table, record: RawSet | None) -> list[Finding]:
    if record is None:
        return []
    if table.name in record.absent:
        text = (
            f"{table.name}: declared absent, but {table.name}/ has no Parquet file. Write an empty one with the "
            "contract's columns: models read every table."
        )
    else:
        text = (
            f"{table.name}: no {table.name}/*.parquet, and {RECORD_NAME} does not declare it absent. "
            "Write the table, or declare it absent with the reason and write an empty file."
        )
    return [_fault(table.name, "", "missing_table", text)]


def _check_file(connection: duckdb.DuckDBPyConnection, path: Path, table: Table) -> list[Finding]:
    import duckdb

    try:
        relation = connection.read_parquet(str(path), hive_partitioning=False)
    except duckdb.Error as error:
        return [report_broken(table.name, path, error)]
    types = dict(zip(relation.columns, map(str, relation.types), strict=True))
    allowed = {column.name: column for column in table.columns}
    findings = [
        _fault(
            table.name,
            name,
            "missing_column",
            f"{table.name}.{name}: the column is missing in {path.name}. Add it as {column.duckdb_type}"
            + (", null where unknown." if column.is_nullable else "; it may not be null."),
        )
        for name, column in allowed.items()
        if name not in types
    ]
    for name, duckdb_type in types.items():
        if name not in allowed:
            text = f"{table.name}: {explain_unknown('column', name, allowed)} Rename or remove it in {path.name}."
            findings.append(_fault(table.name, name, "unknown_column", text))
        elif duckdb_type != allowed[name].duckdb_type:
            text = (
                f"{table.name}.{name}: is {duckdb_type} in {path.name}, the contract says "
                f"{allowed[name].duckdb_type}. Cast it when the file is written."
            )
            findings.append(_fault(table.name, name, "wrong_type", text))
    return findings


def _find_rows_of_absent(record: RawSet | None, row_counts: dict[str, int]) -> list[Finding]:
    return [
        Finding(
            table=name,
            column="",
            rule="absent_with_rows",
            row_count=row_counts[name],
            is_structural=True,
            text=f"{name}: declared absent, but its row count is {row_counts[name]:,}. Take it out of 'absent' in "
            f"{RECORD_NAME}, or empty the table.",
        )
        for name in (record.absent if record else {})
        if row_counts.get(name)
    ]


def report_broken(table: TableName, path: Path, error: Exception) -> Finding:
    """Return the structural finding that `path`, a file or the folder of `table`, cannot be read."""
    # DuckDB repeats the path and adds advice on later lines; the person needs the cause.
    cause = str(error).splitlines()[0].replace(str(path), path.name)
    text = f"{table}: {path.name} cannot be read: {cause.rstrip('.')}. Write or fetch the file again."
    return _fault(table, "", "broken_parquet", text)


def _fault(table: str, column: str, rule: str, text: str) -> Finding:
    return Finding(table, column, rule, row_count=None, is_structural=True, text=text)
