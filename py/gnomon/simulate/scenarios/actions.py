"""What a crew does on a day: posts, visits that are paid for, and visits that hide them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.simulate.codes import make_codes
from gnomon.simulate.effects import Postings, Visits
from gnomon.simulate.scenarios.crew import find_members, open_crew
from gnomon.simulate.scenarios.rhythm import draw_counts, draw_rhythm
from gnomon.simulate.scenarios.scenario import Turn
from gnomon.simulate.world import DAY, HOUR, NONE, Floats, Ints, draw_choices

# A posting's policy: -1 breaks none, this one is left to content.py.
AS_USUAL = -2
# How much more than people a creator posts, and a viewer visits, whose operator hides nothing.
POST_BOOST, VISIT_BOOST = 25.0, 80.0
_PAID_SHARE = 0.15
_COVER_SHARE = 0.6
_COVER_DAYS = 7
LIVE = 1


@dataclass(frozen=True)
class Store:
    """How many captions, links and media an operator has, and how often an item uses one of them."""

    captions: int
    links: int
    media: int
    reuse: float


def find_posting_rate(turn: Turn) -> float:
    """Return how many items a member posts a day: as a person of the world with stealth, far more without."""
    return turn.day.world.scale.posts_per_creator * float(POST_BOOST ** (1.0 - turn.stealth) ** 1.5)


def find_paid_rate(turn: Turn) -> float:
    """Return how many paid visits a member makes a day: a small part of a person's with stealth."""
    return turn.impressions_per_viewer * _PAID_SHARE * float(VISIT_BOOST ** (1.0 - turn.stealth) ** 1.5)


def find_eagerness(turn: Turn) -> float:
    """Return how eagerly a paid visit acts: nearly always without stealth, a quarter of the time with it."""
    return 0.95 - 0.78 * turn.stealth


def post_items(turn: Turn, policies: Ints, shares: Floats, store: Store, products: Ints | None = None) -> Postings:
    """Add the crew's items of today to the effects, and return them; AIGC is as usual.

    An item breaks policies[k] with chance shares[k] (-1: none). `products` are shown on most of
    them. Captions and media come from the operator's store as often as stealth does not hide it.
    """
    rng = turn.draw_stream("posting")
    crew, world = open_crew(turn), turn.day.world
    rows = find_members(turn, creators=True)
    counts = draw_counts(rng.random(len(rows)), find_posting_rate(turn) * crew["volume"][rows])
    who = np.repeat(rows, counts)
    count = len(who)
    creator = crew["creator"][who]
    region = turn.state.accounts["region"][crew["account"][who]]
    key = f"scenario {turn.scenario.name}"
    # Even a little of it stands out, so hiding takes it away faster than it takes away bursts.
    reuse = store.reuse * (1.0 - turn.stealth) ** 1.5
    fresh = rng.integers(1, 2**48, (2, count), dtype=np.int64)
    caption = make_codes(world, f"{key} caption", rng.integers(0, store.captions, count))
    media = make_codes(world, f"{key} media", rng.integers(0, store.media, count))
    link = make_codes(world, f"{key} link", rng.integers(0, store.links, count))
    nothing = np.full(count, NONE)
    product = nothing
    if products is not None and len(products):
        shows = rng.random(count) < 0.9 - 0.85 * turn.stealth
        product = np.where(shows, products[rng.integers(0, len(products), count)], NONE)
    postings = Postings(
        scenario=turn.number,
        creator=creator,
        uploaded_at=draw_rhythm(turn, rng, region),
        caption=np.where(rng.random(count) < reuse, caption, fresh[0]),
        audio=nothing,
        link=np.where(rng.random(count) < 0.3 * reuse, link, NONE),
        media=np.where(rng.random(count) < 0.6 * reuse, media, fresh[1]),
        product=product,
        policy=policies[draw_choices(rng, shares, count)],
        aigc=nothing.copy(),
        declared=nothing.copy(),
        reach=np.ones(count),
    )
    turn.effects.postings.append(postings)
    return postings


