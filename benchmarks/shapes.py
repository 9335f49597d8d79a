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

WORLDS = range(201, 211)
QUESTIONS = 40
RUNS = 5


@dataclass(frozen=True)
class Case:
    """One question, asked of both: neither keeps what it has planned."""

    ours: Callable[[], object]
    theirs: Callable[[], object]
    kept: Callable[[], object]


def run() -> Iterator[Comparison | str]:
    """Yield the percentiles of each population."""
    logging.disable(logging.CRITICAL)  # MetricFlow logs its refusals at length
    with TemporaryDirectory() as folder:
        project = list(_list_project(Path(folder)))
        yield from _compare("this project's metrics by three groupings", project)
        random_ones = [case for seed in WORLDS for case in _draw_world(seed, Path(folder) / str(seed))]
        yield from _compare("random questions", random_ones)
        yield from _compare("all of them", [*project, *random_ones])
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


def _compare(name: str, cases: list[Case]) -> Iterator[Comparison | str]:
    # What both have read stays; else each collection of garbage would walk through all of it.
    gc.collect()
    gc.freeze()
    # Each asks all questions and then lets the other do so: in turn for each one they would cool each other's caches.
    turns = [
        [_time_all([getattr(case, who) for case in cases]) for who in ("ours", "kept", "theirs")] for _ in range(RUNS)
    ]
    gc.unfreeze()
    (new, new_cpu), (kept, _), (theirs, theirs_cpu) = (
        [
            [statistics.median(clocks) for clocks in zip(*(turn[who][clock] for turn in turns), strict=True)]
            for clock in (0, 1)
        ]
        for who in range(3)
    )
    for percent in (50, 95):
        of = partial(_take, percent)
        yield Comparison(f"{name}, {len(cases)}: p{percent}", of(new), "MetricFlow, warm", of(theirs))
        yield f"  processor's time {_show(of(new_cpu))}, theirs {_show(of(theirs_cpu))}; a kept plan {_show(of(kept))}"


def _show(seconds: float) -> str:
    return f"{1000 * seconds:.3f} ms"


def _take(percent: int, seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[percent - 1]


def _time_all(calls: list[Callable[[], object]]) -> tuple[list[float], list[float]]:
    """Return the seconds of the clock that each call takes, and those of the processor."""
    clock, processor = [], []
    for call in calls:
        begin, begin_cpu = time.perf_counter(), time.process_time()
        call()
        clock.append(time.perf_counter() - begin)
        processor.append(time.process_time() - begin_cpu)
    return clock, processor
