"""Rollups that would serve a log of questions: chosen one by one, each the one with the greatest benefit per row.

What a question reads of one table is a need, and the least rollup that holds it is a candidate; so is what two
candidates have in common. A candidate's benefit is the number of rows that the whole log no longer reads, given what
was chosen before it. Sizes are counted, not guessed, and whether a rollup holds a need is asked of `choose_rollups`,
which will choose among the rollups when they are there.
Source: Harinarayan, Rajaraman and Ullman, "Implementing data cubes efficiently" (SIGMOD 1996), benefit per unit space.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from sqlglot import exp

from gnomon.core.errors import QueryError
from gnomon.core.names import DimensionName, MeasureName, ModelName
from gnomon.planner.algebra import Column, Conversions, Part, Scan, list_parts
from gnomon.planner.choose_rollups import MissError, Reading, adds_up, choose_rollups, write_rollup
from gnomon.planner.compiled import Compiled
from gnomon.planner.draft import ANY_END, ANY_START, Draft
from gnomon.planner.plan import PASSES
from gnomon.planner.question import Question, check_question
from gnomon.planner.sql_parts import alias, select, subquery, table
from gnomon.semantic.grain import Grain
from gnomon.semantic.model import Rollup, SemanticModel

# What saves less than that of all rows read is not proposed.
_LEAST_GAIN = 0.01
_MOST_CANDIDATES = 100


@dataclass(frozen=True)
class Logged:
    """A question, how often it was asked, and the seconds that it took each time if they are known.

    One that is `refused` by now is told as such.
    """

    question: Question
    count: int = 1
    seconds: float | None = None
    refused: str | None = None


@dataclass(frozen=True)
class Proposal:
    """A rollup with its rows and its table's, how often the log would read it, and the rows not read instead.

    `seconds` are what the log would save if each row took the same time; None if it says no times.
    """

    model: ModelName
    rollup: Rollup
    rows: int
    table_rows: int
    reads: int
    rows_saved: int
    seconds: float | None


@dataclass(frozen=True)
class Unserved:
    """A question, or what it reads of one table, that no rollup can serve; why, and how often it was asked."""

    question: Question
    why: str
    count: int


@dataclass(frozen=True)
class Recommendation:
    """What is proposed, the rows that the log's questions read without it, and what no rollup can serve."""

    proposals: tuple[Proposal, ...]
    rows_read: int
    unserved: tuple[Unserved, ...]


@dataclass(frozen=True)
class _Need:
    """What plans read of one table, the least rollup that holds it, and how often it is read."""

    model: SemanticModel
    part: Part
    least: Rollup
    count: int
    seconds: float | None


def propose_rollups(
    compiled: Compiled, log: Sequence[Logged], count: Callable[[str], int], sizes: Mapping[str, int] = {}
) -> Recommendation:
    """Return the rollups to make.

    `count` runs a SELECT of one number, and `sizes` are the rows of the rollups that exist, by name.
    """
    needs: dict[ModelName, dict[Part, _Need]] = defaultdict(dict)
    unserved: dict[tuple[Question, str], int] = defaultdict(int)
    for logged in log:
        for found in _find_needs(compiled, logged):
            if isinstance(found, str):
                unserved[logged.question, found] += logged.count
                continue
            same = needs[found.model.name].get(found.part)
            needs[found.model.name][found.part] = found if same is None else _add(same, found)
    choices = [_Choice(compiled, tuple(each.values()), count, sizes) for each in needs.values()]
    rows_read = sum(choice.rows_read for choice in choices)
    proposals = [proposal for choice in choices for proposal in choice.propose(_LEAST_GAIN * rows_read)]
    proposals.sort(key=lambda each: (-each.rows_saved, each.model))
    often = sorted(unserved.items(), key=lambda each: -each[1])
    return Recommendation(
        tuple(_name(compiled, proposals)), rows_read, tuple(Unserved(*what, times) for what, times in often)
    )


