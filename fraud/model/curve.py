"""From margins to a chance: a logistic curve that never turns the order of either round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]

FLATTEST = 0.05
"""Slope at least. Ours: where labels are chance the fitted slope may fall below 0, which would turn
the order of accounts round; this one says almost nothing and keeps it."""


@dataclass(frozen=True)
class Curve:
    """Log-odds as ``slope * trees + line_slope * line + offset``.

    ``slope`` is above 0; ``line_slope`` is 0 where a line says nothing that trees do not.
    """

    slope: float
    line_slope: float
    offset: float


def curve_of(trees: Floats, blocked: NDArray[np.bool_], line: Floats | None = None) -> Curve:
    """Fit a curve to margins of accounts that were left out, with Platt's smoothed targets.

    Parameters
    ----------
    trees : float64 array of shape (n,)
        Log-odds by chains that did not learn from the account.
    blocked : bool array of shape (n,)
        Which accounts were blocked.
    line : float64 array of shape (n,), optional
        Log-odds by a line that did not learn from the account. It counts only where both
        say something.
    """
    most, least = sure_by(blocked.sum()), 1 - sure_by((~blocked).sum())
    target = np.where(blocked, most, least)
    if line is not None:
        both = curve_to(np.column_stack([trees, line]), target)
        slope, line_slope = both.coef_[0].tolist()
        if slope >= FLATTEST and line_slope > 0:
            return Curve(slope, line_slope, float(both.intercept_[0]))
        if line_slope > 0:  # the line says all; trees keep a little weight, and their order
            joined = curve_to((line + FLATTEST * trees).reshape(-1, 1), target)
            line_slope = float(joined.coef_[0, 0])
            if line_slope >= FLATTEST:
                return Curve(FLATTEST * line_slope, line_slope, float(joined.intercept_[0]))
    fitted = curve_to(trees.reshape(-1, 1), target)
    slope, offset = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    if slope < FLATTEST:
        slope, offset = FLATTEST, float(np.log(target.mean() / (1 - target.mean())))
    return Curve(slope, 0.0, offset)


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
