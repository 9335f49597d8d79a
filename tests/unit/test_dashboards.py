"""Days, periods, verdicts, bins and choices of dashboards; and pages of a world whose words are hostile."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gnomon import Engine
from gnomon.core.errors import AccessError, QueryError
from gnomon.core.names import MetricName
from gnomon.dashboards import Asking, Dashboard, choose_dashboards, load_dashboards, read_choices
from gnomon.dashboards.answers import Figure, Refusal, Rows
from gnomon.dashboards.charts import draw_chart
from gnomon.dashboards.charts.chart import STYLES
from gnomon.dashboards.charts.distribution import choose_width, count_bins
from gnomon.dashboards.periods import Days, choose_days, find_mature_day, is_mature, keep_whole_periods, list_periods
from gnomon.dashboards.verdicts import Verdict, is_unchanged, judge_change, judge_target
from gnomon.dashboards.words import name_unit, say_days
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Documentation, Metric, MetricKind
from gnomon.serve.pages import write_pages
from tests.generations import build_small

HOSTILE = "</script><img src=x onerror=alert(1)>'\"&{{ 7 * 7 }}"
BOARD = """\
title: "<b>Posts</b> of </title>"
why: "A page of words that would like to be more: <script>alert(2)</script>"
owner: {name: "Ops & <i>Co</i>", email: ops@example.com}
official: false
last_days: 28
filters:
  - {name: kind, title: "Kind <u>", dimensions: [post__kind]}
tabs:
  - name: all
    title: "All <hr>"
    tiles:
      - {name: number, title: "Posts <script>", grid: {column: 1, row: 1, width: 4, height: 2}, number: {metric: posts, last_days: 7}}
      - {name: bars, title: "Posts by 'kind'", grid: {column: 5, row: 1, width: 8, height: 4}, bar: {metric: posts, by: post__kind}}
      - {name: stack, title: Stacked, grid: {column: 1, row: 5, width: 6, height: 4}, area: {metric: posts, by: post__kind, grain: day}}
      - {name: lines, title: Lines, grid: {column: 7, row: 5, width: 6, height: 4}, line: {metrics: [views], by: post__kind}}
      - {name: again, title: Bars again, grid: {column: 1, row: 9, width: 6, height: 4}, table: {metrics: [posts], by: [post__kind]}}
      - {name: spread, title: Spread, grid: {column: 7, row: 9, width: 6, height: 4}, distribution: {metric: posts, over: creator}}
      - {name: words, title: Words, grid: {column: 1, row: 13, width: 12, height: 1}, text: "<img src=x onerror=alert(3)> {{ policy }}"}
