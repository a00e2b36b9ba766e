"""`BlockedAccountSimilarity` as a scikit-learn classifier, and what it says beside the score."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from fraud import BlockedAccountSimilarity
from fraud.model.chains import class_weights, codes_of, knots_of


@parametrize_with_checks([BlockedAccountSimilarity(n_parts=3, balances=(0.5,), n_rounds=5)])
def test_it_is_a_classifier_by_the_book(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def known() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return two groups that the first column tells apart; the second is noise with gaps."""
    rng = np.random.default_rng(3)
    y = np.repeat([1, 0], [30, 300])
    noise = np.where(rng.random(330) < 0.2, np.nan, rng.normal(size=330))
    return np.column_stack([rng.normal(3.0 * y, 1.0), noise]), y


@pytest.fixture(scope="module")
def model(known: tuple[NDArray[np.float64], NDArray[np.int64]]) -> BlockedAccountSimilarity:
    return BlockedAccountSimilarity(random_state=5).fit(*known)


def test_reasons_add_up_to_the_score(
    model: BlockedAccountSimilarity, known: tuple[NDArray[np.float64], NDArray[np.int64]]
) -> None:
    X, _ = known
    assert model.base_rate_ + model.explain(X).sum(axis=1) == pytest.approx(
        model.predict_proba(X)[:, 1]
    )


def test_reasons_name_the_column_that_matters(
    model: BlockedAccountSimilarity,
) -> None:
    parts = model.explain([[4.0, 0.0]])[0]
    assert parts[0] > 5 * abs(parts[1])


def test_small_changes_keep_the_order_of_reasons() -> None:
    """Values move by a hundredth of their spread; of twelve signals six say something."""
    rng = np.random.default_rng(4)
    y = np.repeat([1, 0], [150, 450])
    X = rng.normal(np.outer(y, [2.0, 1.67, 1.33, 1.0, 0.67, 0.33] + [0.0] * 6), 1.0)
    model = BlockedAccountSimilarity(random_state=1, balances=(0.5,)).fit(X, y)
    asked = X[:150]
    before = model.explain(asked)
    after = model.explain(asked + rng.normal(0.0, 0.01, asked.shape))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).mean() > 0.9
    ranks = [spearmanr(one, other).statistic for one, other in zip(before, after, strict=True)]
    assert np.mean(ranks) > 0.95


def quick(n_rounds: int = 15) -> BlockedAccountSimilarity:
    """Return one that learns in a tenth of the time and a little worse."""
    return BlockedAccountSimilarity(n_parts=3, balances=(0.5,), n_rounds=n_rounds)


@pytest.fixture(scope="module")
def smooth() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return 600 accounts whose odds rise evenly with each of eight columns; a tenth is unknown."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(600, 8))
    y = (X.sum(axis=1) + rng.normal(size=600) > 0).astype(np.int64)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, y


@pytest.fixture(scope="module")
def with_lines(
    smooth: tuple[NDArray[np.float64], NDArray[np.int64]],
) -> BlockedAccountSimilarity:
    return quick().fit(smooth[0][:300], smooth[1][:300])


