"""Sets of digit strings, written as a pattern and kept as intervals of numbers.

Numbering plans describe ranges by regular expressions over digits. Such a pattern, without
unbounded repeats, is a finite set of strings; the strings of one length form a few
intervals of integers. Here the patterns become those intervals, so that a number can be
placed by binary search and no pattern runs when calls are read. What the sets mean is the
business of :mod:`cdr.normalise.numbering`.
"""

from __future__ import annotations

from functools import lru_cache

Intervals = list[tuple[int, int]]
"""Sorted, disjoint, half-open ranges of the strings' values; leading zeros count."""

DigitSet = dict[int, Intervals]
"""The strings of a set by their length in digits."""

_EMPTY_STRING: DigitSet = {0: [(0, 1)]}


def merge(intervals: Intervals) -> Intervals:
    """Sort the ranges and join those that touch or overlap."""
    merged: Intervals = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _union(sets: list[DigitSet]) -> DigitSet:
    if len(sets) == 1:
        return sets[0]
    together: DigitSet = {}
    for one in sets:
        for length, intervals in one.items():
            together.setdefault(length, []).extend(intervals)
    return {length: merge(intervals) for length, intervals in together.items()}


def _concatenate(head: DigitSet, tail: DigitSet) -> DigitSet:
    together: DigitSet = {}
    for head_length, heads in head.items():
        for tail_length, tails in tail.items():
            scale = 10**tail_length
            if tails == [(0, scale)]:
                made = [(start * scale, end * scale) for start, end in heads]
            else:
                made = [
                    (value * scale + low, value * scale + high)
                    for start, end in heads
                    for value in range(start, end)
                    for low, high in tails
                ]
            together.setdefault(head_length + tail_length, []).extend(made)
    return {length: merge(intervals) for length, intervals in together.items()}


class _Reader:
    """Recursive descent over the subset of regular expressions that plans are written in."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self, text: str) -> bool:
        if self.pattern.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def alternatives(self) -> DigitSet:
        found = [self.sequence()]
        while self.take("|"):
            found.append(self.sequence())
        return _union(found)

    def sequence(self) -> DigitSet:
        parts = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated())
        whole = _EMPTY_STRING
        for part in reversed(parts):  # a run of free digits at the end stays one interval
            whole = _concatenate(part, whole)
        return whole

    def repeated(self) -> DigitSet:
        one = self.atom()
        if self.take("?"):
            return _union([_EMPTY_STRING, one])
        if not self.take("{"):
            return one
        bounds, self.at = self.pattern[self.at : (end := self.pattern.index("}", self.at))], end + 1
        least, _, most = bounds.partition(",")
        runs, run = [], _EMPTY_STRING
        for count in range(int(most or least) + 1):
            if count >= int(least):
                runs.append(run)
            run = _concatenate(one, run)
        return _union(runs)

    def atom(self) -> DigitSet:
        if self.take("(?:") or self.take("("):
            inside = self.alternatives()
            self.expect(")")
            return inside
        if self.take("["):
            return {1: self.members()}
        if self.take("\\d"):
            return {1: [(0, 10)]}
        if self.take("$"):
            return _EMPTY_STRING
        digit = self.peek()
        if not ("0" <= digit <= "9"):
            raise ValueError(f"not a digit pattern: position {self.at} of {self.pattern!r}")
        self.at += 1
        return {1: [(int(digit), int(digit) + 1)]}

    def members(self) -> Intervals:
        found: Intervals = []
        while not self.take("]"):
            low = high = int(self.peek())
            self.at += 1
            if self.take("-"):
                high = int(self.peek())
                self.at += 1
            found.append((low, high + 1))
        return merge(found)

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise ValueError(f"{text!r} expected at position {self.at} of {self.pattern!r}")


@lru_cache(maxsize=None)
def digit_set(pattern: str) -> DigitSet:
    r"""Return every digit string that ``pattern`` matches in full.

    Parameters
    ----------
    pattern
        Digits, ``\d``, classes, groups, alternatives, ``?``, ``{n}``, ``{m,n}``. An end
        anchor ``$`` is read as nothing.

    Returns
    -------
    DigitSet
        Intervals by length. Treat it as read-only: it is shared.

    Raises
    ------
    ValueError
        If the pattern uses anything else.

    Examples
    --------
    >>> digit_set(r"1(?:[0-2]\d|7)")
    {3: [(100, 130)], 2: [(17, 18)]}
    """
    reader = _Reader(pattern)
    found = reader.alternatives()
    if reader.at != len(pattern):
        raise ValueError(f"unexpected {reader.peek()!r} at position {reader.at} of {pattern!r}")
    return found
