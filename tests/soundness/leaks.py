"""What an answer gives away of small cells, told from the rows themselves and by subtraction alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from gnomon.engine import Engine, Result
from tests.soundness.posts import IN_ID, LEAST, MONDAY, ROLE, Part, Post

Rows = Sequence[Post]


@dataclass(frozen=True)
class Leaf:
    """The rows that a definition's filter lets through, and of these the rows that contribute."""

    contributes: Any
    passes: Any = lambda _: True
    counts: bool = False  # the other rows are counted by what counts all rows


POSTS = Leaf(lambda post: True)
VIEWS = Leaf(lambda post: post.views not in (None, 0))
BAD = Leaf(lambda post: post.is_bad is True, counts=True)
LEAVES: Mapping[str, tuple[Leaf, ...]] = {
    "posts": (POSTS,),
    "views": (VIEWS,),
    "bad_posts": (BAD,),
    "liked_posts": (Leaf(lambda post: post.likes > 0, counts=True),),
    "mean_views": (Leaf(lambda post: post.views is not None),),
    "posting_creators": (Leaf(lambda post: post.creator is not None),),
    "video_posts": (Leaf(lambda post: True, lambda post: post.kind == "video"),),
    "gold_views": (Leaf(VIEWS.contributes, lambda post: post.tier == "gold"),),
    "bad_rate": (BAD, POSTS),
    "gap": (VIEWS, Leaf(VIEWS.contributes, lambda post: post.tier == "gold")),
    "guarded_views": (VIEWS, POSTS),
}


class World:
    """Posts, and an engine over them."""

    def __init__(self, name: str, posts: Rows, engine: Engine) -> None:
        self.name = name
        self.posts = posts
        self.engine = engine

    def __repr__(self) -> str:
        return self.name


def count_units(posts: Rows) -> int:
    """Return how many creators have such a post; the posts of nobody are of one that nobody knows."""
    return len({post.creator for post in posts})


def is_small(posts: Rows) -> bool:
    return 0 < count_units(posts) < LEAST


