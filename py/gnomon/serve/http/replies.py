"""What was answered, kept as it was sent, by the bytes that asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gnomon.engine import Cache, Engine

_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Sent:
    """A question as it came: the method, the address behind the `?`, the form of the body, and the body."""

    method: str
    address: bytes
    form: bytes
    body: bytes


@dataclass(frozen=True)
class ReplyKey:
    """All that a reply hangs on. Definitions, data and roles are the engine's: another one is another key.

    `withdrawn` are the rollups that had been found wrong before the question was planned.
    """

    engine: Engine
    role: str
    sent: Sent
    withdrawn: frozenset[str]


@dataclass(frozen=True)
class Reply:
    """An answer as it was sent, and what the log is told of it."""

    content: bytes
    headers: Sequence[tuple[bytes, bytes]]
    etag: str
    question: Mapping[str, Any]
    rollups: tuple[str, ...]
    row_count: int


class Replies(Cache[ReplyKey, Reply]):
    """Keeps replies, by their bytes."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        super().__init__(lambda reply: len(reply.content), most_bytes)

    def retire(self, engine: Engine) -> None:
        """Let go of the replies of an engine that is closed."""
        self.forget(lambda key: key.engine is engine)
