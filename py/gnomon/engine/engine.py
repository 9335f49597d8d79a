"""The engine: plan, run, judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.core.errors import DefinitionError, QueryError, explain_unknown
from gnomon.core.names import MetricName
from gnomon.engine.estimates import bound_estimates, take_units
from gnomon.engine.judgement import (
    describe_build,
    describe_metrics,
    explain_absent,
    explain_floors,
    find_absent_tables,
)
from gnomon.engine.request import Moment, expand_saved, read_moment, read_words
from gnomon.engine.result import Provenance, Result
from gnomon.engine.served import Served
from gnomon.planner import Plan, Planner, Question
from gnomon.semantic import Manifest, parse_manifest, read_manifest
from gnomon.semantic.model import Metric
from gnomon.warehouse import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa


class Engine:
    """Answers metric queries over one manifest and one DuckDB file, exactly or not at all."""

    def __init__(
        self, manifest: Manifest, warehouse: Warehouse, served: Served | None = None, *, is_current: bool = True
    ) -> None:
        self.manifest = manifest
        rollups = served.count_rollups(manifest) if served else {}
        self._planner = Planner(manifest, rollups, dates=warehouse.date_columns())
        self._warehouse = warehouse
        self._served = served
        self._record = served.record if served else None
        self._is_current = is_current

    @classmethod
    def open(
        cls, project_dir: str | Path = ".", *, manifest: str | Path | None = None, working: bool = False
    ) -> Engine:
        """Serve a project's generation in service, with the definitions it was built with, until `close`.

        Where nothing has been published, or with `working`, it is the working file. `manifest` takes other
        definitions: a semantic_manifest.json or the folder that holds it, as `dbt parse` leaves it after an edit.
        WarehouseError if nothing has been built.
        """
        served = Served.open(Path(project_dir), working=working)
        try:
            built_with = parse_manifest(served.record.semantic_manifest, origin=str(served.warehouse.path))
            chosen = built_with if manifest is None else read_manifest(_locate_manifest(Path(manifest)))
            return cls(chosen, served.warehouse, served, is_current=chosen.version == built_with.version)
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
        where: Sequence[str] = (),
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

        `start` and `end` bound metric_time, both included. Times are of `time_zone`, else of UTC.
        Without metrics the values of the groups are listed, or the least and the greatest of one
        (`takes_extremes`). With `top`,
        so many groups stay, ranked by the first metric of `order_by` (else the first metric, the
        greatest first), and the others are one group, for which the column `is_other` is true.
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
        rows = self._warehouse.query(chosen.sql)
        units = take_units(rows)
        table, nulls = self._judge(chosen, rows.select([*chosen.groups, *(m.name for m in chosen.metrics)]), units)
        return Result(
            table=table,
            sql=chosen.sql,
            provenance=self._provenance(chosen, nulls),
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
        where: Sequence[str] = (),
        order_by: Sequence[str] = (),
        limit: int | None = None,
        start: Moment = None,
        end: Moment = None,
        saved_query: str | None = None,
        policy: str | None = None,
        takes_extremes: bool = False,
        top: int | None = None,
        time_zone: str | None = None,
    ) -> Plan:
        """Return how the same question would be answered: the SQL, the rollups, and why."""
        if policy is not None:
            raise QueryError("access policies are not there yet. Ask without one, as the file's owner.")
        question = Question(
            metrics=read_words("metrics", metrics),
            group_by=read_words("group by", group_by),
            where=read_words("where", where),
            order_by=read_words("order by", order_by),
            limit=limit,
            start=read_moment("start", start, time_zone),
            end=read_moment("end", end, time_zone, is_end=True),
            takes_extremes=takes_extremes,
            top=top,
            time_zone=time_zone,
        )
        return self._planner.plan(expand_saved(self.manifest, question, saved_query))

    def find_metric(self, name: str) -> Metric:
        """Return a metric's definition; QueryError with the nearest names if there is none."""
        metric = self.manifest.metrics.get(MetricName(name))
        if metric is None:
            raise QueryError(explain_unknown("metric", name, self.manifest.metrics))
        return metric

    def dimensions_of(self, name: str) -> list[str]:
        """Return the names that a metric can be grouped and filtered by."""
        metric = self.find_metric(name)
        reachable = [
            set(self._planner.compiled.reachable(self.manifest.model_of(leaf.measure.name)))
            for leaf in self.manifest.leaves_of(metric)
            if leaf.measure is not None
        ]
        return sorted(set.intersection(*reachable) - _own_outcomes(self.manifest, metric))

    def parents_of(self, name: str) -> list[str]:
        """Return the tables that a metric is aggregated from."""
        leaves = self.manifest.leaves_of(self.find_metric(name))
        return sorted({self.manifest.model_of(leaf.measure.name).relation for leaf in leaves if leaf.measure})

    def close(self) -> None:
        """Let go of the file, so that a build can write to it, or a generation be removed."""
        (self._served or self._warehouse).close()

    @property
    def generation_id(self) -> str | None:
        """The generation that answers; None if it is a working file, or a file of another project."""
        return self._served.generation_id if self._served else None

    def _judge(
        self, chosen: Plan, table: pa.Table, units: Mapping[str, pa.ChunkedArray]
    ) -> tuple[pa.Table, dict[str, str]]:
        """Empty the columns that the source cannot answer, and say why values are missing."""
        import pyarrow as pa

        nulls: dict[str, str] = {}
        for metric in chosen.metrics:
            place = table.column_names.index(metric.name)
            absent = find_absent_tables(self.manifest, self._record, metric) if self._record else ()
            if absent and self._record is not None:
                empty = pa.nulls(table.num_rows, table.schema.field(place).type)
                table = table.set_column(place, metric.name, empty)
                nulls[metric.name] = explain_absent(self._record, absent)
                continue
            reason = explain_floors(self.manifest, metric, table, units)
            if reason is not None:
                nulls[metric.name] = reason
        return table, nulls

    def _provenance(self, chosen: Plan, nulls: dict[str, str]) -> Provenance:
        record = self._record
        notes = list(describe_build(record, self._is_current)) if record else []
        if chosen.time_zone != "UTC":
            notes.append(f"times are those of {chosen.time_zone}")
        notes += describe_metrics(chosen.metrics, record)
        return Provenance(
            definition_version=self.manifest.version,
            data_version=self._served.data_version if self._served else None,
            generation=self.generation_id,
            raw_set_id=record.raw_set_id if record else None,
            as_of=record.as_of if record else None,
            nulls=nulls,
            notes=tuple(notes),
        )


def _own_outcomes(manifest: Manifest, metric: Metric) -> set[str]:
    """The dimensions that are the outcome of the metric or of one of its inputs."""
    inputs = (_own_outcomes(manifest, manifest.metrics[used.name]) for used in metric.inputs)
    return set(metric.documentation.never_by).union(*inputs)


def _locate_manifest(path: Path) -> Path:
    return path / "semantic_manifest.json" if path.is_dir() else path
