"""Attacks look as their stealth says, answer what is done to them, and hide from single features when they hide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gnomon.simulate import policies
from gnomon.simulate.engagement import COMMENT, FOLLOW, IMPRESSION, LIKE, VIEW
from gnomon.simulate.state import State
from gnomon.simulate.world import DAY, HOUR, NEVER, NONE, REGION_HOURS, Day, Floats, Ints
from tests.played import Lived, live, make, play
from tests.worlds import measure_auc

# Attacks ------------------------------------------------------------------------------------


def test_without_stealth_an_operator_has_few_devices_bursts_and_the_same_captions() -> None:
    lived = live(make(play("spam_burst", 0.3, 5, days=4, stealth=0.0), creators=900), 9)
    state, items, members = lived.state, lived.items(), lived.members()
    assert len(members) > 4
    assert len(items) > 60
    assert len(np.unique(state.accounts["device"][members])) <= len(members) / 4 + 1
    assert np.ptp(state.accounts["registered_at"][members]) < 25 * 60
    assert len(np.unique(state.items["caption"][items])) < len(items) / 4
    # Two bursts a day: nearly all of a day's items are within half an hour of another.
    gaps = np.diff(state.items["uploaded_at"][items])
    assert np.median(gaps) < 60


def test_with_stealth_it_has_many_devices_spread_hours_and_mostly_old_accounts() -> None:
    lived = live(make(play("spam_burst", 0.1, 22, stealth=0.95), creators=900), 30)
    state, items, members = lived.state, lived.items(), lived.members()
    assert len(np.unique(state.accounts["device"][members])) > 0.8 * len(members)
    assert len(np.unique(state.items["caption"][items])) > 0.8 * len(items)
    assert (state.accounts["registered_at"][members] < lived.world.start).mean() > 0.5
    hours = (state.items["uploaded_at"][items] // HOUR + REGION_HOURS[0]) % 24
    assert len(np.unique(hours)) > 10


def test_the_farm_in_lockstep_comes_within_minutes_of_the_upload() -> None:
    lived = live(make(play("engagement_farm", 0.05, 5, stealth=0.0), creators=600), 20)
    visits = [visit for effects in lived.effects for visit in effects.visits if visit.scenario == 0]
    item, shown = (np.concatenate([getattr(visit, name) for visit in visits]) for name in ("item", "shown_at"))
    assert len(item) > 200
    since = shown - lived.state.items["uploaded_at"][item]
    assert (since < HOUR).mean() > 0.3
    viewer = np.concatenate([visit.viewer for visit in visits])
    assert set(viewer.tolist()) <= set(lived.members().tolist())
    creators = lived.state.creators["account"][lived.state.items["creator"][item]]
    assert set(creators.tolist()) <= set(lived.members("client").tolist())


def test_misleading_claims_are_of_a_product_and_its_buyers_are_disappointed() -> None:
    lived = live(make(play("misleading_claims", 0.1, 4, stealth=0.2), creators=600), 12)
    products = lived.effects[-1].deceptive_products
    assert len(products) >= 1
    assert 0 < min(products.values()) < 1
    items = lived.items()
    assert (lived.state.items["policy"][items] == policies.MISLEADING).mean() > 0.7
    assert np.isin(lived.state.items["product"][items], list(products)).mean() > 0.6


def test_the_best_creators_post_less_while_supply_drops() -> None:
    lived = live(make(play("supply_drop", 0.5, 3, days=4)), 9)
    hit = lived.effects[4].posting < 1
    assert 0.05 < hit.mean() < 0.4
    assert set(np.unique(lived.effects[4].posting)) == {0.5, 1.0}
    assert lived.state.creators["quality"][: len(hit)][hit].mean() > lived.state.creators["quality"].mean() + 0.1
    assert (lived.effects[8].posting == 1).all()


def test_an_attack_on_registration_registers_fakes_day_by_day_and_is_blocked_often() -> None:
    lived = live(make(play("registration_attack", 2.0, 5, days=3, stealth=0.1), creators=900), 10)
    state, members = lived.state, lived.members()
    days = (state.accounts["registered_at"][members] - lived.world.start) // DAY
    assert set(days.tolist()) == {5, 6, 7}
    assert state.accounts["is_fake"][members].all()
    usual = 0.25 * (900 + 7500) / 30
    assert len(members) == pytest.approx(3 * 2.0 * usual, rel=0.05)
    tries = np.concatenate([part.blocked for effects in lived.effects for part in effects.registrations])
    assert tries.mean() > 0.8


# Adaptation ---------------------------------------------------------------------------------


def strike(state: State, creators: Ints, moment: int, scenario: int, ban: bool) -> None:
    """Write an action against each creator into the ledger, as the incumbent or somebody outside takes it."""
    nothing = np.full(len(creators), NONE)
    columns = dict.fromkeys(state.actions.take(np.zeros(0, dtype=np.int64)), nothing)
    columns |= {
        "creator": creators,
        "acted_at": np.full(len(creators), moment),
        "scenario": np.full(len(creators), scenario),
    }
    for name in ("notified_at", "restored_at"):
        columns[name] = np.full(len(creators), NEVER)
    state.actions.append(**columns)
    if ban:
        state.creators["banned_at"][creators] = moment
        state.creators["banned_until"][creators] = NEVER


def meddle_on(day: int, ban: bool, scenario: int = -2, share: float = 1.0) -> Callable[[State, Day], None]:
    def meddle(state: State, today: Day) -> None:
        if today.number == day:
            crew = state.others["scenario.0"]
            chosen = crew["creator"][crew["creator"] >= 0]
            # Yesterday's action, which today's operator has had a night to notice.
            strike(state, chosen[: max(1, round(share * len(chosen)))], today.begins_at - HOUR, scenario, ban)

    return meddle


def count_posts(lived: Lived) -> list[int]:
    return [sum(len(part.creator) for part in effects.postings if part.scenario == 0) for effects in lived.effects]


@pytest.mark.parametrize("scenario", [-1, -2])
def test_an_operator_that_pauses_stops_after_being_hit_whoever_decided_it(scenario: int) -> None:
    spam = play("spam_burst", 0.3, 4, stealth=0.0, adaptation="pause")
    meddle = meddle_on(7, ban=False, scenario=scenario)
    posts = count_posts(live(make(spam, creators=600), 12, enforced=False, meddle=meddle))
    assert min(posts[5:7]) > 0
    assert posts[7:10] == [0, 0, 0]
    stubborn = make(replace(spam, adaptation="none"), creators=600)
    assert min(count_posts(live(stubborn, 12, enforced=False, meddle=meddle))[5:]) > 0


def test_an_operator_that_replaces_accounts_registers_as_many_as_it_lost() -> None:
    spam = play("spam_burst", 0.3, 4, stealth=0.0, adaptation="replace_accounts")
    lived = live(make(spam, creators=600), 11, enforced=False, meddle=meddle_on(7, ban=True))
    crew = lived.state.others["scenario.0"]
    lost = crew["gone_at"] < NEVER
    fresh = crew["since"] >= lived.world.day(7).begins_at
    assert lost.sum() == fresh.sum() > 1
    assert (crew["creator"][fresh] >= 0).all()
    posts = count_posts(lived)
    assert posts[7] == 0
    assert min(posts[9:]) > 0
    # Without stealth they come from the devices of the first wave's kind: a few for all.
    assert len(np.unique(lived.state.accounts["device"][crew["account"][fresh]])) <= fresh.sum() / 2


def test_an_operator_that_probes_keeps_what_is_not_hit_and_lowers_what_is() -> None:
    spam = play("spam_burst", 0.6, 4, stealth=0.3, adaptation="probe_thresholds")
    before = live(make(spam, creators=600), 7, enforced=False)
    volume = before.state.others["scenario.0"]["volume"].copy()
    creators = before.state.others["scenario.0"]["creator"].copy()
    assert np.ptp(np.log(volume)) > 0.5
    after = live(before.world, 1, state=before.state, enforced=False, meddle=meddle_on(7, ban=False, share=0.3))
    now = after.state.others["scenario.0"]["volume"]
    struck = np.isin(creators, creators[: max(1, round(0.3 * len(creators)))])
    assert (now[struck] < 0.7 * volume[struck]).all()
    noticed = after.state.others["scenario.0"]["hit_at"] < NEVER
    assert (now[~noticed] >= volume[~noticed]).all()


# Hiding -------------------------------------------------------------------------------------

Features = dict[str, Floats]


def count_others(codes: Ints) -> Floats:
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return np.where(codes < 0, 0, counts[inverse]).astype(float)


def mean_by(group: Ints, values: object, size: int) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.bincount(group, weights=np.asarray(values, dtype=float), minlength=size) / np.bincount(
            group, minlength=size
        )


def describe_creators(lived: Lived, since: int) -> tuple[Features, Ints]:
    """Return features of the creators who posted since that moment, and their accounts."""
    items, creators, accounts = lived.state.items, lived.state.creators, lived.state.accounts
    recent = np.flatnonzero(items["uploaded_at"] >= since)
    who, count = items["creator"][recent], creators.count
    moments = items["uploaded_at"][recent]
    local = (moments // HOUR + REGION_HOURS[accounts["region"][creators["account"][who]]]) % 24
    posts = np.bincount(who, minlength=count).astype(float)
    days = np.bincount(np.unique(np.stack([who, moments // DAY]), axis=1)[0], minlength=count)
    distinct = np.bincount(np.unique(np.stack([who, items["caption"][recent]]), axis=1)[0], minlength=count)
    acts = [np.concatenate([getattr(act, name) for act in lived.acts]) for name in ("item", "event", "viewer")]
    seen = items["uploaded_at"][acts[0]] >= since
    whose, event, viewer = items["creator"][acts[0][seen]], acts[1][seen], acts[2][seen]
    views = np.bincount(whose[event == VIEW], minlength=count).astype(float)
    viewers = np.bincount(np.unique(np.stack([whose, viewer]), axis=1)[0], minlength=count)
    active = np.flatnonzero(posts)
    with np.errstate(invalid="ignore", divide="ignore"):
        features: Features = {
            "posts": posts,
            "posts a day": posts / days,
            "night share": mean_by(who, local < 6, count),
            "second": mean_by(who, moments % 60, count),
            "distinct captions": distinct / posts,
            "repeated captions": mean_by(who, count_others(items["caption"][recent]) > 1, count),
            "repeated media": mean_by(who, count_others(items["media"][recent]) > 1, count),
            "links": mean_by(who, items["link"][recent] >= 0, count),
            "products": mean_by(who, items["product"][recent] >= 0, count),
            "declared": mean_by(who, items["is_declared"][recent], count),
            "videos": mean_by(who, items["kind"][recent] == 0, count),
            "detector score": mean_by(who, items["detector_score"][recent], count),
            "views": views,
            "views per viewer": views / viewers,
            "likes per view": np.bincount(whose[event == LIKE], minlength=count) / views,
            "follows per view": np.bincount(whose[event == FOLLOW], minlength=count) / views,
        }
    return {name: values[active] for name, values in features.items()}, creators["account"][active]


def describe_viewers(lived: Lived, since: int) -> tuple[Features, Ints]:
    """Return features of the viewers who saw something since that moment, and their accounts."""
    accounts = lived.state.accounts
    columns = ("viewer", "event", "item", "occurred_at", "is_owner")
    who, event, item, moments, own = (np.concatenate([getattr(act, name) for act in lived.acts]) for name in columns)
    kept = (moments >= since) & ~own
    who, event, item, moments = who[kept], event[kept], item[kept], moments[kept]
    count = accounts.count
    creator = lived.state.items["creator"][item]
    views = np.bincount(who[event == VIEW], minlength=count).astype(float)
    shown = np.bincount(who[event == IMPRESSION], minlength=count).astype(float)
    local = (moments // HOUR + REGION_HOURS[accounts["region"][who]]) % 24
    active = np.flatnonzero(shown)
    with np.errstate(invalid="ignore", divide="ignore"):
        features: Features = {
            "impressions": shown,
            "views per impression": views / shown,
            "night share": mean_by(who, local < 6, count),
            "likes per view": np.bincount(who[event == LIKE], minlength=count) / views,
            "comments per view": np.bincount(who[event == COMMENT], minlength=count) / views,
            "follows per view": np.bincount(who[event == FOLLOW], minlength=count) / views,
            "creators per view": np.bincount(np.unique(np.stack([who, creator]), axis=1)[0], minlength=count) / views,
            "days": np.bincount(np.unique(np.stack([who, moments // DAY]), axis=1)[0], minlength=count).astype(float),
        }
    return {name: values[active] for name, values in features.items()}, active


def describe_accounts(lived: Lived, rows: Ints) -> Features:
    accounts = lived.state.accounts
    shared = {name: count_others(accounts[name])[rows] for name in ("device", "network", "payment", "email")}
    return {
        "age": accounts["registered_at"][rows].astype(float),
        "by referral": (accounts["channel"][rows] == 1).astype(float),
        **{f"accounts on its {name}": values for name, values in shared.items()},
    }


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("spam_burst", 0.08),
        ("matrix_accounts", 0.05),
        ("aigc_flood", 0.08),
        ("misleading_claims", 0.08),
        ("engagement_farm", 0.004),
        ("registration_attack", 0.3),
    ],
)
@pytest.mark.parametrize("stealth", [0.8, 1.0])
def test_a_hidden_attack_is_told_by_no_single_column_or_feature(kind: str, size: float, stealth: float) -> None:
    """A hidden attack shows in how its accounts act together, not in any of them alone."""
    attack = play(kind, size, 22, stealth=stealth)
    lived = live(make(attack, days=45, creators=1000, scale="small", seed=5), 45)
    since = lived.world.day(22).begins_at
    members = lived.members()
    told: dict[str, float] = {}
    for name, describe in (("creator", describe_creators), ("viewer", describe_viewers)):
        features, accounts = describe(lived, since)
        if kind == "registration_attack":
            # What is registered now is new: it is compared with people who registered since then.
            new = lived.state.accounts["registered_at"][accounts] >= since
            features, accounts = {key: values[new] for key, values in features.items()}, accounts[new]
        is_abuser = np.isin(accounts, members)
        if is_abuser.sum() < 20:
            continue
        features |= describe_accounts(lived, accounts)
        told |= {f"{key} of a {name}": measure_auc(values, is_abuser) for key, values in features.items()}
    assert len(told) > 10
    assert {key: round(area, 3) for key, area in told.items() if area > 0.75} == {}


def test_an_open_attack_is_told_by_single_features() -> None:
    """The check above can fail: without stealth the same features tell nearly everything."""
    lived = live(make(play("spam_burst", 0.3, 8, stealth=0.0), days=20, creators=600, scale="small"), 20)
    features, accounts = describe_creators(lived, lived.world.day(8).begins_at)
    features |= describe_accounts(lived, accounts)
    is_abuser = np.isin(accounts, lived.members())
    for name in ("posts a day", "repeated captions", "age", "accounts on its device"):
        assert measure_auc(features[name], is_abuser) > 0.85, name
