"""The plan's tree in the words of an engine other than DuckDB: exactly, or refused with what cannot be said.

A plan is built once, with DuckDB's meaning. Each writer here says every node that it knows so that the other
engine comes to the same values, and refuses all others: nothing is left to what two engines happen to share.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from gnomon.core.errors import QueryError, explain_unknown
from gnomon.planner.dialects.kinds import read_kind
from gnomon.planner.dialects.postgres import Postgres
from gnomon.planner.dialects.queries import Queries
from gnomon.planner.dialects.spark import Spark

DUCKDB = "duckdb"
_WRITERS: Mapping[str, type[Queries]] = {"postgres": Postgres, "spark": Spark}
DIALECTS = (DUCKDB, *_WRITERS)
Types = Mapping[tuple[str, str], str]


def write_in(dialect: str, query: exp.Query, types: Types) -> str:
    """Return the query's text in a dialect other than DuckDB's; QueryError says what cannot be said in it.

    `types` are DuckDB's types of columns, by relation in quotes and name in lower case.
    """
    kinds = {column: read_kind(written) for column, written in types.items()}
    try:
        return _WRITERS[dialect](kinds).write_whole(query)
    except RecursionError:
        raise QueryError(f"the plan is nested too deeply to be written for {dialect}. Use a shorter filter.") from None


def check_dialect(dialect: str) -> None:
    """Refuse a dialect that there is not; QueryError with the nearest ones."""
    if dialect not in DIALECTS:
        raise QueryError(explain_unknown("dialect", dialect, DIALECTS))
