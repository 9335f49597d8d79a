"""Where a copy is, as files for other people may say it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from gnomon.core.errors import QueryError
from gnomon.warehouse.postgres import PostgresAddress

_DEFAULT_PORT = 5432


@dataclass(frozen=True)
class Place:
    """Where the copy is, without who asks there."""

    host: str
    port: int
    database: str

    @classmethod
    def read(cls, address: PostgresAddress) -> Place:
        """Return where an address leads, without a user or a password; QueryError if it says no host or database."""
        parts = urlsplit(address.url)
        database = unquote(parts.path.removeprefix("/"))
        if not parts.hostname or not database:
            raise QueryError(f"{address}: names no host or no database. Write postgres://HOST:PORT/DATABASE.")
        return cls(unquote(parts.hostname), parts.port or _DEFAULT_PORT, database)
