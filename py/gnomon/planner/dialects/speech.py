"""The words that every engine must have: what a value is once it is said, and how what is not known is refused."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

from sqlglot import exp

from gnomon.core.errors import QueryError, shorten
from gnomon.planner.dialects.kinds import Kind
from gnomon.semantic.grain import Grain


class Said(NamedTuple):
    """A text in the engine's words, and what it comes to; one that is not whole stands in parentheses inside others."""

    text: str
    kind: Kind
    is_whole: bool = True

    @property
    def inner(self) -> str:
        """The text as a part of another one."""
        return self.text if self.is_whole else f"({self.text})"


def call(function: str, *arguments: str) -> str:
    """Return the text of a function's call."""
    return f"{function}({', '.join(arguments)})"


class Speech(ABC):
    """What there is to be said; engines fill in what they say in their own way."""

    dialect: str
    _speakers: ClassVar[Mapping[type[exp.Expr], Callable[[Any, Any], Said]]] = {}

    def say(self, node: exp.Expr) -> Said:
        """Return what a node is in the engine's words; QueryError refuses a node that is not known here."""
        speak = self._speakers.get(type(node))
        if speak is None:
            raise self.refuse(node, "it is not among the words that all engines are known to read alike")
        return speak(self, node)

    def refuse(self, node: exp.Expr, why: str) -> QueryError:
        """Return the refusal of a node, with the words that it has in the definition or the filter."""
        return QueryError(f"{self.dialect} cannot be asked for '{shorten(node.sql(dialect='duckdb'))}' exactly: {why}.")

    def require(self, node: exp.Expr, *known: str) -> None:
        """Refuse a node that says more than what is known of it."""
        for name, value in node.args.items():
            if value and name not in known:
                raise self.refuse(node, f"its part '{name}' is not known here")

    # What engines say in their own way.

    @abstractmethod
    def quote(self, value: str) -> str:
        """Return a string in quotes, on one line."""

    @abstractmethod
    def name(self, word: str) -> str:
        """Return a name in quotes."""

    @abstractmethod
    def write_type(self, node: exp.Expr, kind: exp.DataType) -> str:
        """Return a plain type."""

    @abstractmethod
    def find(self, column: exp.Column) -> Said:
        """Return a column with its kind."""

    @abstractmethod
    def say_query(self, node: exp.Expr) -> Said:
        """Return the one value of a query."""

    @abstractmethod
    def say_window(self, node: exp.Expr) -> Said:
        """Return a value over rows around each row."""

    @abstractmethod
    def order_text(self, node: exp.Expr, said: Said) -> str:
        """Return a value as it is ordered and compared: texts by their bytes."""

    @abstractmethod
    def as_double(self, text: str) -> str:
        """Return a number as a floating one."""

    @abstractmethod
    def as_moment(self, said: Said) -> str:
        """Return a date or a time as a time."""

    @abstractmethod
    def truncate(self, said: Said, grain: Grain) -> str:
        """Return the start of the period of a time; weeks begin on Monday."""

    @abstractmethod
    def extract(self, part: str, said: Said) -> str:
        """Return a part of a time as a whole number."""

    @abstractmethod
    def move_zone(self, said: Said, zone: str) -> str:
        """Return a time in UTC as clocks showed it in a zone."""

    @abstractmethod
    def interval(self, count: int, grain: Grain) -> str:
        """Return a span; years, quarters and weeks are months and days already."""

    @abstractmethod
    def days_between(self, later: Said, earlier: Said) -> str:
        """Return the days from one date to another."""

    @abstractmethod
    def convert(self, node: exp.Cast, said: Said, kind: Kind) -> str:
        """Return a value as another type, rounded as DuckDB does."""

    @abstractmethod
    def round_half_away(self, node: exp.Expr, said: Said, digits: int) -> str:
        """Return a number rounded, halves away from zero."""

    @abstractmethod
    def round_down(self, said: Said, function: str) -> str:
        """Return FLOOR or CEIL of a number."""

    @abstractmethod
    def lower(self, node: exp.Expr, said: Said) -> str:
        """Return a text in small letters."""

    @abstractmethod
    def upper(self, node: exp.Expr, said: Said) -> str:
        """Return a text in great letters."""

    @abstractmethod
    def trim(self, said: Said) -> str:
        """Return a text without spaces of any width around it."""

    @abstractmethod
    def like(self, node: exp.Expr, said: str, pattern: exp.Expr, *, folds_case: bool) -> str:
        """Return whether a text is like a pattern, in which nothing is escaped."""

    @abstractmethod
    def same(self, left: Said, right: Said, *, is_negated: bool) -> str:
        """Return whether two values are equal or both null."""

    @abstractmethod
    def extreme(self, node: exp.Expr, said: Said) -> str:
        """Return MIN or MAX."""
