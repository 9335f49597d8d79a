"""Questions gone wrong: valid ones with a few things changed, and ones of random words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from gnomon.access import SmallestCell
from gnomon.planner import Question

DEEP = 400
TOKENS = (
    "'", "''", '"', '""', "`", "--", " -- x\n", "/*", "*/", "/* x */", ";", "; drop table orders", "\\", "\\'", "\x00",
    "\x01", "\x010\x01", "'\x010\x01'", "'\x0199\x01'", "\r", "\n", "\t", "\u00a0", "\u2028", "\u202e", "\ufeff",
    "\ud800", "é", "中文", "\U0001d4b3", "{", "}", "{{", "}}", "{{ }}", "{{ {{ }} }}", "{%", "{# #}",
    "'{{ }}'", "__", "_",
    "gnomon_reference_0", "gnomon_reference_", "$1", "$$a$$", "?", "@x", "#1", ":x", "::int", "::", "=>", ":=", "->",
    "->>", "!~~", "~", "^", "**", "//", "&", "|", "<<", "[1, 2]", "[", "]", "(", ")", "()", ",", ".", "*", "%", "||",
    "=", "<>", "<=>", "is distinct from null", "(select 1)", "(from orders)", "exists (select 1)", "union select 1",
    "read_text('x')", "getvariable('x')", "current_user", "version()", "pi()", "random()", "columns(*)", "x -> x",
    "{'a': 1}", "struct_pack(a := 1)", "row(1)", "(1, 2)", "any(1)", "over ()", "filter (where true)", "collate nocase",
    "at time zone 'UTC'", "escape 'x'", "like 'a' escape 'b'", "glob '*'", "similar to 'a'", "ilike any ('a')",
    "cast(1 as varchar)", "try_cast('a' as int)", "cast(1 as varchar(3))", "cast(1 as decimal(3, 9))",
    "cast(1 as \"x\")", "cast(1 as enum('a'))", "interval '1' day", "interval 1 \"day\"", "interval (1) year",
    "date '2024-01-01'", "timestamp 'x'", "time '1'", "x'41'", "e'\\''", "U&'\\0041'", "b'1'", "0x1f", "1e999", "1_000",
    ".5", "5.", "-1", "nan", "inf", "infinity", "true", "null", "not", "and", "or", "in", "in ()", "between", "case",
    "case when true then 1 end", "coalesce()", "coalesce(1)", "nullif(1)", "round(1.5, 400)", "trim(both 'x' from 'y')",
    "trim(leading 'x')", "date_trunc('x', null)", "date_trunc('day\\'', null)", "length()", "lower(1, 2)",
    "0001-01-01 00:00:00.000001", "'0001-01-01 00:00:00.000003'", "a" * 300, "'" + "a" * 12_000 + "'", "." * 50,
    "__previous", "__change_year", "__share", "__total__total", "__week", "__extract_dow", "__extract_", "-", "--views",
    "metric_time", "metric_time__day", "Dimension", "Metric(", ".grain('week')", ".date_part('dow')", "entity_path=",
    ".descending(True)", "lambda: 0", "__import__('os')", "().__class__", "f'{1}'", "b''", "*args", "1j", "...",
)  # fmt: skip
WRAPS = (
    lambda text: f"({text})",
    lambda text: f"not ({text})",
    lambda text: f"not {text}",
    lambda text: f"'{text}'",
    lambda text: f'"{text}"',
    lambda text: f"{{{{ {text} }}}}",
    lambda text: f"({text}) and ({text})",
    lambda text: f"{text} or {text}",
    lambda text: f"case when {text} then true end",
    lambda text: f"{text} is not null",
    lambda text: f"({text}) in (true, null)",
    lambda text: "(" * DEEP + text + ")" * DEEP,
    lambda text: "not " * DEEP + text,
    lambda text: "- " * DEEP + text,
    lambda text: " or ".join([text] * DEEP),
    lambda text: "case when " * DEEP + text + " then 1 end" * DEEP,
    lambda text: "coalesce(" * DEEP + text + ", 1)" * DEEP,
    lambda text: f"Dimension({text})",
    lambda text: f"Dimension('{text}')",
    lambda text: f"TimeDimension('{text}', 'week')",
    lambda text: f"Metric('{text}', group_by=['{text}'])",
    lambda text: f"-{text}",
    lambda text: text.upper(),
    lambda text: text[::-1],
    lambda text: text * 3,
)
MOMENTS = (
    datetime.min, datetime.min + timedelta(microseconds=1), datetime.min + timedelta(microseconds=3), datetime.max,
    datetime(1, 1, 2), datetime(9999, 12, 30), datetime(2024, 2, 29, 23, 59, 59, 999999), datetime(1969, 12, 31),
)  # fmt: skip
ZONES = (None, "UTC", "Asia/Shanghai", "America/St_Johns", "asia/shanghai", "Etc/GMT+5", "../../etc/passwd", "/etc", "")
WORDY = ("metrics", "group_by", "where", "order_by", "row_filters", "outer_filters")
Words = tuple[str, ...]
TEXTS = st.one_of(
    st.text(max_size=30),
    st.lists(st.sampled_from(TOKENS), max_size=6).map("".join),
    st.lists(st.sampled_from(TOKENS), max_size=6).map(" ".join),
)


def mutate_questions(corpus: Sequence[Question]) -> st.SearchStrategy[Question]:
    """Valid questions with one to four changes."""
    words = sorted({word for question in corpus for field in WORDY for word in getattr(question, field)})

    @st.composite
    def draw_one(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Question:
        question = draw(st.sampled_from(corpus))
        for _ in range(draw(st.integers(1, 4))):
            question = _mutate(draw, question, words)
        return question

    return draw_one()


def write_questions() -> st.SearchStrategy[Question]:
    """Questions of random words."""
    some = st.lists(TEXTS, max_size=2).map(tuple)
    moment = st.none() | st.sampled_from(MOMENTS)
    return st.builds(
        Question,
        metrics=some, group_by=some, where=some, order_by=some, limit=_COUNTS, start=moment, end=moment, top=_COUNTS,
        row_filters=some, outer_filters=st.just(()) | some, applies_floors=st.booleans(), takes_extremes=st.booleans(),
        time_zone=st.sampled_from([None] * 20 + ["UTC", "nowhere"]),
    )  # fmt: skip


# access.yml says it, and no asker: its words are those of definitions, right or wrong.
_CELLS = st.builds(
    SmallestCell,
    st.sampled_from([0, 1, 5, 2**31]),
    st.lists(st.sampled_from(["creator", "order", "content", "post", "nobody"]), max_size=2).map(tuple),
)
_COUNTS: st.SearchStrategy[Any] = st.sampled_from([None, None, 0, 1, 3, -1, 2**70, True, 1.5, "1", "1; drop table x"])


def _mutate(draw: Callable[[st.SearchStrategy[Any]], Any], question: Question, words: Words | list[str]) -> Question:
    name = draw(st.sampled_from([*WORDY, "where", "where", *(field.name for field in fields(Question))]))
    if name in WORDY:
        return replace(question, **{name: _mutate_words(draw, getattr(question, name), words)})
    if name in ("limit", "top"):
        return replace(question, **{name: draw(_COUNTS)})
    if name == "time_zone":
        return replace(question, time_zone=draw(st.sampled_from(ZONES) | TEXTS))
    if name in ("start", "end"):
        return replace(question, **{name: draw(st.none() | st.sampled_from(MOMENTS))})
    if name == "smallest_cell":
        return replace(question, smallest_cell=draw(st.none() | _CELLS))
    return replace(question, **{name: not getattr(question, name)})


def _mutate_words(draw: Callable[[st.SearchStrategy[Any]], Any], said: Words, words: Words | list[str]) -> Words:
    way = draw(
        st.sampled_from(["add", "drop", "repeat", "wrap", "wrap", "insert", "insert", "insert", "cut", "splice"])
    )
    if way == "add" or not said:
        return (*said, draw(st.sampled_from(words) | TEXTS))
    place = draw(st.integers(0, len(said) - 1))
    word = said[place]
    before, after = said[:place], said[place + 1 :]
    match way:
        case "drop":
            return before + after
        case "repeat":
            return (*said, word)
        case "wrap":
            return (*before, draw(st.sampled_from(WRAPS))(word), *after)
    at = draw(st.integers(0, len(word)))
    match way:
        case "insert":
            word = word[:at] + draw(TEXTS) + word[at:]
        case "cut":
            word = word[:at] + word[draw(st.integers(at, len(word))) :]
        case "splice":
            other = draw(st.sampled_from(words))
            word = word[:at] + other[draw(st.integers(0, len(other))) :]
    return (*before, word, *after)
