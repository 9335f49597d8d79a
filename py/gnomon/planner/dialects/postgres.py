"""Postgres, 17 or newer in UTF-8: what it reads in another way than DuckDB is said so that it reads it alike."""

from __future__ import annotations

from hashlib import sha256

from sqlglot import exp

from gnomon.core.errors import QueryError
from gnomon.planner.dialects.kinds import Kind
from gnomon.planner.dialects.queries import Queries
from gnomon.planner.dialects.speech import Said, call
from gnomon.planner.dialects.values import SPACES
from gnomon.semantic.grain import Grain

# A longer name is cut by Postgres without a word.
_MOST_BYTES, _KEPT_BYTES = 63, 48
_TYPES = {
    exp.DType.BOOLEAN: "BOOLEAN", exp.DType.TINYINT: "SMALLINT", exp.DType.SMALLINT: "SMALLINT",
    exp.DType.INT: "INTEGER", exp.DType.BIGINT: "BIGINT", exp.DType.FLOAT: "REAL",
    exp.DType.DOUBLE: "DOUBLE PRECISION", exp.DType.VARCHAR: "TEXT", exp.DType.TEXT: "TEXT", exp.DType.DATE: "DATE",
    exp.DType.TIMESTAMP: "TIMESTAMP", exp.DType.TIMESTAMPNTZ: "TIMESTAMP",
}  # fmt: skip
# The narrowest type of each kind: a union takes the wider one of its other side.
_NULLS = {
    Kind.INTEGER: "SMALLINT", Kind.DECIMAL: "SMALLINT", Kind.DOUBLE: "SMALLINT", Kind.TEXT: "TEXT",
    Kind.BOOLEAN: "BOOLEAN", Kind.DATE: "DATE", Kind.TIMESTAMP: "TIMESTAMP", Kind.INTERVAL: "INTERVAL",
}  # fmt: skip
_BINARY, _SIMPLE_CASE = 'COLLATE "C"', 'COLLATE "pg_c_utf8"'
# No pattern of a plan has it, so it escapes nothing: DuckDB's LIKE has no escapes.
_NO_ESCAPE = "ESCAPE ''"


