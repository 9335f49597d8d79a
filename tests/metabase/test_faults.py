"""Applies that are killed, and servers that fail, hang, forget and are busy: in the end all is there, and once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from gnomon.core.errors import AccessError, GnomonError
from gnomon.publish.metabase.applying import StoppedApplyError
from gnomon.publish.metabase.transport import Credentials, Transport
from gnomon.publish.metabase.wanted import Collection
from gnomon.state import StateDatabase, Status
from tests.metabase.bench import Bench, effects, open_bench
from tests.metabase.fake_server import PASSWORD, USER, Fault
from tests.metabase.rounds import change_one_of_each
from tests.metabase.test_apply import ALL, change_tile, ids

Choose = Callable[[str, str, int], Fault | None]


class Killed(BaseException):
    """The process ended here."""


class KilledTransport(Transport):
    """Ends at the `last` request that changes something: before it leaves, or once it is done and unread."""

    last: int
    is_done: bool

    def _send(self, verb: str, path: str, **options: Any) -> Any:
        is_write = verb != "get" and not path.endswith(("/translate", "/sync_schema"))
        self.last -= is_write
        if is_write and self.last == 0:
            if self.is_done:
                super()._send(verb, path, **options)
            raise Killed
        return super()._send(verb, path, **options)


def apply_killed(bench: Bench, last: int, *, is_done: bool, act: Callable[[], Any] | None = None) -> None:
    opened = bench.open
    transport = KilledTransport(bench.server.url, bench.credentials, pause=bench.clock.pause, seconds=bench.seconds)
    transport.last, transport.is_done = last, is_done
    bench.open = lambda: transport  # type: ignore[method-assign]
    with pytest.raises(Killed):
        (act or bench.apply)()
    bench.open = opened  # type: ignore[method-assign]


# As many requests as a whole apply sends; the first test holds them against that.
WRITES = 42


def test_as_many_kills_are_tried_as_an_apply_sends_requests(bench: Bench) -> None:
    bench.apply()
    assert len(bench.server.sent) == WRITES


@pytest.mark.parametrize("is_done", [False, True], ids=["unsent", "done"])
@pytest.mark.parametrize(
    "last", [pytest.param(n, marks=[pytest.mark.nightly] if n % 4 else []) for n in range(1, WRITES + 1)]
)
def test_an_apply_that_is_killed_at_any_request_is_gone_on_with(state: StateDatabase, last: int, is_done: bool) -> None:
    with open_bench(state, polls=0) as bench:
        apply_killed(bench, last, is_done=is_done)
        outcome = bench.apply()
        assert (outcome.left, outcome.notes) == ((), ())
        assert bench.count() == ALL
        assert bench.plan().is_empty


def test_an_update_that_is_killed_once_done_is_no_edit_of_people(bench: Bench) -> None:
    bench.apply()
    bench.wanted = change_tile(bench.wanted, "gmv", width=3)
    apply_killed(bench, 1, is_done=True)
    assert bench.plan().is_empty
    bench.apply()
    assert (bench.plan().is_empty, bench.count()) == (True, ALL)


@pytest.mark.parametrize("is_done", [False, True], ids=["unsent", "done"])
@pytest.mark.parametrize("last", range(1, 15))
def test_a_second_apply_that_is_killed_is_gone_on_with_and_takes_nothing_for_an_edit(
    state: StateDatabase, last: int, is_done: bool
) -> None:
    with open_bench(state, polls=0) as bench:
        bench.apply()
        inner = Collection("inner", "Inner", "", "ops")
        changed = change_one_of_each(bench.wanted)
        bench.wanted = replace(changed, collections=(*changed.collections, inner))
        apply_killed(bench, last, is_done=is_done)
        assert bench.plan().drifted == ()
        outcome = bench.apply()
        assert (outcome.left, bench.plan().is_empty) == ((), True)
        assert bench.count() == {**ALL, "card": 12, "dashboard": 1, "collection": 6, "dashcard": 7}


@pytest.mark.parametrize("is_done", [False, True], ids=["unsent", "done"])
@pytest.mark.parametrize("last", range(1, 25, 4))
def test_a_destroy_that_is_killed_is_gone_on_with_and_all_comes_back(
    state: StateDatabase, last: int, is_done: bool
) -> None:
    with open_bench(state, polls=0) as bench:
        bench.apply()
        before = ids(bench)
        apply_killed(bench, last, is_done=is_done, act=bench.destroy)
        assert bench.destroy().left == ()
        assert bench.count() == {**ALL, "card": 0, "dashboard": 0, "notification": 0, "pulse": 0, "collection": 0}
        assert bench.apply().left == ()
        assert (ids(bench), bench.count(), bench.plan().is_empty) == (before, ALL, True)


def test_an_error_says_where_it_stopped_and_that_the_same_command_goes_on(bench: Bench) -> None:
    bench.server.choose = always("POST", r"/api/dashboard", Fault(status=502))
    with pytest.raises(StoppedApplyError) as caught:
        bench.apply()
    text = str(caught.value)
    assert re.search(r"^stopped at dashboard 'commerce', step 23 of 28: http://\S+: POST /api/dashboard: 502", text)
    assert text.endswith("What was done before is remembered: the same command goes on from here.")
    begun = bench.memory.read()[("dashboard", "commerce")]
    assert (begun.status, begun.server_id) == (Status.MAKING, None)


def always(verb: str, path: str, fault: Fault) -> Choose:
    """A fault at every such request."""
    return lambda v, p, number: fault if v == verb and re.fullmatch(path, p) else None


def first(verb: str, path: str, fault: Fault, times: int = 1) -> Choose:
    """A fault at the first such requests."""
    left = [times]

    def choose(v: str, p: str, number: int) -> Fault | None:
        if v == verb and re.fullmatch(path, p) and left[0]:
            left[0] -= 1
            return fault
        return None

    return choose


@dataclass(frozen=True)
class Case:
    """A fault of an apply; `is_told` where it may end in an error, after which the same command goes on."""

    name: str
    choose: Callable[[], Choose]
    is_told: bool = False
    starts_whole: bool = False


LOST, LOST_BEFORE = Fault(applies=True), Fault()
FAILED, FAILED_AFTER = Fault(status=500), Fault(status=500, applies=True)
GATEWAY, GATEWAY_AFTER = Fault(status=504), Fault(status=504, applies=True)
BUSY = Fault(status=429, headers=(("Retry-After", "7"),))
HANGS = Fault(status=200, applies=True, wait=30)
NUMBER = r"/\d+"
MAKES = ("/api/database", "/api/collection", "/api/card", "/api/dashboard", "/api/notification", "/api/pulse",
         "/api/permissions/group")  # fmt: skip


def list_cases() -> Iterator[Case]:
    for path in MAKES:
        kind = path.rpartition("/")[2]
        yield Case(f"lost answer of a new {kind}", lambda p=path: first("POST", p, LOST))
        yield Case(f"{kind} made, and 500 answered", lambda p=path: first("POST", p, FAILED_AFTER))
        yield Case(f"{kind} not made, and 500 answered", lambda p=path: first("POST", p, FAILED))
        yield Case(f"{kind} made behind a gateway that gave up", lambda p=path: first("POST", p, GATEWAY_AFTER))
        yield Case(f"connection cut before a new {kind}", lambda p=path: first("POST", p, LOST_BEFORE), is_told=True)
        yield Case(f"{kind}: 500 for good", lambda p=path: first("POST", p, FAILED, times=99), is_told=True)
    for path in ("/api/dashboard", "/api/table", "/api/field", "/api/permissions/group"):
        kind = path.rpartition("/")[2]
        yield Case(f"lost answer of a changed {kind}", lambda p=path: first("PUT", p + NUMBER, LOST))
        yield Case(f"changed {kind}: 500 once", lambda p=path: first("PUT", p + NUMBER, FAILED))
        yield Case(f"changed {kind}: 500 for good", lambda p=path: first("PUT", p + NUMBER, FAILED, 99), is_told=True)
    for path in ("/api/collection/graph", "/api/permissions/graph"):
        yield Case(f"lost answer of {path}", lambda p=path: first("PUT", p, LOST))
        yield Case(f"somebody else changed {path}", lambda p=path: first("PUT", p, Fault(status=409)))
    for verb, path in (("GET", r"/api/database"), ("GET", r"/api/card/\d+"), ("GET", r"/api/collection")):
        yield Case(f"reading {path}: 500 twice", lambda v=verb, p=path: first(v, p, FAILED, times=2))
        yield Case(f"reading {path}: cut twice", lambda v=verb, p=path: first(v, p, LOST, times=2))
    yield Case("busy once at a card", lambda: first("POST", "/api/card", BUSY))
    yield Case("busy at reading", lambda: first("GET", "/api/permissions/group", BUSY, times=3))
    yield Case("busy for good", lambda: first("POST", "/api/card", BUSY, times=99), is_told=True)
    yield Case("hangs at a new card, and makes it", lambda: first("POST", "/api/card", HANGS))
    yield Case("hangs at a changed dashboard", lambda: first("PUT", "/api/dashboard" + NUMBER, HANGS))
    yield Case("hangs at reading", lambda: first("GET", r"/api/dashboard/\d+", HANGS))
    yield Case("500 at every seventh request", lambda: lambda v, p, number: FAILED if number % 7 == 0 else None)
    yield Case(
        "a lost answer at every ninth request", lambda: lambda v, p, n: LOST if n % 9 == 0 else None, is_told=True
    )
    yield Case("forbidden at a card", lambda: first("POST", "/api/card", Fault(status=403)), is_told=True)
    yield Case("a page of a proxy instead of JSON",
               lambda: first("GET", "/api/collection", Fault(status=302)), is_told=True)  # fmt: skip


CASES = {case.name: case for case in list_cases()}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_ends_in_all_that_is_wanted_or_in_words_and_never_in_duplicates(
    state: StateDatabase, name: str
) -> None:
    case = CASES[name]
    with open_bench(state, polls=1) as bench:
        bench.seconds = 0.4
        bench.server.choose = case.choose()
        told = None
        try:
            bench.apply()
        except GnomonError as error:
            told = str(error)
        assert case.is_told or told is None, told
        assert told is None or bench.server.url in told or "several have" in told
        assert all(bench.count()[kind] <= there for kind, there in ALL.items())
        bench.server.clear()
        outcome = bench.apply()
        assert (outcome.left, bench.count()) == ((), ALL)
        assert bench.plan().is_empty


def test_there_are_more_than_thirty_faults() -> None:
    assert len(CASES) > 30


def test_a_session_that_is_over_is_renewed_and_nothing_is_sent_twice(bench: Bench) -> None:
    bench.credentials = Credentials(user=USER, password=PASSWORD)
    bench.server.choose = lambda verb, path, number: bench.server.sessions.clear() if number in (5, 40, 77) else None
    bench.apply()
    assert (bench.count(), bench.plan().is_empty) == (ALL, True)
    logins = [each for each in bench.server.asked if each.path == "/api/session"]
    assert len(logins) == 5


def test_a_wrong_password_and_a_wrong_key_are_told_and_not_shown(bench: Bench) -> None:
    bench.credentials = Credentials(user=USER, password="wrong-password")
    with pytest.raises(AccessError, match=f"does not let '{USER}' in") as caught:
        bench.apply()
    assert "wrong-password" not in str(caught.value)
    bench.credentials = Credentials(key="wrong-key")
    with pytest.raises(AccessError, match="401") as caught:
        bench.apply()
    assert "wrong-key" not in str(caught.value) + repr(bench.credentials)


def test_a_busy_server_is_waited_for_as_long_as_it_asks(bench: Bench) -> None:
    bench.server.choose = first("POST", "/api/card", BUSY)
    bench.apply()
    assert 7.0 in bench.clock.pauses


def test_a_server_that_is_not_there_is_told(bench: Bench) -> None:
    bench.server.url = "http://127.0.0.1:9"
    with pytest.raises(GnomonError, match="the server is not reached"):
        bench.plan()


def test_a_thing_of_others_that_has_our_name_is_not_taken_for_what_was_lost(bench: Bench) -> None:
    bench.apply()
    [folder] = [each["id"] for each in bench.fake.rows["collection"].values() if each["name"] == "Operations"]
    theirs = bench.fake._add_dashboard({"name": "Sales", "collection_id": folder, "description": "Theirs"})
    new = replace(bench.wanted.dashboards[0], key="sales", name="Sales")
    wanted = replace(bench.wanted, dashboards=(*bench.wanted.dashboards, new))
    # What has the name already, and is not as wanted, is told of; it is not taken over and nothing is made beside it.
    assert effects(bench.plan(wanted))["dashboard 'sales'"].value == "drifted"
    bench.fake.rows["dashboard"][theirs["id"]]["name"] = "Theirs"
    bench.server.choose = first("POST", "/api/dashboard", LOST)
    bench.apply(wanted)
    assert bench.plan(wanted).is_empty
    assert [each["name"] for each in bench.fake.rows["dashboard"].values() if not each["archived"]] == [
        "Commerce", "Appeals", "Theirs", "Sales"]  # fmt: skip


def test_faults_in_a_second_apply_leave_ids_as_they_were(bench: Bench) -> None:
    bench.apply()
    before = ids(bench)
    wanted = change_tile(bench.wanted, "gmv", width=5)
    for fault in (LOST, FAILED, FAILED_AFTER, GATEWAY):
        bench.server.choose = first("PUT", "/api/dashboard" + NUMBER, fault)
        with suppress(GnomonError):
            bench.apply(wanted)
        bench.server.clear()
        bench.apply(wanted)
        assert (ids(bench), bench.plan(wanted).is_empty) == (before, True)
        wanted = change_tile(wanted, "gmv", row=wanted.dashboards[0].dashcards[1].row + 20)
