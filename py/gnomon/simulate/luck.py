"""Luck that hangs on what a thing is, not on how many things came before it.

What decisions bring about (findings, appeals, reports) is drawn with it: a world and its twin
under other decisions then differ only where a decision made them differ.
"""

from __future__ import annotations

import numpy as np

from gnomon.simulate.codes import make_codes
from gnomon.simulate.state import State
from gnomon.simulate.world import NONE, Floats, Ints, World


def draw_luck(world: World, topic: str, *numbers: Ints | int) -> Floats:
    """Return a uniform number between 0 and 1 for each tuple of numbers: the same tuple, the same luck."""
    return np.asarray((make_codes(world, f"luck {topic}", *numbers) - 0.5) / 2.0**48, dtype=np.float64)


def draw_lucky_delays(world: World, topic: str, median: Floats | float, spread: float, *numbers: Ints | int) -> Ints:
    """Return log-normal delays in whole seconds, at least 1; `median` in seconds, `spread` in logs (Box and Muller)."""
    radius = np.sqrt(-2.0 * np.log(draw_luck(world, f"{topic} radius", *numbers)))
    normal = radius * np.cos(2.0 * np.pi * draw_luck(world, f"{topic} angle", *numbers))
    seconds: Floats = np.maximum(np.round(median * np.exp(spread * normal)), 1.0)
    return seconds.astype(np.int64)


def choose(luck: Floats, shares: Floats) -> Ints:
    """Return the index that each luck falls on; `shares` add up to 1, in one row for all or one row each."""
    places = (luck[:, None] >= np.cumsum(shares, axis=-1)).sum(axis=1)
    return np.asarray(np.minimum(places, shares.shape[-1] - 1), dtype=np.int64)


def name_items(state: State, item: Ints) -> tuple[Ints, Ints]:
    """Return what identifies each item in every twin of its world: its creator and its second; -1 for none."""
    if state.items.count == 0:
        return np.full(len(item), NONE), np.full(len(item), NONE)
    there = item >= 0
    place = np.maximum(item, 0)
    return (
        np.where(there, state.items["creator"][place], NONE),
        np.where(there, state.items["uploaded_at"][place], NONE),
    )
