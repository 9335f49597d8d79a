"""What is ordered: orders with their lines, payment, and the content that each sale is attributed to."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.agenda import Columns
from gnomon.simulate.catalogue import choose_products
from gnomon.simulate.effects import Effects
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.luck import choose, draw_luck, draw_lucky_delays
from gnomon.simulate.rows import order_by_time, write_ids, write_moments, write_words
from gnomon.simulate.state import State
from gnomon.simulate.world import (
    CURRENCIES,
    DAY,
    HOUR,
    MINUTE,
    NEVER,
    NONE,
    REGIONS,
    Day,
    Ints,
    draw_arrivals,
)

# Topics of the agenda: orders to come, and the lines of those placed today, for after_sales.
_PLANNED, PLACED = "orders.to_come", "orders.placed"
# The ledger of the clicks of the last days.
CLICKS = "shopping.clicks"

_ORDERS_PER_CART = 0.75
ATTRIBUTION_SECONDS = 7 * DAY
_PAID_SHARE = 0.92
_SECOND_LINE_SHARE = 0.15
_QUANTITY_SHARES = np.array([0.86, 0.11, 0.03])
_BATCH = 10 * MINUTE


def remember_clicks(state: State, day: Day, viewer: Ints, product: Ints, item: Ints, clicked: Ints) -> None:
    """Add the day's clicks, in the order of their ids, to those that sales are attributed to; drop old ones."""
    kinds = {"viewer": np.int64, "product": np.int64, "item": np.int64, "clicked_at": np.int64}
    clicks = state.others.setdefault(CLICKS, Ledger(**kinds))
    clicks.keep(clicks["clicked_at"] >= day.begins_at - ATTRIBUTION_SECONDS)
    clicks.append(viewer=viewer, product=product, item=item, clicked_at=clicked)


def plan(state: State, day: Day, carts: Columns) -> None:
    """Plan the orders that follow from today's carts, mostly within hours."""
    code = carts["code"]
    buys = draw_luck(day.world, "order", code) < _ORDERS_PER_CART
    ordered = carts["at"] + MINUTE + draw_lucky_delays(day.world, "order", HOUR, 1.6, code)
    state.agenda.plan(
        _PLANNED, at=ordered[buys], buyer=carts["viewer"][buys], product=carts["product"][buys], code=code[buys]
    )


def place(state: State, day: Day, effects: Effects) -> None:
    """Place the orders that fall on the day and post them with their lines, some with a second one.

    About 8 % are never paid. A payment after the order was ingested comes with a new version of it.
    """
    world = day.world
    due = state.agenda.take(_PLANNED, day.ends_at)
    region = state.accounts["region"][due["buyer"]]
    stands = draw_luck(world, "order", due["code"]) < _ORDERS_PER_CART * np.minimum(effects.orders, 1.0)[region]
    stands &= state.accounts["left_at"][due["buyer"]] > due["at"]
    rng = day.draw_stream("orders")
    order = np.flatnonzero(stands)
    order = order[order_by_time(rng, due["at"][order])]
    buyer, first, moments, code = (due[name][order] for name in ("buyer", "product", "at", "code"))
    region = region[order]
    numbers = state.number("orders", len(order))
    paid = moments + draw_lucky_delays(world, "payment", 4 * MINUTE, 1.2, code)
    paid = np.where(draw_luck(world, "paid", code) < _PAID_SHARE, paid, NEVER)
    known = draw_arrivals(rng, moments)
    _post_orders(state, rng, numbers, buyer, region, moments, known, paid)

    where, luck = state.products["region"][first], draw_luck(world, "second product", code)
    second = choose_products(state, luck, where, np.full(len(order), NONE), moments)
    is_two = draw_luck(world, "second line", code) < _SECOND_LINE_SHARE
    adds = np.flatnonzero(is_two & (second >= 0) & (second != first))
    whose = np.concatenate([np.arange(len(order)), adds])
    lines = np.argsort(whose, kind="stable")
    whose, product = whose[lines], np.concatenate([first, second[adds]])[lines]
    placed = {
        "order": numbers[whose],
        "line": state.number("order_items", len(lines)),
        "product": product,
        "quantity": 1 + choose(draw_luck(world, "quantity", code[whose], product), _QUANTITY_SHARES),
        "item": attribute_sales(state.others[CLICKS], buyer[whose], product, moments[whose]),
        "code": code[whose],
        "region": region[whose],
        "paid_at": paid[whose],
        "known_at": known[whose],
        "is_first": lines < len(order),
    }
    _post_lines(state, rng, placed, moments[whose])
    state.agenda.plan(PLACED, at=moments[whose], **placed)


