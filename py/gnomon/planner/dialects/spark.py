"""Spark 4 with its own rules of SQL (`spark.sql.ansi.enabled`) and its session in UTC, which each query asks for."""

from __future__ import annotations

from sqlglot import exp

from gnomon.planner.algebra import MOMENT
from gnomon.planner.dialects.kinds import Kind
from gnomon.planner.dialects.queries import Queries
from gnomon.planner.dialects.speech import Said, call
from gnomon.planner.dialects.values import SPACES, is_string
from gnomon.planner.write_block import IS_SPINE
from gnomon.semantic.grain import Grain

_TYPES = {
    exp.DType.BOOLEAN: "BOOLEAN", exp.DType.TINYINT: "TINYINT", exp.DType.SMALLINT: "SMALLINT", exp.DType.INT: "INT",
    exp.DType.BIGINT: "BIGINT", exp.DType.FLOAT: "FLOAT", exp.DType.DOUBLE: "DOUBLE", exp.DType.VARCHAR: "STRING",
    exp.DType.TEXT: "STRING", exp.DType.DATE: "DATE", exp.DType.TIMESTAMP: "TIMESTAMP_NTZ",
    exp.DType.TIMESTAMPNTZ: "TIMESTAMP_NTZ",
}  # fmt: skip
_PARTS = {"isodow": "DAYOFWEEK_ISO"}
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r"}
# Floating numbers from here on have no decimals, and some do not fit into a whole number.
_ALL_WHOLE = "4503599627370496"
_TICK = "INTERVAL '0.000001' SECOND"
# Letters that Java makes small by their place in the word, or into two.
_ODD_LETTERS = "[İΣ]"
_SETTINGS = "CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00')"


