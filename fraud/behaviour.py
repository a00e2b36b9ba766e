"""The ranking without a model: how surprising an account's signals are among the others'.

For the nights before enough accounts were blocked. It says who is odd, not who is like
whom, so every band is `unknown`.

Each signal's surprise is the logarithm of one over the share of accounts that lie as far
on its suspicious side (one side of ECOD: Li, Zhao, Hu, Botta, Ionescu, Chen, "ECOD:
Unsupervised outlier detection using empirical cumulative distribution functions", IEEE
TKDE 2022). No account shares the top with others for being far beyond some bound, and a
signal's scale does not matter. The windows of one signal tell much the same, so the most
surprising of them speaks for all; the score is the mean, and each part is a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from fraud.candidates import Candidate, Reason
from fraud.features.registry import Signal
from fraud.features.words import describe

REASONS = 5
"""Reasons that a candidate is given. Ours: more are not read."""


def oddness(features: pl.DataFrame, signals: Sequence[Signal]) -> pl.DataFrame:
    """Return how surprising each signal is on its suspicious side, as a share of the possible.

    Parameters
    ----------
    features : DataFrame
        `account_id` and the signals, one row an account.
    signals : sequence of Signal
        Only those that have a suspicious side count.

    Returns
    -------
    DataFrame
        `account_id`, and one column a signal that has such a side, 0..1: 1 where all are known
        and it lies farther than all others, 0 where at least half lie as far or it is unknown.
    """
    possible = pl.len().cast(pl.Float64).log1p()
    return features.select(
        "account_id",
        *(
            (_surprise(s.name, str(s.direction)) / possible).fill_null(0).alias(s.name)
            for s in signals
            if s.direction is not None
        ),
    )


def odd_scores(surprises: pl.DataFrame, signals: Sequence[Signal]) -> pl.Series:
    """Return the mean over what signals tell of, of the most surprising window: 0..1.

    Parameters
    ----------
    surprises : DataFrame
        What `oddness` returns.
    signals : sequence of Signal
        As given to `oddness`.
    """
    told = [pl.max_horizontal(names) for names in _windows(signals).values()]
    mean = pl.sum_horizontal(pl.lit(0.0), *told) / max(len(told), 1)
    return surprises.with_columns(mean.alias("score"))["score"]


def odd_candidates(
    features: pl.DataFrame,
    surprises: pl.DataFrame,
    scores: pl.DataFrame,
    signals: Sequence[Signal],
    *,
    capacity: int,
) -> tuple[Candidate, ...]:
    """Return the oddest accounts, the oddest first, with the signals that make them so.

    Parameters
    ----------
    features, surprises, scores : DataFrame
        One row an account, in the same order: as given to `oddness`, as it returns them, and with
        `account_id` and `score`.
    signals : sequence of Signal
        As given to `oddness`.
    capacity : int
        Candidates at most.
    """
    order = scores.with_row_index("row").filter(pl.col("score") > 0)
    chosen = order.sort("score", "account_id", descending=[True, False]).head(capacity)
    return tuple(
        Candidate(
            account["account_id"], account["score"], "unknown", place, "behaviour",
            _reasons(
                features.row(account["row"], named=True),
                surprises.row(account["row"], named=True),
                signals,
            ),
        )
        for place, account in enumerate(chosen.iter_rows(named=True), start=1)
    )  # fmt: skip


def _reasons(
    values: Mapping[str, float | None], surprises: Mapping[str, float], signals: Sequence[Signal]
) -> tuple[Reason, ...]:
    """Say the strongest parts of one account's score."""
    by_name = {signal.name: signal for signal in signals}
    parts = [max(names, key=surprises.__getitem__) for names in _windows(signals).values()]
    whole = sum(surprises[name] for name in parts)
    strongest = sorted(parts, key=surprises.__getitem__, reverse=True)[:REASONS]
    return tuple(
        Reason(
            name,
            values[name],
            describe(by_name[name], values[name], values),
            surprises[name] / whole,
        )
        for name in strongest
        if surprises[name]
    )


def _windows(signals: Sequence[Signal]) -> dict[str, list[str]]:
    """Return the signals with a suspicious side by what they tell of, over any window."""
    found: dict[str, list[str]] = {}
    for signal in signals:
        if signal.direction is not None:
            told = signal.name.removesuffix(f"_{signal.window_days}d")
            found.setdefault(told, []).append(signal.name)
    return found


def _surprise(name: str, direction: str) -> pl.Expr:
    value = pl.col(name)
    suspicious = -value if direction == "lower" else value
    as_far = suspicious.rank("max", descending=True)
    seen = pl.col(name).count() + 1
    surprise = seen.cast(pl.Float64).log() - as_far.cast(pl.Float64).log()
    return pl.when(suspicious > suspicious.median()).then(surprise)
