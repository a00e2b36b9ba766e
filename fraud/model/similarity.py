"""`BlockedAccountSimilarity`: how much an account is like those that were blocked.

Two accounts are alike where the trees of an extremely randomised forest send
them to the same leaf. The score is the share of blocked accounts among those an
account shares leaves with, so it is a vote of the reference accounts, weighted
by likeness, and it splits into parts by signal without a second method.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = NDArray[np.float64]


class BlockedAccountSimilarity(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify accounts by likeness to blocked ones; names the accounts and signals behind it.

    Parameters
    ----------
    n_trees : int, default=300
        Trees of the forest. More trees make neighbours steadier and cost time.
    min_leaf : int, default=3
        Reference accounts in a leaf at least; 3 keeps one odd account from being a leaf.
    random_state : int, default=0
        Seed; the same seed and data give the same model whatever ``n_jobs`` is.
    n_jobs : int, optional
        Processes for fitting and scoring, as in scikit-learn.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The two labels; the second one is "blocked".
    n_features_in_ : int
        Signals seen by ``fit``.
    base_rate_ : float
        What the trees answer before the first split, on average; 0..1.

    Notes
    -----
    NaN means "unknown" and goes its own way at each split. Likeness of x and a
    reference account r is the share of trees in which both reach the same leaf,
    0..1 [1]_ [2]_. `explain` adds, along each path, how the share of blocked
    accounts changes at a split to the signal that splits [3]_.

    References
    ----------
    .. [1] Breiman, L. "Random Forests." Machine Learning 45 (2001), section on proximities.
    .. [2] Geurts, P., Ernst, D., Wehenkel, L. "Extremely randomized trees." Machine
       Learning 63 (2006), section on the kernel view.
    .. [3] Palczewska, A. et al. "Interpreting random forest models using a feature
       contribution method." IEEE IRI (2013).

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
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.n_trees = n_trees
        self.min_leaf = min_leaf
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from reference accounts: ``X`` (n, signals), ``y`` 1 = blocked, 0 = good."""
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
        self.forest_ = ExtraTreesClassifier(
            n_estimators=self.n_trees,
            min_samples_leaf=self.min_leaf,
            # not "balanced": its weights would draw the few blocked accounts into every
            # tree, and none could be scored by trees that did not see it
            class_weight="balanced_subsample",
            bootstrap=True,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
        ).fit(X, encoded)
        self.reference_blocked_ = np.flatnonzero(encoded == 1)
        self.reference_good_ = np.flatnonzero(encoded == 0)
        self.reference_leaves_ = self.forest_.apply(X).astype(np.int32)
        self.base_rate_ = float(np.mean([_blocked_share(t)[0] for t in self.forest_.estimators_]))
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Return the weight of good and of blocked accounts among those alike, (n, 2)."""
        X = self._valid(X)
        found: Floats = self.forest_.predict_proba(X)
        return found

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the heavier class of each account."""
        blocked = self.predict_proba(X)[:, 1] > 0.5
        found: NDArray[Any] = self.classes_[blocked.astype(int)]
        return found

    def score_reference(self, X: Any) -> Floats:
        """Score the accounts of ``fit`` by the trees that did not see each of them.

        Parameters
        ----------
        X : array of shape (n, signals)
            What ``fit`` was given, in the same order.

        Returns
        -------
        ndarray of shape (n,)
            Likeness to the *other* blocked accounts, 0..1; NaN for an account that
            every tree saw.
        """
        X = self._valid(X)
        total, trees = np.zeros(len(X)), np.zeros(len(X))
        for tree, seen in zip(
            self.forest_.estimators_, self.forest_.estimators_samples_, strict=True
        ):
            unseen = np.ones(len(X), dtype=bool)
            unseen[seen] = False
            total[unseen] += tree.predict_proba(X[unseen])[:, 1]
            trees[unseen] += 1
        found: Floats = np.divide(total, trees, out=np.full(len(X), np.nan), where=trees > 0)
        return found

    def explain(self, X: Any) -> Floats:
        """Split each score into parts by signal.

        Returns
        -------
        ndarray of shape (n, signals)
            Parts of ``predict_proba(X)[:, 1]``: with ``base_rate_`` they add up to it.
        """
        X = self._valid(X)
        parts = np.zeros((len(X), self.n_features_in_))
        for estimator in self.forest_.estimators_:
            steps = _steps(estimator, self.n_features_in_)
            parts += (estimator.decision_path(X.astype(np.float32)) @ steps).toarray()
        return parts / len(self.forest_.estimators_)

    def similar_blocked(self, X: Any, k: int = 5) -> tuple[NDArray[np.intp], Floats]:
        """Return the ``k`` blocked reference accounts most alike.

        Returns
        -------
        rows : ndarray of shape (n, k)
            Rows of ``fit``'s X, the most alike first.
        similarity : ndarray of shape (n, k)
            Share of trees with a common leaf, 0..1.
        """
        return self._nearest(X, self.reference_blocked_, k)

    def similar_good(self, X: Any, k: int = 5) -> tuple[NDArray[np.intp], Floats]:
        """Return the ``k`` good reference accounts most alike; see `similar_blocked`."""
        return self._nearest(X, self.reference_good_, k)

    def _nearest(self, X: Any, among: NDArray[np.intp], k: int) -> tuple[NDArray[np.intp], Floats]:
        X = self._valid(X)
        leaves = self.forest_.apply(X)
        shared = np.zeros((len(leaves), len(among)), dtype=np.int32)
        for tree in range(leaves.shape[1]):
            shared += leaves[:, tree, None] == self.reference_leaves_[None, among, tree]
        order = np.argsort(-shared, axis=1, kind="stable")[:, : min(k, len(among))]
        similarity = np.take_along_axis(shared, order, axis=1) / leaves.shape[1]
        return among[order], similarity

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
