"""Benign twins make the signals of attacks and are good in the truth; abuse stays rare."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from gnomon.simulate import content
from gnomon.simulate.engagement import IMPRESSION
from gnomon.simulate.scenarios import load_scenarios, tell_members, tell_scenarios
from gnomon.simulate.world import NONE
from tests.played import START, Lived, live, make, play

BENIGN = {
    *("fan_push", "live_raid", "trending_audio", "seller_clips", "scheduler"),
    *("shop_staff", "carrier_nat", "resold_phones", "referral_surge", "honest_aigc"),
}


# Benign twins -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good_world() -> Lived:
    """Every benign kind at once, large enough to be seen."""
    sizes = {"referral_surge": 1.0, "resold_phones": 0.5, "carrier_nat": 0.1, "trending_audio": 0.3, "live_raid": 0.2}
    scenarios = [play(kind, sizes.get(kind, 0.05), 4, days=8) for kind in sorted(BENIGN)]
    return live(make(*scenarios, days=20, creators=600, scale="small"), 14)


def number_of(lived: Lived, kind: str) -> int:
    return [scenario.kind for scenario in lived.world.scenarios].index(kind)


def test_what_benign_twins_upload_and_register_is_good_in_the_truth(good_world: Lived) -> None:
    state = good_world.state
    made = state.items["scenario"] >= 0
    assert made.sum() > 100
    assert (state.items["policy"][made] == NONE).all()
    for kind in ("shop_staff", "referral_surge", "resold_phones", "carrier_nat"):
        touched = good_world.members("touched", number_of(good_world, kind))
        assert len(touched) > 10, kind
        assert not state.accounts["is_fake"][touched].any()
        assert (state.accounts["operator"][touched] < 0).all()
    assert tell_scenarios(good_world.world)["is_benign"].all()


def test_fans_and_raids_come_at_once(good_world: Lived) -> None:
    visits = [visit for effects in good_world.effects for visit in effects.visits]
    items = good_world.state.items
    for kind, least in (("fan_push", 30), ("live_raid", 100)):
        mine = [visit for visit in visits if visit.scenario == number_of(good_world, kind)]
        item, shown = (np.concatenate([getattr(visit, name) for visit in mine]) for name in ("item", "shown_at"))
        assert len(item) > least
        since = shown - items["uploaded_at"][item]
        assert (since > 0).all()
        assert np.median(since) < 20 * 60
        # They are not only sent: they are seen.
        pairs = np.concatenate([act.viewer * 2**31 + act.item for act in good_world.acts])
        sent = np.concatenate([visit.viewer for visit in mine]) * 2**31 + item
        assert np.isin(sent, pairs).mean() > 0.9
        if kind == "live_raid":
            assert (items["kind"][item] == content.LIVE).all()
            assert (since * 1000 < items["duration"][item]).all()


def test_a_seller_hands_out_the_same_clip_to_many_creators(good_world: Lived) -> None:
    items, made = good_world.state.items, good_world.items(number_of(good_world, "seller_clips"))
    assert len(np.unique(items["product"][made])) == 1
    assert len(np.unique(items["media"][made])) <= 3 < len(np.unique(items["creator"][made]))


def test_a_scheduler_posts_at_exact_minutes_and_honest_aigc_is_declared(good_world: Lived) -> None:
    items = good_world.state.items
    made = good_world.items(number_of(good_world, "scheduler"))
    assert (items["uploaded_at"][made] % (15 * 60) == 0).all()
    generated = good_world.items(number_of(good_world, "honest_aigc"))
    assert items["is_declared"][generated].all()
    assert items["is_aigc"][generated].all()


def test_a_trend_is_on_many_items_while_it_lasts(good_world: Lived) -> None:
    audio, share = good_world.effects[7].trending[0]
    uploaded, uses = good_world.state.items["uploaded_at"], good_world.state.items["audio"] == audio
    assert 0.1 < share <= 0.3
    assert (
        uses[(uploaded >= good_world.world.day(7).begins_at) & (uploaded < good_world.world.day(8).begins_at)].mean()
        > 0.1
    )
    assert not uses[uploaded < good_world.world.day(4).begins_at].any()
    assert not uses[uploaded >= good_world.world.day(12).begins_at].any()


def test_staff_share_a_tablet_and_customers_of_a_carrier_its_networks(good_world: Lived) -> None:
    accounts = good_world.state.accounts
    staff = good_world.members("touched", number_of(good_world, "shop_staff"))
    assert len(np.unique(accounts["network"][staff])) == len(staff) / 5
    moved = good_world.members("touched", number_of(good_world, "carrier_nat"))
    assert len(np.unique(accounts["network"][moved])) <= 3 * 8 < len(moved)


def test_a_resold_phone_has_two_owners_one_after_the_other(good_world: Lived) -> None:
    accounts = good_world.state.accounts
    touched = good_world.members("touched", number_of(good_world, "resold_phones"))
    new = touched[accounts["registered_at"][touched] >= good_world.world.start]
    former = np.setdiff1d(touched, new)
    assert len(new) == len(former) > 10
    # The former owner has another phone now: nobody holds it together with the new one.
    assert not np.isin(accounts["device"][former], accounts["device"][new]).any()


def test_abuse_in_the_default_world_stays_rare() -> None:
    world = make(*load_scenarios(None, START, 60), days=60, creators=600, scale="small")
    lived = live(world, 60)
    harmful = [number for number, scenario in enumerate(world.scenarios) if scenario.stealth is not None]
    members = sum(len(lived.members("member", number)) for number in harmful)
    assert 0.002 < members / lived.state.accounts.count < 0.035
    shown = [(act.item[act.event == IMPRESSION], act.viewer[act.event == IMPRESSION]) for act in lived.acts]
    item, viewer = (np.concatenate([part[place] for part in shown]) for place in range(2))
    of_items = np.isin(lived.state.items["scenario"][item], harmful)
    sent = sum(len(visit.item) for effects in lived.effects for visit in effects.visits if visit.scenario in harmful)
    assert 0.002 < (of_items.sum() + sent) / len(viewer) < 0.035


def test_the_truth_tells_who_was_part_of_what() -> None:
    world = make(*load_scenarios(["spam_burst"], START, 30), creators=600)
    lived = live(world, 14)
    told = tell_scenarios(world)
    assert told["scenario"].to_pylist() == ["spam_burst", "spam_burst_twin"]
    assert told["twin_of"].to_pylist() == [None, "spam_burst"]
    assert told["stealth"].to_pylist() == [0.35, None]
    starts, begins, ends = (told[name].to_pylist()[0].date() for name in ("starts_at", "begins_at", "ends_at"))
    assert starts < begins == date(2026, 3, 8) < ends == date(2026, 3, 16)
    members = lived.members()
    assert (lived.state.accounts["operator"][members] == lived.state.numbers["scenario.0.operator"]).all()
    told_items = [item for item in tell_members(world, lived.state)["content_id"].to_pylist() if item is not None]
    ours = (lived.state.items["scenario"] >= 0).sum() + (lived.state.actions["scenario"] >= 0).sum()
    assert len(told_items) == ours
