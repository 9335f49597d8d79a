"""The project's own dashboards over the sample: they check, they render, and what they show is what the engine says."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import vl_convert

from gnomon import Engine
from gnomon.core.errors import QueryError
from gnomon.dashboards import (
    Asking,
    Dashboard,
    DashboardAnswer,
    TileAnswer,
    choose_dashboards,
    load_dashboards,
    read_choices,
)
from gnomon.dashboards.answers import Refusal, Rows
from gnomon.dashboards.charts import Chart, draw_chart, draw_course, find_vega_lite
from gnomon.dashboards.exposures import FILE, write_exposures
from gnomon.semantic import read_manifest
from gnomon.serve.pages import write_pages
from tests.journey.conftest import Built
from tests.unit.test_dashboards import Page

NAMES = (
    "appeals_and_fairness",
    "daily_operations",
    "data_quality",
    "enforcement",
    "risk_trends",
    "supply_and_commerce",
)
ADDRESS = re.compile(r"(?:https?:)?//[\w.-]+\.\w+", re.IGNORECASE)


@pytest.fixture(scope="module")
def engine(built_sample: Built, project: Path) -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_TARGET_PATH", str(built_sample.target))
        opened = Engine.open(project)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def boards(engine: Engine, project: Path) -> dict[str, Dashboard]:
    return {each.name: each for each in load_dashboards(engine, project)}


@pytest.fixture(scope="module")
def asking(engine: Engine) -> Asking:
    return Asking(engine)


@pytest.fixture(scope="module")
def answers(asking: Asking, boards: dict[str, Dashboard]) -> dict[str, DashboardAnswer]:
    return {name: asking.answer(board) for name, board in boards.items()}


@pytest.fixture(scope="module")
def pages(answers: dict[str, DashboardAnswer]) -> dict[str, str]:
    return dict(write_pages(list(answers.values())))


@pytest.fixture(scope="module")
def charts(answers: dict[str, DashboardAnswer]) -> dict[tuple[str, str], Chart]:
    """The chart of each tile that has one, by dashboard and tile."""
    return {
        (name, tile): chart
        for name, page in answers.items()
        for tile, answer in page.tiles.items()
        if (chart := draw_chart(answer) or draw_course(answer))
    }


def test_the_six_dashboards_check(built_sample: Built, boards: dict[str, Dashboard]) -> None:
    assert tuple(boards) == NAMES
    assert {name for name, board in boards.items() if not board.is_official} == {"data_quality"}
    checked = built_sample.run("gnomon", "dashboards", "check")
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout == ""


def test_a_wrong_dashboard_fails_the_check_with_all_that_is_wrong(
    built_sample: Built, project: Path, tmp_path: Path
) -> None:
    shutil.copytree(project / "dashboards", tmp_path / "dashboards")
    path = tmp_path / "dashboards" / "risk_trends.yml"
    wrong = (
        path.read_text().replace("metric: violations}", "metric: violation}").replace("official: true", "offical: true")
    )
    path.write_text(wrong)
    other = tmp_path / "dashboards" / "data_quality.yml"
    other.write_text(other.read_text().replace("official: false", "official: true"))
    checked = built_sample.run("gnomon", "dashboards", "check", "--json", "--project-dir", str(tmp_path))
    assert checked.returncode == 1, checked.stderr
    faults = json.loads(checked.stdout)["faults"]
    assert any(
        "risk_trends.yml" in fault and "unknown key 'offical'. Did you mean 'official'?" in fault for fault in faults
    )
    assert any("'data_quality' is official, and metric 'safety_score' is draft" in fault for fault in faults)
    assert all(re.search(r"\.yml:\d+: ", fault) for fault in faults)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_stands_alone(pages: dict[str, str], answers: dict[str, DashboardAnswer], name: str) -> None:
    page = Page(pages[f"{name}.html"])
    own = [text for kind, text in page.scripts if kind is None or kind == "application/json"]
    vega = max(own, key=len)
    assert "vegaEmbed" in vega
    without_vega = pages[f"{name}.html"].replace(vega, "")
    assert ADDRESS.findall(without_vega) == []
    linked = {value for attribute, value in page.attributes if attribute == "href" and not value.startswith("#")}
    assert linked == {"index.html", *(f"{each}.html" for each in NAMES)}
    assert {attribute for attribute, _ in page.attributes} & {"src", "srcset", "data", "action", "poster"} == set()
    origin = answers[name].origin
    for fact in (origin.data_version, origin.definition_version, f"{origin.as_of:%Y-%m-%d %H:%M} UTC", "simulated-"):
        assert fact in page.text


@pytest.mark.parametrize("name", NAMES)
def test_every_tile_says_what_it_is_of_and_every_chart_is_described(
    pages: dict[str, str], answers: dict[str, DashboardAnswer], charts: dict[tuple[str, str], Chart], name: str
) -> None:
    page = Page(pages[f"{name}.html"])
    for tile in answers[name].dashboard.tiles:
        assert tile.title in page.text
    shown = [answer for answer in answers[name].tiles.values() if answer.metrics]
    subtitles = re.findall(r'<p class="subtitle">(.*?)</p>', pages[f"{name}.html"])
    assert len(subtitles) == len(shown)
    assert all("UTC" in each for each in subtitles)
    described = [value for attribute, value in page.attributes if attribute == "aria-label"]
    drawn = [chart for (board, _), chart in charts.items() if board == name]
    assert len(page.specs) == len(drawn) > 0
    assert {str(chart.spec["description"]) for chart in drawn} <= set(described)
    for answer in shown:
        for metric in answer.metrics:
            assert " ".join(metric.description.split())[:60] in page.text


@pytest.mark.parametrize("name", NAMES)
def test_what_a_chart_holds_is_what_the_engine_answers(
    engine: Engine,
    pages: dict[str, str],
    answers: dict[str, DashboardAnswer],
    charts: dict[tuple[str, str], Chart],
    name: str,
) -> None:
    held = {spec["description"]: spec for spec in Page(pages[f"{name}.html"]).specs}
    compared = 0
    for answer in answers[name].tiles.values():
        chart = charts.get((name, answer.tile.name))
        if chart is None or answer.tile.kind in ("number", "distribution", "funnel"):
            continue
        spec = held[str(chart.spec["description"])]
        data = [each for rows in spec["datasets"].values() for each in rows if "value" in each]
        shown = sorted(each["value"] for each in data if each["value"] is not None)
        assert shown == pytest.approx(sorted(ask_again(engine, answer)), rel=1e-12), answer.tile.name
        compared += len(shown)
    assert compared > 50


def ask_again(engine: Engine, answer: TileAnswer) -> list[float]:
    """The tile's question, put together from its file and its days alone."""
    assert answer.asked is not None
    assert answer.asked.days is not None
    tile, content = answer.tile, answer.tile.content
    by = getattr(content, "by", None)
    top = 6 if tile.kind in ("line", "area") and by else getattr(content, "top", None)
    result = engine.query(
        tile.metrics,
        tile.groups,
        start=answer.asked.days.first,
        end=answer.asked.days.last,
        order_by=[name for name in tile.groups if name.startswith("metric_time")] or [f"-{tile.metrics[0]}"],
        top=top,
    )
    columns = (result.table.column(metric).to_pylist() for metric in tile.metrics)
    return [float(value) for column in columns for value in column if value is not None]


