"""Fingerprints without memory: the code of a thing is computed from what it is."""

from __future__ import annotations

import hashlib

import numpy as np

from gnomon.simulate.world import Ints, World

_MASK = np.uint64(2**48 - 1)


def make_codes(world: World, topic: str, *numbers: Ints | int) -> Ints:
    """Return a 48-bit code above 0 for each tuple of numbers: the same tuple, the same code.

    The finaliser of SplitMix64 (Steele, Lea, Flood 2014) over the numbers, keyed by seed and topic.
    """
    digest = hashlib.sha256(f"gnomon.simulate {world.seed} code {topic}".encode()).digest()
    state = np.array(int.from_bytes(digest[:8], "little"), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for number in numbers:
            state = state ^ np.asarray(number, dtype=np.int64).astype(np.uint64)
            state = (state + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return np.asarray(np.maximum(state & _MASK, np.uint64(1)), dtype=np.int64)
