"""What viewers look at and put into the cart: clicks on products, and the carts after them.

How much people mean to buy on a day does not hang on what they are shown: a region has a number
of intents, and views of items with a product serve a share of them that rises with the supply of
such views. Half of those not served go to the shop's own pages instead. At the usual supply a
view is clicked with `clicks_per_view`, and the shop's pages get `shop_clicks_per_creator`.
"""

from __future__ import annotations

import numpy as np

from gnomon.simulate import orders
from gnomon.simulate.agenda import Columns
from gnomon.simulate.catalogue import draw_products
from gnomon.simulate.codes import make_codes
from gnomon.simulate.effects import Effects
from gnomon.simulate.enforcement import hides
from gnomon.simulate.engagement import VIEW, Acts
from gnomon.simulate.luck import draw_luck, draw_lucky_delays, name_items
from gnomon.simulate.people import draw_viewers
from gnomon.simulate.rows import order_by_time, write_ids, write_moments, write_words
from gnomon.simulate.state import State
from gnomon.simulate.world import (
    DAY,
    MINUTE,
    NONE,
    REGION_SHARES,
    REGIONS,
    Day,
    Floats,
    Ints,
    draw_arrivals,
    draw_choices,
    draw_moments,
    weigh_weekday,
)

# Topics of the agenda.
_CLICKS, _CARTS = "shopping.clicks_to_come", "shopping.carts_to_come"
_COLUMNS = ("viewer", "product", "item", "code")
EVENTS = np.array(["click", "cart"])

# Views by people of items with a product, advertising counted by its weight: about 0.68 of the
# showings are watched, and 0.40 of those are of such items.
_PRODUCT_VIEWS_PER_IMPRESSION = 0.27
_AD_INTEREST, _FAKE_INTEREST = 1.5, 0.1
# Half of all intents are served at the usual supply; of the others, this share goes to the shop's pages.
_MOVES_TO_SHOP = 0.5
_CARTS_PER_CLICK = 0.55


