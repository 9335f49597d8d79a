"""Formulas of Tableau and of DAX read by parsers of our own, as SQL for Postgres with the meaning that each tool gives.

Tableau   null is nothing, as in SQL; MAX of two is null if one is; a division by zero is an error here, not null,
          so that a formula without its guard is found
DAX       BLANK is null, and 0 in sums, differences and comparisons; a product with it is blank; MAX takes it for 0
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_TABLEAU = re.compile(r"\s*(?:(\[(?:[^\]]|\]\])+\])|(\d+\.?\d*)|([A-Z]+)|(<>|<=|>=|[-+*/(),=<>]))")
_DAX = re.compile(
    r"\s*(?:('(?:[^']|'')+'\[(?:[^\]]|\]\])+\])|(\d+\.?\d*)|([A-Z]+|_\d+)|(<>|<=|>=|&&|\|\||[-+*/(),=<>]))"
)
_COMPARED = ("=", "<>", "<", "<=", ">", ">=")


def _split(pattern: re.Pattern[str], text: str) -> list[str]:
    words, place = [], 0
    while place < len(text.rstrip()):
        match = pattern.match(text, place)
        assert match is not None, f"not understood: {text[place:]!r}"
        words.append(match[0].strip())
        place = match.end()
    return words


@dataclass
class _Reader:
    words: list[str]
    find: Callable[[str], str]
    place: int = 0
    held: dict[str, str] = field(default_factory=dict)

    @property
    def next(self) -> str:
        return self.words[self.place] if self.place < len(self.words) else ""

    def take(self, *wanted: str) -> str:
        word = self.next
        assert word, "the formula ends too early"
        assert not wanted or word in wanted, f"{word!r} in the place of {wanted}"
        self.place += 1
        return word

    def whole(self) -> str:
        text = self.any()
        assert not self.next, f"more after the end: {self.next!r}"
        return text

    def any(self) -> str:
        left = self.both()
        while self.next in ("OR", "||"):
            self.take()
            left = f"({left} or {self.both()})"
        return left

    def both(self) -> str:
        left = self.negated()
        while self.next in ("AND", "&&"):
            self.take()
            left = f"({left} and {self.negated()})"
        return left

    def negated(self) -> str:
        if self.next == "NOT":
            self.take()
            return f"(not {self.negated()})"
        return self.compared()

    def compared(self) -> str:
        left = self.added()
        return self.compare(left, self.take(), self.added()) if self.next in _COMPARED else left

    def added(self) -> str:
        left = self.multiplied()
        while self.next in ("+", "-"):
            left = self.add(left, self.take(), self.multiplied())
        return left

    def multiplied(self) -> str:
        left = self.single()
        while self.next in ("*", "/"):
            sign = self.take()
            left = self.multiply(left, sign, self.single())
        return left

    def arguments(self) -> list[str]:
        self.take("(")
        found = [self.any()]
        while self.next == ",":
            self.take()
            found.append(self.any())
        self.take(")")
        return found

    def single(self) -> str:
        raise NotImplementedError

    def compare(self, left: str, sign: str, right: str) -> str:
        return f"({left} {sign} {right})"

    def add(self, left: str, sign: str, right: str) -> str:
        return f"({left} {sign} {right})"

    def multiply(self, left: str, sign: str, right: str) -> str:
        return f"({left} {sign} {right})"


class _Tableau(_Reader):
    def single(self) -> str:
        word = self.take()
        if word == "(":
            inner = self.any()
            self.take(")")
            return f"({inner})"
        if word == "-":
            return f"(-{self.single()})"
        if word[0].isdigit():
            return f"{word}::float8"
        if word == "IF":
            return self.branches()
        if word == "SUM":
            self.take("(")
            column = self.find(self.take())
            self.take(")")
            return f"sum({column})::float8"
        given = self.arguments()
        match word, given:
            case "IFNULL", [value, other]:
                return f"coalesce({value}, {other})"
            case "ISNULL", [value]:
                return f"({value} is null)"
            case (("MAX" | "MIN"), [left, right]):
                choose = "greatest" if word == "MAX" else "least"
                return f"(case when {left} is not null and {right} is not null then {choose}({left}, {right}) end)"
        raise AssertionError(f"{word} of {len(given)}")

    def branches(self) -> str:
        parts = []
        while True:
            condition = self.any()
            self.take("THEN")
            parts.append(f"when {condition} then {self.any()}")
            if self.take("ELSEIF", "END") == "END":
                return f"(case {' '.join(parts)} end)"


class _Dax(_Reader):
    def single(self) -> str:
        word = self.take()
        if word == "(":
            inner = self.held_value() if self.next == "VAR" else self.any()
            self.take(")")
            return f"({inner})"
        if word == "-":
            return f"(-{self.single()})"
        if word[0].isdigit():
            return f"{word}::float8"
        if word in self.held:
            return self.held[word]
        if word == "SUM":
            self.take("(")
            column = self.find(self.take())
            self.take(")")
            return f"sum({column})::float8"
        if word == "BLANK":
            self.take("(")
            self.take(")")
            return "null::float8"
        given = self.arguments()
        match word, given:
            case "DIVIDE", [above, below]:
                return f"(case when coalesce({below}, 0) <> 0 then {above} / {below} end)"
            case "ISBLANK", [value]:
                return f"({value} is null)"
            case "COALESCE", [value, other]:
                return f"coalesce({value}, {other})"
            case "IF", [condition, value]:
                return f"(case when {condition} then {value} end)"
            case "IF", [condition, value, other]:
                return f"(case when {condition} then {value} else {other} end)"
            case (("MAX" | "MIN"), [left, right]):
                choose = "greatest" if word == "MAX" else "least"
                return f"{choose}(coalesce({left}, 0), coalesce({right}, 0))"
        raise AssertionError(f"{word} of {len(given)}")

    def held_value(self) -> str:
        while self.next == "VAR":
            self.take()
            called = self.take()
            assert re.fullmatch(r"_\d+", called)
            assert called not in self.held
            self.take("=")
            self.held[called] = self.any()
        self.take("RETURN")
        return self.any()

    def compare(self, left: str, sign: str, right: str) -> str:
        return f"(coalesce({left}, 0) {sign} coalesce({right}, 0))"

    def add(self, left: str, sign: str, right: str) -> str:
        total = f"coalesce({left}, 0) {sign} coalesce({right}, 0)"
        return f"(case when {left} is not null or {right} is not null then {total} end)"


def read_tableau(formula: str, columns: set[str]) -> str:
    """Return a calculated field as SQL; AssertionError if it names a column that is not there."""

    def find(word: str) -> str:
        name = word[1:-1].replace("]]", "]")
        assert name in columns, f"no column {name}"
        return f'"{name}"'

    return _Tableau(_split(_TABLEAU, formula), find).whole()


def read_dax(expression: str, table: str, columns: dict[str, str]) -> str:
    """Return a measure as SQL; `columns` are the source of each column of its table."""

    def find(word: str) -> str:
        match = re.fullmatch(r"'((?:[^']|'')+)'\[((?:[^\]]|\]\])+)\]", word)
        assert match is not None
        assert match[1].replace("''", "'") == table
        return f'"{columns[match[2].replace("]]", "]")]}"'

    return _Dax(_split(_DAX, expression), find).whole()
