"""New shapes of questions, planned with the manifest read and no plan kept, beside MetricFlow on the same ones.

Two populations: every metric of this project by three groupings, and random questions over the random worlds of
tests/differential. Of each question the median of several runs counts; the 50th and the 95th percentile are printed.
Reads the working file of the last `dbt build` for the project's definitions.
"""

from __future__ import annotations

import gc
import logging
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.differential.catalog import Catalog
from tests.differential.ours import write_question
from tests.differential.questions import Asker
from tests.differential.theirs import answer_theirs
from tests.differential.worlds import make_world
from tests.oracle import Oracle

from benchmarks.measure import Comparison
from gnomon.core.errors import GnomonError
from gnomon.core.settings import Settings
from gnomon.engine.build_record import BuildRecord
from gnomon.planner import Compiled, Planner, Question, plan
from gnomon.semantic import read_manifest
from gnomon.warehouse import Warehouse

WORLDS = range(201, 207)
QUESTIONS = 40
RUNS = 5


@dataclass(frozen=True)
class Case:
    """One question, asked of both: neither keeps what it has planned."""

    ours: Callable[[], object]
    theirs: Callable[[], object]
    kept: Callable[[], object]


class Timing(NamedTuple):
    """Medians of one question in seconds: of the clock and of the processor."""

    new: float
    new_cpu: float
    kept: float
    theirs: float
    theirs_cpu: float


def run() -> Iterator[Comparison | str]:
    """Yield the percentiles of each population."""
    logging.disable(logging.CRITICAL)  # MetricFlow logs its refusals at length
    with TemporaryDirectory() as folder:
        project = _measure(list(_list_project(Path(folder))))
        yield from _tell("this project's metrics by three groupings", project)
        drawn = _measure([case for seed in WORLDS for case in _draw_world(seed, Path(folder) / str(seed))])
        yield from _tell("random questions", drawn)
        yield from _tell("all of them", [*project, *drawn])
    logging.disable(logging.NOTSET)


def _list_project(folder: Path) -> Iterator[Case]:
    warehouse = Warehouse.attach(Settings.read().database, "gnomon")
    path = folder / "semantic_manifest.json"
    path.write_text(BuildRecord.read(warehouse).semantic_manifest, encoding="utf-8")
    warehouse.close()
    manifest, oracle = read_manifest(path), Oracle.read(path)
    compiled, planner = Compiled(manifest), Planner(manifest)
    for metric in manifest.metrics.values():
        models = [manifest.model_of(used.name) for leaf in manifest.leaves_of(metric) for used in leaf.measures]
        shared = set[str].intersection(*(set(compiled.reachable(model)) for model in models))
        attributes = sorted(name for name in shared if "__" in name)[:1]
        for groups in ((), ("metric_time__week",), ("metric_time__month", *attributes)):
            question = Question((str(metric.name),), groups, applies_floors=False)
            ask = partial(oracle.sql, question.metrics, question.group_by)
            case = Case(partial(plan, compiled, question), ask, partial(planner.plan, question))
            if _is_answered(case):
                yield case


def _draw_world(seed: int, folder: Path) -> Iterator[Case]:
    folder.mkdir()
    world = make_world(seed, folder)
    oracle = Oracle.read(world.manifest_path)
    asker = Asker(random.Random(f"shapes {seed}"), Catalog(world, oracle))
    manifest = read_manifest(world.manifest_path)
    compiled, planner = Compiled(manifest), Planner(manifest)
    drawn = 0
    while drawn < QUESTIONS:
        asked = asker.ask(())
        if asked is None:
            continue
        question = write_question(asked)
        ask = partial(answer_theirs, oracle, asked)
        case = Case(partial(plan, compiled, question), ask, partial(planner.plan, question))
        if _is_answered(case):
            drawn += 1
            yield case


def _is_answered(case: Case) -> bool:
    """Tell whether neither refuses it; this run is not counted."""
    try:
        case.kept()
        case.ours()
        case.theirs()
    except GnomonError:
        return False
    except Exception:  # whatever MetricFlow refuses with
        return False
    return True


def _measure(cases: list[Case]) -> list[Timing]:
    # What both have read stays; else each collection of garbage would walk through all of it.
    gc.collect()
    gc.freeze()
    # Each asks all questions and then lets the other do so: in turn for each one they would cool each other's caches.
    turns = []
    for _ in range(RUNS):
        new, kept, theirs = ([_time(getattr(case, who)) for case in cases] for who in ("ours", "kept", "theirs"))
        turns.append([(*mine, seconds, *other) for mine, (seconds, _), other in zip(new, kept, theirs, strict=True)])
    gc.unfreeze()
    return [Timing(*map(statistics.median, zip(*of_one, strict=True))) for of_one in zip(*turns, strict=True)]


def _tell(name: str, timings: list[Timing]) -> Iterator[Comparison | str]:
    for percent in (50, 95):
        new, new_cpu, kept, theirs, theirs_cpu = (
            statistics.quantiles(seconds, n=100)[percent - 1] for seconds in zip(*timings, strict=True)
        )
        yield Comparison(f"{name}, {len(timings)}: p{percent}", new, "MetricFlow, warm", theirs)
        yield f"  processor's time {_show(new_cpu)}, theirs {_show(theirs_cpu)}; a kept plan {_show(kept)}"


def _show(seconds: float) -> str:
    return f"{1000 * seconds:.3f} ms"


def _time(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of the clock that a call takes, and those of the processor."""
    begin, begin_cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - begin, time.process_time() - begin_cpu