def _find_needs(compiled: Compiled, logged: Logged) -> list[_Need | str]:
    """Return what a question reads of each table, or why no rollup can hold it."""
    question = logged.question
    if logged.refused is not None:
        return [f"refused: {logged.refused}"]
    # Questions of other days read the same.
    question = replace(question, start=question.start and ANY_START, end=question.end and ANY_END)
    draft = Draft(question)
    try:
        check_question(question)
        asked_in = compiled.in_zone(question.time_zone)
        for run in PASSES[: PASSES.index(choose_rollups)]:
            draft = run(asked_in, draft)
    except QueryError as refused:
        return [f"refused: {refused}"]
    parts = list(list_parts(draft.answer))
    share = None if logged.seconds is None else logged.seconds / max(len(parts), 1)
    found: list[_Need | str] = []
    for part in parts:
        source = part[0].source
        if isinstance(source, Conversions):
            found.append(f"{source.base.scan.alias}: conversions are paired row by row")
        elif isinstance(source, Scan) and not part[1]:
            found.append(f"{source.alias}: values are listed, not added up")
        elif isinstance(source, Scan):
            model = compiled.manifest.models[ModelName(source.alias)]
            try:
                found.append(_Need(model, part, _find_least(compiled, model, part), logged.count, share))
            except MissError as miss:
                found.append(f"{model.name}: {miss}")
    return found


def _add(one: _Need, other: _Need) -> _Need:
    """Return the need of both; the seconds are those of a read on average."""
    count = one.count + other.count
    if one.seconds is None or other.seconds is None:
        return replace(one, count=count, seconds=one.seconds if other.seconds is None else other.seconds)
    return replace(one, count=count, seconds=(one.seconds * one.count + other.seconds * other.count) / count)


class _Noting(Reading):
    """Reads nothing from a rollup, but notes which columns of its table a part of a plan asks for."""

    def __init__(self, model: SemanticModel, measures: tuple[MeasureName, ...]) -> None:
        self._model = model
        self._rollup = Rollup("", "", Grain.YEAR, (), measures)
        self.joins = ()
        self.noted: list[Column] = []

    def _exactly(self, column: Column) -> Column:
        return self._column(column)

    def _column(self, column: Column) -> Column:
        if column.table == self._model.name:
            self.noted.append(column)
        return column


def _find_least(compiled: Compiled, model: SemanticModel, part: Part) -> Rollup:
    """Return the coarsest rollup that holds a part of a plan; MissError if there is none."""
    measures = tuple(dict.fromkeys(MeasureName(value.measure) for value in part[1]))
    times = {model.measures[name].time_dimension for name in measures}
    if len(times) > 1:
        raise MissError("its measures are counted at different times")
    time = model.dimensions[times.pop()]
    noting = _Noting(model, measures)
    noting.move(*part)
    grain, words = Grain.YEAR, set[str]()
    for column in noting.noted:
        if column.expr == time.expr:
            grain = _meet(grain, _find_period(column) or time.grain or Grain.DAY)
        else:
            words.add(_find_word(compiled, model, column))
    least = Rollup("", "", grain, tuple(sorted(words)), tuple(sorted(measures)))
    Reading(compiled, model, least).move(*part)
    return least


def _find_period(column: Column) -> Grain | None:
    return column.grain if column.part is None else column.part.coarsest_grain


def _find_word(compiled: Compiled, model: SemanticModel, column: Column) -> str:
    """Return the shortest name by which a rollup can have a column; MissError if it is none of the model's names."""
    names = [
        name if found.grain is None else f"{name}__{(_find_period(column) or found.grain).value}"
        for name, (found, *others) in compiled.closure(model).items()
        if found.expr == column.expr and not found.hops and not others
    ]
    if not names:
        raise MissError(f"'{column.expr}' is neither a dimension nor an entity of it, so no rollup can have it")
    return min(names, key=lambda name: (len(name), name))


def _meet(one: Grain, other: Grain) -> Grain:
    """Return the coarsest grain whose periods make whole periods of both; weeks and months are made of days."""
    return one if adds_up(one, other) else other if adds_up(other, one) else Grain.DAY


def _join(one: Rollup, other: Rollup) -> Rollup:
    """Return the rollup that holds what two of them hold."""
    dimensions = tuple(sorted({*one.dimensions, *other.dimensions}))
    return replace(one, grain=_meet(one.grain, other.grain), dimensions=dimensions)


