"""Pass 12: rows under more tests are not read again where the same rows under fewer are read anyway.

A rate reads its table once: the numerator's own filter stands at its aggregate, and not in a second scan.
Values of no row stay null, as they are in a scan of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from gnomon.planner.algebra import HAS_PREFIX, Answer, Argument, Block, Column, Join, Part, Scan, Value
from gnomon.planner.compiled import Compiled
from gnomon.planner.draft import Draft
from gnomon.planner.sql_parts import is_there, name
from gnomon.semantic.model import Aggregation


def absorb_scans(_: Compiled, draft: Draft) -> Draft:
    """Put the scans of the answer together, in its totals and variances, too."""
    return replace(draft, answer=_absorb_answer(draft.answer))


def _absorb_answer(answer: Answer) -> Answer:
    parts = _absorb(answer.blocks)
    absorbed = {value.column: value for _, values in parts for value in values if value.tests}
    formulas = []
    marks: dict[str, Value] = {}
    for column, formula in answer.formulas:
        formula = formula.copy()
        for flag in list(formula.find_all(exp.Column)):
            value = absorbed.get(flag.name.removeprefix(HAS_PREFIX)) if flag.name.startswith(HAS_PREFIX) else None
            if value is not None:
                mark = marks.setdefault(value.column, _mark(value))
                flag.replace(is_there(name(mark.column)))
        formulas.append((column, formula))
    return replace(
        answer,
        blocks=tuple((block, _add_marks(values, marks)) for block, values in parts),
        formulas=tuple(formulas),
        totals=tuple(map(_absorb_answer, answer.totals)),
        variances=tuple(replace(each, parts=_absorb(each.parts)) for each in answer.variances),
    )


def _mark(value: Value) -> Value:
    """A value that is there where a row passes the value's tests."""
    one = Argument(Column(value.argument.column.table, "TRUE"), counts_true=True)
    return Value(f"{value.column}__has", value.measure, Aggregation.SUM, one, None, None, value.is_asked, value.tests)


def _add_marks(values: tuple[Value, ...], marks: dict[str, Value]) -> tuple[Value, ...]:
    return (*values, *(marks[value.column] for value in values if value.column in marks))


def _absorb(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return the parts, those under more tests as values of one that is under fewer."""
    # The fewest tests first, so that what absorbs is not absorbed itself.
    order = sorted(range(len(parts)), key=lambda place: _count_tests(parts[place][0]))
    homes: dict[int, _Home] = {}
    for place in order:
        block, values = parts[place]
        home = next((each for each in homes.values() if each.takes(block, values)), None)
        if home is None:
            homes[place] = _Home(block, values)
        else:
            home.add(block, values)
    return tuple((homes[place].block, homes[place].values) for place in sorted(homes))


def _count_tests(block: Block) -> int:
    return len(block.source.tests) if isinstance(block.source, Scan) else 0


@dataclass
class _Home:
    """A scan that takes in others."""

    block: Block
    values: tuple[Value, ...]

    def takes(self, block: Block, values: tuple[Value, ...]) -> bool:
        ours, theirs = self.block.source, block.source
        if not isinstance(ours, Scan) or not isinstance(theirs, Scan):
            return False
        is_same = (ours.alias, ours.relation, ours.spread) == (theirs.alias, theirs.relation, theirs.spread)
        is_plain = not (self.block.window or block.window or self.block.steps or block.steps)
        # Only an asked part may add rows, and this one's rows will be the answer's.
        adds_rows = any(value.is_asked for value in values) and not any(value.is_asked for value in self.values)
        return (
            is_same
            and is_plain
            and not adds_rows
            and self.block.groups == block.groups
            and set(ours.tests) <= set(theirs.tests)
            and _agree(ours.joins, theirs.joins)
        )

    def add(self, block: Block, values: tuple[Value, ...]) -> None:
        ours, theirs = self.block.source, block.source
        assert isinstance(ours, Scan)
        assert isinstance(theirs, Scan)
        joins = {each.alias: each for each in (*ours.joins, *theirs.joins)}
        more = tuple(test for test in theirs.tests if test not in ours.tests)
        self.block = replace(self.block, source=replace(ours, joins=tuple(joins.values())))
        self.values += tuple(replace(value, tests=(*value.tests, *more)) for value in values)


def _agree(ours: tuple[Join, ...], theirs: tuple[Join, ...]) -> bool:
    known = {each.alias: each for each in ours}
    return all(known.get(each.alias, each) == each for each in theirs)
