"""Keyed hashes in place of identifiers: HMAC-SHA256 (RFC 2104), one domain per kind of thing."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from gnomon.core.errors import WarehouseError

SHORTEST_KEY = 16
HASH_DIGITS = 24


def read_key(hash_key: str | None) -> bytes:
    """Return the key as bytes; WarehouseError if there is none or it has under 16 characters."""
    if not hash_key:
        problem = "GNOMON_HASH_KEY is not set"
    elif len(hash_key) < SHORTEST_KEY:
        problem = f"GNOMON_HASH_KEY has {len(hash_key)} characters, at least {SHORTEST_KEY} are needed"
    else:
        return hash_key.encode("utf-8")
    raise WarehouseError(
        f"{problem}. Identifiers are stored only as hashes under this key. Set it once and keep it: "
        'export GNOMON_HASH_KEY="$(openssl rand -hex 16)". Another key gives other identifiers.'
    )


def hash_identifier(key: bytes, domain: str, value: str) -> str:
    """Return 24 hex digits for `value`; equal values of different domains do not meet.

    96 bits of the digest are kept: among a billion identifiers, two of one hash are as good as excluded.
    """
    # A domain holds no colon, so no two pairs of domain and value make the same message.
    return hmac.digest(key, f"{domain}:{value}".encode(), "sha256").hex()[:HASH_DIGITS]


def hash_all(key: bytes, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """Return (domain, value, hash) for each pair of domain and value."""
    return [(domain, value, hash_identifier(key, domain, value)) for domain, value in pairs]


def fingerprint_key(key: bytes) -> str:
    """Return a short name of the key, from which the key cannot be found."""
    return hash_identifier(key, "fingerprint", "")
