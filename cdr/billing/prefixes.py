"""Which prefix of many is the longest that a number begins with, for whole columns at once.

Numbers become points and prefixes become intervals on a line of 15 digits, the longest
that ITU-T E.164 allows. Prices, dates and decks are not known here.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

DIGITS = 15
"""Longest number, ITU-T E.164 (11/2010) section 6."""

NO_PREFIX = -1

_HEAD_DIGITS = 6
"""Leading digits looked up in one step. Ours: a million cells of 8 bytes stay in the cache's
reach, and most cells of real decks lie in one interval."""

_POWERS: NDArray[np.int64] = 10 ** np.arange(DIGITS + 1, dtype=np.int64)
_TAIL = int(_POWERS[DIGITS - _HEAD_DIGITS])


class Prefixes:
    """A set of different prefixes, ready to be asked.

    Parameters
    ----------
    prefixes : Series of String, shape (n,)
        1 to 15 digits each, without plus; no two alike.

    Notes
    -----
    Two prefixes either do not meet or one holds the other, so the line falls into at most
    2 n + 1 pieces with one longest prefix each. Shorter prefixes are laid down first and
    longer ones over them. A number finds its piece by its first six digits where these
    decide, and by a binary search where they do not.
    """

    def __init__(self, prefixes: pl.Series) -> None:
        self._length = prefixes.str.len_bytes().cast(pl.Int64).to_numpy()
        room = _POWERS[DIGITS - self._length]
        low = prefixes.cast(pl.Int64).to_numpy() * room
        self._starts = np.unique(np.concatenate([np.zeros(1, np.int64), low, low + room]))
        self._owner = np.full(len(self._starts), NO_PREFIX, dtype=np.int64)
        self._parent = np.full(len(low), NO_PREFIX, dtype=np.int64)
        first = np.searchsorted(self._starts, low)
        last = np.searchsorted(self._starts, low + room)
        for length in np.unique(self._length):
            rows = np.flatnonzero(self._length == length)
            self._parent[rows] = self._owner[first[rows]]
            self._owner[_ranges(first[rows], last[rows])] = np.repeat(
                rows, last[rows] - first[rows]
            )
        heads, at_head = np.divmod(self._starts, _TAIL)
        cells = int(_POWERS[_HEAD_DIGITS]) + 1
        last_of_cell = np.cumsum(np.bincount(heads, minlength=cells)) - 1
        on_edge = np.bincount(heads[at_head == 0], minlength=cells)
        self._head_piece = np.concatenate([[-1], last_of_cell[:-1]]) + on_edge
        self._head_decides = self._head_piece == last_of_cell

    def longest(self, numbers: pl.Series) -> NDArray[np.int64]:
        """Return for each number which prefix is the longest that it begins with.

        Parameters
        ----------
        numbers : Series of String, shape (m,)
            E.164 with its plus. What is null or no such number has no prefix.

        Returns
        -------
        ndarray of int64, shape (m,)
            Row in ``prefixes``; `NO_PREFIX` where there is none.
        """
        digits = numbers.str.slice(1)
        length = digits.str.len_bytes().cast(pl.Int64).fill_null(0).clip(0, DIGITS).to_numpy()
        value = digits.cast(pl.Int64, strict=False)
        usable = (
            numbers.str.starts_with("+") & value.is_not_null() & (digits.str.len_bytes() <= DIGITS)
        ).fill_null(value=False)
        points = value.fill_null(0).to_numpy() * _POWERS[DIGITS - length]
        points[~usable.to_numpy()] = 0
        head = points // _TAIL
        piece = self._head_piece[head]
        undecided = np.flatnonzero(~self._head_decides[head])
        piece[undecided] = self._piece(points[undecided])
        found = self._owner[piece]
        found[~usable.to_numpy()] = NO_PREFIX
        return self._no_longer_than(found, length)

    def _piece(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(self._starts, points, side="right") - 1

    def _no_longer_than(
        self, found: NDArray[np.int64], length: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Go up where the zeros that fill a short number matched digits of a prefix."""
        if not len(self._length):
            return found
        while True:
            beyond = np.flatnonzero((found != NO_PREFIX) & (self._length[found] > length))
            if not len(beyond):
                return found
            found[beyond] = self._parent[found[beyond]]


def _ranges(first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the whole numbers of all half-open ranges, one range after the other."""
    sizes = last - first
    before = np.cumsum(sizes) - sizes
    return np.repeat(first - before, sizes) + np.arange(sizes.sum())
