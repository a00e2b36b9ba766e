"""Straight lines through ranks: what every signal says by itself, whatever the others say.

Trees find what signals say together and cut smooth trends into steps; a line has the trends.
Here: logistic regressions on the normal scores of signals' ranks. Not here: how much they
count beside the trees (:mod:`fraud.model.curve`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]
Codes = NDArray[np.float32]

FREEDOM = 0.3
"""Inverse strength of the penalty on squared weights (scikit-learn's C). Ours, by cross-validation
inside the training half of real accounts: of .01, .03, .1 and .3 the best; what is too free for
other data counts less beside the trees, since its share is fitted to accounts left out."""

MOST_STEPS = 300


class Lines:
    """Log-odds as weighted sums of signals, one sum for each part that is left out.

    Parameters
    ----------
    normal : list of ndarray
        For each signal, the normal score of each code.
    usual, weights, unknown : ndarray of shape (lines, signals)
        The usual normal score, what a unit above it adds, and what being unknown adds.
    """

    def __init__(
        self, normal: Sequence[Floats], usual: Floats, weights: Floats, unknown: Floats
    ) -> None:
        self.normal = list(normal)
        self.usual = usual
        self.weights = weights
        self.unknown = unknown

    def margin(self, codes: Codes, share: Floats) -> Floats:
        """Return the log-odds of accounts, (n,); those of the usual account are 0.

        Parameters
        ----------
        codes : float32 array of shape (n, signals)
            As :func:`fraud.model.chains.codes_of` gives.
        share : ndarray of shape (n, lines)
            How much each line counts for each account; they add up to 1.
        """
        values = scored(codes, self.normal)
        missing = np.isnan(values)
        at_usual = self.usual * self.weights
        each = np.nan_to_num(values) @ self.weights.T - at_usual.sum(axis=1)
        each += missing @ (at_usual + self.unknown).T
        found: Floats = (each * share).sum(axis=1)
        return found

    def parts(self, codes: Codes, share: Floats) -> Floats:
        """Return what each signal adds to `margin`, (n, signals)."""
        values = scored(codes, self.normal)
        found = np.zeros(values.shape)
        for number, of_accounts in enumerate(share.T):
            known = (values - self.usual[number]) * self.weights[number]
            of_line = np.where(np.isnan(values), self.unknown[number], known)
            found += of_accounts[:, None] * of_line
        return found


def fitted_lines(
    codes: Codes, encoded: NDArray[np.int64], part: NDArray[np.int16], steps: Sequence[int]
) -> Lines:
    """Fit a line for each part, to the accounts of the other parts.

    Parameters
    ----------
    codes : float32 array of shape (n, signals)
        As :func:`fraud.model.chains.codes_of` gives.
    encoded : int array of shape (n,)
        1 = blocked, 0 = good; both weigh as the rarer class.
    part : int array of shape (n,)
        Part of each account, from 0.
    steps : sequence of int
        How many codes each signal has.
    """
    normal = [ndtri((np.arange(count) + 0.5) / count) for count in steps]
    values = scored(codes, normal)
    fitted = [_fitted(values[part != one], encoded[part != one]) for one in np.unique(part)]
    return Lines(normal, *(np.array(column) for column in zip(*fitted, strict=True)))


def _fitted(values: Floats, encoded: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Return usual values, weights and what being unknown adds, each (signals,)."""
    of_class = np.bincount(encoded, minlength=2)
    missing = np.isnan(values)
    usual = np.nansum(values, axis=0) / np.maximum((~missing).sum(axis=0), 1)
    above = np.where(missing, 0.0, values - usual)
    spread = np.sqrt((above**2).mean(axis=0))
    spread[spread == 0] = 1.0
    gaps = np.flatnonzero(missing.any(axis=0))
    line = LogisticRegression(C=FREEDOM, max_iter=MOST_STEPS, tol=1e-3).fit(
        np.hstack([above / spread, missing[:, gaps]]),
        encoded,
        sample_weight=(of_class.min() / of_class)[encoded],
    )
    unknown = np.zeros(len(usual))
    unknown[gaps] = line.coef_[0, len(usual) :]
    return usual, line.coef_[0, : len(usual)] / spread, unknown


def scored(codes: Codes, normal: Sequence[Floats]) -> Floats:
    """Return the normal score of each code of each signal, (n, signals); NaN where unknown."""
    found = np.empty(codes.shape)
    for number, of_signal in enumerate(normal):
        column = codes[:, number]
        missing = np.isnan(column)
        found[:, number] = of_signal[np.where(missing, 0, column).astype(np.intp)]
        found[missing, number] = np.nan
    return found
