"""Cube itself, over the exported model and a copy of the sample's build, answers as the engine does."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from gnomon import Engine
from gnomon.publish.cube import Written, export_cube
from tests.cube.comparison import FAR, Pair
from tests.cube.exported import serve
from tests.journey.conftest import Built

WEEK, MONTH = "metric_time__week", "metric_time__month"


@pytest.fixture(scope="module")
def exported(built_sample: Built, project: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    """The sample's build as a project folder of its own, and its export."""
    home = tmp_path_factory.mktemp("project")
    (home / "target").mkdir()
    shutil.copy(project / "access.yml", home)
    (home / "target" / "gnomon.duckdb").symlink_to(built_sample.database)
    return home / "cube", export_cube(home, home / "cube", working=True)


def test_each_metric_of_the_project_is_exported_or_left_out_with_a_reason(
    exported: tuple[Path, Written], built_sample: Built, golden: Callable[[str, str], None]
) -> None:
    folder, written = exported
    shown = [metric for metrics in written.views.values() for metric in metrics]
    left_out = yaml.safe_load((folder / "not_exported.yml").read_text(encoding="utf-8"))
    named = [each["name"] for each in left_out["metrics"]]
    engine = Engine.from_manifest(built_sample.target / "semantic_manifest.json", built_sample.database)
    assert sorted(shown + named) == sorted(engine.manifest.metrics)
    engine.close()
    del left_out["definition_version"], left_out["data_version"]
    golden("cube/not_exported_of_the_project.yml", yaml.safe_dump(left_out, sort_keys=False, width=110))


@pytest.fixture(scope="module", params=["with rollups", "without"])
def pair(
    request: pytest.FixtureRequest,
    built_sample: Built,
    exported: tuple[Path, Written],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    """Cube over its own copy of the build: reading pre-aggregations, and without them."""
    source, written = exported
    folder = tmp_path_factory.mktemp("cube") / "export"
    shutil.copytree(source, folder)
    shutil.copy(built_sample.database, folder / "gnomon.duckdb")
    if request.param == "without":
        forget_rollups(folder)
    engine = Engine.from_manifest(built_sample.target / "semantic_manifest.json", built_sample.database)
    with serve(folder, TZ=FAR) as cube:
        yield Pair(engine, cube, written)
    engine.close()


@pytest.mark.nightly
def test_every_exported_metric_equals_the_engine_by_three_groupings(pair: Pair) -> None:
    for view, metric in pair.metrics:
        attribute = choose_attribute(pair.engine, metric)
        rows = [pair.compare(view, metric, groups) for groups in ((), (WEEK,), (MONTH, attribute))]
        assert rows[0] == 1
        assert min(rows) >= 1


@pytest.mark.nightly
def test_an_answer_of_many_rows_is_not_cut_off(pair: Pair) -> None:
    assert pair.compare("engagement__content_day", "views", ("content", "metric_time__day")) > 10_000


def choose_attribute(engine: Engine, metric: str) -> str:
    """An attribute one join away, or else one of the table's own."""
    names = engine.dimensions_of(metric)
    joined = [name for name in ("creator__tier", "content__category", "order__region") if name in names]
    own = [name for name in names if "__" in name and not name.endswith("_date")]
    return (joined + own)[0]


def forget_rollups(folder: Path) -> None:
    for path in (folder / "model" / "cubes").iterdir():
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for cube in document["cubes"]:
            cube.pop("pre_aggregations", None)
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
