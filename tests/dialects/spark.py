"""Spark in this process with tables of DuckDB's, or the reason why it is not there."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from tests.differential.judge import Answer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JAVA = "java-17-openjdk-amd64"
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "1",
    "spark.driver.memory": "1g",
    "spark.log.level": "OFF",
}


def find_missing() -> str | None:
    """Return what Spark lacks here, or None if it can start."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed: pip install --require-hashes -r requirements-spark.lock"
    if find_java() is None:
        return "there is no Java 17: set JAVA_HOME to one"
    return None


def find_java() -> str | None:
    """Return the folder of a Java 17."""
    known = Path("/usr/lib/jvm") / JAVA
    return os.environ.get("JAVA_HOME") or (str(known) if known.is_dir() else None)


@contextmanager
def start_spark(folder: Path) -> Iterator[SparkSession]:
    """Start Spark with its files in a folder."""
    from pyspark.sql import SparkSession

    os.environ["JAVA_HOME"] = find_java() or ""
    # Python writes moments of Spark's in its own zone.
    os.environ["TZ"] = "UTC"
    builder = SparkSession.builder.master("local[1]").config("spark.sql.warehouse.dir", str(folder / "warehouse"))
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        yield session
    finally:
        session.stop()


def load_spark(session: SparkSession, folder: Path, source: duckdb.DuckDBPyConnection) -> None:
    """Make the database main anew with the tables of a DuckDB database."""
    session.sql("drop database if exists main cascade")
    session.sql("create database main")
    for (table,) in source.execute("select table_name from duckdb_tables()").fetchall():
        path = folder / f"{table}.parquet"
        source.table(table).to_parquet(str(path))
        session.read.parquet(str(path)).write.saveAsTable(f"main.{table}")


def run_spark(session: SparkSession, sql: str) -> Answer:
    """Return the columns and the rows of a query."""
    frame = session.sql(sql)
    return list(frame.columns), [tuple(row) for row in frame.collect()]
