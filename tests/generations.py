"""A small working file with a whole and green build in it, to publish from without dbt."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from gnomon.warehouse import Generations
from tests.manifests import derived, measure, semantic_model, simple, write_manifest

DAYS, CREATORS, POSTS = 60, 20, 2000

# Each post of the build with stamp K has K views, so views / posts = K in every answer, from one build alone.
TABLES = """
create table fct_posts as select
    'p' || i as post_id,
    'c' || i % {creators} as creator_id,
    date '2026-01-01' + cast(i * 7 % {days} as integer) as post_date,
    case i % 3 when 0 then 'video' when 1 then 'live' end as kind,
    i % 5 = 0 as is_bad,
    {stamp} as views,
    i / 7.0 as weight
from range({posts}) as t(i);
create table dim_creators as
    select 'c' || i as creator_id, case when i % 4 = 0 then 'gold' else 'new' end as tier from range({creators}) t(i);
create table dim_days as select cast(d as date) as date_day
    from range(date '2025-12-01', date '2026-06-01', interval 1 day) t(d);
create view feat_creator__posts as select creator_id, count(*) as post_count from fct_posts group by all;
create table score_creator__x as select creator_id, 0.5 as score from dim_creators;
create table regions as select 'ID' as region;
create table int_posts__hidden as select * from fct_posts;
"""
MODELS = [
    semantic_model(
        "posts",
        entities={"post": ("primary", "post_id"), "creator": ("foreign", "creator_id")},
        dimensions={"post_date": "day", "kind": None, "is_bad": None},
        measures=[
            measure("posts", "count", "post_id"),
            measure("views", "sum"),
            measure("bad_posts", "sum_boolean", "is_bad"),
            measure("posting_creators", "count_distinct", "creator_id"),
            measure("mean_weight", "average", "weight"),
            measure("weights", "sum", "weight"),
            measure("most_views", "max", "views"),
            measure("median_views", "median", "views"),
        ],
        time="post_date",
    ),
    semantic_model("creators", entities={"creator": ("primary", "creator_id")}, dimensions={"tier": None}),
]
ROLLUPS: list[dict[str, Any]] = [
    {"name": "posts_by_creator", "grain": "day", "dimensions": ["creator", "post__kind"]},
    {"name": "posts_weekly", "grain": "week", "dimensions": ["post__kind"], "measures": ["posts", "views", "weights"]},
]
METRICS = [
    simple("posts"),
    simple("views"),
    simple("median_views"),
    derived("stamp", "1.0 * views / nullif(posts, 0)", ["views", "posts"]),
]
RECORD = """
create schema gnomon_build;
create table gnomon_build.runs (run_id varchar, started_at timestamp, raw_set_id varchar, as_of_at timestamp,
    is_whole boolean, is_passed boolean, semantic_manifest varchar, dbt_manifest varchar);
create table gnomon_build.nodes (run_id varchar, node_id varchar, checksum varchar, status varchar,
    seconds double, row_count bigint, peak_memory_bytes bigint);
create table gnomon_build.project_nodes (node_id varchar, budget_rows double, budget_per varchar);
create table gnomon_build.edges (node_id varchar, parent_id varchar);
create table gnomon_build.absent_tables (table_name varchar, reason varchar);
"""
LAYERS = {
    "fct_posts": ("model", "marts", ["post_id", "creator_id", "views"]),
    "dim_creators": ("model", "marts", ["creator_id", "tier"]),
    "dim_days": ("model", "marts", ["date_day"]),
    "feat_creator__posts": ("model", "features", ["creator_id", "post_count"]),
    "score_creator__x": ("model", "scores", []),
    "int_posts__hidden": ("model", "intermediate", []),
    "regions": ("seed", "regions", []),
}


@dataclass(frozen=True)
class Small:
    """A project folder whose target holds a built working file."""

    project: Path
    run_id: str

    @property
    def database(self) -> Path:
        return self.project / "target" / "gnomon.duckdb"

    @property
    def generations(self) -> Generations:
        return Generations(self.project / "target" / "generations")

    def execute(self, *statements: str) -> None:
        """Change the working file behind the build's back."""
        with duckdb.connect(str(self.database)) as connection:
            for statement in statements:
                connection.execute(statement)


def build_small(
    project: Path, stamp: int = 1, *, posts: int = POSTS, rollups: list[dict[str, Any]] = ROLLUPS, **record: Any
) -> Small:
    """Write the working file as a build would: a new file in the place of the old one, with a run id of its own."""
    target = project / "target"
    target.mkdir(parents=True, exist_ok=True)
    run_id = str(uuid.UUID(int=stamp << 96))
    path = target / "building.duckdb"
    path.unlink(missing_ok=True)
    semantic = write_small_manifest(target / "semantic_manifest.json", rollups)
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLES.format(stamp=stamp, posts=posts, days=DAYS, creators=CREATORS))
        connection.execute(RECORD)
        connection.execute(
            "insert into gnomon_build.runs values (?, ?, 'small', '2026-03-01', ?, ?, ?, ?)",
            [
                run_id,
                datetime(2026, 3, 1) + timedelta(minutes=stamp),
                record.get("is_whole", True),
                record.get("is_passed", True),
                semantic,
                record.get("dbt_manifest", write_dbt_manifest(run_id)),
            ],
        )
        for name, (kind, _, _) in LAYERS.items():
            (rows,) = connection.execute(f"select count(*) from {name}").fetchone() or (0,)
            node, status = f"{kind}.gnomon.{name}", record.get("status", "success")
            connection.execute("insert into gnomon_build.project_nodes values (?, null, null)", [node])
            connection.execute(
                "insert into gnomon_build.nodes values (?, ?, '', ?, 0.1, ?, null)", [run_id, node, status, rows]
            )
            connection.execute("insert into gnomon_build.edges values (?, 'source.gnomon.raw.content')", [node])
    path.rename(target / "gnomon.duckdb")
    return Small(project, run_id)


def write_small_manifest(path: Path, rollups: list[dict[str, Any]]) -> str:
    """The manifest's text, its tables in the database 'gnomon' and under dbt's names."""
    models = json.loads(json.dumps(MODELS))
    models[0]["config"] = {"meta": {"rollups": rollups}}
    text = write_manifest(path, models, METRICS).read_text(encoding="utf-8")
    for plain, name in (("posts", "fct_posts"), ("creators", "dim_creators"), ("days", "dim_days")):
        text = text.replace(f'\\"small\\".\\"main\\".\\"{plain}\\"', f'\\"gnomon\\".\\"main\\".\\"{name}\\"')
    text = text.replace('"database": "small"', '"database": "gnomon"')
    path.write_text(text, encoding="utf-8")
    return text


def write_dbt_manifest(run_id: str) -> str:
    """What dbt's manifest.json says of the tables."""
    nodes = {
        f"{kind}.gnomon.{name}": {
            "unique_id": f"{kind}.gnomon.{name}",
            "resource_type": kind,
            "fqn": ["gnomon", layer, name],
            "schema": "main",
            "alias": name,
            "columns": {column: {} for column in columns},
        }
        for name, (kind, layer, columns) in LAYERS.items()
    }
    return json.dumps({"metadata": {"invocation_id": run_id}, "nodes": nodes})
