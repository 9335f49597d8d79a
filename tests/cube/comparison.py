"""Cube's rows held to the engine's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from gnomon import Engine
from gnomon.publish.cube import Written
from gnomon.semantic.model import Aggregation
from tests.cube.exported import CubeApi

GRAINS = ("day", "week", "month", "quarter", "year")
# East of UTC, so that midnight there is a day before: what the clock of Cube's machine says must be no matter.
FAR = "Asia/Tokyo"
Row = tuple[Any, ...]


@dataclass
class Pair:
    """The engine and Cube over one build."""

    engine: Engine
    cube: CubeApi
    written: Written

    @property
    def metrics(self) -> Iterator[tuple[str, str]]:
        """The exported metrics, each with its view."""
        return ((view, metric) for view, metrics in self.written.views.items() for metric in metrics)

    def compare(self, view: str, metric: str, groups: Sequence[str], role: str = "owner", **more: Any) -> int:
        """Hold Cube's rows to the engine's; return how many the engine has.

        Where a filter of the metric lets no row of a group pass, Cube has a row and the engine has none: it is
        without a value, or has what the definition fills in. `more` are the first and last day, `start` and `end`.
        """
        ours = self.ask_engine(metric, groups, role, **more)
        theirs = self.ask_cube(view, metric, groups, role, **more)
        assert [group for group in ours if group not in theirs] == []
        for group, value in ours.items():
            # Of no rows at all, a filled or a distinct count is 0 in the engine and without a value in Cube.
            is_nothing = group == () and value == 0 and self._counts_nothing(metric)
            is_equal = _is_equal(theirs[group], value) or (is_nothing and theirs[group] is None)
            assert is_equal, f"{metric} by {group}: {theirs[group]} in Cube, {value} in Gnomon"
        added = {group: value for group, value in theirs.items() if group not in ours}
        if not self._leaves_rows_out(metric):
            assert added == {}
        measure = self.engine.manifest.metrics[metric].measure  # type: ignore[index]
        assert {None if value is None else float(value) for value in added.values()} <= {
            None, measure.fill if measure else None,
        }  # fmt: skip
        return len(ours)

    def ask_cube(
        self, view: str, metric: str, groups: Sequence[str], role: str = "owner", **more: Any
    ) -> dict[Row, Any]:
        """Return Cube's values by group."""
        names = [_name_member(view, group) for group in groups]
        times = [name for name in names if name.count(".") == 2]
        asked: list[dict[str, Any]] = [
            {"dimension": name.rpartition(".")[0], "granularity": name.rpartition(".")[2]} for name in times
        ]
        if more:
            days = [more["start"], more["end"]]
            own = next((time for time in asked if time["dimension"] == f"{view}.metric_time"), None)
            if own is None:
                asked.append({"dimension": f"{view}.metric_time", "dateRange": days})
            else:
                own["dateRange"] = days
        rows = self.cube.load(
            role,
            measures=[f"{view}.{metric}"],
            dimensions=[name for name in names if name not in times],
            timeDimensions=asked,
        )
        return _by_group((tuple(row[name] for name in names), row[f"{view}.{metric}"]) for row in rows)

    def ask_engine(self, metric: str, groups: Sequence[str], role: str = "owner", **more: Any) -> dict[Row, Any]:
        """Return the engine's values by group."""
        table = self.engine.query([metric], groups, policy=role, **more).to_arrow()
        return _by_group((tuple(row[group] for group in groups), row[metric]) for row in table.to_pylist())

    def _counts_nothing(self, metric: str) -> bool:
        manifest = self.engine.manifest
        used = [leaf.measure for leaf in manifest.leaves_of(manifest.metrics[metric]) if leaf.measure]  # type: ignore[index]
        kinds = {manifest.model_of(measure.name).measures[measure.name].aggregation for measure in used}
        return Aggregation.COUNT_DISTINCT in kinds or any(measure.fill is not None for measure in used)

    def _leaves_rows_out(self, metric: str) -> bool:
        manifest = self.engine.manifest
        definition = manifest.metrics[metric]  # type: ignore[index]
        return definition.accumulation is not None or any(
            leaf.filters or (leaf.measure and leaf.measure.filters) for leaf in manifest.leaves_of(definition)
        )


def _name_member(view: str, group: str) -> str:
    name, _, grain = group.rpartition("__")
    return f"{view}.{name}.{grain}" if grain in GRAINS else f"{view}.{group}"


def _by_group(rows: Iterable[tuple[Row, Any]]) -> dict[Row, Any]:
    listed = [(tuple(map(_read_key, group)), value) for group, value in rows]
    found = dict(listed)
    assert len(found) == len(listed), "two rows of one group"
    return found


def _read_key(value: Any) -> Any:
    """Return a value of a group as both sides say it: a time as its day."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()[:10]
    if isinstance(value, str) and value.endswith("T00:00:00.000"):
        return value[:10]
    return value


def _is_equal(theirs: Any, ours: Any) -> bool:
    if theirs is None or ours is None:
        return theirs is ours
    assert isinstance(ours, (int, float, Decimal))
    return math.isclose(float(theirs), float(ours), rel_tol=1e-9, abs_tol=0)
