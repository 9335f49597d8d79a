"""A Postgres that somebody else runs: one connection, statements in order, tables streamed in, answers as Arrow.

The driver is asyncpg, as its COPY takes FREEZE: rows that every snapshot sees, however old. It runs in a thread of
its own, so that it can be called from programs that have an event loop, too.
"""

from __future__ import annotations

import asyncio
import io
import re
import threading
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from gnomon.core.errors import WarehouseError

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
_CONNECT_SECONDS = 20
_FETCHED_ROWS = 10_000
_SETTINGS = {
    "application_name": "gnomon",
    # What is named without a schema is Postgres's own, whatever else the database holds.
    "search_path": "pg_catalog",
    "timezone": "UTC",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
LOCK_NOT_AVAILABLE, DEPENDENT_OBJECTS = "55P03", "2BP01"
_FORM = "Write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with / # ? @ : % in a password as %2F %23 %3F %40 %3A %25."


class PostgresError(WarehouseError):
    """What the server, or the way to it, refused; `sqlstate` is Postgres's code of it, if it said one."""

    def __init__(self, text: str, sqlstate: str = "", detail: str = "") -> None:
        super().__init__(text)
        self.sqlstate = sqlstate
        self.detail = detail


@dataclass(frozen=True)
class PostgresAddress:
    """Where a Postgres is and who asks there. As a text it has no password, and nothing that could be one."""

    url: str = field(repr=False)
    shown: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def read(cls, text: str) -> PostgresAddress:
        """Return the address that a URL says; WarehouseError, without the text, if it says none."""
        try:
            parts = urlsplit(text)
            # Its port is a number, or an unquoted password was taken for a part of the host.
            _ = parts.port
        except ValueError:
            raise WarehouseError(f"the address of Postgres cannot be read. {_FORM}") from None
        is_whole = not parts.fragment and not re.search(r"[/@:]", parts.path[1:]) and "@" not in parts.query
        if parts.scheme not in ("postgres", "postgresql") or not is_whole:
            raise WarehouseError(f"the address of Postgres cannot be read. {_FORM}")
        passwords = [parts.password or "", *parse_qs(parts.query).get("password", ())]
        secrets = {form for each in passwords for form in (each, unquote(each)) if form}
        return cls(text, _show(parts), tuple(sorted(secrets, key=len, reverse=True)))

    def __str__(self) -> str:
        return self.shown

    def hide(self, text: str) -> str:
        """Return what a server or a driver said, without the password."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


class PostgresSession:
    """One connection. All errors are PostgresError, and say the server but no password."""

    def __init__(self, connection: Any, loop: asyncio.AbstractEventLoop, address: PostgresAddress) -> None:
        self._connection = connection
        self._loop = loop
        self.address = address

    @classmethod
    @contextmanager
    def open(cls, address: PostgresAddress) -> Iterator[PostgresSession]:
        """Connect for the block; what the block left undone is rolled back by the server."""
        asyncpg = _import_driver()
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="gnomon-postgres", daemon=True)
        thread.start()
        try:
            connecting = asyncpg.connect(
                address.url, server_settings=_SETTINGS, timeout=_CONNECT_SECONDS, statement_cache_size=0
            )
            session = cls(_wait(connecting, loop, address), loop, address)
            try:
                yield session
            finally:
                loop.call_soon_threadsafe(session._connection.terminate)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    def execute(self, sql: str) -> None:
        """Run statements."""
        self._wait(self._connection.execute(sql))

    def fetch(self, sql: str, *values: object) -> list[Mapping[str, Any]]:
        """Return the rows of a query, values bound as $1, $2, …"""
        return list(self._wait(self._connection.fetch(sql, *values)))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block does, or nothing of it."""
        transaction = self._connection.transaction()
        self._wait(transaction.start())
        try:
            yield
        except BaseException:
            # The error that ended the block is the one to be told.
            with suppress(WarehouseError):
                self._wait(transaction.rollback())
            raise
        self._wait(transaction.commit())

    def load(self, schema: str, table: str, batches: Iterable[pa.RecordBatch]) -> None:
        """Put rows into a table that this very transaction made, seen at once by every snapshot, however old.

        One batch is in memory at a time. Columns come in the table's order.
        """

        async def write() -> AsyncIterator[bytes]:
            for batch in batches:
                yield _write_csv(batch)

        copying = self._connection.copy_to_table(table, schema_name=schema, source=write(), format="csv", freeze=True)
        self._wait(copying)

    def read(self, sql: str) -> pa.Table:
        """Return the answer of one SELECT, which can change nothing."""
        return self._wait(self._read(sql))

    async def _read(self, sql: str) -> pa.Table:
        import pyarrow as pa

        async with self._connection.transaction(readonly=True):
            statement = await self._connection.prepare(sql)
            attributes = statement.get_attributes()
            cursor = await statement.cursor()
            tables = [_make_table(attributes, [])]
            while rows := await cursor.fetch(_FETCHED_ROWS):
                tables.append(_make_table(attributes, rows))
        # Numbers without a stated precision have that of their values, batch by batch.
        return pa.concat_tables(tables, promote_options="permissive")

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return _wait(coroutine, self._loop, self.address)


def _wait(coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop, address: PostgresAddress) -> T:
    asyncpg = _import_driver()

    async def run() -> T:
        # What asyncpg gives can be awaited and need not be a coroutine.
        return await coroutine

    try:
        return asyncio.run_coroutine_threadsafe(run(), loop).result()
    except asyncpg.PostgresError as error:
        told, detail = address.hide(_first_line(error)), error.detail or ""
        raise PostgresError(f"{address}: {told}.", error.sqlstate or "", detail) from None
    except (asyncpg.InterfaceError, OSError, TimeoutError) as error:
        told = "it did not answer in time" if isinstance(error, TimeoutError) else _first_line(error)
        raise PostgresError(f"{address}: cannot be reached, or no longer: {address.hide(told)}.") from None


def _import_driver() -> Any:
    try:
        import asyncpg
    except ImportError:
        raise WarehouseError(
            "the driver of Postgres is not installed: `pip install 'gnomon[postgres]'` installs it."
        ) from None
    return asyncpg


def _show(parts: SplitResult) -> str:
    """Return an address as it is told: who, where and which database, without what stands behind them."""
    where = f"{parts.hostname or 'localhost'}{f':{parts.port}' if parts.port else ''}"
    return f"postgres://{f'{parts.username}@' if parts.username else ''}{where}{parts.path}"


def _write_csv(batch: pa.RecordBatch) -> bytes:
    """Return rows as CSV: texts stand in quotes, so that an empty one is no null."""
    from pyarrow import csv

    buffer = io.BytesIO()
    csv.write_csv(batch, buffer, csv.WriteOptions(include_header=False))
    return buffer.getvalue()


def _make_table(attributes: Sequence[Any], rows: Sequence[Any]) -> pa.Table:
    import pyarrow as pa

    types = {
        "bool": pa.bool_(), "int2": pa.int16(), "int4": pa.int32(), "int8": pa.int64(), "float4": pa.float32(),
        "float8": pa.float64(), "date": pa.date32(), "time": pa.time64("us"), "timestamp": pa.timestamp("us"),
        "timestamptz": pa.timestamp("us", "UTC"),
    }  # fmt: skip
    columns = {}
    for place, attribute in enumerate(attributes):
        kind, values = attribute.type.name, [row[place] for row in rows]
        if kind == "numeric":
            is_empty = all(value is None for value in values)
            columns[attribute.name] = pa.array(values, pa.decimal128(1, 0) if is_empty else None)
        elif kind in types:
            columns[attribute.name] = pa.array(values, types[kind])
        else:
            columns[attribute.name] = pa.array([None if value is None else str(value) for value in values], pa.string())
    return pa.table(columns)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(". ")
