"""Declared rollups as pre-aggregations, which Cube makes and reads by itself."""

from __future__ import annotations

from collections.abc import Mapping

from gnomon.planner import Compiled
from gnomon.publish.cube.model import PreAggregation
from gnomon.publish.cube.root import Root
from gnomon.publish.planned import Inexpressible
from gnomon.semantic.model import Rollup


def add_rollups(compiled: Compiled, root: Root) -> Mapping[str, str]:
    """Add the rollups of a table that its exported metrics can be read from; return why the others are left out."""
    left_out: dict[str, str] = {}
    for rollup in root.model.rollups:
        try:
            root.own.pre_aggregations.append(_read_rollup(compiled, root, rollup))
        except Inexpressible as reason:
            left_out[rollup.name] = str(reason)
    return left_out


def _read_rollup(compiled: Compiled, root: Root, rollup: Rollup) -> PreAggregation:
    measures = [root.model.measures[name] for name in rollup.measures]
    times = {measure.time_dimension for measure in measures}
    if len(times) > 1:
        raise Inexpressible("its measures have several times")
    for word in rollup.dimensions:
        reference = compiled.reference(word)
        if reference.grain is not None or reference.part is not None:
            raise Inexpressible(f"'{word}' is a second time")
        if word not in root.own.dimensions:
            raise Inexpressible(f"'{word}' is no attribute of the exported table")
    kept = root.keep_in_rollup(rollup.measures)
    if not kept:
        raise Inexpressible("no exported metric reads it")
    return PreAggregation(rollup.name, kept, rollup.dimensions, root.add_time(times.pop()), rollup.grain.value)
