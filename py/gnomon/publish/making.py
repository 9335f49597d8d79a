"""Making a generation's folder beside those that are served, and checking it before it has its own name."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlglot import exp

from gnomon.core.errors import DefinitionError, QueryError, WarehouseError, join_names
from gnomon.engine import find_difference
from gnomon.planner import Compiled
from gnomon.planner.choose_rollups import list_rollups, write_rollup
from gnomon.publish.contract import JudgedBuild, check_contract, check_counts, judge_build
from gnomon.publish.journal import Journal, Phase
from gnomon.publish.questions import Asker, describe, name_measures
from gnomon.publish.space import Need, estimate_need
from gnomon.semantic.model import Rollup, SemanticModel
from gnomon.warehouse import DATABASE, LEASE, Generations, Warehouse, WorkingFile, make_rollups, sync, write_durably


@dataclass(frozen=True)
class Intent:
    """A build that may be published, the rollups to make for it, and the disk that it needs."""

    build: JudgedBuild
    rollups: tuple[tuple[SemanticModel, Rollup, exp.Select], ...]
    need: Need


@dataclass(frozen=True)
class Made:
    """What was made: the rows of each rollup, and how many answers were compared."""

    rollups: Mapping[str, int]
    questions: int
    size: int


def intend(working: WorkingFile) -> Intent:
    """Judge the working file; WarehouseError or DefinitionError says why it may not be published."""
    build = judge_build(working.reader)
    check_contract(working.reader, build.manifest, build.nodes)
    compiled = Compiled(build.manifest)
    rollups = tuple((model, rollup, _write(compiled, model, rollup)) for model, rollup in list_rollups(compiled))
    names = [rollup.name for _, rollup, _ in rollups]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DefinitionError(f"two rollups are named {join_names(twice, 'and')}. Rename one in config.meta.")
    return Intent(build, rollups, estimate_need(working, build.nodes, rollups))


def _write(compiled: Compiled, model: SemanticModel, rollup: Rollup) -> exp.Select:
    try:
        return write_rollup(compiled, model, rollup)
    except QueryError as error:
        # Nobody asked a question: the definition is wrong.
        said = str(error).removeprefix(f"metric '{rollup.name}': ")
        raise DefinitionError(f"semantic model '{model.name}', rollup '{rollup.name}': {said}") from None


def make(
    working: WorkingFile,
    intent: Intent,
    making: Path,
    generation_id: str,
    at: datetime,
    memory_limit: str,
    journal: Journal,
) -> Made:
    """Make a generation's file in the new folder `making` and check it; `at` is its moment, UTC."""
    file = making / f"{generation_id}.duckdb"
    journal.write(Phase.COPY, generation_id)
    making.mkdir()
    with working.copy_into(file) as copying:
        for node in intent.build.nodes:
            copying.copy(node.table)
        copying.copy_record()
    journal.write(Phase.ROLL_UP, generation_id)
    selects = {rollup.name: (rollup.relation, select) for _, rollup, select in intent.rollups}
    rows = make_rollups(file, generation_id, at, selects, memory_limit)
    journal.write(Phase.CHECK, generation_id)
    return Made(rows, _check(file, intent, rows, memory_limit), file.stat().st_size)


def seal(generations: Generations, generation_id: str, build: JudgedBuild) -> None:
    """Put the manifests and the lease beside the file, wait for the disk, and give the folder its own name."""
    making = generations.locate_making(generation_id)
    file = making / f"{generation_id}.duckdb"
    file.chmod(0o444)
    sync(file)
    write_durably(making / "semantic_manifest.json", build.record.semantic_manifest)
    write_durably(making / "manifest.json", build.dbt_manifest)
    write_durably(making / LEASE, "")
    sync(making)
    os.rename(making, generations.folder / generation_id)
    sync(generations.folder)


def _check(file: Path, intent: Intent, rows: Mapping[str, int], memory_limit: str) -> int:
    """Hold the new file against the build: rows, columns, and random answers; return how many answers."""
    warehouse = Warehouse.attach(file, DATABASE, memory_limit)
    try:
        check_counts(warehouse, intent.build)
        check_contract(warehouse, intent.build.manifest, intent.build.nodes)
        return _compare_answers(warehouse, intent, rows)
    finally:
        warehouse.close()


def _compare_answers(warehouse: Warehouse, intent: Intent, rows: Mapping[str, int]) -> int:
    compiled = Compiled(name_measures(intent.build.manifest), warehouse.date_columns())
    compared = 0
    for model, rollup, _ in intent.rollups:
        asked = 0
        asker = Asker(compiled, model, rollup, rows[rollup.name], intent.build.record.run_id)
        for question, rolled, base in asker.ask(warehouse):
            names = [metric.name for metric in rolled.metrics]
            difference = find_difference(warehouse, rolled.sql, base.sql, rolled.groups, names)
            if difference is not None:
                raise WarehouseError(
                    f"rollup '{rollup.name}' answers otherwise than its table '{model.name}'. Asked for "
                    f"{describe(question)}, a row is {json.dumps(difference, default=str)}. "
                    "Publish again; if it stays so, delete the rollup from config.meta and report the question."
                )
            asked += 1
        if not asked:
            raise DefinitionError(
                f"semantic model '{model.name}', rollup '{rollup.name}': no question over its measures can be read "
                "from it, so it would be of no use. Delete it, or give it measures that can be added up."
            )
        compared += asked
    return compared
