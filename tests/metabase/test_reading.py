"""Answers that a real Metabase gave, in both forms of its queries, are read to the same values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gnomon.publish.metabase import reading
from gnomon.publish.metabase.identity import Ref
from gnomon.publish.metabase.names import Names
from gnomon.publish.metabase.queries import OtherQuery, read_query, write_query
from gnomon.publish.metabase.wanted import Card, FieldAddress, NativeQuery, TableAddress, TableQuery
from tests.conftest import SHARED
from tests.metabase.fake_queries import to_stages
from tests.metabase.shop import WAREHOUSE, make_shop

FORMS = ("mbql4", "mbql5")


@pytest.fixture(scope="module")
def recorded() -> Path:
    folder = SHARED / "metabase" / "recorded"
    if not folder.is_dir():
        pytest.skip("recorded answers of Metabase are not there: ../shared/metabase/recorded is missing")
    return folder


def load(recorded: Path, form: str, path: str) -> Any:
    return json.loads((recorded / form / "api" / f"{path}.json").read_text(encoding="utf-8"))


def learn(recorded: Path, form: str) -> Names:
    names = Names(database_id=2)
    names.learn_tables(load(recorded, form, "database/2/metadata")["tables"])
    names.ids[Ref("card", "combined")] = 27
    return names


@pytest.mark.parametrize("form", FORMS)
def test_tables_and_columns_are_learnt(recorded: Path, form: str) -> None:
    names = learn(recorded, form)
    assert names.tables[TableAddress("public", "customers")] == 12
    assert names.fields[FieldAddress("public", "customers", "customer_id")] == 94
    assert names.field_of(94) == FieldAddress("public", "customers", "customer_id")


def test_recorded_cards_are_the_same_in_both_forms(recorded: Path) -> None:
    for card in range(27, 34):
        one, other = (reading.read_card(load(recorded, f, f"card/{card}"), learn(recorded, f)) for f in FORMS)
        alike = {name: each for name, each in one.document.items() if name != "query"}
        assert alike == {name: each for name, each in other.document.items() if name != "query"}
        assert (one.id, one.entity_id, one.is_archived) == (card, other.entity_id, False)
        if card not in (27, 28):
            # Those two join and filter, as none of ours does; they are told as they stand.
            assert one.document["query"] == other.document["query"]


@pytest.mark.parametrize("form", FORMS)
def test_recorded_queries_are_read_or_told_as_they_stand(recorded: Path, form: str) -> None:
    names = learn(recorded, form)
    queries = {i: read_query(load(recorded, form, f"card/{i}")["dataset_query"], names) for i in range(27, 34)}
    assert isinstance(queries[27], OtherQuery)
    assert isinstance(queries[28], OtherQuery)
    assert "lib/uuid" not in queries[27].text
    assert queries[30] == NativeQuery("select 1;")
    assert isinstance(queries[29], NativeQuery)
    assert queries[29].sql.startswith("select\n    count(*)\nfrom STG_payments as p")
    table = names.table_of(18)
    assert queries[33] == TableQuery(table)
    assert table.schema == "public"


def test_a_recorded_dashboard_is_the_same_in_both_forms(recorded: Path) -> None:
    one, other = (
        reading.read_dashboard(load(recorded, f, "dashboard/2"), learn(recorded, f), Ref("dashboard", "d"), None)
        for f in FORMS
    )
    assert one.document == other.document
    assert one.document["name"] == "The Dashboard"
    tiles: Any = one.document["dashcards"]
    assert tiles["#32"] == {"row": 0, "column": 0, "width": 12, "height": 9, "card": "combined"}
    assert tiles["#33"]["card"] == "#28"
    assert one.parts == {"tile/#32": 32, "tile/#33": 33, "tile/#34": 34}


@pytest.mark.parametrize("form", FORMS)
def test_recorded_connections_and_folders_are_read(recorded: Path, form: str) -> None:
    rows = load(recorded, form, "database")
    rows = rows["data"] if isinstance(rows, dict) else rows
    seen = reading.read_database(next(each for each in rows if each["id"] == 2))
    assert seen.document["engine"] == "postgres"
    assert "password" not in seen.document["details"]  # type: ignore[operator]
    [folder] = [each for each in load(recorded, form, "collection") if each["id"] == 3]
    assert reading.read_collection(folder, Names()).document == {"name": "Коллекция"}


def test_what_is_written_is_read_back_from_both_forms() -> None:
    names = Names(database_id=1)
    numbers = iter(range(1, 99))
    for (schema, table), columns in WAREHOUSE.items():
        fields = [{"id": next(numbers), "name": each} for each in columns]
        names.learn_tables([{"id": next(numbers), "schema": schema, "name": table, "fields": fields}])
    for card in make_shop().cards:
        written = write_query(card, names)
        assert read_query(written, names) == sorted_tags(card)
        assert read_query(to_stages(written), names) == sorted_tags(card)


def sorted_tags(card: Card) -> Any:
    if isinstance(card.query, NativeQuery):
        return NativeQuery(card.query.sql, tuple(sorted(card.query.tags, key=lambda tag: tag.name)))
    return card.query
