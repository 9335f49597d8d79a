"""What `gnomon export cube` writes, read as text; tests/cube/test_answers.py has Cube itself read it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from gnomon.core.errors import DefinitionError, QueryError
from gnomon.publish.cube import Written, export_cube
from gnomon.publish.cube.sql import escape
from tests.cube.world import METRICS, build_world

# One more than that, and a template of Jinja's would begin.
JINJA = re.compile(r"\{[{%#]|[}%#]\}")
REFERENCE = re.compile(r"(?<!\\)\{([^{}]*)\}")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_world(tmp_path_factory.mktemp("world") / "project")


@pytest.fixture(scope="module")
def exported(project: Path) -> tuple[Path, Written]:
    return project / "cube", export_cube(project, project / "cube", working=True)


def read_parts(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """All cubes and views, by name."""
    parts: dict[str, dict[str, Any]] = {"cubes": {}, "views": {}, "view_groups": {}}
    for path in (folder / "model").rglob("*.yml"):
        for kind, listed in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            parts[kind] |= {each["name"]: each for each in listed}
    return parts["cubes"], parts["views"]


def test_the_files_of_a_small_project(exported: tuple[Path, Written], golden: Callable[[str, str], None]) -> None:
    folder, written = exported
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == set(written.files)
    for name in sorted(found - {"cube.js", ".env.example"}):
        golden(f"cube/export/{name}", (folder / name).read_text(encoding="utf-8"))


def test_every_metric_is_exported_or_left_out_with_a_reason(exported: tuple[Path, Written]) -> None:
    _, written = exported
    shown = [metric for metrics in written.views.values() for metric in metrics]
    left_out = written.left_out.metrics
    assert sorted([*shown, *left_out]) == sorted(metric["name"] for metric in METRICS)
    assert all(len(reason) > 20 for reason in left_out.values())


def test_no_file_holds_a_template_of_jinja(exported: tuple[Path, Written]) -> None:
    folder, _ = exported
    assert not [path for path in (folder / "model").rglob("*.yml") if JINJA.search(path.read_text(encoding="utf-8"))]


def test_every_reference_of_a_cube_leads_to_a_member_or_to_a_cube_that_it_joins(exported: tuple[Path, Written]) -> None:
    cubes, views = read_parts(exported[0])
    for cube in cubes.values():
        members = {each["name"] for part in ("dimensions", "measures", "segments") for each in cube.get(part, ())}
        assert not members & set(cubes), "Cube would take the name for the member"
        joined = {each["name"] for each in cube.get("joins", ())}
        for sql in find_sql(cube):
            for reference in REFERENCE.findall(sql):
                owner, _, member = reference.partition(".")
                assert owner in {"CUBE", *cubes}, f"{cube['name']}: {sql}"
                assert not member or member in members, f"{cube['name']}: {sql}"
        for rollup in cube.get("pre_aggregations", ()):
            used = [*rollup["measures"], *rollup.get("dimensions", ()), rollup["time_dimension"]]
            assert {each.removeprefix("CUBE.") for each in used} <= members
        assert joined <= set(cubes)
    for view in views.values():
        for part in view["cubes"]:
            path = part["join_path"].split(".")
            for before, after in pairwise(path):
                assert after in {each["name"] for each in cubes[before]["joins"]}
            cube = cubes[path[-1]]
            members = {each["name"] for kind in ("dimensions", "measures", "segments") for each in cube.get(kind, ())}
            included = {each if isinstance(each, str) else each["name"] for each in part["includes"]}
            assert included <= members


def test_no_cube_is_joined_from_two_sides(exported: tuple[Path, Written]) -> None:
    cubes, _ = read_parts(exported[0])
    joined = [each["name"] for cube in cubes.values() for each in cube.get("joins", ())]
    assert len(joined) == len(set(joined)) > 5


def test_cubes_are_asked_through_their_views_only(exported: tuple[Path, Written]) -> None:
    cubes, views = read_parts(exported[0])
    assert {cube["public"] for cube in cubes.values()} == {False}
    owners = [[policy["group"] for policy in view["access_policy"]].count("owner") for view in views.values()]
    assert owners == [1] * len(views)


def test_a_role_that_cube_cannot_hold_is_in_no_policy(exported: tuple[Path, Written]) -> None:
    folder, written = exported
    _, views = read_parts(folder)
    granted = {policy["group"] for view in views.values() for policy in view["access_policy"]}
    assert granted == {"owner", "everyone", "indonesia", "northern"}
    assert set(written.left_out.roles) == {"slow", "both"}
    # Of nothing that is exported may it ask anything.
    assert "nowhere" not in granted


def test_a_metric_over_an_absent_table_is_left_out(tmp_path: Path) -> None:
    project = build_world(tmp_path / "project", absent="visits")
    written = export_cube(project, project / "cube", working=True)
    assert written.left_out.metrics["visits"] == "the source has no 'visits': it is not kept"
    assert "metrics__visit" not in written.views


def test_a_role_of_an_unknown_attribute_stops_the_export(tmp_path: Path) -> None:
    project = build_world(tmp_path / "project")
    (project / "access.yml").write_text("roles:\n  r: {why: A role of nothing., hidden: [bayer]}\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"unknown attribute 'bayer'\. Did you mean 'buyer'"):
        export_cube(project, project / "cube", working=True)
    assert not (project / "cube").exists()


def test_nothing_is_written_over(exported: tuple[Path, Written], project: Path) -> None:
    with pytest.raises(QueryError, match="the folder is there already"):
        export_cube(project, exported[0], working=True)


def test_a_text_that_means_something_to_cube_is_escaped() -> None:
    assert escape("a {b} \\ {{c}}") == "a \\{b\\} \\\\ \\{\\{c\\}\\}"


def test_the_command_says_what_it_leaves_out_and_writes_nothing_when_dry(project: Path) -> None:
    run = subprocess.run(
        [str(Path(sys.executable).parent / "gnomon"), "export", "cube", "--out", "elsewhere", "--working", "--dry-run"],
        cwd=project, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "metric balance: each group takes the last moment of its period only" in run.stdout
    assert run.stderr.startswith("would write elsewhere: ")
    assert not (project / "elsewhere").exists()


def test_refusals_name_members_of_views(exported: tuple[Path, Written]) -> None:
    folder, written = exported
    refusals = json.loads((folder / "refusals.json").read_text(encoding="utf-8"))
    assert refusals["views"] == sorted(written.views, key=refusals["views"].index)
    members = {f"{view}.{metric}" for view, metrics in written.views.items() for metric in metrics}
    assert set(refusals["not_by"]) | set(refusals["running"]) <= members
    assert "order__is_paid" in refusals["not_by"]["health__order.paid_share"]


def find_sql(part: Any) -> Iterator[str]:
    """Every text that Cube reads as SQL."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "sql" and isinstance(value, str):
                yield value
            else:
                yield from find_sql(value)
    elif isinstance(part, list):
        for each in part:
            yield from find_sql(each)
