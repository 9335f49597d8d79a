"""What buyers do after their orders: refunds, complaints and ratings.

Each thing is drawn on the day of what leads to it and waits on the agenda for its own day. So a
parcel's fate is drawn when it is dispatched, in the world as it is on that day.
"""

from __future__ import annotations

import numpy as np

from gnomon.simulate.effects import Effects
from gnomon.simulate.luck import choose, draw_luck, draw_lucky_delays
from gnomon.simulate.parcels import BUYER, CARRIER, PARTIES, PLATFORM, SELLER, Parcels, move
from gnomon.simulate.rows import order_by_time, write_ids, write_moments, write_words
from gnomon.simulate.state import State
from gnomon.simulate.world import (
    CURRENCIES,
    DAY,
    HOUR,
    Bools,
    Day,
    Floats,
    Ints,
    draw_arrivals,
)

CAUSES = np.array(["not_received", "late", "damaged", "not_as_described", "counterfeit", "service"])
LOST, LATE, DAMAGED, MISDESCRIBED, COUNTERFEIT, SERVICE = range(6)
KINDS = np.array(["return_refund", "refund_only"])

_REFUNDS, _COMPLAINTS, _REVIEWS = "after_sales.refunds", "after_sales.complaints", "after_sales.reviews"
# Of complaints about what came in time: damaged, not as described, counterfeit, service.
_GOODS_SHARES = np.array([0.22, 0.48, 0.15, 0.15])
# Of three stars and more for who is content, of one and more for who is not.
_GOOD_RATINGS = np.array([0.10, 0.25, 0.65])
_BAD_RATINGS = np.array([0.50, 0.25, 0.25])
# A parcel that is longer than this on its way is late by its carrier's doing.
_USUAL_TRANSIT = 7 * DAY


def follow(state: State, day: Day, effects: Effects) -> None:
    """Let the day's orders go their way; post fulfilment_events, refunds, complaints and product_reviews."""
    fates = move(state, day, effects)
    _undo(state, day, fates.cancelled)
    _miss(state, day, fates.lost)
    _receive(state, day, fates.delivered)
    _post_refunds(state, day)
    _post_complaints(state, day)
    _post_reviews(state, day)


def _undo(state: State, day: Day, cancelled: Parcels) -> None:
    """Plan the money back for every line of cancelled orders."""
    lines = cancelled.lines
    back = cancelled.at[lines.whose] + draw_lucky_delays(day.world, "undoing", 8 * HOUR, 0.8, lines.code)
    _plan_refunds(state, back, lines.line, lines.product, lines.value, np.ones(len(back), dtype=bool))


def _miss(state: State, day: Day, lost: Parcels) -> None:
    """Plan what comes of parcels that never arrive: all money back, and mostly a complaint before."""
    world, lines, code = day.world, lost.lines, lost.lines.order_code
    waits = draw_lucky_delays(world, "refund of loss", 4 * DAY, 0.6, lines.code, lines.product)
    back = lost.at[lines.whose] + 12 * DAY + waits
    _plan_refunds(state, back, lines.line, lines.product, lines.value, np.ones(len(back), dtype=bool))
    complains = draw_luck(world, "complaint", code) < 0.75
    party = np.where(draw_luck(world, "party", code) < 0.9, CARRIER, SELLER)
    _plan_complaints(state, day, lost, lost.at + 10 * DAY, complains, np.full(len(code), LOST), party)


