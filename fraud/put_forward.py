"""What becomes of scores: their bands, and whom a night puts before the team.

Frames in, frames out. Not here: what a score is made of, and the words of a case.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.scoring_settings import ScoringSettings
from fraud.signal_set import CALLS_MADE


def enough_known(
    described: pl.DataFrame, details: pl.DataFrame, settings: ScoringSettings
) -> pl.Series:
    """Return accounts with enough calls or something shared; of others too little is known.

    Whatever is switched off: what is not looked at is no reason to know less.

    Parameters
    ----------
    described, details : DataFrame
        Signals of behaviour with `CALLS_MADE`, and all of account details.
    settings : ScoringSettings
        For `min_calls`.
    """
    calling = described.filter(pl.col(CALLS_MADE) >= settings.min_calls)
    sharing = details.filter(pl.col("identity_evidence_bits") > 0)
    return pl.concat([calling["account_id"], sharing["account_id"]])


def banded(
    features: pl.DataFrame,
    score: NDArray[np.float64],
    *,
    known: pl.Series,
    settings: ScoringSettings,
) -> pl.DataFrame:
    """Return `account_id`, `score` (null: unknown) and `band`, in the order of ``features``.

    Parameters
    ----------
    features : DataFrame
        With `account_id`.
    score : float64 array of shape (n,)
        In the same order.
    known : Series of String
        Accounts of which enough is known; any other is `unknown`.
    settings : ScoringSettings
        For the bounds of bands.
    """
    is_known = pl.col("account_id").is_in(known.implode())
    score_of = pl.when(is_known).then(pl.Series("score", score, dtype=pl.Float64))
    return features.select("account_id", score_of.alias("score")).with_columns(
        pl.when(pl.col("score").is_null())
        .then(pl.lit("unknown"))
        .when(pl.col("score") >= settings.high_from)
        .then(pl.lit("high"))
        .when(pl.col("score") >= settings.medium_from)
        .then(pl.lit("medium"))
        .otherwise(pl.lit("low"))
        .alias("band")
    )


def put_forward(
    scores: pl.DataFrame,
    settings: ScoringSettings,
    as_of: datetime,
    only: str | None,
    left: Collection[str],
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return who reached a band, best first; who is drawn from below; whose evidence is gone.

    Parameters
    ----------
    scores : DataFrame
        As `banded` returns them.
    settings : ScoringSettings
        For the team's capacity and the size of the sample.
    as_of : datetime
        Midnight UTC; it and the seed decide who is drawn.
    only : str or None
        The one account asked for, which stands alone.
    left : collection of str
        Accounts with a case whose evidence is gone.
    """
    if only is not None:
        return scores.filter(pl.col("account_id") == only), scores.clear(), scores.clear()
    chosen = (
        scores.filter(pl.col("band").is_in(["high", "medium"]))
        .sort("score", "account_id", descending=[True, False])
        .head(settings.daily_capacity)
    )
    rest = scores.join(chosen, on="account_id", how="anti")
    return chosen, drawn_below(rest, settings, as_of), rest.filter(pl.col("account_id").is_in(left))


def drawn_below(scores: pl.DataFrame, settings: ScoringSettings, as_of: datetime) -> pl.DataFrame:
    """Draw accounts below the threshold at random, the same ones for the same night and seed."""
    below = scores.filter(pl.col("band") == "low").sort("account_id")
    night_seed = settings.seed + as_of.date().toordinal()
    return below.sample(min(settings.sample_size, below.height), seed=night_seed, shuffle=True)


def leaned_on_gone(
    leaning: Mapping[str, Sequence[str]], patterns: Collection[str]
) -> tuple[str, ...]:
    """Return accounts whose evidence names an account that is no longer compared with."""
    standing = set(patterns)
    return tuple(one for one, near in leaning.items() if not standing.issuperset(near))