class _Choice:
    """Chooses the rollups of one table."""

    def __init__(
        self, compiled: Compiled, needs: tuple[_Need, ...], count: Callable[[str], int], sizes: Mapping[str, int]
    ) -> None:
        self._compiled = compiled
        self._needs = needs
        self._count = count
        self._model = needs[0].model
        rows = select([alias(exp.Count(this=exp.Star()), "rows")], table(self._model.relation, "counted"))
        self._table_rows = count(rows.sql(dialect="duckdb"))
        made = [(rollup, sizes[rollup.name]) for rollup in self._model.rollups if rollup.name in sizes]
        # What each need reads now.
        self._reads = [
            min([size for rollup, size in made if self._holds(rollup, need)], default=self._table_rows)
            for need in needs
        ]

    @property
    def rows_read(self) -> int:
        """The rows that all needs read now."""
        return self._add_up(self._reads)

    def propose(self, least_gain: float) -> Iterator[Proposal]:
        """Yield the rollups that save at least so many rows each."""
        candidates = {rollup: self._count_rows(rollup) for rollup in self._list_candidates()}
        held = {rollup: {place for place, need in enumerate(self._needs) if self._holds(rollup, need)}
                for rollup in candidates}  # fmt: skip

        def read(chosen: Sequence[Rollup]) -> list[int]:
            return [
                min([now, *(candidates[each] for each in chosen if place in held[each])])
                for place, now in enumerate(self._reads)
            ]

        chosen: list[Rollup] = []
        while len(chosen) < len(candidates):
            now = self._add_up(read(chosen))
            gains = {each: now - self._add_up(read([*chosen, each])) for each in candidates if each not in chosen}
            worth = {each: gain for each, gain in gains.items() if gain >= max(least_gain, 1)}
            if not worth:
                break
            chosen.append(max(worth, key=lambda each: worth[each] / max(candidates[each], 1)))
        for each in tuple(chosen):
            # What was chosen later may have made it needless.
            others = [other for other in chosen if other is not each]
            if self._add_up(read(others)) - self._add_up(read(chosen)) < least_gain:
                chosen = others
        after = read(chosen)
        for rollup in chosen:
            served = [
                place for place, rows in enumerate(after)
                if place in held[rollup] and rows == candidates[rollup] < self._reads[place]
            ]  # fmt: skip
            yield self._describe(rollup, candidates[rollup], served)

    def _describe(self, rollup: Rollup, rows: int, served: list[int]) -> Proposal:
        timed = [place for place in served if self._needs[place].seconds is not None]
        seconds = sum(
            self._needs[place].count * (self._needs[place].seconds or 0) * (1 - rows / self._reads[place])
            for place in timed
        )
        return Proposal(
            model=self._model.name,
            rollup=rollup,
            rows=rows,
            table_rows=self._table_rows,
            reads=sum(self._needs[place].count for place in served),
            rows_saved=sum(self._needs[place].count * (self._reads[place] - rows) for place in served),
            seconds=seconds if timed else None,
        )

    def _list_candidates(self) -> Iterator[Rollup]:
        """Yield the least rollups, the most read ones first, and what two of them have in common."""
        by_time: dict[DimensionName, dict[Rollup, int]] = defaultdict(lambda: defaultdict(int))
        for need in self._needs:
            time = self._model.measures[need.least.measures[0]].time_dimension
            by_time[time][replace(need.least, measures=())] += need.count
        for time, found in by_time.items():
            often = sorted(found, key=lambda each: (-found[each], each.grain.value, each.dimensions))
            pairs = (_join(one, other) for one, other in combinations(often, 2))
            for each in list(dict.fromkeys((*often, *pairs)))[:_MOST_CANDIDATES]:
                yield replace(each, measures=self._list_measures(time, each))

    def _list_measures(self, time: DimensionName, rollup: Rollup) -> tuple[MeasureName, ...]:
        """Return the measures of all needs that the rollup's columns hold."""
        found: set[MeasureName] = set()
        for need in self._needs:
            is_of_time = self._model.measures[need.least.measures[0]].time_dimension == time
            if (
                is_of_time
                and {*need.least.dimensions} <= {*rollup.dimensions}
                and adds_up(rollup.grain, need.least.grain)
            ):
                found.update(need.least.measures)
        return tuple(sorted(found))

    def _holds(self, rollup: Rollup, need: _Need) -> bool:
        try:
            Reading(self._compiled, self._model, rollup).move(*need.part)
        except MissError:
            return False
        return True

    def _count_rows(self, rollup: Rollup) -> int:
        made = write_rollup(self._compiled, self._model, rollup)
        rows = select([alias(exp.Count(this=exp.Star()), "rows")], subquery(made, "counted"))
        return self._count(rows.sql(dialect="duckdb"))

    def _add_up(self, reads: Sequence[int]) -> int:
        return sum(need.count * rows for need, rows in zip(self._needs, reads, strict=True))


def _name(compiled: Compiled, proposals: Sequence[Proposal]) -> Iterator[Proposal]:
    """Yield the proposals under names that no rollup has yet."""
    taken = {rollup.name for model in compiled.manifest.models.values() for rollup in model.rollups}
    for proposal in proposals:
        name = base = f"{proposal.model}_by_{proposal.rollup.grain.value}"
        number = 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        yield replace(proposal, rollup=replace(proposal.rollup, name=name))
