"""What can be bought: sellers, and the products that they list over time."""

from __future__ import annotations

import numpy as np

from gnomon.simulate.rows import order_by_time, write_ids, write_moments, write_words
from gnomon.simulate.state import State
from gnomon.simulate.world import (
    CATEGORIES,
    CURRENCIES,
    DAY,
    NONE,
    REGION_SHARES,
    REGIONS,
    UNITS_PER_DOLLAR,
    Day,
    Floats,
    Ints,
    World,
    draw_arrivals,
    draw_moments,
)

# The smallest step of a price, in hundredths of the currency: 100 rupiah, 1,000 dong, one cent.
_PRICE_STEPS = np.array([10_000, 100, 100_000, 100, 10, 10, 1, 1])
_CREATORS_PER_SELLER = 5
# By the end of the planned days; one of the five, on average, is listed in them.
_PRODUCTS_PER_SELLER = 5
# How much the first products of a shelf are preferred; 1 is not at all.
_POPULARITY = 1.6


def found(world: World, state: State) -> None:
    """Fill an empty catalogue with the sellers and what they listed before the start."""
    rng = world.draw_stream("catalogue")
    count = max(4, world.scale.creators // _CREATORS_PER_SELLER)
    # Even steps over the shares: a small world still has sellers in its large regions.
    steps = (np.arange(count) + 0.5) / count
    region = np.searchsorted(np.cumsum(REGION_SHARES), steps).clip(0, len(REGIONS) - 1).astype(np.int64)
    rng.shuffle(region)
    since = np.sort(world.start - rng.integers(30 * DAY, 600 * DAY, count))
    sellers = state.sellers.append(region=region, fault=rng.beta(1.2, 9.0, count), since=since)
    state.outbox.post(
        rng,
        "sellers",
        {
            "seller_id": write_ids("s", sellers),
            "region": write_words(REGIONS, region),
            "occurred_at": write_moments(since),
            "ingested_at": write_moments(draw_arrivals(rng, since)),
        },
    )
    # Every seller has a first product from the beginning; each of the others may still be to come.
    others = rng.binomial(_PRODUCTS_PER_SELLER - 1, 0.75, count)
    seller = np.repeat(sellers, 1 + others)
    age = rng.random(len(seller)) * (world.start - since[seller])
    _list(state, rng, seller, world.start - 1 - age.astype(np.int64))


def list_products(state: State, day: Day) -> None:
    """List the day's new products: over the planned days one per seller, and on at the same rate."""
    rng = day.draw_stream("catalogue")
    count = int(rng.poisson(state.sellers.count / day.world.scale.days))
    seller = rng.integers(0, state.sellers.count, count)
    low = np.full(count, day.begins_at, dtype=np.int64)
    _list(state, rng, seller, draw_moments(rng, low, low + DAY, state.sellers["region"][seller]))


def _list(state: State, rng: np.random.Generator, seller: Ints, listed: Ints) -> None:
    """Add products to the ledger in the order of listing and post their rows."""
    order = order_by_time(rng, listed)
    seller, listed = seller[order], listed[order]
    count = len(seller)
    region = state.sellers["region"][seller]
    dollars = np.clip(11.0 * np.exp(0.8 * rng.standard_normal(count)), 1.5, 300.0)
    step = _PRICE_STEPS[region]
    price = np.maximum(np.round(dollars * UNITS_PER_DOLLAR[region] * 100 / step), 1).astype(np.int64) * step
    category = rng.integers(0, len(CATEGORIES), count)
    known = draw_arrivals(rng, listed)
    products = state.products.append(
        seller=seller, region=region, category=category, price=price, listed_at=listed, known_at=known
    )
    state.outbox.post(
        rng,
        "products",
        {
            "product_id": write_ids("p", products),
            "seller_id": write_ids("s", seller),
            "category": write_words(CATEGORIES, category),
            "currency": write_words(CURRENCIES, region),
            "price_amount": price / 100,
            "occurred_at": write_moments(listed),
            "ingested_at": write_moments(known),
        },
    )


def draw_products(rng: np.random.Generator, state: State, region: Ints, category: Ints, moments: Ints) -> Ints:
    """Return a product of the region for each moment; see choose_products. One uniform number each."""
    return choose_products(state, rng.random(len(region)), region, category, moments)


def choose_products(state: State, luck: Floats, region: Ints, category: Ints, moments: Ints) -> Ints:
    """Return a product of the region for each moment, of the category where there is one; -1 where none is listed.

    `luck` is uniform from 0 to 1. Popular products come more often: those longest on the shelf.
    `category` -1 asks for any. The shelf is what was known when the UTC day of the earliest
    moment began.
    """
    if len(region) == 0:
        return np.zeros(0, dtype=np.int64)
    products = state.products
    known = np.flatnonzero(products["known_at"] <= int(moments.min()) // DAY * DAY)
    place, kind = products["region"][known], products["category"][known]
    kinds, places = len(CATEGORIES), len(REGIONS)
    luck = luck**_POPULARITY
    fitting = _choose(place * kinds + kind, region * kinds + np.maximum(category, 0), luck, places * kinds)
    of_region = _choose(place, region, luck, places)
    chosen = np.where((category >= 0) & (fitting >= 0), fitting, of_region)
    return np.append(known, NONE)[chosen]


def _choose(shelf: Ints, wanted: Ints, luck: Floats, shelves: int) -> Ints:
    """Return for each wanted shelf the place of one of the things on it, -1 where it is empty."""
    counts = np.bincount(shelf, minlength=shelves)
    begins = np.cumsum(counts) - counts
    order = np.append(np.argsort(shelf, kind="stable"), NONE)
    place = begins[wanted] + np.floor(luck * counts[wanted]).astype(np.int64)
    return order[np.where(counts[wanted] > 0, place, len(shelf))]
