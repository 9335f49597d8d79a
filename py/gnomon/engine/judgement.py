"""What must be said of an answer: values that are missing and why, days that are not mature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from gnomon.core.errors import DefinitionError, QueryError, join_names
from gnomon.core.names import MetricName
from gnomon.engine.build_record import BuildRecord
from gnomon.engine.estimates import take_units
from gnomon.engine.result import Suppressed
from gnomon.planner import IS_SUPPRESSED, Plan
from gnomon.semantic.model import Manifest, Metric

if TYPE_CHECKING:
    import pyarrow as pa


def judge_values(
    manifest: Manifest, record: BuildRecord | None, chosen: Plan, rows: pa.Table
) -> tuple[pa.Table, dict[str, str]]:
    """Return the rows without the values that the source cannot give, and why values are missing, by metric."""
    import pyarrow as pa
    import pyarrow.compute as pc

    hides = chosen.hiding is not None
    table = rows.select([*chosen.groups, *(metric.name for metric in chosen.metrics), *([IS_SUPPRESSED] * hides)])
    # Of what is hidden nothing is told, not even whether it has units enough.
    shown = rows.filter(pc.invert(rows.column(IS_SUPPRESSED))) if hides else rows
    units = take_units(shown)
    hidden = describe_hidden(chosen, table)
    nulls: dict[str, str] = {}
    for metric in chosen.metrics:
        absent = find_absent_tables(manifest, record, metric) if record else ()
        if absent and record is not None:
            place = table.column_names.index(metric.name)
            table = table.set_column(place, metric.name, pa.nulls(table.num_rows, table.schema.field(place).type))
            nulls[metric.name] = explain_absent(record, absent)
            continue
        told = [explain_hidden(hidden, table.num_rows)] if hidden and hidden.rows else []
        floors = explain_floors(manifest, metric, shown, units)
        if told or floors:
            nulls[metric.name] = "; ".join([*told, *([floors] if floors else [])])
    return table, nulls


def describe_hidden(chosen: Plan, table: pa.Table) -> Suppressed | None:
    """Return how many rows of an answer are hidden; None if its asker sees small cells."""
    import pyarrow.compute as pc

    if chosen.hiding is None:
        return None
    smallest = chosen.hiding.smallest
    return Suppressed(pc.sum(table.column(IS_SUPPRESSED)).as_py() or 0, smallest.least, smallest.units)


def explain_hidden(suppressed: Suppressed, rows: int) -> str:
    """Return why values are hidden."""
    units = join_names(suppressed.units, "or")
    return (
        f"{suppressed.rows} of {rows} rows are hidden: they stand on fewer than {suppressed.least} of {units}, or "
        "would give such a row away"
    )


def find_absent_tables(manifest: Manifest, record: BuildRecord, metric: Metric) -> tuple[str, ...]:
    """Return the raw tables that the metric needs and the source does not have.

    A metric needs what its definition says, else all that its table is built from: a metric
    that says nothing is never answered from a table with a hole behind it.
    """
    missing: set[str] = set()
    for leaf in manifest.leaves_of(metric):
        assert leaf.measure is not None
        needs = leaf.documentation.needs
        if needs is None:
            table = manifest.model_of(leaf.measure.name).relation.rsplit(".", 1)[-1].strip('"')
            behind = record.raw_tables_behind(table)
            if behind is None:
                raise DefinitionError(
                    f"metric '{leaf.name}': the build does not say which raw tables '{table}' is made of, so a hole "
                    "in the source could not be seen. Name them in config.meta.needs."
                )
            needs = tuple(behind)
        missing.update(table for table in needs if table in record.absent)
    return tuple(sorted(missing))


def explain_absent(record: BuildRecord, tables: tuple[str, ...]) -> str:
    """Return the reason why a metric over absent tables has no value."""
    reasons = dict.fromkeys(record.absent[table] for table in tables)
    return f"the source has no {join_names(tables, 'and')}: {'; '.join(reasons)}"


def refuse_absent(manifest: Manifest, record: BuildRecord, metrics: tuple[Metric, ...]) -> None:
    """Refuse metrics over absent tables where SQL goes to another engine, which would give a number for nothing."""
    for metric in metrics:
        absent = find_absent_tables(manifest, record, metric)
        if absent:
            reason = explain_absent(record, absent)
            raise QueryError(f"metric '{metric.name}' is null, and SQL over a copy would not say so: {reason}.")


def explain_floors(
    manifest: Manifest, metric: Metric, table: pa.Table, units: Mapping[str, pa.ChunkedArray]
) -> str | None:
    """Return why values of the metric are null for want of units, its own or its inputs', if any are."""
    import pyarrow.compute as pc

    floor, counted = metric.documentation.minimum_units, metric.documentation.units
    if floor and counted is not None:
        short = pc.sum(pc.less(pc.fill_null(units[counted], 0), floor)).as_py() or 0
        return f"{short} of {table.num_rows} values stand on fewer than {floor} {counted}" if short else None
    empty = table.column(metric.name).null_count
    if empty and any(_has_floor(manifest, used.name) for used in metric.inputs):
        return f"{empty} of {table.num_rows} values have an input that is empty or stands on too few units"
    return None


def _has_floor(manifest: Manifest, name: MetricName) -> bool:
    metric = manifest.metrics[name]
    return metric.documentation.minimum_units > 0 or any(_has_floor(manifest, used.name) for used in metric.inputs)


def describe_build(record: BuildRecord, is_current: bool) -> Iterator[str]:
    """Yield what a reader must know of the build behind the answer."""
    if not record.is_passed:
        yield "the last build did not pass: some models or tests failed, so values may be stale or wrong"
    if not record.is_whole:
        yield "the last build was partial: tables outside its selection are from an earlier one"
    if not is_current:
        yield "the definitions asked with are not those that this file was built with"


def describe_metrics(metrics: tuple[Metric, ...], record: BuildRecord | None) -> Iterator[str]:
    """Yield, for the metrics of an answer, immature days and the metrics to read beside them."""
    asked = {metric.name for metric in metrics}
    for metric in metrics:
        days = metric.documentation.matures_after_days
        if days and record is not None:
            mature_until = metric.documentation.mature_until(record.as_of)
            yield f"{metric.name} matures after {days} days: what happened after {mature_until} can still change"
        if record is not None and any(used.offset for used in metric.inputs):
            yield (
                f"{metric.name} looks back in time: a period that ends after {record.as_of:%Y-%m-%d %H:%M} is not "
                "over, so a part is compared with a whole"
            )
        beside = [name for name in metric.documentation.always_with if name not in asked]
        if beside:
            yield f"{metric.name} is read beside {join_names(beside, 'and')}, never alone"
