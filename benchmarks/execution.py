"""Planned SQL over ten million rows, beside the best SQL that we could write by hand for the same answer.

GNOMON_BENCH_ROWS sets the number of rows; at 100 million a rollup stands beside its base, too.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from tests.manifests import Json, cumulative, derived, measure, ratio, semantic_model, simple, write_manifest
from tests.oracle import Oracle

from benchmarks.measure import Comparison, compare
from gnomon.planner import Compiled, Planner, Question, plan
from gnomon.planner.choose_rollups import list_rollups, write_rollup
from gnomon.semantic import read_manifest

ROWS = int(os.environ.get("GNOMON_BENCH_ROWS", "10_000_000"))
DAYS, CREATORS, ITEMS, ACTORS = 180, 20_000, 100_000, 200_000
# MetricFlow joins every row to every day of its window, so its own SQL gets a tenth of the rows.
WINDOW_ROWS = ROWS // 10
ROLLUP = {"name": "acts_daily", "grain": "day", "dimensions": ["act__kind"]}
WINDOW = {"count": 28, "granularity": "day"}
DATES = frozenset((f'"small"."main"."{table}"', "d") for table in ("acts", "states"))
VIDEO = "{{ Dimension('act__kind') }} = 'video'"
GOLD = "{{ Dimension('creator__tier') }} = 'gold'"


@dataclass(frozen=True)
class Shape:
    """A question, and the same by hand over acts, items, creators, states and days."""

    name: str
    question: Question
    by_hand: str


SHAPES = (
    Shape(
        "a sum by day",
        Question(("amount",), ("metric_time__day",)),
        "select d, sum(amount) from acts group by 1",
    ),
    Shape(
        "a rate by week",
        Question(("bad_rate",), ("metric_time__week",)),
        "select date_trunc('week', d), count(*) filter (is_bad) / count(*) from acts group by 1",
    ),
    Shape(
        "two filters beside none",
        Question(("amount", "video_amount", "gold_amount"), ("metric_time__week",)),
        """select date_trunc('week', d), sum(amount), sum(amount) filter (kind = 'video'),
           sum(amount) filter (tier = 'gold') from acts left join creators using (creator_id) group by 1""",
    ),
    Shape(
        "distinct creators by month",
        Question(("creators",), ("metric_time__month",)),
        "select date_trunc('month', d), count(distinct creator_id) from acts group by 1",
    ),
    Shape(
        "an attribute one join away",
        Question(("amount", "acts"), ("creator__region",)),
        "select region, sum(amount), count(*) from acts left join creators using (creator_id) group by 1",
    ),
    Shape(
        "an attribute two joins away",
        Question(("amount",), ("item__owner__region",)),
        """select region, sum(amount) from acts left join items using (item_id)
           left join creators on creators.creator_id = items.owner_id group by 1""",
    ),
    Shape(
        "a filter one join away",
        Question(("amount",), ("metric_time__day",), where=(GOLD,)),
        """select d, sum(amount) from acts join creators using (creator_id) where tier = 'gold' group by 1""",
    ),
    Shape(
        "a month of days, filtered",
        Question(("amount",), ("act__kind",), where=("{{ TimeDimension('metric_time', 'day') }} >= '2026-06-01'",)),
        "select kind, sum(amount) from acts where d >= '2026-06-01' group by 1",
    ),
    Shape(
        "a balance at the end of each month",
        Question(("violating",), ("metric_time__month",)),
        """select date_trunc('month', d), sum(violating) from states where d in (select max(d) from states
           group by date_trunc('month', d)) group by 1""",
    ),
    Shape(
        "28 days looked back on",
        Question(("amount_28d",), ("metric_time__day",)),
        f"""with totals as (select d, sum(amount) as amount from acts group by 1)
            select date_day, sum(amount) from days join totals
            on d <= date_day and d > date_day - interval 28 day
            where date_day <= date '2026-01-01' + {DAYS + 28} group by 1""",
    ),
    Shape(
        "a week and the one before",
        Question(("amount", "amount__previous"), ("metric_time__week",)),
        """with totals as (select date_trunc('week', d) as w, sum(amount) as a from acts group by 1)
           select coalesce(now.w, before.w + interval 7 day), now.a, before.a
           from totals as now full join totals as before on before.w = now.w - interval 7 day""",
    ),
    Shape(
        "acts of busy creators",
        Question(
            ("amount",), ("act__kind",), where=("{{ Metric('acts', group_by=['creator']) }} > 500",)
        ),
        """select kind, sum(amount) from acts where creator_id in (select creator_id from acts group by 1
           having count(*) > 500) group by 1""",
    ),
)  # fmt: skip


def run() -> Iterator[Comparison | str]:
    """Yield each shape beside its SQL by hand, windows beside MetricFlow's, and a rollup beside its base."""
    with TemporaryDirectory() as folder:
        path = write_manifest(Path(folder) / "m.json", *_define())
        compiled = Compiled(read_manifest(path), DATES)
        with duckdb.connect(":memory:") as database:
            database.execute(f"attach '{folder}/small.duckdb' as small; use small; set threads = 2")
            database.execute("set enable_progress_bar = false")
            _make_world(database, ROWS)
            for shape in SHAPES:
                yield _compare_shape(database, compiled, shape)
            yield from _compare_rollup(database, compiled)
            _make_world(database, WINDOW_ROWS)
            yield from _compare_windows(database, compiled, Oracle.read(path))