def test_a_smooth_trend_is_scored_better_with_lines(
    with_lines: BlockedAccountSimilarity,
    smooth: tuple[NDArray[np.float64], NDArray[np.int64]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = smooth
    monkeypatch.setattr("fraud.model.similarity.LINE_FROM", 10_000)
    trees = quick().fit(X[:300], y[:300])
    found = [roc_auc_score(y[300:], model.predict_proba(X[300:])[:, 1])
             for model in (with_lines, trees)]  # fmt: skip
    assert found[0] > found[1] + 0.02


def test_parts_of_lines_add_up_with_and_without_oneself(
    with_lines: BlockedAccountSimilarity,
    smooth: tuple[NDArray[np.float64], NDArray[np.int64]],
) -> None:
    X, own = smooth[0], np.r_[np.arange(300), np.full(300, -1)]
    assert with_lines.curve_.line_slope > 0
    parts = with_lines.explain(X, own)
    assert with_lines.base_rate_ + parts.sum(axis=1) == pytest.approx(with_lines.likeness(X, own))
    assert with_lines.likeness(X[300:], own[300:]) == pytest.approx(
        with_lines.predict_proba(X[300:])[:, 1]
    )


def test_lines_add_nothing_where_only_signals_together_say_something() -> None:
    """Blocked where exactly one of two columns is above 0: no line tells that."""
    X = np.random.default_rng(6).normal(size=(500, 2))
    model = quick().fit(X, (X > 0).sum(axis=1) == 1)
    assert model.curve_.line_slope < 0.2
    assert model.score(X, (X > 0).sum(axis=1) == 1) > 0.9


def test_neighbours_are_of_the_kind_asked_for_and_an_account_is_most_like_itself(
    model: BlockedAccountSimilarity, known: tuple[NDArray[np.float64], NDArray[np.int64]]
) -> None:
    X, y = known
    rows, similarity = model.similar_blocked(X[:1], 5)
    assert (y[rows] == 1).all()
    assert (rows[0, 0], similarity[0, 0]) == (0, 1.0)
    assert (np.diff(similarity[0]) <= 0).all()
    assert (y[model.similar_good(X[:1], 5)[0]] == 0).all()


def test_a_reference_account_does_not_vouch_for_itself() -> None:
    """An odd blocked account among good ones is like nobody, but would be like itself."""
    rng = np.random.default_rng(9)
    X = np.vstack([rng.normal(0, 1, (200, 3)), rng.normal(6, 1, (20, 3)), [[0.0, 0.0, 0.0]]])
    y = np.repeat([0, 1], [200, 21])
    model = BlockedAccountSimilarity(
        n_rounds=60, balances=(0.5,), learning_rate=0.5, min_leaf=1
    ).fit(X, y)
    seen, unseen = model.predict_proba(X)[-1, 1], model.likeness(X, np.arange(len(X)))[-1]
    assert 0 < unseen < seen / 2


@pytest.mark.parametrize("n_parts", [2, 6])
def test_each_account_is_left_out_by_one_chain_of_every_cut(
    n_parts: int, known: tuple[NDArray[np.float64], NDArray[np.int64]]
) -> None:
    """An account that a chain learned from may lie elsewhere now: that chain must not tell."""
    X, y = known
    model = BlockedAccountSimilarity(n_parts=n_parts, n_rounds=3).fit(X, y)
    own = np.arange(len(X))
    unseen = [model._unseen(number, own, len(X)) for number in range(len(model.chains_))]
    assert len(unseen) == 2 * n_parts
    assert (np.sum(unseen, axis=0) == 2).all()


def test_two_blocked_are_each_scored_without_themselves() -> None:
    """They are fewer than the parts, so most chains learn from both."""
    rng = np.random.default_rng(7)
    X, y = rng.normal(size=(60, 2)), np.arange(60) < 2
    unseen = BlockedAccountSimilarity(min_leaf=1, n_rounds=15).fit(X, y).likeness(X, np.arange(60))
    assert not np.isnan(unseen).any()


def test_ten_blocked_among_thousands_are_left_out_too_and_told_apart() -> None:
    rng = np.random.default_rng(2)
    y = np.repeat([1, 0], [10, 3_000])
    X = rng.normal(np.outer(y, [2.0, 2.0]), 1.0)
    model = BlockedAccountSimilarity(random_state=1, balances=(0.5,)).fit(X, y)
    unseen = model.likeness(X, np.arange(len(X)))
    assert not np.isnan(unseen[:10]).any()
    assert roc_auc_score(y, unseen) > 0.9


@pytest.mark.parametrize(("balance", "times"), [(0.0, 1), (0.5, 10), (1.0, 100)])
def test_a_blocked_account_among_a_hundred_good_ones_counts_so_many_times(
    balance: float, times: float
) -> None:
    good, blocked = class_weights(300, 3, balance)
    assert blocked == pytest.approx(times * good)


def test_every_cut_has_its_own_balance(
    known: tuple[NDArray[np.float64], NDArray[np.int64]],
) -> None:
    X, y = known
    codes = codes_of(X, [knots_of(column, y) for column in X.T])
    mixed, alike, root = (
        [
            chain.margin(codes)
            for chain in BlockedAccountSimilarity(n_parts=2, n_rounds=2, balances=balances)
            .fit(X, y)
            .chains_
        ]
        for balances in ((1.0, 0.5), (1.0, 1.0), (0.5, 0.5))
    )
    assert np.array_equal(mixed, [*alike[:2], *root[2:]])
    assert not np.array_equal(alike[:2], root[:2])


@pytest.mark.parametrize("balances", [(-0.1,), (0.5, 1.1), ()])
def test_a_balance_beyond_nothing_and_all_is_refused(balances: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"balances must be numbers in \[0, 1\]"):
        BlockedAccountSimilarity(balances=balances).fit([[0.0], [1.0]], [0, 1])


def test_nothing_but_nan_is_an_answer_and_not_an_error(model: BlockedAccountSimilarity) -> None:
    assert 0 <= model.predict_proba([[np.nan, np.nan]])[0, 1] <= 1


def test_parts_of_a_likeness_without_oneself_add_up_to_it(
    model: BlockedAccountSimilarity, known: tuple[NDArray[np.float64], NDArray[np.int64]]
) -> None:
    X, own = known[0], np.arange(len(known[0]))
    assert model.base_rate_ + model.explain(X, own).sum(axis=1) == pytest.approx(
        model.likeness(X, own)
    )


def test_an_account_is_no_neighbour_of_itself(
    model: BlockedAccountSimilarity, known: tuple[NDArray[np.float64], NDArray[np.int64]]
) -> None:
    rows, _ = model.similar_blocked(known[0][:30], 5, np.arange(30))
    assert not (rows == np.arange(30)[:, None]).any()


def test_an_account_that_was_not_learned_from_is_scored_by_every_tree(
    model: BlockedAccountSimilarity, known: tuple[NDArray[np.float64], NDArray[np.int64]]
) -> None:
    X = known[0]
    assert model.likeness(X, np.full(len(X), -1)) == pytest.approx(model.predict_proba(X)[:, 1])


def test_the_only_blocked_account_has_nothing_to_be_compared_with() -> None:
    X = np.arange(20.0)[:, None]
    model = quick().fit(X, np.arange(20) == 19)
    assert np.isnan(model.likeness(X[-1:], np.array([19]))).all()


def test_long_tails_and_units_do_not_matter(
    known: tuple[NDArray[np.float64], NDArray[np.int64]],
) -> None:
    X, y = known
    plain = quick(10).fit(X, y).predict_proba(X)
    stretched = quick(10).fit(np.exp(3 * X), y)
    assert stretched.predict_proba(np.exp(3 * X)) == pytest.approx(plain)


def test_one_account_that_was_learned_from_is_explained_alone(
    model: BlockedAccountSimilarity, known: tuple[NDArray[np.float64], NDArray[np.int64]]
) -> None:
    X, row = known[0], np.array([7])
    assert model.base_rate_ + model.explain(X[row], row).sum() == pytest.approx(
        model.likeness(X[row], row)[0]
    )
