"""Random rollups of a world's semantic models, made in the world's own database by the planner's SQL."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import duckdb

from gnomon.core.names import MeasureName
from gnomon.planner import Compiled
from gnomon.planner.choose_rollups import list_rollups, write_rollup
from gnomon.planner.compiled import Attribute
from gnomon.planner.expressions import is_plain
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Manifest, Rollup, SemanticModel
from tests.differential.shape import CATALOG

NARROW = 2  # rollups of a part of the columns, for each time that measures of a table are counted at
JOINED = (
    "joined"  # and as many, and one more of all, with attributes of other tables and without the keys that lead there
)
COARSE = (Grain.HOUR, Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER)


def draw_rollups(manifest: Manifest, rng: random.Random) -> Manifest:
    """Return the manifest with rollups: for each time of a table one of all its columns, and narrower ones.

    Some of these hold attributes of other tables.
    """
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
    closure = {name: found[0] for name, found in compiled.closure(model).items() if len(found) == 1}
    own = {name: found.grain for name, found in closure.items() if not found.hops}
    joined = {name: found.grain for name, found in closure.items() if _can_be_held(compiled, found)}
    plain = {name: grain for name, grain in own.items() if not closure[name].is_entity}
    for time in sorted({measure.time_dimension for measure in model.measures.values()}):
        counted = [name for name, measure in model.measures.items() if measure.time_dimension == time]
        finest = model.dimensions[time].grain or Grain.DAY
        everything = tuple(sorted(_write_name(name, grain) for name, grain in own.items()))
        yield _write(f"{model.name}_{time}_all", finest, everything, counted)
        if joined:
            reached = {**plain, **joined}
            names = tuple(sorted(_write_name(name, grain) for name, grain in reached.items()))
            yield _write(f"{model.name}_{time}_{JOINED}", finest, names, counted)
        for place in range(NARROW):
            yield _draw_narrow(f"{model.name}_{time}_{place}", own, finest, counted, rng)
            if joined:
                yield _draw_narrow(f"{model.name}_{time}_{JOINED}_{place}", reached, finest, counted, rng)


def _can_be_held(compiled: Compiled, found: Attribute) -> bool:
    is_of_a_period = any(compiled.manifest.models[hop.model].validity is not None for hop in found.hops)
    return bool(found.hops) and not found.is_entity and not is_of_a_period and is_plain(found.expr)


def _draw_narrow(
    name: str, known: dict[str, Grain | None], finest: Grain, counted: list[MeasureName], rng: random.Random
) -> Rollup:
    grain = rng.choice([each for each in COARSE if not each.is_finer_than(finest)])
    chosen = rng.sample(sorted(known), rng.randrange(1, len(known) + 1))
    names = tuple(_write_name(each, _coarsen(known[each], rng)) for each in chosen)
    return _write(name, grain, names, rng.sample(counted, rng.randrange(1, len(counted) + 1)))


def _coarsen(grain: Grain | None, rng: random.Random) -> Grain | None:
    if grain is None or rng.random() < 0.5:
        return grain
    return rng.choice([each for each in (*COARSE, grain) if not each.is_finer_than(grain)])


def _write_name(name: str, grain: Grain | None) -> str:
    return name if grain is None else f"{name}__{grain.value}"


def _write(name: str, grain: Grain, dimensions: tuple[str, ...], measures: list[MeasureName]) -> Rollup:
    return Rollup(name, f'"{CATALOG}"."main"."rollup_{name}"', grain, dimensions, tuple(measures))
