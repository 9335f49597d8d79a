"""Scenario files say what they mean, all that is wrong in them is told, and a world plays them the same each time."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml

from gnomon.core.errors import DefinitionError, QueryError
from gnomon.simulate.effects import Effects, start_effects
from gnomon.simulate.scenarios import (
    DEFAULT,
    collect_effects,
    list_library,
    load_scenarios,
    log_interventions,
    tell_interventions,
)
from gnomon.simulate.scenarios.kinds import KINDS
from gnomon.simulate.world import World
from tests.played import START, found, live, make, play

PROJECT = Path(__file__).parents[2]
BENIGN = {
    *("fan_push", "live_raid", "trending_audio", "seller_clips", "scheduler"),
    *("shop_staff", "carrier_nat", "resold_phones", "referral_surge", "honest_aigc"),
}


# Files --------------------------------------------------------------------------------------


def write(folder: Path, text: str, name: str = "mine") -> str:
    path = folder / f"{name}.yml"
    path.write_text(text, encoding="utf-8")
    return str(path)


GOOD = """\
name: mine
kind: spam_burst
why: It is here to be tested.
begins: 50%
days: 5
size: 0.02
stealth: 0.4
adaptation: pause
twin: {kind: scheduler, size: 0.02}
"""


def test_the_library_has_every_kind_and_every_file_in_it_is_right() -> None:
    scenarios = load_scenarios(list(list_library()), START, 60)
    assert {scenario.kind for scenario in scenarios} == set(KINDS)
    assert {name for name, kind in KINDS.items() if kind.is_benign} == BENIGN


def test_every_benign_kind_is_the_twin_of_some_attack_in_the_library() -> None:
    scenarios = load_scenarios(list(list_library()), START, 60)
    assert {scenario.kind for scenario in scenarios if scenario.twin_of} == BENIGN


def test_a_file_becomes_a_scenario_and_its_twin(tmp_path: Path) -> None:
    attack, twin = load_scenarios([write(tmp_path, GOOD)], START, 40)
    assert (attack.begins_on, attack.ends_on, attack.stealth, attack.adaptation) == (20, 25, 0.4, "pause")
    assert attack.starts_on == 20 - 1 - 8
    assert (twin.name, twin.twin_of, twin.begins_on, twin.is_benign) == ("mine_twin", "mine", 20, True)


@pytest.mark.parametrize(("begins", "day"), [("50%", 20), ("7", 7), ("2026-03-12", 10)])
def test_a_beginning_is_a_share_a_day_or_a_date(tmp_path: Path, begins: str, day: int) -> None:
    scenarios = load_scenarios([write(tmp_path, GOOD.replace("50%", begins))], START, 40)
    assert {scenario.begins_on for scenario in scenarios} == {day}


def test_all_errors_of_all_files_are_told_at_once_with_line_and_nearest_word(tmp_path: Path) -> None:
    first = write(tmp_path, GOOD.replace("stealth: 0.4", "stelth: 0.4").replace("spam_burst", "spam_brust"), "first")
    second = write(tmp_path, GOOD.replace("mine", "second").replace("pause", "pauze").replace("0.02}", "9}"), "second")
    with pytest.raises(DefinitionError) as caught:
        load_scenarios([first, second], START, 40)
    assert str(caught.value).splitlines() == [
        f"{first}:2: unknown kind 'spam_brust'. Did you mean 'spam_burst' or 'shop_staff'?",
        f"{first}:7: unknown key 'stelth'. Did you mean 'stealth'?",
        f"{second}:8: unknown adaptation 'pauze'. Did you mean 'pause'?",
        f"{second}:9: the size of 'scheduler' is from 0.0001 to 0.3 "
        "(posts a day, as a share of the usual day's uploads), not 9.",
    ]


WIDENING = """\
name: mine
kind: policy_widening
why: Nobody said which.
begins: 1
days: null
size: 0.5
"""
BROKEN = {
    "name: other\nwhy: short": ["'kind' is missing", "'why': string should have at least 10"],
    GOOD.replace("50%", "soon"): ["mine.yml:4: 'soon' is no beginning. Write a date (2026-04-01)"],
    GOOD.replace("50%", "40"): ["mine.yml:4: begins on day 40, but this world has days 0 to 39"],
    GOOD.replace("stealth: 0.4\n", ""): ["mine.yml:2: the kind 'spam_burst' needs 'stealth'"],
    GOOD.replace("0.4", "1.4"): ["mine.yml:7: 'stealth': input should be less than or equal to 1, not 1.4"],
    GOOD + "log: exact\n": ["mine.yml:10: the kind 'spam_burst' takes no 'log'. It takes: regions, stealth, adapt"],
    GOOD + "regions: [ID, Tj]\n": ["mine.yml:10: unknown region 'Tj'. Did you mean 'TH'?"],
    GOOD.replace("scheduler", "spam_burst"): ["mine.yml:9: unknown benign kind 'spam_burst'"],
    GOOD[: GOOD.index("twin")]: ["mine.yml:2: there is no 'twin'. Give one, or say in 'no_twin' why"],
    GOOD.replace("name: mine", "name: yours"): ["mine.yml:1: the scenario is named 'yours', its file 'mine'"],
    GOOD + "name: mine\n": ["mine.yml:10: the key 'name' stands here twice"],
    "- a\n- b\n": ["mine.yml:1: a scenario is a mapping of keys"],
    WIDENING + "log: later\n": ["mine.yml:7: 'log' must be exact, absent, or {days_late: n}"],
    WIDENING + "no_twin: It is a test.\n": ["mine.yml:2: the kind 'policy_widening' needs 'policy'"],
}


@pytest.mark.parametrize(("text", "said"), BROKEN.items())
def test_a_broken_file_is_refused_with_what_is_allowed(tmp_path: Path, text: str, said: list[str]) -> None:
    with pytest.raises(DefinitionError) as caught:
        load_scenarios([write(tmp_path, text)], START, 40)
    assert [part for part in said if part not in str(caught.value)] == [], str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("50%", "2026-13-01", "mine.yml: not YAML: a value is no date or number: month must be in 1..12."),
        ("50%", "'²%'", "mine.yml:4: '²%' is no beginning."),
        ("kind: spam_burst", "kind: [spam_burst]", "mine.yml:2: 'kind': input should be a valid string"),
        ("name: mine", "name: &me [*me]", "mine.yml: a value holds itself"),
        ("days: 5", "days: 99999999999999999999", "mine.yml:5: 'days': input should be less than or equal to 10000"),
    ],
)
def test_values_that_yaml_reads_and_no_scenario_has_are_refused_in_words(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(DefinitionError) as error:
        load_scenarios([write(tmp_path, GOOD.replace(old, new))], START, 40)
    assert said in str(error.value)


def test_a_scenario_named_as_the_twin_of_another_is_refused(tmp_path: Path) -> None:
    files = [write(tmp_path, GOOD), write(tmp_path, GOOD.replace("name: mine", "name: mine_twin"), "mine_twin")]
    for names in (files, files[::-1]):
        with pytest.raises(DefinitionError, match="'mine_twin' is there twice"):
            load_scenarios(names, START, 40)


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(QueryError, match="Did you mean 'farm_lockstep'"):
        load_scenarios(["farm_lockstp"], START, 40)


def test_the_default_world_fits_its_days_and_a_short_one_has_only_what_fits() -> None:
    for days in (60, 90, 120):
        scenarios = load_scenarios(None, START, days)
        assert [scenario.name for scenario in scenarios if scenario.twin_of is None] == list(DEFAULT)
        assert all(scenario.begins_on < days for scenario in scenarios)
    for days in (7, 14, 30, 45):
        for scenario in load_scenarios(None, START, days):
            assert scenario.begins_on + (scenario.days or 7) <= days
            assert scenario.begins_on > round(20 * (scenario.stealth or 0.0)) or scenario.stealth is None


def test_every_kind_and_every_file_is_documented() -> None:
    text = (PROJECT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    assert [name for name in (*KINDS, *list_library()) if f"`{name}`" not in text] == []
    assert [name for name, kind in KINDS.items() if f"| `{name}` | {kind.size} |" not in text] == []


# Interventions ------------------------------------------------------------------------------


def test_the_log_has_the_columns_and_kinds_of_the_seed() -> None:
    world = make(*load_scenarios(list(list_library()), START, 90), days=90)
    rows = log_interventions(world, "raw-1")
    with (PROJECT / "seeds" / "intervention_log.csv").open(encoding="utf-8") as file:
        assert list(rows) == next(csv.reader(file))
    seeds = yaml.safe_load((PROJECT / "seeds" / "_seeds.yml").read_text(encoding="utf-8"))["seeds"]
    log = next(seed for seed in seeds if seed["name"] == "intervention_log")
    (rules,) = log["data_tests"]
    allowed = rules["rules"]["arguments"]["accepted_values"]["intervention_kind"]
    assert set(rows["intervention_kind"].to_pylist()) <= set(allowed)


def test_what_nobody_logged_is_not_in_the_log_and_what_was_logged_late_has_a_later_date() -> None:
    hidden = play("policy_widening", 0.8, 8, policy=3, is_logged=False)
    late = play("threshold_moved", -0.6, 10, days=5, days_late=6)
    world = make(hidden, late, play("spam_burst", 0.02, 3, stealth=0.1), days=40)
    log = log_interventions(world, "raw-1")
    # The widening that every world has, and the late one: on day 16 to 20 in place of 10 to 14.
    assert log["start_date"].to_pylist() == [date(2026, 3, 18), date(2026, 3, 22)]
    assert log["end_date"].to_pylist() == [date(2026, 3, 22), None]
    truth = tell_interventions(world)
    assert truth["intervention"].to_pylist() == ["the_policy_widening", "the_threshold_moved", "misleading_claims_v2"]
    assert truth["begins_at"].to_pylist()[1].date() == date(2026, 3, 12)
    assert truth["is_logged"].tolist() == [False, True, True]
    assert not any("hidden" in note or "the_" in note for note in log["note"].to_pylist())


def test_what_the_platform_does_itself_moves_the_incumbent_while_it_lasts() -> None:
    world = make(
        play("threshold_moved", 0.5, 2, days=3),
        play("enforcement_moved", 0.6, 2, days=3),
        play("policy_widening", 0.8, 2, days=3, policy=4),
        play("campaign_peak", 1.0, 2, days=3, regions=(1,)),
        play("logistics_outage", 4.0, 2, days=3, carrier=1, regions=(0, 4)),
    )
    effects = live(world, 6).effects
    on, off = effects[3], effects[5]
    assert (on.rule_finds, on.rule_errs, round(on.signup_blocks, 6)) == (1.25, 3.5, 0.4)
    assert on.later_bans > 0
    assert on.widened == {4: 0.8}
    assert on.orders.tolist() == [1, 2, 1, 1, 1, 1, 1, 1]
    assert np.argwhere(on.carrier_days).tolist() == [[1, 0], [1, 4]]
    assert np.argwhere(on.carrier_loss).tolist() == [[1, 0], [1, 4]]
    assert (off.rule_finds, off.rule_errs, off.signup_blocks, off.later_bans, off.widened) == (1, 1, 1, 0, {})
    assert off.carrier_days.sum() == 0
    assert off.orders.tolist() == [1] * 8


def test_a_wrong_strategy_mostly_hits_what_is_good_and_says_what_was_right() -> None:
    lived = live(make(play("wrong_strategy", 0.05, 3, days=5)), 9)
    hits = lived.state.actions["scenario"] == 0
    assert hits.sum() >= 15
    right = lived.state.actions["is_right"][hits]
    assert right.mean() < 0.25
    truth = lived.state.items["policy"][lived.state.actions["item"][hits]] >= 0
    assert (right == truth).all()
    assert len(lived.members("hit")) == hits.sum()


# The order of things --------------------------------------------------------------------------


def test_a_world_without_scenarios_has_no_effects() -> None:
    world = make()
    effects = collect_effects(found(world), world.day(0))
    assert effects.registrations + effects.postings + effects.visits + effects.strikes + effects.pushes == []
    usual = start_effects(len(effects.posting))
    assert all((getattr(effects, name) == getattr(usual, name)).all() for name in ("posting", "quality", "demand"))


def test_two_runs_are_equal_and_a_copy_goes_on_as_its_original_does() -> None:
    scenarios = load_scenarios(["matrix_rotated", "farm_lockstep", "spam_burst", "resold_phones"], START, 24)
    world = make(*scenarios, days=24, creators=120)
    whole = live(world, 24)
    half = live(world, 12)
    other = live(world, 12, state=half.state.copy())
    again = live(world, 12, state=half.state)
    for state in (again.state, other.state):
        for name in ("accounts", "creators", "items", "actions"):
            mine, theirs = getattr(state, name), getattr(whole.state, name)
            assert mine.count == theirs.count
            assert all((mine[c] == theirs[c]).all() for c in mine.take(np.zeros(0, dtype=np.int64))), name
    assert whole.state.numbers == again.state.numbers


def test_a_scenario_is_not_moved_by_another_before_it() -> None:
    spam = play("spam_burst", 0.05, 4, stealth=0.2)
    alone, behind = make(spam), make(play("campaign_peak", 0.5, 3), spam)
    first = collect_on(alone, 6).postings[0]
    second = collect_on(behind, 6).postings[0]
    assert len(first.creator) == len(second.creator) > 0
    assert (first.caption == second.caption).all()


def collect_on(world: World, day: int) -> Effects:
    return live(world, day + 1).effects[day]
