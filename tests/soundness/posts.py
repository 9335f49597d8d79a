"""A table of posts, its definitions, and roles that see no small cells in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from gnomon.access import EVERYTHING, Policy, SmallestCell
from gnomon.engine import Engine
from gnomon.semantic import read_manifest
from gnomon.warehouse import Warehouse
from tests.manifests import cumulative, derived, measure, ratio, semantic_model, simple, write_manifest

LEAST = 3
MONDAY = date(2026, 1, 5)  # day 0
ROLE = Policy("careful", smallest_cell=SmallestCell(LEAST, ("creator",)))
IN_ID = Policy(
    "careful_id", row_filters=("{{ Dimension('creator__region') }} = 'ID'",), smallest_cell=ROLE.smallest_cell
)
MODELS = [
    semantic_model(
        "posts",
        entities={"post": ("primary", "post_id"), "creator": ("foreign", "creator_id"), "shop": ("foreign", "shop_id")},
        dimensions={"post_date": "day", "kind": None},
        measures=[
            measure("posts", "count", "post_id"),
            measure("views", "sum"),
            measure("bad_posts", "sum_boolean", "is_bad"),
            measure("liked_posts", "sum", "case when likes > 0 then 1 else 0 end"),
            measure("mean_views", "average", "views"),
            measure("posting_creators", "count_distinct", "creator_id"),
            measure("most_views", "max", "views"),
            measure("median_views", "median", "views"),
        ],
        time="post_date",
    ),
    semantic_model(
        "creators", entities={"creator": ("primary", "creator_id")}, dimensions={"tier": None, "region": None}
    ),
    semantic_model("shops", entities={"shop": ("primary", "shop_id")}, dimensions={"street": None}),
    semantic_model(
        "visits",
        entities={"visit": ("primary", "visit_id")},
        dimensions={"visit_date": "day"},
        measures=[measure("visits", "count", "visit_id")],
        time="visit_date",
    ),
]  # fmt: skip
METRICS = [
    simple("posts"),
    simple("views"),
    simple("bad_posts"),
    simple("liked_posts"),
    simple("mean_views"),
    simple("posting_creators"),
    simple("most_views"),
    simple("median_views"),
    simple("visits"),
    simple("video_posts", "posts", where="{{ Dimension('post__kind') }} = 'video'"),
    simple("gold_views", "views", where="{{ Dimension('creator__tier') }} = 'gold'"),
    ratio("bad_rate", "bad_posts", "posts"),
    derived("gap", "views - gold_views", ["views", "gold_views"]),
    simple("guarded_views", "views", units="posts", minimum_units=4),
    ratio("visit_rate", "posts", "visits"),
    cumulative("posts_7d", "posts", window={"count": 7, "granularity": "day"}),
]


@dataclass(frozen=True)
class Post:
    """A row of the table of posts with its creator's attributes; whoever has no creator has no attributes."""

    creator: str | None
    tier: str | None
    region: str | None
    kind: str | None
    day: int
    views: int | None
    is_bad: bool | None
    likes: int
    shop: str = "s"

    def read(self, name: str) -> object:
        """Return what the post is grouped by under a name."""
        match name:
            case "metric_time__day":
                return self.day
            case "metric_time__week":
                return self.day // 7
        return getattr(self, name.rsplit("__", 1)[-1])


TABLES = """
create table posts (post_id integer, creator_id varchar, shop_id varchar, post_date date, kind varchar, views integer,
    is_bad boolean, likes integer);
create table creators (creator_id varchar, tier varchar, region varchar);
create table shops as select 's' as shop_id, 'high street' as street;
create table visits as select 1 as visit_id, date '2026-01-05' as visit_date;
create table days as
    select cast(d as date) as date_day from range(date '2025-12-01', date '2026-03-01', interval 1 day) t(d);
"""


def open_world(folder: Path, posts: Sequence[Post], *policies: Policy) -> Engine:
    """Write the posts and open them for the owner, and for these roles."""
    with duckdb.connect(str(folder / "small.duckdb")) as connection:
        connection.execute(TABLES)
        for number, post in enumerate(posts):
            connection.execute(
                "insert into posts values (?, ?, ?, date '2026-01-05' + cast(? as integer), ?, ?, ?, ?)",
                [number, post.creator, post.shop, post.day, post.kind, post.views, post.is_bad, post.likes],
            )
        for creator in {(post.creator, post.tier, post.region) for post in posts if post.creator}:
            connection.execute("insert into creators values (?, ?, ?)", list(creator))
    manifest = read_manifest(write_manifest(folder / "m.json", MODELS, METRICS))
    roles = {each.name: each for each in (EVERYTHING, *policies)}
    return Engine(manifest, Warehouse.attach(folder / "small.duckdb", "small"), policies=roles)


@dataclass(frozen=True)
class Part:
    """A filter's text, and what it says of a post."""

    text: str
    name: str
    values: tuple[str | None, ...]
    is_in: bool

    def passes(self, post: Post) -> bool:
        value = post.read(self.name)
        return value is not None and (value in self.values) == self.is_in


def write_part(name: str, values: tuple[str, ...], is_in: bool) -> Part:
    listed = ", ".join(f"'{value}'" for value in values)
    return Part(f"{{{{ Dimension('{name}') }}}} {'' if is_in else 'not '}in ({listed})", name, values, is_in)


ONLY_ID = write_part("creator__region", ("ID",), True)
