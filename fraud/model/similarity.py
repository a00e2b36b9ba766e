"""`BlockedAccountSimilarity`: how much an account is like those that were blocked.

Chains of extremely randomised trees, each tree correcting those before it. A leaf's
value is a weighted vote of the reference accounts in it, so the score is a vote of
the accounts one shares leaves with, and it splits into parts by signal without a
second method. Where accounts are many, a straight line through ranks is added, with
the weight it proves on accounts left out. Nothing here knows what a signal means. Not
here: a single chain (:mod:`fraud.model.chains`), lines (:mod:`fraud.model.lines`).
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from fraud.model.chains import Floats, Growth, Rows, codes_of, grown, knots_of
from fraud.model.curve import curve_of
from fraud.model.leaves import nearest
from fraud.model.lines import fitted_lines

CHUNK = 32_768
"""Accounts sent through the trees at a time. Ours: codes and leaves of a chunk stay in cache."""

LINE_FROM = 100
"""Accounts of the rarer class from which on a line is tried. Ours: with 40 blocked of the same real
accounts its share could not be told and it did not help."""


class BlockedAccountSimilarity(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify accounts by likeness to blocked ones; names the accounts and signals behind it.

    Parameters
    ----------
    n_parts : int, default=6
        Parts the reference accounts are cut into, at least 2; each part is left out by one
        chain of trees, which learns from the others.
    balances : tuple of float, default=(1.0, 0.0)
        How far the trees make up for one class being rarer, each in [0, 1]: the power of the
        weights that would let both classes count alike. With 1 they do, with 0 each account counts
        as one. The accounts are cut into parts once for each, and each account is left out by
        one chain each time.
    n_rounds : int, default=40
        Trees of a chain.
    learning_rate : float, default=0.15
        How much of what is still unexplained a tree takes on, in (0, 1].
    max_depth : int, default=6
        Splits on the way to a leaf at most.
    min_leaf : int, default=5
        Reference accounts in a leaf at least; one odd account is no leaf.
    split_share : float, default=0.6
        Share of the signals that are tried at a split, in (0, 1].
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
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the signals, where ``fit`` was given a frame.
    base_rate_ : float
        Score of an account of which nothing is known yet: what `explain` starts from.
    reference_blocked_, reference_good_ : ndarray of int
        Rows of ``fit``'s X by class.

    Notes
    -----
    Each signal is first cut at quantiles of both classes, so that long tails and
    units do not matter. NaN means "unknown" and goes its own way at each split.
    A chain starts at even odds, an account of the rarer class weighing as much as its balance
    says (chains of unlike balances err unlike, and their mean less than either), and adds
    extremely randomised trees [1]_ by gradient boosting with Newton steps [2]_; the chains'
    log-odds are averaged [3]_. With 100 accounts of each class a logistic regression on
    the normal scores of signals' ranks is fitted too, as smooth trends cost trees many
    splits. The score is a logistic curve of both, fitted to reference accounts by the
    chains and the line that left them out [4]_; where the line adds nothing to the
    trees, it has no weight. Likeness of x and a
    reference account r is the share of trees in which both reach the same leaf [5]_,
    each tree counting by how much it says. `explain` adds, along each path, how the
    value changes at a split to the signal that splits [6]_, and what the line adds for
    it, and scales the parts by one factor per account, so that they add up to the score
    and keep sign and order.

    References
    ----------
    .. [1] Geurts, P., Ernst, D., Wehenkel, L. "Extremely randomized trees." Machine
       Learning 63 (2006).
    .. [2] Friedman, J. "Stochastic gradient boosting." Computational Statistics and
       Data Analysis 38 (2002); Chen, T., Guestrin, C. "XGBoost." KDD (2016), eq. 5.
    .. [3] Breiman, L. "Bagging predictors." Machine Learning 24 (1996).
    .. [4] Platt, J. "Probabilistic outputs for support vector machines." Advances in
       Large Margin Classifiers (1999).
    .. [5] Breiman, L. "Random forests." Machine Learning 45 (2001), on proximities.
    .. [6] Palczewska, A. et al. "Interpreting random forest models using a feature
       contribution method." IEEE IRI (2013).

    Examples
    --------
    >>> X = [[0.1], [0.2], [0.3], [0.9], [0.8], [0.7]] * 5
    >>> y = [0, 0, 0, 1, 1, 1] * 5
    >>> model = BlockedAccountSimilarity().fit(X, y)
    >>> bool(model.predict_proba([[0.85]])[0, 1] > 0.9)
    True
    """

    def __init__(
        self,
        *,
        n_parts: int = 6,
        balances: tuple[float, ...] = (1.0, 0.0),
        n_rounds: int = 40,
        learning_rate: float = 0.15,
        max_depth: int = 6,
        min_leaf: int = 5,
        split_share: float = 0.6,
        random_state: Any = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.n_parts = n_parts
        self.balances = balances
        self.n_rounds = n_rounds
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.min_leaf = min_leaf
        self.split_share = split_share
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from reference accounts: ``X`` (n, signals), ``y`` 1 = blocked, 0 = good."""
        self._check_parameters()
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
        rng = check_random_state(self.random_state)
        self.part_ = np.column_stack([_parts(encoded, self.n_parts, rng) for _ in self.balances])
        seeds = rng.randint(2**31 - 1, size=(len(self.balances), self.n_parts))
        self.knots_ = [knots_of(column, encoded) for column in X.T]
        codes = codes_of(X, self.knots_)
        same = (self.n_rounds, self.learning_rate, self.max_depth, self.min_leaf, self.split_share)
        growth = [Growth(*same, balance) for balance in self.balances]
        self.chains_ = list(
            Parallel(n_jobs=self.n_jobs, prefer="threads")(
                delayed(grown)(codes, encoded, self.part_[:, repeat] != part, growth[repeat], seed)
                for (repeat, part), seed in np.ndenumerate(seeds)
            )
        )
        self.lines_ = None
        if min(len(self.reference_blocked_), len(self.reference_good_)) >= LINE_FROM:
            steps = [len(knots) + 1 for knots in self.knots_]
            self.lines_ = fitted_lines(codes, encoded, self.part_[:, 0], steps)
        self.reference_leaves_ = np.column_stack([chain.leaves(codes) for chain in self.chains_])
        self._fit_curve(codes, encoded)
        return self

    def decision_function(self, X: Any) -> Floats:
        """Return the log-odds of being like blocked accounts, (n,); above 0 is "blocked"."""
        return self._log_odds(self._valid(X), None)

    def predict_proba(self, X: Any) -> Floats:
        """Return the chance of being like good and like blocked accounts, (n, 2)."""
        blocked = _chance(self.decision_function(X))
        return np.column_stack([1 - blocked, blocked])

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likelier class of each account."""
        blocked = self.decision_function(X) > 0
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
            Likeness to *other* blocked accounts, 0..1, by the chains that did not learn
            from the account; NaN where there is none, as for the only blocked account.
        """
        return _chance(self._log_odds(self._valid(X), np.asarray(own)))

    def explain(self, X: Any, own: Rows | None = None) -> Floats:
        """Split the score of each account into parts by signal.

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
            Positive speaks for likeness to blocked accounts.
        """
        codes = self._codes(self._valid(X))
        parts = np.zeros((len(codes), self.n_features_in_))
        chains = np.zeros(len(codes))
        for number, chain in enumerate(self.chains_):
            use = self._unseen(number, own, len(codes))
            if chain.trees and use.any():
                parts[use] += chain.parts(codes[use])
                chains[use] += 1
        with np.errstate(invalid="ignore"):
            parts *= self.curve_.slope / chains[:, None]
        if self.lines_ is not None:
            share = self._line_share(own, len(codes))
            parts += self.curve_.line_slope * self.lines_.parts(codes, share)
        log_odds = self.curve_.offset + parts.sum(axis=1)
        return parts * _scale(log_odds, self.curve_.offset)[:, None]

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
            Weighted share of trees with a common leaf, 0..1.
        """
        return self._nearest(X, self.reference_blocked_, k, own)

    def similar_good(
        self, X: Any, k: int = 5, own: Rows | None = None
    ) -> tuple[NDArray[np.intp], Floats]:
        """Return the ``k`` good reference accounts most alike; see `similar_blocked`."""
        return self._nearest(X, self.reference_good_, k, own)

    def _check_parameters(self) -> None:
        least = {"n_parts": 2, "n_rounds": 1, "max_depth": 1, "min_leaf": 1}
        for name, at_least in least.items():
            if getattr(self, name) < at_least:
                raise ValueError(f"{name} must be at least {at_least}, got {getattr(self, name)!r}")
        for name in ("learning_rate", "split_share"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in (0, 1], got {getattr(self, name)!r}")
        if not self.balances or not all(0 <= balance <= 1 for balance in self.balances):
            raise ValueError(f"balances must be numbers in [0, 1], got {self.balances!r}")

    def _fit_curve(self, codes: NDArray[np.float32], encoded: Rows) -> None:
        """Fit the curve from margins to chance on accounts by trees and lines not taught by them.

        A line without weight is forgotten.
        """
        own = np.arange(len(codes))
        margin = self._margin_of(codes, own)
        known = ~np.isnan(margin)
        line = None
        if self.lines_ is not None:
            line = self.lines_.margin(codes, self._line_share(own, len(codes)))[known]
        self.curve_ = curve_of(margin[known], encoded[known] == 1, line)
        if not self.curve_.line_slope:
            self.lines_ = None
        self.base_rate_ = float(_chance(np.array(self.curve_.offset)))

    def _line_share(self, own: Rows | None, count: int) -> Floats:
        """Return how much each line counts, (n, parts): all alike, or that which left one out."""
        share = np.full((count, self.n_parts), 1 / self.n_parts)
        if own is not None:
            learned = np.flatnonzero(own >= 0)
            share[learned] = np.eye(self.n_parts)[self.part_[own[learned], 0]]
        return share

    def _unseen(self, number: int, own: Rows | None, count: int) -> NDArray[np.bool_]:
        """Tell which accounts the chain of a number did not learn from."""
        if own is None:
            return np.ones(count, dtype=bool)
        repeat, part = divmod(number, self.n_parts)
        unseen: NDArray[np.bool_] = (own < 0) | (self.part_[own, repeat] == part)
        return unseen

    def _log_odds(self, X: Floats, own: Rows | None) -> Floats:
        chunks = [slice(start, start + CHUNK) for start in range(0, max(len(X), 1), CHUNK)]
        found = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(self._log_odds_of)(self._codes(X[chunk]), None if own is None else own[chunk])
            for chunk in chunks
        )
        return np.concatenate(list(found))

    def _log_odds_of(self, codes: NDArray[np.float32], own: Rows | None) -> Floats:
        found = self.curve_.slope * self._margin_of(codes, own) + self.curve_.offset
        if self.lines_ is not None:
            share = self._line_share(own, len(codes))
            found += self.curve_.line_slope * self.lines_.margin(codes, share)
        return found

    def _margin_of(self, codes: NDArray[np.float32], own: Rows | None) -> Floats:
        """Return the mean of the chains' log-odds; NaN where every chain knows the account."""
        total, chains = np.zeros(len(codes)), np.zeros(len(codes))
        for number, chain in enumerate(self.chains_):
            use = self._unseen(number, own, len(codes))
            if not chain.trees or not use.any():
                continue
            total[use] += chain.margin(codes if use.all() else codes[use])
            chains[use] += 1
        unknown = np.full(len(codes), np.nan)
        mean: Floats = np.divide(total, chains, out=unknown, where=chains > 0)
        return mean

    def _nearest(
        self, X: Any, among: NDArray[np.intp], k: int, own: Rows | None
    ) -> tuple[NDArray[np.intp], Floats]:
        codes = self._codes(self._valid(X))
        leaves = np.column_stack([chain.leaves(codes) for chain in self.chains_])
        weights = np.concatenate([chain.weights for chain in self.chains_]).astype(np.float32)
        place = None
        if own is not None:
            where = np.full(len(self.reference_leaves_) + 1, -1)  # the last is that of row -1
            where[among] = np.arange(len(among))
            place = where[np.asarray(own)]
        rows, similarity = nearest(leaves, self.reference_leaves_[among], weights, k, place)
        return among[rows], similarity

    def _codes(self, X: Floats) -> NDArray[np.float32]:
        return codes_of(X, self.knots_)

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


def _parts(encoded: Rows, n_parts: int, rng: np.random.RandomState) -> NDArray[np.int16]:
    """Cut each class into parts of the same size, at random."""
    part = np.empty(len(encoded), dtype=np.int16)
    for kind in (0, 1):
        rows = rng.permutation(np.flatnonzero(encoded == kind))
        part[rows] = (np.arange(len(rows)) + rng.randint(n_parts)) % n_parts
    return part


def _chance(log_odds: Floats) -> Floats:
    found: Floats = expit(log_odds)
    return found


def _scale(log_odds: Floats, base: float) -> Floats:
    """Return by how much a step in log-odds changes the chance, on the way from ``base``."""
    step = log_odds - base
    slope = expit(base) * expit(-base)
    near = np.abs(step) < 1e-9
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(near, slope, (expit(log_odds) - expit(base)) / step)
    return found
