"""API keys: made once, shown once, kept as a digest, expiring, revocable."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from gnomon.core.errors import AccessError, QueryError, explain_unknown
from gnomon.state.database import StateDatabase, api_keys

_PREFIX = "gnomon"
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Key:
    """What is known of a key; its secret is not. Moments are UTC."""

    key_id: str
    name: str
    role: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        """Tell whether the key opens anything at this moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class KeyRing:
    """The keys of one installation."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def make(self, name: str, role: str, now: datetime, days: int | None = None) -> tuple[Key, str]:
        """Return a new key and its text, which is not kept; QueryError for a name in use or a past end."""
        if days is not None and days < 1:
            raise QueryError(f"--days {days}: a key is good for at least one day.")
        if any(key.name == name and key.is_good(now) for key in self.list()):
            raise QueryError(f"a key named '{name}' is in use. `gnomon keys rotate {name}` replaces it.")
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        expires_at = None if days is None else now + timedelta(days=days)
        key = Key(secrets.token_hex(8), name, role, now, expires_at, None)
        with self._database.begin() as connection:
            connection.execute(api_keys.insert().values(secret_digest=_digest(secret), **vars(key)))
        return key, f"{_PREFIX}_{key.key_id}_{secret}"

    def find(self, text: str, now: datetime) -> Key:
        """Return the key that `text` opens; AccessError, the same whatever is wrong with it."""
        prefix, _, rest = text.partition("_")
        key_id, _, secret = rest.partition("_")
        with self._database.begin() as connection:
            row = connection.execute(sa.select(api_keys).where(api_keys.c.key_id == key_id)).mappings().first()
        kept = str(row["secret_digest"]) if row else _digest("")
        fits = secrets.compare_digest(kept, _digest(secret))
        if row is None or prefix != _PREFIX or not fits or not (key := _read(row)).is_good(now):
            raise AccessError("this API key opens nothing: it is unknown, expired or revoked. Ask for a new one.")
        return key

    def rotate(self, name: str, now: datetime, days: int | None = None) -> tuple[Key, str]:
        """Revoke the good key of that name and return one in its place, with its text; QueryError if there is none."""
        old = self._find_named(name, now)
        self.revoke(name, now)
        return self.make(name, old.role, now, days)

    def revoke(self, name: str, now: datetime) -> Key:
        """Revoke the good key of that name and return it; QueryError if there is none."""
        key = self._find_named(name, now)
        with self._database.begin() as connection:
            connection.execute(api_keys.update().where(api_keys.c.key_id == key.key_id).values(revoked_at=now))
        return key

    def list(self) -> tuple[Key, ...]:
        """Return all keys there ever were, oldest first."""
        with self._database.begin() as connection:
            rows = connection.execute(sa.select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id)).mappings()
            return tuple(map(_read, rows))

    def _find_named(self, name: str, now: datetime) -> Key:
        good = {key.name: key for key in self.list() if key.is_good(now)}
        if name not in good:
            raise QueryError(explain_unknown("key", name, good))
        return good[name]


def _read(row: sa.RowMapping) -> Key:
    return Key(**{name: row[name] for name in ("key_id", "name", "role", "created_at", "expires_at", "revoked_at")})


def _digest(secret: str) -> str:
    # A secret of 256 random bits cannot be guessed, so a slow hash would only slow every request.
    return hashlib.sha256(secret.encode()).hexdigest()
