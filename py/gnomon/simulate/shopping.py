"""What viewers buy: clicks and carts, orders, and the content that each sale is attributed to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.simulate.accounts import Accounts, draw_viewers
from gnomon.simulate.catalogue import Catalogue, draw_products
from gnomon.simulate.content import Content
from gnomon.simulate.enforcement import Enforcement
from gnomon.simulate.engagement import VIEW, Acts
from gnomon.simulate.rows import Rows, number_ids, order_by_time, pick, show_moments
from gnomon.simulate.world import (
    CURRENCIES,
    DAY,
    HOUR,
    NEVER,
    NONE,
    REGION_SHARES,
    REGIONS,
    Bools,
    Floats,
    Ints,
    Texts,
    World,
    draw_arrivals,
    draw_choices,
    draw_delays,
    draw_moments,
)

ATTRIBUTION_SECONDS = 7 * DAY

# Far more is clicked and bought per view here than on any real platform: the sample is small,
# and rates per order need orders.
_CLICKS_PER_VIEW = 0.24
_SHOP_CLICKS_PER_CREATOR_DAY = 0.33
_CARTS_PER_CLICK = 0.55
_ORDERS_PER_CART = 0.75


@dataclass(frozen=True)
class Clicks:
    """Clicks on products in the order of time; `content` is -1 for the shop's own pages."""

    viewer: Ints
    product: Ints
    content: Ints
    clicked_at: Ints
    carts: Bools


@dataclass(frozen=True)
class Orders:
    """Orders in the order of time, and their lines; `line_order` is a line's order, ascending."""

    order_id: Texts
    buyer: Ints
    ordered_at: Ints
    ingested_at: Ints
    paid_at: Ints
    item_id: Texts
    line_order: Ints
    product: Ints
    quantity: Ints
    attributed: Ints


