"""The way of orders: promised, dispatched, delivered, lost or cancelled."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gnomon.simulate.agenda import Columns
from gnomon.simulate.effects import Effects
from gnomon.simulate.luck import choose, draw_luck, draw_lucky_delays
from gnomon.simulate.orders import PLACED
from gnomon.simulate.rows import order_by_time, write_ids, write_moments, write_words
from gnomon.simulate.state import State
from gnomon.simulate.world import DAY, HOUR, MINUTE, NEVER, NONE, Bools, Day, Floats, Ints, draw_arrivals

CARRIERS = np.array(["carrier-1", "carrier-2", "carrier-3", "carrier-4"])
PARTIES = np.array(["buyer", "seller", "carrier", "platform"])
BUYER, SELLER, CARRIER, PLATFORM = range(4)
EVENTS = np.array(["promised", "dispatched", "delivered", "cancelled"])
PROMISED, DISPATCHED, DELIVERED, CANCELLED = range(4)

_PROMISES, _CANCELLATIONS = "parcels.promises", "parcels.cancellations"
_DISPATCHES, _DELIVERIES = "parcels.dispatches", "parcels.deliveries"

# By region, in the order of world.REGIONS: the share of parcels that each carrier gets.
_CARRIER_SHARES = np.array(
    [
        [0.45, 0.30, 0.15, 0.10],
        [0.30, 0.40, 0.22, 0.08],
        [0.36, 0.24, 0.28, 0.12],
        [0.40, 0.26, 0.20, 0.14],
        [0.44, 0.30, 0.18, 0.08],
        [0.52, 0.30, 0.14, 0.04],
        [0.38, 0.34, 0.22, 0.06],
        [0.36, 0.32, 0.24, 0.08],
    ]
)
# How likely each carrier loses a parcel.
_CARRIER_LOSES = np.array([0.008, 0.012, 0.018, 0.045])
_PROMISED_DISPATCH = 2 * DAY
# A line sold by a bad item disappoints more often.
_BAD_ITEM_FAULT, _WORST_FAULT = 0.25, 0.9


@dataclass(frozen=True)
class Lines:
    """Lines of paid orders, those of one order one after the other.

    All luck of an order hangs on its `code`; its row is known at `known_at`. `value` is in
    hundredths of the currency's unit. `fault` is how likely the line disappoints and `deceit` the
    chance added that it is not what was promised; the first line's speak for its order.
    """

    order: Ints
    line: Ints
    code: Ints
    product: Ints
    value: Ints
    region: Ints
    known_at: Ints
    dispatch_by: Ints
    fault: Floats
    deceit: Floats
    is_first: Bools

    @property
    def order_code(self) -> Ints:
        """Return the code of each order."""
        return self.code[self.is_first]

    @property
    def whose(self) -> Ints:
        """Return for each line the place of its order among the orders here."""
        return np.cumsum(self.is_first) - 1

    def take(self, of_orders: Bools) -> Lines:
        """Return all lines of the orders for which the argument, one element per order, is true."""
        rows = of_orders[self.whose]
        return Lines(**{name: values[rows] for name, values in vars(self).items()})

    def plan(self, state: State, topic: str, at: Ints, **columns: Ints) -> None:
        """Put the lines on the agenda; `at` and further columns have one element per order."""
        whose = self.whose
        more = {name: values[whose] for name, values in columns.items()}
        state.agenda.plan(topic, at=at[whose], **vars(self), **more)


def take_lines(state: State, day: Day, topic: str) -> tuple[Lines, Columns]:
    """Take the day's lines of a topic off the agenda, and what was planned with them, one element per order.

    The agenda keeps what has the same moment in the order of planning, so an order's lines stay together.
    """
    due = state.agenda.take(topic, day.ends_at)
    lines = Lines(**{field.name: due.pop(field.name) for field in fields(Lines)})
    return lines, {name: values[lines.is_first] for name, values in due.items()}


@dataclass(frozen=True)
class Parcels:
    """Orders that something happened to today, with their lines; the moments have one element per order."""

    lines: Lines
    at: Ints
    dispatched_at: Ints


@dataclass(frozen=True)
class Fates:
    """The orders cancelled and delivered today, and those dispatched today that will be lost."""

    cancelled: Parcels
    lost: Parcels
    delivered: Parcels


def move(state: State, day: Day, effects: Effects) -> Fates:
    """Take the day's orders over, move all parcels through the day, and post fulfilment_events."""
    _take_over(state, day, effects)
    promised, promises = take_lines(state, day, _PROMISES)
    called_off, cancels = take_lines(state, day, _CANCELLATIONS)
    sent, dispatches = take_lines(state, day, _DISPATCHES)
    carrier, is_lost = _dispatch(state, day, effects, sent, dispatches["at"])
    arrived, arrivals = take_lines(state, day, _DELIVERIES)
    _post_events(
        state,
        day,
        [
            _Events(PROMISED, promises["at"], promised, dispatch_by=promised.dispatch_by[promised.is_first]),
            _Events(DISPATCHED, dispatches["at"], sent, carrier=carrier),
            _Events(DELIVERED, arrivals["at"], arrived, carrier=arrivals["carrier"]),
            _Events(CANCELLED, cancels["at"], called_off, party=cancels["party"]),
        ],
    )
    gone = dispatches["at"][is_lost]
    return Fates(
        cancelled=Parcels(called_off, cancels["at"], np.full(len(cancels["at"]), NEVER)),
        lost=Parcels(sent.take(is_lost), gone, gone),
        delivered=Parcels(arrived, arrivals["at"], arrivals["dispatched_at"]),
    )


