"""Patterns of digits as ranges of whole numbers.

National patterns are regular and know nothing but digits, so for every length the strings
a set of patterns treats alike are few ranges of numbers. They are found here by walking
the automaton of all patterns together, digit by digit. What a pattern stands for is the
business of :mod:`cdr.normalise.numbering_plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

ALL_DIGITS = (1 << 10) - 1
_ANY_LENGTH = -1  # a mask of lengths with every bit set

Found = TypeVar("Found")


@dataclass(slots=True)
class _Node:
    """A state of the automaton: digits lead on, and `free` edges need none."""

    edges: list[tuple[int, int]] = field(default_factory=list)  # mask of digits, target
    free: list[int] = field(default_factory=list)
    accepts: int | None = None  # number of the pattern that ends here


class PatternSet:
    r"""Patterns whose matches are looked at together.

    Parameters
    ----------
    patterns : sequence of str
        Regular expressions of digits, `\d`, classes, groups, `|`, `?`, `{n}` and `{n,m}`; a
        `$` is read as nothing.
    prefixes : collection of int
        Numbers of the patterns that need only match the start, and at least one digit.
    """

    def __init__(self, patterns: Sequence[str], prefixes: frozenset[int] = frozenset()) -> None:
        self._nodes: list[_Node] = []
        starts = []
        for number, pattern in enumerate(patterns):
            start, end = _Reader(pattern, self._nodes).whole()
            self._nodes[end].accepts = number
            if number in prefixes:
                self._nodes[end].edges.append((ALL_DIGITS, end))
            starts.append(start)
        self._ends_in = self._lengths_to_an_end()
        whole = self._closed(frozenset(starts))
        self._start = frozenset(n for n in whole if self._nodes[n].accepts not in prefixes)

    def ranges(
        self, length: int, judge: Callable[[frozenset[int]], Found]
    ) -> list[tuple[int, Found]]:
        """Split the strings of a length where what is said of them changes.

        Parameters
        ----------
        length : int
            Digits.
        judge : callable
            From the numbers of the patterns that match to what is to be said.

        Returns
        -------
        list of (int, Found)
            The smallest number of each range, leading zeros being digits, in order from 0.
        """
        self._memo: dict[tuple[frozenset[int], int], tuple[tuple[int, object], ...]] = {}
        return list(self._runs(self._alive(self._start, length), length, judge))  # type: ignore[arg-type]

    def _runs(
        self, state: frozenset[int], left: int, judge: Callable[[frozenset[int]], Found]
    ) -> tuple[tuple[int, object], ...]:
        known = self._memo.get((state, left))
        if known is not None:
            return known
        if not state or not left:
            found = {n.accepts for n in map(self._nodes.__getitem__, state)} - {None}
            runs: tuple[tuple[int, object], ...] = ((0, judge(frozenset(found))),)  # type: ignore[arg-type]
        else:
            step, joined = 10 ** (left - 1), list[tuple[int, object]]()
            for digit in range(10):
                target = self._alive(self._after(state, digit), left - 1)
                for offset, what in self._runs(target, left - 1, judge):
                    if not joined or joined[-1][1] != what:
                        joined.append((digit * step + offset, what))
            runs = tuple(joined)
        self._memo[state, left] = runs
        return runs

    def _after(self, state: frozenset[int], digit: int) -> frozenset[int]:
        bit = 1 << digit
        return self._closed(
            frozenset(t for n in state for mask, t in self._nodes[n].edges if mask & bit)
        )

    def _alive(self, state: frozenset[int], left: int) -> frozenset[int]:
        return frozenset(n for n in state if self._ends_in[n] >> left & 1)

    def _closed(self, state: frozenset[int]) -> frozenset[int]:
        seen, open_ = set(state), list(state)
        while open_:
            for target in self._nodes[open_.pop()].free:
                if target not in seen:
                    seen.add(target)
                    open_.append(target)
        return frozenset(
            n for n in seen if self._nodes[n].edges or self._nodes[n].accepts is not None
        )

    def _lengths_to_an_end(self) -> list[int]:
        """For each node, a mask of the numbers of digits after which a pattern can end."""
        masks = [0] * len(self._nodes)
        for place in range(len(self._nodes) - 1, -1, -1):
            masks[place] = self._length_mask(place, masks)
        while True:
            before = list(masks)
            for place in range(len(self._nodes) - 1, -1, -1):
                masks[place] = self._length_mask(place, masks)
            if masks == before:
                return masks

    def _length_mask(self, place: int, masks: list[int]) -> int:
        node = self._nodes[place]
        if any(target == place for _, target in node.edges):
            return _ANY_LENGTH
        mask = 0 if node.accepts is None else 1
        for target in node.free:
            mask |= masks[target]
        for _, target in node.edges:
            mask |= masks[target] << 1
        return mask


class _Reader:
    """Read one pattern into nodes; each part is a pair of its first and its last node."""

    def __init__(self, pattern: str, nodes: list[_Node]) -> None:
        self._text, self._at, self._nodes = pattern, 0, nodes

    def whole(self) -> tuple[int, int]:
        part = self._choice()
        if self._at != len(self._text):
            raise ValueError("not a pattern of digits")
        return part

    def _node(self) -> int:
        self._nodes.append(_Node())
        return len(self._nodes) - 1

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _choice(self) -> tuple[int, int]:
        first, last = self._node(), self._node()
        while True:
            start, end = self._sequence()
            self._nodes[first].free.append(start)
            self._nodes[end].free.append(last)
            if self._peek() != "|":
                return first, last
            self._at += 1

    def _sequence(self) -> tuple[int, int]:
        first = last = self._node()
        while self._peek() not in ("", "|", ")"):
            start, end = self._repeated()
            self._nodes[last].free.append(start)
            last = end
        return first, last

    def _repeated(self) -> tuple[int, int]:
        begun = self._at
        start, end = self._atom()
        ended = self._at
        least, most = self._counts()
        after = self._at
        first = last = self._node()
        optional = []
        for number in range(most):
            if number:
                self._at = begun
                start, end = self._atom()
                assert self._at == ended
            if number >= least:
                optional.append(last)
            self._nodes[last].free.append(start)
            last = end
        end_of_all = self._node()
        for node in (*optional, last):
            self._nodes[node].free.append(end_of_all)
        self._at = after
        return first, end_of_all

    def _counts(self) -> tuple[int, int]:
        if self._peek() == "?":
            self._at += 1
            return 0, 1
        if self._peek() != "{":
            return 1, 1
        close = self._text.index("}", self._at)
        least, comma, most = self._text[self._at + 1 : close].partition(",")
        self._at = close + 1
        return int(least), int(most) if comma else int(least)

    def _atom(self) -> tuple[int, int]:
        if self._peek() == "(":
            self._at += 3 if self._text.startswith("(?:", self._at) else 1
            part = self._choice()
            self._at += 1
            return part
        if self._peek() == "$":
            self._at += 1
            node = self._node()
            return node, node
        first, last = self._node(), self._node()
        self._nodes[first].edges.append((self._digits(), last))
        return first, last

    def _digits(self) -> int:
        text, at = self._text, self._at
        if text.startswith(r"\d", at):
            self._at += 2
            return ALL_DIGITS
        if text[at] == "[":
            close = text.index("]", at)
            self._at = close + 1
            return _class_mask(text[at + 1 : close])
        self._at += 1
        return 1 << int(text[at])


def _class_mask(inside: str) -> int:
    mask, at = 0, 0
    while at < len(inside):
        ends = inside[at], inside[at + 2] if inside[at + 1 : at + 2] == "-" else inside[at]
        for digit in range(int(ends[0]), int(ends[1]) + 1):
            mask |= 1 << digit
        at += 3 if inside[at + 1 : at + 2] == "-" else 1
    return mask