def draw_clicks(
    world: World,
    accounts: Accounts,
    catalogue: Catalogue,
    content: Content,
    content_ids: Texts,
    enforcement: Enforcement,
    acts: Acts,
) -> tuple[Clicks, Rows]:
    """Return the clicks known by the end, and the raw table product_events with the carts after them."""
    rng = world.draw_stream("clicks")
    views = np.flatnonzero((acts.event == VIEW) & ~acts.is_owner & (content.product[acts.content] >= 0))
    interest = np.where(acts.is_ad[views], 1.5, 1.0) * np.where(accounts.is_fake[acts.viewer[views]], 0.1, 1.0)
    views = views[rng.random(len(views)) < _CLICKS_PER_VIEW * interest]
    pause = np.minimum(acts.watch_ms[views] // 1000, 60) + 2
    shop = _draw_shop_clicks(world, rng, accounts, catalogue)

    item = np.concatenate([acts.content[views], np.full(len(shop[0]), NONE)])
    viewer = np.concatenate([acts.viewer[views], shop[0]])
    product = np.concatenate([content.product[acts.content[views]], shop[1]])
    moments = np.concatenate([acts.occurred_at[views] + pause, shop[2]])
    ingested = draw_arrivals(rng, moments)
    carts = rng.random(len(item)) < _CARTS_PER_CLICK
    stands = (ingested <= world.end) & ~((item >= 0) & enforcement.hides(content, item, moments))
    order = order_by_time(rng, moments)
    order = order[stands[order]]
    clicks = Clicks(viewer[order], product[order], item[order], moments[order], carts[order])
    return clicks, _tabulate_product_events(world, accounts, catalogue, content_ids, clicks, ingested[order])


def _draw_shop_clicks(
    world: World, rng: np.random.Generator, accounts: Accounts, catalogue: Catalogue
) -> tuple[Ints, Ints, Ints]:
    """Return viewer, product and moment of clicks on the shop's own pages."""
    count = rng.poisson(world.creators * world.days * _SHOP_CLICKS_PER_CREATOR_DAY)
    region = draw_choices(rng, REGION_SHARES, count)
    low, high = np.full(count, world.start, dtype=np.int64), np.full(count, world.end, dtype=np.int64)
    moments = draw_moments(rng, low, high, region)
    viewer = draw_viewers(rng, accounts, region, moments)
    product = draw_products(rng, catalogue, region, np.full(count, NONE), moments)
    # Fake viewers do not shop.
    there = (viewer >= 0) & (product >= 0) & ~accounts.is_fake[viewer]
    return viewer[there], product[there], moments[there]


def _tabulate_product_events(
    world: World, accounts: Accounts, catalogue: Catalogue, content_ids: Texts, clicks: Clicks, ingested: Ints
) -> Rows:
    rng = world.draw_stream("carts")
    carts = np.flatnonzero(clicks.carts)
    carted_at = clicks.clicked_at[carts] + draw_delays(rng, len(carts), 60, 0.8)
    source = np.concatenate([np.arange(len(clicks.viewer)), carts])
    is_cart = np.arange(len(source)) >= len(clicks.viewer)
    occurred = np.concatenate([clicks.clicked_at, carted_at])
    known = np.concatenate([ingested, draw_arrivals(rng, carted_at)])
    order = order_by_time(rng, occurred)
    order = order[known[order] <= world.end]
    return {
        "product_event_id": number_ids("k", len(order)),
        "viewer_id": accounts.account_id[clicks.viewer[source[order]]],
        "product_id": catalogue.product_id[clicks.product[source[order]]],
        "content_id": pick(content_ids, clicks.content[source[order]]),
        "event_type": np.where(is_cart[order], "cart", "click"),
        "occurred_at": show_moments(occurred[order]),
        "ingested_at": show_moments(known[order]),
    }


def draw_orders(world: World, accounts: Accounts, catalogue: Catalogue, clicks: Clicks) -> Orders:
    """Return orders that follow from carts, some with a second line; about 8 % are never paid."""
    rng = world.draw_stream("orders")
    bought = np.flatnonzero(clicks.carts & (rng.random(len(clicks.viewer)) < _ORDERS_PER_CART))
    ordered = clicks.clicked_at[bought] + 5 * 60 + draw_delays(rng, len(bought), HOUR, 1.6)
    ingested = draw_arrivals(rng, ordered)
    order = order_by_time(rng, ordered)
    order = order[ingested[order] <= world.end]
    bought, ordered, ingested = bought[order], ordered[order], ingested[order]
    count = len(bought)
    paid = np.where(rng.random(count) < 0.92, ordered + draw_delays(rng, count, 4 * 60, 1.2), NEVER)

    first = clicks.product[bought]
    adds = np.flatnonzero(rng.random(count) < 0.15)
    any_kind = np.full(len(adds), NONE)
    second = draw_products(rng, catalogue, catalogue.region[first[adds]], any_kind, ordered[adds])
    adds, second = adds[(second >= 0) & (second != first[adds])], second[(second >= 0) & (second != first[adds])]
    line_order = np.concatenate([np.arange(count), adds])
    product = np.concatenate([first, second])
    lines = np.argsort(line_order, kind="stable")
    line_order, product = line_order[lines], product[lines]
    buyer = clicks.viewer[bought]
    return Orders(
        order_id=number_ids("o", count),
        buyer=buyer,
        ordered_at=ordered,
        ingested_at=ingested,
        paid_at=np.where(paid <= world.end, paid, NEVER),
        item_id=number_ids("i", len(lines)),
        line_order=line_order,
        product=product,
        quantity=1 + draw_choices(rng, np.array([0.86, 0.11, 0.03]), len(lines)),
        attributed=attribute_sales(clicks, buyer[line_order], product, ordered[line_order]),
    )


def attribute_sales(clicks: Clicks, buyer: Ints, product: Ints, ordered_at: Ints) -> Ints:
    """Return the content of the buyer's last click on the product in the 7 days up to the order.

    -1 where there was no click, or the last one was on the shop's own pages.
    """
    if len(clicks.viewer) == 0:
        return np.full(len(buyer), NONE)
    first = int(clicks.clicked_at.min())
    products = int(max(clicks.product.max(), product.max(initial=0))) + 1

    def rank(viewer: Ints, what: Ints, moments: Ints) -> Ints:
        return (viewer * products + what) * 2**31 + (moments - first)

    keys = rank(clicks.viewer, clicks.product, clicks.clicked_at)
    order = np.argsort(keys, kind="stable")
    place = np.searchsorted(keys[order], rank(buyer, product, ordered_at), side="right") - 1
    last = order[np.maximum(place, 0)]
    fits = (place >= 0) & (clicks.viewer[last] == buyer) & (clicks.product[last] == product)
    fits &= ordered_at - clicks.clicked_at[last] <= ATTRIBUTION_SECONDS
    return np.where(fits, clicks.content[last], NONE)


def tabulate_orders(accounts: Accounts, orders: Orders) -> Rows:
    """Return the raw table orders."""
    return {
        "order_id": orders.order_id,
        "buyer_id": accounts.account_id[orders.buyer],
        "region": REGIONS[accounts.region[orders.buyer]],
        "paid_at": show_moments(orders.paid_at),
        "occurred_at": show_moments(orders.ordered_at),
        "ingested_at": show_moments(orders.ingested_at),
    }


def tabulate_order_items(catalogue: Catalogue, content_ids: Texts, orders: Orders) -> Rows:
    """Return the raw table order_items; price_amount is the price of one piece."""
    return {
        "order_item_id": orders.item_id,
        "order_id": orders.order_id[orders.line_order],
        "product_id": catalogue.product_id[orders.product],
        "seller_id": catalogue.seller_id[catalogue.seller[orders.product]],
        "attributed_content_id": pick(content_ids, orders.attributed),
        "currency": CURRENCIES[catalogue.region[orders.product]],
        "quantity": orders.quantity,
        "price_amount": catalogue.price[orders.product] / 100,
        "occurred_at": show_moments(orders.ordered_at[orders.line_order]),
        "ingested_at": show_moments(orders.ingested_at[orders.line_order]),
    }


def find_seller_faults(catalogue: Catalogue, content: Content, orders: Orders) -> Floats:
    """Return for each line how likely it disappoints: its seller's fault rate, more if sold by a bad item."""
    fault = catalogue.seller_fault[catalogue.seller[orders.product]]
    sold_badly = (orders.attributed >= 0) & content.is_bad[orders.attributed]
    return np.minimum(fault + np.where(sold_badly, 0.25, 0.0), 0.9)
