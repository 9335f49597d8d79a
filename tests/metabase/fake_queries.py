"""How the fake turns the older form of a query into the newer one, as Metabase does since 0.57."""

from __future__ import annotations

import uuid
from typing import Any


def to_stages(query: dict[str, Any]) -> dict[str, Any]:
    """Return a query of MBQL 4 in MBQL 5."""
    if query["type"] == "native":
        native = query["native"]
        stage: dict[str, Any] = {"lib/type": "mbql.stage/native", "native": native["query"]}
        tags = native.get("template-tags") or {}
        if tags:
            stage["template-tags"] = {
                name: {**tag, "dimension": _clause(tag["dimension"])} if "dimension" in tag else tag
                for name, tag in tags.items()
            }
    else:
        inner = query["query"]
        stage = {"lib/type": "mbql.stage/mbql", "source-table": inner["source-table"]}
        if "filter" in inner:
            word, *rest = inner["filter"]
            stage["filters"] = [_clause(each) for each in (rest if word == "and" else [inner["filter"]])]
        for name in ("aggregation", "breakout"):
            if name in inner:
                stage[name] = [_clause(each) for each in inner[name]]
    return {"lib/type": "mbql/query", "lib.convert/converted?": True, "database": query["database"], "stages": [stage]}


def _clause(clause: Any) -> Any:
    if not isinstance(clause, list) or not clause or not isinstance(clause[0], str):
        return clause
    word, *rest = clause
    options = next((each for each in rest if isinstance(each, dict)), None) or {}
    if word == "case":
        pairs = [[_clause(test), _clause(value)] for test, value in rest[0]]
        return [word, {**options, "lib/uuid": str(uuid.uuid4())}, pairs]
    arguments = [_clause(each) for each in rest if not isinstance(each, dict) and each is not None]
    return [word, {**options, "lib/uuid": str(uuid.uuid4())}, *arguments]
