"""Functions of digit strings that are constant, or one shift, on intervals.

A table of a numbering plan says the same for whole ranges of numbers. This module holds
such tables, one per length of string, and works out where a rule that looks several of
them up (strip a prefix, look again, compare) changes its answer. The rules themselves are
in :mod:`cdr.normalise.numbering` and :mod:`cdr.normalise.dialling`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
T = TypeVar("T")

MAX_DIGITS = 18
"""Longest string kept: ours, because a longer one does not fit 64 bits beside its length.
E.164 (11/2010, 6.1) allows 15 digits; a carrier prefix and an international prefix fit."""

POWERS: Ints = 10 ** np.arange(MAX_DIGITS + 1, dtype=np.int64)


class Pieces(NamedTuple):
    """A step function over the strings of one length: ``values[i]`` from ``starts[i]`` on."""

    starts: Ints
    values: Ints

    def at(self, strings: Ints) -> Ints:
        """Return the value for each string."""
        return self.values[np.searchsorted(self.starts, strings, "right") - 1]


Table = Mapping[int, Pieces]
"""Pieces by length; a length that is missing has the value 0 throughout."""


def painted(length: int, layers: list[tuple[list[tuple[int, int]], int]]) -> Pieces:
    """Return the step function of ranges with values; what is painted later lies on top.

    Parameters
    ----------
    length
        Digits of the strings.
    layers
        ``(intervals, value)``; strings in no interval have the value 0.
    """
    edges = {0}
    for intervals, _ in layers:
        edges.update(edge for interval in intervals for edge in interval)
    edges.discard(10**length)
    starts = np.array(sorted(edges), np.int64)
    values = np.zeros(len(starts), np.int64)
    for intervals, value in layers:
        values[inside(starts, intervals)] = value
    return Pieces(starts, values)


def inside(strings: Ints, intervals: list[tuple[int, int]]) -> Bools:
    """Tell which strings lie in one of the sorted, disjoint ``intervals``."""
    edges = np.array(intervals, np.int64).reshape(-1)
    return np.searchsorted(edges, strings, "right") % 2 == 1


class Edit(NamedTuple):
    """What becomes of the front of each string: ``drop`` digits off, ``add`` put before.

    ``add`` is a number of ``digits`` digits, leading zeros included.
    """

    drop: Ints
    add: Ints
    digits: Ints

    @classmethod
    def none(cls, count: int) -> Edit:
        """Leave ``count`` strings as they are."""
        return cls(*(np.zeros(count, np.int64) for _ in range(3)))

    def then(self, later: Edit) -> Edit:
        """Return the one edit that does this one and ``later`` after it."""
        left = np.maximum(self.digits - later.drop, 0)
        drop = self.drop + np.maximum(later.drop - self.digits, 0)
        add = later.add * POWERS[left] + self.add % POWERS[left]
        return Edit(drop, add, later.digits + left)

    def where(self, chosen: Bools, other: Edit) -> Edit:
        """Return this edit where ``chosen``, ``other`` elsewhere."""
        return Edit(*(np.where(chosen, a, b) for a, b in zip(self, other, strict=True)))


@dataclass
class Cells:
    """The intervals of one length on which a rule is being tried, by their first string.

    Looking a table up through :meth:`read` also notes where, inside a cell, the answer
    would change; :func:`resolve` then splits the cells there and tries again.
    """

    length: int
    starts: Ints
    wanted: list[Ints] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ends = np.append(self.starts[1:], 10**self.length)

    def untouched(self) -> Edit:
        """Return the edit that changes nothing."""
        return Edit.none(len(self.starts))

    def lengths(self, edit: Edit) -> Ints:
        """Return the length of each string once edited."""
        return self.length - edit.drop + edit.digits

    def read(self, table: Table, edit: Edit, where: Bools | None = None) -> Ints:
        """Look the edited strings up; 0 where not ``where`` or where the table has none."""
        found = np.zeros(len(self.starts), np.int64)
        possible = (
            (edit.drop <= self.length) if where is None else where & (edit.drop <= self.length)
        )
        lengths = self.lengths(edit)
        for length in np.unique(lengths[possible]):
            if (pieces := table.get(int(length))) is None:
                continue
            at = np.flatnonzero(possible & (lengths == length))
            kept = POWERS[self.length - edit.drop[at]]
            first = edit.add[at] * kept + self.starts[at] % kept
            found[at] = pieces.at(first)
            self._want_edges(pieces, at, first - self.starts[at], kept)
        return found

    def _want_edges(self, pieces: Pieces, at: Ints, shift: Ints, kept: Ints) -> None:
        starts, ends = self.starts[at], self.ends[at]
        torn = starts // kept != (ends - 1) // kept  # one cell, but several dropped prefixes
        for start, end, step in zip(starts[torn], ends[torn], kept[torn], strict=True):
            self.wanted.append(np.arange(start // step + 1, (end - 1) // step + 1) * step)
        low = np.searchsorted(pieces.starts, starts + shift, "right")
        high = np.searchsorted(pieces.starts, ends + shift, "left")
        for cell in np.flatnonzero(~torn & (high > low)):
            self.wanted.append(pieces.starts[low[cell] : high[cell]] - shift[cell])


def resolve(length: int, rule: Callable[[Cells], T]) -> tuple[Ints, T]:
    """Split the strings of one length until ``rule`` is constant on every cell.

    Parameters
    ----------
    length
        Digits of the strings.
    rule
        Reads tables through the cells it is given and returns its answers, one per cell.

    Returns
    -------
    starts, answers
        First string of each cell, and what ``rule`` said there.
    """
    starts = np.zeros(1, np.int64)
    while True:
        cells = Cells(length, starts)
        answers = rule(cells)
        finer = np.unique(np.concatenate([starts, *cells.wanted]))
        if len(finer) == len(starts):
            return starts, answers
        starts = finer
