"""Findings, actions, reports and standing come as in life: late, and from people and rules that err."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from gnomon.simulate import enforcement, policies, queue, reports, status
from gnomon.simulate.effects import Strikes, start_effects
from gnomon.simulate.policies import COUNTERFEIT, MISLEADING, SPAM
from gnomon.simulate.queue import Team
from gnomon.simulate.rulings import tell_truth
from gnomon.simulate.spells import BAN, LIMIT, SUSPEND
from gnomon.simulate.state import State
from gnomon.simulate.world import DAY, HOUR, NEVER, NONE, Day, Ints
from tests.small_world import THAILAND, Play, play_fifty_days


@pytest.fixture(scope="module")
def played() -> Play:
    """Fifty days of the small world; nothing in a test may change it."""
    return play_fifty_days()


def seconds(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.to_numpy().astype("datetime64[s]").astype(np.int64))


# The queue -----------------------------------------------------------------------------------


def put_many(state: State, team: Team, count: int, day: Day, priority: float = 0.0) -> None:
    thing = np.arange(count)
    # As many of each language as its regions have.
    language = np.repeat(np.arange(6), [21, 9, 9, 7, 5, 9])[thing % 60]
    queue.put(state, team, thing, language, np.full(count, day.begins_at - HOUR), np.full(count, priority))


def test_a_queue_is_worked_by_priority_and_age_inside_local_hours() -> None:
    play, team = Play(), Team("test", 60.0)
    early, late = play.day.begins_at - 2 * DAY, play.day.begins_at - HOUR
    thai = np.full(60, THAILAND)
    priority = np.where(np.arange(60) < 5, 3.0, 0.0)
    arrived = np.where(np.arange(60) >= 55, early, late)
    queue.put(play.state, team, np.arange(60), thai, arrived, priority)
    worked = queue.work(play.state, play.day, team)
    assert 5 < len(worked.thing) < 55
    # The urgent ones first, then those that had waited longest.
    assert set(worked.thing[:5].tolist()) == set(range(5))
    assert set(worked.thing[5 : min(10, len(worked.thing))].tolist()) <= set(range(55, 60))
    local = (worked.worked_at + 7 * HOUR) % DAY / HOUR
    assert local.min() >= 9
    assert local.max() < 21
    assert (np.diff(worked.worked_at) >= 0).all()


def test_nothing_is_worked_before_it_arrives_and_nothing_twice() -> None:
    play, team = Play(), Team("test", 60.0)
    thing = np.arange(200)
    arrived = play.day.begins_at + thing * HOUR // 4
    queue.put(play.state, team, thing, thing % 6, arrived, np.zeros(200))
    done: list[int] = []
    for number in range(8):
        worked = queue.work(play.state, play.world.day(number), team)
        assert (worked.worked_at >= arrived[worked.thing]).all()
        done += worked.thing.tolist()
    assert sorted(done) == list(range(200))


def test_a_burst_makes_a_queue_grow_and_the_team_follows_slowly() -> None:
    play, team = Play(), Team("test", 60.0)
    loads = []
    for number in range(40):
        put_many(play.state, team, 240 if 10 <= number < 14 else 60, play.world.day(number))
        worked = queue.work(play.state, play.world.day(number), team)
        loads.append(float(worked.load.max()))
    assert np.median(loads[:9]) < 1.2
    assert max(loads[10:16]) > 3.0
    assert np.median(loads[-5:]) < 1.2


def test_things_that_nobody_came_to_can_be_closed() -> None:
    play, team = Play(), Team("test", 6.0)
    put_many(play.state, team, 300, play.day)
    queue.close(play.state, team, play.day.begins_at)
    assert queue.count_waiting(play.state, team) == 0


def test_reviewers_err_more_under_load_and_in_thai() -> None:
    luck = (np.arange(20_000) + 0.5) / 20_000
    truth = np.arange(20_000) % 2 == 0

    def err(language: int, load: float) -> tuple[float, float]:
        says = queue.judge(luck, truth, np.full(len(luck), language), load, 0.07, 0.02)
        return float((~says[truth]).mean()), float(says[~truth].mean())

    assert err(0, 0.5) == pytest.approx((0.07, 0.02), abs=0.001)
    assert err(THAILAND, 0.5) == pytest.approx((0.16, 0.04), abs=0.001)
    assert err(0, 2.0) == pytest.approx((0.105, 0.03), abs=0.001)
    # Nobody gets worse without end.
    assert err(0, 9.0) == err(0, 3.0)


# Policies ------------------------------------------------------------------------------------


def test_a_widening_by_a_scenario_is_a_new_version_and_its_end_another() -> None:
    play = Play().live(2)
    wide = start_effects(play.creators)
    wide.widened = {COUNTERFEIT: 0.5}
    play.live(3, effects=wide).live(1)
    moments = play.world.start + DAY * np.array([0, 1, 2, 4, 5])
    versions = policies.find_versions_in_force(play.state, np.full(5, COUNTERFEIT), moments)
    assert versions.tolist() == [1, 1, 2, 2, 3]
    posted = [row for row in play.read("policy_versions").to_pylist() if row["policy_id"] == "counterfeit"]
    assert [row["policy_version"] for row in posted] == [1, 2, 3]
    assert [row["change_note"].split(":")[0] for row in posted] == ["First version.", "Widened", "Narrowed"]


def test_version_2_of_misleading_claims_is_announced_before_the_middle_of_the_world(played: Play) -> None:
    rows = [row for row in played.read("policy_versions").to_pylist() if row["policy_version"] == 2]
    assert [row["policy_id"] for row in rows] == ["misleading_claims"]
    assert all(row["ingested_at"] < row["occurred_at"] for row in rows)
    widened = played.world.widened_at
    found = policies.find_versions_in_force(played.state, np.full(2, MISLEADING), np.array([widened - 1, widened]))
    assert found.tolist() == [1, 2]
    assert policies.find_versions(played.world, np.full(2, MISLEADING), np.array([widened - 1, widened])).tolist() == [
        1,
        2,
    ]


# Findings and actions ------------------------------------------------------------------------


def test_an_item_is_found_once_and_only_after_its_upload(played: Play) -> None:
    found = played.state.violations
    of_item = found["item"] >= 0
    item = found["item"][of_item]
    assert len(np.unique(item)) == len(item) > 100
    assert (found["decided_at"][of_item] > played.state.items["uploaded_at"][item]).all()
    assert set(np.unique(found["detected_by"]).tolist()) == {0, 1, 2}


def test_most_of_what_is_found_is_bad_and_not_all_that_is_bad_is_found(played: Play) -> None:
    items = played.state.items
    bad, found = items["policy"] >= 0, items["violation"] >= 0
    assert 0.4 < found[bad].mean() < 0.9
    assert 0.0 < found[~bad].mean() < 0.02
    told = tell_truth(played.state)
    assert len(told["is_right"]) == played.state.actions.count
    assert 0.75 < told["is_right"].mean() < 0.99


def test_what_is_removed_is_out_of_sight_until_it_is_restored(played: Play) -> None:
    items = played.state.items
    removed = np.flatnonzero(items["removed_at"] < NEVER)
    returned = removed[items["returned_at"][removed] < NEVER]
    assert len(returned) > 2
    hidden = enforcement.hides(played.state, removed, items["removed_at"][removed])
    assert hidden.all()
    assert not enforcement.hides(played.state, removed, items["uploaded_at"][removed]).any()
    back = returned[played.state.creators["banned_at"][items["creator"][returned]] >= NEVER]
    assert not enforcement.hides(played.state, back, items["returned_at"][back]).any()


def test_a_limited_item_of_a_limited_creator_keeps_a_part_of_both_reaches() -> None:
    play = Play()
    play.upload()
    play.state.items["limited_at"][3] = play.day.begins_at
    play.state.items["creator"][3] = 7
    for name, moment in (("limited_at", 0), ("limited_until", 5 * DAY)):
        play.state.creators[name][7] = play.day.begins_at + moment
    moments = np.array([play.day.ends_at, play.day.begins_at + 6 * DAY, play.day.ends_at])
    kept = enforcement.slows(play.state, np.array([3, 3, 20]), moments)
    assert kept.tolist() == pytest.approx([0.24, 0.4, 1.0])


def climb(violations: int) -> Play:
    """Give creator 0 so many rule findings of bad items on the first day."""
    play = Play()
    effects = start_effects(play.creators)
    effects.rule_finds = 100.0
    item = play.upload(np.zeros(40, dtype=np.int64), np.full(40, SPAM))
    play.state.items["uploaded_at"][item] = play.day.begins_at + np.arange(40)
    play.state.items["policy"][item[violations:]] = NONE
    effects.rule_errs = 0.0
    enforcement.enforce(play.state, play.day, effects)
    # Rules take hours: what they find on later days is left out here.
    later = play.state.agenda.take("enforcement.rules", int(NEVER))
    assert len(later["at"]) < violations
    return play


@pytest.mark.parametrize(
    ("violations", "action", "name"), [(5, LIMIT, "limited"), (10, SUSPEND, "suspended"), (30, BAN, "banned")]
)
def test_repeaters_climb_the_ladder_in_the_night_after(violations: int, action: int, name: str) -> None:
    play = climb(violations)
    count = int(play.state.creators["violation_count"][0])
    assert {LIMIT: 3, SUSPEND: 6, BAN: 12}[action] <= count
    play.close()
    night = int(play.state.creators[f"{name}_at"][0])
    assert play.day.begins_at <= night < play.day.begins_at + HOUR
    of_creator = play.state.actions["creator"] == 0
    assert (play.state.actions["item"][of_creator] >= 0).all()
    enforcement.enforce(play.state, play.day, start_effects(play.creators))
    done = play.state.actions
    rung = np.flatnonzero((done["item"] < 0) & (done["creator"] == 0))
    assert done["action"][rung].tolist() == [action]
    assert done["is_right"][rung].all()
    assert enforcement.is_suspended(play.state, np.array([0]), np.array([night])).tolist() == [action != LIMIT]


def test_rows_of_actions_and_appeals_grow_by_versions_that_know_no_future(played: Play) -> None:
    for table, key, moments in (
        ("enforcements", "enforcement_id", ("notified_at", "restored_at")),
        ("appeals", "appeal_id", ("decided_at",)),
        ("quality_reviews", "quality_review_id", ("reviewed_at",)),
    ):
        rows = played.read(table)
        known = seconds(rows["ingested_at"])
        assert (known >= seconds(rows["occurred_at"])).all()
        for name in moments:
            there = ~rows[name].is_null().to_numpy()
            assert there.any()
            assert (seconds(rows[name].filter(pa.array(there))) <= known[there]).all(), name
        versions = rows.group_by([key, "ingested_at"]).aggregate([([], "count_all")])
        assert versions["count_all"].to_pylist() == [1] * rows.num_rows
        assert len(rows) >= len(rows[key].unique())
    assert len(played.read("enforcements")) > 1.2 * len(played.read("enforcements")["enforcement_id"].unique())


def test_ids_follow_time(played: Play) -> None:
    for table, key in (
        ("violations", "violation_id"),
        ("enforcements", "enforcement_id"),
        ("appeals", "appeal_id"),
        ("user_reports", "user_report_id"),
    ):
        rows = played.read(table).sort_by(key)
        assert (np.diff(seconds(rows["occurred_at"])) >= 0).all(), table
    rows = played.read("quality_reviews").sort_by("quality_review_id")
    assert (np.diff(seconds(rows["reviewed_at"])) >= 0).all()


def test_a_creator_who_is_wrongly_hit_loses_favour_and_regains_it() -> None:
    play = Play(bad_share=0.0).live(3)
    item = int(np.flatnonzero(play.state.items["creator"] == 33)[0])
    wrong = Strikes(0, np.array([33]), np.array([item]), np.array([LIMIT]), np.array([play.day.begins_at + 5]), False)
    effects = start_effects(play.creators)
    effects.strikes = [wrong]
    play.live(1, effects=effects)
    assert play.state.creators["favour"][33] == pytest.approx(0.7)
    play.live(10)
    assert play.state.creators["favour"][33] == pytest.approx(0.7 * 1.02**10)
    rows = [row for row in play.read("enforcements").to_pylist() if row["decision_source"] == "strategy"]
    assert {(row["action"], row["scope"], row["violation_id"]) for row in rows} == {("limit_reach", "content", None)}
    done = play.state.actions
    struck = np.flatnonzero(done["scenario"] == 0)
    assert done["is_right"][struck].tolist() == [False]


def test_more_fakes_are_found_later_when_enforcement_moves_there() -> None:
    usual, moved = Play(viewers=2000).live(10), Play(viewers=2000)
    effects = start_effects(moved.creators)
    effects.later_bans = 0.3
    moved.live(10, effects=effects)
    closed = [(play.state.accounts["left_at"] < NEVER) for play in (usual, moved)]
    fake = usual.state.accounts["is_fake"]
    assert closed[0][fake].mean() < 0.2 < 0.8 < closed[1][fake].mean()
    # Who is found usually is found then too: the luck is the same.
    assert (closed[0] <= closed[1]).all()
    bans = [row for row in moved.read("violations").to_pylist() if row["content_id"] is None]
    assert len(bans) >= 15
    assert all(row["creator_id"] > f"a{moved.creators:09d}" for row in bans)


# Reports -------------------------------------------------------------------------------------


def test_bad_items_are_reported_far_more_and_reviewers_get_each_item_once(played: Play) -> None:
    items, counts = played.state.items, played.state.others[reports.COUNTS]
    bad = items["policy"][: counts.count] >= 0
    assert counts["items"][bad].mean() > 8 * counts["items"][~bad].mean() > 0
    posted = played.read("user_reports")
    assert set(posted["target_type"].to_pylist()) == {"content", "account"}
    of_items = sum(kind == "content" for kind in posted["target_type"].to_pylist())
    # The last minutes' reports are not known yet.
    assert 0 <= counts["items"].sum() - of_items < 10


def test_a_finding_after_a_report_comes_after_the_report_is_known(played: Play) -> None:
    first: dict[str, object] = {}
    for row in played.read("user_reports").sort_by("ingested_at").to_pylist():
        first.setdefault(str(row["target_id"]), row["ingested_at"])
    found = [row for row in played.read("violations").to_pylist() if row["detected_by"] == "user_report"]
    assert len(found) > 20
    assert all(first[row["content_id"]] <= row["occurred_at"] for row in found)  # type: ignore[operator]


# Standing ------------------------------------------------------------------------------------


def test_a_creators_first_row_comes_with_its_account(played: Play) -> None:
    accounts = played.read_latest("accounts", "account_id")
    first: dict[str, dict[str, object]] = {}
    for row in played.read("creator_status").sort_by("occurred_at").to_pylist():
        first.setdefault(row["creator_id"], row)
    assert len(first) == played.creators
    for creator, row in first.items():
        assert (row["occurred_at"], row["ingested_at"]) == tuple(
            accounts[creator][name] for name in ("occurred_at", "ingested_at")
        )


def test_a_creator_has_one_row_a_second_and_each_says_something_new(played: Play) -> None:
    rows = (
        played.read("creator_status").sort_by([("creator_id", "ascending"), ("occurred_at", "ascending")]).to_pylist()
    )
    for before, after in pairwise(rows):
        if before["creator_id"] == after["creator_id"]:
            assert before["occurred_at"] < after["occurred_at"]
            assert any(before[name] != after[name] for name in ("tier", "status", "agency_id"))
    assert {row["status"] for row in rows} >= {"active", "limited", "suspended"}


def test_tiers_follow_views_with_luck_and_a_step_at_a_time() -> None:
    play = Play(bad_share=0.0)
    play.state.creators["tier"] = np.full(play.creators, status.SILVER)
    play.upload()
    enforcement.enforce(play.state, play.day, start_effects(play.creators))
    play.close()
    play.state.items["view_count"] = 1000 * np.arange(play.creators)
    play.state.next_day = 30
    play.close()
    tier = play.state.creators["tier"]
    assert (tier[:20] == status.BRONZE).all()
    assert tier[-3:].mean() > tier[:30].mean() + 1.0
    rows = play.read("creator_status").to_pylist()
    assert {row["tier"] for row in rows if row["occurred_at"].date() == date(2026, 4, 1)} == {"bronze", "gold"}


# All of it -----------------------------------------------------------------------------------


def test_two_runs_are_equal_and_a_copy_goes_on_as_the_original_does() -> None:
    one, other = Play().live(15), Play().live(15)
    twin = Play()
    twin.state = one.state.copy()
    one.live(5)
    other.live(5)
    twin.live(5)
    for table in ("violations", "enforcements", "appeals", "creator_status", "quality_reviews", "user_reports"):
        assert one.read(table).equals(other.read(table)), table
        assert pa.concat_tables(one.known[table][-3:]).equals(pa.concat_tables(twin.known[table][-3:])), table


def test_a_state_without_items_or_views_lives_too() -> None:
    play = Play()
    for _ in range(9):
        enforcement.enforce(play.state, play.day, start_effects(play.creators))
        reports.report(play.state, play.day, play.watch())
        play.close()
    assert play.state.violations["item"].tolist() == [NONE] * play.state.violations.count
