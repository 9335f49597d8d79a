"""Queries: SELECT, UNION ALL and WITH, each with the kinds of its columns, and windows over their rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlglot import exp

from gnomon.planner.algebra import MOMENT
from gnomon.planner.dialects.kinds import Kind
from gnomon.planner.dialects.speech import Said, call
from gnomon.planner.dialects.totals import Totals

# Columns in their order, with their kinds; of a table whose types are not known there are none.
Columns = dict[str, Kind]
_KEPT = "__kept"
_CLAUSES = (
    "with_", "expressions", "from_", "joins", "where", "group", "having", "qualify", "distinct", "order", "limit",
)  # fmt: skip


class Item(NamedTuple):
    """What is selected: its text, what it comes to and its name; a star's columns have no text of their own."""

    text: str
    said: Said
    name: str


class Queries(Totals):
    """Says queries over tables whose columns have the given kinds."""

    # Whether a name inside an ORDER BY's expression is one of the rows, not of the answer.
    orders_by_rows = False

    def __init__(self, kinds: Mapping[tuple[str, str], Kind]) -> None:
        self._tables: dict[str, Columns] = {}
        for (relation, column), kind in kinds.items():
            self._tables.setdefault(relation, {})[column] = kind
        self._ctes: list[dict[str, Columns]] = []
        self._scopes: list[dict[str, Columns]] = []

    def write_whole(self, query: exp.Query) -> str:
        """Return the text of a plan."""
        return self.write_query(query)[0]

    @abstractmethod
    def typed_null(self, node: exp.Expr, kind: Kind) -> str:
        """Return a null of the kind that its column has in a union."""

    @abstractmethod
    def row_id(self) -> str:
        """Return a number that no two rows share."""

    @abstractmethod
    def frame(self, node: exp.Window, order: str) -> tuple[str, str]:
        """Return the order and the frame of a window that looks back over a span."""

    def guards(self) -> list[str]:
        """Return conditions of the whole query under which the engine reads it as it is meant."""
        return []

    # Queries.

    def write_query(self, query: exp.Expr) -> tuple[str, Columns]:
        """Return the text and the columns of a query."""
        if isinstance(query, exp.Union):
            return self._write_union(query)
        if not isinstance(query, exp.Select):
            raise self.refuse(query, "it is not a SELECT")
        return self._write_select(query, ())

    def _write_union(self, union: exp.Union) -> tuple[str, Columns]:
        branches: list[exp.Expr] = []
        waiting: list[exp.Expr] = [union]
        while waiting:
            part = waiting.pop()
            if isinstance(part, exp.Union):
                self.require(part, "this", "expression")
                waiting += [part.expression, part.this]
            else:
                branches.append(part)
        told = [self.write_query(branch) for branch in branches]
        rows = [list(columns.values()) for _, columns in told]
        kinds = [self._merge(union, place) for place in zip(*rows, strict=True)]
        texts = [
            self._write_select(branch, kinds)[0] if isinstance(branch, exp.Select) and Kind.NULL in row else text
            for branch, row, (text, _) in zip(branches, rows, told, strict=True)
        ]
        return "\nUNION ALL\n".join(texts), dict(zip(told[0][1], kinds, strict=True))

    def _write_select(self, select: exp.Select, kinds: Sequence[Kind]) -> tuple[str, Columns]:
        """`kinds` are those that the columns have in a union, which a null alone does not say."""
        self.require(select, *_CLAUSES)
        if select.args.get("qualify") is not None:
            return self._write_select(_put_around(select), kinds)
        is_whole = not self._scopes
        self._ctes.append({})
        ctes = [self._write_cte(each) for each in select.args["with_"].expressions] if select.args.get("with_") else []
        self._scopes.append({})
        sources = [self._write_source(select.args["from_"].this)]
        sources += [self._write_join(each) for each in select.args.get("joins") or ()]
        items = [item for place, each in enumerate(select.expressions) for item in self._write_item(each, place, kinds)]
        where = [self.condition(each, is_alone=True) for each in _take_apart(select.args.get("where"))]
        where += self.guards() if is_whole else []
        lines = ["WITH " + ",\n".join(ctes)] if ctes else []
        lines.append("SELECT DISTINCT" if select.args.get("distinct") else "SELECT")
        lines.append(",\n".join(f"  {item.text}" for item in items if item.text))
        lines += ["FROM " + sources[0], *sources[1:]]
        lines += ["WHERE " + "\n  AND ".join(where)] if where else []
        lines += self._write_tail(select, {item.name: item.said for item in items})
        self._scopes.pop()
        self._ctes.pop()
        return "\n".join(lines), {item.name: item.said.kind for item in items if item.name}

    def _write_tail(self, select: exp.Select, outputs: Mapping[str, Said]) -> list[str]:
        lines = []
        group, having, order, limit = (select.args.get(each) for each in ("group", "having", "order", "limit"))
        if group is not None:
            self.require(group, "expressions")
            lines.append("GROUP BY " + ", ".join(self.say(each).text for each in group.expressions))
        if having is not None:
            lines.append("HAVING " + self.condition(having.this, is_alone=True))
        if order is not None:
            lines.append("ORDER BY " + ", ".join(self._order_output(each, outputs) for each in order.expressions))
        if limit is not None:
            lines.append("LIMIT " + self.say(limit.expression).text)
        return lines

    def _write_cte(self, cte: exp.CTE) -> str:
        text, columns = self._write_apart(cte.this)
        self._ctes[-1][cte.alias] = columns
        return f"{self.name(cte.alias)} AS (\n{_indent(text)}\n)"

    def _write_apart(self, query: exp.Expr) -> tuple[str, Columns]:
        """Write a query that sees nothing of the rows around it."""
        scopes, self._scopes = self._scopes, [{}]
        try:
            return self.write_query(query)
        finally:
            self._scopes = scopes

    def _write_source(self, source: exp.Expr) -> str:
        called = source.alias
        if isinstance(source, exp.Subquery):
            self.require(source, "this", "alias")
            text, columns = self._write_apart(source.this)
            self._scopes[-1][called] = columns
            return f"(\n{_indent(text)}\n) AS {self.name(called)}"
        if not isinstance(source, exp.Table):
            raise self.refuse(source, "it is not a table or a query")
        self.require(source, "this", "db", "catalog", "alias")
        parts = [part.name for part in source.parts]
        made = next((ctes[parts[0]] for ctes in reversed(self._ctes) if parts[0] in ctes), None)
        if len(parts) == 1 and made is not None:
            columns = made
        else:
            columns = self._tables.get(".".join(f'"{part}"' for part in parts), {})
        self._scopes[-1][called or parts[-1]] = columns
        text = ".".join(map(self.name, parts))
        return f"{text} AS {self.name(called)}" if called else text

    def _write_join(self, join: exp.Join) -> str:
        self.require(join, "this", "side", "kind", "on")
        words = " ".join(word for word in (join.args.get("side"), join.args.get("kind"), "JOIN") if word)
        text = f"{words} {self._write_source(join.this)}"
        on = join.args.get("on")
        return text if on is None else f"{text} ON {self.condition(on, is_alone=True)}"

    def _write_item(self, node: exp.Expr, place: int, kinds: Sequence[Kind]) -> list[Item]:
        if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
            return self._write_star(node)
        value = node.this if isinstance(node, exp.Alias) else node
        said = self.say(value)
        text = self.typed_null(node, kinds[place]) if said.kind is Kind.NULL and kinds else said.text
        if isinstance(node, exp.Alias):
            return [Item(f"{text} AS {self.name(node.alias)}", said, node.alias)]
        return [Item(text, said, value.name or f"__column_{place}")]

    def _write_star(self, node: exp.Expr) -> list[Item]:
        table = node.args.get("table")
        scope = self._scopes[-1]
        columns = [each for called, each in scope.items() if table is None or called == table.name]
        text = "*" if table is None else f"{self.name(table.name)}.*"
        known = [Item("", Said("", kind), name) for each in columns for name, kind in each.items()]
        return [Item(text, Said(text, Kind.UNKNOWN), ""), *known]

    # Columns, orders and windows.

    def find(self, column: exp.Column) -> Said:
        """Return a column with its kind."""
        self.require(column, "this", "table", "db")
        parts = [part.name for part in column.parts]
        scope = self._scopes[-1]
        tables = [scope.get(parts[-2], {})] if len(parts) > 1 else list(scope.values())
        word = parts[-1]
        kind = next((each[word] for each in tables if word in each), None)
        kind = kind or next((each[word.lower()] for each in tables if word.lower() in each), Kind.UNKNOWN)
        if kind is Kind.ZONED:
            raise self.refuse(column, "it is a time with a zone, whose days hang on the session that reads it")
        return Said(".".join(map(self.name, parts)), kind)

    def say_query(self, node: exp.Expr) -> Said:
        """Return the one value of a query."""
        text, columns = self._write_apart(node.this)
        return Said(f"({' '.join(line.strip() for line in text.split(chr(10)))})", next(iter(columns.values())))

    def _order_output(self, node: exp.Expr, outputs: Mapping[str, Said]) -> str:
        value = node.this
        output = outputs.get(value.name) if isinstance(value, exp.Column) and not value.args.get("table") else None
        if output is None:
            return self._order(node)
        plain = Said(self.name(value.name), output.kind)
        text = self.order_text(value, plain)
        if text != plain.text and self.orders_by_rows:
            text = self.order_text(value, output)
        return _write_direction(node, text)

    def _order(self, node: exp.Expr) -> str:
        return _write_direction(node, self.order_text(node.this, self.say(node.this)))

    def say_window(self, node: exp.Expr) -> Said:
        """Return a value over rows around each row."""
        self.require(node, "this", "partition_by", "order", "spec", "over")
        assert isinstance(node, exp.Window)
        function = node.this
        is_rank = isinstance(function, exp.RowNumber)
        by, order = node.args.get("partition_by") or [], node.args.get("order")
        if is_rank and not by and order is None:
            return Said(self.row_id(), Kind.INTEGER)
        if is_rank:
            said = Said("ROW_NUMBER()", Kind.INTEGER)
        elif isinstance(function, exp.Anonymous) and function.name.upper() == "LEAD":
            value, *count = (self.say(each) for each in function.expressions)
            said = Said(call("LEAD", value.text, *(each.text for each in count)), value.kind)
        elif isinstance(function, exp.Sum | exp.Min | exp.Max):
            said = self.say(function)
        else:
            raise self.refuse(node, "it is a window function that is not known here")
        parts = ["PARTITION BY " + ", ".join(self.say(each).text for each in by)] if by else []
        ordered = ", ".join(map(self._order, order.expressions)) if order is not None else ""
        spec = node.args.get("spec")
        frame = ""
        if spec is not None:
            ordered, frame = self.frame(node, ordered)
        parts += [f"ORDER BY {ordered}"] if ordered else []
        parts += [frame] if frame else []
        return said._replace(text=f"{said.text} OVER ({' '.join(parts)})")

    def read_frame(self, node: exp.Window) -> exp.Interval | None:
        """Return the span that a frame looks back over, its own beginning left out; None if over all rows before."""
        spec = node.args["spec"]
        self.require(spec, "kind", "start", "start_side", "end")
        start = spec.args["start"]
        if (spec.args["kind"], spec.args["start_side"], spec.args["end"]) != ("RANGE", "PRECEDING", "CURRENT ROW"):
            raise self.refuse(node, "it is a frame that is not known here")
        if start == "UNBOUNDED":
            return None
        difference = start.unnest()
        is_open = isinstance(difference, exp.Sub) and difference.expression.args["unit"].name.lower() == "microsecond"
        ordered = node.args["order"].expressions[0].this
        if not is_open or difference.expression.name != "1" or ordered.this.name != MOMENT:
            raise self.refuse(node, "it is a frame that is not known here")
        span = difference.this
        assert isinstance(span, exp.Interval)
        return span


