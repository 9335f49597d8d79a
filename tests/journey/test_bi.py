"""The sample's files for Tableau and Power BI: each number that they make of the copy in Postgres is the engine's."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree as Xml

import pytest

from gnomon import Engine
from gnomon.publish import publish
from gnomon.publish.serving_copy import copy_generation
from gnomon.publish.serving_copy.source import Source
from gnomon.publish.views import View, Views
from tests.bi import tmdl
from tests.bi.comparison import compare
from tests.bi.formulas import read_dax, read_tableau
from tests.copies import make_database
from tests.journey.conftest import Built, run_command

SECRET = "a-password-that-no-file-may-have"
ADDRESS = f"postgres://publisher:{SECRET}@warehouse.example.com/bi"
# What the definitions fill in where there is nothing.
FILLS = ("cart_adds", "product_clicks", "cart_rate", "top_one_percent_impressions", "top_one_percent_exposure_share")


@dataclass(frozen=True)
class Exported:
    target: Path
    url: str
    engine: Engine
    views: Views

    @property
    def tableau(self) -> Path:
        return self.target / "tableau"

    @property
    def powerbi(self) -> Path:
        return self.target / "powerbi"


@pytest.fixture(scope="module")
def exported(built_sample: Built, postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    target = tmp_path_factory.mktemp("bi")
    shutil.copyfile(built_sample.database, target / "gnomon.duckdb")
    with (
        mock.patch.dict(os.environ, {"DBT_TARGET_PATH": str(target)}),
        make_database(postgres_server, "bi_sample") as address,
    ):
        publish(Path())
        done = copy_generation(Path(), address, budget="1GB")
        with Source.open(Path()) as source:
            views = source.contents.views
        assert done.views == tuple(view.name for view in views.views)
        with closing(Engine.open()) as engine:
            yield Exported(target, address.url, engine, views)


@pytest.fixture(scope="module", autouse=True)
def _files(exported: Exported) -> None:
    environ = {**os.environ, "DBT_TARGET_PATH": str(exported.target), "GNOMON_COPY": ADDRESS}
    for tool, out in (("tableau", exported.tableau), ("powerbi", exported.powerbi)):
        dry = run_command(["gnomon", "export", tool, "--out", str(out), "--dry-run", "--json"], environ)
        assert dry.returncode == 0, dry.stderr
        done = run_command(["gnomon", "export", tool, "--out", str(out), "--json"], environ)
        assert (done.returncode, done.stdout) == (0, dry.stdout), done.stderr
        said = json.loads(done.stdout)
        assert said["missing"] == {}
        assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == set(said["files"])
        assert all(SECRET not in path.read_text("utf-8") for path in out.rglob("*") if path.is_file())
        again = run_command(["gnomon", "export", tool, "--out", str(out)], environ)
        assert (again.returncode, "is there already" in again.stderr) == (2, True)


def test_every_metric_is_in_a_view_or_left_out_with_its_reason(exported: Exported) -> None:
    shown = {metric for view in exported.views.views for metric in view.metrics}
    left_out = exported.views.left_out.metrics
    assert shown | set(left_out) == set(exported.engine.manifest.metrics)
    assert not shown & set(left_out)
    assert {"like_rate", "complaint_rate", "appeal_overturn_rate", "gmv"} <= shown
    # A sample's estimate, a balance, a distinct count, and what is made of two tables.
    assert {"low_quality_content_rate", "creator_violation_rate", "active_creators", "paid_order_rate"} <= set(left_out)
    assert all(len(reason) > 20 for reason in left_out.values())


def test_the_docs_say_what_is_in_no_view(exported: Exported, project: Path) -> None:
    page = (project / "docs" / "bi.md").read_text(encoding="utf-8")
    unsaid = [name for name in exported.views.left_out.metrics if f"`{name}`" not in page]
    assert unsaid == []
    assert [view.name for view in exported.views.views if f"`{view.name}`" not in page] == []


def list_groupings(view: View) -> list[list[str]]:
    """All rows, each period, and each attribute that the rollup itself has."""
    own = [name for name in (column.name for column in view.columns) if "__" in name and name != view.columns[0].name]
    return [[], [view.columns[0].name], *([name] for name in own[:3])]


def test_every_calculated_field_of_tableau_is_the_engines_number(exported: Exported) -> None:
    held = asked = 0
    for view in exported.views.views:
        source = Xml.parse(exported.tableau / f"{view.name}.tds").getroot()
        columns = {column.name for column in view.columns}
        formulas = {
            each.get("name", "")[1:-1]: read_tableau(calculation.get("formula", ""), columns)
            for each in source.findall("column")
            if (calculation := each.find("calculation")) is not None
        }
        assert set(formulas) == {ratio.metric.name for ratio in view.ratios}
        asked += len(formulas)
        for groups in list_groupings(view) if formulas else ():
            held += compare(exported.engine, exported.url, view.name, formulas, groups, FILLS)
    assert asked > 25
    assert held > 1000


def test_every_measure_of_power_bi_is_the_engines_number(exported: Exported) -> None:
    names: list[str] = []
    held = 0
    for view in exported.views.views:
        file = tmdl.read((exported.powerbi / "definition" / "tables" / f"{view.name}.tmdl").read_text("utf-8"))
        (table,) = file.objects
        columns = {each.name: str(each.properties["sourceColumn"]) for each in table.take("column")}
        formulas = {
            measure.name.removesuffix(f" ({view.name})"): read_dax(measure.expression, table.name, columns)
            for measure in table.take("measure")
        }
        names += [measure.name for measure in table.take("measure")]
        assert set(formulas) == set(view.metrics)
        for groups in list_groupings(view)[:3]:
            held += compare(exported.engine, exported.url, view.name, formulas, groups, FILLS)
    assert len(names) == len(set(names)) > 100
    assert held > 3000
