"""Random rollups of a world's semantic models, made in the world's own database by the planner's SQL."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import duckdb

from gnomon.core.names import MeasureName
from gnomon.planner import Compiled
from gnomon.planner.choose_rollups import list_rollups, write_rollup
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Manifest, Rollup, SemanticModel
from tests.differential.shape import CATALOG

NARROW = 2  # rollups of a part of the columns, for each time that measures of a table are counted at
COARSE = (Grain.HOUR, Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER)


def draw_rollups(manifest: Manifest, rng: random.Random) -> Manifest:
    """Return the manifest with rollups: for each time of a table one of all its columns, and narrower ones."""
    compiled = Compiled(manifest)
    models = {
        name: replace(model, rollups=tuple(_draw(compiled, model, rng))) for name, model in manifest.models.items()
    }
    return replace(manifest, models=models)


def make_rollups(manifest: Manifest, connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Create the tables of all rollups, and return their numbers of rows by name."""
    compiled, rows = Compiled(manifest), {}
    for model, rollup in list_rollups(compiled):
        connection.execute(f"create table {rollup.relation} as {write_rollup(compiled, model, rollup).sql('duckdb')}")
        (rows[rollup.name],) = connection.execute(f"select count(*) from {rollup.relation}").fetchone() or (0,)
    return rows


def _draw(compiled: Compiled, model: SemanticModel, rng: random.Random) -> Iterator[Rollup]:
    closure = compiled.closure(model)
    own = {name: found[0].grain for name, found in closure.items() if len(found) == 1 and not found[0].hops}
    for time in sorted({measure.time_dimension for measure in model.measures.values()}):
        counted = [name for name, measure in model.measures.items() if measure.time_dimension == time]
        finest = model.dimensions[time].grain or Grain.DAY
        everything = tuple(sorted(_write_name(name, grain) for name, grain in own.items()))
        yield _write(f"{model.name}_{time}_all", finest, everything, counted)
        for place in range(NARROW):
            grain = rng.choice([each for each in COARSE if not each.is_finer_than(finest)])
            chosen = rng.sample(sorted(own), rng.randrange(1, len(own) + 1))
            names = tuple(_write_name(name, _coarsen(own[name], rng)) for name in chosen)
            measures = rng.sample(counted, rng.randrange(1, len(counted) + 1))
            yield _write(f"{model.name}_{time}_{place}", grain, names, measures)


def _coarsen(grain: Grain | None, rng: random.Random) -> Grain | None:
    if grain is None or rng.random() < 0.5:
        return grain
    return rng.choice([each for each in (*COARSE, grain) if not each.is_finer_than(grain)])


def _write_name(name: str, grain: Grain | None) -> str:
    return name if grain is None else f"{name}__{grain.value}"


def _write(name: str, grain: Grain, dimensions: tuple[str, ...], measures: list[MeasureName]) -> Rollup:
    return Rollup(name, f'"{CATALOG}"."main"."rollup_{name}"', grain, dimensions, tuple(measures))