def test_a_number_its_interval_and_its_change_are_those_of_the_engine(
    engine: Engine, pages: dict[str, str], answers: dict[str, DashboardAnswer]
) -> None:
    asked = answers["risk_trends"].tiles["content_rate"].asked
    assert asked is not None
    assert asked.days is not None
    assert asked.days.last == date(2026, 6, 18)
    name = "low_quality_content_rate"
    result = engine.query([name, f"{name}__change"], start="2026-05-22", end="2026-06-18")
    (row,), (interval,) = result.table.to_pylist(), result.intervals[name]
    assert interval is not None
    text = Page(pages["risk_trends.html"]).text
    assert f"{100 * row[name]:.2f} %" in text
    assert f"95 % interval {100 * interval.low:.2f} % to {100 * interval.high:.2f} %" in text
    assert f"{100 * abs(row[f'{name}__change']):.2f} points against the 28 days before" in text
    assert "target at most 1.00 %: missed" in text


def test_immature_weeks_are_shaded_from_where_they_begin(answers: dict[str, DashboardAnswer]) -> None:
    answer = answers["risk_trends"].tiles["content_rate_weekly"]
    chart = draw_chart(answer)
    assert chart is not None
    assert answer.asked is not None
    data = [each for rows in chart.spec["datasets"].values() for each in rows]
    (shade,) = [each for each in data if "from" in each]
    assert shade["from"] == "2026-06-11T12:00:00Z"
    states = {each["when"]: each["state"] for each in data if "state" in each}
    assert states["2026-06-08T00:00:00Z"] == "mature"
    assert states["2026-06-15T00:00:00Z"] == states["2026-06-22T00:00:00Z"] == "can still change"
    assert "Shaded: after 18 Jun 2026 values can still change." in chart.notes
    bands = [layer for layer in chart.spec["layer"] if layer["mark"].get("style") == "band"]
    assert bands[0]["encoding"]["y2"] == {"field": "high"}
    assert all(each["low"] < each["value"] < each["high"] for each in data if each.get("value"))


