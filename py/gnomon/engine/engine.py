"""The engine: plan, run, judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.access import EVERYTHING, Policy, read_policies
from gnomon.core.errors import AccessError, DefinitionError, QueryError, explain_unknown
from gnomon.core.names import MetricName
from gnomon.engine.build_record import BuildRecord
from gnomon.engine.cache import AnswerCache, AnswerKey
from gnomon.engine.comparing import WrongRollups, find_wrong_rollups
from gnomon.engine.estimates import bound_estimates, take_units
from gnomon.engine.judgement import describe_build, describe_hidden, describe_metrics, judge_values, refuse_absent
from gnomon.engine.lineage import trace
from gnomon.engine.permission import check_policy, may_ask, may_name, restrict, sees
from gnomon.engine.request import Moment, expand_saved, read_moment, read_words
from gnomon.engine.result import Provenance, Result, Suppressed
from gnomon.engine.served import Served
from gnomon.engine.small_cells import hide_small_cells
from gnomon.planner import DUCKDB, Condition, Copy, Plan, Planner, Question, Recommendation, propose_rollups
from gnomon.planner.conditions import write_filters
from gnomon.semantic import Manifest, parse_manifest, read_manifest
from gnomon.semantic.model import Metric, SavedQuery
from gnomon.warehouse import Interruption, Warehouse

if TYPE_CHECKING:
    from gnomon.state import Counted


class Engine:
    """Answers metric queries over one manifest and one DuckDB file, exactly or not at all."""

    def __init__(
        self,
        manifest: Manifest,
        warehouse: Warehouse,
        served: Served | None = None,
        *,
        is_current: bool = True,
        policies: Mapping[str, Policy] = {EVERYTHING.name: EVERYTHING},
        cache: AnswerCache | None = None,
    ) -> None:
        self.manifest = manifest
        rollups = served.count_rollups(manifest) if served else {}
        self.withdrawn = served.read_withdrawn() if served else frozenset[str]()
        self._dates = warehouse.date_columns()
        self._planner = self._read_from(rollups)
        self._translators: dict[str | Copy, Planner] = {}
        self._warehouse = warehouse
        self._served = served
        self._record = served.record if served else None
        self._is_current = is_current
        self.policies = policies
        self._cache = cache
        self._checked: set[str] = set()

    @classmethod
    def open(
        cls,
        project_dir: str | Path = ".",
        *,
        manifest: str | Path | None = None,
        working: bool = False,
        generation: str | None = None,
        cache: AnswerCache | None = None,
    ) -> Engine:
        """Serve a project's generation in service, with the definitions it was built with, until `close`.

        `generation` is the id of another one that is kept. Where nothing has been published, or with `working`, it
        is the working file. `manifest` takes other definitions: a semantic_manifest.json or the folder that holds
        it, as `dbt parse` leaves it after an edit. WarehouseError if nothing has been built.
        """
        served = Served.open(Path(project_dir), working=working, generation=generation)
        try:
            built_with = parse_manifest(served.record.semantic_manifest, origin=str(served.warehouse.path))
            chosen = built_with if manifest is None else read_manifest(_locate_manifest(Path(manifest)))
            return cls(
                chosen,
                served.warehouse,
                served,
                is_current=chosen.version == built_with.version,
                policies=read_policies(Path(project_dir)),
                cache=cache,
            )
        except BaseException:
            served.close()
            raise

    @classmethod
    def from_manifest(cls, manifest_path: str | Path, database: str | Path) -> Engine:
        """Serve any dbt semantic_manifest.json on any DuckDB file that holds its tables."""
        manifest = read_manifest(_locate_manifest(Path(manifest_path)))
        names = manifest.databases
        if len(names) != 1:
            raise DefinitionError(
                f"{manifest_path}: its tables stand in {len(names)} databases "
                f"({', '.join(sorted(names)) or 'none'}); one file can serve one."
            )
        return cls(manifest, Warehouse.attach(Path(database), next(iter(names))))

    def query(
        self,
        metrics: Sequence[str] = (),
        group_by: Sequence[str] = (),
        where: Sequence[str | Condition] = (),
        order_by: Sequence[str] = (),
        limit: int | None = None,
        start: Moment = None,
        end: Moment = None,
        saved_query: str | None = None,
        policy: str | None = None,
        takes_extremes: bool = False,
        top: int | None = None,
        time_zone: str | None = None,
    ) -> Result:
        """Return the answer. Names, column order and filters are MetricFlow's.

        A filter is a text or a `Condition`. `start` and `end` bound metric_time, both included.
        Times are of `time_zone`, else of UTC. Without metrics the values of the groups are listed, or
        the least and the greatest of one (`takes_extremes`). With `top`, so many groups stay, ranked by
        the first metric of `order_by` (else the first metric, the greatest first), and the others are
        one group, for which the column `is_other` is true. `policy` is a role of access.yml: the answer
        is the one over the rows that it may see, and AccessError refuses what it may not ask.
        QueryError refuses what cannot be answered exactly; values that are missing for a reason
        say it in `Result.provenance`.
        """
        chosen = self.plan(
            metrics,
            group_by,
            where,
            order_by,
            limit,
            start,
            end,
            saved_query,
            policy,
            takes_extremes,
            top,
            time_zone,
        )
        return self.answer(chosen, policy)

    def answer(self, chosen: Plan, policy: str | None = None, interruption: Interruption | None = None) -> Result:
        """Return the answer that a plan gives, kept or made; `policy` is the one that it was planned under.

        StoppedError if the interruption stops it.
        """
        if self._cache is None:
            return self._make(chosen, policy, interruption)
        return self._cache.make(self.key_of(chosen, policy), lambda: self._make(chosen, policy, interruption))

    def key_of(self, chosen: Plan, policy: str | None = None) -> AnswerKey:
        """Return all that the answer of a plan hangs on."""
        return AnswerKey(
            definition_version=self.manifest.version,
            data_version=self.data_version,
            role=policy or EVERYTHING.name,
            sql=chosen.sql,
            metrics=tuple(metric.name for metric in chosen.metrics),
            rollups=chosen.rollups,
            hiding=chosen.hiding,
        )

    def _make(self, chosen: Plan, policy: str | None, interruption: Interruption | None) -> Result:
        try:
            rows = self._warehouse.query(chosen.sql, interruption)
        except QueryError:
            if policy is None or not self.find_policy(policy).is_partial:
                raise
            # The text could show a value of a row that is not there for the role.
            raise QueryError(
                f"the question does not fit the data. The reason is kept back from role '{policy}', since it could "
                "show what the role may not see."
            ) from None
        if chosen.hiding is not None:
            rows = hide_small_cells(rows, chosen.hiding, chosen.groups)
        table, nulls = judge_values(self.manifest, self._record, chosen, rows)
        units = take_units(rows)
        return Result(
            table=table,
            sql=chosen.sql,
            provenance=self._provenance(chosen, nulls, describe_hidden(chosen, table), policy),
            units={
                metric.name: units[counted]
                for metric in chosen.metrics
                if (counted := metric.documentation.units) is not None and counted in units
            },
            intervals=bound_estimates(rows, chosen),
            metrics=chosen.metrics,
        )

    def plan(
        self,
        metrics: Sequence[str] = (),
        group_by: Sequence[str] = (),
        where: Sequence[str | Condition] = (),
        order_by: Sequence[str] = (),
        limit: int | None = None,
        start: Moment = None,
        end: Moment = None,
        saved_query: str | None = None,
        policy: str | None = None,
        takes_extremes: bool = False,
        top: int | None = None,
        time_zone: str | None = None,
        dialect: str = DUCKDB,
        outer_filters: Sequence[str] = (),
        copy: Copy | None = None,
    ) -> Plan:
        """Return how the same question would be answered: the SQL, the rollups, and why.

        In another `dialect` it is for a copy of the same tables; with a `copy`, in its dialect, for one that holds
        some of them, and QueryError refuses what it cannot answer, or what only the engine would empty. `outer_filters`
        are dimensions, by each of which somebody else will put a filter into the SQL.
        """
        question = Question(
            metrics=read_words("metrics", metrics),
            group_by=read_words("group by", group_by),
            where=read_words("where", write_filters(self._planner.compiled, where)),
            order_by=read_words("order by", order_by),
            limit=limit,
            start=read_moment("start", start, time_zone),
            end=read_moment("end", end, time_zone, is_end=True),
            takes_extremes=takes_extremes,
            top=top,
            time_zone=time_zone,
            outer_filters=read_words("outer filters", outer_filters),
        )
        question = expand_saved(self.manifest, question, saved_query)
        if policy is not None:
            question = restrict(self._planner.compiled, question, self.find_policy(policy))
        chosen = self._planner_of(dialect if copy is None else copy).plan(question)
        if copy is not None and self._record is not None:
            refuse_absent(self.manifest, self._record, chosen.metrics)
        return chosen

    def check_rollups(self, chosen: Plan, interruption: Interruption | None = None) -> WrongRollups | None:
        """Hold what a plan reads from rollups against the tables; None if it is the same.

        StoppedError if the interruption stops it.
        """
        planner = self._planner
        return find_wrong_rollups(self._warehouse, planner.compiled, planner.rollups, chosen.question, interruption)

    def withdraw(self, rollups: Sequence[str], found_at: datetime) -> None:
        """Read these rollups no more, and let no other program of the project do so; OSError if that cannot be told."""
        self._withdraw(frozenset(rollups))
        if self._served is not None:
            self._served.write_withdrawn(rollups, found_at)

    def learn_withdrawn(self) -> None:
        """Read no more what another program has found wrong."""
        if self._served is not None and not (found := self._served.read_withdrawn()) <= self.withdrawn:
            self._withdraw(found)

    def _withdraw(self, rollups: frozenset[str]) -> None:
        self.withdrawn |= rollups
        # A planner of its own: one that is planning now may keep a plan that reads them.
        self._planner = self._read_from(self._planner.rollups)

    def find_waiting_build(self) -> BuildRecord | None:
        """Return a whole and green build of the working file that is newer than the generation, and not published."""
        return self._served.find_waiting_build() if self._served else None

    def _read_from(self, rollups: Mapping[str, int]) -> Planner:
        read = {name: rows for name, rows in rollups.items() if name not in self.withdrawn}
        return Planner(self.manifest, read, dates=self._dates)

    def recommend(self, log: str | Path | Sequence[Counted]) -> Recommendation:
        """Return the rollups that would serve a log of questions best: JSON lines, in the words of `query`.

        A line may say its `count` and its `seconds`. QueryError names the lines that say no question. Or it is the log
        of the API, as `gnomon.state.count_questions` reads it; then each question is over what its role may see.
        """
        from gnomon.engine.question_log import read_questions

        def count(sql: str) -> int:
            return int(self._warehouse.query(sql).column("rows")[0].as_py())

        compiled = self._planner.compiled
        return propose_rollups(compiled, read_questions(log, compiled, self.policies), count, self._planner.rollups)

    def _planner_of(self, target: str | Copy) -> Planner:
        if target == DUCKDB:
            return self._planner
        found = self._translators.get(target)
        if found is None:
            types = self._warehouse.column_types()
            if isinstance(target, Copy):
                found = Planner.of_copy(self.manifest, target, self._planner.rollups, self._dates, types)
            else:
                found = Planner(self.manifest, dates=self._dates, dialect=target, types=types)
            self._translators[target] = found
        return found

    def find_metric(self, name: str) -> Metric:
        """Return a metric's definition; QueryError with the nearest names if there is none."""
        metric = self.manifest.metrics.get(MetricName(name))
        if metric is None:
            raise QueryError(explain_unknown("metric", name, self.manifest.metrics))
        return metric

    def find_policy(self, role: str) -> Policy:
        """Return what a role may see; AccessError if access.yml has no such role, DefinitionError if that is wrong."""
        policy = self.policies.get(role)
        if policy is None:
            raise AccessError(explain_unknown("role", role, self.policies))
        if role not in self._checked:
            check_policy(self._planner.compiled, policy)
            self._checked.add(role)
        return policy

    def list_metrics(self, role: str) -> list[Metric]:
        """Return the metrics that a role may ask for, by name."""
        policy, compiled = self.find_policy(role), self._planner.compiled
        return [metric for name, metric in sorted(self.manifest.metrics.items()) if sees(compiled, policy, name)]

    def list_saved_queries(self, role: str) -> list[SavedQuery]:
        """Return the saved queries that a role may ask."""
        policy, compiled = self.find_policy(role), self._planner.compiled
        return [saved for saved in self.manifest.saved_queries.values() if may_ask(compiled, policy, saved)]

    def check_metric(self, name: str, role: str) -> Metric:
        """Return a metric's definition; QueryError if there is none, AccessError if it is not for the role."""
        metric = self.find_metric(name)
        restrict(self._planner.compiled, Question(metrics=(name,)), self.find_policy(role))
        return metric

    def trace(self, name: str) -> dict[str, list[str]]:
        """Return everything that a metric is made of, each name with what it is made of directly, down to the sources.

        Metrics and measures by their names, tables and sources as dbt's graph calls them.
        """
        return trace(self.manifest, self._record, self.find_metric(name))

    def dimensions_of(self, name: str, role: str = EVERYTHING.name) -> list[str]:
        """Return the names that a metric can be grouped and filtered by, by whom a role is allowed to."""
        metric = self.find_metric(name)
        policy, compiled = self.find_policy(role), self._planner.compiled
        reachable = [
            set(compiled.reachable(self.manifest.model_of(leaf.measure.name)))
            for leaf in self.manifest.leaves_of(metric)
            if leaf.measure is not None
        ]
        names = set.intersection(*reachable) - self.manifest.outcomes_of(metric)
        return sorted(name for name in names if may_name(compiled, policy, compiled.reference(name)))

    def parents_of(self, name: str) -> list[str]:
        """Return the tables that a metric is aggregated from."""
        leaves = self.manifest.leaves_of(self.find_metric(name))
        return sorted({self.manifest.model_of(leaf.measure.name).relation for leaf in leaves if leaf.measure})

    def close(self) -> None:
        """Let go of the file, so that a build can write to it, or a generation be removed."""
        (self._served or self._warehouse).close()

    @property
    def data_version(self) -> str:
        """What the rows are: the generation, else the build, else the file."""
        return self._served.data_version if self._served else str(self._warehouse.path)

    @property
    def as_of(self) -> datetime | None:
        """The build's clock (UTC); None for a file of another project."""
        return self._record.as_of if self._record else None

    @property
    def generation_id(self) -> str | None:
        """The generation that answers; None if it is a working file, or a file of another project."""
        return self._served.generation_id if self._served else None

    def _provenance(
        self, chosen: Plan, nulls: dict[str, str], suppressed: Suppressed | None, policy: str | None
    ) -> Provenance:
        record = self._record
        notes = list(describe_build(record, self._is_current)) if record else []
        if chosen.time_zone != "UTC":
            notes.append(f"times are those of {chosen.time_zone}")
        if policy is not None and self.find_policy(policy).row_filters:
            notes.append(f"of the rows that role '{policy}' may see")
        notes += describe_metrics(chosen.metrics, record)
        return Provenance(
            definition_version=self.manifest.version,
            data_version=self._served.data_version if self._served else None,
            generation=self.generation_id,
            rollups=chosen.rollups,
            raw_set_id=record.raw_set_id if record else None,
            as_of=record.as_of if record else None,
            nulls=nulls,
            notes=tuple(notes),
            suppressed=suppressed,
        )


def _locate_manifest(path: Path) -> Path:
    return path / "semantic_manifest.json" if path.is_dir() else path
