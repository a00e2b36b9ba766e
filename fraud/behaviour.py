"""The ranking without a model: how far an account's signals lie from the others'.

For the nights before enough accounts were blocked. It says who is odd, not who is like
whom, so every band is `unknown`.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fraud.candidates import Candidate, Reason
from fraud.features.registry import Signal
from fraud.features.words import describe

MAX_DEVIATION = 8.0
"""Robust deviations beyond which accounts are equally odd. Ours: nobody can tell 20 from 2000."""

STRONGEST = 5
"""Signals whose mean deviation is the score. Ours: one odd signal is chance, five are not."""

_IQR_OF_NORMAL = 1.349
"""Interquartile range of a normal distribution, in standard deviations."""


def oddness(features: pl.DataFrame, signals: Sequence[Signal]) -> pl.DataFrame:
    """Return how far each signal lies on its suspicious side, in robust deviations 0..8.

    Parameters
    ----------
    features : DataFrame
        `account_id` and the signals, one row an account.
    signals : sequence of Signal
        Only those that have a suspicious side count.

    Returns
    -------
    DataFrame
        One column a signal that has one; null where it is unknown.
    """
    return features.select(
        _deviation(s.name, str(s.direction)) for s in signals if s.direction is not None
    )


def odd_scores(deviations: pl.DataFrame) -> pl.Series:
    """Return the mean of each account's strongest deviations, scaled to 0..1."""
    strongest = pl.concat_list(pl.all().fill_null(0)).list.sort(descending=True)
    mean = strongest.list.head(STRONGEST).list.mean()
    return deviations.select((mean / MAX_DEVIATION).alias("score"))["score"]


def odd_candidates(
    features: pl.DataFrame, scores: pl.DataFrame, signals: Sequence[Signal], *, capacity: int
) -> tuple[Candidate, ...]:
    """Return the oddest accounts, the oddest first, with the signals that make them so.

    Parameters
    ----------
    features, scores : DataFrame
        One row an account, in the same order; ``scores`` has `account_id` and `score`.
    signals : sequence of Signal
        As given to `oddness`.
    capacity : int
        Candidates at most.
    """
    sided = [signal for signal in signals if signal.direction is not None]
    deviations = oddness(features, signals)
    order = scores.with_row_index("row").filter(pl.col("score") > 0)
    chosen = order.sort("score", "account_id", descending=[True, False]).head(capacity)
    found = []
    for place, account in enumerate(chosen.iter_rows(named=True), start=1):
        values = features.row(account["row"], named=True)
        of_account = deviations.row(account["row"])
        ranked = sorted(zip(sided, of_account, strict=True), key=lambda pair: -(pair[1] or 0.0))
        whole = sum(d or 0.0 for d in of_account) or 1.0
        reasons = tuple(
            Reason(s.name, values[s.name], describe(s, values[s.name], values), d / whole)
            for s, d in ranked[:STRONGEST]
            if d
        )
        found.append(
            Candidate(
                account["account_id"], account["score"], "unknown", place, "behaviour", reasons
            )
        )
    return tuple(found)


def _deviation(name: str, direction: str) -> pl.Expr:
    value = pl.col(name)
    spread = (value.quantile(0.75) - value.quantile(0.25)) / _IQR_OF_NORMAL
    distance = (value - value.median()) / pl.when(spread > 0).then(spread).otherwise(1.0)
    signed = -distance if direction == "lower" else distance
    return signed.clip(0, MAX_DEVIATION).alias(name)
