"""The copies in a database, each a schema of its own: which one readers read, which are kept, and how one takes over.

    gnomon              the copy in service, always under this name
    gnomon_g0007-…      one that is kept, was withdrawn, or never came into service

All that is known of a copy stands in its own stamp, and goes with it. A schema without our stamp is somebody else's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from gnomon.core.errors import WarehouseError
from gnomon.publish.serving_copy.contents import SCHEMA, STAMP, Part
from gnomon.publish.serving_copy.statements import name_relation, write, write_moment
from gnomon.warehouse.postgres import DEPENDENT_OBJECTS, LOCK_NOT_AVAILABLE, PostgresError, PostgresSession

READER = "gnomon_reader"
TABLES = "gnomon_tables"
# Tries to take over from readers, one in a second.
TRIES = 60
OLDEST, _ENCODING = 170_000, "UTF8"
_LOCK = (0x676E6F6D, 1)
_LOCK_MS = 5_000
_MOST_WAITING_MS, _PAUSE_SECONDS = 400, 0.6
_CANCELED, _EXISTS, _FORBIDDEN = "57014", "42710", "42501"
_SCHEMAS = """
    select nspname as schema, exists (
        select from pg_class where relnamespace = pg_namespace.oid and relname = $1 and relkind = 'r'
    ) as is_stamped
    from pg_namespace
    where nspname = $2 or nspname ~ ('^' || $2 || '_g[0-9]{4,}-[0-9]{8}T[0-9]{6}-[0-9a-f]+$')
    order by nspname desc
"""
_SIZE = """
    select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint as size from pg_class
    where relkind = 'r' and relnamespace = (select oid from pg_namespace where nspname = $1)
"""
_HOLDER = "select pid from pg_locks where locktype = 'advisory' and classid = $1 and objid = $2 and granted"
_READERS = """
    select distinct pid, application_name from pg_locks join pg_stat_activity using (pid)
    where granted and pid <> pg_backend_pid() and relation in (
        select oid from pg_class where relnamespace = (select oid from pg_namespace where nspname = $1)
    )
    order by pid
"""
# Views know their tables by what they are, not by name.
_BOUND = """
    select distinct format('%I.%I', views.relnamespace::regnamespace, views.relname) as name
    from pg_depend
    join pg_rewrite on pg_rewrite.oid = pg_depend.objid and pg_depend.classid = 'pg_rewrite'::regclass
    join pg_class as views on views.oid = pg_rewrite.ev_class
    join pg_class as tables on tables.oid = pg_depend.refobjid and tables.relkind in ('r', 'v')
    where tables.relnamespace = (select oid from pg_namespace where nspname = $1)
        and views.relnamespace <> tables.relnamespace
    order by name
"""


@dataclass(frozen=True)
class StoredCopy:
    """A copy in the database and its stamp. Times are UTC; `served_at` is when it last came into service."""

    schema: str
    generation_id: str
    data_version: str
    run_id: str
    raw_set_id: str
    definition_version: str
    as_of_at: datetime
    published_at: datetime
    copied_at: datetime
    served_at: datetime | None
    withdrawn_at: datetime | None

    @property
    def state(self) -> str:
        """Return serving, kept, withdrawn, or unused if it never came into service."""
        if self.schema == SCHEMA:
            return "serving"
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "unused" if self.served_at is None else "kept"


def check_server(session: PostgresSession) -> None:
    """WarehouseError if the server is not one that the planner's SQL is written for."""
    (row,) = session.fetch(
        "select current_setting('server_version_num')::int as number, current_setting('server_version') as version, "
        "current_setting('server_encoding') as encoding"
    )
    if row["number"] < OLDEST or row["encoding"] != _ENCODING:
        raise WarehouseError(
            f"{session.address}: is Postgres {row['version']} in {row['encoding']}. The planner's SQL needs Postgres "
            f"{OLDEST // 10_000} or newer, and a database in {_ENCODING}."
        )


