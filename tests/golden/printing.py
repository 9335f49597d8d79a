"""One way to print whatever the passes hand each other: a line where it fits, else a line for each part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlglot import exp

from gnomon.planner.algebra import Argument, Column, Given
from gnomon.planner.filters import Filter
from gnomon.planner.references import Reference
from gnomon.semantic.grain import CustomGrain
from gnomon.semantic.model import Measure, Metric, SemanticModel, TimeSpine

WIDTH = 110


def show(value: Any) -> str:
    """Return the value in words; what is empty or false is left out of what it is part of."""
    match value:
        case Column():
            return _show_column(value)
        case Argument(column, given=Given(counted, is_rest)):
            return f"{show(column)} where {show(counted.argument)} {'does not count' if is_rest else 'counts'}"
        case Argument(column, counts_true, counts_present, weight):
            shown = f"{show(column)} of {show(weight)}" if weight else show(column)
            return f"1 where {shown}" if counts_true else f"1 where {shown} is there" if counts_present else shown
        case Reference() | Metric() | SemanticModel() | Measure():
            return str(value.name)
        case TimeSpine():
            return value.relation
        case Filter():
            return value.text
        case Enum() | CustomGrain():
            return str(value.value)
        case exp.Select():
            return value.sql(dialect="duckdb", pretty=True)
        case exp.Expr():
            return value.sql(dialect="duckdb")
        case datetime():
            return value.isoformat(sep=" ")
        case (str(), second) if not isinstance(second, str):
            return _join(f"{value[0]} =", [show(second)])
        case tuple():
            return _join("", [show(each) for each in value])
        case Mapping():
            return _join("", [f"{name} = {show(each)}" for name, each in value.items()])
    if is_dataclass(value) and not isinstance(value, type):
        stated = [(each.name, getattr(value, each.name)) for each in fields(value)]
        told = [(name, part) for name, part in stated if part not in (None, False, "", (), {})]
        parts = [name if part is True else _join(f"{name}:", [show(part)]) for name, part in told]
        return _join(type(value).__name__, parts)
    return str(value)


def _show_column(column: Column) -> str:
    words = [f"{column.table}.{column.expr}" if column.table else column.expr]
    words += [f"by {column.grain.value}"] if column.grain else []
    words += [column.part.value] if column.part else []
    words += [f"in {column.zone}"] if column.zone else []
    words += [word for word in ("is_marked", "is_date", "is_key") if getattr(column, word)]
    return " ".join(words)


def _join(head: str, parts: list[str]) -> str:
    """Put the parts behind the head in one line, or each under it if they are too long for one."""
    line = f"{head} {parts[0]}".strip() if len(parts) == 1 else f"{head}({', '.join(parts)})"
    if "\n" not in line and len(line) <= WIDTH:
        return line
    below = "\n".join(parts).replace("\n", "\n  ")
    return f"{head}\n  {below}" if head else below.replace("\n  ", "\n")
