"""How much fraud the scores miss, from the random sample below the threshold.

A night draws accounts at random from below the threshold and reviewers judge them like others. The
share of fraud among them, times how many accounts lie there, is the fraud that no case was opened
for. The arithmetic is pure; only :func:`below_threshold` asks the lake.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from math import sqrt

import polars as pl

from cdr.lake import Lake
from cdr.schema import ACCOUNTS, SCORES


@dataclass(frozen=True, slots=True)
class Missed:
    """Fraud below the threshold, with 95 % intervals; None where nothing is known.

    Parameters
    ----------
    decided, confirmed : int
        Cases of the random sample with a final decision, and those of them that were fraud.
    below : int or None
        Accounts below the threshold on the nights of these cases, on average.
    share, low, high : float or None
        Share in 0..1 of fraud among the sample (Wilson).
    of_all, of_all_low, of_all_high : float or None
        Share in 0..1 of all fraud that lay below the threshold.
    """

    decided: int = 0
    confirmed: int = 0
    below: int | None = None
    share: float | None = None
    low: float | None = None
    high: float | None = None
    of_all: float | None = None
    of_all_low: float | None = None
    of_all_high: float | None = None


def missed(*, decided: int, confirmed: int, caught: int, below: float | None) -> Missed:
    """Estimate what was missed.

    Parameters
    ----------
    decided, confirmed : int
        Final decisions on the random sample, and those of them that confirmed fraud.
    caught : int
        Confirmed fraud among the other cases of the same time.
    below : float or None
        Accounts below the threshold.

    Examples
    --------
    One of ten was fraud, so some 100 of 1,000 are, and 300 more were found:

    >>> found = missed(decided=10, confirmed=1, caught=300, below=1000.0)
    >>> round(found.share, 2), round(found.of_all, 2)
    (0.1, 0.25)
    >>> [round(end, 2) for end in (found.of_all_low, found.of_all_high)]
    [0.06, 0.57]
    """
    if not decided:
        return Missed()
    low, high = wilson(confirmed, decided)
    share = confirmed / decided
    if below is None:
        return Missed(decided, confirmed, None, share, low, high)
    of_all = [_of_all(one, below, caught) for one in (share, low, high)]
    return Missed(decided, confirmed, round(below), share, low, high, *of_all)


def _of_all(share: float, below: float, caught: int) -> float | None:
    fraud = share * below
    return fraud / (fraud + caught) if fraud + caught else None


def below_threshold(
    lake: Lake,
    nights: Collection[date],
    *,
    countries: Collection[str] = (),
    plans: Collection[str] = (),
) -> float | None:
    """Return how many accounts lay below the threshold, on average over nights that are kept.

    Parameters
    ----------
    lake : Lake
        Where the scores of the nights are.
    nights : collection of date
        Midnights that samples were drawn at.
    countries, plans : collection of str
        Only accounts that are of these now; empty for all.
    """
    if not nights:
        return None
    scores = lake.scan(SCORES, dates=sorted(nights))
    if not scores.head(1).collect().height:
        return None
    low = scores.filter(pl.col("band") == "low")
    if countries or plans:
        known = lake.scan(ACCOUNTS).filter(pl.col("valid_to").is_null())
        for column, allowed in (("country", countries), ("plan", plans)):
            if allowed:
                known = known.filter(pl.col(column).is_in(list(allowed)))
        low = low.join(known, on="account_id", how="semi")
    kept: int = scores.select(pl.col("as_of_date").n_unique()).collect().item()
    count: int = low.select(pl.len()).collect().item()
    return count / kept


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share by Wilson's score method (JASA 22, 1927).

    Examples
    --------
    >>> [round(end, 3) for end in wilson(1, 10)]
    [0.018, 0.404]
    """
    z = 1.959963985
    share, wide = hits / n, z * z / n
    middle = (share + wide / 2) / (1 + wide)
    half = z * sqrt(share * (1 - share) / n + wide / (4 * n)) / (1 + wide)
    return max(0.0, middle - half), min(1.0, middle + half)
