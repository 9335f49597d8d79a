"""Every text that the engine refuses with, as its reader sees it: tests/golden/refusals.txt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gnomon import Engine
from gnomon.core.errors import AccessError, DefinitionError, GnomonError, QueryError, WarehouseError
from gnomon.semantic.manifest import parse_manifest
from tests.manifests import cumulative, derived, measure, ratio, semantic_model, simple, write_manifest
from tests.soundness import conftest as small

KIND = "{{ Dimension('post__kind') }}"
REFUSED: dict[str, dict[str, Any]] = {
    "no metric": {},
    "unknown metric": {"metrics": ["view"]},
    "unknown metric with nothing near": {"metrics": ["zzz"]},
    "metric twice": {"metrics": ["views", "views"]},
    "unknown dimension": {"metrics": ["views"], "group_by": ["post__knd"]},
    "dimension without its entity": {"metrics": ["views"], "group_by": ["tier"]},
    "dimension twice": {"metrics": ["views"], "group_by": ["post__kind", "post__kind"]},
    "unreachable dimension": {"metrics": ["violating_creators"], "group_by": ["post__kind"]},
    "a join that would fan out": {"metrics": ["posts"], "group_by": ["creator__status_date"]},
    "two joins away": {"metrics": ["posts"], "group_by": ["post__creator__tier"]},
    "grain finer than the data": {"metrics": ["posts"], "group_by": ["metric_time__hour"]},
    "grain of a category": {"metrics": ["posts"], "group_by": ["post__kind__week"]},
    "part of a category": {"metrics": ["posts"], "group_by": ["post__kind__extract_dow"]},
    "unknown date part": {"metrics": ["posts"], "group_by": ["metric_time__extract_fortnight"]},
    "a name that is too long": {"metrics": ["posts"], "group_by": ["a" * 2_000]},
    "not a name": {"metrics": ["posts"], "group_by": ["post__kind; drop table posts"]},
    "filter with a syntax error": {"metrics": ["posts"], "where": [f"{KIND} = "]},
    "filter on a bare column": {"metrics": ["posts"], "where": ["kind = 'video'"]},
    "filter with an unknown word": {"metrics": ["posts"], "where": ["{{ Dimnsion('post__kind') }} = 'video'"]},
    "filter with an unknown dimension": {"metrics": ["posts"], "where": ["{{ Dimension('post__knd') }} = 'video'"]},
    "filter on a metric by nothing": {"metrics": ["posts"], "where": ["{{ Metric('views') }} > 3"]},
    "filter on a metric by a category": {"metrics": ["posts"], "where": ["{{ Metric('views', ['post__kind']) }} > 3"]},
    "filter on an unknown metric": {"metrics": ["posts"], "where": ["{{ Metric('view', ['creator']) }} > 3"]},
    "filter with two statements": {"metrics": ["posts"], "where": [f"{KIND} = 'video'; drop table posts"]},
    "filter with an empty list": {"metrics": ["posts"], "where": [f"not {KIND} in ()"]},
    "filter with no list after IN": {"metrics": ["posts"], "where": [f"'video' in {KIND}"]},
    "filter with a subquery": {"metrics": ["posts"], "where": [f"{KIND} in (select kind from posts)"]},
    "filter that reads a file": {"metrics": ["posts"], "where": [f"{KIND} = read_text('/etc/passwd')"]},
    "filter with a union": {"metrics": ["posts"], "where": [f"{KIND} = 'a' union select 1"]},
    "filter with a query in a type's name": {
        "metrics": ["posts"],
        "where": [
            f'cast({KIND} as "uint32) = 99 or exists (select 1 from small.main.creators) '
            "or cast('a' as varchar\") = 'zz'"
        ],
    },
    "filter with a statement in a type's name": {
        "metrics": ["posts"],
        "where": [f"cast({KIND} as \"uint32) is null)) select 1; detach small; select ((cast('a' as varchar\") = 'z'"],
    },
    "filter that is too deep": {"metrics": ["posts"], "where": ["lower(" * 200 + KIND + ")" * 200 + " = 'a'"]},
    "filter that is too long": {"metrics": ["posts"], "where": [f"{KIND} = '{'a' * 10_000}'"]},
    "filter with a row of values": {"metrics": ["posts"], "where": [f"({KIND}, 1) = ('video', 1)"]},
    "filter that the parser falls over": {"metrics": ["posts"], "where": ["->"]},
    "filter with a nested type": {"metrics": ["posts"], "where": [f"cast({KIND} as struct(a int)) is null"]},
    "filter with an odd unit": {"metrics": ["posts"], "where": [f'{KIND} > interval 1 "day\' or 1=1"']},
    "grain inside a name": {"metrics": ["posts"], "where": ["{{ Dimension('metric_time__month') }} = '2026-01-01'"]},
    "unknown grain": {"metrics": ["posts"], "group_by": ["metric_time__fortnight"]},
    "order that may mean two": {
        "metrics": ["posts"],
        "group_by": ["metric_time__day", "metric_time__week"],
        "order_by": ["metric_time"],
    },
    "filter with Jinja": {"metrics": ["posts"], "where": ["{% for x in y %}"]},
    "filter with code": {"metrics": ["posts"], "where": ["{{ ().__class__.__bases__ }} = 1"]},
    "reference inside quotes": {"metrics": ["posts"], "where": ["'{{ Dimension(\"post__kind\") }}' = 'video'"]},
    "value of the wrong type": {"metrics": ["posts"], "where": ["{{ TimeDimension('metric_time', 'day') }} > 'soon'"]},
    "order by what is not asked": {"metrics": ["posts"], "order_by": ["views"]},
    "negative limit": {"metrics": ["posts"], "limit": -1},
    "end before start": {"metrics": ["posts"], "start": "2026-02-01", "end": "2026-01-01"},
    "not a date": {"metrics": ["posts"], "start": "tomorrow"},
    "unknown saved query": {"saved_query": "weekly"},
    "policy": {"metrics": ["posts"], "policy": "regional"},
    "a window of time without a time": {"metrics": ["posts_of_a_week"]},
    "a shift in time without a time": {"metrics": ["change"]},
    "a shifted ratio without a time": {"metrics": ["rate_before"]},
    "a shifted ratio filtered by time or something else": {
        "metrics": ["rate_before"],
        "group_by": ["metric_time"],
        "where": [f"{{{{ TimeDimension('metric_time', 'day') }}}} > '2026-01-01' or {KIND} = 'video'"],
    },
    "no spine that is fine enough": {"metrics": ["plays_by_hour"], "group_by": ["metric_time__hour"]},
    "values that no table joins": {"group_by": ["post__kind", "play__length"]},
    "values of an unknown dimension": {"group_by": ["post__knd"]},
    "the least of two dimensions": {"group_by": ["post__kind", "creator__tier"], "takes_extremes": True},
    "grouped by its own outcome": {"metrics": ["bad_share"], "group_by": ["post__is_bad"]},
    "metric whose inputs do not exist yet": {"metrics": ["health_index"]},
}
EXTRA_MODELS = [
    *small.MODELS,
    semantic_model(
        "plays",
        entities={"play": ("primary", "play_id")},
        dimensions={"played_at": "hour", "length": None},
        measures=[measure("plays", "count", "play_id")],
        time="played_at",
    ),
]
DAY = {"count": 1, "granularity": "day"}
EXTRA_METRICS = [
    *small.METRICS,
    cumulative("posts_of_a_week", "posts", window={"count": 7, "granularity": "day"}),
    derived("change", "views - before", ["views", {"name": "views", "alias": "before", "offset_window": DAY}]),
    derived("rate_before", "bad_rate", [{"name": "bad_rate", "offset_window": DAY}]),
    cumulative("plays_by_hour", "plays"),
    derived("health_index", "cast(null as double)", ["views"], missing_inputs=[
        {"sub_score": "supply", "metric": "high_quality_supply", "reason": "no frozen quality model yet"},
    ]),
]  # fmt: skip
EXTRA_METRICS.append(ratio("bad_share", "bad_posts", "posts", never_by=["post__is_bad"]))


@pytest.fixture(scope="module")
def strict_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("refusals")
    with duckdb.connect(str(folder / "small.duckdb")) as connection:
        connection.execute(small.WORLD)
    manifest = write_manifest(folder / "m.json", EXTRA_MODELS, EXTRA_METRICS)
    return Engine.from_manifest(manifest, folder / "small.duckdb")


def test_every_refusal_reads_well(strict_engine: Engine, golden: Callable[[str, str], None]) -> None:
    texts = []
    for name, question in REFUSED.items():
        with pytest.raises((QueryError, AccessError)) as caught:
            strict_engine.query(**question)
        texts.append(f"## {name}\n{caught.value}\n")
    golden("refusals.txt", "\n".join(texts))


def broken_definitions() -> dict[str, tuple[list[Any], list[Any]]]:
    post = {"post": ("primary", "post_id")}
    posts = semantic_model(
        "posts", entities=post, dimensions={"d": "day"}, measures=[measure("posts", "count")], time="d"
    )
    again = {**posts, "name": "again"}
    no_time = semantic_model("posts", entities=post, dimensions={"d": "day"}, measures=[measure("posts", "count")])
    window = {"name": "dd", "window_choice": "max", "window_groupings": ["creator"]}
    bad_window = semantic_model(
        "posts",
        entities=post,
        dimensions={"d": "day"},
        measures=[measure("posts", "count", non_additive_dimension=window)],
        time="d",
    )
    return {
        "unknown measure": ([posts], [simple("a", "post")]),
        "unknown input": ([posts], [simple("posts"), ratio("r", "post", "posts")]),
        "unknown companion": ([posts], [simple("posts", units="pots")]),
        "a circle": ([posts], [derived("a", "b", ["b"]), derived("b", "a", ["a"])]),
        "measure in two models": ([posts, again], [simple("posts")]),
        "measure without a time": ([no_time], [simple("posts")]),
        "an interval without its groups": (
            [posts],
            [simple("posts", interval={"replicate_group": "post__d"})],
        ),
        "unknown window": ([bad_window], [simple("posts")]),
    }


def test_every_broken_law_reads_well(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    texts = []
    for name, (models, metrics) in broken_definitions().items():
        text = write_manifest(tmp_path / "m.json", models, metrics).read_text(encoding="utf-8")
        with pytest.raises(DefinitionError) as caught:
            parse_manifest(text, origin="semantic_manifest.json")
        texts.append(f"## {name}\n{caught.value}\n")
    golden("laws.txt", "\n".join(texts))


def test_what_is_outside_reads_well(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    manifest = write_manifest(tmp_path / "m.json", small.MODELS, small.METRICS)
    (tmp_path / "text.duckdb").write_text("this is not a database " * 500, encoding="utf-8")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    with duckdb.connect(str(tmp_path / "empty.duckdb")) as connection:
        connection.execute("select 1")
    calls: dict[str, Callable[[], object]] = {
        "no database": lambda: Engine.from_manifest(manifest, tmp_path / "none.duckdb"),
        "not a database": lambda: Engine.from_manifest(manifest, tmp_path / "text.duckdb"),
        "a table is missing": lambda: Engine.from_manifest(manifest, tmp_path / "empty.duckdb").query(["posts"]),
        "no manifest": lambda: Engine.from_manifest(tmp_path / "none.json", tmp_path / "empty.duckdb"),
        "not a manifest": lambda: Engine.from_manifest(tmp_path / "broken.json", tmp_path / "empty.duckdb"),
    }
    texts = []
    for name, call in calls.items():
        with pytest.raises((WarehouseError, DefinitionError)) as caught:
            call()
        assert isinstance(caught.value, GnomonError)
        texts.append(f"## {name}\n{str(caught.value).replace(str(tmp_path), 'FOLDER')}\n")
    golden("outside.txt", "\n".join(texts))


LINES = {
    "not JSON": "metrics: views",
    "no object": '["views"]',
    "an unknown key": '{"metric": ["views"]}',
    "a word for a list": '{"metrics": "views"}',
    "a count of none": '{"metrics": ["views"], "count": 0}',
    "a count in words": '{"metrics": ["views"], "count": "3"}',
    "seconds below none": '{"metrics": ["views"], "seconds": -1}',
    "no moment": '{"metrics": ["views"], "start": "yesterday"}',
    "no zone": '{"metrics": ["views"], "start": "2026-01-01T00:00+00:00", "time_zone": "Mars"}',
    "an unknown saved query": '{"saved_query": "weekly"}',
}


def test_every_wrong_line_of_a_log_is_named(
    strict_engine: Engine, tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(['{"metrics": ["views"]}', "", *LINES.values()]), encoding="utf-8")
    with pytest.raises(QueryError) as wrong:
        strict_engine.recommend(log)
    for content in ("", "\n"):
        log.write_text(content, encoding="utf-8")
        with pytest.raises(QueryError) as empty:
            strict_engine.recommend(log)
    with pytest.raises(QueryError) as missing:
        strict_engine.recommend(tmp_path / "none.jsonl")
    texts = (str(error.value).replace(str(tmp_path), "FOLDER") for error in (wrong, empty, missing))
    golden("question_log.txt", "\n".join(texts) + "\n")
