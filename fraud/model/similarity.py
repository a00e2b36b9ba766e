"""`BlockedAccountSimilarity`: how much an account is like those that were blocked.

Two accounts are alike where the trees of an extremely randomised forest send
them to the same leaf. The score is the share of blocked accounts among those an
account shares leaves with, so it is a vote of the reference accounts, weighted
by likeness, and it splits into parts by signal without a second method. Nothing
here knows what a signal means.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.tree import ExtraTreeClassifier
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_CHUNK = 32_768
"""Accounts sent through the trees at a time. Ours: codes and leaves of a chunk stay in cache."""

_KNOTS = 128
"""Quantiles of each class that a signal is cut at. Ours: finer steps change no tree of a few
thousand accounts."""


class BlockedAccountSimilarity(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify accounts by likeness to blocked ones; names the accounts and signals behind it.

    Parameters
    ----------
    n_trees : int, default=300
        Trees of the forest. More trees make neighbours steadier and cost time.
    min_leaf : int, default=3
        Reference accounts in a leaf at least; 3 keeps one odd account from being a leaf.
    split_share : float, default=0.6
        Share of the signals that are tried at a split, in (0, 1].
    sample_share : float, default=0.65
        Share of each class that a tree learns from, in (0, 1); the rest is left out,
        so that every reference account can be scored by trees that did not see it.
    random_state : int, RandomState or None, default=0
        Seed; the same seed and data give the same model whatever ``n_jobs`` is.
    n_jobs : int, optional
        Threads for fitting and scoring, as in scikit-learn.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The two labels; the second one is "blocked".
    n_features_in_ : int
        Signals seen by ``fit``.
    base_rate_ : float
        Share of blocked accounts before the first split: both classes weigh alike, 0.5.

    Notes
    -----
    Each signal is first cut at quantiles of both classes, so that long tails and
    units do not matter. NaN means "unknown" and goes its own way at each split.
    Likeness of x and a reference account r is the share of trees in which both reach
    the same leaf, 0..1 [1]_ [2]_. `explain` adds, along each path, how the share of
    blocked accounts changes at a split to the signal that splits [3]_. Each tree
    learns from a sample of its own, drawn without replacement within each class [4]_.

    References
    ----------
    .. [1] Breiman, L. "Random Forests." Machine Learning 45 (2001), section on proximities.
    .. [2] Geurts, P., Ernst, D., Wehenkel, L. "Extremely randomized trees." Machine
       Learning 63 (2006), section on the kernel view.
    .. [3] Palczewska, A. et al. "Interpreting random forest models using a feature
       contribution method." IEEE IRI (2013).
    .. [4] Chen, C., Liaw, A., Breiman, L. "Using random forest to learn imbalanced
       data." University of California, Berkeley, report 666 (2004).

    Examples
    --------
    >>> X = [[0.1], [0.2], [0.3], [0.9], [0.8], [0.7]] * 5
    >>> y = [0, 0, 0, 1, 1, 1] * 5
    >>> model = BlockedAccountSimilarity(n_trees=50).fit(X, y)
    >>> bool(model.predict_proba([[0.85]])[0, 1] > 0.9)
    True
    """

    def __init__(
        self,
        *,
        n_trees: int = 300,
        min_leaf: int = 3,
        split_share: float = 0.6,
        sample_share: float = 0.65,
        random_state: Any = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.n_trees = n_trees
        self.min_leaf = min_leaf
        self.split_share = split_share
        self.sample_share = sample_share
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from reference accounts: ``X`` (n, signals), ``y`` 1 = blocked, 0 = good."""
        if not 0 < self.sample_share < 1:
            raise ValueError(f"sample_share must lie between 0 and 1, got {self.sample_share!r}")
        X, y = validate_data(self, X, y, dtype="float64", ensure_all_finite="allow-nan")
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multiclass":
            raise ValueError(
                f"Only binary classification is supported. The type of the target is {kind}."
            )
        self.classes_, encoded = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("needs blocked and good accounts, but y has one class only")
        self.reference_blocked_ = np.flatnonzero(encoded == 1)
        self.reference_good_ = np.flatnonzero(encoded == 0)
        self.knots_ = [_knots(column, encoded) for column in X.T]
        seeds = check_random_state(self.random_state).randint(2**31 - 1, size=self.n_trees)
        self.seeds_ = seeds.astype(np.int64)
        codes = self._codes(X)
        self.trees_ = list(
            Parallel(n_jobs=self.n_jobs, prefer="threads")(
                delayed(self._grow)(codes, encoded, seed) for seed in self.seeds_
            )
        )
        self.base_rate_ = float(np.mean([_blocked_share(tree)[0] for tree in self.trees_]))
        leaves = np.column_stack([tree.tree_.apply(codes) for tree in self.trees_])
        self.reference_leaves_ = leaves.astype(np.min_scalar_type(int(leaves.max())))
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Return the weight of good and of blocked accounts among those alike, (n, 2)."""
        blocked = self._likeness(self._valid(X), None)
        return np.column_stack([1 - blocked, blocked])

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the heavier class of each account."""
        blocked = self.predict_proba(X)[:, 1] > 0.5
        found: NDArray[Any] = self.classes_[blocked.astype(int)]
        return found

    def likeness(self, X: Any, own: Rows) -> Floats:
        """Score accounts, those of ``fit`` without themselves.

        Parameters
        ----------
        X : array of shape (n, signals)
            Accounts as they are now.
        own : int array of shape (n,)
            Row that the account had in ``fit``'s X; -1 for one that was not in it.

        Returns
        -------
        ndarray of shape (n,)
            Likeness to *other* blocked accounts, 0..1, by the trees that did not learn
            from the account; NaN where every tree did (the only one of its class).
        """
        return self._likeness(self._valid(X), np.asarray(own))

    def explain(self, X: Any, own: Rows | None = None) -> Floats:
        """Split each score into parts by signal.

        Parameters
        ----------
        X : array of shape (n, signals)
            Accounts.
        own : int array of shape (n,), optional
            As for `likeness`, whose parts are then given.

        Returns
        -------
        ndarray of shape (n, signals)
            Parts of ``predict_proba(X)[:, 1]``: with ``base_rate_`` they add up to it.
        """
        codes = self._codes(self._valid(X))
        parts = np.zeros((len(codes), self.n_features_in_))
        trees = np.zeros(len(codes))
        for number, tree in enumerate(self.trees_):
            use = self._unseen(number, own, len(codes))
            if not use.any():
                continue
            steps = _steps(tree, self.n_features_in_)
            parts[use] += (tree.decision_path(codes[use]) @ steps).toarray()
            trees[use] += 1
        with np.errstate(invalid="ignore"):
            found: Floats = parts / trees[:, None]
        return found

    def similar_blocked(
        self, X: Any, k: int = 5, own: Rows | None = None
    ) -> tuple[NDArray[np.intp], Floats]:
        """Return the ``k`` blocked reference accounts most alike.

        Parameters
        ----------
        X : array of shape (n, signals)
            Accounts.
        k : int, default=5
            Neighbours of each; fewer where the reference has fewer.
        own : int array of shape (n,), optional
            As for `likeness`; an account is then not its own neighbour.

        Returns
        -------
        rows : ndarray of shape (n, k)
            Rows of ``fit``'s X, the most alike first.
        similarity : ndarray of shape (n, k)
            Share of trees with a common leaf, 0..1.
        """
        return self._nearest(X, self.reference_blocked_, k, own)

    def similar_good(
        self, X: Any, k: int = 5, own: Rows | None = None
    ) -> tuple[NDArray[np.intp], Floats]:
        """Return the ``k`` good reference accounts most alike; see `similar_blocked`."""
        return self._nearest(X, self.reference_good_, k, own)

    def _grow(self, codes: NDArray[np.float32], encoded: Rows, seed: int) -> Any:
        rows = self._sample(seed)
        return ExtraTreeClassifier(
            min_samples_leaf=self.min_leaf,
            max_features=self.split_share,
            class_weight="balanced",
            random_state=int(seed),
        ).fit(codes[rows], encoded[rows])

    def _sample(self, seed: int) -> Rows:
        """Return the reference rows that the tree of a seed learned from."""
        rng = np.random.default_rng(seed)
        return np.concatenate(
            [
                rng.choice(rows, max(1, int(len(rows) * self.sample_share)), replace=False)
                for rows in (self.reference_good_, self.reference_blocked_)
            ]
        )

    def _unseen(self, number: int, own: Rows | None, count: int) -> NDArray[np.bool_]:
        """Tell which accounts the tree of a number did not learn from."""
        if own is None:
            return np.ones(count, dtype=bool)
        seen = np.zeros(len(self.reference_leaves_) + 1, dtype=bool)  # the last one is row -1
        seen[self._sample(self.seeds_[number])] = True
        unseen: NDArray[np.bool_] = ~seen[own]
        return unseen

    def _likeness(self, X: Floats, own: Rows | None) -> Floats:
        shares = [_blocked_share(tree) for tree in self.trees_]
        unseen = None
        if own is not None:
            unseen = [self._unseen(number, own, len(X)) for number in range(self.n_trees)]
        parts = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(self._likeness_of)(X, chunk, shares, unseen) for chunk in _chunks(len(X))
        )
        return np.concatenate(list(parts))

    def _likeness_of(
        self, X: Floats, chunk: slice, shares: list[Floats], unseen: list[NDArray[np.bool_]] | None
    ) -> Floats:
        codes = self._codes(X[chunk])
        total, trees = np.zeros(len(codes)), np.full(len(codes), float(self.n_trees))
        for number, (tree, share) in enumerate(zip(self.trees_, shares, strict=True)):
            found = share[tree.tree_.apply(codes)]
            if unseen is not None:
                use = unseen[number][chunk]
                found, trees = np.where(use, found, 0.0), trees - ~use
            total += found
        likeness: Floats = np.divide(total, trees, out=np.full(len(codes), np.nan), where=trees > 0)
        return likeness

    def _nearest(
        self, X: Any, among: NDArray[np.intp], k: int, own: Rows | None
    ) -> tuple[NDArray[np.intp], Floats]:
        codes = self._codes(self._valid(X))
        shared = np.zeros((len(codes), len(among)), dtype=np.int32)
        for number, tree in enumerate(self.trees_):
            leaves = tree.tree_.apply(codes)
            shared += leaves[:, None] == self.reference_leaves_[None, among, number]
        if own is not None:
            shared[np.asarray(own)[:, None] == among[None, :]] = -1
        order = np.argsort(-shared, axis=1, kind="stable")[:, : min(k, len(among))]
        similarity = np.take_along_axis(shared, order, axis=1).clip(0) / len(self.trees_)
        return among[order], similarity

    def _codes(self, X: Floats) -> NDArray[np.float32]:
        """Return, for each value, how many knots of its signal are not above it; NaN stays."""
        codes = np.empty(X.shape, dtype=np.float32)
        for number, knots in enumerate(self.knots_):
            column = X[:, number]
            codes[:, number] = np.searchsorted(knots, column, side="right")
            codes[np.isnan(column), number] = np.nan
        return codes

    def _valid(self, X: Any) -> Floats:
        check_is_fitted(self)
        valid: Floats = validate_data(
            self, X, dtype="float64", ensure_all_finite="allow-nan", reset=False
        )
        return valid

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags


def _chunks(count: int) -> Iterator[slice]:
    return (slice(start, start + _CHUNK) for start in range(0, max(count, 1), _CHUNK))


def _knots(column: Floats, encoded: Rows) -> Floats:
    """Return where a signal is cut: quantiles of each class, so that neither drowns."""
    known = ~np.isnan(column)
    of_classes = [column[known & (encoded == kind)] for kind in (0, 1)]
    cuts = np.linspace(0, 1, _KNOTS)
    found = [np.quantile(values, cuts, method="lower") for values in of_classes if len(values)]
    return np.unique(np.concatenate(found)) if found else np.empty(0)


def _blocked_share(estimator: Any) -> Floats:
    """Return the share of blocked accounts in each node of a tree, balanced weights."""
    share: Floats = estimator.tree_.value[:, 0, 1]
    return share


def _steps(estimator: Any, n_features: int) -> csr_matrix:
    """Return, for each node, how the share changed on the way into it, at the signal that split."""
    tree = estimator.tree_
    share = _blocked_share(estimator)
    parents = np.flatnonzero(tree.children_left >= 0)
    children = np.concatenate([tree.children_left[parents], tree.children_right[parents]])
    above = np.concatenate([parents, parents])
    return csr_matrix(
        (share[children] - share[above], (children, tree.feature[above])),
        shape=(tree.node_count, n_features),
    )
