"""Learning what agreements are worth from pairs of accounts, before they are weighed.

u is counted: how often any two accounts share a value of a key, over all of them; only
for near names is it drawn. m is learned by expectation maximisation [1]_ from pairs that
share a rare value, detail by detail from the pairs that another detail made, so that what
makes a pair does not teach its own m. What is set in `details` counts as
:data:`SET_PAIRS` pairs seen before, and alone where there are few.

References
----------
.. [1] Dempster, A., Laird, N., Rubin, D. "Maximum likelihood from incomplete data via the EM
   algorithm." JRSS B 39 (1977), with a Dirichlet prior (section 1.2); for record linkage:
   Winkler, W. "Using the EM algorithm for weight computation." Proc. ASA (1988).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.query import Query, run, session
from cdr.settings import StoreSettings
from fraud.identity.details import DETAILS, KEYED, NEAR_NAME, Detail
from fraud.identity.pairs import Pairs
from fraud.identity.parameters import OUTSET, Parameters
from fraud.identity.weigh import DIFFERS, weigh

LEAST_PAIRS = 100
"""Pairs below which m stays as it was set. Ours: what is set would outweigh them."""

SET_PAIRS = 100
"""Pairs of the same people that the m set in `details` counts as. Ours: a tenth then moves by
less than its own uncertainty among a hundred pairs."""

SAMPLE_COUNT = 500
"""Accounts a side whose names are compared to learn how often strangers' names are
near. Ours: a quarter of a million pairs show one in a thousand to within a tenth."""

_ROUNDS = 200
_STILL = 1e-6
"""No m moves by more in the last round. Ours: far below a hundredth of a bit."""


def learn_parameters(
    pairs: Pairs,
    names: pl.DataFrame,
    *,
    population: int,
    learned_as_of: str,
    data_version: str,
    seed: int,
    store: StoreSettings,
) -> Parameters:
    """Learn u, and m where there are enough pairs.

    Parameters
    ----------
    pairs : Pairs
        As `pairs.find_pairs` gives.
    names : pl.DataFrame
        account_id and name, as made comparable, of all accounts that have one.
    population : int
        How many accounts there are. The prior is one partner among them for each account:
        as many accounts come back as were blocked.
    learned_as_of, data_version : str
        Kept with what is learned.
    seed : int
        Of the sample of names; the same seed gives the same parameters.
    store : StoreSettings
        Memory and threads that may be used.

    Raises
    ------
    QueryFailed
        If DuckDB refuses.
    """
    near = {"name_near": _near_names_share(names, seed=seed, store=store)}
    at_outset = Parameters(
        u=dict(sorted(pairs.known.select("key", "u").iter_rows())) | near,
        prior=1 / max(population, 2),
        matching_pairs={detail.name: 0.0 for detail in DETAILS},
        learned_as_of=learned_as_of,
        data_version=data_version,
        seed=seed,
        splink=version("splink"),
    )
    if pairs.agreements.select("account_id", "blocked_id").n_unique() < LEAST_PAIRS:
        return at_outset
    weighed = weigh(pairs, names, parameters=at_outset, store=store)
    m, matching = learned_m(weighed)
    return replace(at_outset, m=m, matching_pairs=matching, pairs=weighed.height)


def _near_names_share(names: pl.DataFrame, *, seed: int, store: StoreSettings) -> float:
    """Estimate the u probability of near names; half a pair is added for what was not drawn."""
    con = session({"names": names.to_arrow()}, store=store)
    drawn = {"seed": seed, "near": NEAR_NAME, "sample_count": SAMPLE_COUNT}
    try:
        query = Query.from_file("fraud.identity.sql", "near_names_share", **drawn)
        near_count, pair_count = run(con, query).row(0)
    finally:
        con.close()
    return float((near_count + 0.5) / (pair_count + 1))


@dataclass(frozen=True, slots=True)
class _Seen:
    """One detail of all pairs: its level, what it weighs for strangers, and who it paired.

    ``level`` counts from the strongest, the last being `differs`, -1 where not known;
    ``log_u`` is log2 of how often strangers agree so, in this very value; ``made`` tells
    the pairs that this detail alone would have made.
    """

    set_m: NDArray[np.float64]
    level: NDArray[np.int64]
    log_u: NDArray[np.float64]
    made: NDArray[np.bool_]

    def gain(self, m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the bits of each pair; 0 where the detail is not known."""
        return np.where(self.level < 0, 0.0, np.log2(m)[self.level] - self.log_u)


