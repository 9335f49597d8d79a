"""The files of a KuaiRand folder: which they are, and their rows loaded as text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.core.errors import WarehouseError, explain_unknown

if TYPE_CHECKING:
    import duckdb

LOG_COLUMNS = (
    "user_id",
    "video_id",
    "date",
    "hourmin",
    "time_ms",
    "is_click",
    "is_like",
    "is_follow",
    "is_comment",
    "is_forward",
    "is_hate",
    "long_view",
    "play_time_ms",
    "duration_ms",
    "profile_stay_time",
    "comment_stay_time",
    "is_profile_enter",
    "is_rand",
    "tab",
)
BASIC_COLUMNS = ("video_id", "author_id", "video_type", "upload_dt", "video_duration", "music_id", "tag")
STATISTIC_COLUMNS = (
    "counts",
    "show_cnt",
    "play_cnt",
    "complete_play_cnt",
    "like_cnt",
    "comment_cnt",
    "share_cnt",
    "report_cnt",
    "reduce_similar_cnt",
)
LOOKS_FOR = (
    "log_*.parquet with video_features_basic_and_statistic*.parquet; or log_standard_*.csv "
    "with video_features_basic_*.csv and video_features_statistic_*.csv (also in data/)"
)


@dataclass(frozen=True)
class SourceFiles:
    """The files to read. `statistics` is empty where the video table holds both halves."""

    logs: tuple[Path, ...]
    videos: tuple[Path, ...]
    statistics: tuple[Path, ...] = ()

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file of the source."""
        return self.logs + self.videos + self.statistics


def recognizes(folder: Path) -> bool:
    """Tell whether `folder` holds a log of this source."""
    place = _find_place(folder)
    return bool(_find(place, "log_*.parquet") or _find(place, "log_standard_*.csv"))


def find_source_files(folder: Path) -> SourceFiles:
    """Return the files of either form; WarehouseError names the pattern that nothing matches."""
    place = _find_place(folder)
    parquet_logs, csv_logs = _find(place, "log_*.parquet"), _find(place, "log_standard_*.csv")
    if parquet_logs and csv_logs:
        raise WarehouseError(
            f"{place}: holds the log as Parquet ({parquet_logs[0].name}) and as CSV ({csv_logs[0].name}). "
            "Counting both would count twice: leave one form in the folder."
        )
    if parquet_logs:
        return SourceFiles(parquet_logs, _require(place, "video_features_basic_and_statistic*.parquet"))
    return SourceFiles(
        _require(place, "log_standard_*.csv"),
        _require(place, "video_features_basic_*.csv"),
        _require(place, "video_features_statistic_*.csv"),
    )


def load_source(connection: duckdb.DuckDBPyConnection, files: SourceFiles) -> None:
    """Make the tables exposure_rows and video_rows: the source's columns as text, faults and all.

    WarehouseError names the file that cannot be read, or the file and column missing in it.
    """
    # The Parquet part carries the author in the log too; the upstream CSV does not.
    _load(connection, "exposure_rows", files.logs, LOG_COLUMNS, optional=("author_id",))
    if files.statistics:
        _load(connection, "basic_rows", files.videos, BASIC_COLUMNS)
        _load(connection, "statistic_rows", files.statistics, ("video_id", *STATISTIC_COLUMNS))
        connection.execute(
            "create table video_rows as select * from basic_rows full join statistic_rows using (video_id)"
        )
    else:
        _load(connection, "video_rows", files.videos, BASIC_COLUMNS + STATISTIC_COLUMNS)


def _find_place(folder: Path) -> Path:
    """Return `folder`, or its data/ where the upstream archive keeps its files."""
    inner = folder / "data"
    return inner if inner.is_dir() and not _find(folder, "log_*") else folder


def _find(folder: Path, pattern: str) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.glob(pattern) if path.is_file()))


def _require(folder: Path, pattern: str) -> tuple[Path, ...]:
    found = _find(folder, pattern)
    if not found:
        raise WarehouseError(f"{folder}: no file matches {pattern}. KuaiRand needs {LOOKS_FOR}.")
    return found


def _load(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    files: tuple[Path, ...],
    columns: tuple[str, ...],
    optional: tuple[str, ...] = (),
) -> None:
    import duckdb

    for position, path in enumerate(files):
        relation = _open(connection, path)
        _check_columns(path, columns, relation.columns)
        texts = relation.select(*(_read_text(name, relation.columns) for name in columns + optional))
        try:
            if position == 0:
                texts.create(table)
            else:
                texts.insert_into(table)
        except duckdb.Error as error:
            raise _explain_unreadable(path, error) from None


def _read_text(name: str, present: list[str]) -> duckdb.Expression:
    import duckdb

    value = duckdb.ColumnExpression(name) if name in present else duckdb.ConstantExpression(None)
    return value.cast("VARCHAR").alias(name)


def _open(connection: duckdb.DuckDBPyConnection, path: Path) -> duckdb.DuckDBPyRelation:
    import duckdb

    try:
        if path.suffix == ".parquet":
            return connection.read_parquet(str(path))
        return connection.read_csv(str(path), header=True, all_varchar=True, delimiter=",", quotechar='"')
    except duckdb.Error as error:
        raise _explain_unreadable(path, error) from None


def _check_columns(path: Path, needed: tuple[str, ...], present: list[str]) -> None:
    missing = [name for name in needed if name not in present]
    if missing:
        raise WarehouseError(
            f"{path}: the column '{missing[0]}' is missing"
            + (f", and {len(missing) - 1} more ({', '.join(missing[1:])})" if missing[1:] else "")
            + f"; among its columns, {explain_unknown('column', missing[0], present)} "
            "Take the file as published; docs/sources/kuairand.md lists the columns."
        )


def _explain_unreadable(path: Path, error: Exception) -> WarehouseError:
    reason = str(error).splitlines()[0]
    return WarehouseError(f"{path}: cannot be read: {reason} The file may be cut short: fetch it again.")
