"""The metrics as a list, and one metric's whole definition, for people and as JSON."""

from __future__ import annotations

import json
from typing import Any

from gnomon.engine import Engine
from gnomon.semantic.model import Metric
from gnomon.serve.rendering import align


def render_list(engine: Engine) -> str:
    """Return all metrics, a line each: name, unit, certification, owner."""
    metrics = sorted(engine.manifest.metrics.values(), key=lambda metric: metric.name)
    return align(
        [
            ("metric", [metric.name for metric in metrics], False),
            ("unit", [metric.documentation.unit for metric in metrics], False),
            ("status", [metric.documentation.certification or "-" for metric in metrics], False),
            ("owner", [metric.documentation.owner or "-" for metric in metrics], False),
        ]
    )


def render_metric(engine: Engine, name: str) -> str:
    """Return one metric's definition, a fact a line."""
    facts = describe_metric(engine, name)
    lines = [str(facts["metric"]), "", str(facts["description"]), ""]
    for title, value in facts.items():
        if title in ("metric", "description") or value in (None, [], ""):
            continue
        text = ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)
        lines.append(f"{title.replace('_', ' '):<20}{text}")
    return "\n".join(lines)


def render_json(engine: Engine, name: str | None) -> str:
    """Return one metric's definition, or all of them, as JSON."""
    names = [name] if name else sorted(engine.manifest.metrics)
    described = [describe_metric(engine, each) for each in names]
    return json.dumps(described[0] if name else described, indent=2)


def describe_metric(engine: Engine, name: str) -> dict[str, Any]:
    """Return the facts of one metric; QueryError with the nearest names if there is none."""
    metric = engine.find_metric(name)
    documentation = metric.documentation
    return {
        "metric": metric.name,
        "description": " ".join(metric.description.split()),
        "kind": metric.kind.value,
        "made_of": _list_parts(metric),
        "filters": list(metric.filters),
        "owner": documentation.owner,
        "unit": documentation.unit,
        "direction": documentation.direction,
        "target": documentation.target,
        "certification": documentation.certification,
        "matures_after_days": documentation.matures_after_days,
        "units_counted_by": documentation.units,
        "minimum_units": documentation.minimum_units or None,
        "read_beside": list(documentation.always_with),
        "missing": list(documentation.missing_inputs),
        "parents": engine.parents_of(metric.name),
        "dimensions": engine.dimensions_of(metric.name),
    }


def _list_parts(metric: Metric) -> list[str]:
    if metric.measure is not None:
        return [f"measure {metric.measure.name}"]
    parts = [used.name if used.alias is None else f"{used.name} as {used.alias}" for used in metric.inputs]
    return parts + ([f"expr {' '.join(metric.expr.split())}"] if metric.expr else [])
