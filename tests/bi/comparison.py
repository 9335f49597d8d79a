"""Values of a view in Postgres held to the engine's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gnomon import Engine
from tests.copies import ask


def compare(
    engine: Engine, url: str, view: str, formulas: Mapping[str, str], groups: Sequence[str], fills: Sequence[str] = ()
) -> int:
    """Hold formulas over a view, as SQL by metric, to the engine's answers; return how many values were equal.

    Where no row of a group passes a metric's filters the engine has no row, and a view has one without a value; `fills`
    are metrics that are 0 there.
    """
    keys = [f'"{name}"' for name in groups]
    columns = ", ".join([*keys, *(f'{sql} as "{metric}"' for metric, sql in formulas.items())])
    by = f" group by {', '.join(keys)}" if keys else ""
    theirs = {_key(row, groups): row for row in ask(url, f'select {columns} from gnomon."{view}"{by}')}
    held = 0
    for metric in formulas:
        rows = engine.query([metric], list(groups)).to_arrow().to_pylist()
        ours = {_key(row, groups): row[metric] for row in rows}
        assert set(ours) <= set(theirs), (view, metric, groups)
        for key, row in theirs.items():
            value, other = ours.get(key), row[metric]
            if key not in ours:
                assert other is None or (metric in fills and float(other) == 0), (view, metric, key, other)
                continue
            if value is None or other is None:
                assert value is other, (view, metric, key, value, other)
            else:
                assert math.isclose(float(other), float(value), rel_tol=1e-9), (view, metric, key, value, other)
            held += value is not None
    return held


def _key(row: Mapping[str, Any], groups: Sequence[str]) -> tuple[str, ...]:
    # A day is a day, whether it comes as a date or as a moment.
    return tuple(str(row[name]).removesuffix(" 00:00:00") for name in groups)
