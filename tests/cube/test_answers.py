"""Cube itself reads what is exported of a small world, and answers as the engine does; what it may not, it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gnomon import Engine
from gnomon.core.errors import GnomonError
from gnomon.publish.cube import export_cube
from tests.cube.comparison import FAR, GRAINS, Pair
from tests.cube.exported import CubeApi, Refused, serve
from tests.cube.world import build_world

pytestmark = pytest.mark.nightly

ORDERS, VISITS, SHARE = "metrics__order", "metrics__visit", "health__order.paid_share"
RUNNING = ("orders_so_far", "most_so_far")
RANGES = (("2026-01-01", "2026-03-31"), ("2026-01-06", "2026-02-10"), ("2025-12-20", "2026-05-10"))
ROLES = ("everyone", "indonesia", "northern")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_world(tmp_path_factory.mktemp("world") / "project")


@pytest.fixture(scope="module")
def pair(project: Path) -> Iterator[Pair]:
    folder = project / "cube"
    written = export_cube(project, folder, working=True)
    shutil.copy(project / "target" / "gnomon.duckdb", folder)
    engine = Engine.open(project, working=True)
    with serve(folder, TZ=FAR) as cube:
        yield Pair(engine, cube, written)
    engine.close()


@pytest.fixture(scope="module")
def cube(pair: Pair) -> CubeApi:
    return pair.cube


def list_groupings(pair: Pair, view: str, metric: str) -> Iterator[tuple[str, ...]]:
    """Nothing, times, and every attribute by itself and beside a month."""
    yield from ((), ("metric_time__week",), ("metric_time__month", "metric_time__day"))
    shown = pair.cube.meta()[view]
    for name in pair.engine.dimensions_of(metric):
        if f"{view}.{name}" in shown and name != "metric_time":
            is_time = name.endswith(("_at", "_on", "__since", "__until"))
            yield (f"{name}__month" if is_time else name,)
            yield ("metric_time__month", f"{name}__week" if is_time else name)


def test_every_metric_by_every_attribute_equals_the_engine(pair: Pair) -> None:
    asked = 0
    for view, metric in pair.metrics:
        if metric not in RUNNING:
            for groups in list_groupings(pair, view, metric):
                pair.compare(view, metric, groups)
                asked += 1
    assert asked > 900


def test_every_attribute_of_the_engine_is_there_or_left_out_with_a_reason(pair: Pair) -> None:
    shown = pair.cube.meta()
    left_out = {name for names in pair.written.left_out.attributes.values() for name in names}
    for view, metric in pair.metrics:
        missing = {name for name in pair.engine.dimensions_of(metric) if f"{view}.{name}" not in shown[view]}
        assert missing <= left_out


@pytest.mark.parametrize(("view", "metric"), [
    (ORDERS, "amount"), (ORDERS, "buyers"), (ORDERS, "paid_median"), (VISITS, "visits"),
    ("metrics__shipment__by_shipped_on", "shipped"),
])  # fmt: skip
def test_a_range_of_days_equals_the_engine(pair: Pair, view: str, metric: str) -> None:
    weeks, months = {"start": "2026-01-05", "end": "2026-02-01"}, {"start": "2026-01-01", "end": "2026-02-28"}
    for attribute in ((), ("buyer__region",)):
        assert pair.compare(view, metric, attribute, start="2026-02-02", end="2026-02-02") >= 1
        assert pair.compare(view, metric, ("metric_time__day", *attribute), **weeks) >= 28
        assert pair.compare(view, metric, ("metric_time__week", *attribute), **weeks) >= 4
        assert pair.compare(view, metric, ("metric_time__month", *attribute), **months) >= 2


@pytest.mark.parametrize("metric", RUNNING)
def test_a_running_total_equals_the_engine_in_every_period(pair: Pair, metric: str) -> None:
    compared = 0
    for grain in GRAINS:
        for attribute in ((), ("buyer__region",), ("order__note",), ("buyer__nick",)):
            for start, end in RANGES:
                groups = (f"metric_time__{grain}", *attribute)
                compared += pair.compare(ORDERS, metric, groups, start=start, end=end)
    assert compared > 0


def test_a_rollup_is_read_where_it_holds_the_question(cube: CubeApi) -> None:
    weekly = [{"dimension": f"{ORDERS}.metric_time", "granularity": "week"}]
    assert cube.used_rollups(measures=[f"{ORDERS}.amount"], timeDimensions=weekly)
    assert cube.used_rollups(measures=[f"{ORDERS}.score"], dimensions=[f"{ORDERS}.buyer"])
    assert not cube.used_rollups(measures=[f"{ORDERS}.amount"], dimensions=[f"{ORDERS}.order__note"])
    assert not cube.used_rollups(measures=[f"{ORDERS}.buyers"], timeDimensions=weekly)


def test_texts_reach_cube_as_they_are(pair: Pair) -> None:
    assert pair.compare(ORDERS, "odd", ("order__note",)) == 3
    assert {key for (key,) in pair.ask_cube(ORDERS, "odd", ("order__note",))} == {
        None, "plain", 'it\'s "{{fine}}" \\ %d',
    }  # fmt: skip


NOTE = f"{ORDERS}.order__note"
FILTERS = {
    "a truth": ([{"member": f"{ORDERS}.order__is_paid", "operator": "equals", "values": ["true"]}],
                "{{ Dimension('order__is_paid') }} = true"),
    "a text": ([{"member": NOTE, "operator": "equals", "values": ['it\'s "{{fine}}" \\ %d']}],
               "{{ Dimension('order__note') }} like 'it%'"),
    "not a text": ([{"member": NOTE, "operator": "notEquals", "values": ["plain"]},
                    {"member": NOTE, "operator": "set"}],
                   "{{ Dimension('order__note') }} <> 'plain'"),
    "nothing": ([{"member": NOTE, "operator": "notSet"}], "{{ Dimension('order__note') }} is null"),
    "another table's": ([{"member": f"{ORDERS}.buyer__nick", "operator": "equals", "values": ["nobody"]}],
                        "{{ Dimension('buyer__nick') }} = 'nobody'"),
}  # fmt: skip


@pytest.mark.parametrize(("filters", "where"), FILTERS.values(), ids=FILTERS)
def test_a_filter_of_cube_s_leaves_the_rows_of_the_same_filter_here(
    pair: Pair, filters: list[dict[str, object]], where: str
) -> None:
    rows = pair.cube.load(measures=[f"{ORDERS}.amount"], dimensions=[f"{ORDERS}.buyer__region"], filters=filters)
    ours = pair.engine.query(["amount"], ["buyer__region"], [where]).to_arrow().to_pylist()
    theirs = {row[f"{ORDERS}.buyer__region"]: float(row[f"{ORDERS}.amount"]) for row in rows}
    assert theirs == {row["buyer__region"]: float(row["amount"]) for row in ours}
    assert len(theirs) == 3


def test_a_segment_is_the_rows_for_which_it_is_true(cube: CubeApi) -> None:
    (paid,) = cube.load(
        measures=[f"{ORDERS}.paid", "metrics__order.rated"], segments=[f"{ORDERS}.only__order__is_paid"]
    )
    (orders,) = cube.load(measures=["sales__order.orders"], segments=["sales__order.only__order__is_paid"])
    assert paid[f"{ORDERS}.paid"] == orders["sales__order.orders"] == "1142"


REFUSED = {
    "views of different rows": {"measures": [f"{ORDERS}.amount", f"{VISITS}.visits"]},
    "an attribute of another view": {"measures": [f"{VISITS}.visits"], "dimensions": [f"{ORDERS}.order__note"]},
    "a filter of another view": {
        "measures": [f"{VISITS}.visits"],
        "filters": [{"or": [{"member": f"{ORDERS}.order__note", "operator": "set"},
                            {"member": f"{ORDERS}.order__size", "operator": "set"}]}],
    },
    "a time zone": {"measures": [f"{VISITS}.visits"], "timezone": "Asia/Jakarta"},
    "single rows": {"measures": [f"{VISITS}.visits"], "dimensions": [f"{VISITS}.visit"], "ungrouped": True},
    "an outcome": {"measures": [SHARE], "dimensions": ["health__order.order__is_paid"]},
    "a filter by an outcome": {
        "measures": [SHARE],
        "filters": [{"member": "health__order.order__is_paid", "operator": "equals", "values": ["true"]}],
    },
    "an outcome that is asked in a filter": {
        "dimensions": ["health__order.order__is_paid"],
        "measures": [],
        "filters": [{"member": SHARE, "operator": "gt", "values": ["0.5"]}],
    },
    "a segment of an outcome": {"measures": [SHARE], "segments": ["health__order.only__order__is_paid"]},
    "a running total without a period": {"measures": [f"{ORDERS}.orders_so_far"]},
    "a running total by another time": {
        "measures": [f"{ORDERS}.orders_so_far"],
        "timeDimensions": [{"dimension": f"{ORDERS}.buyer__joined_on", "granularity": "month",
                            "dateRange": ["2025-01-01", "2026-12-31"]}],
    },
    "a running total of a part of the time": {
        "measures": [f"{ORDERS}.orders_so_far"],
        "timeDimensions": [{"dimension": f"{ORDERS}.metric_time", "granularity": "month",
                            "dateRange": ["2026-01-01", "2026-03-31"]}],
        "filters": [{"member": f"{ORDERS}.metric_time", "operator": "afterDate", "values": ["2026-02-01"]}],
    },
    "a running total by what changes": {
        "measures": [f"{ORDERS}.orders_so_far"],
        "dimensions": [f"{ORDERS}.buyer__tier"],
        "timeDimensions": [{"dimension": f"{ORDERS}.metric_time", "granularity": "month",
                            "dateRange": ["2026-01-01", "2026-03-31"]}],
    },
    "a cube": {"measures": ["orders_rows.amount"]},
    "a helper of a cube": {"measures": [f"{ORDERS}.rows__all"]},
}  # fmt: skip


@pytest.mark.parametrize("query", REFUSED.values(), ids=REFUSED)
def test_a_question_with_another_answer_than_the_engine_is_refused(cube: CubeApi, query: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        cube.load(**query)
    assert refused.value.status == 400


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_the_rows_that_the_engine_shows_it_and_no_others(pair: Pair, role: str) -> None:
    """Every metric by every attribute: Cube has the engine's rows, or none of them."""
    equal = kept_back = 0
    shown = pair.cube.meta(role)
    for view, metric in pair.metrics:
        if metric in RUNNING:
            continue
        for groups in list_groupings(pair, view, metric):
            try:
                pair.ask_engine(metric, groups, role)
            except GnomonError:
                rows = answer_forbidden(pair, view, metric, groups, role)
                assert rows in ({}, {(): None}), f"{role} may not ask {metric} by {groups}"
                kept_back += 1
                continue
            if all(name in shown.get(view, ()) for name in list_members(view, metric, groups)):
                pair.compare(view, metric, groups, role)
                equal += 1
            else:
                assert answer_forbidden(pair, view, metric, groups, role) in ({}, {(): None})
                kept_back += 1
    assert equal > 100
    assert kept_back > 0


