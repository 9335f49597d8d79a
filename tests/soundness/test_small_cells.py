"""What stands on too few units is hidden, and cannot be computed from what is shown: worked by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gnomon.access import Policy, SmallestCell
from gnomon.core.errors import AccessError, QueryError
from gnomon.engine import Engine, Result
from gnomon.engine.result import Suppressed
from gnomon.planner import Plan, Question, plan
from gnomon.semantic import read_manifest
from tests.manifests import write_manifest
from tests.soundness.posts import IN_ID, LEAST, METRICS, MODELS, ONLY_ID, ROLE, Post, open_world

# One post of each creator, all in ID but the two of VN:
#              gold   silver      new
#   Mon 5 Jan  g1 g2  s1 s2 s3    n1      views 10 each, of new 70
#   Mon 12 Jan g3     s4                  views 20 each; s4 is live and bad, all others are good videos
# g3 and s4 are of VN. So gold has 3 creators, silver 4, new 1; of fewer than 3 nothing may be told.
DRAWN = [
    Post(name, tier, "VN" if day else "ID", kind, day, views, is_bad, 0)
    for name, tier, kind, day, views, is_bad in (
        ("g1", "gold", "video", 0, 10, False),
        ("g2", "gold", "video", 0, 10, False),
        ("g3", "gold", "video", 7, 20, False),
        ("s1", "silver", "video", 0, 10, False),
        ("s2", "silver", "video", 0, 10, False),
        ("s3", "silver", "video", 0, 10, False),
        ("s4", "silver", "live", 7, 20, True),
        ("n1", "new", "video", 0, 70, False),
    )
]
BY_TIER = {"group_by": ["creator__tier"], "order_by": ["creator__tier"], "policy": "careful"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_world(tmp_path_factory.mktemp("drawn"), DRAWN, ROLE, IN_ID)
    yield engine
    engine.close()


def read(result: Result) -> list[tuple[Any, ...]]:
    """Return the rows without the flag, which must say where values are null."""
    *columns, flags = [column.to_pylist() for column in result.table.columns]
    rows = list(zip(*columns, strict=True))
    hidden = [row[-1] is None for row in rows]
    assert hidden == flags
    return rows


def test_a_small_cell_is_hidden_and_the_smallest_other_one_with_it(drawn: Engine) -> None:
    """Of new there is one creator; 8 posts in all less silver's and gold's would be hers."""
    result = drawn.query(["posts"], **BY_TIER)
    assert result.table.column_names == ["creator__tier", "posts", "is_suppressed"]
    assert read(result) == [("gold", None), ("new", None), ("silver", 4)]
    assert result.provenance.suppressed == Suppressed(rows=2, least=LEAST, units=("creator",))
    assert "2 of 3 rows are hidden" in result.provenance.nulls["posts"]


def test_totals_and_shares_are_those_of_all_and_give_nothing_back(drawn: Engine) -> None:
    shown = drawn.query(["views", "views__total", "views__share"], **BY_TIER)
    assert read(shown) == [("gold", None, None, None), ("new", None, None, None), ("silver", 50, 160, 50 / 160)]


def test_a_hidden_value_has_no_place_in_an_order(drawn: Engine) -> None:
    """New has the most views for a post and the fewest posts; in either order it comes after what is shown."""
    for order in ("posts", "-posts"):
        asked = {**BY_TIER, "order_by": [order]}
        assert read(drawn.query(["posts"], **asked)) == [("silver", 4), ("gold", None), ("new", None)]
        assert read(drawn.query(["posts"], **asked, limit=1)) == [("silver", 4)]


def test_a_small_group_is_never_among_the_top(drawn: Engine) -> None:
    """By views the first is new with 70; the others then are new alone, and the smallest of the top is hidden, too."""
    asked = {"group_by": ["creator__tier"], "policy": "careful"}
    one = drawn.query(["views"], **asked, top=1).table.to_pylist()
    assert [(row["creator__tier"], row["is_other"], row["views"]) for row in one] == [
        ("silver", False, 50),
        (None, True, 110),
    ]
    two = drawn.query(["views"], **asked, top=2).table.to_pylist()
    assert [(row["creator__tier"], row["is_other"], row["views"]) for row in two] == [
        ("silver", False, 50),
        ("gold", False, None),
        (None, True, None),
    ]


def test_what_a_filter_leaves_out_is_not_small_either(drawn: Engine) -> None:
    """All posts less those of gold and silver are of the one creator of new. Gold is hidden beside her without the
    filter, so it is with it; and silver, lest gold be told from the sum of both.
    """
    of_two = "{{ Dimension('creator__tier') }} in ('gold', 'silver')"
    assert read(drawn.query(["posts"], where=[of_two], policy="careful")) == [(None,)]
    assert read(drawn.query(["posts"], where=["{{ Dimension('creator__tier') }} = 'silver'"], policy="careful")) == [
        (4,)
    ]
    assert read(
        drawn.query(["posts"], [*BY_TIER["group_by"]], [of_two], policy="careful", order_by=["creator__tier"])
    ) == [
        ("gold", None),
        ("silver", None),
    ]


def test_each_of_two_filters_is_left_away_alone(drawn: Engine) -> None:
    """Of ID and not new are 5 creators, of the rest 3; but ID with new less ID without it is one creator."""
    id_only, not_new = ONLY_ID.text, "{{ Dimension('creator__tier') }} <> 'new'"
    assert read(drawn.query(["posts"], where=[id_only, not_new], policy="careful")) == [(None,)]
    joined = f"{id_only} and {not_new}"
    assert read(drawn.query(["posts"], where=[joined], policy="careful")) == [(None,)]


def test_a_definitions_filter_leaves_out_no_small_cell(drawn: Engine) -> None:
    """All posts less the videos are the one of s4; gold's views by tier are those that the views by tier hide."""
    assert read(drawn.query(["video_posts"], policy="careful")) == [(None,)]
    assert read(drawn.query(["posts"], policy="careful")) == [(8,)]
    assert read(drawn.query(["gold_views"], **BY_TIER)) == [("gold", None)]
    assert read(drawn.query(["gold_views"], policy="careful")) == [(40,)]