@contextmanager
def hold_copies(session: PostgresSession) -> Iterator[None]:
    """Be the only publisher of this database for the block; WarehouseError names the process that is.

    The lock is the connection's, on which all of the work is done: when it breaks, both end.
    """
    try:
        session.execute(f"set lock_timeout = {_LOCK_MS}")
        session.fetch("select pg_advisory_lock($1, $2)", *_LOCK)
        session.execute("set lock_timeout = 0")
    except PostgresError as error:
        if error.sqlstate != LOCK_NOT_AVAILABLE:
            raise
        holders = ", ".join(str(row["pid"]) for row in session.fetch(_HOLDER, *_LOCK))
        raise WarehouseError(
            f"{session.address}: another publisher is at work (process {holders or 'unknown'} of the server). Wait "
            "until it has ended, then run again."
        ) from None
    yield


def read_copies(session: PostgresSession) -> tuple[StoredCopy, ...]:
    """Return the copies that are there: the one in service, then what a rollback leads to, then the others.

    WarehouseError if the schema that readers name is somebody else's.
    """
    found = []
    for row in session.fetch(_SCHEMAS, STAMP, SCHEMA):
        copy = _read_stamp(session, row["schema"]) if row["is_stamped"] else None
        if copy is not None:
            found.append(copy)
        elif row["schema"] == SCHEMA:
            raise WarehouseError(
                f"{session.address}: has a schema '{SCHEMA}' that `gnomon publish` did not make, so it is left alone. "
                "Rename it, or name another database."
            )
    order = ("serving", "kept", "withdrawn", "unused")
    found.sort(key=lambda copy: copy.served_at or copy.copied_at, reverse=True)
    return tuple(sorted(found, key=lambda copy: order.index(copy.state)))


def _read_stamp(session: PostgresSession, schema: str) -> StoredCopy | None:
    rows = session.fetch(write("select * from {stamp}", stamp=name_relation(schema, STAMP)))
    try:
        (row,) = rows
        copy = StoredCopy(schema=schema, **row)
    except (TypeError, ValueError):
        return None
    return copy if schema in (SCHEMA, name_schema(copy.generation_id)) else None


def name_schema(generation_id: str) -> str:
    """Return the schema of a copy that is not in service."""
    return f"{SCHEMA}_{generation_id}"


def measure(session: PostgresSession, schema: str) -> int:
    """Return the bytes of a schema's tables, with their indexes."""
    return int(session.fetch(_SIZE, schema)[0]["size"])


def ensure_reader(session: PostgresSession) -> None:
    """Make the role of readers if it is not there; WarehouseError if it could write, or may not be made."""
    found = session.fetch("select rolsuper from pg_roles where rolname = $1", READER)
    if found and found[0]["rolsuper"]:
        raise WarehouseError(f"{session.address}: the role '{READER}' is a superuser, and readers only read. Alter it.")
    if found:
        return
    try:
        session.execute(write("create role {role} nologin", role=READER))
    except PostgresError as error:
        # Roles are the server's: a publisher of another database was faster.
        if error.sqlstate == _FORBIDDEN:
            raise WarehouseError(
                f"{session.address}: has no role '{READER}', and this user may not make one. Have an administrator run "
                f"`create role {READER} nologin`."
            ) from None
        if error.sqlstate != _EXISTS:
            raise