"""  # noqa: E501


def metric(unit: str = "count", **more: Any) -> Metric:
    return Metric(
        name=MetricName("m"),
        kind=MetricKind.SIMPLE,
        description="What it is. Unit: posts per 1,000 views, more or less.",
        filters=(),
        measure=None,
        inputs=(),
        expr=None,
        time_grain=None,
        documentation=Documentation(unit=unit, **more),
    )


# Days ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grain", "first", "last", "kept"),
    [
        (Grain.DAY, "2026-03-04", "2026-03-10", ("2026-03-04", "2026-03-10")),
        (Grain.WEEK, "2026-03-04", "2026-03-24", ("2026-03-09", "2026-03-22")),
        (Grain.WEEK, "2026-03-02", "2026-03-08", ("2026-03-02", "2026-03-08")),
        (Grain.MONTH, "2026-01-02", "2026-03-31", ("2026-02-01", "2026-03-31")),
        (Grain.QUARTER, "2025-12-31", "2026-06-29", ("2026-01-01", "2026-03-31")),
        (Grain.YEAR, "2023-12-31", "2025-01-01", ("2024-01-01", "2024-12-31")),
        (Grain.MONTH, "2026-01-02", "2026-02-27", None),
    ],
)
def test_only_whole_periods_are_kept(grain: Grain, first: str, last: str, kept: tuple[str, str] | None) -> None:
    found = keep_whole_periods(Days(date.fromisoformat(first), date.fromisoformat(last)), grain)
    assert found == (None if kept is None else Days(*map(date.fromisoformat, kept)))


def test_periods_are_listed_without_a_gap_over_months_of_every_length() -> None:
    months = list_periods(Days(date(2024, 1, 1), date(2024, 12, 31)), Grain.MONTH)
    assert months == tuple(date(2024, month, 1) for month in range(1, 13))


def test_the_days_are_those_before_the_clock_unless_others_are_named() -> None:
    clock = datetime(2026, 6, 30, 13)
    assert choose_days(clock, 28, None, None) == Days(date(2026, 6, 2), date(2026, 6, 29))
    assert choose_days(clock, 28, None, date(2026, 5, 31)) == Days(date(2026, 5, 4), date(2026, 5, 31))
    assert choose_days(clock, 28, date(2026, 6, 1), None).count == 29
    with pytest.raises(QueryError, match=r"--to 2026-06-30 is after the last whole day of the data, 2026-06-29"):
        choose_days(clock, 28, None, date(2026, 6, 30))
    with pytest.raises(QueryError, match=r"--from 2026-06-02 is after the last day, 2026-06-01"):
        choose_days(clock, 28, date(2026, 6, 2), date(2026, 6, 1))


def test_a_day_is_mature_when_it_is_for_the_slowest_metric() -> None:
    clock = datetime(2026, 6, 30)
    assert find_mature_day([metric()], clock) == date(2026, 6, 29)
    assert find_mature_day([metric(), metric(matures_after_days=26)], clock) == date(2026, 6, 4)
    assert is_mature(date(2026, 5, 25), Grain.WEEK, date(2026, 5, 31))
    assert not is_mature(date(2026, 5, 25), Grain.WEEK, date(2026, 5, 30))


def test_days_and_units_are_said_as_people_say_them() -> None:
    assert say_days(Days(date(2026, 3, 9), date(2026, 6, 28))) == "9 Mar to 28 Jun 2026"
    assert say_days(Days(date(2025, 12, 9), date(2026, 1, 8))) == "9 Dec 2025 to 8 Jan 2026"
    assert name_unit(metric("per_thousand")) == "posts per 1,000 views"
    assert name_unit(metric("rate")) == "posts per 1,000 views, %"


# What can be said of a figure ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "change", "verdict"),
    [
        ("down", Figure(-0.02), Verdict.GOOD),
        ("down", Figure(0.02), Verdict.BAD),
        ("up", Figure(0.02), Verdict.GOOD),
        ("down", Figure(-0.02, -0.05, 0.01), Verdict.UNCLEAR),
        ("down", Figure(-0.02, -0.05, -0.01), Verdict.GOOD),
        ("none", Figure(-0.02), Verdict.NONE),
        ("down", Figure(0.00001), Verdict.NONE),
        ("down", Figure(None, reason="nothing"), Verdict.NONE),
    ],
)
def test_a_change_is_judged_by_direction_and_no_more_than_is_sure(
    direction: str, change: Figure, verdict: Verdict
) -> None:
    assert judge_change(metric("rate", direction=direction), metric("points"), change) is verdict


def test_a_change_that_would_be_shown_as_zero_is_none() -> None:
    assert is_unchanged(metric("rate"), Figure(-0.0004))
    assert not is_unchanged(metric("rate"), Figure(-0.0006))
    assert is_unchanged(metric("points"), Figure(0.00004))
    assert is_unchanged(metric("per_thousand"), Figure(0.0))
    assert not is_unchanged(metric("per_thousand"), Figure(0.001))
    assert not is_unchanged(metric("rate"), Figure(None, reason="nothing"))


@pytest.mark.parametrize(
    ("direction", "figure", "verdict"),
    [
        ("down", Figure(0.01), Verdict.GOOD),
        ("down", Figure(0.03), Verdict.BAD),
        ("up", Figure(0.03), Verdict.GOOD),
        ("down", Figure(0.03, 0.015, 0.05), Verdict.UNCLEAR),
        ("down", Figure(0.03, 0.025, 0.05), Verdict.BAD),
        ("down", Figure(None, reason="nothing"), Verdict.NONE),
    ],
)
def test_a_target_is_met_or_missed_unless_the_interval_holds_it(
    direction: str, figure: Figure, verdict: Verdict
) -> None:
    assert judge_target(metric("rate", direction=direction, target=0.02), figure) is verdict


def test_bins_count_every_value_once() -> None:
    values = [float(value) for value in (1, 1, 2, 3, 17, 40, 41)]
    bins = count_bins(metric(), values)
    assert [each["bin"] for each in bins[:2]] == ["1 to 5", "6 to 10"]
    assert sum(int(each["value"] or 0) for each in bins) == len(values)
    assert bins[0]["value"] == 4
    assert len(bins) <= 17
    rates = count_bins(metric("rate"), [0.0, 0.04, 0.5, 1.0])
    assert sum(int(each["value"] or 0) for each in rates) == 4
    assert count_bins(metric(), []) == []
    assert [each["bin"] for each in count_bins(metric(), [3.0, 3.0])] == ["3"]


def test_a_bin_is_as_wide_as_a_round_number() -> None:
    assert choose_width(160.0, True) == 10
    assert choose_width(1.0, False) == pytest.approx(0.1)
    assert choose_width(3.0, True) == 1


def test_choices_are_read_or_refused() -> None:
    boards: list[Any] = []
    with pytest.raises(QueryError, match="says no value"):
        read_choices(boards, ["kind"])
    with pytest.raises(QueryError, match="unknown filter 'kind'"):
        read_choices(boards, ["kind=a"])
    with pytest.raises(QueryError, match="unknown dashboard 'posts'"):
        choose_dashboards(boards, ["posts"])


# A world of hostile words ----------------------------------------------------------------------


class Page(HTMLParser):
    """The elements of a page, and the text of each script by its kind."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.text = ""
        self._open: tuple[str | None, str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "script":
            self._open = (dict(attrs).get("type"), "")

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open = (self._open[0], self._open[1] + data)
        else:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._open:
            self.scripts.append(self._open)
            self._open = None

    @property
    def specs(self) -> list[dict[str, Any]]:
        return [json.loads(text) for kind, text in self.scripts if kind == "application/json"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    quoted = HOSTILE.replace("'", "''")
    build_small(folder).execute(f"update fct_posts set kind = '{quoted}' where kind = 'live'")
    (folder / "dashboards").mkdir()
    (folder / "dashboards" / "board.yml").write_text(BOARD)
    return folder


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DBT_TARGET_PATH", raising=False)
        opened = Engine.open(folder)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def board(engine: Engine, folder: Path) -> Dashboard:
    (only,) = load_dashboards(engine, folder)
    return only


@pytest.fixture(scope="module")
def page(engine: Engine, board: Dashboard) -> Page:
    return Page(write_pages([Asking(engine).answer(board)])["board.html"])


def test_hostile_words_are_shown_and_never_run(page: Page) -> None:
    assert page.tags["img"] == 0
    assert page.tags["u"] == page.tags["i"] == page.tags["hr"] == 0
    assert [name for name, _ in page.attributes if name.startswith("on")] == []
    # Vega and the page's own script, and nothing else that runs.
    assert len([kind for kind, _ in page.scripts if kind is None]) == 2
    for words in (HOSTILE, "<b>Posts</b> of </title>", "<script>alert(2)</script>", "<img src=x onerror=alert(3)>"):
        assert words in page.text
    assert "{{ policy }}" in page.text
    assert HOSTILE in json.dumps(page.specs, ensure_ascii=False).replace('\\"', '"')


def test_only_the_two_scripts_of_the_page_may_run_and_nothing_is_loaded(page: Page) -> None:
    policy = next(value for _, value in page.attributes if "script-src" in value)
    digests = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for kind, text in page.scripts if kind is None
    ]
    assert policy.startswith("default-src 'none'; script-src ")
    assert all(f"'sha256-{digest}'" in policy for digest in digests)
    assert policy.count("sha256-") == 2
    assert "unsafe-eval" not in policy
    assert page.tags["link"] == page.tags["iframe"] == page.tags["object"] == 0
    assert [value for name, value in page.attributes if name in ("src", "href") and ":" in value] == []


def test_every_style_of_a_chart_is_in_the_theme(page: Page) -> None:
    used = {
        layer["mark"]["style"]
        for spec in page.specs
        for layer in spec.get("layer", [spec])
        if isinstance(layer["mark"], dict) and "style" in layer["mark"]
    }
    script = next(text for kind, text in page.scripts if kind is None and "makeTheme" in text)
    assert used
    assert used <= set(STYLES)
    assert [style for style in STYLES if f" {style}: {{" not in script] == []


def test_pieces_of_a_stack_stand_on_one_another(engine: Engine, board: Dashboard) -> None:
    chart = draw_chart(Asking(engine).answer(board).tiles["stack"])
    assert chart is not None
    (data,) = chart.spec["datasets"].values()
    by_day: dict[str, list[dict[str, Any]]] = {}
    for each in data:
        by_day.setdefault(each["when"], []).append(each)
    for pieces in by_day.values():
        floor = 0.0
        for each in pieces:
            assert each["floor"] == floor
            floor = each["top"]
        assert floor == sum(each["value"] or 0.0 for each in pieces)


def test_a_distribution_names_nobody(page: Page) -> None:
    assert re.findall(r"(?<![#\w])c\d{1,2}\b", page.text + json.dumps(page.specs)) == []
    assert "creators with a value" in page.text


def test_equal_questions_are_asked_once(engine: Engine, board: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    asks = engine.query

    def count(*args: Any, **named: Any) -> Any:
        calls.append((args, named))
        return asks(*args, **named)

    monkeypatch.setattr(engine, "query", count)
    asking = Asking(engine)
    asking.answer(board)
    asked = len(calls)
    # `bars` and `again` ask the same.
    assert asking.count == asked == 6
    asking.answer(board)
    assert len(calls) == asked


def test_chosen_values_and_days_reach_every_tile(engine: Engine, board: Dashboard) -> None:
    answer = Asking(engine).answer(board, {"kind": ["video"]}, date(2026, 2, 1), date(2026, 2, 14))
    bars = answer.tiles["bars"].main
    assert isinstance(bars, Rows)
    assert [row.groups for row in bars.rows] == [("video",)]
    assert answer.tiles["bars"].asked is not None
    assert answer.tiles["bars"].asked.days == Days(date(2026, 2, 1), date(2026, 2, 14))
    with pytest.raises(QueryError, match="filter 'kind': unknown value 'vidio'"):
        Asking(engine).answer(board, {"kind": ["vidio"]})


def test_too_few_days_for_a_period_are_said_and_not_drawn(engine: Engine, board: Dashboard) -> None:
    answer = Asking(engine).answer(board, None, date(2026, 2, 3), date(2026, 2, 5))
    lines = answer.tiles["lines"].main
    assert isinstance(lines, Refusal)
    assert lines.reason == "no whole week lies in 2026-02-03 to 2026-02-05"
    assert "no whole week lies in 2026-02-03 to 2026-02-05" in Page(write_pages([answer])["board.html"]).text


def test_an_unknown_role_is_refused_at_once(engine: Engine) -> None:
    with pytest.raises(AccessError, match="unknown role 'reder'"):
        Asking(engine, "reder")
