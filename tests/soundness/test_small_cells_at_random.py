"""Random questions of a role that sees no small cells: none can be computed from what is shown."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.soundness.leaks import LEAVES, Asked, World, find_leak, find_leak_of_top, find_leak_of_two
from tests.soundness.posts import IN_ID, ONLY_ID, ROLE, Part, Post, open_world, write_part

WORLDS = 4
NIGHTLY_EXAMPLES = 600
VALUES = {
    "creator__tier": ("gold", "silver", "new"),
    "creator__region": ("ID", "TH", "VN"),
    "post__kind": ("video", "live"),
}


def draw_posts(seed: int) -> list[Post]:
    """Draw posts of some thirty creators, of whom most tiers, regions and kinds have few."""
    rng = random.Random(seed)
    creators = [
        (f"c{number}", *(_pick(rng, each) for each in (["gold", "silver", "new", None], ["ID", "TH", "VN"])))
        for number in range(rng.randint(12, 40))
    ]
    posts = []
    for _ in range(rng.randint(30, 150)):
        who, tier, region = rng.choice(creators) if rng.random() < 0.97 else (None, None, None)
        kind, views = _pick(rng, ["video", "live", None]), rng.choice([None, 0, *range(1, 60)])
        bad, likes = rng.choice([True, False, False, None]), rng.choice([0, 0, 1, 5])
        posts.append(Post(who, tier, region, kind, rng.randrange(21), views, bad, likes))
    return posts


def _pick(rng: random.Random, values: Sequence[Any]) -> Any:
    return values[min(int(rng.expovariate(0.9)), len(values) - 1)]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[World]]:
    opened = []
    for seed in range(WORLDS):
        posts = draw_posts(seed)
        engine = open_world(tmp_path_factory.mktemp("cells"), posts, ROLE, IN_ID)
        opened.append(World(f"world {seed}", posts, engine))
    yield opened
    for world in opened:
        world.engine.close()


@st.composite
def draw_parts(draw: st.DrawFn, names: Sequence[str]) -> Part:
    name = draw(st.sampled_from(names))
    values = draw(st.lists(st.sampled_from(VALUES[name]), min_size=1, unique=True))
    return write_part(name, tuple(values), draw(st.booleans()))


@st.composite
def draw_questions(draw: st.DrawFn, *, filters_groups: bool = False) -> Asked:
    """Draw questions; with `filters_groups` each has a filter, over what it is grouped by."""
    times = draw(st.sampled_from([(), (), ("metric_time__week",), ("metric_time__day",)]))
    names = sorted(VALUES)
    groups = draw(st.lists(st.sampled_from(names), min_size=filters_groups, max_size=2, unique=True))
    words = [""] if filters_groups else ["", "__total", *(["__previous", "__change"] if times else [])]
    chosen = draw(st.lists(st.sampled_from(sorted(LEAVES)), min_size=1, max_size=3, unique=True))
    parts = draw(
        st.lists(
            draw_parts(groups if filters_groups else names),
            min_size=filters_groups,
            max_size=2,
            unique_by=lambda part: part.name,
        )
    )
    asked = [metric + draw(st.sampled_from(words)) for metric in chosen]
    row_filter = None if filters_groups else draw(st.sampled_from([None, None, ONLY_ID]))
    return Asked(tuple(asked), (*times, *groups), tuple(parts), row_filter)


def often(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


PLACES = st.integers(0, WORLDS - 1)
TOPS = st.tuples(st.sampled_from(sorted(LEAVES)), st.sampled_from(sorted(VALUES)), st.integers(0, 4))


@often(60)
@given(place=PLACES, asked=draw_questions())
def test_no_answer_gives_a_small_cell_away(worlds: list[World], place: int, asked: Asked) -> None:
    leak = find_leak(worlds[place], asked)
    assert leak is None, f"world {place}: {asked}: {leak}"


@often(25)
@given(place=PLACES, asked=draw_questions(filters_groups=True))
def test_a_filter_over_groups_gives_nothing_away_beside_the_whole(
    worlds: list[World], place: int, asked: Asked
) -> None:
    leak = find_leak_of_two(worlds[place], asked, replace(asked, words=asked.words[:1], parts=()))
    assert leak is None, f"world {place}: {asked}: {leak}"


@often(25)
@given(place=PLACES, asked=draw_questions(filters_groups=True))
def test_other_metrics_beside_it_show_no_more_of_one(worlds: list[World], place: int, asked: Asked) -> None:
    together = replace(asked, parts=())
    leak = find_leak_of_two(worlds[place], together, replace(together, words=together.words[:1]))
    assert leak is None, f"world {place}: {together}: {leak}"


@often(25)
@given(place=PLACES, top=TOPS)
def test_no_top_gives_a_small_cell_away(worlds: list[World], place: int, top: tuple[str, str, int]) -> None:
    leak = find_leak_of_top(worlds[place], *top)
    assert leak is None, f"world {place}: {top}: {leak}"


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("test", "drawn"),
    [
        (test_no_answer_gives_a_small_cell_away, {"asked": draw_questions()}),
        (
            test_a_filter_over_groups_gives_nothing_away_beside_the_whole,
            {"asked": draw_questions(filters_groups=True)},
        ),
        (test_other_metrics_beside_it_show_no_more_of_one, {"asked": draw_questions(filters_groups=True)}),
        (test_no_top_gives_a_small_cell_away, {"top": TOPS}),
    ],
)
def test_nothing_gives_a_small_cell_away_at_length(worlds: list[World], test: Any, drawn: dict[str, Any]) -> None:
    def check(**each: Any) -> None:
        test.hypothesis.inner_test(worlds, **each)

    often(NIGHTLY_EXAMPLES)(given(place=PLACES, **drawn)(check))()