def _define() -> tuple[list[Json], list[Json]]:
    acts = semantic_model(
        "acts",
        entities={
            "act": ("primary", "act_id"),
            "creator": ("foreign", "creator_id"),
            "item": ("foreign", "item_id"),
        },
        dimensions={"d": "day", "kind": None},
        measures=[
            measure("amount", "sum"),
            measure("acts", "count", "1"),
            measure("bad_acts", "sum_boolean", "is_bad"),
            measure("creators", "count_distinct", "creator_id"),
            measure("actors", "count_distinct", "actor_id"),
        ],
        time="d",
    )
    acts["config"] = {"meta": {"rollups": [ROLLUP]}}
    states = semantic_model(
        "states",
        entities={"creator": ("foreign", "creator_id")},
        dimensions={"d": "day"},
        measures=[
            measure(
                "violating", "sum", non_additive_dimension={"name": "d", "window_choice": "max", "window_groupings": []}
            )
        ],
        time="d",
        primary_entity="creator_day",
    )
    creators = semantic_model(
        "creators", entities={"creator": ("primary", "creator_id"), "owner": ("unique", "creator_id")},
        dimensions={"region": None, "tier": None},
    )  # fmt: skip
    items = semantic_model("items", entities={"item": ("primary", "item_id"), "owner": ("foreign", "owner_id")})
    metrics = [
        *map(simple, ("amount", "acts", "bad_acts", "creators", "actors", "violating")),
        ratio("bad_rate", "bad_acts", "acts"),
        simple("video_amount", "amount", where=VIDEO),
        simple("gold_amount", "amount", where=GOLD),
        cumulative("amount_28d", "amount", window=WINDOW),
        cumulative("actors_28d", "actors", window=WINDOW),
        derived("amount_per_act", "amount / acts", ["amount", "acts"]),
    ]
    return [acts, states, creators, items], metrics


