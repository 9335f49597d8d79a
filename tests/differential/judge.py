"""Both answers over one file: equal, different, refused, or MetricFlow's own fault."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import duckdb

from gnomon.core.errors import GnomonError
from gnomon.warehouse import Warehouse
from tests.differential.faults import NOT_ONE_ANSWER, find_fault
from tests.differential.questions import Asked
from tests.differential.theirs import answer_theirs
from tests.differential.worlds import World
from tests.oracle import Oracle

Outcome = Literal["equal", "different", "refused", "they refused", "their SQL fails", "their fault"]
SHOWN = 3
Answer = tuple[list[str], list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Verdict:
    """What came of one question."""

    asked: Asked
    outcome: Outcome
    rows: int = 0
    why: str = ""
    ours: str = ""
    theirs: str = ""

    @property
    def is_failure(self) -> bool:
        """Whether we are to blame."""
        return self.outcome in ("different", "refused")

    @property
    def is_dropped(self) -> bool:
        """Whether MetricFlow has no answer to compare with."""
        return self.outcome in ("they refused", "their SQL fails", "their fault")

    def explain(self, world: World) -> str:
        """Return a minimal account of a failure."""
        parts = [
            f"world {world.shape.seed}: {self.outcome}: {self.why}",
            str(self.asked),
            f"-- MetricFlow's\n{self.theirs}",
            f"-- ours\n{self.ours}",
        ]
        return "\n".join(parts)


def judge(
    world: World,
    oracle: Oracle,
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    asked: Asked,
    answer_ours: Callable[[Any, Asked], str] | None,
) -> Verdict:
    """Return the verdict on one question; without a way to ours, only MetricFlow's side is looked at."""
    try:
        theirs = answer_theirs(oracle, asked)
    except Exception as error:  # whatever MetricFlow raises is its refusal
        return Verdict(asked, "they refused", why=_first_line(error))
    try:
        right = run_sql(connection, theirs)
    except duckdb.Error as error:
        return Verdict(asked, "their SQL fails", why=_first_line(error), theirs=theirs)
    if answer_ours is None:
        return Verdict(asked, "equal", len(right[1]), theirs=theirs)
    try:
        ours = answer_ours(world.manifest_path, asked)
    except Exception as error:  # any refusal of what MetricFlow answers is a failure
        return Verdict(asked, "refused", len(right[1]), f"{type(error).__name__}: {_first_line(error)}", theirs=theirs)
    try:
        left = run_ours(warehouse, ours)
    except GnomonError as error:
        return Verdict(asked, "different", len(right[1]), f"our SQL fails: {_first_line(error)}", ours, theirs)
    difference = compare_answers(left, right, asked)
    fault = find_fault(theirs) if difference else None
    if fault:
        return Verdict(asked, "their fault", len(right[1]), fault, ours, theirs)
    if difference and compare_answers(run_sql(connection, theirs), right, asked):
        return Verdict(asked, "their fault", why=NOT_ONE_ANSWER, theirs=theirs)
    outcome: Outcome = "different" if difference else "equal"
    return Verdict(asked, outcome, len(right[1]), difference, ours, theirs)


def run_sql(connection: duckdb.DuckDBPyConnection, sql: str) -> Answer:
    """Return the columns and the rows of a query."""
    cursor = connection.execute(sql)
    return [column[0] for column in cursor.description or ()], cursor.fetchall()


def run_ours(warehouse: Warehouse, sql: str) -> Answer:
    """Return the same of a query of ours, as Gnomon runs it."""
    table = warehouse.query(sql)
    return table.column_names, list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def compare_answers(left: Answer, right: Answer, asked: Asked) -> str:
    """Return the first difference in words, or nothing."""
    (columns, mine), (their_columns, others) = left, right
    if columns != their_columns:
        return f"columns {columns} instead of {their_columns}"
    if len(mine) != len(others):
        return f"{len(mine)} rows instead of {len(others)}\n{_show_lonely(mine, others)}"
    if not asked.is_ordered:
        mine, others = sorted(mine, key=_row_key), sorted(others, key=_row_key)
    for place, (row, other) in enumerate(zip(mine, others, strict=True)):
        if not all(_is_equal(a, b) for a, b in zip(row, other, strict=True)):
            return f"row {place}: {row} instead of {other}\n{_show_lonely(mine, others)}"
    return ""


def _show_lonely(mine: Sequence[tuple[Any, ...]], others: Sequence[tuple[Any, ...]]) -> str:
    here, there = {_row_key(row) for row in mine}, {_row_key(row) for row in others}
    only_ours = [row for row in mine if _row_key(row) not in there][:SHOWN]
    only_theirs = [row for row in others if _row_key(row) not in here][:SHOWN]
    return "\n".join([*(f"  only ours   {row}" for row in only_ours), *(f"  only theirs {row}" for row in only_theirs)])


def _is_equal(a: Any, b: Any) -> bool:
    if isinstance(a, (bool, str)) or isinstance(b, (bool, str)) or a is None or b is None:
        return bool(a == b)
    if isinstance(a, (int, float, Decimal)) and isinstance(b, (int, float, Decimal)):
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        return math.isclose(float(a), float(b), rel_tol=1e-6, abs_tol=1e-9)
    return bool(_moment(a) == _moment(b))


def _moment(value: Any) -> Any:
    """Return a day as the midnight it begins with: the two sides may differ in the type, not in the moment."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


def _row_key(row: Sequence[Any]) -> tuple[tuple[bool, str], ...]:
    # Floats may differ in the last digits: round them for the order only.
    return tuple((value is None, _key_text(value)) for value in row)


def _key_text(value: Any) -> str:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return f"{float(value):.5g}"
    return str(_moment(value))


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Got error", "Error #", "Message:"))]
    return (telling or lines or [type(error).__name__])[0][:200]
