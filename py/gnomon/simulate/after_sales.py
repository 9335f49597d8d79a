"""What happens to orders: dispatch and delivery, cancellations, refunds, complaints and ratings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.simulate.catalogue import Catalogue
from gnomon.simulate.rows import Rows, hide, number_ids, order_by_time, show_moments
from gnomon.simulate.shopping import Orders
from gnomon.simulate.world import (
    CURRENCIES,
    DAY,
    HOUR,
    MINUTE,
    NEVER,
    Bools,
    Floats,
    Ints,
    World,
    draw_arrivals,
    draw_choices,
    draw_delays,
)

CARRIERS = np.array(["carrier-1", "carrier-2", "carrier-3", "carrier-4"])
PARTIES = np.array(["buyer", "seller", "carrier", "platform"])
BUYER, SELLER, CARRIER, PLATFORM = range(4)
CAUSES = np.array(["not_received", "late", "damaged", "not_as_described", "counterfeit", "service"])
LOST, LATE, DAMAGED, MISDESCRIBED, COUNTERFEIT, SERVICE = range(6)

# How likely each carrier loses or damages a parcel.
_CARRIER_LOSES = np.array([0.008, 0.012, 0.018, 0.045])


@dataclass(frozen=True)
class Deliveries:
    """What becomes of each order; NEVER for a moment that does not come."""

    promised_at: Ints
    dispatch_by: Ints
    dispatched_at: Ints
    delivered_at: Ints
    cancelled_at: Ints
    cancelled_by: Ints
    carrier: Ints
    is_lost: Bools


def draw_deliveries(world: World, orders: Orders, faults: Floats) -> Deliveries:
    """Return the way of every order; `faults` are those of the lines, the first line's speaks for its order."""
    rng = world.draw_stream("deliveries")
    count = len(orders.order_id)
    fault = faults[np.searchsorted(orders.line_order, np.arange(count))] if count else np.zeros(0)
    is_paid = orders.paid_at < NEVER
    paid = np.where(is_paid, orders.paid_at, 0)
    promised = paid + rng.integers(60, 300, count)
    dispatch = promised + HOUR + draw_delays(rng, count, 20 * HOUR, 0.45)
    # Sellers with faults let some orders lie for days.
    dispatch += np.where(rng.random(count) < 0.6 * fault, rng.integers(DAY, 4 * DAY, count), 0)
    carrier = draw_choices(rng, np.array([0.4, 0.3, 0.2, 0.1]), count)
    is_lost = rng.random(count) < _CARRIER_LOSES[carrier]
    delivery = dispatch + 12 * HOUR + draw_delays(rng, count, 3 * DAY, 0.45)
    is_cancelled = is_paid & (rng.random(count) < 0.02 + 0.15 * fault)
    by_seller = rng.random(count) < 0.3 + fault
    cancelled_by = np.where(by_seller, SELLER, np.where(rng.random(count) < 0.85, BUYER, PLATFORM))
    cancelled = promised + (rng.random(count) * (dispatch - promised)).astype(np.int64)
    goes = is_paid & ~is_cancelled
    return Deliveries(
        promised_at=np.where(is_paid, promised, NEVER),
        dispatch_by=np.where(is_paid, paid + 2 * DAY, NEVER),
        dispatched_at=np.where(goes, dispatch, NEVER),
        delivered_at=np.where(goes & ~is_lost, delivery, NEVER),
        cancelled_at=np.where(is_cancelled, cancelled, NEVER),
        cancelled_by=cancelled_by,
        carrier=carrier,
        is_lost=goes & is_lost,
    )


def tabulate_fulfilment_events(world: World, orders: Orders, deliveries: Deliveries) -> Rows:
    """Return the raw table fulfilment_events; only a cancellation names a party at fault."""
    rng = world.draw_stream("fulfilment_events")
    count = len(orders.order_id)
    moments = np.concatenate(
        [deliveries.promised_at, deliveries.dispatched_at, deliveries.delivered_at, deliveries.cancelled_at]
    )
    which = np.tile(np.arange(count), 4)
    event = np.repeat(np.arange(4), count)
    happens = moments < world.end
    ingested = draw_arrivals(rng, np.where(happens, moments, 0), median=30 * MINUTE)
    order = order_by_time(rng, moments)
    order = order[(happens & (ingested <= world.end))[order]]
    which, event = which[order], event[order]
    moves = (event == 1) | (event == 2)
    return {
        "fulfilment_event_id": number_ids("f", len(order)),
        "order_id": orders.order_id[which],
        "event_type": np.array(["promised", "dispatched", "delivered", "cancelled"])[event],
        "fault_party": hide(PARTIES[deliveries.cancelled_by[which]], event != 3),
        "carrier": hide(CARRIERS[deliveries.carrier[which]], ~moves),
        "promised_dispatch_at": show_moments(np.where(event == 0, deliveries.dispatch_by[which], NEVER)),
        "occurred_at": show_moments(moments[order]),
        "ingested_at": show_moments(ingested[order]),
    }