def _put_around(select: exp.Select) -> exp.Select:
    """Return a SELECT around the one with its QUALIFY as a column: not every engine has the word."""
    inner = select.copy()
    qualify = inner.args["qualify"].this
    inner.set("qualify", None)
    inner.append("expressions", exp.Alias(this=qualify, alias=exp.Identifier(this=_KEPT, quoted=True)))
    names = [exp.Identifier(this=each.alias_or_name, quoted=True) for each in select.expressions]
    return exp.Select(
        expressions=[exp.Column(this=each) for each in names],
        from_=exp.From(
            this=exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.Identifier(this="all_rows", quoted=True)))
        ),
        where=exp.Where(this=exp.Column(this=exp.Identifier(this=_KEPT, quoted=True))),
    )


def _take_apart(where: exp.Expr | None) -> list[exp.Expr]:
    """Return the conditions of a WHERE that AND connects."""
    conditions: list[exp.Expr] = []
    waiting = [] if where is None else [where.this]
    while waiting:
        part = waiting.pop()
        if isinstance(part, exp.And):
            waiting += [part.expression, part.this]
        else:
            conditions.append(part)
    return conditions


def _write_direction(node: exp.Expr, text: str) -> str:
    """Return an order; nulls stand last unless they are told to stand first."""
    nulls = "NULLS FIRST" if node.args.get("nulls_first") else "NULLS LAST"
    return f"{text} {'DESC' if node.args.get('desc') else 'ASC'} {nulls}"


def _indent(text: str) -> str:
    """Return the lines moved in; no string has a line end of its own, as engines' `quote` writes it in another way."""
    return "\n".join(f"  {line}" for line in text.split("\n"))
