"""A semantic model for Power BI: read by a strict reader of TMDL, its measures run on the views of a real Postgres.

Power BI itself is not here.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gnomon.publish.bi import WrittenFiles, export_powerbi
from tests.bi import tmdl
from tests.bi.comparison import compare
from tests.bi.conftest import PLACE, Copied
from tests.bi.formulas import read_dax
from tests.bi.test_tableau import GROUPINGS
from tests.bi.world import NASTY
from tests.copies import ask

# What Power BI calls the values of Postgres's types.
KINDS = {
    "bigint": "int64", "integer": "int64", "smallint": "int64", "numeric": "double", "double precision": "double",
    "text": "string", "boolean": "boolean", "date": "dateTime", "timestamp without time zone": "dateTime",
}  # fmt: skip


@pytest.fixture(scope="module")
def written(copied: Copied, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, WrittenFiles]:
    folder = tmp_path_factory.mktemp("powerbi") / "out"
    return folder, export_powerbi(copied.project, folder, PLACE)


@pytest.fixture
def files(written: tuple[Path, WrittenFiles]) -> dict[str, tmdl.File]:
    definition = written[0] / "definition"
    return {
        str(path.relative_to(definition)): tmdl.read(path.read_text(encoding="utf-8"))
        for path in sorted(definition.rglob("*.tmdl"))
    }


def read_tables(files: dict[str, tmdl.File]) -> dict[str, tmdl.Object]:
    found = {}
    for name, file in files.items():
        if name.startswith("tables/"):
            (table,) = file.objects
            assert (table.kind, f"tables/{table.name}.tmdl") == ("table", name)
            found[table.name] = table
    return found


def test_the_model_names_every_table_that_has_a_file(
    written: tuple[Path, WrittenFiles], files: dict[str, tmdl.File]
) -> None:
    assert sorted(files["model.tmdl"].refs) == sorted(read_tables(files)) == ["bi_posts_day", "dim_days"]
    (model,) = files["model.tmdl"].objects
    # No visual may average a column by itself.
    assert model.properties["discourageImplicitMeasures"] is True
    (database,) = files["database.tmdl"].objects
    assert (database.kind, database.properties) == ("database", {"compatibilityLevel": "1600"})
    assert json.loads((written[0] / "definition.pbism").read_text("utf-8")) == {"version": "4.0", "settings": {}}
    found = {str(path.relative_to(written[0])) for path in written[0].rglob("*") if path.is_file()}
    assert found == set(written[1].files)


def test_names_and_tags_are_each_one_objects(files: dict[str, tmdl.File]) -> None:
    """DAX knows no great and small letters, so neither do names here; a measure's is the model's."""
    tables = read_tables(files)
    measures = [each.name.lower() for table in tables.values() for each in table.take("measure")]
    for table in tables.values():
        columns = [each.name.lower() for each in table.take("column")]
        assert len(columns) == len(set(columns))
        assert not set(columns) & set(measures)
    assert len(measures) == len(set(measures))
    tags = [
        each.properties["lineageTag"] for file in files.values() for each in tmdl.walk(file.objects)
        if "lineageTag" in each.properties
    ]  # fmt: skip
    assert len(tags) == len(set(tags)) > len(measures)


def test_every_column_is_one_of_its_table_with_its_type(copied: Copied, files: dict[str, tmdl.File]) -> None:
    for table in read_tables(files).values():
        there = {
            row["name"]: row["kind"]
            for row in ask(
                copied.url,
                "select column_name as name, data_type as kind from information_schema.columns "
                f"where table_schema = 'gnomon' and table_name = '{table.name}'",
            )
        }
        columns = {str(each.properties["sourceColumn"]): each for each in table.take("column")}
        assert set(columns) == set(there)
        for name, kind in there.items():
            assert columns[name].properties["dataType"] == KINDS[kind], name


def test_numbers_that_add_up_are_hidden_and_have_measures(copied: Copied, files: dict[str, tmdl.File]) -> None:
    table = read_tables(files)["bi_posts_day"]
    (view,) = copied.views.views
    sums = {column.name for column in view.columns if column.role.value == "sum"}
    for column in table.take("column"):
        is_sum = column.properties["sourceColumn"] in sums
        assert (column.properties["summarizeBy"] == "sum", column.properties.get("isHidden", False)) == (is_sum, is_sum)
    assert {measure.name for measure in table.take("measure")} == set(view.metrics)


@pytest.mark.parametrize("groups", GROUPINGS)
def test_every_measure_is_the_engines_number(copied: Copied, files: dict[str, tmdl.File], groups: list[str]) -> None:
    table = read_tables(files)["bi_posts_day"]
    columns = {each.name: str(each.properties["sourceColumn"]) for each in table.take("column")}
    formulas = {measure.name: read_dax(measure.expression, table.name, columns) for measure in table.take("measure")}
    assert len(formulas) == 8 + 7
    filled = ["filled_posts", "filled_share"]
    assert compare(copied.engine, copied.url, "bi_posts_day", formulas, groups, fills=filled) > 0


def test_a_ratio_divides_sums(files: dict[str, tmdl.File]) -> None:
    measures = {each.name: each.expression for each in read_tables(files)["bi_posts_day"].take("measure")}
    posts, live = "SUM('bi_posts_day'[Sum of posts])", "SUM('bi_posts_day'[Sum of live_posts])"
    assert measures["live_share"] == f"IF({posts} >= 40, DIVIDE({live}, {posts}))"
    assert measures["views_less_posts"] == (
        f"(VAR _1 = SUM('bi_posts_day'[Sum of views]) VAR _2 = 2 * {posts} "
        "RETURN IF(ISBLANK(_1) || ISBLANK(_2), BLANK(), _1 - _2))"
    )


def test_rows_come_from_the_view_by_parameters_without_a_password(files: dict[str, tmdl.File]) -> None:
    parameters = {each.name: each.expression for each in files["expressions.tmdl"].objects}
    meta = 'meta [IsParameterQuery=true, Type="Text", IsParameterQueryRequired=true]'
    assert parameters == {"Server": f'"bi.example.com:5433" {meta}', "Database": f'"b&i ""x""" {meta}'}
    for table in read_tables(files).values():
        (partition,) = table.take("partition")
        assert (partition.name, partition.expression) == (table.name, "m")
        assert str(partition.properties["source"]).splitlines() == [
            "let",
            "    Source = PostgreSQL.Database(Server, Database, [CreateNavigationProperties = false]),",
            f'    Rows = Source{{[Schema = "gnomon", Item = "{table.name}"]}}[Data]',
            "in",
            "    Rows",
        ]


