"""Every card that we made, run once: whether Metabase can answer it."""

from __future__ import annotations

from dataclasses import dataclass

from gnomon.publish.metabase import bodies
from gnomon.publish.metabase.transport import Transport
from gnomon.state import MetabaseMemory, Status


@dataclass(frozen=True)
class Ran:
    """How a card ran: its rows, or the words of what failed."""

    key: str
    name: str
    rows: int = 0
    error: str | None = None


def run_cards(transport: Transport, memory: MetabaseMemory) -> tuple[Ran, ...]:
    """Run every card of ours with its filters empty. Metabase says how it went in the body, not in the status."""
    things = [each for (kind, _), each in memory.read().items() if kind == "card" and each.status is Status.THERE]
    return tuple(_run(transport, each.key, each.name, each.server_id) for each in things)


def _run(transport: Transport, key: str, name: str, card_id: int | None) -> Ran:
    answer = transport.look_up(f"/api/card/{card_id}/query", bodies.Run(parameters=[]).dump())
    if answer.get("status") == "completed":
        return Ran(key, name, int(answer.get("row_count") or 0))
    return Ran(key, name, error=str(answer.get("error") or answer.get("status")))