def learned_m(weighed: pl.DataFrame) -> tuple[dict[str, float], dict[str, float]]:
    """Learn m from weighed pairs.

    Parameters
    ----------
    weighed : pl.DataFrame
        Schema `weigh.WEIGHED`, weighed with the m that `details` sets.

    Returns
    -------
    m : dict of str to float
        Of each level.
    matching_pairs : dict of str to float
        Of each detail: the pairs of the same people it was learned from, expected.

    Notes
    -----
    Pairs that a detail made are a mixture of pairs of the same people, in an unknown
    share, and of strangers who share a rare value. In turn each pair is given its chance of
    being of the same people by all other details, and each m becomes the share of its
    level among these, counted by their chance.
    """
    seen = [_seen(weighed, detail) for detail in DETAILS]
    m = [one.set_m for one in seen]
    share = np.full(len(seen), 0.5)
    matching = np.zeros(len(seen))
    for _ in range(_ROUNDS):
        before = m
        m, share, matching = _better(seen, before, share)
        if max(np.abs(new - old).max() for new, old in zip(m, before, strict=True)) < _STILL:
            break
    learned = {
        level.key: float(value)
        for detail, values in zip(DETAILS, m, strict=True)
        for level, value in zip(detail.levels, values[:-1], strict=True)
    }
    names = [detail.name for detail in DETAILS]
    return learned, dict(zip(names, np.round(matching, 3).tolist(), strict=True))


def _better(
    seen: list[_Seen], m: list[NDArray[np.float64]], share: NDArray[np.float64]
) -> tuple[list[NDArray[np.float64]], NDArray[np.float64], NDArray[np.float64]]:
    """Return m, the share of the same people among the pairs of each detail, and pairs behind m."""
    gains = [one.gain(of_one) for one, of_one in zip(seen, m, strict=True)]
    whole = np.sum(gains, axis=0)
    counts = [SET_PAIRS * one.set_m for one in seen]
    shares = share.copy()
    for number, maker in enumerate(seen):
        bits = (whole - gains[number])[maker.made] + np.log2(share[number] / (1 - share[number]))
        chance = 1 / (1 + np.exp2(-bits))
        shares[number] = (chance.sum() + 1) / (len(chance) + 2)
        for other, one in enumerate(seen):
            level = one.level[maker.made]
            if other != number:
                known = level >= 0
                counts[other] += np.bincount(level[known], chance[known], len(one.set_m))
    matching = np.array([count.sum() for count in counts]) - SET_PAIRS
    return [count / count.sum() for count in counts], shares, matching


def _seen(weighed: pl.DataFrame, detail: Detail) -> _Seen:
    keys = [level.key for level in detail.levels]
    set_m = np.array([OUTSET[key] for key in keys])
    set_m = np.append(set_m, 1 - set_m.sum())
    level_of: Mapping[str, int] = {key: i for i, key in enumerate([*keys, DIFFERS])}
    column = pl.col(f"{detail.name}_level")
    level: NDArray[Any] = weighed.select(
        column.replace_strict(level_of, default=-1, return_dtype=pl.Int64).fill_null(-1)
    )[column.meta.output_name()].to_numpy()
    bits = weighed[f"{detail.name}_bits"].fill_null(0.0).to_numpy()
    most: Mapping[str, int] = {one.key: one.most_holders for one in detail.levels if one in KEYED}
    rare = pl.col(f"{detail.name}_holders") <= column.replace_strict(
        most, default=0, return_dtype=pl.Int64
    )
    made = weighed.select(rare.fill_null(value=False).alias("made"))["made"].to_numpy()
    return _Seen(set_m, level, np.log2(set_m)[level] - bits, made)
