"""A small published build that can be copied, and a database of its own to copy it to."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import duckdb

from gnomon.publish import publish
from gnomon.warehouse import Generations, Service
from gnomon.warehouse.postgres import PostgresAddress
from tests.generations import build_small, write_dbt_manifest

BUDGET = "1GB"
# What dbt's manifest says of each table beyond its columns: the word of its config.meta, its key, what leads where.
SAID: dict[str, dict[str, Any]] = {
    "dim_creators": {
        "word": "dimension",
        "key": ["creator_id"],
        "description": "Creators of now. One row per creator.",
    },
    "dim_days": {"word": "dimension", "key": ["date_day"]},
    "fct_cases": {
        "word": "cases",
        "key": ["case_id"],
        "leads": {"creator_id": ("dim_creators", "creator_id"), "opened_date": ("dim_days", "date_day")},
        "description": "Cases that people work off, it's said: \\ and {all}. One row per case.",
        "columns": {"case_id": "", "amount": "In US dollars; 5 % of it is 'kept'."},
    },
}
CASES = """
create table fct_cases as select
    'k' || i as case_id, 'c' || i % 20 as creator_id, case when i % 3 > 0 then i * 1.25::decimal(9, 2) end as amount,
    date '2026-01-01' + cast(i % 40 as integer) as opened_date, timestamp '2026-01-01' + interval (i) hour as opened_at
from range(50) as t(i)
"""


def write_manifest(stamp: int, said: dict[str, dict[str, Any]]) -> str:
    """dbt's manifest.json for a build with more said of its tables, and with tables that `said` adds."""
    document = json.loads(write_dbt_manifest(str(uuid.UUID(int=stamp << 96))))
    nodes = document["nodes"]
    for table, words in said.items():
        node = f"model.gnomon.{table}"
        body = nodes.setdefault(
            node,
            {"unique_id": node, "resource_type": "model", "fqn": ["gnomon", "marts", table], "schema": "main",
             "alias": table, "columns": {}},
        )  # fmt: skip
        body |= {"description": words.get("description", ""), "patch_path": f"gnomon://models/{table}.yml"}
        body["config"] = {"meta": {"serving_copy": words["word"]}} if "word" in words else {}
        body["columns"] |= {name: {"description": text} for name, text in words.get("columns", {}).items()}
        leads = {
            column: {"to": f"ref('{parent}')", "field": key} for column, (parent, key) in words.get("leads", {}).items()
        }
        kwargs = {"unique_key": words.get("key", []), "relationships": leads}
        nodes[f"test.gnomon.rules_of_{table}"] = {
            "resource_type": "test", "attached_node": node, "test_metadata": {"name": "rules", "kwargs": kwargs},
        }  # fmt: skip
    return json.dumps(document)


def fill_shelf(shelf: Path, *stamps: int) -> Path:
    """Publish builds, each with a case list, in a folder that tests take them from."""
    for stamp in stamps:
        build_small(shelf, stamp, dbt_manifest=write_manifest(stamp, SAID)).execute(CASES)
        publish(shelf, keep=len(stamps), environ={})
    return shelf


def take_from(shelf: Path, project: Path, stamp: int = 1) -> Path:
    """Make a project of the generations on a shelf, one of them in service; nothing is built."""
    folder = project / "target" / "generations"
    shutil.copytree(shelf / "target" / "generations", folder, copy_function=os.link)
    serve(project, stamp)
    return project


def serve(project: Path, stamp: int) -> str:
    """Put the generation of a build into service, as a publish would; return its id."""
    generations = Generations(project / "target" / "generations")
    kept = [each for each in generations.list_whole() if int(each.rsplit("-", 1)[1], 16) == stamp]
    generations.write_service(Service((*kept, *(each for each in generations.list_whole() if each not in kept))))
    return kept[0]


def change(project: Path, *statements: str, said: dict[str, dict[str, Any]] = SAID) -> None:
    """Change the generation in service, which nobody may, so that a test need not build another one."""
    generations = Generations(project / "target" / "generations")
    service = generations.read_service()
    assert service is not None
    path = generations.locate(service.serving)
    changed = path.with_suffix(".changed")
    shutil.copyfile(path, changed)
    stamp = int(service.serving.rsplit("-", 1)[1], 16)
    with duckdb.connect(str(changed)) as connection:
        connection.execute("update gnomon_build.runs set dbt_manifest = ?", [write_manifest(stamp, said)])
        for statement in statements:
            connection.execute(statement)
    changed.replace(path)


@contextmanager
def make_database(server: str, name: str) -> Iterator[PostgresAddress]:
    """Make an empty database without readers, and remove it afterwards."""
    run(server, f'drop database if exists "{name}" with (force)', "drop role if exists gnomon_reader")
    run(server, f'create database "{name}"')
    try:
        yield PostgresAddress.read(server.replace("/postgres?", f"/{name}?"))
    finally:
        run(server, f'drop database "{name}" with (force)', "drop role if exists gnomon_reader")


def run(url: str, *statements: str) -> None:
    """Run statements, by another driver than Gnomon's."""
    with closing(adbc.connect(url, autocommit=True)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def ask(url: str, sql: str) -> list[dict[str, Any]]:
    """Return the rows of a query, by another driver than Gnomon's; numbers of many places come as texts."""
    with closing(adbc.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        rows: list[dict[str, Any]] = cursor.fetch_arrow_table().to_pylist()
    return rows


def list_schemas(url: str) -> list[str]:
    """Return the schemas that are not Postgres's own."""
    rows = ask(url, "select nspname from pg_namespace where nspname !~ '^(pg_|information_schema)' order by 1")
    return [row["nspname"] for row in rows]