class Postgres(Queries):
    """Writes a plan for Postgres."""

    dialect = "postgres"
    orders_by_rows = True

    def write_whole(self, query: exp.Query) -> str:
        """Return the text of a plan; QueryError if a column's name is longer than Postgres keeps."""
        for column in query.named_selects:
            if len(column.encode()) > _MOST_BYTES:
                raise QueryError(f"'{column}' is longer than the {_MOST_BYTES} bytes that postgres keeps of a name.")
        return super().write_whole(query)

    def quote(self, value: str) -> str:
        if "\x00" in value:
            raise QueryError("postgres keeps no text with a character of the number 0.")
        doubled = value.replace("'", "''")
        # Said so that it hangs on no setting, and on one line.
        escaped = doubled.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        return f"'{doubled}'" if escaped == doubled else f"E'{escaped}'"

    def name(self, word: str) -> str:
        if len(word.encode()) > _MOST_BYTES:
            start = word.encode()[:_KEPT_BYTES].decode(errors="ignore")
            word = f"{start}_{sha256(word.encode()).hexdigest()[:12]}"
        doubled = word.replace('"', '""')
        return f'"{doubled}"'

    def write_type(self, node: exp.Expr, kind: exp.DataType) -> str:
        if kind.this is exp.DType.DECIMAL:
            return f"NUMERIC({', '.join(each.name for each in kind.expressions) or '18, 3'})"
        return _TYPES[kind.this]

    def typed_null(self, node: exp.Expr, kind: Kind) -> str:
        if kind is Kind.NULL:
            return "NULL"
        if kind not in _NULLS:
            raise self.refuse(
                node, f"it stands for {kind.value}, and postgres asks for the type of each null of a union"
            )
        return f"CAST(NULL AS {_NULLS[kind]})"

    def row_id(self) -> str:
        return "ROW_NUMBER() OVER ()"

    def frame(self, node: exp.Window, order: str) -> tuple[str, str]:
        span = self.read_frame(node)
        start = "UNBOUNDED PRECEDING"
        if span is not None:
            start = f"({self.say(span).text} - INTERVAL '1 microsecond') PRECEDING"
        return order, f"RANGE BETWEEN {start} AND CURRENT ROW"

    def order_text(self, node: exp.Expr, said: Said) -> str:
        """Texts are ordered by their bytes, whatever the database's own order is."""
        if said.kind is Kind.UNKNOWN:
            raise self.refuse(
                node, f"it is {said.kind.value}, and postgres orders texts by the database's own language"
            )
        return f"({said.inner} {_BINARY})" if said.kind is Kind.TEXT else said.text

    # Numbers.

    def as_double(self, text: str) -> str:
        return f"CAST({text} AS DOUBLE PRECISION)"

    def convert(self, node: exp.Cast, said: Said, kind: Kind) -> str:
        return f"CAST({said.text} AS {self.write_type(node, node.args['to'])})"

    def round_half_away(self, node: exp.Expr, said: Said, digits: int) -> str:
        """ROUND of a floating number takes halves to the even side; of a decimal one it takes them away from zero."""
        if said.kind is not Kind.DOUBLE:
            return call("ROUND", f"CAST({said.text} AS NUMERIC)", str(digits))
        power = self.as_double(f"1e{abs(digits)}")
        scaled = said.inner if not digits else f"({said.inner} {'*' if digits > 0 else '/'} {power})"
        whole = call("TRUNC", scaled)
        rounded = f"CASE WHEN ABS({scaled} - {whole}) >= 0.5 THEN {whole} + SIGN({scaled}) ELSE {whole} END"
        return rounded if not digits else f"({rounded} {'/' if digits > 0 else '*'} {power})"

    def round_down(self, said: Said, function: str) -> str:
        return call(function, said.text)

    def extreme(self, node: exp.Expr, said: Said) -> str:
        if said.kind is Kind.BOOLEAN:
            return call("BOOL_OR" if isinstance(node, exp.Max) else "BOOL_AND", said.text)
        return call(node.key.upper(), self.order_text(node, said))

    # Times.

    def as_moment(self, said: Said) -> str:
        return f"CAST({said.text} AS TIMESTAMP)"

    def truncate(self, said: Said, grain: Grain) -> str:
        word = {Grain.MILLISECOND: "milliseconds", Grain.MICROSECOND: "microseconds"}.get(grain, grain.value)
        return call("DATE_TRUNC", f"'{word}'", self.as_moment(said))

    def extract(self, part: str, said: Said) -> str:
        return f"CAST(EXTRACT({part} FROM {self.as_moment(said)}) AS BIGINT)"

    def move_zone(self, said: Said, zone: str) -> str:
        return f"(({self.as_moment(said)} AT TIME ZONE 'UTC') AT TIME ZONE {self.quote(zone)})"

    def interval(self, count: int, grain: Grain) -> str:
        return f"INTERVAL '{count} {grain.value}'"

    def days_between(self, later: Said, earlier: Said) -> str:
        return f"({later.inner} - {earlier.inner})"

    # Texts.

    def lower(self, node: exp.Expr, said: Said) -> str:
        return call("LOWER", f"{said.inner} {_SIMPLE_CASE}")

    def upper(self, node: exp.Expr, said: Said) -> str:
        # DuckDB writes a sharp s as one great letter, which Unicode's own tables do not.
        return call("UPPER", f"REPLACE({said.text}, 'ß', 'ẞ') {_SIMPLE_CASE}")

    def trim(self, said: Said) -> str:
        return call("BTRIM", said.text, self.quote(SPACES))

    def like(self, node: exp.Expr, said: str, pattern: exp.Expr, *, folds_case: bool) -> str:
        parts = [said, self._text(pattern).inner]
        if folds_case:
            parts = [call("LOWER", f"{part} {_SIMPLE_CASE}") for part in parts]
        return f"{parts[0]} LIKE {parts[1]} {_NO_ESCAPE}"

    def same(self, left: Said, right: Said, *, is_negated: bool) -> str:
        return f"{left.inner} IS {'' if is_negated else 'NOT '}DISTINCT FROM {right.inner}"