def shop(state: State, day: Day, effects: Effects, acts: Acts) -> None:
    """Let the day's viewers click, fill carts and order; post product_events, orders and order_items.

    More demand for orders than usual brings more clicks; less leaves carts unbought.
    """
    items, accounts = state.items, state.accounts
    views = np.flatnonzero((acts.event == VIEW) & ~acts.is_owner)
    views = views[items["product"][acts.item[views]] >= 0]
    viewer, item, viewed = acts.viewer[views], acts.item[views], acts.occurred_at[views]
    region = accounts["region"][viewer]
    interest = np.where(acts.is_ad[views], _AD_INTEREST, 1.0)
    interest = interest * np.where(accounts["is_fake"][viewer], _FAKE_INTEREST, 1.0)
    supply = np.bincount(region, weights=interest, minlength=len(REGIONS)).astype(np.float64)
    chance, wanted = _serve(day, effects, supply)
    luck = draw_luck(day.world, "click", viewer, viewed, *name_items(state, item))
    clicks = luck < chance[region] * interest
    pause = np.minimum(acts.watch_ms[views] // 1000, 60) + 2
    _plan_clicks(state, day, viewer[clicks], items["product"][item[clicks]], item[clicks], (viewed + pause)[clicks])
    _browse_shop(state, day, wanted)
    _post_events(state, day)
    orders.place(state, day, effects)


def _serve(day: Day, effects: Effects, supply: Floats) -> tuple[Floats, Floats]:
    """Return by region the chance that a view of usual interest is clicked, and the clicks on the shop's pages.

    With a supply of x times the usual one, x / (1 + x) of the intents are served by views.
    """
    scale = day.world.scale
    demand = weigh_weekday(day) * REGION_SHARES * effects.demand
    usual = scale.creators * scale.impressions_per_creator * _PRODUCT_VIEWS_PER_IMPRESSION * demand
    ratio = supply / np.maximum(usual, 1e-9)
    more = np.maximum(effects.orders, 1.0)
    chance = scale.clicks_per_view * 2.0 / (1.0 + ratio)
    # What is not served today, less what is not served at the usual supply: that is in the shop's rate.
    moved = _MOVES_TO_SHOP * scale.clicks_per_view * usual * (2.0 / (1.0 + ratio) - 1.0)
    wanted = scale.creators * scale.shop_clicks_per_creator * demand + moved
    return chance * more, np.maximum(wanted, 0.0) * more


def _browse_shop(state: State, day: Day, wanted: Floats) -> None:
    """Plan clicks on the shop's own pages, `wanted` of them by region on average.

    They are taken from blocks of clicks that are the same whatever is wanted: of each block a
    share happens, and a further block is begun where one is not enough.
    """
    scale = day.world.scale
    views = scale.impressions_per_creator * _PRODUCT_VIEWS_PER_IMPRESSION * scale.clicks_per_view
    usual = scale.creators * weigh_weekday(day) * REGION_SHARES * (scale.shop_clicks_per_creator + views)
    share = wanted / np.maximum(usual, 1e-9)
    for block in range(int(np.ceil(share.max()))):
        rng = day.draw_stream(f"shop clicks {block}")
        count = int(rng.poisson(usual.sum()))
        region = draw_choices(rng, REGION_SHARES, count)
        happens = rng.random(count) + block < share[region]
        low = np.full(count, day.begins_at, dtype=np.int64)
        moments = draw_moments(rng, low, low + DAY, region)
        viewer = _mix_in_fakes(rng, state, draw_viewers(rng, state, region, moments))
        happens &= (viewer >= 0) & (state.accounts["registered_at"][np.maximum(viewer, 0)] < moments)
        product = draw_products(rng, state, region, np.full(count, NONE), moments)
        rows = np.flatnonzero(happens & (product >= 0))
        _plan_clicks(state, day, viewer[rows], product[rows], np.full(len(rows), NONE), moments[rows])


def _mix_in_fakes(rng: np.random.Generator, state: State, viewer: Ints) -> Ints:
    """Return the viewers with a few replaced by fakes: they are in the shop too, a tenth as often for their number."""
    accounts = state.accounts
    fakes = np.flatnonzero(accounts["is_fake"])
    luck = rng.random((2, len(viewer)))
    people = accounts.count - int(accounts["is_creator"].sum())
    if len(fakes) == 0:
        return viewer
    swaps = luck[0] < _FAKE_INTEREST * len(fakes) / people
    return np.where(swaps, fakes[(luck[1] * len(fakes)).astype(np.int64)], viewer)


def _plan_clicks(state: State, day: Day, viewer: Ints, product: Ints, item: Ints, clicked: Ints) -> None:
    """Put clicks on the agenda, each with the code that all luck of what follows hangs on."""
    code = make_codes(day.world, "click", viewer, product, clicked)
    state.agenda.plan(_CLICKS, at=clicked, viewer=viewer, product=product, item=item, code=code)


def _post_events(state: State, day: Day) -> None:
    """Post the clicks and carts that fall on the day, remember the clicks, and plan what follows."""
    world = day.world
    clicks = _take_standing(state, day, _CLICKS)
    code = clicks["code"]
    carted = clicks["at"] + draw_lucky_delays(world, "cart", MINUTE, 0.8, code)
    follows = draw_luck(world, "cart", code) < _CARTS_PER_CLICK
    state.agenda.plan(_CARTS, at=carted[follows], **{name: clicks[name][follows] for name in _COLUMNS})
    carts = _take_standing(state, day, _CARTS)
    orders.plan(state, day, carts)

    rng = day.draw_stream("product events")
    moments = np.concatenate([clicks["at"], carts["at"]])
    order = order_by_time(rng, moments)
    moments = moments[order]
    is_cart = (order >= len(clicks["at"])).astype(np.int64)
    viewer, product, item, _ = (np.concatenate([clicks[name], carts[name]])[order] for name in _COLUMNS)
    first = is_cart == 0
    orders.remember_clicks(state, day, viewer[first], product[first], item[first], moments[first])
    state.outbox.post(
        rng,
        "product_events",
        {
            "product_event_id": write_ids("k", state.number("product_events", len(order))),
            "viewer_id": write_ids("a", viewer),
            "product_id": write_ids("p", product),
            "content_id": write_ids("c", item),
            "event_type": write_words(EVENTS, is_cart),
            "occurred_at": write_moments(moments),
            "ingested_at": write_moments(draw_arrivals(rng, moments, late_share=0.005)),
        },
    )


def _take_standing(state: State, day: Day, topic: str) -> Columns:
    """Take the day's clicks or carts off the agenda, but those of items out of sight and of closed accounts."""
    due = state.agenda.take(topic, day.ends_at)
    stands = state.accounts["left_at"][due["viewer"]] > due["at"]
    shown = np.flatnonzero(due["item"] >= 0)
    stands[shown] &= ~hides(state, due["item"][shown], due["at"][shown])
    return {name: values[stands] for name, values in due.items()}
