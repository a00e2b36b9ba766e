"""Where calls go: named mixes of countries and kinds of number, and contacts drawn from them.

A contact is a key and a rank: rank 0 is the most called, and the same pair is
the same number on every day. How often each rank is called belongs to
:mod:`.traffic`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulate.draws import Floats, Ints, Keys, hashed, unit
from pipelines.simulate.numbers import Pools, build_pools
from pipelines.simulate.places import (
    FAMILY_ABROAD,
    HIGH_RISK,
    HOLIDAY,
    HOMES,
    MID_PRICE,
    NEIGHBOURS,
)

Mix = dict[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Destinations:
    """Pools of numbers and the mixes over them.

    Attributes
    ----------
    pools : Pools
    mixes : tuple of str
        ``home:DE``, ``home_mobile:DE``, ``family:DE:TR``, ``holiday:DE``,
        ``abroad:DE`` by home country; ``high:CU``, ``mid``, ``mobile:SO`` by destination.
    upto : float64 array, shape (mixes, widest mix)
        Cumulated shares; 1 where a mix has fewer entries.
    pool : int64 array, shape (mixes, widest mix)
    """

    pools: Pools
    mixes: tuple[str, ...]
    upto: Floats
    pool: Ints

    def index(self, mix: str) -> int:
        """Return the position of a mix."""
        return self.mixes.index(mix)

    def draw(self, mix: Ints, bits: Keys, offset: Ints | int = 0) -> tuple[Ints, Ints]:
        """Draw a number from each mix.

        Returns
        -------
        tuple of int64 arrays, shape (n,)
            E.164 without plus sign, and the pool it is from.
        """
        share = unit(bits)
        column = np.zeros(len(mix), dtype=np.int64)
        for entry in range(self.upto.shape[1] - 1):
            column += share >= self.upto[mix, entry]
        pool = self.pool[mix, column]
        return self.pools.numbers(pool, hashed(bits, pool), offset), pool

    def contacts(self, key: Keys, rank: Ints, mix: Ints, run: Ints) -> tuple[Ints, Ints]:
        """Return the numbers of contacts; ``run`` consecutive ranks are consecutive numbers."""
        return self.draw(mix, hashed(key, rank // run), rank % run)


def build_destinations() -> Destinations:
    """Lay out every mix the profiles use."""
    mixes = _mixes()
    wanted = tuple(dict.fromkeys(pool for mix in mixes.values() for pool in mix))
    pools = build_pools(wanted)
    widest = max(len(mix) for mix in mixes.values())
    upto = np.ones((len(mixes), widest))
    pool = np.zeros((len(mixes), widest), dtype=np.int64)
    for row, mix in enumerate(mixes.values()):
        shares = np.array(list(mix.values()))
        upto[row, : len(mix)] = np.cumsum(shares / shares.sum())
        upto[row, len(mix) - 1 :] = 1.0
        pool[row, : len(mix)] = [wanted.index(name) for name in mix]
        pool[row, len(mix) :] = pool[row, len(mix) - 1]
    return Destinations(pools, tuple(mixes), upto, pool)


def _mixes() -> dict[str, Mix]:
    mixes: dict[str, Mix] = {}
    for home in HOMES:
        mixes |= _home_mixes(home.code)
    family = {country for countries in FAMILY_ABROAD.values() for country in countries}
    for country in sorted(family | set(HIGH_RISK) | set(MID_PRICE)):
        mixes[f"one:{country}"] = {(country, "mobile"): 0.75, (country, "fixed"): 0.25}
    mixes["high"] = {(country, "mobile"): 1.0 for country in HIGH_RISK}
    mixes["mid"] = {(country, "mobile"): 1.0 for country in MID_PRICE}
    return mixes


def _home_mixes(home: str) -> dict[str, Mix]:
    """Mixes of one home country; the shares are ours.

    Nine tenths of business calls stay in the country, and a little goes to dear
    places, so that no destination alone says fraud.
    """
    near = NEIGHBOURS[home]
    family = FAMILY_ABROAD[home]
    domestic: Mix = {(home, "fixed"): 0.45, (home, "mobile"): 0.41, (home, "toll_free"): 0.02}
    nearby: Mix = {(country, "fixed"): 0.03 for country in near}
    distant: Mix = {(family[0], "mobile"): 0.004, (home, "premium"): 0.002}
    business = domestic | nearby | distant
    abroad: Mix = {(home, "fixed"): 0.3, (home, "mobile"): 0.2} | {
        (country, kind): 0.08 for country in near for kind in ("fixed", "mobile")
    }
    return {
        f"home:{home}": business,
        f"home_mobile:{home}": {(home, "mobile"): 0.97, (home, "fixed"): 0.03},
        f"home_fixed:{home}": {(home, "fixed"): 0.9, (home, "mobile"): 0.1},
        f"abroad:{home}": abroad,
        f"dear:{home}": {(country, "mobile"): 1.0 for country in (*family, *HIGH_RISK[:3])},
        f"holiday:{home}": {(country, kind): 1.0 for country in HOLIDAY for kind in ("fixed",)}
        | {(home, "mobile"): 5.0},
    } | {
        f"family:{home}:{index}": {
            (home, "mobile"): 0.35,
            (home, "fixed"): 0.15,
            (country, "mobile"): 0.4,
            (country, "fixed"): 0.1,
        }
        for index, country in enumerate(family)
    }
