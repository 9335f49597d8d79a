"""The database of operational state: SQLite in WAL mode by default, Postgres by URL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from gnomon.core.errors import WarehouseError

_SCHEMA_VERSION = 1
_BUSY_SECONDS = 30

METADATA = sa.MetaData()
_version = sa.Table("schema_version", METADATA, sa.Column("version", sa.Integer, primary_key=True))
# Only the digest of a key's secret is kept: who reads this table can ask nothing.
api_keys = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("key_id", sa.String(16), primary_key=True),
    sa.Column("secret_digest", sa.String(64), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("role", sa.String(200), nullable=False),
    sa.Column("created_at", sa.DateTime, nullable=False),
    sa.Column("expires_at", sa.DateTime),
    sa.Column("revoked_at", sa.DateTime),
)
# Append-only: nothing here changes or deletes a row.
question_log = sa.Table(
    "question_log",
    METADATA,
    sa.Column("entry_id", sa.String(36), primary_key=True),
    sa.Column("asked_at", sa.DateTime, nullable=False, index=True),
    sa.Column("caller", sa.String(200), nullable=False),
    sa.Column("role", sa.String(200), nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("outcome", sa.String(40), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("data_version", sa.String(200)),
    sa.Column("definition_version", sa.String(64)),
    sa.Column("row_count", sa.Integer),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("rollups", sa.Text, nullable=False),
    sa.Column("is_cached", sa.Boolean, nullable=False),
)
# What was made on servers of Metabase; `parts` and `known` are JSON.
metabase_things = sa.Table(
    "metabase_things",
    METADATA,
    sa.Column("server", sa.String(300), primary_key=True),
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("key", sa.String(300), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("server_id", sa.Integer),
    sa.Column("entity_id", sa.String(40)),
    sa.Column("applied", sa.String(64)),
    sa.Column("answered", sa.String(64)),
    sa.Column("parts", sa.Text, nullable=False),
    sa.Column("known", sa.Text, nullable=False),
)


class StateDatabase:
    """One database of operational state, made where it is not there yet; safe to share between threads."""

    def __init__(self, engine: sa.Engine, shown: str, file: str | None = None) -> None:
        self.engine = engine
        self._shown = shown
        self._watching = sqlite3.connect(file, check_same_thread=False) if file else None

    @classmethod
    def open(cls, url: str) -> StateDatabase:
        """Open `url`, as in `sqlite:///state/gnomon.db` or `postgresql+psycopg://…`; WarehouseError if it cannot be."""
        try:
            parsed = sa.make_url(url)
            shown = parsed.render_as_string(hide_password=True)
            if parsed.get_backend_name() == "sqlite" and parsed.database:
                Path(parsed.database).absolute().parent.mkdir(parents=True, exist_ok=True)
            engine = sa.create_engine(parsed, pool_pre_ping=True)
        except (SQLAlchemyError, OSError, ImportError) as error:
            raise WarehouseError(f"GNOMON_STATE: {error}. Write sqlite:///PATH or postgresql+psycopg://…") from None
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _set_up_sqlite)
        file = parsed.database if engine.dialect.name == "sqlite" else None
        # What is in memory, or has the form of an address, cannot be watched from beside.
        opened = cls(engine, shown, None if not file or file.startswith((":memory:", "file:")) else file)
        opened._check_version()
        return opened

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction, which is committed if the block ends well."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            text = str(getattr(error, "orig", error)).splitlines()[0]
            raise WarehouseError(
                f"{self._shown}: {text}. GNOMON_STATE names the database of operational state."
            ) from None

    def find_version(self) -> object:
        """Return what is equal to what it was before if nobody has written anything since; it waits for nothing.

        In a file of SQLite that can be told. Elsewhere what is returned is never equal to what it was.
        """
        if self._watching is None:
            return object()
        with suppress(sqlite3.Error):
            return self._watching.execute("pragma data_version").fetchone()
        return object()

    def insert_new(self, table: sa.Table) -> sa.Insert:
        """Return the statement that adds rows and leaves alone those whose key is there."""
        insert = postgresql.insert if self.engine.dialect.name == "postgresql" else sqlite.insert
        return insert(table).on_conflict_do_nothing()

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()
        if self._watching is not None:
            self._watching.close()

    def _check_version(self) -> None:
        with self.begin() as connection:
            METADATA.create_all(connection)
            found = connection.execute(sa.select(sa.func.max(_version.c.version))).scalar()
            if found is None:
                connection.execute(_version.insert().values(version=_SCHEMA_VERSION))
            elif found != _SCHEMA_VERSION:
                raise WarehouseError(
                    f"{self._shown}: was written by another version of Gnomon (form {found}, this one knows "
                    f"{_SCHEMA_VERSION}). Use that version, or name another database in GNOMON_STATE."
                )


def _set_up_sqlite(connection: Any, _record: object) -> None:
    """Readers never wait for a writer, and a writer waits its turn."""
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode = wal")
    cursor.execute(f"pragma busy_timeout = {_BUSY_SECONDS * 1000}")
    cursor.execute("pragma synchronous = normal")
    cursor.close()