def _make_world(database: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Acts come day by day, as a log does; creators' shares of them are skewed."""
    database.execute(f"""
        create or replace table acts as select
            i as act_id, date '2026-01-01' + cast(i * {DAYS} // {rows} as integer) as d,
            cast({CREATORS} * power(hash(i) % 1000003 / 1000003.0, 3) as integer) as creator_id,
            hash(i + 1) % {ITEMS} as item_id, hash(i + 2) % {ACTORS} as actor_id,
            ['video', 'live', 'image', 'story'][cast(1 + hash(i + 3) % 4 as integer)] as kind,
            hash(i + 4) % 100 < 3 as is_bad, cast(hash(i + 5) % 97 as integer) as amount
        from range({rows}) as t(i)
    """)
    database.execute(f"""
        create or replace table creators as select i as creator_id, 'R' || i % 8 as region,
            ['new', 'bronze', 'silver', 'gold'][1 + i % 4] as tier from range({CREATORS} + 1) as t(i);
        create or replace table items as select i as item_id, hash(i) % {CREATORS} as owner_id from range({ITEMS}) t(i);
        create or replace table states as select c as creator_id, date '2026-01-01' + cast(n as integer) as d,
            cast(hash(c * 1000 + n) % 50 = 0 as integer) as violating from range({CREATORS}) t(c), range({DAYS}) s(n);
        create or replace table days as select date '2025-01-01' + cast(n as integer) as date_day from range(800) t(n)
    """)


def _compare_shape(database: duckdb.DuckDBPyConnection, compiled: Compiled, shape: Shape) -> Comparison:
    planned = plan(compiled, shape.question).sql
    ours, theirs = (sorted(database.execute(each).fetchall(), key=str) for each in (planned, shape.by_hand))
    if [_plain(row) for row in ours] != [_plain(row) for row in theirs]:
        raise AssertionError(f"{shape.name}: the planned SQL and the one by hand differ: {ours[:3]}, {theirs[:3]}")
    return compare(
        f"{ROWS:,} rows: {shape.name}",
        lambda: database.execute(planned).fetchall(),
        "SQL by hand",
        lambda: database.execute(shape.by_hand).fetchall(),
        runs=7,
    )


def _plain(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(str(value)[:10] if hasattr(value, "year") else value for value in row)


def _compare_windows(database: duckdb.DuckDBPyConnection, compiled: Compiled, oracle: Oracle) -> Iterator[Comparison]:
    for metric in ("amount_28d", "actors_28d"):
        question = Question((metric,), ("metric_time__day",))
        ours, theirs = plan(compiled, question).sql, oracle.sql((metric,), ("metric_time__day",))
        yield compare(
            f"{WINDOW_ROWS:,} rows: {metric}",
            lambda ours=ours: database.execute(ours).fetchall(),
            "MetricFlow's SQL",
            lambda theirs=theirs: database.execute(theirs).fetchall(),
            runs=1,
        )


def _compare_rollup(database: duckdb.DuckDBPyConnection, compiled: Compiled) -> Iterator[Comparison | str]:
    """A question that a rollup answers, from words to rows, beside the same over the base."""
    ((model, rollup),) = list_rollups(compiled)
    database.execute(
        f"create or replace table {rollup.relation} as {write_rollup(compiled, model, rollup).sql('duckdb')}"
    )
    size = database.execute(f"select count(*) from {rollup.relation}").fetchall()[0][0]
    planner = Planner(compiled.manifest, {rollup.name: size}, DATES)
    for question in (
        Question(("amount", "acts"), ("metric_time__week",)),
        Question(("bad_rate",), ("act__kind", "metric_time__month")),
    ):
        base = plan(compiled, question).sql
        assert planner.plan(question).rollups == (rollup.name,)
        ask = lambda question=question: database.execute(planner.plan(question).sql).fetchall()  # noqa: E731
        yield compare(
            f"{ROWS:,} rows: a rollup of {size:,}",
            ask,
            "the base table",
            lambda base=base: database.execute(base).fetchall(),
            runs=7,
        )
        clock, processor = (
            sorted(1000 * each for each in taken) for taken in zip(*map(_time, [ask] * 100), strict=True)
        )
        yield (
            f"  from words to rows: median {statistics.median(clock):.2f} ms, p95 {clock[94]:.2f} ms; "
            f"of the processor's time {statistics.median(processor):.2f} ms and {processor[94]:.2f} ms"
        )


def _time(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of the clock that a call takes, and those of the processor."""
    begin, begin_cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - begin, time.process_time() - begin_cpu