def tabulate_refunds(
    world: World, catalogue: Catalogue, orders: Orders, deliveries: Deliveries, faults: Floats
) -> Rows:
    """Return the raw table refunds: returns weeks after delivery, and money back for what never came."""
    rng = world.draw_stream("refunds")
    line = orders.line_order
    count = len(line)
    delivered, is_lost = deliveries.delivered_at[line], deliveries.is_lost[line]
    returned = (delivered < NEVER) & (rng.random(count) < 0.03 + 0.25 * faults)
    cancelled = deliveries.cancelled_at[line] < NEVER
    later = np.where(returned, delivered, 0) + 2 * DAY + draw_delays(rng, count, 9 * DAY, 0.7)
    missing = np.where(is_lost, deliveries.dispatched_at[line], 0) + 12 * DAY + draw_delays(rng, count, 4 * DAY, 0.6)
    undone = np.where(cancelled, deliveries.cancelled_at[line], 0) + draw_delays(rng, count, 8 * HOUR, 0.8)
    moments = np.select([cancelled, is_lost, returned], [undone, missing, later], NEVER)
    keeps_goods = cancelled | is_lost | (rng.random(count) < 0.2)
    value = catalogue.price[orders.product] * orders.quantity
    partial = ~cancelled & ~is_lost & keeps_goods
    amount = np.where(partial, value // 2, value)
    ingested = draw_arrivals(rng, np.where(moments < world.end, moments, 0), median=HOUR)
    order = order_by_time(rng, moments)
    order = order[((moments < world.end) & (ingested <= world.end))[order]]
    return {
        "refund_id": number_ids("r", len(order)),
        "order_item_id": orders.item_id[order],
        "refund_kind": np.where(keeps_goods[order], "refund_only", "return_refund"),
        "currency": CURRENCIES[catalogue.region[orders.product[order]]],
        "refund_amount": amount[order] / 100,
        "occurred_at": show_moments(moments[order]),
        "ingested_at": show_moments(ingested[order]),
    }


def tabulate_complaints(world: World, orders: Orders, deliveries: Deliveries, faults: Floats) -> Rows:
    """Return the raw table complaints: at most one per order, its cause from what went wrong."""
    rng = world.draw_stream("complaints")
    count = len(orders.order_id)
    fault = faults[np.searchsorted(orders.line_order, np.arange(count))] if count else np.zeros(0)
    delivered, dispatched = deliveries.delivered_at, deliveries.dispatched_at
    has_come = delivered < NEVER
    is_late = (dispatched < NEVER) & (dispatched > deliveries.dispatch_by)
    chance = np.select([deliveries.is_lost, has_come & is_late, has_come], [0.75, 0.10, 0.012], 0.0)
    chance = chance + np.where(has_come, 0.12 * fault, 0.0)
    complains = rng.random(count) < chance
    by_goods = draw_choices(rng, np.array([0.22, 0.48, 0.15, 0.15]), count) + DAMAGED
    cause = np.where(deliveries.is_lost, LOST, np.where(is_late & (rng.random(count) < 0.6), LATE, by_goods))
    luck = rng.random(count)
    party = np.select(
        [cause == LOST, cause == LATE, cause == DAMAGED, cause == SERVICE],
        [
            np.where(luck < 0.9, CARRIER, SELLER),
            np.where(luck < 0.8, SELLER, CARRIER),
            np.where(luck < 0.6, CARRIER, SELLER),
            np.where(luck < 0.4, PLATFORM, np.where(luck < 0.7, BUYER, SELLER)),
        ],
        np.where(luck < 0.9, SELLER, BUYER),
    )
    since = np.where(deliveries.is_lost, np.minimum(dispatched, world.end) + 10 * DAY, np.minimum(delivered, world.end))
    moments = np.where(complains, since + draw_delays(rng, count, 2 * DAY, 0.9), NEVER)
    ingested = draw_arrivals(rng, np.where(moments < world.end, moments, 0))
    order = order_by_time(rng, moments)
    order = order[((moments < world.end) & (ingested <= world.end))[order]]
    return {
        "complaint_id": number_ids("q", len(order)),
        "order_id": orders.order_id[order],
        "cause": CAUSES[cause[order]],
        "fault_party": PARTIES[party[order]],
        "occurred_at": show_moments(moments[order]),
        "ingested_at": show_moments(ingested[order]),
    }


def tabulate_product_reviews(
    world: World, catalogue: Catalogue, orders: Orders, deliveries: Deliveries, faults: Floats
) -> Rows:
    """Return the raw table product_reviews: ratings of three lines in ten that were delivered."""
    rng = world.draw_stream("product_reviews")
    line = orders.line_order
    count = len(line)
    delivered = deliveries.delivered_at[line]
    rates = (delivered < NEVER) & (rng.random(count) < 0.3)
    moments = np.where(rates, np.where(rates, delivered, 0) + draw_delays(rng, count, 3 * DAY, 0.8), NEVER)
    unhappy = rng.random(count) < 0.03 + 0.8 * faults
    good = 3 + draw_choices(rng, np.array([0.10, 0.25, 0.65]), count)
    bad = 1 + draw_choices(rng, np.array([0.50, 0.25, 0.25]), count)
    ingested = draw_arrivals(rng, np.where(moments < world.end, moments, 0))
    order = order_by_time(rng, moments)
    order = order[((moments < world.end) & (ingested <= world.end))[order]]
    return {
        "product_review_id": number_ids("g", len(order)),
        "order_item_id": orders.item_id[order],
        "product_id": catalogue.product_id[orders.product[order]],
        "rating": np.where(unhappy, bad, good)[order],
        "occurred_at": show_moments(moments[order]),
        "ingested_at": show_moments(ingested[order]),
    }
