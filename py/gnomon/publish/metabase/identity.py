"""Names of our own that never change: entity ids, ids of tags, and digests of documents."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gnomon.publish.metabase.wanted import Json

Kind = Literal["database", "table", "collection", "card", "dashboard", "alert", "subscription", "group"]
KINDS: tuple[Kind, ...] = ("database", "table", "collection", "card", "dashboard", "alert", "subscription", "group")

# Metabase's own ids of things that outlive a server have this many characters of base64's URL alphabet.
_ENTITY_ID_LENGTH = 21
_NAMESPACE = uuid.UUID("6f2c1c0e-8a0b-5f0e-9c55-8f0f7d1f5d31")


@dataclass(frozen=True, order=True)
class Ref:
    """One thing, whatever its id is on a server."""

    kind: Kind
    key: str

    def __str__(self) -> str:
        return f"{self.kind} '{self.key}'"


def make_entity_id(database: str, ref: Ref) -> str:
    """Return the entity id of a thing of ours, the same on every server; `database` is the key of the connection."""
    digest = hashlib.sha256(f"gnomon/{database}/{ref.kind}/{ref.key}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:_ENTITY_ID_LENGTH]


def make_tag_id(card: str, tag: str) -> str:
    """Return the id of a card's template tag: a UUID, as Metabase wants it."""
    return str(uuid.uuid5(_NAMESPACE, f"{card}/{tag}"))


def digest(document: Mapping[str, Json]) -> str:
    """Return the fingerprint of a document, whatever the order of its keys."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, default=list)
    return hashlib.sha256(text.encode()).hexdigest()
