"""Every text that a wrong file of dashboards/ is told with: tests/golden/dashboards.txt."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from gnomon import Engine
from gnomon.core.errors import DefinitionError
from gnomon.dashboards import check_dashboards, load_dashboards
from tests.manifests import derived, ratio, simple, write_manifest
from tests.soundness import conftest as small

METRICS = [
    simple("posts", certification="certified", unit="count"),
    simple("views", certification="certified", unit="count", always_with=["posts"]),
    simple("bad_posts", certification="draft", unit="count"),
    ratio("bad_rate", "bad_posts", "posts", certification="certified", unit="rate"),
    simple("most_views", certification="certified", unit="count"),
    derived("index", "posts + 1", ["posts"], certification="certified", unit="score", always_with=["bad_rate"],
        missing_inputs=[{"sub_score": "all", "metric": "more", "reason": "nothing counts it yet"}]),
    simple("active_creators", certification="certified", unit="count"),
]  # fmt: skip
SOUND = """\
title: Posts
why: It shows all that a dashboard can show.
owner: {name: Ops, email: ops@example.com}
official: false
last_days: 30
filters:
  - {name: tier, title: Tier, dimensions: [creator__tier]}
  - {name: kind, title: Kind, dimensions: [post__kind]}
tabs:
  - name: all
    title: All
    tiles:
      - name: posts
        title: How many posts
        grid: {column: 1, row: 1, width: 3, height: 2}
        number: {metric: posts}
      - name: posts_weekly
        title: Posts by week
        grid: {column: 4, row: 1, width: 9, height: 2}
        area: {metric: posts, by: post__kind}
      - name: views_weekly
        title: Views and posts by week
        grid: {column: 1, row: 3, width: 6, height: 4}
        line: {metrics: [views, posts]}
        not_filtered_by: [kind]
      - name: by_tier
        title: Posts by tier
        grid: {column: 7, row: 3, width: 6, height: 4}
        bar: {metric: posts, by: creator__tier}
        filtered_by: {kind: post__kind}
      - name: funnel
        title: From posts to bad posts
        grid: {column: 1, row: 7, width: 12, height: 2}
        funnel: {steps: [posts, bad_posts], rates: [bad_rate]}
      - name: by_both
        title: Posts by kind and week
        grid: {column: 1, row: 9, width: 12, height: 2}
        heat_map: {metric: posts, rows: post__kind, columns: metric_time__week}
      - name: creators
        title: Posts of a creator
        grid: {column: 1, row: 11, width: 6, height: 2}
        distribution: {metric: posts, over: creator}
      - name: table
        title: All in a table
        grid: {column: 7, row: 11, width: 6, height: 2}
        table: {metrics: [posts, views], by: [post__kind]}
      - name: index
        title: What cannot be measured yet
        grid: {column: 1, row: 13, width: 6, height: 2}
        number: {metric: index}
      - name: words
        title: How to read it
        grid: {column: 7, row: 13, width: 6, height: 2}
        text: Read it.
