"""Randomness that can be repeated: generators by part and day, and hashed draws.

Each part of the simulation, and each day of it, has a generator of its own, so
that what one part draws never moves another. A hashed draw gives the same
number for the same key on any day: this is how an account has the same contacts
all month without a stored list. What is drawn belongs to the other modules.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Keys = NDArray[np.uint64]


class Part(IntEnum):
    """What a generator is for; the number is part of its seed and never changes."""

    POPULATION = 1
    FRAUD = 2
    STREAMS = 3
    IDENTITY = 4
    TRAFFIC = 5
    SWITCHES = 6
    EVENTS = 7
    MESSAGES = 8


def generator(seed: int, part: Part, day: int = 0) -> np.random.Generator:
    """Return the generator of one part of the simulation on one day.

    Parameters
    ----------
    seed : int
        The user's seed, 0 or more.
    part : Part
        What the draws are for.
    day : int, default=0
        Days since the first simulated day; 0 for what is drawn once.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(part), day)))


def hashed(key: NDArray[Any], rank: NDArray[Any]) -> Keys:
    """Return 64 well-mixed bits for each pair of key and rank.

    Notes
    -----
    The mixing steps are those of SplitMix64 (Steele, Lea, Flood, "Fast splittable
    pseudorandom number generators", OOPSLA 2014).
    """
    with np.errstate(over="ignore"):
        z = key.astype(np.uint64) + (rank.astype(np.uint64) + np.uint64(1)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: Keys = z ^ (z >> np.uint64(31))
    return mixed


def unit(bits: Keys) -> Floats:
    """Return the top 53 bits as a number in [0, 1)."""
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def below(bits: Keys, bound: NDArray[Any] | int) -> Ints:
    """Return the low 40 bits reduced to [0, bound); bounds up to 10^9 are even enough."""
    low = (bits & np.uint64((1 << 40) - 1)).astype(np.int64)
    reduced: Ints = low % np.asarray(bound, dtype=np.int64)
    return reduced