def test_figures_without_a_time_are_of_mature_days(answers: dict[str, DashboardAnswer]) -> None:
    for page in answers.values():
        for answer in page.tiles.values():
            if (
                answer.asked
                and answer.asked.days
                and not any(name.startswith("metric_time") for name in answer.tile.groups)
            ):
                assert answer.asked.days.last <= answer.asked.mature_until


def test_a_refusal_is_shown_with_its_reason(pages: dict[str, str], answers: dict[str, DashboardAnswer]) -> None:
    index = answers["data_quality"].tiles["index"].main
    assert isinstance(index, Refusal)
    text = Page(pages["data_quality.html"]).text
    assert "Refused" in text
    assert "integrity: matrix_account_share (no model of operator clusters is built yet)" in text


def test_values_on_too_few_units_are_no_value_with_the_reason(
    pages: dict[str, str], answers: dict[str, DashboardAnswer]
) -> None:
    rows = answers["risk_trends"].tiles["content_rate_by_tier"].main
    assert isinstance(rows, Rows)
    missing = [row.figures[0] for row in rows.rows if row.figures[0].value is None]
    assert missing
    assert all("needs 50" in (figure.reason or "") for figure in missing)
    assert "values stand on fewer than 50 reviewed views" in Page(pages["risk_trends.html"]).text


def test_every_kind_of_chart_compiles_in_vega_lite(
    answers: dict[str, DashboardAnswer], charts: dict[tuple[str, str], Chart]
) -> None:
    kinds: dict[str, Mapping[str, Any]] = {}
    for (name, tile), chart in charts.items():
        kinds.setdefault(answers[name].tiles[tile].tile.kind, chart.spec)
    kinds["stack"] = charts["supply_and_commerce", "gmv_by_product"].spec
    kinds["columns"] = charts["daily_operations", "gmv_daily"].spec
    assert set(kinds) == {
        "number", "line", "area", "stack", "bar", "columns", "funnel", "heat_map", "distribution",
    }  # fmt: skip
    for spec in kinds.values():
        fixed = {**spec, "width": 400, "height": 200}
        assert vl_convert.vegalite_to_svg(fixed, vl_version=find_vega_lite()).startswith("<svg")


def test_equal_answers_make_equal_pages(answers: dict[str, DashboardAnswer]) -> None:
    one = [answers["appeals_and_fairness"]]
    assert write_pages(one) == write_pages(one)