def _take_over(state: State, day: Day, effects: Effects) -> None:
    """Plan what sellers do with the paid orders placed today: promise, and dispatch or cancel."""
    world = day.world
    lines, paid = _read_placed(state, day, effects)
    code, fault = lines.order_code, lines.fault[lines.is_first]

    def draw(topic: str) -> Floats:
        return draw_luck(world, topic, code)

    promised = paid + 60 + (240 * draw("promise")).astype(np.int64)
    dispatched = promised + HOUR + draw_lucky_delays(world, "dispatch", 20 * HOUR, 0.45, code)
    # Sellers with faults let some orders lie for days.
    lies = draw("dispatch lies") < 0.6 * fault
    dispatched += np.where(lies, DAY + (3 * DAY * draw("dispatch waits")).astype(np.int64), 0)
    is_cancelled = draw("cancellation") < 0.02 + 0.15 * fault
    by_others = np.where(draw("canceller") < 0.85, BUYER, PLATFORM)
    party = np.where(draw("seller cancels") < 0.3 + fault, SELLER, by_others)
    cancelled = promised + (draw("cancelled") * (dispatched - promised)).astype(np.int64)
    lines.plan(state, _PROMISES, promised)
    lines.take(is_cancelled).plan(state, _CANCELLATIONS, cancelled[is_cancelled], party=party[is_cancelled])
    lines.take(~is_cancelled).plan(state, _DISPATCHES, dispatched[~is_cancelled])


def _read_placed(state: State, day: Day, effects: Effects) -> tuple[Lines, Ints]:
    """Return the lines of the orders placed today that will be paid, and when each order is."""
    placed = state.agenda.take(PLACED, day.ends_at)
    placed = {name: values[placed["paid_at"] < NEVER] for name, values in placed.items()}
    product, item = placed["product"], placed["item"]
    sold_badly = item >= 0
    sold_badly[sold_badly] = state.items["policy"][item[sold_badly]] >= 0
    fault = state.sellers["fault"][state.products["seller"][product]] + np.where(sold_badly, _BAD_ITEM_FAULT, 0.0)
    deceit = np.zeros(state.products.count)
    for number, chance in effects.deceptive_products.items():
        deceit[number] = chance
    lines = Lines(
        order=placed["order"],
        line=placed["line"],
        code=placed["code"],
        product=product,
        value=state.products["price"][product] * placed["quantity"],
        region=placed["region"],
        known_at=placed["known_at"],
        dispatch_by=placed["paid_at"] + _PROMISED_DISPATCH,
        fault=np.minimum(fault, _WORST_FAULT),
        deceit=deceit[product],
        is_first=placed["is_first"],
    )
    return lines, placed["paid_at"][placed["is_first"]]


def _dispatch(state: State, day: Day, effects: Effects, lines: Lines, dispatched: Ints) -> tuple[Ints, Bools]:
    """Hand today's parcels to carriers and plan deliveries; return by order the carrier and whether it is lost."""
    world, code, region = day.world, lines.order_code, lines.region[lines.is_first]
    carrier = choose(draw_luck(world, "carrier", code), _CARRIER_SHARES[region])
    is_lost = draw_luck(world, "loss", code) < _CARRIER_LOSES[carrier] + effects.carrier_loss[carrier, region]
    waits = DAY * effects.carrier_days[carrier, region] * (0.6 + 0.8 * draw_luck(world, "held up", code))
    transit = 12 * HOUR + draw_lucky_delays(world, "transit", 3 * DAY, 0.45, code)
    delivered = dispatched + transit + np.round(waits).astype(np.int64)
    comes = ~is_lost
    lines.take(comes).plan(
        state, _DELIVERIES, delivered[comes], carrier=carrier[comes], dispatched_at=dispatched[comes]
    )
    return carrier, is_lost


@dataclass(frozen=True)
class _Events:
    """Events of one kind, one element per order; None where the kind leaves a column empty."""

    event: int
    at: Ints
    lines: Lines
    party: Ints | None = None
    carrier: Ints | None = None
    dispatch_by: Ints | None = None


def _post_events(state: State, day: Day, kinds: list[_Events]) -> None:
    """Post the day's fulfilment_events; only a cancellation names a party at fault."""
    rng = day.draw_stream("fulfilment events")

    def join(name: str, empty: np.int64) -> Ints:
        parts = [getattr(kind, name) for kind in kinds]
        return np.concatenate(
            [np.full(len(kind.at), empty) if part is None else part for kind, part in zip(kinds, parts, strict=True)]
        )[order]

    moments = np.concatenate([kind.at for kind in kinds])
    order = order_by_time(rng, moments)
    moments = moments[order]
    event = np.concatenate([np.full(len(kind.at), kind.event) for kind in kinds])[order]
    number = np.concatenate([kind.lines.order[kind.lines.is_first] for kind in kinds])[order]
    known = np.concatenate([kind.lines.known_at[kind.lines.is_first] for kind in kinds])[order]
    arrivals = draw_arrivals(rng, moments, median=30 * MINUTE)
    state.outbox.post(
        rng,
        "fulfilment_events",
        {
            "fulfilment_event_id": write_ids("f", state.number("fulfilment_events", len(moments))),
            "order_id": write_ids("o", number),
            "event_type": write_words(EVENTS, event),
            "fault_party": write_words(PARTIES, join("party", NONE)),
            "carrier": write_words(CARRIERS, join("carrier", NONE)),
            "promised_dispatch_at": write_moments(join("dispatch_by", NEVER)),
            "occurred_at": write_moments(moments),
            # No event is known before its order.
            "ingested_at": write_moments(np.maximum(arrivals, known)),
        },
    )
