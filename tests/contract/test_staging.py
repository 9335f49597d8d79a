"""The sources and the staging models say what the raw contract says, table by table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import yaml

from gnomon.core.contract import Table, read_contract

# The record of the raw set is a source too, but no raw table.
RECORD = "raw_set"
JINJA = re.compile(r"\{\{ source\('raw', '(\w+)'\) \}\}")
TABLES = list(read_contract().tables.values())


@pytest.fixture(scope="module")
def staging(project: Path) -> Path:
    return project / "models" / "staging"


@pytest.fixture(scope="module")
def sources(staging: Path) -> dict[str, Any]:
    document = yaml.safe_load((staging / "_sources.yml").read_text(encoding="utf-8"))
    (raw,) = document["sources"]
    return {table["name"]: table for table in raw["tables"]}


def test_the_sources_are_the_tables_of_the_contract_and_the_record(sources: dict[str, Any]) -> None:
    assert list(sources) == [RECORD, *(table.name for table in TABLES)]


def test_there_is_one_staging_model_per_source_and_no_other(staging: Path, sources: dict[str, Any]) -> None:
    models = {path.stem for path in staging.glob("*.sql")}
    assert models == {f"stg_raw__{name}" for name in sources}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_source_lists_the_columns_of_its_table(table: Table, sources: dict[str, Any]) -> None:
    source = sources[table.name]
    assert source["description"] == table.about
    assert [column["name"] for column in source["columns"]] == [column.name for column in table.columns]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_staging_model_only_casts_its_columns_to_the_types_of_the_contract(table: Table, staging: Path) -> None:
    text = (staging / f"stg_raw__{table.name}.sql").read_text(encoding="utf-8")
    assert JINJA.findall(text) == [table.name]
    tree = sqlglot.parse_one(JINJA.sub(r"raw.\1", text), read="duckdb")
    final = next(cte.this for cte in tree.find_all(sqlglot.exp.CTE) if cte.alias == "final")
    assert [column.sql(dialect="duckdb") for column in final.expressions] == [
        sqlglot.parse_one(f"cast({column.name} as {column.duckdb_type}) as {column.name}", read="duckdb").sql("duckdb")
        for column in table.columns
    ]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_staging_contract_has_the_types_values_and_keys_of_the_raw_contract(table: Table, staging: Path) -> None:
    document = yaml.safe_load((staging / f"stg_raw__{table.name}.yml").read_text(encoding="utf-8"))
    (model,) = document["models"]
    assert [(column["name"], column["data_type"].upper()) for column in model["columns"]] == [
        (column.name, column.duckdb_type) for column in table.columns
    ]
    (test,) = model["data_tests"]
    rules = test["rules"]["arguments"]
    for column in table.columns:
        assert rules.get("accepted_values", {}).get(column.name) == (list(column.values) or None)
        if column.reference:
            assert rules["relationships"][column.name] == {
                "to": f"ref('stg_raw__{column.reference.table}')",
                "field": column.reference.column,
            }
    assert model["config"]["meta"]["key"] == list(table.key)
    assert rules["unique_key"] == [*table.key, "ingested_at"]
