"""Which reference accounts share the most leaves with an account.

Here: the arithmetic over leaf numbers. Not here: where leaves come from
(:mod:`fraud.model.chains`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ASKED_AT_ONCE = 256
"""Accounts compared at a time, which bounds memory. Ours: as many bytes as there are reference
accounts, times a thousand."""

BLOCK = 1_024
"""Reference accounts compared at a time. Ours: their sums stay in a core's cache."""

Leaves = NDArray[np.int16]
Weights = NDArray[np.float32]


def nearest(
    asked: Leaves, reference: Leaves, weights: Weights, k: int, own: NDArray[Any] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the ``k`` reference accounts most alike, the first of equal ones first.

    Parameters
    ----------
    asked, reference : int16 array of shape (n, trees), (m, trees)
        Leaf of each account in each tree.
    weights : float32 array of shape (trees,)
        How much a common leaf counts.
    k : int
        Neighbours of each; no more than there are.
    own : int array of shape (n,), optional
        Row of ``reference`` that is the account itself, -1 where none is; it is left out.

    Returns
    -------
    rows : ndarray of shape (n, k)
        Rows of ``reference``, the most alike first.
    similarity : ndarray of shape (n, k)
        Weighted share of trees with a common leaf, 0..1.
    """
    k = min(k, len(reference))
    rows = np.empty((len(asked), k), dtype=np.intp)
    similarity = np.empty((len(asked), k))
    whole = float(np.cumsum(weights)[-1]) if weights.any() else 1.0  # added as `_shared` adds
    for start in range(0, len(asked), ASKED_AT_ONCE):
        shared = _shared(asked[start : start + ASKED_AT_ONCE], reference, weights)
        for place, of_one in enumerate(shared, start=start):
            if own is not None and own[place] >= 0:
                of_one[own[place]] = -1.0
            rows[place] = first = _first(of_one, k)
            similarity[place] = of_one[first].clip(0) / whole
    return rows, similarity


def _shared(asked: Leaves, reference: Leaves, weights: Weights) -> Weights:
    """Return the weight of common leaves, (n, m)."""
    found = np.empty((len(asked), len(reference)), dtype=np.float32)
    tables = [_table(of_tree, weight) for of_tree, weight in zip(asked.T, weights, strict=True)]
    for start in range(0, len(reference), BLOCK):
        block = reference[start : start + BLOCK]
        total = np.zeros((len(block), len(asked)), dtype=np.float32)
        one = np.empty_like(total)
        for table, leaf in zip(tables, np.ascontiguousarray(block.T), strict=True):
            total += table.take(leaf, axis=0, out=one, mode="clip")
        found[:, start : start + BLOCK] = total.T
    return found


def _table(leaf: NDArray[np.int16], weight: np.float32) -> Weights:
    """Return, for each leaf of a tree and each account, the weight if it is its leaf, else 0.

    The last row is that of leaves which no account asked about has.
    """
    table = np.zeros((int(leaf.max()) + 2, len(leaf)), dtype=np.float32)
    table[leaf, np.arange(len(leaf))] = weight
    return table


def _first(shared: Weights, k: int) -> NDArray[np.intp]:
    """Return the places of the ``k`` largest values, the largest first, then by place."""
    if k == 0:
        return np.empty(0, dtype=np.intp)
    least = np.partition(shared, len(shared) - k)[len(shared) - k]
    places = np.flatnonzero(shared >= least)
    return places[np.argsort(-shared[places], kind="stable")[:k]]
