"""One fake server, one memory and a clock that nothing waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gnomon.publish.metabase.applying import Outcome, apply, destroy, read_plan
from gnomon.publish.metabase.planning import Effect, Plan
from gnomon.publish.metabase.syncing import Waiting
from gnomon.publish.metabase.transport import Credentials, Transport
from gnomon.publish.metabase.wanted import Wanted
from gnomon.state import MetabaseMemory, StateDatabase
from tests.metabase.fake import FakeMetabase
from tests.metabase.fake_server import KEY, Server, serve
from tests.metabase.shop import WAREHOUSE, make_shop


@dataclass
class Clock:
    """Counts seconds that go by only where somebody pauses."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def read(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@dataclass
class Bench:
    """What a test needs to apply, plan and destroy."""

    server: Server
    memory: MetabaseMemory
    wanted: Wanted
    clock: Clock = field(default_factory=Clock)
    credentials: Credentials = field(default_factory=lambda: Credentials(key=KEY))
    seconds: float = 5.0

    @property
    def fake(self) -> FakeMetabase:
        return self.server.fake

    def open(self) -> Transport:
        return Transport(self.server.url, self.credentials, pause=self.clock.pause, seconds=self.seconds)

    def apply(self, wanted: Wanted | None = None, *, force: bool = False) -> Outcome:
        waiting = Waiting(self.clock.read, self.clock.pause)
        secrets = {"password": "a secret of the fake"}
        return apply(self.open(), wanted or self.wanted, self.memory, waiting, secrets=secrets, force=force)

    def plan(self, wanted: Wanted | None = None) -> Plan:
        return read_plan(self.open(), wanted or self.wanted, self.memory)

    def destroy(self, *, force: bool = False) -> Outcome:
        waiting = Waiting(self.clock.read, self.clock.pause)
        return destroy(self.open(), self.memory, waiting, force=force)

    def count(self) -> dict[str, int]:
        """How many of each kind are there and not archived; duplicates show here."""
        rows = self.fake.rows
        found = {
            kind: sum(1 for each in rows[kind].values() if not each.get("archived") and each.get("active", True))
            for kind in ("database", "collection", "card", "dashboard", "notification", "pulse")
        }
        tiles = sum(len(each["dashcards"]) for each in rows["dashboard"].values())
        tabs = sum(len(each["tabs"]) for each in rows["dashboard"].values())
        return {**found, "group": len(self.fake.groups), "dashcard": tiles, "tab": tabs}


@contextmanager
def open_bench(state: StateDatabase, *, mbql: int = 5, polls: int = 2) -> Iterator[Bench]:
    """A bench over a fresh fake; its memory is in `state`, under the server's address."""
    with serve(FakeMetabase(WAREHOUSE, mbql=mbql, polls=polls)) as server:
        yield Bench(server, MetabaseMemory(state, server.url), make_shop())


def effects(plan: Plan) -> dict[str, Effect]:
    """What a plan does, without what it leaves as it is."""
    return {str(step.ref): step.effect for step in plan.steps if step.effect is not Effect.UNCHANGED}
