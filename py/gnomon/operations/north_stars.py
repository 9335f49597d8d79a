"""The North Star metrics of the newest week, asked of the engine like by anyone else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from gnomon.core.errors import QueryError
from gnomon.core.names import MetricName
from gnomon.engine import Engine

NORTH_STARS = ("low_quality_content_rate", "creator_violation_rate", "ecosystem_health_index")
_WEEK = "metric_time__week"


@dataclass(frozen=True)
class NorthStar:
    """One metric of one week, with a 95 % interval where it is an estimate; without a value, `reason` says why."""

    metric: str
    unit: str
    week: date | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


def read_north_stars(project_dir: Path, *, working: bool = False) -> tuple[NorthStar, ...]:
    """Return each North Star of the newest week that it has; one that is refused has the engine's reason.

    They are those in service, or those of the working file if `working`.
    """
    engine = Engine.open(project_dir, working=working)
    try:
        return tuple(_read(engine, name) for name in NORTH_STARS if name in engine.manifest.metrics)
    finally:
        engine.close()


def _read(engine: Engine, name: str) -> NorthStar:
    unit = engine.manifest.metrics[MetricName(name)].documentation.unit
    try:
        result = engine.query([name], [_WEEK], order_by=[f"-{_WEEK}"], limit=1)
    except QueryError as error:
        return NorthStar(name, unit, reason=str(error))
    rows = result.to_arrow().to_pylist()
    if not rows:
        return NorthStar(name, unit, reason="no week has a value")
    week, value = rows[0][_WEEK], rows[0][name]
    interval = result.intervals.get(name, (None,))[0]
    return NorthStar(
        metric=name,
        unit=unit,
        week=date(week.year, week.month, week.day),
        value=None if value is None else float(value),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        reason=result.provenance.nulls.get(name) if value is None else None,
    )
