"""Questions asked through saved queries: a part is saved, the rest is said when asking."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from tests.differential.metrics import where
from tests.differential.models import Json
from tests.differential.questions import Asked


def split_question(asked: Asked, name: str, rng: random.Random) -> tuple[Json, Asked]:
    """Return a saved query, and what is asked of it so that both together are the question.

    Filters of both count; an order or a limit said when asking replaces the saved one.
    """
    kept = rng.randrange(len(asked.where) + 1)
    order, limit, said_order, said_limit = asked.order_by, asked.limit, asked.order_by, asked.limit
    if rng.random() < 0.5:
        said_order = ()
    elif order:
        order = () if rng.random() < 0.5 else order[::-1]
    if rng.random() < 0.5:
        said_limit = None
    elif limit is not None:
        limit = None if rng.random() < 0.5 else limit + 3
    params: Json = {
        "metrics": list(asked.metrics),
        "group_by": list(asked.group_by),
        "where": where(*asked.where[:kept]) if kept else None,
        "order_by": _unsign(order),
        "limit": limit,
    }
    rest = replace(
        asked,
        metrics=(),
        group_by=(),
        where=asked.where[kept:],
        order_by=said_order,
        limit=said_limit,
        saved_query=name,
        features=asked.features | {"saved_query"},
    )
    return {"name": name, "query_params": params}, rest


def _unsign(order_by: Sequence[str]) -> list[str]:
    return [f"{key[1:]}.descending(True)" if key.startswith("-") else key for key in order_by]
