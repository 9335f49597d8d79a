"""What can be bought: sellers and their products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.simulate.rows import Rows, number_ids, order_by_time, show_moments
from gnomon.simulate.world import (
    CATEGORIES,
    CURRENCIES,
    DAY,
    NONE,
    REGION_SHARES,
    REGIONS,
    UNITS_PER_DOLLAR,
    Floats,
    Ints,
    Texts,
    World,
    draw_arrivals,
)

# The smallest step of a price, in hundredths of the currency: 100 rupiah, 1,000 dong, one cent.
_PRICE_STEPS = np.array([10_000, 100, 100_000, 100, 10, 10, 1, 1])


@dataclass(frozen=True)
class Catalogue:
    """Sellers and products in the order of time; prices are hundredths of the currency's unit."""

    seller_id: Texts
    seller_region: Ints
    seller_fault: Floats
    seller_since: Ints
    product_id: Texts
    seller: Ints
    category: Ints
    price: Ints
    listed_at: Ints
    ingested_at: Ints

    @property
    def region(self) -> Ints:
        """Return each product's region, which is its seller's."""
        return self.seller_region[self.seller]


def draw_catalogue(world: World) -> Catalogue:
    """Return sellers and products: one seller per five creators, five products each, listed early or later."""
    rng = world.draw_stream("catalogue")
    sellers = max(4, world.creators // 5)
    # Even steps over the shares: a small world still has sellers in its large regions.
    steps = (np.arange(sellers) + 0.5) / sellers
    region = np.searchsorted(np.cumsum(REGION_SHARES), steps).clip(0, len(REGIONS) - 1).astype(np.int64)
    rng.shuffle(region)
    since = np.sort(world.start - rng.integers(30 * DAY, 600 * DAY, sellers))
    fault = rng.beta(1.2, 9.0, sellers)

    count = sellers * 5
    # The first product of every seller is there before the world begins.
    seller = np.tile(np.arange(sellers), 5)
    listed_from = np.where(np.arange(count) < sellers, since[seller], since[seller] + 1)
    listed_to = np.where(rng.random(count) < 0.8, world.start, world.end)
    listed_to = np.where(np.arange(count) < sellers, world.start, listed_to)
    listed = listed_from + (rng.random(count) * (listed_to - listed_from)).astype(np.int64)
    place = region[seller]
    dollars = np.clip(11.0 * np.exp(0.8 * rng.standard_normal(count)), 1.5, 300.0)
    step = _PRICE_STEPS[place]
    price = np.maximum(np.round(dollars * UNITS_PER_DOLLAR[place] * 100 / step), 1).astype(np.int64) * step
    category = rng.integers(0, len(CATEGORIES), count)
    ingested = draw_arrivals(rng, listed)
    order = order_by_time(rng, listed)
    order = order[ingested[order] <= world.end]
    return Catalogue(
        seller_id=number_ids("s", sellers),
        seller_region=region,
        seller_fault=fault,
        seller_since=since,
        product_id=number_ids("p", len(order)),
        seller=seller[order],
        category=category[order],
        price=price[order],
        listed_at=listed[order],
        ingested_at=ingested[order],
    )


def draw_products(rng: np.random.Generator, catalogue: Catalogue, region: Ints, category: Ints, moments: Ints) -> Ints:
    """Return a product of the region for each moment, of the category where there is one; -1 where none is listed.

    Popular products come more often. `category` -1 asks for any.
    """
    chosen = np.full(len(region), NONE)
    luck = rng.random(len(region)) ** 1.6
    for place, kind in np.unique(np.stack([region, category]), axis=1).T:
        there = np.flatnonzero((region == place) & (category == kind))
        offered = catalogue.region == place
        fitting = offered & (catalogue.category == kind)
        products = np.flatnonzero(fitting if fitting.any() else offered)
        if len(products) == 0:
            continue
        product = products[np.floor(luck[there] * len(products)).astype(np.int64)]
        chosen[there] = np.where(catalogue.ingested_at[product] < moments[there], product, NONE)
    return chosen


def tabulate_sellers(world: World, catalogue: Catalogue) -> Rows:
    """Return the raw table sellers."""
    rng = world.draw_stream("sellers")
    return {
        "seller_id": catalogue.seller_id,
        "region": REGIONS[catalogue.seller_region],
        "occurred_at": show_moments(catalogue.seller_since),
        "ingested_at": show_moments(draw_arrivals(rng, catalogue.seller_since)),
    }


def tabulate_products(catalogue: Catalogue) -> Rows:
    """Return the raw table products; the price is in the seller's currency."""
    return {
        "product_id": catalogue.product_id,
        "seller_id": catalogue.seller_id[catalogue.seller],
        "category": CATEGORIES[catalogue.category],
        "currency": CURRENCIES[catalogue.region],
        "price_amount": catalogue.price / 100,
        "occurred_at": show_moments(catalogue.listed_at),
        "ingested_at": show_moments(catalogue.ingested_at),
    }
