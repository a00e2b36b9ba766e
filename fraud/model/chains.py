"""Chains of extremely randomised trees, each correcting those before it.

Here: how a chain is grown, and what it says of accounts. Not here: which accounts a
chain learns from, and how several are put together (:mod:`fraud.model.similarity`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.tree import ExtraTreeRegressor
from sklearn.tree._tree import Tree

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

KNOTS = 128
"""Quantiles of each class that a signal is cut at. Ours: finer steps change no tree of a few
thousand accounts."""

CAUTION = 1.0
"""Accounts of the rarer class that a leaf's value is held back by (XGBoost's lambda, default 1)."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How trees grow; see the parameters of `BlockedAccountSimilarity`."""

    n_rounds: int
    learning_rate: float
    max_depth: int
    min_leaf: int
    split_share: float
    balance: float


class Chain:
    """Trees whose values add up to log-odds.

    Parameters
    ----------
    trees : sequence of Tree
        Of scikit-learn. The value of each node is the log-odds it adds to those of the first
        node; a node above leaves has the mean of what is below it. Empty where only one
        class was there to learn from.
    weights : ndarray of shape (trees,)
        How much each tree says: the spread of its leaves' values.
    """

    def __init__(self, trees: Sequence[Any], weights: Floats) -> None:
        self.trees = list(trees)
        self.weights = weights

    def __getstate__(self) -> dict[str, Any]:
        """Return all trees end to end: five arrays are written as fast as those of one tree."""
        states = [tree.__getstate__() for tree in self.trees]
        return {
            "weights": self.weights,
            "n_features": self.trees[0].n_features if self.trees else 0,
            "depths": np.array([state["max_depth"] for state in states], np.int64),
            "counts": np.array([state["node_count"] for state in states], np.int64),
            "nodes": _end_to_end([state["nodes"] for state in states]),
            "values": _end_to_end([state["values"] for state in states]),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.weights, self.trees = state["weights"], []
        start = 0
        for depth, count in zip(state["depths"].tolist(), state["counts"].tolist(), strict=True):
            tree = Tree(state["n_features"], np.ones(1, np.intp), 1)
            these = slice(start, start + count)
            tree.__setstate__(
                {
                    "max_depth": depth,
                    "node_count": count,
                    "nodes": np.ascontiguousarray(state["nodes"][these]),
                    "values": np.ascontiguousarray(state["values"][these]),
                }
            )
            self.trees.append(tree)
            start += count

    def margin(self, codes: NDArray[np.float32]) -> Floats:
        """Return the log-odds of accounts, (n,)."""
        total = np.zeros(len(codes))
        for tree in self.trees:
            total += tree.value[:, 0, 0].take(tree.apply(codes))
        return total

    def leaves(self, codes: NDArray[np.float32]) -> NDArray[np.int16]:
        """Return the leaf of each account in each tree, (n, trees)."""
        found = np.empty((len(codes), len(self.trees)), dtype=np.int16)
        for number, tree in enumerate(self.trees):
            found[:, number] = tree.apply(codes)
        return found

    def parts(self, codes: NDArray[np.float32]) -> Floats:
        """Return what each signal adds to the log-odds (n, signals)."""
        found = np.zeros(codes.shape)
        for tree in self.trees:
            found += tree.decision_path(codes) @ _steps(tree, codes.shape[-1])
        return found


def grown(
    codes: NDArray[np.float32], encoded: Rows, use: NDArray[np.bool_], growth: Growth, seed: int
) -> Chain:
    """Grow a chain on the accounts ``use`` names; the rarer class weighs more, by ``balance``."""
    codes, wanted = codes[use], encoded[use].astype(np.float64)
    blocked = int(wanted.sum())
    if not 0 < blocked < len(wanted):
        return Chain([], np.empty(0))
    of_class = class_weights(len(wanted) - blocked, blocked, growth.balance)
    weight = of_class[encoded[use]]
    caution = CAUTION * of_class.max()
    rng = np.random.default_rng(seed)
    by_signal = np.asfortranarray(codes)  # growing reads signal by signal, `apply` by account
    log_odds = np.zeros(len(wanted))
    trees, weights = [], []
    for _ in range(growth.n_rounds):
        chance = expit(log_odds)
        error = wanted - chance
        tree = ExtraTreeRegressor(
            max_depth=growth.max_depth,
            min_samples_leaf=growth.min_leaf,
            max_features=growth.split_share,
            random_state=int(rng.integers(2**31 - 1)),
        ).fit(by_signal, error, sample_weight=weight, check_input=False).tree_  # fmt: skip
        leaf = tree.apply(codes)
        count = tree.node_count
        push = np.bincount(leaf, weight * error, count)
        hold = np.bincount(leaf, weight * chance * (1 - chance), count)
        value = growth.learning_rate * push / (hold + caution)
        log_odds += value[leaf]
        weights.append(np.std(value[leaf]))
        _set_values(tree, value)
        trees.append(tree)
    return Chain(trees, np.array(weights))


def class_weights(good: int, blocked: int, balance: float) -> Floats:
    """Return what an account of each class counts, (2,): the rarer ones more, by ``balance``.

    With 1 both classes count alike; with 0 each account counts as one.
    """
    found: Floats = ((good + blocked) / 2 / np.array([good, blocked])) ** balance
    return found


def knots_of(column: Floats, encoded: Rows) -> Floats:
    """Return where a signal is cut: quantiles of each class, so that neither drowns."""
    known = ~np.isnan(column)
    of_classes = [column[known & (encoded == kind)] for kind in (0, 1)]
    cuts = np.linspace(0, 1, KNOTS)
    found = [np.quantile(values, cuts, method="lower") for values in of_classes if len(values)]
    return np.unique(np.concatenate(found)) if found else np.empty(0)


def codes_of(X: Floats, knots: Sequence[Floats]) -> NDArray[np.float32]:
    """Return, for each value, how many knots of its signal are not above it; NaN stays."""
    codes = np.empty(X.shape, dtype=np.float32)
    for number, of_signal in enumerate(knots):
        column = X[:, number]
        codes[:, number] = np.searchsorted(of_signal, column, side="right")
        codes[np.isnan(column), number] = np.nan
    return codes


def _end_to_end(arrays: Sequence[Any]) -> Any:
    """Return arrays one after the other; none where there is none."""
    return np.concatenate(arrays) if arrays else np.empty(0)


def _set_values(tree: Any, value: Floats) -> None:
    """Put values into a tree, above leaves the mean of the accounts below; the first node is 0."""
    weight = tree.weighted_n_node_samples
    for node in range(tree.node_count - 1, -1, -1):  # children come after their parent
        left, right = tree.children_left[node], tree.children_right[node]
        if left >= 0:
            below = weight[left] * value[left] + weight[right] * value[right]
            value[node] = below / weight[node]
    tree.value[:, 0, 0] = value - value[0]


def _steps(tree: Any, n_features: int) -> Any:
    """Return, for each node, how the value changed on the way into it, at the signal that split."""
    value = tree.value[:, 0, 0]
    parents = np.flatnonzero(tree.children_left >= 0)
    children = np.concatenate([tree.children_left[parents], tree.children_right[parents]])
    above = np.concatenate([parents, parents])
    return csr_matrix(
        (value[children] - value[above], (children, tree.feature[above])),
        shape=(tree.node_count, n_features),
    )
