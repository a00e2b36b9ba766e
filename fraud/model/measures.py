"""How good a ranking was, once it is known who was fraudulent. Pure; nothing of lakes or models.

Rows are accounts on nights: an account that was open on several nights stands in several
rows. Intervals draw whole accounts, not rows, since rows of an account are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

DRAWS = 200
"""Bootstrap draws. Ours: each bound of a 95 % interval then has a standard deviation of about a
twentieth of the interval's width (tried on means of normal values)."""

CALIBRATION_BINS = 10
"""Bins of equal width that scores are put into. Ours: people read a chance no finer."""

SUSPICIOUS_AUC = 0.99
"""How well one signal alone may tell outcomes apart before it is suspected to know the future.
Ours: the best single signal on real accounts (`sichuan`, tenure) reaches .83."""

LEAST_OUTCOMES = 30
"""Accounts of each kind below which no signal is suspected. Ours: among two hundred signals some
tell ten plain frauds from the others without knowing anything."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its 95 % interval; None where there is nothing to measure."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Leak:
    """A signal that tells outcomes apart too well to have been known."""

    signal: str
    auc: float


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a signal's values moved: Cliff's delta, -1..1, later against earlier."""

    signal: str
    effect: float


def measured(
    rows: pl.DataFrame, measure: Callable[[pl.DataFrame], float | None], *, seed: int
) -> Measure:
    """Return a measure of rows with its interval by a bootstrap over accounts.

    Parameters
    ----------
    rows : DataFrame
        `account_id` and whatever ``measure`` looks at.
    measure : callable
        Given rows such as these, in which an account that was drawn twice has two ids. None
        where it cannot be told; such draws are passed over.
    seed : int
        Of the draws.
    """
    value = measure(rows)
    if value is None:
        return Measure(None)
    rng = np.random.default_rng(seed)
    groups = rows.with_row_index("_row").group_by("account_id", maintain_order=True).agg("_row")
    counts = groups["_row"].list.len().to_numpy().astype(np.int64)
    grouped = rows[groups["_row"].explode()]
    starts = np.cumsum(counts) - counts
    found = []
    for _ in range(DRAWS):
        drawn = rng.integers(len(counts), size=len(counts))
        again = measure(_accounts(grouped, starts[drawn], counts[drawn]))
        if again is not None:
            found.append(again)
    if not found:
        return Measure(value)
    low, high = np.quantile(found, [0.025, 0.975])
    return Measure(value, float(low), float(high))


def _accounts(
    grouped: pl.DataFrame, starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> pl.DataFrame:
    """Return the rows of accounts, one after the other; one that comes twice is two accounts."""
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    found: pl.DataFrame = grouped[np.repeat(starts, counts) + within]
    return found.with_columns(account_id=np.repeat(np.arange(len(counts)), counts))


def auc(rows: pl.DataFrame) -> float | None:
    """Return the area under the ROC curve of `score` against `fraud`; 0.5 is chance."""
    return _ranked(rows, roc_auc_score)


def average_precision(rows: pl.DataFrame) -> float | None:
    """Return the average precision of `score` against `fraud`; the share of fraud is chance."""
    return _ranked(rows, average_precision_score)


def precision_at_capacity(rows: pl.DataFrame) -> float | None:
    """Return the share of fraud among the accounts that the team would have worked (`worked`)."""
    worked = rows.filter("worked")
    return None if worked.is_empty() else float(worked["fraud"].mean())  # type: ignore[arg-type]


def recall_at_capacity(rows: pl.DataFrame) -> float | None:
    """Return the share of fraudulent accounts that were worked on at least one night."""
    caught = rows.filter("fraud").group_by("account_id").agg(pl.col("worked").any())
    return None if caught.is_empty() else float(caught["worked"].mean())  # type: ignore[arg-type]


def calibration(rows: pl.DataFrame) -> list[tuple[float, float, int]]:
    """Return mean score, share of fraud and count of rows of each bin, the lowest first.

    Rows without a score are left out, and bins without rows.
    """
    known = rows.drop_nulls("score")
    which = (pl.col("score") * CALIBRATION_BINS).floor().clip(0, CALIBRATION_BINS - 1)
    bins = known.group_by(which.alias("bin")).agg(
        pl.col("score").mean(), pl.col("fraud").mean().alias("share"), pl.len()
    )
    return [
        (float(score), float(share), int(count))
        for _, score, share, count in bins.sort("bin").iter_rows()
    ]


def leaks(features: pl.DataFrame, fraud: pl.Series, signals: Sequence[str]) -> tuple[Leak, ...]:
    """Name signals that alone tell outcomes apart so well that they must know them.

    Parameters
    ----------
    features : DataFrame
        `account_id` and signals, night after night; of an account the last night counts.
    fraud : Series of Boolean
        Of each row of ``features``, in the same order.
    signals : sequence of str
        Columns to look at. A signal can leak by its value and by being known at all.

    Returns
    -------
    tuple of Leak
        The area under the curve is that of the better direction, 0.5..1; the worst first.
    """
    last = features.with_columns(fraud.alias("_fraud")).unique(
        "account_id", keep="last", maintain_order=True
    )
    truth = last["_fraud"].to_numpy()
    if min(truth.sum(), (~truth).sum()) < LEAST_OUTCOMES:
        return ()
    found = []
    for name in signals:
        value = last[name].cast(pl.Float64).to_numpy()
        known = ~np.isnan(value)  # a null is NaN here
        best = max(_either_way(truth, known.astype(float)), _told_apart(truth, value, known))
        if best >= SUSPICIOUS_AUC:
            found.append(Leak(name, best))
    return tuple(sorted(found, key=lambda leak: (-leak.auc, leak.signal)))


def drifts(earlier: pl.DataFrame, later: pl.DataFrame, names: Sequence[str]) -> tuple[Drift, ...]:
    """Return how far each column moved between two nights, the farthest first.

    Unknown values are left out; a column that one of the nights does not know at all is too.
    """
    found = []
    for name in names:
        before, after = (frame[name].drop_nulls().cast(pl.Float64) for frame in (earlier, later))
        if before.is_empty() or after.is_empty():
            continue
        which = np.repeat([0, 1], [len(before), len(after)])
        moved = 2 * roc_auc_score(which, np.concatenate([before, after])) - 1
        found.append(Drift(name, float(moved)))
    return tuple(sorted(found, key=lambda drift: (-abs(drift.effect), drift.signal)))


def _told_apart(
    truth: NDArray[np.bool_], value: NDArray[np.float64], known: NDArray[np.bool_]
) -> float:
    """Return how well known values tell outcomes apart; chance where too few are known."""
    of_known = truth[known]
    if min(of_known.sum(), (~of_known).sum()) < LEAST_OUTCOMES:
        return 0.5
    return _either_way(of_known, value[known])


def _either_way(truth: NDArray[np.bool_], value: NDArray[np.float64]) -> float:
    """Return the area under the curve of values or of their opposite, whichever is larger."""
    found = float(roc_auc_score(truth, value))
    return max(found, 1 - found)


def _ranked(rows: pl.DataFrame, score: Callable[..., float]) -> float | None:
    known = rows.drop_nulls("score")
    if known["fraud"].n_unique() < 2:
        return None
    return float(score(known["fraud"].to_numpy(), known["score"].to_numpy()))