def test_rows_come_in_one_order(
    engine: Engine, boards: dict[str, Dashboard], answers: dict[str, DashboardAnswer]
) -> None:
    again = Asking(engine).answer(boards["appeals_and_fairness"])
    for name, tile in again.tiles.items():
        before = answers["appeals_and_fairness"].tiles[name].main
        if isinstance(tile.main, Rows) and isinstance(before, Rows):
            assert [row.groups for row in tile.main.rows] == [row.groups for row in before.rows]


def test_pages_are_rendered_from_the_shell(built_sample: Built, tmp_path: Path) -> None:
    out = tmp_path / "pages"
    command = ("gnomon", "dashboards", "render", "--out", str(out), "--name", "appeals_and_fairness")
    options = ("--filter", "region=ID", "--filter", "region=VN", "--filter", "policy=spam", "--role", "reader")
    made = built_sample.run(*command, *options, "--from", "2026-04-06", "--to", "2026-06-28")
    assert made.returncode == 0, made.stderr
    assert sorted(path.name for path in out.iterdir()) == ["appeals_and_fairness.html", "index.html"]
    text = Page((out / "appeals_and_fairness.html").read_text(encoding="utf-8")).text
    for words in (
        "ID, VN",
        "spam",
        "6 Apr to 28 Jun 2026, UTC",
        "not filtered by policy",
        "role reader",
        "role 'reader' may neither see nor filter by 'creator'",
    ):
        assert words in text


def test_a_page_that_cannot_be_as_asked_is_refused(
    built_sample: Built, tmp_path: Path, boards: dict[str, Dashboard], asking: Asking
) -> None:
    command = ("gnomon", "dashboards", "render", "--out", str(tmp_path / "pages"), "--from", "May")
    made = built_sample.run(*command)
    assert made.returncode == 2
    assert "--from 'May' is not a day" in made.stderr
    assert not (tmp_path / "pages").exists()
    with pytest.raises(QueryError, match=r"unknown filter 'regon'\. Did you mean 'region'\?"):
        read_choices(list(boards.values()), ["regon=ID"])
    with pytest.raises(QueryError, match="unknown dashboard 'risk'"):
        choose_dashboards(list(boards.values()), ["risk"])
    with pytest.raises(QueryError, match="filter 'region': unknown value 'id'"):
        asking.answer(boards["risk_trends"], {"region": ["id"]})


def test_exposures_are_what_would_be_written(
    semantic_manifest_path: Path, boards: dict[str, Dashboard], project: Path, built_sample: Built
) -> None:
    text = write_exposures(read_manifest(semantic_manifest_path), list(boards.values()))
    assert (project / FILE).read_text(encoding="utf-8") == text, "run `gnomon dashboards exposures`"
    manifest = json.loads(semantic_manifest_path.with_name("manifest.json").read_text(encoding="utf-8"))
    risk = manifest["exposures"]["exposure.gnomon.dashboard_risk_trends"]["depends_on"]["nodes"]
    assert "metric.gnomon.low_quality_content_rate" in risk
    assert set(risk) == {f"metric.gnomon.{name}" for name in boards["risk_trends"].metrics}
    assert built_sample.run("gnomon", "dashboards", "exposures", "--check").returncode == 0


def test_what_a_real_log_does_not_have_is_said_and_never_zero(built_real_log: Built, project: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_TARGET_PATH", str(built_real_log.target))
        engine = Engine.open(project)
    try:
        boards = load_dashboards(engine, project)
        answers = [Asking(engine).answer(board) for board in boards]
    finally:
        engine.close()
    pages = write_pages(answers)
    text = Page(pages["risk_trends.html"]).text
    assert "the source has no 'quality reviews'" in text or "the source has no 'quality_reviews'" in text
    sales = next(each for each in answers if each.dashboard.name == "supply_and_commerce").tiles["gmv"].main
    assert isinstance(sales, Rows)
    assert all(figure.value is None for row in sales.rows for figure in row.figures)
    views = next(each for each in answers if each.dashboard.name == "daily_operations").tiles["traffic_daily"]
    assert draw_chart(views) is not None
