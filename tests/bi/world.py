"""A small project whose definitions try views: filters, floors, maturity, outcomes, fills, samples, names.

Its posts are those of tests/generations.py: 60 days, 20 creators of whom every fourth is gold, two kinds of three.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

from gnomon.publish import publish
from tests.copies import CASES, SAID
from tests.copies import write_manifest as write_dbt_manifest
from tests.generations import build_small
from tests.manifests import cumulative, derived, ratio, simple

LIVE = "{{ Dimension('post__kind') }} = 'live'"
GOLD = "{{ Dimension('creator__tier') }} = 'gold'"
# Words that must be escaped in some of the formats.
NASTY = "Of \"all\" <posts> & 'their' [kind] \\ {x} /* %; ends\n  here: ]] is é."
METRICS: list[dict[str, Any]] = [
    simple("posts", unit="count", certification="certified"),
    {**simple("views", unit="count"), "label": NASTY.replace("\n", " "), "description": NASTY},
    {**simple("filled_posts", "posts", where=LIVE), "description": "0 where there is none."},
    simple("live_posts", "posts", where=LIVE, unit="count"),
    simple("gold_posts", "posts", where=GOLD, unit="count"),
    simple("late_posts", "posts", matures_after_days=10, unit="count", always_with=["posts"]),
    simple("weights"),
    ratio("live_share", "live_posts", "posts", units="posts", minimum_units=40, unit="rate"),
    ratio("mean_weight_of_posts", "weights", "posts", matures_after_days=3, unit="usd"),
    ratio("filled_share", "filled_posts", "posts", unit="rate"),
    ratio("bad_share", "bad_posts_of_kinds", "posts", never_by=["post__is_bad"], unit="rate"),
    simple("bad_posts_of_kinds", "bad_posts"),
    derived("views_less_posts", "views - 2 * posts", ["views", "posts"]),
    derived(
        "scored_share", "case when live_share is not null then greatest(1, least(100, 1 + 99 * (live_share - 0.1) / "
        "(0.9 - 0.1))) end", ["live_share"],
    ),
    derived("gold_live_share", "1.0 * gold / nullif(posts, 0)", [{"name": "live_posts", "alias": "gold", "filter":
        {"where_filters": [{"where_sql_template": GOLD}]}}, "posts"]),
    derived("logged_posts", "ln(posts)", ["posts"]),
    simple("posting_creators"),
    simple("mean_weight"),
    simple("most_views"),
    simple("median_views"),
    simple("sampled_weight", "weights"),
    simple("sampled_posts", "posts"),
    ratio("sampled_share", "sampled_weight", "sampled_posts", interval={
        "method": "delete_a_group_jackknife", "replicates": 20, "replicate_group": "post__kind"},
        units="posts", minimum_units=1),
    cumulative("all_posts", "posts"),
]  # fmt: skip
for _metric in METRICS:
    if _metric["name"] == "filled_posts":
        _metric["type_params"]["measure"]["fill_nulls_with"] = 0
ROLLUPS: list[dict[str, Any]] = [
    {"name": "posts_by_creator", "grain": "day", "dimensions": ["creator", "post__kind", "post__is_bad"]},
    {"name": "posts_weekly", "grain": "week", "dimensions": ["post__kind"], "measures": ["posts", "views", "weights"]},
]


def build_world(project: Path, stamp: int = 1, rollups: list[dict[str, Any]] = ROLLUPS) -> Path:
    """Make the project, with one published generation."""
    with mock.patch("tests.generations.METRICS", METRICS):
        small = build_small(project, stamp, rollups=rollups, dbt_manifest=write_dbt_manifest(stamp, SAID))
    small.execute(CASES)
    publish(project, environ={})
    return project
