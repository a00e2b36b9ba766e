"""From a margin to a chance: a logistic curve that never turns the order round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

FLATTEST = 0.05
"""Slope at least. Ours: where labels are chance the fitted slope may fall below 0, which would turn
the order of accounts round; this one says almost nothing and keeps it."""


@dataclass(frozen=True)
class Curve:
    """Log-odds as ``slope * margin + offset``; the slope is above 0."""

    slope: float
    offset: float


def curve_of(margin: NDArray[np.float64], blocked: NDArray[np.bool_]) -> Curve:
    """Fit a curve to margins of accounts that were left out, with Platt's smoothed targets.

    Parameters
    ----------
    margin : float64 array of shape (n,)
        Log-odds by chains that did not learn from the account.
    blocked : bool array of shape (n,)
        Which accounts were blocked.
    """
    most, least = sure_by(blocked.sum()), 1 - sure_by((~blocked).sum())
    target = np.where(blocked, most, least)
    fitted = curve_to(margin.reshape(-1, 1), target)
    slope, offset = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    if slope < FLATTEST:
        slope, offset = FLATTEST, float(np.log(target.mean() / (1 - target.mean())))
    return Curve(slope, offset)


def curve_to(
    odds: NDArray[np.float64],
    target: NDArray[np.float64],
    weight: NDArray[np.float64] | float = 1.0,
) -> LogisticRegression:
    """Fit a logistic curve to targets 0..1: each account counts for both classes."""
    both = np.repeat([1, 0], len(target))
    weights = np.concatenate([target * weight, (1 - target) * weight])
    return LogisticRegression(C=np.inf).fit(np.vstack([odds, odds]), both, sample_weight=weights)


def sure_by(count: int) -> float:
    """Return how sure ``count`` examples of a class allow to be, 0..1 (Platt 1999)."""
    return (count + 1) / (count + 2)
