"""What authors write: names that could collide, expressions over odd columns, filters at several levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from gnomon import Engine
from gnomon.core.errors import DefinitionError, GnomonError, QueryError
from gnomon.planner import Question, plan
from tests.manifests import derived, measure, ratio, semantic_model, simple, write_manifest
from tests.oracle import Oracle, assert_equal_answers

# Every plan's own names, and what a scan's columns could be taken for.
NAMES = ["views_1", "numerator", "denominator", "all_numerator", "replicate_group", "scan_1", "stitched", "branches"]
INTERVAL = {"replicate_group": "event__replicate", "replicates": 20}
META: dict[str, Any] = {"units": "events", "minimum_units": 1, "interval": INTERVAL}


def make_events(folder: Path) -> Path:
    path = folder / "small.duckdb"
    with duckdb.connect(str(path)) as connection:
        keys = ", ".join(f"'k' || (i % 2) as {name}" for name in NAMES)
        connection.execute(f"""
            create table events as
            select
                i as event_id, date '2026-01-01' + cast(i % 40 as integer) as d, i % 20 as replicate,
                i as views, i % 3 = 0 as is_bad, 'plain' as kind, {{'kind': 's' || (i % 3)}} as payload,
                'm' || (i % 2) as map, 'u' || (i % 2) as "current_user", {keys}
            from range(400) as t(i)
        """)
        connection.execute("create table days as select cast(d as date) as date_day "
                           "from range(date '2026-01-01', date '2027-01-01', interval 1 day) as t(d)")  # fmt: skip
    return path


def make_engine(folder: Path) -> tuple[Engine, Path, Path]:
    events = semantic_model(
        "events",
        entities={"event": ("primary", "event_id"), **{name: ("foreign", name) for name in NAMES}},
        dimensions={"d": "day", "replicate": None, "is_bad": None, "map": None},
        measures=[
            measure("views", "sum"), measure("events", "count", "event_id"), measure("bad", "sum_boolean", "is_bad"),
        ],
        time="d",
    )  # fmt: skip
    events["dimensions"] += [
        {"name": "nested", "type": "categorical", "expr": "payload.kind"},
        {"name": "cased", "type": "categorical", "expr": "case when views > 100 then 'many' else 'few' end"},
        {"name": "who", "type": "categorical", "expr": "current_user"},
    ]
    f = "{{ TimeDimension('metric_time') }} >= '2026-01-10'"
    weekly = {**simple("weekly_events", "events"), "time_granularity": "week"}
    metrics = [
        simple("views"), simple("events"), simple("bad"), weekly,
        simple("late_events", "events", where=f),
        ratio("bad_rate", "bad", "events", **META),
        derived("shouted", "VIEWS / nullif(Events, 0)", ["views", "events"]),
        derived("half", "bad_rate / 2", ["bad_rate"]),
    ]  # fmt: skip
    manifest = write_manifest(folder / "m.json", [events], metrics)
    database = make_events(folder)
    return Engine.from_manifest(manifest, database), manifest, database


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Path, Path]:
    return make_engine(tmp_path_factory.mktemp("events"))


@pytest.mark.parametrize("name", NAMES)
def test_a_group_may_be_called_what_a_plan_calls_its_parts(made: tuple[Engine, Path, Path], name: str) -> None:
    """All these entities deal the rows out alike, so values and intervals are alike."""
    engine, _, _ = made
    result = engine.query(["views", "bad_rate"], group_by=[name], order_by=[name])
    expected = engine.query(["views", "bad_rate"], group_by=["views_1"], order_by=["views_1"])
    assert result.to_arrow().column("views").to_pylist() == [39800, 40000]
    assert result.to_arrow().column("bad_rate").to_pylist() == expected.to_arrow().column("bad_rate").to_pylist()
    assert result.intervals == expected.intervals
    assert None not in result.intervals["bad_rate"]


@pytest.mark.parametrize("group", ["event__nested", "event__cased", "event__map", "event__who", "event__is_bad"])
def test_an_expression_reads_the_column_that_its_author_means(made: tuple[Engine, Path, Path], group: str) -> None:
    engine, manifest, database = made
    if group == "event__who":
        # MetricFlow reads the session's user there; the column is what the author means.
        who = engine.query(["events"], group_by=[group], order_by=[group]).to_arrow().column(group).to_pylist()
        assert who == ["u0", "u1"]
        return
    ours = plan(engine.manifest, Question(("events",), (group,))).sql
    with duckdb.connect(str(database), read_only=True) as connection:
        assert assert_equal_answers(connection, ours, Oracle.read(manifest).sql(["events"], [group])) >= 2


def test_one_text_of_a_filter_may_mean_two_grains(made: tuple[Engine, Path, Path]) -> None:
    """Asked with a weekly metric the caller's metric_time is a week; the definition's own stays a day."""
    engine, manifest, database = made
    where = ("{{ TimeDimension('metric_time') }} >= '2026-01-10'",)
    metrics = ("late_events", "weekly_events")
    ours = plan(engine.manifest, Question(metrics, where=where)).sql
    with duckdb.connect(str(database), read_only=True) as connection:
        assert_equal_answers(connection, ours, Oracle.read(manifest).sql(metrics, where=where))


def test_an_expression_folds_case_as_sql_does(made: tuple[Engine, Path, Path]) -> None:
    assert made[0].query(["shouted"]).to_arrow().column("shouted").to_pylist() == [199.5]


@pytest.mark.parametrize("expr", ["views; drop table events", "(select 1)", "views +"])
def test_a_derived_expression_is_one_expression(tmp_path: Path, expr: str) -> None:
    model = semantic_model(
        "events",
        entities={"event": ("primary", "event_id")},
        dimensions={"d": "day"},
        measures=[measure("views", "sum")],
        time="d",
    )
    metrics = [simple("views"), derived("odd", expr, ["views"])]
    engine = Engine.from_manifest(write_manifest(tmp_path / "m.json", [model], metrics), make_events(tmp_path))
    with pytest.raises(DefinitionError, match=r"metric 'odd': the expr .* of a definition"):
        engine.query(["odd"])


def test_order_may_be_said_as_metricflow_says_it(made: tuple[Engine, Path, Path]) -> None:
    engine, _, _ = made
    by_call = engine.query(
        ["views"], ["event__nested"], order_by=["Metric('views').descending(True)", "Dimension('event__nested')"]
    )
    by_name = engine.query(["views"], ["event__nested"], order_by=["-views", "event__nested"])
    assert by_call.to_arrow() == by_name.to_arrow()


@pytest.mark.parametrize("expr", ["(select max(views) from events)", "views; drop table events", "views +"])
def test_a_definition_that_holds_a_query_is_its_authors_error(tmp_path: Path, expr: str) -> None:
    model = semantic_model(
        "events",
        entities={"event": ("primary", "event_id")},
        dimensions={"d": "day"},
        measures=[measure("views", "sum", expr)],
        time="d",
    )
    engine = Engine.from_manifest(
        write_manifest(tmp_path / "m.json", [model], [simple("views")]), make_events(tmp_path)
    )
    with pytest.raises(DefinitionError, match="of a definition"):
        engine.query(["views"])


def test_a_column_that_is_not_there_is_the_authors_error(tmp_path: Path) -> None:
    model = semantic_model(
        "events",
        entities={"event": ("primary", "event_id")},
        dimensions={"d": "day"},
        measures=[measure("views", "sum", "vews")],
        time="d",
    )
    engine = Engine.from_manifest(
        write_manifest(tmp_path / "m.json", [model], [simple("views")]), make_events(tmp_path)
    )
    with pytest.raises(DefinitionError, match="names a column that its table does not have"):
        engine.query(["views"])


def test_two_homes_of_one_attribute_are_refused(tmp_path: Path) -> None:
    """The fact and another table both say creator__region: neither is taken in silence."""
    creator = {"creator": ("primary", "creator_id")}
    one = semantic_model(
        "one", entities=creator, dimensions={"d": "day", "region": None}, measures=[measure("n", "count")], time="d"
    )
    two = semantic_model("two", entities=creator, dimensions={"region": None})
    engine = Engine.from_manifest(write_manifest(tmp_path / "m.json", [one, two], [simple("n")]), make_events(tmp_path))
    with pytest.raises(QueryError, match="ambiguous: 'two' and 'one' both have it"):
        engine.plan(["n"], ["creator__region"])


def test_rows_with_validity_periods_are_joined_as_they_were_at_the_time(tmp_path: Path) -> None:
    """Creator 1 is gold from the 3rd on, and nothing is known of it before the 2nd; creator 2 has no history."""
    path = tmp_path / "small.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("""
            create table fact as select * from (values (1, 1, date '2026-01-01'), (2, 1, date '2026-01-02'),
                (3, 1, date '2026-01-03'), (4, 1, date '2026-01-09'), (5, 2, date '2026-01-03')) as t(i, creator_id, d);
            create table history as select * from (values
                (1, 'new', date '2026-01-02', date '2026-01-03'), (1, 'gold', date '2026-01-03', null)
            ) as t(creator_id, tier, valid_from, valid_to)
        """)
    fact = semantic_model(
        "fact",
        entities={"item": ("primary", "i"), "creator": ("foreign", "creator_id")},
        dimensions={"d": "day"},
        measures=[measure("n", "count", "i")],
        time="d",
    )
    history = semantic_model("history", entities={"creator": ("natural", "creator_id")}, dimensions={"tier": None})
    for name, key in (("valid_from", "is_start"), ("valid_to", "is_end")):
        validity = {"is_start": False, "is_end": False, key: True}
        history["dimensions"].append(
            {"name": name, "type": "time", "type_params": {"time_granularity": "day", "validity_params": validity}}
        )
    manifest = write_manifest(tmp_path / "m.json", [fact, history], [simple("n")])
    engine = Engine.from_manifest(manifest, path)
    rows = engine.query(["n"], ["creator__tier"], order_by=["creator__tier"]).to_arrow().to_pylist()
    assert rows == [{"creator__tier": tier, "n": n} for tier, n in (("gold", 2), ("new", 1), (None, 2))]


CALLS: dict[str, dict[str, Any]] = {
    "offset of a zone at one bound": {"start": "2026-01-05T00:00:00+08:00"},
    "the end of the calendar": {"end": "9999-12-31"},
}


@pytest.mark.parametrize("name", CALLS)
def test_bounds_of_any_form_are_answered(made: tuple[Engine, Path, Path], name: str) -> None:
    answer = made[0].query(["events"], **CALLS[name]).to_arrow().column("events").to_pylist()
    assert answer == ([370] if "offset" in name else [400])


WRONG: dict[str, dict[str, Any]] = {
    "a number as a moment": {"start": 20260101},
    "a limit in words": {"limit": "1"},
    "no name": {"group_by": [None]},
    "a deep filter": {"where": ["(" * 3000 + "1 = 1" + ")" * 3000]},
    "a long filter": {"where": ["1 = 1 or " * 2000 + "1 = 1"]},
    "two references run together": {"where": ["{{ Dimension('event__map') }}_x = 1"]},
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_refused_not_crashed_on(made: tuple[Engine, Path, Path], name: str) -> None:
    with pytest.raises(QueryError):
        made[0].query(["events"], **WRONG[name])


def test_a_closed_engine_says_so(tmp_path: Path) -> None:
    engine, _, _ = make_engine(tmp_path)
    engine.close()
    with pytest.raises(GnomonError):
        engine.query(["events"])


@pytest.mark.parametrize("formula", ["2 * bad", "case when bad > 0 then bad / events else 0 end", "peak / events"])
def test_an_interval_is_only_given_to_what_divides_sums(tmp_path: Path, formula: str) -> None:
    inputs = [name for name in ("bad", "events", "peak") if name in formula]
    manifest = [derived("scaled", formula, inputs, **META), simple("bad"), simple("events"), simple("peak")]
    events = semantic_model(
        "events",
        entities={"event": ("primary", "event_id")},
        dimensions={"d": "day", "replicate": None},
        measures=[
            measure("bad", "sum_boolean", "is_bad"),
            measure("events", "count", "event_id"),
            measure("peak", "max", "event_id"),
        ],
        time="d",
    )
    engine = Engine.from_manifest(write_manifest(tmp_path / "m.json", [events], manifest), make_events(tmp_path))
    with pytest.raises(DefinitionError, match="a ratio of two sums"):
        engine.query(["scaled"])
