"""What we made on a server of Metabase: its ids there, and fingerprints of what was sent and what was answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import sqlalchemy as sa

from gnomon.state.database import StateDatabase, metabase_things


class Status(Enum):
    """How far a thing has come: being made, there, or archived by us."""

    MAKING = "making"
    THERE = "there"
    ARCHIVED = "archived"


@dataclass(frozen=True)
class Remembered:
    """One thing on one server, by its kind and our key.

    `server_id` is missing while it is being made and no answer has come; `known` are the ids of things of the same name
    that were there before. `applied` and `answered` are digests: of what was wanted, and of what the server then had.
    `parts` are ids of tabs and dashcards by our keys.
    """

    kind: str
    key: str
    name: str
    status: Status
    server_id: int | None = None
    entity_id: str | None = None
    applied: str | None = None
    answered: str | None = None
    parts: Mapping[str, int] = field(default_factory=dict)
    known: tuple[int, ...] = ()


class MetabaseMemory:
    """What is remembered of one server; every write is kept at once."""

    def __init__(self, database: StateDatabase, server: str) -> None:
        self._database = database
        self._server = server.rstrip("/").lower()

    def read(self) -> dict[tuple[str, str], Remembered]:
        """Return all things of this server by kind and key."""
        mine = metabase_things.c.server == self._server
        query = sa.select(metabase_things).where(mine).order_by(metabase_things.c.kind, metabase_things.c.key)
        with self._database.begin() as connection:
            return {(row["kind"], row["key"]): _read(row) for row in connection.execute(query).mappings()}

    def write(self, thing: Remembered) -> None:
        """Remember a thing in place of what was remembered of it."""
        values = {
            **vars(thing),
            "status": thing.status.value,
            "parts": json.dumps(dict(thing.parts)),
            "known": json.dumps(thing.known),
        }
        with self._database.begin() as connection:
            connection.execute(self._delete(thing.kind, thing.key))
            connection.execute(metabase_things.insert().values(server=self._server, **values))

    def forget(self, kind: str, key: str) -> None:
        """Remember nothing of a thing any more."""
        with self._database.begin() as connection:
            connection.execute(self._delete(kind, key))

    def _delete(self, kind: str, key: str) -> sa.Delete:
        columns = metabase_things.c
        mine = sa.and_(columns.server == self._server, columns.kind == kind, columns.key == key)
        return metabase_things.delete().where(mine)


def _read(row: sa.RowMapping) -> Remembered:
    return Remembered(
        kind=row["kind"],
        key=row["key"],
        name=row["name"],
        status=Status(row["status"]),
        server_id=row["server_id"],
        entity_id=row["entity_id"],
        applied=row["applied"],
        answered=row["answered"],
        parts=json.loads(row["parts"]),
        known=tuple(json.loads(row["known"])),
    )