def answer_forbidden(
    pair: Pair, view: str, metric: str, groups: tuple[str, ...], role: str
) -> dict[tuple[object, ...], object]:
    try:
        return pair.ask_cube(view, metric, groups, role)
    except Refused:
        return {}


def list_members(view: str, metric: str, groups: tuple[str, ...]) -> Iterator[str]:
    yield f"{view}.{metric}"
    for group in groups:
        name, _, last = group.rpartition("__")
        yield f"{view}.{name if last in GRAINS else group}"


@pytest.mark.parametrize("role", ROLES)
def test_a_running_total_of_a_role_is_the_engine_s(pair: Pair, role: str) -> None:
    shown = pair.cube.meta(role)
    if f"{ORDERS}.orders_so_far" in shown[ORDERS]:
        groups = ("metric_time__month", "buyer__region")
        assert pair.compare(ORDERS, "orders_so_far", groups, role, start="2026-01-01", end="2026-03-31") > 1


def test_a_forbidden_filter_leaves_no_number(cube: CubeApi) -> None:
    by_buyer = [{"member": f"{ORDERS}.buyer", "operator": "equals", "values": ["b1"]}]
    measures = [f"{ORDERS}.{name}" for name in ("filled_orders", "buyers", "amount", "score", "p90")]
    (row,) = cube.load("everyone", measures=measures, filters=by_buyer)
    assert set(row.values()) == {None}


@pytest.mark.parametrize("role", [None, "slow", "both", "nowhere", "somebody"])
def test_who_has_no_role_here_sees_nothing(cube: CubeApi, role: str | None) -> None:
    assert set().union(*cube.meta(role).values()) == set()
    with pytest.raises(Refused):
        cube.load(role, measures=["sales__order.orders"])


def test_helpers_are_seen_by_nobody(cube: CubeApi) -> None:
    members = {name.partition(".")[2] for names in cube.meta().values() for name in names}
    assert not [name for name in members if name.startswith(("rows__", "row_key", "metric_time__"))]


def test_cube_shows_what_is_said_of_a_metric(pair: Pair, project: Path) -> None:
    manifest = json.loads((project / "target" / "semantic_manifest.json").read_text(encoding="utf-8"))
    assert {metric["name"] for metric in manifest["metrics"]} > {metric for _, metric in pair.metrics}
    document = yaml.safe_load((project / "cube" / "model" / "cubes" / "orders.yml").read_text(encoding="utf-8"))
    (orders,) = [each for each in document["cubes"][0]["measures"] if each["name"] == "orders"]
    assert orders["meta"]["owner"] == "sales"
    assert orders["meta"]["definition_version"] == pair.engine.manifest.version