"""
BAR = "bar: {metric: posts, by: creator__tier}"
LINE = "line: {metrics: [views, posts]}"
CELL = "{column: 7, row: 3, width: 6, height: 4}"
SAID = "not_filtered_by: [kind]"
# What is wrong, and the change of the sound file that makes it so.
WRONG: dict[str, tuple[str, str]] = {
    "an unknown key": ("        number: {metric: posts}", "        number: {metrc: posts}"),
    "an unknown kind": ("        bar:", "        bars:"),
    "nothing said": (SOUND, "{}\n"),
    "not a mapping": (SOUND, "- title: Posts\n"),
    "a key twice": ("official: false\n", "official: false\nofficial: true\n"),
    "two kinds": ("        text: Read it.", "        text: Read it.\n        number: {metric: posts}"),
    "no name": ("      - name: posts\n", "      - name: Posts!\n"),
    "an unknown grain": (LINE, "line: {metrics: [views, posts], grain: weeks}"),
    "by groups and of several metrics": (LINE, "line: {metrics: [views, posts], by: post__kind}"),
    "rates that are too many": ("rates: [bad_rate]", "rates: [bad_rate, bad_rate]"),
    "off the grid": (CELL, "{column: 8, row: 3, width: 6, height: 4}"),
    "an unknown metric": ("number: {metric: posts}", "number: {metric: post}"),
    "an unknown metric in a list": (LINE, "line: {metrics: [views, postz]}"),
    "an unknown dimension": (BAR, "bar: {metric: posts, by: creator__teir}"),
    "an unreachable dimension": (f"{LINE}\n        {SAID}", "bar: {metric: active_creators, by: post__kind}"),
    "an unknown dimension of a filter": ("dimensions: [post__kind]}", "dimensions: [post__knd]}"),
    "an unknown filter": (SAID, "not_filtered_by: [kynd]"),
    "a filter that does not reach a tile": (f"{LINE}\n        {SAID}", "line: {metrics: [active_creators]}"),
    "a filter that reaches not all metrics": (f"{LINE}\n        {SAID}", "line: {metrics: [posts, active_creators]}"),
    "a filter that reaches nothing": ("[creator__tier]}\n  - {name: kind", "[account__tier]}\n  - {name: kind"),
    "filtered and not filtered": (SAID, f"{SAID}\n        filtered_by: {{kind: post__kind}}"),
    "filtered by what is not reached": ("filtered_by: {kind: post__kind}", "filtered_by: {kind: post__knd}"),
    "official with a draft": ("official: false", "official: true"),
    "a metric alone": ("      - name: index", "  - name: second\n    title: Second\n    tiles:\n      - name: index"),
    "a name twice": ("- name: by_tier", "- name: posts_weekly"),
    "a title twice": ("title: Posts by tier", "title: Posts by week"),
    "shown twice": (BAR, "number: {metric: posts}"),
    "an overlap": (CELL, "{column: 6, row: 3, width: 6, height: 4}"),
    "two units on an axis": (LINE, "line: {metrics: [views, posts, bad_rate]}"),
    "a step that is no count": ("steps: [posts, bad_posts]", "steps: [posts, bad_rate]"),
    "a stack of what does not add up": ("area: {metric: posts,", "area: {metric: most_views,"),
    "an alert of no series": (BAR, f"{BAR}\n        alert: {{hour: 7}}"),
    "an alert without a target": (LINE, "line: {metrics: [views]}\n        alert: {hour: 7}"),
    "an alert to nobody": (LINE, "line: {metrics: [views]}\n        alert: {hour: 7, to: [ops]}"),
    "a subscription on no day": ("last_days: 30\n", "last_days: 30\nsubscription: {hour: 8}\n"),
    "a question that is refused": ("columns: metric_time__week", "columns: post__kind"),
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with duckdb.connect(str(tmp_path / "small.duckdb")) as connection:
        connection.execute(small.WORLD)
    opened = Engine.from_manifest(write_manifest(tmp_path / "m.json", small.MODELS, METRICS), tmp_path / "small.duckdb")
    yield opened
    opened.close()


def write(folder: Path, **files: str) -> None:
    (folder / "dashboards").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "dashboards" / f"{name}.yml").write_text(text)


def test_every_fault_reads_well(engine: Engine, tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    texts = []
    for name, (right, wrong) in WRONG.items():
        assert right in SOUND, name
        write(tmp_path, posts=SOUND.replace(right, wrong, 1))
        faults = check_dashboards(engine, tmp_path).faults
        assert faults, name
        assert all(re.match(r".*/dashboards/posts\.yml:\d+: ", fault) for fault in faults), faults
        texts.append(f"## {name}\n" + "\n".join(faults).replace(str(tmp_path), "FOLDER") + "\n")
    write(tmp_path, posts=SOUND, again=SOUND)
    texts.append(
        "## two of one title\n"
        + "\n".join(check_dashboards(engine, tmp_path).faults).replace(str(tmp_path), "FOLDER")
        + "\n"
    )
    golden("dashboards.txt", "\n".join(texts))


def test_a_sound_file_has_no_fault(engine: Engine, tmp_path: Path) -> None:
    write(tmp_path, posts=SOUND)
    checked = check_dashboards(engine, tmp_path)
    assert checked.faults == ()
    assert checked.exit_code == 0
    (board,) = load_dashboards(engine, tmp_path)
    assert {tile.kind for tile in board.tiles} == {
        "number", "line", "area", "bar", "table", "funnel", "heat_map", "distribution", "text",
    }  # fmt: skip


def test_all_faults_of_all_files_are_told_at_once(engine: Engine, tmp_path: Path) -> None:
    write(
        tmp_path,
        first=SOUND.replace("title: Posts\n", "titel: Posts\n"),
        second=SOUND.replace("{metric: posts}", "{metric: post}").replace("[creator__tier]", "[creator__teir]"),
    )
    checked = check_dashboards(engine, tmp_path)
    assert checked.exit_code == 1
    told = "\n".join(checked.faults)
    for words in ("first.yml:1: unknown key 'titel'", "unknown metric 'post'", "unknown dimension 'creator__teir'"):
        assert words in told
    with pytest.raises(DefinitionError, match=r"unknown metric 'post'\. Did you mean 'posts'"):
        load_dashboards(engine, tmp_path)


def test_a_file_whose_name_is_none_is_refused(engine: Engine, tmp_path: Path) -> None:
    write(tmp_path, **{"My board": SOUND})
    assert "'My board' is no name" in check_dashboards(engine, tmp_path).faults[0]


def test_a_folder_without_dashboards_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="no dashboard is there"):
        check_dashboards(engine, tmp_path)
