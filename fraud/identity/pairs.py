"""Who is compared with whom, and what the two have in common.

Pairs are found through values that few accounts have, never by trying all of them.
Pure: frames in, frames out. Not here: what the agreement is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from fraud.identity.details import KEYED
from fraud.identity.normalise import KEY, KEYS

PAIR = ("account_id", "blocked_id")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Accounts beside blocked accounts they may belong to.

    Parameters
    ----------
    agreements : pl.DataFrame
        One row per pair and key that both have: account_id, blocked_id, key, and
        holders: accounts that have the rarest value they share; null where they
        share none.
    known : pl.DataFrame
        One row per key: known_count, accounts that have it, and u: how often two
        accounts that have it share a value, 0..1.
    """

    agreements: pl.DataFrame
    known: pl.DataFrame


def find_pairs(
    values: pl.DataFrame, blocked: pl.DataFrame, accounts: Sequence[str] | None = None
) -> Pairs:
    """Pair accounts with blocked ones that share a value few have.

    Parameters
    ----------
    values : pl.DataFrame
        What each account has, as `normalise.held_values` gives.
    blocked : pl.DataFrame
        Accounts to compare with: account_id and blocked_on (UTC day).
    accounts : sequence of str, optional
        Only these are paired; None takes all. Rarity is always counted over all.

    Returns
    -------
    Pairs
        Never an account with itself; one that is blocked itself only with those that
        were blocked on an earlier day: who was blocked along with it, or later, was no
        pattern when it counted.
    """
    holders = values.group_by("key", "value").agg(holders=pl.len())
    known = _known(values, holders)
    has = values.select("account_id", "key").unique()
    shared = values.join(holders.filter(pl.col("holders") > 1), on=["key", "value"])
    of_blocked = shared.filter(pl.col("account_id").is_in(blocked["account_id"].implode())).select(
        "key", "value", blocked_id="account_id"
    )
    if accounts is not None:
        shared = shared.filter(pl.col("account_id").is_in(list(accounts)))
    shared = shared.join(of_blocked, on=["key", "value"], how="semi")
    pairs = _known_then(_rarely_shared(shared, of_blocked), blocked)
    return Pairs(_agreements(pairs, shared, of_blocked, has), known)


def _known_then(pairs: pl.DataFrame, blocked: pl.DataFrame) -> pl.DataFrame:
    own = blocked.select("account_id", own_block="blocked_on")
    theirs = blocked.select(blocked_id="account_id", their_block="blocked_on")
    dated = pairs.join(own, on="account_id", how="left").join(theirs, on="blocked_id")
    known = pl.col("own_block").is_null() | (pl.col("their_block") < pl.col("own_block"))
    return dated.filter(known).select(PAIR).sort(PAIR)


def _known(values: pl.DataFrame, holders: pl.DataFrame) -> pl.DataFrame:
    """Count who has each key, and how often two of them share a value.

    The second is the sum over values of holders (holders - 1), over all ordered
    pairs; an account with two values is counted with each, which is exact for
    single values and a close upper bound for lists.
    """
    counts = values.group_by("key").agg(known_count=pl.col("account_id").n_unique())
    h = pl.col("holders").cast(pl.Float64)
    shared = holders.group_by("key").agg(pair_count=(h * (h - 1)).sum())
    n = pl.col("known_count").cast(pl.Float64)
    u = (pl.col("pair_count") + 0.5) / (n * (n - 1) + 1)  # Jeffreys' half for what is not seen yet
    return counts.join(shared, on="key").select("key", "known_count", u=u)


def _rarely_shared(shared: pl.DataFrame, of_blocked: pl.DataFrame) -> pl.DataFrame:
    limits = pl.DataFrame(
        {"key": KEYS, "most_holders": [level.most_holders for level in KEYED]},
        schema={"key": KEY, "most_holders": pl.UInt32()},
    )
    rare = shared.join(limits, on="key").filter(pl.col("holders") <= pl.col("most_holders"))
    return (
        rare.join(of_blocked, on=["key", "value"])
        .filter(pl.col("account_id") != pl.col("blocked_id"))
        .select(PAIR)
        .unique()
        .sort(PAIR)
    )


def _agreements(
    pairs: pl.DataFrame, shared: pl.DataFrame, of_blocked: pl.DataFrame, has: pl.DataFrame
) -> pl.DataFrame:
    """Return the keys both sides of each pair have, with the rarest value they share."""
    rarest = (
        pairs.join(shared, on="account_id")
        .join(of_blocked, on=["blocked_id", "key", "value"])
        .group_by(*PAIR, "key")
        .agg(pl.col("holders").min())
    )
    both = pairs.join(has, on="account_id").join(
        has.rename({"account_id": "blocked_id"}), on=["blocked_id", "key"]
    )
    return both.join(rarest, on=[*PAIR, "key"], how="left").sort(*PAIR, "key")
