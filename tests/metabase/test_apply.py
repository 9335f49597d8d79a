"""Applies to the fake: what is there afterwards, what a second one does, and what people did in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gnomon.core.errors import DefinitionError, WarehouseError
from gnomon.publish.metabase.identity import Ref, make_entity_id
from gnomon.publish.metabase.planning import Effect
from gnomon.publish.metabase.wanted import Collection, Dashcard, NativeQuery, Wanted
from gnomon.state import MetabaseMemory, StateDatabase
from tests.metabase.bench import Bench, effects, open_bench

ALL = {"database": 1, "collection": 5, "card": 13, "dashboard": 2, "notification": 1, "pulse": 1, "group": 4,
       "dashcard": 8, "tab": 3}  # fmt: skip


def row(bench: Bench, kind: str, name: str) -> dict[str, Any]:
    """The one row of the fake that has a name and is not archived."""
    [found] = [each for each in bench.fake.rows[kind].values() if each["name"] == name and not each["archived"]]
    return found


def card(bench: Bench, key: str) -> dict[str, Any]:
    entity_id = make_entity_id("copy", Ref("card", key))
    [found] = [each for each in bench.fake.rows["card"].values() if each["entity_id"] == entity_id]
    return found


def change(wanted: Wanted, kind: str, key: str, **values: Any) -> Wanted:
    """What is wanted, with one thing of a kind (`cards`, …) in another way."""
    return replace(wanted, **{kind: tuple(replace(x, **values) if x.key == key else x for x in getattr(wanted, kind))})


def drop(wanted: Wanted, kind: str, *keys: str) -> Wanted:
    return replace(wanted, **{kind: tuple(each for each in getattr(wanted, kind) if each.key not in keys)})


def change_tile(wanted: Wanted, key: str, **values: Any) -> Wanted:
    tiles = tuple(replace(x, **values) if x.key == key else x for x in wanted.dashboards[0].dashcards)
    return change(wanted, "dashboards", "commerce", dashcards=tiles)


def ids(bench: Bench) -> dict[str, Any]:
    """All ids that links and subscriptions stand on."""
    rows = bench.fake.rows
    found: dict[str, Any] = {kind: sorted(rows[kind]) for kind in ("card", "dashboard", "collection", "pulse")}
    for each in rows["dashboard"].values():
        found[each["name"]] = ([x["id"] for x in each["tabs"]], [x["id"] for x in each["dashcards"]])
        found[f"filters of {each['name']}"] = [x["id"] for x in each["parameters"]]
    return found


@pytest.mark.parametrize("mbql", [4, 5])
def test_all_that_is_wanted_is_there_once_and_a_second_apply_plans_and_sends_nothing(
    state: StateDatabase, mbql: int
) -> None:
    with open_bench(state, mbql=mbql) as bench:
        planned = bench.plan()
        assert {step.effect for step in planned.steps} == {Effect.CREATE}
        assert bench.server.sent == []
        outcome = bench.apply()
        assert (outcome.left, outcome.notes, bench.count()) == ((), (), ALL)
        bench.server.clear()
        assert bench.plan().is_empty
        assert bench.apply().done == ()
        assert bench.server.sent == []


def test_filters_reach_their_cards_and_clicks_lead_to_cases(bench: Bench) -> None:
    bench.apply()
    tiles = {each["card_id"]: each for each in row(bench, "dashboard", "Commerce")["dashcards"]}
    tile = tiles[card(bench, "orders_by_region")["id"]]
    assert tile["parameter_mappings"] == [
        {"parameter_id": name, "card_id": tile["card_id"], "target": ["dimension", ["template-tag", name]]}
        for name in ("days", "region")
    ]
    click = tile["visualization_settings"]["click_behavior"]
    assert (click["linkType"], click["targetId"]) == ("question", card(bench, "cases")["id"])
    [mapping] = click["parameterMapping"].values()
    tags = card(bench, "cases")["dataset_query"]["native"]["template-tags"]
    assert mapping["id"] == tags["region"]["id"]
    assert mapping["source"] == {"id": "region", "type": "column", "name": "region"}
    assert mapping["target"] == {"id": "region", "type": "variable"}
    assert tiles[None]["visualization_settings"]["text"] == "**Days** end at midnight, UTC."


def test_columns_are_described_and_those_that_nothing_is_said_of_stay_as_metabase_found_them(bench: Bench) -> None:
    bench.apply()
    [orders] = [each for each in bench.fake.rows["table"].values() if each["name"] == "orders_daily"]
    columns = {each["name"]: each for each in bench.fake.rows["field"].values() if each["table_id"] == orders["id"]}
    assert orders["display_name"] == "Orders a day"
    assert columns["gmv"]["description"] == "What was paid."
    assert columns["is_mature"]["visibility_type"] == "hidden"
    assert columns["tier"]["semantic_type"] == "type/Category"
    [stamp] = [each for each in bench.fake.rows["table"].values() if each["name"] == "copy_stamp"]
    assert stamp["visibility_type"] == "technical"
    [led] = [each for each in bench.fake.rows["field"].values() if each["fk_target_field_id"]]
    assert (led["name"], led["fk_target_field_id"], led["semantic_type"]) == (
        "region", columns["region"]["id"], "type/FK")  # fmt: skip


def test_groups_look_at_their_folders_and_nobody_asks_questions_of_the_connection(bench: Bench) -> None:
    bench.apply()
    names = {str(each["id"]): each["name"] for each in bench.fake.rows["collection"].values()}
    group = next(str(each) for each, one in bench.fake.groups.items() if one["name"] == "Ops")
    held = {names[each]: may for each, may in bench.fake.collection_graph[group].items()}
    assert {name for name, may in held.items() if may == "read"} == {"Gnomon", "Operations"}
    assert "write" not in held.values()
    everybody = {names.get(each): may for each, may in bench.fake.collection_graph["1"].items()}
    assert (everybody["Operations"], everybody["Cases"], everybody["Models"]) == ("none", "none", "write")
    [access] = bench.fake.database_graph["1"].values()
    assert access["create-queries"] == "no"


def test_a_changed_tile_plans_exactly_that_and_all_ids_stay(bench: Bench) -> None:
    bench.apply()
    before = ids(bench)
    wider = change_tile(bench.wanted, "gmv", width=24, row=20)
    planned = bench.plan(wider)
    assert effects(planned) == {"dashboard 'commerce'": Effect.UPDATE}
    [step] = planned.changes
    assert [(each.path, each.was, each.wanted) for each in step.differences] == [
        ("dashcards.gmv.row", 2, 20),
        ("dashcards.gmv.width", 12, 24),
    ]
    bench.server.clear()
    bench.apply(wider)
    assert [(each.verb, each.path.rpartition("/")[0]) for each in bench.server.sent] == [("PUT", "/api/dashboard")]
    assert ids(bench) == before
    assert bench.plan(wider).is_empty


@pytest.mark.parametrize(
    ("make", "planned"),
    [
        (lambda w: change(w, "cards", "gmv", display="area"), "card 'gmv'"),
        (lambda w: change(w, "cards", "refund_rate", query=w.cards[-2].query), "card 'refund_rate'"),
        (lambda w: change(w, "cards", "cases", query=NativeQuery("select 1 as one")), "card 'cases'"),
        (lambda w: change(w, "collections", "ops", name="Ops"), "collection 'ops'"),
        (lambda w: change(w, "collections", "models", parent="ops"), "collection 'models'"),
        (lambda w: change(w, "alerts", "many_refunds", to=("x@example.com",)), "alert 'many_refunds'"),
        (lambda w: change(w, "subscriptions", "weekly", name="Other"), "subscription 'weekly'"),
        (lambda w: change(w, "groups", "ops", reads=("ops",)), "group 'ops'"),
        (lambda w: change(w, "groups", "ops", name="Ops people"), "group 'ops'"),
        (lambda w: replace(w, database=replace(w.database, details={**w.database.details, "port": 1})),
         "database 'copy'"),
        (lambda w: replace(w, tables=(replace(w.tables[0], description="New."), *w.tables[1:])),
         "table 'serving.orders_daily'"),
    ],
)  # fmt: skip
def test_one_change_of_any_kind_plans_exactly_that(
    bench: Bench, make: Callable[[Wanted], Wanted], planned: str
) -> None:
    bench.apply()
    before = ids(bench)
    changed = make(bench.wanted)
    assert effects(bench.plan(changed)) == {planned: Effect.UPDATE}
    outcome = bench.apply(changed)
    assert ([str(step.ref) for step in outcome.done], outcome.notes) == ([planned], ())
    assert bench.plan(changed).is_empty
    assert (ids(bench), bench.count()) == (before, ALL)


def test_a_tile_that_is_new_and_one_that_goes_leave_the_ids_of_the_others(bench: Bench) -> None:
    bench.apply()
    before = {each["card_id"]: each["id"] for each in row(bench, "dashboard", "Commerce")["dashcards"]}
    commerce = bench.wanted.dashboards[0]
    new = Dashcard("total", "after", 12, 0, 6, 3, card="gmv_total", wires={"days": "days"})
    tiles = (*(each for each in commerce.dashcards if each.key != "refunds"), new)
    changed = change(bench.wanted, "dashboards", "commerce", dashcards=tiles)
    assert effects(bench.plan(changed)) == {
        "dashboard 'commerce'": Effect.UPDATE, "subscription 'weekly'": Effect.UPDATE}  # fmt: skip
    bench.apply(changed)
    after = {each["card_id"]: each["id"] for each in row(bench, "dashboard", "Commerce")["dashcards"]}
    assert {each: one for each, one in after.items() if each in before}.items() <= before.items()
    assert set(before) ^ set(after) == {card(bench, "refunds")["id"], card(bench, "gmv_total")["id"]}
    [pulse] = bench.fake.rows["pulse"].values()
    assert {each["dashboard_card_id"] for each in pulse["cards"]} <= set(after.values())
    assert (len(pulse["cards"]), pulse["archived"]) == (5, False)
    assert bench.plan(changed).is_empty


# What is edited; after a # which part of it.
EDITS: dict[str, Callable[[Bench], Any]] = {
    "subscription 'weekly'#its filter": lambda b: next(iter(b.fake.rows["pulse"].values())).update(
        parameters=[{"id": "region", "value": ["SG"]}]
    ),
    "subscription 'weekly'#when it is empty": lambda b: next(iter(b.fake.rows["pulse"].values())).update(
        skip_if_empty=True
    ),
    "subscription 'weekly'#files": lambda b: next(iter(b.fake.rows["pulse"].values()))["cards"][0].update(
        include_csv=True
    ),
    "dashboard 'commerce'#values of a filter": lambda b: row(b, "dashboard", "Commerce")["parameters"][1].update(
        values_source_type="static-list"
    ),
    "dashboard 'commerce'#one value only": lambda b: row(b, "dashboard", "Commerce")["parameters"][1].update(
        isMultiSelect=False
    ),
    "card 'gmv'": lambda b: card(b, "gmv").update(name="My GMV"),
    "card 'orders'": lambda b: card(b, "orders").update(collection_id=None),
    "card 'cases'": lambda b: card(b, "cases").update(archived=True),
    "card 'refunds'": lambda b: card(b, "refunds")["dataset_query"]["native"].update(query="select 2"),
    "collection 'ops'": lambda b: row(b, "collection", "Operations").update(name="Mine"),
    "dashboard 'appeals'": lambda b: row(b, "dashboard", "Appeals")["dashcards"][0].update(size_x=3),
    "dashboard 'commerce'": lambda b: row(b, "dashboard", "Commerce")["tabs"][0].update(name="Mine"),
    "alert 'many_refunds'": lambda b: next(iter(b.fake.rows["notification"].values())).update(active=False),
    "subscription 'weekly'": lambda b: next(iter(b.fake.rows["pulse"].values()))["channels"][0].update(schedule_hour=3),
    "group 'ops'": lambda b: b.fake.collection_graph["1"].update(
        {str(row(b, "collection", "Operations")["id"]): "write"}
    ),
    "table 'serving.orders_daily'": lambda b: next(
        each for each in b.fake.rows["table"].values() if each["name"] == "orders_daily"
    ).update(description="Mine."),
    "database 'copy'": lambda b: next(iter(b.fake.rows["database"].values()))["details"].update(host="elsewhere"),
}


@pytest.mark.parametrize("edited", EDITS)
def test_what_people_edited_is_told_kept_and_overwritten_by_force_only(bench: Bench, edited: str) -> None:
    bench.apply()
    EDITS[edited](bench)
    edited = edited.partition("#")[0]
    rows = repr(bench.fake.rows), repr(bench.fake.collection_graph)
    planned = bench.plan()
    drifted = {name for name, effect in effects(planned).items() if effect is Effect.DRIFTED}
    assert edited in drifted
    assert len(drifted) == len(effects(planned)) == 1
    bench.server.clear()
    outcome = bench.apply()
    assert (outcome.done, [str(step.ref) for step in outcome.left]) == ((), [edited])
    assert (bench.server.sent, (repr(bench.fake.rows), repr(bench.fake.collection_graph))) == ([], rows)
    bench.apply(force=True)
    assert bench.plan().is_empty
    assert bench.count() == ALL


def test_what_people_said_of_a_table_before_it_was_ours_is_kept(bench: Bench) -> None:
    others = tuple(each for each in bench.wanted.tables if each.address.table != "appeal_cases")
    bench.apply(replace(bench.wanted, tables=others))
    assert effects(bench.plan()) == {"table 'serving.appeal_cases'": Effect.UPDATE}
    table = next(each for each in bench.fake.rows["table"].values() if each["name"] == "appeal_cases")
    table["description"] = "Mine."
    assert effects(bench.plan()) == {"table 'serving.appeal_cases'": Effect.DRIFTED}


def test_an_edit_is_kept_where_the_definition_changed_too_and_the_rest_is_done(bench: Bench) -> None:
    bench.apply()
    card(bench, "gmv")["description"] = "Mine."
    changed = change(change(bench.wanted, "cards", "gmv", display="area"), "cards", "orders", display="line")
    assert effects(bench.plan(changed)) == {"card 'gmv'": Effect.DRIFTED, "card 'orders'": Effect.UPDATE}
    bench.apply(changed)
    assert (card(bench, "gmv")["description"], card(bench, "gmv")["display"]) == ("Mine.", "line")
    assert card(bench, "orders")["display"] == "line"


def test_what_people_deleted_is_told_and_made_again_by_force_only(bench: Bench) -> None:
    bench.apply()
    gone = card(bench, "gmv_total")["id"]
    del bench.fake.rows["card"][gone]
    assert effects(bench.plan()) == {"card 'gmv_total'": Effect.DRIFTED}
    assert bench.apply().done == ()
    bench.apply(force=True)
    assert bench.plan().is_empty
    assert bench.count() == ALL


def test_what_is_no_longer_wanted_is_archived_and_comes_back_with_its_ids(bench: Bench) -> None:
    bench.apply()
    before = ids(bench)
    less = replace(
        drop(drop(bench.wanted, "dashboards", "appeals"), "cards", "cases_model", "gmv_total"),
        subscriptions=(),
        alerts=(),
    )
    assert effects(bench.plan(less)) == {
        "subscription 'weekly'": Effect.ORPHANED,
        "alert 'many_refunds'": Effect.ORPHANED,
        "dashboard 'appeals'": Effect.ORPHANED,
        "card 'cases_model'": Effect.ORPHANED,
        "card 'gmv_total'": Effect.ORPHANED,
    }
    bench.apply(less)
    assert card(bench, "gmv_total")["archived"] is True
    assert bench.count() == {**ALL, "card": 11, "dashboard": 1, "notification": 0, "pulse": 0}
    assert bench.plan(less).is_empty
    bench.apply()
    assert bench.plan().is_empty
    assert (ids(bench), bench.count()) == (before, ALL)


def test_foreign_things_are_untouched_by_applies_and_by_a_destroy(bench: Bench) -> None:
    bench.apply()
    folder = row(bench, "collection", "Operations")["id"]
    query = {"database": 1, "type": "native", "native": {"query": "select 1", "template-tags": {}}}
    theirs = [
        bench.fake._add_card({"name": name, "display": "table", "collection_id": where, "dataset_query": query,
                              "type": "question", "visualization_settings": {}, "description": None})
        for name, where in (("GMV", folder), ("Theirs", None))
    ]  # fmt: skip
    kept = [repr(bench.fake.rows["card"][each["id"]]) for each in theirs]
    assert bench.plan().is_empty
    outcome = bench.destroy()
    assert [repr(bench.fake.rows["card"][each["id"]]) for each in theirs] == kept
    # The folder that others use stays, and so does the one that it is in.
    assert [str(step.ref) for step in outcome.left] == ["collection 'ops'", "collection 'top'"]
    assert bench.count() == {**ALL, "card": 2, "dashboard": 0, "notification": 0, "pulse": 0, "collection": 2}
    assert len(bench.fake.rows["database"]) == 1


def test_a_destroy_archives_what_we_made_and_the_next_apply_brings_it_back_as_it_was(bench: Bench) -> None:
    bench.apply()
    before = ids(bench)
    assert bench.destroy().left == ()
    assert bench.count() == {**ALL, "card": 0, "dashboard": 0, "notification": 0, "pulse": 0, "collection": 0}
    assert bench.destroy().done == ()
    bench.apply()
    assert (ids(bench), bench.count()) == (before, ALL)
    assert bench.plan().is_empty


def test_a_destroy_keeps_what_people_edited_unless_it_is_forced(bench: Bench) -> None:
    bench.apply()
    card(bench, "gmv")["description"] = "Mine."
    outcome = bench.destroy()
    assert "card 'gmv'" in {str(step.ref) for step in outcome.left}
    assert card(bench, "gmv")["archived"] is False
    bench.destroy(force=True)
    assert card(bench, "gmv")["archived"] is True


def test_two_servers_in_one_state_do_not_mix(state: StateDatabase) -> None:
    with open_bench(state) as one, open_bench(state) as other:
        one.apply()
        assert {step.effect for step in other.plan().steps} == {Effect.CREATE}
        other.apply()
        card(one, "gmv")["name"] = "Mine"
        assert effects(one.plan()) == {"card 'gmv'": Effect.DRIFTED}
        assert other.plan().is_empty
        other.destroy()
        assert one.count() == ALL


def test_a_server_that_has_all_of_it_is_adopted_where_nothing_is_remembered(bench: Bench) -> None:
    bench.apply()
    before = ids(bench)
    with_nothing = StateDatabase.open("sqlite://")
    bench.memory = MetabaseMemory(with_nothing, bench.server.url)
    bench.server.clear()
    assert bench.plan().is_empty
    assert (bench.apply().done, bench.server.sent) == ((), [])
    assert effects(bench.plan(change_tile(bench.wanted, "gmv", width=6))) == {"dashboard 'commerce'": Effect.UPDATE}
    bench.apply(change_tile(bench.wanted, "gmv", width=6))
    assert ids(bench) == before
    with_nothing.close()


def test_what_is_there_otherwise_is_drifted_where_nothing_is_remembered(bench: Bench) -> None:
    bench.apply()
    card(bench, "gmv")["display"] = "pie"
    row(bench, "dashboard", "Commerce")["description"] = "Mine."
    with_nothing = StateDatabase.open("sqlite://")
    bench.memory = MetabaseMemory(with_nothing, bench.server.url)
    assert effects(bench.plan()) == {"card 'gmv'": Effect.DRIFTED, "dashboard 'commerce'": Effect.DRIFTED}
    bench.apply()
    assert card(bench, "gmv")["display"] == "pie"
    with_nothing.close()


def test_a_name_that_several_have_is_told_and_nothing_is_made_beside_them(bench: Bench) -> None:
    for _ in range(2):
        bench.fake._add_collection({"name": "Gnomon", "description": None})
    planned = bench.plan()
    step = planned.drifted[0]
    assert not any(each.can_be_forced for each in planned.drifted)
    assert (str(step.ref), step.can_be_forced) == ("collection 'top'", False)
    assert "several have its name there (#1, #2)" in step.why
    for force in (False, True):
        outcome = bench.apply(force=force)
        assert {step.ref.kind for step in outcome.done} <= {"database", "table"}
        assert len(outcome.left) == 24
    assert outcome.left[1].why == "it needs 'Gnomon', which stays otherwise"
    assert sum(each["name"] == "Gnomon" for each in bench.fake.rows["collection"].values()) == 2


def test_a_filter_that_a_subscription_of_others_sets_is_not_taken_away_without_force(bench: Bench) -> None:
    bench.apply()
    dashboard = row(bench, "dashboard", "Commerce")
    tile = dashboard["dashcards"][1]
    bench.fake._add_pulse({
        "name": "Theirs", "dashboard_id": dashboard["id"], "channels": [],
        "cards": [{"id": tile["card_id"], "dashboard_card_id": tile["id"]}],
        "parameters": [{"id": "region", "type": "string/=", "value": ["north"]}],
    })  # fmt: skip
    commerce = bench.wanted.dashboards[0]
    tiles = tuple(replace(x, wires={k: v for k, v in x.wires.items() if k != "region"}) for x in commerce.dashcards)
    less = change(bench.wanted, "dashboards", "commerce", parameters=commerce.parameters[:1], dashcards=tiles)
    [step] = bench.plan(less).drifted
    assert step.why == "subscriptions set filters that go, and would be archived: 'Theirs'"
    bench.apply(less)
    assert not any(each["archived"] for each in bench.fake.rows["pulse"].values())
    bench.apply(less, force=True)
    assert [each["name"] for each in bench.fake.rows["pulse"].values() if each["archived"]] == ["Theirs"]


def test_what_needs_a_thing_that_people_deleted_or_changed_waits_and_the_rest_is_done(bench: Bench) -> None:
    bench.apply()
    gone = card(bench, "gmv")["id"]
    del bench.fake.rows["card"][gone]
    dashboard = row(bench, "dashboard", "Commerce")
    dashboard["dashcards"] = [each for each in dashboard["dashcards"] if each["card_id"] != gone]
    wanted = change_tile(bench.wanted, "words", text="New.")
    wanted = change(wanted, "subscriptions", "weekly", name="Other")
    wanted = change(wanted, "cards", "orders", display="area")
    drifted, updated = Effect.DRIFTED, Effect.UPDATE
    assert effects(bench.plan(wanted)) == {
        "card 'gmv'": drifted, "card 'orders'": updated, "dashboard 'commerce'": drifted,
        "subscription 'weekly'": drifted}  # fmt: skip
    outcome = bench.apply(wanted)
    assert [str(step.ref) for step in outcome.done] == ["card 'orders'"]
    assert bench.apply(wanted, force=True).left == ()
    assert (bench.plan(wanted).is_empty, bench.count()) == (True, ALL)


def test_a_connection_that_people_deleted_holds_back_all_that_stands_on_it(bench: Bench) -> None:
    bench.apply()
    rows = bench.fake.rows
    # Alerts go with their cards, as tiles do.
    for kind in ("database", "table", "field", "card", "notification"):
        rows[kind].clear()
    for each in (*rows["dashboard"].values(), *rows["pulse"].values()):
        each["dashcards" if "dashcards" in each else "cards"] = []
    outcome = bench.apply()
    assert outcome.done == ()
    assert {"database", "table", "card", "dashboard"} <= {step.ref.kind for step in outcome.left}
    bench.apply(force=True)
    assert (bench.plan().is_empty, bench.count()) == (True, ALL)


def test_a_new_folder_is_closed_again_to_who_reads_the_one_that_it_is_in(bench: Bench) -> None:
    bench.apply()
    inner = Collection("inner", "Inner", "", "ops")
    wanted = replace(bench.wanted, collections=(*bench.wanted.collections, inner))
    assert effects(bench.plan(wanted)) == {"collection 'inner'": Effect.CREATE}
    outcome = bench.apply(wanted)
    assert [str(step.ref) for step in outcome.done] == ["collection 'inner'", "group 'ops'"]
    made = row(bench, "collection", "Inner")["id"]
    assert {held.get(str(made), "none") for group, held in bench.fake.collection_graph.items() if group > "2"} == {
        "none"
    }
    assert bench.plan(wanted).is_empty


def test_an_alert_never_changes_its_card(bench: Bench) -> None:
    bench.apply()
    with pytest.raises(DefinitionError, match="alert 'many_refunds' is of card 'refunds' on the server"):
        bench.plan(change(bench.wanted, "alerts", "many_refunds", card="gmv"))


def test_a_sync_that_does_not_end_says_which_tables_are_missing(state: StateDatabase) -> None:
    with open_bench(state, polls=10_000) as bench:
        with pytest.raises(WarehouseError, match=r"stopped at table 'serving\.orders_daily'.*after 300 s"):
            bench.apply()
        assert 300 <= bench.clock.now < 310
        bench.fake.rows["database"][1]["waits"] = 0
        bench.apply()
        assert (bench.plan().is_empty, bench.count()) == (True, ALL)


def test_the_password_is_sent_once_and_never_kept_or_compared(bench: Bench) -> None:
    bench.apply()
    [made] = bench.fake.rows["database"].values()
    assert made["details"]["password"] == "a secret of the fake"
    bench.apply(replace(bench.wanted, database=replace(bench.wanted.database, name="Gnomon's copy")))
    assert made["details"]["password"] == "a secret of the fake"
    assert "a secret of the fake" not in repr(bench.memory.read())
