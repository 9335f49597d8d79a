"""All six dashboards, deployed to a fake of Metabase from the real copy of the sample."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gnomon.publish.metabase.applying import StoppedApplyError
from gnomon.publish.metabase.planning import Effect
from gnomon.publish.metabase.wanted import Wanted
from gnomon.state import MetabaseMemory, StateDatabase
from tests.journey.shown_copy import Shown
from tests.metabase.bench import Bench, effects
from tests.metabase.fake import FakeMetabase
from tests.metabase.fake_server import Asked, Fault, serve
from tests.metabase.test_bodies import FORMS, errors_of, fit, name, openapi
from tests.metabase.test_official_cli import ask_plainly, find_command, open_cli

__all__ = ["openapi"]
_KINDS = {
    "VARCHAR": "type/Text", "BOOLEAN": "type/Boolean", "DATE": "type/Date", "DOUBLE": "type/Float",
    "BIGINT": "type/BigInteger", "INTEGER": "type/Integer",
}  # fmt: skip


def describe_warehouse(shown: Shown) -> dict[tuple[str, str], dict[str, str]]:
    """The columns of the real copy, as the fake is told of them."""
    tables = {
        ("gnomon", table.name): {column.name: _KINDS.get(column.kind, "type/Decimal") for column in table.columns}
        for table in shown.copy.contents.tables
    }
    tables |= {
        ("gnomon", view.name): {column.name: _KINDS.get(column.kind, "type/Decimal") for column in view.columns}
        for view in shown.copy.contents.views.views
    }
    technical = {("gnomon", name): {"generation_id": "type/Text"} for name in ("gnomon_stamp", "gnomon_tables")}
    return {**tables, **technical}


@pytest.fixture
def bench(shown: Shown) -> Iterator[Bench]:
    state = StateDatabase.open("sqlite://")
    with serve(FakeMetabase(describe_warehouse(shown))) as server:
        yield Bench(server, MetabaseMemory(state, server.url), shown.wanted)
    state.close()


def test_all_six_dashboards_are_deployed_and_a_second_apply_plans_nothing(
    bench: Bench, openapi: dict[str, Any]
) -> None:
    wanted = bench.wanted
    bench.apply()
    counts = bench.count()
    assert counts["dashboard"] == len(wanted.dashboards) == 6
    assert counts["card"] == len(wanted.cards)
    assert counts["dashcard"] == sum(len(each.dashcards) for each in wanted.dashboards)
    assert (counts["notification"], counts["pulse"]) == (len(wanted.alerts), len(wanted.subscriptions))
    sent = bench.server.sent
    assert [each for each in sent if not any(fit(form, each.body) for form in FORMS[name(each)])] == []
    assert [error for each in sent for error in errors_of(openapi, each)] == []
    bench.server.clear()
    assert bench.plan().is_empty
    bench.apply()
    assert bench.server.sent == []


def test_every_filter_of_a_page_is_wired_to_the_cards_that_it_reaches(bench: Bench) -> None:
    bench.apply()
    wired = 0
    for board in bench.fake.rows["dashboard"].values():
        known = {each["id"] for each in board["parameters"]}
        for tile in board["dashcards"]:
            mapped = {each["parameter_id"] for each in tile["parameter_mappings"]}
            assert mapped <= known
            wired += len(mapped)
    assert wired == sum(len(tile.wires) for each in bench.wanted.dashboards for tile in each.dashcards) > 200


def test_a_changed_tile_plans_exactly_that(bench: Bench) -> None:
    bench.apply()
    changed = change_tile(bench.wanted)
    assert effects(bench.plan(changed)) == {"dashboard 'page/risk_trends'": Effect.UPDATE}
    ids = {tile["id"] for board in bench.fake.rows["dashboard"].values() for tile in board["dashcards"]}
    bench.apply(changed)
    assert {tile["id"] for board in bench.fake.rows["dashboard"].values() for tile in board["dashcards"]} == ids
    assert bench.plan(changed).is_empty


def change_tile(wanted: Wanted) -> Wanted:
    boards = tuple(
        replace(each, dashcards=(replace(each.dashcards[0], height=6), *each.dashcards[1:]))
        if each.key == "page/risk_trends"
        else each
        for each in wanted.dashboards
    )
    return replace(wanted, dashboards=boards)


def test_an_apply_that_stops_anywhere_goes_on_to_the_same_end(bench: Bench) -> None:
    """Each stop is a server that fails for good at some request: after each, the same command goes on from there."""
    for allowed in (5, 60, 90, 40):
        bench.server.choose = fail_after(allowed)
        with pytest.raises(StoppedApplyError, match="What was done before is remembered"):
            bench.apply()
        bench.server.clear()
    bench.apply()
    assert bench.plan().is_empty
    counts = bench.count()
    assert (counts["card"], counts["dashboard"]) == (len(bench.wanted.cards), 6)


def fail_after(allowed: int) -> Callable[[str, str, int], Fault | None]:
    """Let so many requests change something, and fail each one after them."""
    left = itertools.count(allowed, -1)

    def choose(verb: str, path: str, number: int) -> Fault | None:
        writes = Asked(verb, path, None, 0).writes
        return Fault(status=503) if writes and next(left) <= 0 else None

    return choose


@pytest.mark.nightly
def test_the_official_client_rejects_no_body_of_the_six_dashboards(bench: Bench, shown: Shown, tmp_path: Path) -> None:
    """Some hundred processes of Node.js."""
    bench.apply()
    with serve(FakeMetabase(describe_warehouse(shown))) as theirs:
        client = open_cli(theirs, tmp_path)
        rejected: list[Any] = []
        taken = 0
        for each in bench.server.asked:
            command = find_command(each)
            if command is None or command[0] in ("table", "field"):
                ask_plainly(theirs, each)
                continue
            code, said, words = client.run(*command, "--json", "--full", "--max-bytes", 0, body=each.body)
            taken += 1
            if code:
                rejected.append((command, json.dumps(each.body)[:200], words or said))
        assert rejected == []
        assert taken > 130
