"""A small world whose totals can be worked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from gnomon import Engine
from tests.manifests import derived, measure, ratio, semantic_model, simple, write_manifest
from tests.oracle import Oracle

# posts:     id creator day         hour   kind   bad    views      creators:  id tier region
#            1  ana     Mon 05 Jan  09:00  video  true   100                   ana gold ID
#            2  ana     Tue 06 Jan  10:00  video  false   50                   bo  new  TH
#            3  bo      Tue 06 Jan  10:30  live   false   10                   (cy: no row)
#            4  bo      Mon 12 Jan  23:59  video  true    40
#            5  cy      Mon 12 Jan  00:00  live   NULL  NULL
#            6  NULL    Sun 01 Feb  00:00  NULL   true     7
# states (one row per creator and day it is active; violating or not):
#            ana 05 Jan 1 · ana 06 Jan 0 · bo 06 Jan 1 · bo 12 Jan 1 · ana 12 Jan 0
WORLD = """
create table posts as select * from (values
    (1, 'ana', date '2026-01-05', timestamp '2026-01-05 09:00:00', 'video', true,  100),
    (2, 'ana', date '2026-01-06', timestamp '2026-01-06 10:00:00', 'video', false,  50),
    (3, 'bo',  date '2026-01-06', timestamp '2026-01-06 10:30:00', 'live',  false,  10),
    (4, 'bo',  date '2026-01-12', timestamp '2026-01-12 23:59:00', 'video', true,   40),
    (5, 'cy',  date '2026-01-12', timestamp '2026-01-12 00:00:00', 'live',  null, null),
    (6, null,  date '2026-02-01', timestamp '2026-02-01 00:00:00', null,    true,    7)
) as t(post_id, creator_id, post_date, posted_at, kind, is_bad, views);
create table creators as select * from (values
    ('ana', 'gold', 'ID', date '2025-11-30'), ('bo', 'new', 'TH', date '2025-12-31')
) as t(creator_id, tier, region, joined);
create table states as select * from (values
    ('ana', date '2026-01-05', 1), ('ana', date '2026-01-06', 0), ('bo', date '2026-01-06', 1),
    ('bo', date '2026-01-12', 1), ('ana', date '2026-01-12', 0)
) as t(creator_id, status_date, violating);
create table days as
    select cast(d as date) as date_day from range(date '2025-01-01', date '2027-01-01', interval 1 day) t(d);
"""

MODELS = [
    semantic_model(
        "posts",
        entities={"post": ("primary", "post_id"), "creator": ("foreign", "creator_id")},
        dimensions={"post_date": "day", "posted_at": "second", "kind": None, "is_bad": None},
        measures=[
            measure("posts", "count", "post_id"),
            measure("views", "sum"),
            measure("bad_posts", "sum_boolean", "is_bad"),
            measure("posting_creators", "count_distinct", "creator_id"),
            measure("mean_views", "average", "views"),
            measure("most_views", "max", "views"),
            measure("least_views", "min", "views"),
        ],
        time="post_date",
    ),
    semantic_model(
        "creators",
        entities={"creator": ("primary", "creator_id")},
        dimensions={"tier": None, "region": None, "joined": "day"},
    ),
    semantic_model(
        "states",
        entities={"creator": ("foreign", "creator_id")},
        dimensions={"status_date": "day"},
        measures=[
            measure(
                "violating_creators", "sum", "violating",
                non_additive_dimension={"name": "status_date", "window_choice": "max", "window_groupings": []},
            ),
            measure(
                "active_creators", "count", "creator_id",
                non_additive_dimension={"name": "status_date", "window_choice": "max", "window_groupings": []},
            ),
            measure(
                "first_violating", "sum", "violating",
                non_additive_dimension={"name": "status_date", "window_choice": "min", "window_groupings": ["creator"]},
            ),
        ],
        time="status_date",
        primary_entity="creator_day",
    ),
]  # fmt: skip
FILLED_BAD_POSTS = simple("filled_bad_posts", "bad_posts", where="{{ Dimension('post__kind') }} = 'video'")
FILLED_BAD_POSTS["type_params"]["measure"]["fill_nulls_with"] = 0
METRICS = [
    simple("posts"),
    simple("views"),
    simple("bad_posts"),
    simple("posting_creators"),
    simple("mean_views"),
    simple("most_views"),
    simple("least_views"),
    simple("video_posts", "posts", where="{{ Dimension('post__kind') }} = 'video'"),
    simple("video_creators", "posting_creators", where="{{ Dimension('post__kind') }} = 'video'"),
    simple("gold_views", "views", where="{{ Dimension('creator__tier') }} = 'gold'"),
    simple("violating_creators"),
    simple("active_creators"),
    simple("first_violating"),
    ratio("bad_rate", "bad_posts", "posts"),
    ratio("creator_violation_rate", "violating_creators", "active_creators"),
    derived("views_per_post", "1.0 * views / nullif(posts, 0)", ["views", "posts"]),
    derived(
        "gap", "all_views - gold", [{"name": "views", "alias": "all_views"}, {"name": "gold_views", "alias": "gold"}]
    ),
    derived(
        "nested", "vpp * rate", [{"name": "views_per_post", "alias": "vpp"}, {"name": "bad_rate", "alias": "rate"}]
    ),
    simple("guarded_views", "views", units="posts", minimum_units=2),
    FILLED_BAD_POSTS,
    ratio("filled_rate", "filled_bad_posts", "views"),
    derived("guarded_score", "100 * guarded_views", ["guarded_views"]),
    ratio("guarded_rate", "bad_posts", "posts", units="video_posts", minimum_units=1),
]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Paths of the manifest and of the DuckDB file."""
    folder = tmp_path_factory.mktemp("world")
    with duckdb.connect(str(folder / "small.duckdb")) as connection:
        connection.execute(WORLD)
    return write_manifest(folder / "semantic_manifest.json", MODELS, METRICS), folder / "small.duckdb"


@pytest.fixture(scope="session")
def engine(world: tuple[Path, Path]) -> Iterator[Engine]:
    opened = Engine.from_manifest(*world)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def oracle(world: tuple[Path, Path]) -> Oracle:
    return Oracle.read(world[0])