def _post_lines(state: State, rng: np.random.Generator, placed: Columns, moments: Ints) -> None:
    """Post the lines of the orders; price_amount is the price of one piece in the product's currency."""
    products = state.products.take(placed["product"])
    state.outbox.post(
        rng,
        "order_items",
        {
            "order_item_id": write_ids("i", placed["line"]),
            "order_id": write_ids("o", placed["order"]),
            "product_id": write_ids("p", placed["product"]),
            "seller_id": write_ids("s", products["seller"]),
            "attributed_content_id": write_ids("c", placed["item"]),
            "currency": write_words(CURRENCIES, products["region"]),
            "quantity": placed["quantity"],
            "price_amount": products["price"] / 100,
            "occurred_at": write_moments(moments),
            "ingested_at": write_moments(placed["known_at"]),
        },
    )


def _post_orders(
    state: State,
    rng: np.random.Generator,
    numbers: Ints,
    buyer: Ints,
    region: Ints,
    moments: Ints,
    known: Ints,
    paid: Ints,
) -> None:
    """Post each order as first known, and again once its payment is known in a later batch."""
    paid_known = np.maximum(draw_arrivals(rng, np.where(paid < NEVER, paid, 0)), known + _BATCH)
    later = (paid > known) & (paid < NEVER)
    for rows, payment, ingested in (
        (np.ones(len(numbers), dtype=bool), np.where(paid <= known, paid, NEVER), known),
        (later, paid, paid_known),
    ):
        state.outbox.post(
            rng,
            "orders",
            {
                "order_id": write_ids("o", numbers[rows]),
                "buyer_id": write_ids("a", buyer[rows]),
                "region": write_words(REGIONS, region[rows]),
                "paid_at": write_moments(payment[rows]),
                "occurred_at": write_moments(moments[rows]),
                "ingested_at": write_moments(ingested[rows]),
            },
        )


def attribute_sales(clicks: Ledger, buyer: Ints, product: Ints, ordered: Ints) -> Ints:
    """Return the item of the buyer's last click on the product in the 7 days up to the order.

    -1 where there was no click, or the last one was on the shop's own pages. Clicks are in the
    order of time and span at most 12 days.
    """
    nothing = np.full(len(buyer), NONE)
    if len(buyer) == 0 or clicks.count == 0:
        return nothing
    buys = np.zeros(int(max(buyer.max(), clicks["viewer"].max())) + 1, dtype=bool)
    buys[buyer] = True
    rows = np.flatnonzero(buys[clicks["viewer"]])
    if len(rows) == 0:
        return nothing
    viewer, what, clicked = clicks["viewer"][rows], clicks["product"][rows], clicks["clicked_at"][rows]
    products = int(max(what.max(), product.max())) + 1
    begins = int(min(clicked.min(), ordered.min()))

    def rank(who: Ints, of: Ints, moments: Ints) -> Ints:
        # 2**20 seconds are 12 days.
        return (who * products + of) * 2**20 + (moments - begins)

    keys = rank(viewer, what, clicked)
    order = np.argsort(keys, kind="stable")
    place = np.searchsorted(keys[order], rank(buyer, product, ordered), side="right") - 1
    last = order[np.maximum(place, 0)]
    fits = (place >= 0) & (viewer[last] == buyer) & (what[last] == product)
    fits &= ordered - clicked[last] <= ATTRIBUTION_SECONDS
    return np.where(fits, clicks["item"][rows[last]], NONE)
