"""A copy of some of the tables in another database: what is asked of it is answered by what it holds, or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlglot import exp

from gnomon.core.errors import QueryError

T = TypeVar("T")
ColumnKey = tuple[str, str]


@dataclass(frozen=True)
class Copy:
    """Tables of the warehouse as they stand, under the same names, in one schema of another engine's database."""

    dialect: str
    schema: str
    tables: frozenset[str]

    def find(self, relation: str) -> str | None:
        """Return what a table is called here, quoted; None if it is not here. Each is known by its last name."""
        name = relation.rpartition(".")[2]
        return f'"{self.schema}".{name}' if name.strip('"') in self.tables else None

    def move(self, columns: Mapping[ColumnKey, T]) -> dict[ColumnKey, T]:
        """Return what is known of columns, by relation and name, for the tables that are here."""
        found = {(self.find(relation), name): known for (relation, name), known in columns.items()}
        return {(relation, name): known for (relation, name), known in found.items() if relation is not None}


def check_tables(query: exp.Query, copy: Copy, why: Sequence[str]) -> None:
    """Refuse a plan that reads what the copy does not hold; QueryError gives the reasons of its rollups' misses."""
    for table in query.find_all(exp.Table):
        # A name without a schema is a query of the plan's own.
        if table.db and table.name not in copy.tables:
            reasons = [reason for reason in why if reason.startswith(f"{table.alias}: ")]
            told = (
                "; ".join(reasons) or f"{table.alias or table.name}: its rows are joined, and the copy has none of them"
            )
            raise QueryError(
                f"no rollup of the copy answers this: it would read '{table.name}', which the copy does not hold. "
                f"{told}. Ask for what a rollup holds, or add one to config.meta.rollups of the semantic model."
            )