def test_a_rate_is_hidden_where_its_numerator_or_its_rest_is_small(drawn: Engine) -> None:
    """One post of 8 is bad, of one creator; of gold none is, but her tier is hidden with the others' posts."""
    assert read(drawn.query(["bad_rate"], policy="careful")) == [(None,)]
    assert read(drawn.query(["bad_posts"], policy="careful")) == [(None,)]


def test_nobody_is_shown_as_none(drawn: Engine) -> None:
    """Nothing bad is in ID: that is said, as no unit stands behind it; 6 creators there have good posts."""
    assert read(drawn.query(["bad_posts"], policy="careful_id")) == [(0,)]


def test_a_group_is_shown_at_all_times_or_at_none_where_rows_look_back(drawn: Engine) -> None:
    """In the second week two creators post, so the week before it is hidden in an answer that shows it there."""
    asked = {"group_by": ["metric_time__week"], "order_by": ["metric_time__week"], "policy": "careful"}
    first, second = drawn.query(["posts"], **asked).table.column("posts").to_pylist()
    assert (first, second) == (None, None), "the sum of both weeks less one is the other"
    later = drawn.query(["posts__previous"], **asked).table.to_pylist()
    assert [row["posts__previous"] for row in later] == [None, None, None]
    assert [row["is_suppressed"] for row in later] == [True, True, True]


def test_units_and_floors_of_hidden_rows_are_hidden_with_them(drawn: Engine) -> None:
    result = drawn.query(["guarded_views"], **BY_TIER)
    assert result.units["guarded_views"].to_pylist() == [None, None, 4]
    assert "stand on fewer than 4" not in result.provenance.nulls["guarded_views"]


def test_without_a_smallest_cell_nothing_is_hidden(drawn: Engine) -> None:
    result = drawn.query(["posts"], ["creator__tier"], order_by=["creator__tier"])
    assert result.table.to_pydict() == {"creator__tier": ["gold", "new", "silver"], "posts": [3, 1, 4]}
    assert result.provenance.suppressed is None