def swap(
    session: PostgresSession,
    outgoing: StoredCopy | None,
    incoming: StoredCopy,
    at: datetime,
    *,
    withdraws: bool = False,
    tries: int = TRIES,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[str, ...]:
    """Put a copy into the place of the one in service, in one transaction; return views that still read the old one.

    Every reader that has begun ends on the copy that it began with, as the tables of it are locked first: while a
    transaction has read one of them, this waits, and who comes meanwhile waits for less than half a second at a time,
    too short for anybody to be taken for a deadlock. WarehouseError names the readers that do not end.
    """
    waits = _choose_patience(session)
    bound = tuple(row["name"] for row in session.fetch(_BOUND, SCHEMA))
    for attempt in range(tries):
        if attempt:
            pause(_PAUSE_SECONDS)
        try:
            with session.transaction():
                if outgoing is not None:
                    _take_out(session, outgoing, at, waits, withdraws=withdraws)
                _put_in(session, incoming, at, clears=not withdraws)
            return bound
        except PostgresError as error:
            if error.sqlstate not in (_CANCELED, LOCK_NOT_AVAILABLE):
                raise
    readers = ", ".join(f"{row['pid']} ({row['application_name']})" for row in session.fetch(_READERS, SCHEMA))
    raise WarehouseError(
        f"{session.address}: readers held the copy in service through {tries} tries: {readers or 'unknown'}. They are "
        "processes of the server in open transactions. What was in service still is. End them, then run again."
    )


def _choose_patience(session: PostgresSession) -> int:
    """Return for how many milliseconds locks may be waited for: less than after what a deadlock is looked for."""
    (row,) = session.fetch("select setting::int as ms from pg_settings where name = 'deadlock_timeout'")
    return max(1, min(_MOST_WAITING_MS, int(row["ms"]) // 2))


def _take_out(session: PostgresSession, copy: StoredCopy, at: datetime, waits: int, *, withdraws: bool) -> None:
    # Of the whole statement, as a lock_timeout would count anew for each table. A view before its tables, which a
    # reader has once it has the view.
    session.execute(f"set local statement_timeout = {waits}")
    views, tables = _list_relations(session, copy)
    named = name_relation(copy.schema, *views, *tables)
    session.execute(write("lock table {tables} in access exclusive mode", tables=named))
    session.execute("set local statement_timeout = 0")
    aside = name_schema(copy.generation_id)
    session.execute(write("alter schema {old} rename to {aside}", old=copy.schema, aside=aside))
    session.execute(write("revoke usage on schema {aside} from {role}", aside=aside, role=READER))
    if withdraws:
        _mark(session, aside, "withdrawn_at", at)


def _put_in(session: PostgresSession, copy: StoredCopy, at: datetime, *, clears: bool) -> None:
    session.execute(write("alter schema {new} rename to {schema}", new=copy.schema, schema=SCHEMA))
    session.execute(write("grant usage on schema {schema} to {role}", schema=SCHEMA, role=READER))
    if clears:
        _mark(session, SCHEMA, "served_at", at)
        _mark(session, SCHEMA, "withdrawn_at", None)


def _mark(session: PostgresSession, schema: str, column: str, at: datetime | None) -> None:
    stamp, moment = name_relation(schema, STAMP), write_moment(at)
    session.execute(write("update {stamp} set {column} = {at}", stamp=stamp, column=column, at=moment))


def _list_relations(session: PostgresSession, copy: StoredCopy) -> tuple[list[str], list[str]]:
    """Return the views and the tables that `gnomon publish` made there, and nothing that somebody else did."""
    rows = session.fetch(write("select table_name, part from {tables}", tables=name_relation(copy.schema, TABLES)))
    parts = {row["table_name"]: row["part"] for row in rows}
    views = sorted(name for name, part in parts.items() if part == Part.VIEW.value)
    return views, sorted(set(parts) - set(views))


def drop(session: PostgresSession, copy: StoredCopy) -> str | None:
    """Remove a copy that is not in service; return what keeps it, if something does.

    Only its own tables go, and only if nothing of somebody else's hangs on them or stands beside them.
    """
    assert copy.schema != SCHEMA
    try:
        with session.transaction():
            session.execute(f"set local lock_timeout = {_MOST_WAITING_MS}")
            views, tables = _list_relations(session, copy)
            if views:
                session.execute(write("drop view {views} restrict", views=name_relation(copy.schema, *views)))
            session.execute(write("drop table {tables} restrict", tables=name_relation(copy.schema, *tables)))
            session.execute(write("drop schema {schema} restrict", schema=copy.schema))
    except PostgresError as error:
        if error.sqlstate == DEPENDENT_OBJECTS:
            return error.detail.replace("\n", "; ") or str(error)
        if error.sqlstate in (_CANCELED, LOCK_NOT_AVAILABLE):
            return "somebody reads it"
        raise
    return None
