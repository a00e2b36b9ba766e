"""Neighbours by common leaves, against a count by hand and the plain comparison of all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from fraud.model.leaves import ASKED_AT_ONCE, BLOCK, nearest

WEIGHTS = np.array([1, 2, 4], np.float32)


def test_likeness_is_the_weighted_share_of_trees_with_a_common_leaf() -> None:
    asked = np.array([[1, 1, 1]], np.int16)
    reference = np.array([[1, 9, 9], [9, 1, 1], [1, 1, 1], [9, 1, 1], [9, 9, 9]], np.int16)
    rows, similarity = nearest(asked, reference, WEIGHTS, 4)
    assert rows.tolist() == [[2, 1, 3, 0]]  # of equal ones the first
    assert similarity[0] == pytest.approx([1, 6 / 7, 6 / 7, 1 / 7])


def test_an_account_is_left_out_of_its_own_neighbours() -> None:
    leaves = np.array([[1, 1, 1], [1, 2, 2]], np.int16)
    rows, _ = nearest(leaves, leaves, WEIGHTS, 1, np.array([0, -1]))
    assert rows.tolist() == [[1], [1]]


def test_many_are_compared_as_one_by_one() -> None:
    rng = np.random.default_rng(1)
    asked = rng.integers(0, 5, (ASKED_AT_ONCE + 3, 9)).astype(np.int16)
    reference = rng.integers(0, 7, (BLOCK + 5, 9)).astype(np.int16)
    weights = rng.random(9).astype(np.float32)
    _, similarity = nearest(asked, reference, weights, 3)
    shared = (asked[:, None, :] == reference[None]) @ weights / weights.sum()
    assert similarity == pytest.approx(np.sort(shared, axis=1)[:, ::-1][:, :3], abs=1e-5)


def test_of_nobody_there_is_no_neighbour() -> None:
    rows, similarity = nearest(np.ones((2, 3), np.int16), np.ones((0, 3), np.int16), WEIGHTS, 5)
    assert (rows.shape, similarity.shape) == ((2, 0), (2, 0))
