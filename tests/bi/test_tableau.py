"""Data sources for Tableau: read as XML, held to the views of a real Postgres, their formulas run there.

Tableau itself is not here. The nightly test holds the files to its published schema, which a package on PyPI carries.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from gnomon.core.errors import QueryError, WarehouseError
from gnomon.publish.bi import Place, WrittenFiles, export_tableau
from gnomon.warehouse.postgres import PostgresAddress
from tests.bi.comparison import compare
from tests.bi.conftest import PLACE, Copied
from tests.bi.formulas import read_tableau
from tests.bi.world import NASTY
from tests.copies import ask

# What Tableau calls the values of Postgres's types.
KINDS = {
    "bigint": "integer", "integer": "integer", "smallint": "integer", "numeric": "real", "double precision": "real",
    "text": "string", "boolean": "boolean", "date": "date", "timestamp without time zone": "datetime",
}  # fmt: skip
GROUPINGS = ([], ["metric_time__day"], ["creator__tier", "post__kind"], ["creator"])


@pytest.fixture(scope="module")
def written(copied: Copied, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, WrittenFiles]:
    folder = tmp_path_factory.mktemp("tableau") / "out"
    return folder, export_tableau(copied.project, folder, PLACE)


@pytest.fixture
def source(written: tuple[Path, WrittenFiles]) -> Xml.Element:
    return Xml.parse(written[0] / "bi_posts_day.tds").getroot()


def test_each_view_has_a_file_and_a_list_says_what_is_in_none(written: tuple[Path, WrittenFiles]) -> None:
    folder, said = written
    assert {path.name for path in folder.iterdir()} == set(said.files)
    assert set(said.files) == {"README.md", "not_exported.yml", *(f"{view}.tds" for view in said.views)}
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "Not opened in Tableau" in text
    assert all(f"`{metric}`: {reason}" in text for metric, reason in said.left_out.metrics.items())


def test_the_connection_names_the_view_and_nobody_who_asks(source: Xml.Element) -> None:
    (inner,) = source.findall("connection/named-connections/named-connection/connection")
    assert inner.attrib == {
        "authentication": "username-password", "class": "postgres", "dbname": 'b&i "x"', "port": "5433",
        "schema": "gnomon", "server": "bi.example.com", "username": "",
    }  # fmt: skip
    (relation,) = source.findall("connection/relation")
    (named,) = source.findall("connection/named-connections/named-connection")
    assert (relation.get("table"), relation.get("type")) == ("[gnomon].[bi_posts_day]", "table")
    assert relation.get("connection") == named.get("name")


def test_every_column_is_one_of_the_view_with_its_type_and_role(copied: Copied, source: Xml.Element) -> None:
    there = {
        row["name"]: row["kind"]
        for row in ask(
            copied.url,
            "select column_name as name, data_type as kind from information_schema.columns "
            "where table_schema = 'gnomon' and table_name = 'bi_posts_day'",
        )
    }
    (view,) = copied.views.views
    columns = {
        each.get("name", "")[1:-1]: each for each in source.findall("column") if each.find("calculation") is None
    }
    assert list(columns) == [column.name for column in view.columns]
    assert set(columns) == set(there)
    for column in view.columns:
        found = columns[column.name]
        assert found.get("datatype") == KINDS[there[column.name]]
        assert (found.get("role") == "measure") == (column.role.value == "sum")
        assert (found.get("hidden") == "true") == (column.role.value == "sum" and column.metric is None)
        assert found.findtext("desc/formatted-text/run") == " ".join(column.comment.split())
    assert columns["posts"].get("aggregation") == "Sum"


def test_a_ratio_is_a_calculated_field_of_sums_and_no_column(copied: Copied, source: Xml.Element) -> None:
    fields = {each.get("name"): each for each in source.findall("column") if each.find("calculation") is not None}
    (view,) = copied.views.views
    assert set(fields) == {f"[{ratio.metric.name}]" for ratio in view.ratios}
    live = fields["[live_share]"]
    assert live.attrib | {"caption": ""} == {
        "aggregation": "User", "caption": "", "datatype": "real", "default-format": "p0.0%", "name": "[live_share]",
        "role": "measure", "type": "quantitative",
    }  # fmt: skip
    calculation = live.find("calculation")
    assert calculation is not None
    assert calculation.get("formula") == (
        "IF SUM([posts]) >= 40 THEN IF SUM([posts]) <> 0 THEN SUM([live_posts]) / SUM([posts]) END END"
    )


@pytest.mark.parametrize("groups", GROUPINGS)
def test_every_calculated_field_is_the_engines_number(copied: Copied, source: Xml.Element, groups: list[str]) -> None:
    names = {column.name for view in copied.views.views for column in view.columns}
    formulas = {
        each.get("name", "")[1:-1]: read_tableau(calculation.get("formula", ""), names)
        for each in source.findall("column")
        if (calculation := each.find("calculation")) is not None
    }
    assert len(formulas) == 7
    assert compare(copied.engine, copied.url, "bi_posts_day", formulas, groups, fills=["filled_share"]) > 0


def test_a_floor_leaves_small_groups_without_a_value(copied: Copied, source: Xml.Element) -> None:
    """Each creator has 100 posts and each of their days 1 or 2: a floor of 40 lets the creators through, and no day."""
    calculation = source.find("column[@name='[live_share]']/calculation")
    assert calculation is not None
    sql = read_tableau(calculation.get("formula", ""), {"posts", "live_posts"})
    values = {
        by: ask(copied.url, f"select count({by_value}) as some, count(*) as all from (select {sql} as {by_value} "
                            f"from gnomon.bi_posts_day group by {by}) as found")
        for by, by_value in (("creator", "value"), ("creator, metric_time__day", "value"))
    }  # fmt: skip
    assert values["creator"] == [{"some": 20, "all": 20}]
    assert values["creator, metric_time__day"][0]["some"] == 0


def test_words_that_xml_reads_otherwise_are_escaped(written: tuple[Path, WrittenFiles], source: Xml.Element) -> None:
    views = source.find("column[@name='[views]']")
    assert views is not None
    assert views.get("caption") == " ".join(NASTY.split())
    assert (views.findtext("desc/formatted-text/run") or "").startswith(" ".join(NASTY.split()))


def test_the_same_generation_gives_the_same_bytes(
    copied: Copied, written: tuple[Path, WrittenFiles], tmp_path: Path
) -> None:
    export_tableau(copied.project, tmp_path / "again", PLACE)
    for path in written[0].iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_nothing_is_written_over_and_a_dry_run_writes_nothing(copied: Copied, tmp_path: Path) -> None:
    said = export_tableau(copied.project, tmp_path / "dry", PLACE, dry_run=True)
    assert "bi_posts_day.tds" in said.files
    assert not (tmp_path / "dry").exists()
    with pytest.raises(QueryError, match="is there already"):
        export_tableau(copied.project, tmp_path, PLACE)


def test_an_address_gives_its_host_and_nobodys_password() -> None:
    place = Place.read(PostgresAddress.read("postgres://some%40one:se%3Acret@db.example.com/b%20i?sslmode=require"))
    assert place == Place("db.example.com", 5432, "b i")
    with pytest.raises(QueryError, match="names no host or no database"):
        Place.read(PostgresAddress.read("postgres:///bi"))
    with pytest.raises(WarehouseError):
        PostgresAddress.read("mysql://db/bi")
