"""The project's own dashboards, applied to a fake of Metabase: all bodies fit, and a second apply plans nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gnomon.publish.metabase.documents import list_wanted
from gnomon.publish.metabase.needs import list_needs
from gnomon.publish.metabase.planning import Effect
from gnomon.publish.metabase.syncing import list_needed
from gnomon.publish.metabase.wanted import Wanted
from gnomon.state import MetabaseMemory, StateDatabase
from tests.journey.conftest import built_sample, shared_folder  # noqa: F401
from tests.journey.test_metabase_cards import made, shown  # noqa: F401
from tests.metabase.bench import Bench, effects
from tests.metabase.fake import FakeMetabase
from tests.metabase.fake_server import Asked, serve
from tests.metabase.test_bodies import FORMS, errors_of, fit, name, openapi  # noqa: F401
from tests.metabase.test_official_cli import replay


def list_columns(wanted: Wanted) -> dict[tuple[str, str], dict[str, str]]:
    """The columns of the copy that anything needs, for the fake."""
    tables, fields = list_needed(wanted)
    found: dict[tuple[str, str], dict[str, str]] = {(each.schema, each.table): {} for each in tables}
    for each in fields:
        found[(each.schema, each.table)][each.column] = "type/Text"
    return found


@pytest.fixture(scope="module")
def bench(made: Wanted) -> Iterator[Bench]:  # noqa: F811
    """A fake on which all of it was applied."""
    state = StateDatabase.open("sqlite://")
    with serve(FakeMetabase(list_columns(made))) as server:
        bench = Bench(server, MetabaseMemory(state, server.url), made)
        outcome = bench.apply()
        assert (outcome.left, outcome.notes) == ((), ())
        yield bench
    state.close()


@pytest.fixture(scope="module")
def asked(bench: Bench) -> tuple[Asked, ...]:
    """All that the apply asked."""
    return tuple(bench.server.asked)


def test_all_six_dashboards_are_there_with_all_their_cards(bench: Bench, made: Wanted) -> None:  # noqa: F811
    count = bench.count()
    assert count["dashboard"] == len(made.dashboards) == 6
    assert count["card"] == len(made.cards) > 50
    assert count["dashcard"] == sum(len(each.dashcards) for each in made.dashboards)
    assert (count["notification"], count["pulse"]) == (len(made.alerts), len(made.subscriptions))


def test_a_second_apply_plans_and_sends_nothing(bench: Bench, asked: tuple[Asked, ...]) -> None:
    bench.server.clear()
    assert bench.plan().is_empty
    assert (bench.apply().done, bench.server.sent) == ((), [])


def test_a_changed_tile_plans_exactly_that(bench: Bench, made: Wanted, asked: tuple[Asked, ...]) -> None:  # noqa: F811
    page, *others = made.dashboards
    tile, *rest = page.dashcards
    wider = replace(page, dashcards=(replace(tile, height=tile.height + 1), *rest))
    planned = bench.plan(replace(made, dashboards=(wider, *others)))
    assert effects(planned) == {f"dashboard '{page.key}'": Effect.UPDATE}
    [difference] = planned.changes[0].differences
    assert difference.path == f"dashcards.{tile.key}.height"


def test_every_body_fits_our_forms_and_metabases_description(
    asked: tuple[Asked, ...],
    openapi: dict[str, Any],  # noqa: F811
) -> None:
    sent = [each for each in asked if each.verb != "GET"]
    assert [each for each in sent if not any(fit(form, each.body) for form in FORMS[name(each)])] == []
    assert [error for each in sent for error in errors_of(openapi, each)] == []


def test_nothing_needs_what_is_not_wanted(made: Wanted) -> None:  # noqa: F811
    things = list_wanted(made)
    missing = {each for ref, thing in things.items() for each in list_needs(ref, thing, made.database.key)} - set(
        things
    )
    assert missing == set()


@pytest.mark.nightly
def test_metabases_own_client_sends_every_body(
    asked: tuple[Asked, ...],
    made: Wanted,  # noqa: F811
    tmp_path: Path,
) -> None:
    replay(list(asked), list_columns(made), tmp_path)
