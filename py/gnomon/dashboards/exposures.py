"""dbt's exposures, written from what reads the marts: the semantic layer, and each dashboard by its metrics.

The file is made by one command and never by hand, so that dbt's graph ends where the project does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from gnomon.dashboards.model import Dashboard
from gnomon.semantic import Manifest

FILE = Path("models/marts/exposures.yml")
_HEAD = "# Written by `gnomon dashboards exposures` from metrics/ and dashboards/; a test holds it against them.\n"
_LAYER = (
    "Analysts ask metrics here, from a shell, from Python or from another tool. Its models read these marts and "
    "nothing below them."
)


def write_exposures(manifest: Manifest, dashboards: Sequence[Dashboard]) -> str:
    """Return the text of models/marts/exposures.yml."""
    import yaml

    exposures = [_write_layer(manifest), *(_write_dashboard(each) for each in dashboards)]
    body = yaml.safe_dump({"exposures": exposures}, sort_keys=False, allow_unicode=True, width=100)
    return f"{_HEAD}{body}"


def _write_layer(manifest: Manifest) -> dict[str, object]:
    relations = {model.relation for model in manifest.models.values()} | {each.relation for each in manifest.spines}
    tables = sorted(relation.rsplit(".", 1)[-1].strip('"') for relation in relations)
    return {
        "name": "semantic_layer",
        "label": "The semantic layer",
        "type": "application",
        "maturity": "medium",
        "description": _LAYER,
        "owner": {"name": "Metrics", "email": "metrics@example.com"},
        "depends_on": _refer("ref", tables),
    }


def _write_dashboard(dashboard: Dashboard) -> dict[str, object]:
    return {
        "name": f"dashboard_{dashboard.name}",
        "label": dashboard.title,
        "type": "dashboard",
        "maturity": "high" if dashboard.is_official else "low",
        "description": dashboard.why,
        "owner": {"name": dashboard.owner.name, "email": dashboard.owner.email},
        "depends_on": _refer("metric", dashboard.metrics),
    }


def _refer(kind: str, names: Iterable[str]) -> list[str]:
    return [f"{kind}('{name}')" for name in names]