def find_recent(turn: Turn, creators: Ints | None, days: int) -> tuple[Ints, Floats]:
    """Return items of the last days, of these creators or of all, with what draws people to them today."""
    items = turn.state.items
    first = int(np.searchsorted(items["uploaded_at"], turn.day.begins_at - days * DAY))
    number = np.arange(first, items.count, dtype=np.int64)
    if creators is not None:
        chosen = np.zeros(max(turn.state.creators.count, 1), dtype=bool)
        chosen[creators] = True
        number = number[chosen[items["creator"][number]]]
    age = (turn.day.begins_at - items["uploaded_at"][number]) / DAY
    return number, items["reach"][number] * np.exp(-np.maximum(age, 0.0))


def draw_by_weight(things: Ints, weight: Floats, luck: Floats) -> Ints:
    """Return a thing for each uniform number, by weight; there must be one of positive weight."""
    summed = np.cumsum(weight)
    place = np.minimum(np.searchsorted(summed, luck * summed[-1], side="right"), len(things) - 1)
    return np.asarray(things[place], dtype=np.int64)


def visit_items(turn: Turn, items: Ints, weight: Floats, rate: float, eagerness: float, topic: str) -> None:
    """Send the crew's viewers to these items, each `rate` times its volume on average."""
    crew = open_crew(turn)
    rng = turn.draw_stream(topic)
    rows = find_members(turn, creators=False)
    counts = draw_counts(rng.random(len(rows)), rate * crew["volume"][rows])
    viewer = crew["account"][np.repeat(rows, counts)]
    if len(items) == 0 or len(viewer) == 0 or weight.sum() <= 0:
        return
    shown = draw_rhythm(turn, rng, turn.state.accounts["region"][viewer])
    item = draw_by_weight(items, weight, rng.random(len(viewer)))
    add_visits(turn, item, viewer, shown, eagerness)


def add_visits(turn: Turn, item: Ints, viewer: Ints, shown: Ints, eagerness: float) -> None:
    """Add showings to the day's effects; a LIVE that is over is not among them."""
    items = turn.state.items
    over = items["uploaded_at"][item] + 5 * HOUR < shown
    there = ~((items["kind"][item] == LIVE) & over)
    count = int(there.sum())
    text = draw_texts(turn, len(item)) if turn.scenario.stealth is not None else np.full(len(item), NONE)
    turn.effects.visits.append(
        Visits(
            scenario=turn.number,
            item=item[there],
            viewer=viewer[there],
            shown_at=shown[there],
            eagerness=np.full(count, eagerness),
            text=text[there],
        )
    )


def draw_texts(turn: Turn, count: int) -> Ints:
    """Return the fingerprints of what a crew writes: a few texts of its own, or as people write where it hides."""
    rng = turn.draw_stream(f"texts {len(turn.effects.visits)}")
    common = make_codes(turn.day.world, "common text", rng.integers(0, 60, count))
    fresh = rng.integers(1, 2**48, count, dtype=np.int64)
    script = make_codes(turn.day.world, f"scenario {turn.scenario.name} text", rng.integers(0, 8, count))
    as_people = np.where(rng.random(count) < 0.25, common, fresh)
    return np.where(rng.random(count) < turn.stealth, as_people, script)


def keep_cover(turn: Turn) -> None:
    """Let the crew's viewers look at what is popular, as people do; without stealth nobody bothers.

    Beside paid visits these act a little less than people, so that the account as a whole does not
    act more: eagerness is below 0 there.
    """
    rate = turn.impressions_per_viewer * _COVER_SHARE * turn.stealth
    if rate == 0.0 or turn.day.number < turn.scenario.starts_on:
        return
    pays = turn.scenario.runs_on(turn.day.number) and f"{turn.key}.pays" in turn.state.numbers
    balance = find_paid_rate(turn) / rate * find_eagerness(turn) if pays else 0.0
    items, weight = find_recent(turn, None, _COVER_DAYS)
    visit_items(turn, items, weight, rate, -min(balance, 0.18), "cover")