def _receive(state: State, day: Day, delivered: Parcels) -> None:
    """Plan what buyers do with what came: returns weeks later, complaints, and ratings of three lines in ten."""
    world, lines = day.world, delivered.lines
    at = delivered.at[lines.whose]

    def draw(topic: str) -> Floats:
        return draw_luck(world, topic, lines.code, lines.product)

    returns = draw("return") < 0.03 + 0.25 * lines.fault + lines.deceit
    back = at + 2 * DAY + draw_lucky_delays(world, "return", 9 * DAY, 0.7, lines.code, lines.product)
    # Some keep the goods for half of the money back.
    keeps = draw("keeping") < 0.2
    value = np.where(keeps, lines.value // 2, lines.value)
    _plan_refunds(state, back[returns], lines.line[returns], lines.product[returns], value[returns], keeps[returns])

    cause, complains = _draw_causes(day, delivered)
    _plan_complaints(state, day, delivered, delivered.at, complains, cause, _draw_parties(day, delivered, cause))

    rates = draw("rates") < 0.3
    rated = at + draw_lucky_delays(world, "rating", 3 * DAY, 0.8, lines.code, lines.product)
    unhappy = draw("unhappy") < 0.03 + 0.8 * lines.fault + lines.deceit
    luck = draw("rating")
    rating = np.where(unhappy, 1 + choose(luck, _BAD_RATINGS), 3 + choose(luck, _GOOD_RATINGS))
    state.agenda.plan(
        _REVIEWS, at=rated[rates], line=lines.line[rates], product=lines.product[rates], rating=rating[rates]
    )


def _is_late(delivered: Parcels) -> Bools:
    """Return which parcels their sellers dispatched later than promised."""
    return np.asarray(delivered.dispatched_at > delivered.lines.dispatch_by[delivered.lines.is_first])


def _draw_causes(day: Day, delivered: Parcels) -> tuple[Ints, Bools]:
    """Return by order what its buyer would complain of, and whether it comes to that.

    A deceived buyer complains of the description, one who waited too long of the delay; the rest
    of the chance is what happens anyway, more with a seller at fault.
    """
    world, lines, code = day.world, delivered.lines, delivered.lines.order_code
    first = lines.is_first
    is_late = _is_late(delivered)
    deceived = lines.deceit[first]
    overdue = np.maximum(delivered.at - delivered.dispatched_at - _USUAL_TRANSIT, 0) / DAY
    waited = np.minimum(0.04 * overdue, 0.3)
    usual = np.where(is_late, 0.10, 0.012) + 0.12 * lines.fault[first]
    luck = draw_luck(world, "complaint", code)
    by_goods = choose(draw_luck(world, "what is wrong", code), _GOODS_SHARES) + DAMAGED
    otherwise = np.where(is_late & (draw_luck(world, "late or wrong", code) < 0.6), LATE, by_goods)
    cause = np.where(luck < deceived, MISDESCRIBED, np.where(luck < deceived + waited, LATE, otherwise))
    return cause, luck < deceived + waited + usual


def _draw_parties(day: Day, delivered: Parcels, cause: Ints) -> Ints:
    """Return by order the party at fault for a complaint of this cause.

    A delay is mostly the seller's if it was dispatched late, else mostly the carrier's.
    """
    luck = draw_luck(day.world, "party", delivered.lines.order_code)
    late_by_seller = np.where(_is_late(delivered), 0.8, 0.08)
    return np.select(
        [cause == LATE, cause == DAMAGED, cause == SERVICE],
        [
            np.where(luck < late_by_seller, SELLER, CARRIER),
            np.where(luck < 0.6, CARRIER, SELLER),
            np.where(luck < 0.4, PLATFORM, np.where(luck < 0.7, BUYER, SELLER)),
        ],
        np.where(luck < 0.9, SELLER, BUYER),
    )


def _plan_refunds(state: State, at: Ints, line: Ints, product: Ints, amount: Ints, keeps: Bools) -> None:
    state.agenda.plan(_REFUNDS, at=at, line=line, product=product, amount=amount, keeps=keeps.astype(np.int64))


def _plan_complaints(
    state: State, day: Day, parcels: Parcels, since: Ints, complains: Bools, cause: Ints, party: Ints
) -> None:
    """Plan complaints some days after `since`; an order has one fate, so at most one complaint."""
    at = since + draw_lucky_delays(day.world, "complaint", 2 * DAY, 0.9, parcels.lines.order_code)
    order = parcels.lines.order[parcels.lines.is_first]
    state.agenda.plan(
        _COMPLAINTS, at=at[complains], order=order[complains], cause=cause[complains], party=party[complains]
    )


def _post_refunds(state: State, day: Day) -> None:
    """Post the day's refunds, in the currency of their lines."""
    rng = day.draw_stream("refunds")
    due = state.agenda.take(_REFUNDS, day.ends_at)
    order = order_by_time(rng, due["at"])
    due = {name: values[order] for name, values in due.items()}
    state.outbox.post(
        rng,
        "refunds",
        {
            "refund_id": write_ids("r", state.number("refunds", len(order))),
            "order_item_id": write_ids("i", due["line"]),
            "refund_kind": write_words(KINDS, due["keeps"]),
            "currency": write_words(CURRENCIES, state.products["region"][due["product"]]),
            "refund_amount": due["amount"] / 100,
            "occurred_at": write_moments(due["at"]),
            "ingested_at": write_moments(draw_arrivals(rng, due["at"], median=HOUR)),
        },
    )


def _post_complaints(state: State, day: Day) -> None:
    """Post the day's complaints."""
    rng = day.draw_stream("complaints")
    due = state.agenda.take(_COMPLAINTS, day.ends_at)
    order = order_by_time(rng, due["at"])
    due = {name: values[order] for name, values in due.items()}
    state.outbox.post(
        rng,
        "complaints",
        {
            "complaint_id": write_ids("q", state.number("complaints", len(order))),
            "order_id": write_ids("o", due["order"]),
            "cause": write_words(CAUSES, due["cause"]),
            "fault_party": write_words(PARTIES, due["party"]),
            "occurred_at": write_moments(due["at"]),
            "ingested_at": write_moments(draw_arrivals(rng, due["at"])),
        },
    )


def _post_reviews(state: State, day: Day) -> None:
    """Post the day's ratings of lines."""
    rng = day.draw_stream("product reviews")
    due = state.agenda.take(_REVIEWS, day.ends_at)
    order = order_by_time(rng, due["at"])
    due = {name: values[order] for name, values in due.items()}
    state.outbox.post(
        rng,
        "product_reviews",
        {
            "product_review_id": write_ids("g", state.number("product_reviews", len(order))),
            "order_item_id": write_ids("i", due["line"]),
            "product_id": write_ids("p", due["product"]),
            "rating": due["rating"],
            "occurred_at": write_moments(due["at"]),
            "ingested_at": write_moments(draw_arrivals(rng, due["at"])),
        },
    )