@dataclass(frozen=True)
class Asked:
    """A question, and how its rows are found among the posts."""

    words: tuple[str, ...]
    groups: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    row_filter: Part | None = None

    @property
    def times(self) -> tuple[int, ...]:
        return tuple(place for place, group in enumerate(self.groups) if group.startswith("metric_time"))

    def ask(self, engine: Engine, role: str | None, **more: Any) -> Result:
        return engine.query(self.words, self.groups, [part.text for part in self.parts], policy=role, **more)

    def read_keys(self, result: Result) -> list[tuple[Any, ...]]:
        """Return the groups of each row, times as whole days or weeks since the first Monday."""
        columns = [self._read_group(result, group) for group in self.groups]
        return list(zip(*columns, strict=True)) if columns else [()] * result.table.num_rows

    def _read_group(self, result: Result, group: str) -> list[Any]:
        values = result.table.column(group).to_pylist()
        if not group.startswith("metric_time"):
            return values
        days = 1 if group.endswith("day") else 7
        return [(value.toordinal() - MONDAY.toordinal()) // days for value in values]

    def key_of(self, post: Post, by: int = 0) -> tuple[Any, ...]:
        return tuple(
            value + by if place in self.times else value
            for place, value in enumerate(post.read(group) for group in self.groups)
        )


def list_values(asked: Asked) -> Iterator[tuple[str, Leaf, int, bool]]:
    """Yield what each word shows: a leaf, of so many periods before, and of all groups or of one."""
    for word in asked.words:
        metric, _, how = word.partition("__")
        for leaf in LEAVES[metric]:
            if how != "previous":
                yield word, leaf, 0, False
            if how in ("previous", "change"):
                yield word, leaf, 1, False
            if how in ("total", "share"):
                yield word, leaf, 0, True


def list_behind(asked: Asked, leaf: Leaf, posts: Rows) -> Iterator[list[Post]]:
    """Yield the rows that a leaf's value stands on, and the rows that it would give away beside another value."""
    for rows in _list_sides(asked, leaf, posts):
        yield [post for post in rows if leaf.contributes(post)]
        if leaf.counts:
            yield [post for post in rows if not leaf.contributes(post)]


def _list_sides(asked: Asked, leaf: Leaf, posts: Rows) -> Iterator[list[Post]]:
    """Yield the rows that pass all filters, those that only the definition's stop, and those that only others do."""
    passing = [post for post in posts if all(part.passes(post) for part in asked.parts)]
    stated = [post for post in posts if leaf.passes(post)]
    yield [post for post in passing if leaf.passes(post)]
    yield [post for post in passing if not leaf.passes(post)]
    yield [post for post in stated if not all(part.passes(post) for part in asked.parts)]
    for part in asked.parts:
        others = [other for other in asked.parts if other is not part]
        yield [post for post in stated if not part.passes(post) and all(other.passes(post) for other in others)]


def find_leak(world: World, asked: Asked) -> str | None:
    """Return what an answer gives away, or what is wrong with it, if anything."""
    role, whole, posts = ROLE, asked, world.posts
    if asked.row_filter is not None:
        role, whole = IN_ID, add_part(asked, asked.row_filter)
        posts = [post for post in posts if asked.row_filter.passes(post)]
    result, everything = asked.ask(world.engine, role.name), whole.ask(world.engine, None)
    keys, all_keys = asked.read_keys(result), asked.read_keys(everything)
    flags = result.table.column("is_suppressed").to_pylist()
    if sorted(map(repr, keys)) != sorted(map(repr, all_keys)):
        return "rows are missing"
    shown = {key for key, is_hidden in zip(keys, flags, strict=True) if not is_hidden}
    for word in asked.words:
        right = dict(zip(all_keys, everything.table.column(word).to_pylist(), strict=True))
        for key, value, is_hidden in zip(keys, result.table.column(word).to_pylist(), flags, strict=True):
            if value != (None if is_hidden else right[key]) and value != pytest.approx(right[key]):
                return f"{word} of {key} is {value}"
    for word, leaf, back, is_of_all in list_values(asked):
        behind = _group_by_key(asked, posts, back)
        slices = _group(behind, asked.times)
        for key in shown:
            mine = slices.get(_pick_places(key, asked.times), []) if is_of_all else behind.get(key, [])
            for rows in list_behind(asked, leaf, mine):
                if is_small(rows):
                    return f"{word} of {key} stands on, or gives away, {count_units(rows)} creators"
        if back and any(_move(asked, key, -1) in set(keys) - shown for key in shown):
            return f"{word} shows a row of the period before that is hidden"
        leak = None if is_of_all else _find_open_line(asked, leaf, behind, shown, set(keys))
        if leak:
            return f"{word}: {leak}"
    return None


def find_leak_of_two(world: World, asked: Asked, other: Asked) -> str | None:
    """Return what two answers by the same groups give away of the first word of the second, which has no filter."""
    answers = [(each, each.ask(world.engine, ROLE.name)) for each in (asked, other)]
    shown = {
        key
        for each, answer in answers
        for key, is_hidden in zip(each.read_keys(answer), answer.table.column("is_suppressed").to_pylist(), strict=True)
        if not is_hidden
    }
    behind, keys = _group_by_key(other, world.posts), set(other.read_keys(answers[1][1]))
    for word, leaf, _, _ in list_values(replace(other, words=other.words[:1])):
        leak = _find_open_line(other, leaf, behind, shown, keys)
        if leak:
            return f"{word}: {leak}"
    return None


def find_leak_of_top(world: World, metric: str, group: str, count: int) -> str | None:
    """Return what the greatest groups and all others as one give away."""
    result = world.engine.query([metric], [group], top=count, policy=ROLE.name)
    rows = result.table.to_pylist()
    kept = {row[group] for row in rows if not row["is_other"]}
    behind: dict[Any, list[Post]] = {}
    for post in world.posts:
        value = post.read(group)
        behind.setdefault(((value,) if value in kept else ("all others", True)), []).append(post)
    keys = {("all others", True) if row["is_other"] else (row[group],): row["is_suppressed"] for row in rows}
    shown, asked = {key for key, is_hidden in keys.items() if not is_hidden}, Asked((metric,), ())
    for _, leaf, _, _ in list_values(asked):
        ranked = {key for key in keys if key != ("all others", True)}
        if any(is_small(posts) for key in shown | ranked for posts in list_behind(asked, leaf, behind[key])):
            return f"of {shown} and {ranked} one stands on, or gives away, a small cell"
        leak = _find_hole(asked, leaf, behind, (), shown, set(keys))
        if leak:
            return leak
    return None


def _find_open_line(
    asked: Asked, leaf: Leaf, behind: Mapping[Any, Rows], shown: set[Any], keys: set[Any]
) -> str | None:
    for places in {asked.times, (), *_leave_one_away(asked)}:
        leak = _find_hole(asked, leaf, behind, places, shown, keys)
        if leak:
            return leak
    return None


def _find_hole(
    asked: Asked, leaf: Leaf, behind: Mapping[Any, Rows], places: tuple[int, ...], shown: set[Any], keys: set[Any]
) -> str | None:
    """Return a hidden row that is a sum of a line less what is shown of it; or several that are small together."""
    lines: dict[tuple[Any, ...], list[tuple[Any, list[Post]]]] = {}
    for key in keys:
        rows, *_ = list_behind(asked, leaf, behind.get(key, []))
        if rows:
            lines.setdefault(_pick_places(key, places), []).append((key, rows))
    for line, cells in lines.items():
        hidden = [(key, rows) for key, rows in cells if key not in shown]
        if any(is_small(rows) for _, rows in hidden) and len(hidden) < len(cells):
            together = [post for _, rows in hidden for post in rows]
            if len(hidden) == 1 or is_small(together):
                return f"{[key for key, _ in hidden]} is what line {line} lacks"
    return None


def _group_by_key(asked: Asked, posts: Rows, back: int = 0) -> dict[tuple[Any, ...], list[Post]]:
    behind: dict[tuple[Any, ...], list[Post]] = {}
    for post in posts:
        behind.setdefault(asked.key_of(post, back), []).append(post)
    return behind


def _move(asked: Asked, key: tuple[Any, ...], by: int) -> tuple[Any, ...]:
    return tuple(value + by if place in asked.times else value for place, value in enumerate(key))


def _leave_one_away(asked: Asked) -> Iterator[tuple[int, ...]]:
    for left in range(len(asked.groups)):
        yield tuple(place for place in range(len(asked.groups)) if place != left)


def _pick_places(key: tuple[Any, ...], places: tuple[int, ...]) -> tuple[Any, ...]:
    return tuple(key[place] for place in places)


def _group(behind: Mapping[Any, Rows], places: tuple[int, ...]) -> dict[Any, list[Post]]:
    found: dict[Any, list[Post]] = {}
    for key, rows in behind.items():
        found.setdefault(_pick_places(key, places), []).extend(rows)
    return found


def add_part(asked: Asked, part: Part) -> Asked:
    """Return the question with one more filter, asked by whoever sees all rows."""
    return replace(asked, parts=(*asked.parts, part), row_filter=None)