def test_days_lead_to_the_date_table(files: dict[str, tmdl.File]) -> None:
    tables = read_tables(files)
    dates = tables["dim_days"]
    assert dates.properties["dataCategory"] == "Time"
    assert [column.name for column in dates.take("column") if column.properties.get("isKey")] == ["date_day"]
    relationships = files["relationships.tmdl"].objects
    assert [each.properties for each in relationships] == [
        {"fromColumn": "bi_posts_day.metric_time__day", "toColumn": "dim_days.date_day"}
    ]
    for each in relationships:
        for end in each.properties.values():
            table, column = tmdl.split_column(str(end))
            assert column in {found.name for found in tables[table].take("column")}


def test_words_that_tmdl_reads_otherwise_stay_in_their_line(files: dict[str, tmdl.File]) -> None:
    (views,) = (each for each in read_tables(files)["bi_posts_day"].take("measure") if each.name == "views")
    line = " ".join(NASTY.split())
    assert views.description.startswith(f"{line}. {line}")
    assert re.search(r"\n", views.description) is None


def test_the_same_generation_gives_the_same_bytes(
    copied: Copied, written: tuple[Path, WrittenFiles], tmp_path: Path
) -> None:
    said = export_powerbi(copied.project, tmp_path / "again", PLACE)
    for name in said.files:
        assert (tmp_path / "again" / name).read_bytes() == (written[0] / name).read_bytes()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("table a\n\t\tcolumn b\n", "more than one level"),
        ("table a\n\tcolumn b c\n", "no object"),
        ("table a\n\tmeasure b\n", "its expression"),
        ("table a\n\tcolumn b\n\t\tsums: x\n", "has no sums"),
        ("table a\n\tcolumn b\n\t\tsummarizeBy: average\n", "summarizeBy"),
        ("column a\n", "under nothing"),
        ("\ttable a\n", "indented under nothing"),
    ],
)
def test_the_reader_takes_nothing_that_is_no_tmdl(text: str, fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        tmdl.read(text)
