"""Every text that a role is refused with, and that a wrong access.yml is: tests/golden/access.txt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from gnomon.access import read_policies
from gnomon.core.errors import AccessError, DefinitionError, QueryError
from gnomon.engine import Engine
from gnomon.semantic import read_manifest
from gnomon.warehouse import Warehouse
from tests.golden.test_refusals import EXTRA_METRICS, EXTRA_MODELS
from tests.manifests import write_manifest
from tests.soundness import conftest as small

ROLES = """\
roles:
  narrow:
    why: It asks for one metric, and sees no post.
    metrics: [posts]
    hidden: [post]
  wrong:
    why: Nothing that it names is there.
    metrics: [psots]
    hidden: [creatr]
    rows: ["{{ Dimension('creator__teir') }} = 'gold'", "1 = (select 1)"]
    smallest_cell: {least: 10, of: [creatr]}
  careful:
    why: It sees nothing that stands on fewer than three creators.
    smallest_cell: {least: 3, of: [creator]}
"""
FILES = {
    "not a mapping": "- roles\n",
    "an unknown key": "roles:\n  a:\n    why: A sentence that is long enough.\n    metric: [posts]\n",
    "nothing said": "roles:\n  a: {}\n",
    "a wrong kind": "roles:\n  a:\n    why: A sentence that is long enough.\n    metrics: posts\n    per_minute: 0\n",
    "a smallest cell": "roles:\n  a:\n    why: A sentence that is long enough.\n"
    "    smallest_cell: {least: 1, of: [], by: x}\n",
    "the owner": "roles:\n  owner:\n    why: A sentence that is long enough.\n",
    "a key twice": "roles:\n  a:\n    why: A sentence that is long enough.\n    why: Another one that is, too.\n",
}


def test_every_refusal_of_a_role_reads_well(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    texts = []
    for name, text in FILES.items():
        (tmp_path / "access.yml").write_text(text)
        with pytest.raises(DefinitionError) as wrong:
            read_policies(tmp_path)
        texts.append(f"## access.yml: {name}\n{str(wrong.value).replace(str(tmp_path), 'FOLDER')}\n")
    (tmp_path / "access.yml").write_text(ROLES)
    with duckdb.connect(str(tmp_path / "small.duckdb")) as connection:
        connection.execute(small.WORLD)
    manifest = read_manifest(write_manifest(tmp_path / "m.json", EXTRA_MODELS, EXTRA_METRICS))
    warehouse = Warehouse.attach(tmp_path / "small.duckdb", "small")
    engine = Engine(manifest, warehouse, policies=read_policies(tmp_path))
    asked = {
        "a metric": {"metrics": ["views"], "policy": "narrow"},
        "a metric in a filter": {"metrics": ["posts"], "where": ["{{ Metric('views', group_by=['creator']) }} > 1"]},
        "a hidden attribute": {"metrics": ["posts"], "group_by": ["post"]},
        "a hidden attribute in a filter": {"metrics": ["posts"], "where": ["{{ Entity('post') }} = 'p1'"]},
        "no such role": {"metrics": ["posts"], "policy": "narow"},
        "a single row's value": {"metrics": ["most_views"], "policy": "careful"},
        "units that nobody knows": {"metrics": ["plays_by_hour"], "policy": "careful"},
        "a key that is one unit's": {"metrics": ["posts"], "group_by": ["post"], "policy": "careful"},
        "a filter by a metric": {
            "metrics": ["posts"],
            "where": ["{{ Metric('plays', group_by=['fan']) }} > 1"],
            "policy": "careful",
        },
        "a filter of two attributes": {
            "metrics": ["posts"],
            "where": ["{{ Dimension('creator__tier') }} = 'gold' or {{ Dimension('post__kind') }} = 'live'"],
            "policy": "careful",
        },
        "values of two attributes": {"group_by": ["creator__tier", "post__kind"], "policy": "careful"},
        "the least and the greatest": {"group_by": ["creator__tier"], "takes_extremes": True, "policy": "careful"},
        "sql for elsewhere": {"metrics": ["posts"], "outer_filters": ["creator__tier"], "policy": "careful"},
        "a role that is wrong": {"metrics": ["posts"], "policy": "wrong"},
    }
    for name, question in asked.items():
        ask = engine.plan if "outer_filters" in question else engine.query
        with pytest.raises((AccessError, DefinitionError, QueryError)) as refused:
            ask(**{"policy": "narrow", **question})  # type: ignore[operator]
        texts.append(f"## {name}\n{refused.value}\n")
    engine.close()
    golden("access.txt", "\n".join(texts))
