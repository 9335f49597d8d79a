"""Statistical disclosure control: what stands on too few units is hidden, and so is what would give it away.

Primary: a row is hidden if one of its values, or what a filter leaves out of one, stands on some units but fewer than
the smallest cell. Secondary: what is hidden must not be a sum less what is shown. So in each line of the answer, the
rows that a question with one group less, with times alone or with none adds up, a hidden row is never hidden alone:
the next smallest go with it, until one of them is large enough by itself. Each value's rows are chosen by its own
units, so that they are the same beside whatever else is asked for, and a row is shown whole or not at all.
Source: Willenborg and de Waal, "Elements of Statistical Disclosure Control" (2001); Cox, "Suppression
methodology and statistical disclosure control" (JASA 75, 1980).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gnomon.planner import IS_OTHER, IS_ROW, IS_SUPPRESSED, Cell, Hiding

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Flags = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]
    Pair = tuple[Numbers, ...]


def hide_small_cells(rows: pa.Table, hiding: Hiding, groups: Sequence[str]) -> pa.Table:
    """Return the rows that are the answer's, in its order, with null for all values of those that are hidden.

    The last column, IS_SUPPRESSED, is true in these. The columns of counts are gone.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if groups:
        # By their groups, so that of equally small rows the same ones are hidden each time.
        rows = rows.sort_by([(group, "ascending") for group in groups])
    hidden = _find_hidden(rows, hiding, groups)
    counts = {column for cell in hiding.cells for column in cell.columns}
    shown = pa.array(~hidden)
    columns = {}
    for name in rows.column_names:
        if name not in counts and name != IS_ROW:
            column = rows.column(name)
            columns[name] = column if name in groups else pc.if_else(shown, column, pa.scalar(None, column.type))
    columns[IS_SUPPRESSED] = pa.chunked_array([pa.array(hidden)])
    table = pa.table(columns).filter(pc.fill_null(rows.column(IS_ROW), False))
    if hiding.order_by:
        keys = [(each.column, "descending" if each.is_descending else "ascending") for each in hiding.order_by]
        table = table.sort_by(keys)
    return table if hiding.limit is None else table.slice(0, hiding.limit)


def _find_hidden(rows: pa.Table, hiding: Hiding, groups: Sequence[str]) -> Flags:
    """Return which rows are hidden, those that are no rows of the answer among them."""
    import numpy as np

    codes = {group: _encode(rows, group) for group in groups}
    lines = [_number(rows.num_rows, codes, kept) for kept in _list_lines(groups, hiding.times)]
    same = _number(rows.num_rows, codes, tuple(group for group in groups if group not in hiding.times))
    closing = _Closing(lines, hiding.smallest.least)
    hidden = np.zeros(rows.num_rows, dtype=np.bool_)
    for cell in hiding.cells:
        rests = [_read_pair(rows, rest) for rest in cell.rests]
        hidden |= closing.hide(_read_pair(rows, cell), rests)
    if hiding.looks_back:
        # A row shows values of other times, so a group is shown at all of its times or at none.
        hidden = (np.bincount(same, weights=hidden) > 0)[same]
    return hidden


@dataclass(frozen=True)
class _Closing:
    """Finds the rows that are hidden for one value, along the lines of the answer."""

    lines: Sequence[Numbers]
    least: int

    def hide(self, cell: Pair, rests: Sequence[Pair] = ()) -> Flags:
        """Return the rows that are hidden for a cell.

        What the same value hides without one of the filters is hidden with it, too, so that a filter shows nothing
        of a row that is hidden without it.
        """
        import numpy as np

        # Without a filter a value stands on these units at the least.
        wider = [_unite(cell, rest) for rest in rests]
        hidden = np.any([np.zeros(len(cell[0]), dtype=np.bool_), *map(self.hide, wider)], axis=0)
        if len(cell) > 1:
            hidden |= self.hide((np.max(cell, axis=0),))
        known = [units for each in (cell, *rests) for units in each]
        units = [*known, *(np.max(each, axis=0) for each in (cell, *rests)), *(one for each in wider for one in each)]
        is_small = np.any([(each > 0) & (each < self.least) for each in known], axis=0)
        return self._close(hidden | is_small, units)

    def _close(self, hidden: Flags, units: Sequence[Numbers]) -> Flags:
        """Return the hidden rows with those that must be hidden with them, the smallest first."""
        import numpy as np

        order = np.argsort(np.max(units, axis=0), kind="stable")
        count = -1
        while count != (count := int(hidden.sum())):
            for line in self.lines:
                for each in units:
                    number = np.bincount(line[hidden], weights=each[hidden] > 0, minlength=len(line))
                    most = np.zeros(len(line), dtype=each.dtype)
                    np.maximum.at(most, line[hidden], each[hidden])
                    is_open = (number > 0) & ((number < 2) | (most < self.least))
                    partners = order[(~hidden & (each > 0) & is_open[line])[order]]
                    _, first = np.unique(line[partners], return_index=True)
                    hidden[partners[first]] = True
        return hidden


def _unite(cell: Pair, rest: Pair) -> Pair:
    import numpy as np

    return tuple(np.maximum(one, other) for one, other in zip(cell, rest, strict=True))


def _read_pair(rows: pa.Table, cell: Cell) -> Pair:
    """Return the units behind a cell, and those that its definition leaves out if it leaves any out."""
    columns = (cell.counted,) if cell.unstated is None else (cell.counted, cell.unstated)
    return tuple(_read_counts(rows, column) for column in columns)


def _list_lines(groups: Sequence[str], times: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the groups that are the same along a line; of a top only all that is no time is left away at once."""
    others = tuple(group for group in groups if group not in times)
    left_away = [(group,) for group in times] + ([others] if IS_OTHER in groups else [(group,) for group in others])
    kept = [tuple(group for group in groups if group not in each) for each in (*left_away, others, tuple(groups))]
    yield from dict.fromkeys(kept)


def _number(count: int, codes: dict[str, Numbers], kept: Sequence[str]) -> Numbers:
    """Return the number of each row's line."""
    import numpy as np

    if not kept or not count:
        return np.zeros(count, dtype=np.int64)
    _, numbers = np.unique(np.stack([codes[group] for group in kept], axis=1), axis=0, return_inverse=True)
    return numbers.reshape(-1)


def _encode(rows: pa.Table, group: str) -> Numbers:
    import numpy as np

    column = rows.column(group).combine_chunks().dictionary_encode(null_encoding="encode")
    return np.asarray(column.indices, dtype=np.int64)


def _read_counts(rows: pa.Table, column: str) -> Numbers:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = pc.fill_null(rows.column(column).cast(pa.float64()), 0)
    # Of a mean of several moments at least one has so many units, rounded up.
    return np.asarray(np.ceil(filled.combine_chunks()), dtype=np.int64)