class Spark(Queries):
    """Writes a plan for Spark."""

    dialect = "spark"

    def guards(self) -> list[str]:
        """Settings under which Spark would answer with other numbers stop the query."""
        rules = f"TYPEOF(1 + '1') = 'bigint' AND LENGTH({self.quote(chr(92))}) = 1"
        told = self.quote(
            "gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals"
        )
        return [f"ASSERT_TRUE({_SETTINGS} AND {rules}, {told}) IS NULL"]

    def quote(self, value: str) -> str:
        return f"'{''.join(_ESCAPES.get(letter, letter) for letter in value)}'"

    def name(self, word: str) -> str:
        doubled = word.replace("`", "``")
        return f"`{doubled}`"

    def write_type(self, node: exp.Expr, kind: exp.DataType) -> str:
        if kind.this is exp.DType.DECIMAL:
            return f"DECIMAL({', '.join(each.name for each in kind.expressions) or '18, 3'})"
        return _TYPES[kind.this]

    def typed_null(self, node: exp.Expr, kind: Kind) -> str:
        return "NULL"

    def row_id(self) -> str:
        return "MONOTONICALLY_INCREASING_ID()"

    def frame(self, node: exp.Window, order: str) -> tuple[str, str]:
        """A frame takes one plain span only: its open beginning is made by moving the rows that look back by a tick."""
        span = self.read_frame(node)
        if span is None:
            return order, "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
        moment, is_spine = self.as_moment(Said(self.name(MOMENT), Kind.UNKNOWN)), self.name(IS_SPINE)
        moved = f"CASE WHEN {is_spine} THEN {moment} + {_TICK} ELSE {moment} END ASC NULLS LAST"
        return moved, f"RANGE BETWEEN {self.say(span).text} PRECEDING AND CURRENT ROW"

    def order_text(self, node: exp.Expr, said: Said) -> str:
        return said.text

    # Numbers.

    def as_double(self, text: str) -> str:
        return f"CAST({text} AS DOUBLE)"

    def convert(self, node: exp.Cast, said: Said, kind: Kind) -> str:
        """A cast to a whole number cuts; DuckDB's rounds, a floating number's halves to the even side."""
        text = said.text
        if kind is Kind.INTEGER and said.kind in (Kind.DECIMAL, Kind.DOUBLE):
            text = call("ROUND" if said.kind is Kind.DECIMAL else "RINT", text)
        return f"CAST({text} AS {self.write_type(node, node.args['to'])})"

    def round_half_away(self, node: exp.Expr, said: Said, digits: int) -> str:
        if said.kind is not Kind.DOUBLE or not digits:
            return call("ROUND", said.text, str(digits))
        power = self.as_double(f"1e{abs(digits)}")
        forth, back = ("*", "/") if digits > 0 else ("/", "*")
        return f"(ROUND({said.inner} {forth} {power}) {back} {power})"

    def round_down(self, said: Said, function: str) -> str:
        if said.kind is not Kind.DOUBLE:
            return call(function, said.text)
        whole = self.as_double(call(function, said.text))
        return f"CASE WHEN ABS({said.text}) < {_ALL_WHOLE} THEN {whole} ELSE {said.text} END"

    def logarithm(self, text: str) -> str:
        told = self.quote("gnomon: there is no logarithm of zero, nor of less")
        return f"CASE WHEN {text} <= 0 THEN RAISE_ERROR({told}) ELSE LN({text}) END"

    def check_product(self, node: exp.Expr) -> None:
        raise self.refuse(
            node, "spark cuts the places of a product of decimals that grows too long; cast one to DOUBLE"
        )

    def extreme(self, node: exp.Expr, said: Said) -> str:
        return call(node.key.upper(), said.text)

    # Times.

    def as_moment(self, said: Said) -> str:
        return f"CAST({said.text} AS TIMESTAMP_NTZ)"

    def truncate(self, said: Said, grain: Grain) -> str:
        """Days and coarser as dates, which no zone moves; finer ones in the session's zone, which is UTC."""
        if not grain.is_finer_than(Grain.WEEK):
            return f"CAST(TRUNC(CAST({said.text} AS DATE), '{grain.value}') AS TIMESTAMP_NTZ)"
        if grain is Grain.DAY:
            return f"CAST(CAST({said.text} AS DATE) AS TIMESTAMP_NTZ)"
        return f"CAST(DATE_TRUNC('{grain.value}', CAST({said.text} AS TIMESTAMP_LTZ)) AS TIMESTAMP_NTZ)"

    def extract(self, part: str, said: Said) -> str:
        return f"CAST(EXTRACT({_PARTS.get(part, part)} FROM {self.as_moment(said)}) AS BIGINT)"

    def move_zone(self, said: Said, zone: str) -> str:
        return call("CONVERT_TIMEZONE", "'UTC'", self.quote(zone), self.as_moment(said))

    def interval(self, count: int, grain: Grain) -> str:
        if grain is Grain.MILLISECOND or grain is Grain.MICROSECOND:
            whole, rest = divmod(abs(count), 1000 if grain is Grain.MILLISECOND else 1_000_000)
            digits = 3 if grain is Grain.MILLISECOND else 6
            return f"INTERVAL '{'-' if count < 0 else ''}{whole}.{rest:0{digits}d}' SECOND"
        return f"INTERVAL '{count}' {grain.value.upper()}"

    def days_between(self, later: Said, earlier: Said) -> str:
        return call("DATEDIFF", later.text, earlier.text)

    # Texts.

    def lower(self, node: exp.Expr, said: Said) -> str:
        told = self.quote("gnomon: spark and the definitions make this letter small in different ways")
        odd = f"{said.inner} RLIKE {self.quote(_ODD_LETTERS)}"
        return f"CASE WHEN {odd} THEN RAISE_ERROR({told}) ELSE LOWER({said.text}) END"

    def upper(self, node: exp.Expr, said: Said) -> str:
        raise self.refuse(node, "spark makes some letters great by rules of its own; ask for LOWER")

    def trim(self, said: Said) -> str:
        return f"TRIM(BOTH {self.quote(SPACES)} FROM {said.text})"

    def like(self, node: exp.Expr, said: str, pattern: exp.Expr, *, folds_case: bool) -> str:
        """A backslash is a letter like any other, so it is escaped."""
        if not is_string(pattern):
            raise self.refuse(
                node, "the pattern is not written out, and a backslash in it would be read in another way"
            )
        escaped = str(pattern.this).replace("\\", "\\\\")
        if not folds_case:
            return f"{said} LIKE {self.quote(escaped)}"
        small = (
            self.quote(escaped.lower()) if escaped.isascii() else self.lower(node, Said(self.quote(escaped), Kind.TEXT))
        )
        return f"{self.lower(node, Said(said, Kind.TEXT))} LIKE {small}"

    def same(self, left: Said, right: Said, *, is_negated: bool) -> str:
        text = f"{left.inner} <=> {right.inner}"
        return f"NOT ({text})" if is_negated else text