def test_another_smallest_cell_is_another_answer(drawn: Engine) -> None:
    plans = [
        plan(
            drawn.manifest,
            Question(("posts",), ("creator__tier",), smallest_cell=SmallestCell(least, ("creator",)), limit=limit),
        )
        for least, limit in ((2, None), (3, None), (3, 1))
    ]
    assert len({each.sql for each in plans}) == 1
    assert len({drawn.key_of(each) for each in plans}) == 3


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"metrics": ["most_views"]}, "a max is the value of a single row"),
        ({"metrics": ["median_views"]}, "a median is the value of a single row"),
        ({"metrics": ["visits"]}, "'visits' does not say whose its rows are: it has no 'creator'"),
        ({"metrics": ["visit_rate__total"], "group_by": ["metric_time__day"]}, "does not say whose its rows are"),
        ({"metrics": ["posts"], "group_by": ["creator"]}, "may neither see nor filter by 'creator'"),
        ({"metrics": ["posts"], "group_by": ["post"]}, "may neither see nor filter by 'post'"),
        ({"metrics": ["posts"], "where": ["{{ Entity('creator') }} = 'g1'"]}, "may neither see nor filter by"),
        ({"metrics": ["posts"], "where": ["{{ Metric('views', ['creator']) }} > 60"]}, "may neither see nor filter by"),
        ({"metrics": ["posts"], "where": ["{{ Metric('views', ['shop']) }} > 60"]}, "may not filter by a metric"),
        (
            {
                "metrics": ["posts"],
                "where": ["{{ Dimension('creator__tier') }} = 'new' or {{ Dimension('post__kind') }} = 'live'"],
            },
            "each of its filters is about one attribute",
        ),
        ({"group_by": ["creator__tier", "creator__region"]}, "the values of one attribute at a time"),
        (
            {"group_by": ["creator__tier"], "where": ["{{ Dimension('creator__region') }} = 'VN'"]},
            "the values of one attribute at a time",
        ),
        ({"group_by": ["creator__tier"], "takes_extremes": True}, "the value of a single row"),
        ({"group_by": ["creator"]}, "may neither see nor filter by 'creator'"),
    ],
)
def test_what_would_tell_of_one_unit_is_refused(drawn: Engine, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(AccessError, match=re.escape(said)):
        drawn.query(**asked, policy="careful")


def test_what_is_refused_is_not_listed(drawn: Engine) -> None:
    names = {metric.name for metric in drawn.list_metrics("careful")}
    assert {"posts", "bad_rate", "posts_7d"} <= names
    assert not names & {"most_views", "median_views", "visits", "visit_rate"}
    assert "shop" in drawn.dimensions_of("posts", "careful")
    assert not {"creator", "post"} & set(drawn.dimensions_of("posts", "careful"))


def test_groups_that_are_not_one_units_and_values_of_an_attribute_are_there(drawn: Engine) -> None:
    assert read(drawn.query(["posts"], ["shop"], policy="careful")) == [("s", 8)]
    listed = drawn.query(group_by=["creator__tier"], order_by=["creator__tier"], policy="careful")
    assert listed.table.to_pydict() == {"creator__tier": ["gold", "new", "silver"]}


def test_sql_that_gives_hidden_numbers_is_not_handed_out(drawn: Engine) -> None:
    for more in ({"dialect": "postgres"}, {"outer_filters": ["creator__tier"]}):
        with pytest.raises(QueryError, match="the SQL alone is not the answer"):
            drawn.plan(["posts"], policy="careful", **more)  # type: ignore[arg-type]


def test_an_error_that_could_show_a_value_is_kept_back(drawn: Engine) -> None:
    wrong = "cast({{ Dimension('creator__tier') }} as integer) = 1"
    with pytest.raises(QueryError, match="kept back") as refused:
        drawn.query(["posts"], where=[wrong], policy="careful")
    assert "gold" not in str(refused.value)


def test_units_are_counted_from_a_rollup_that_can_say_them(drawn: Engine) -> None:
    """A rollup by creator and day knows whose posts there are; that a sum of views is 0 does not say that all are."""
    models = json.loads(json.dumps(MODELS))
    models[0]["config"] = {"meta": {"rollups": [{"name": "daily", "grain": "day", "dimensions": ["creator"]}]}}
    manifest = read_manifest(write_manifest(drawn._warehouse.path.parent / "rolled.json", models, METRICS))
    cell = SmallestCell(LEAST, ("creator",))

    def explain(*metrics: str, **more: Any) -> Plan:
        return plan(manifest, Question(metrics, ("creator__tier",), smallest_cell=cell, **more), {"daily": 8})

    assert explain("posts").rollups == ("daily",)
    assert explain("mean_views").rollups == ("daily",)
    assert explain("views").rollups == ()
    assert any("that is zero does not say" in why for why in explain("views").why)
    assert any("whose rows 'liked_posts' leaves out" in why for why in explain("liked_posts").why)


def test_a_row_is_of_the_first_unit_that_it_has(tmp_path: Path) -> None:
    """Three posts of nobody are of one that nobody knows, or of the three shops where they are; g1's are hers."""
    roles = [
        Policy("_".join(units), smallest_cell=SmallestCell(LEAST, units))
        for units in (("creator",), ("creator", "shop"), ("shop", "creator"))
    ]
    of_nobody = [Post(None, None, None, "live", 0, 1, False, 0, shop) for shop in ("a", "b", "c")]
    of_one = [Post("g1", "gold", "ID", "video", 0, 1, False, 0, shop) for shop in ("a", "b", "c")]
    engine = open_world(tmp_path, [*of_nobody, *of_one], *roles)
    live = {"metrics": ["views"], "where": ["{{ Dimension('post__kind') }} = 'live'"]}
    assert read(engine.query(["views"], policy="creator")) == [(None,)]
    assert read(engine.query(["views"], policy="creator_shop")) == [(6,)]
    # The rest is g1's: by her it is small, by shops it is not.
    assert read(engine.query(**live, policy="creator_shop")) == [(None,)]
    assert read(engine.query(**live, policy="shop_creator")) == [(3,)]
    engine.close()
