"""What lies in a raw set's folder besides the files that models read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from gnomon.core.errors import explain_unknown
from gnomon.ingest.quarantine import FOLDER_NAME as QUARANTINE
from gnomon.ingest.report import Finding

# Folders that stand beside the tables of a raw set and are not tables.
NOT_TABLES = (QUARANTINE, "truth")
_SUFFIX = ".parquet"
# DuckDB reads these characters of a path as a pattern, and would read other files instead.
_PATTERN = re.compile(r"[*?\[\]]")


def find_strays(folder: Path, tables: Collection[str]) -> Iterator[Finding]:
    """Yield a structural finding for each folder and file of rows that no model would read as a table.

    Models read TABLE/*.parquet and nothing deeper. Files without rows may lie beside the tables,
    and files whose names begin with `.` or `_` may lie in them, as writers leave marks there.
    """
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name in tables:
            yield from _find_in_table(path)
        elif path.is_dir() and path.name not in NOT_TABLES and any(map(_has_rows, path.rglob("*"))):
            text = f"{explain_unknown('table', path.name, tables)} Rename or remove {path.name}/."
            yield _report(path.name, "unknown_table", text)
        elif _has_rows(path) and not path.is_dir():
            text = f"{path.name}: stands beside the tables, where no model reads it. Move it into its table's folder."
            yield _report("", "stray_file", text)


def _find_in_table(folder: Path) -> Iterator[Finding]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield _report(
                folder.name,
                "stray_file",
                f"{folder.name}: has the folder {path.name}/, and models read {folder.name}/*{_SUFFIX} only. "
                "Move its files up, each under a name of its own; a raw set has no partitions.",
            )
        elif path.suffix == _SUFFIX and _PATTERN.search(path.name):
            text = f"{folder.name}: the name {path.name} reads as a pattern of names. Rename it without *, ? and []."
            yield _report(folder.name, "stray_file", text)
        elif path.suffix != _SUFFIX and not path.name.startswith((".", "_")):
            text = (
                f"{folder.name}: {path.name} is not read, only *{_SUFFIX} is. Write its rows as Parquet, or remove it."
            )
            yield _report(folder.name, "stray_file", text)


def _has_rows(path: Path) -> bool:
    return path.suffix.lower() == _SUFFIX


def _report(table: str, rule: str, text: str) -> Finding:
    return Finding(table, "", rule, row_count=None, is_structural=True, text=text)
