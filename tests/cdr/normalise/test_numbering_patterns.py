"""Ranges of digit strings say what the patterns say."""

from __future__ import annotations

import re

import pytest

from cdr.normalise.numbering_patterns import PatternSet

PATTERNS = (r"0?1[2-46]", r"(?:3\d|45)\d{0,2}", r"7{2,3}|8(?:9|0\d)?")


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_ranges_hold_what_the_patterns_match(length: int) -> None:
    ranges = PatternSet(PATTERNS).ranges(length, lambda hits: hits)
    for number in range(10**length):
        text = f"{number:0{length}}"
        said = next(what for start, what in reversed(ranges) if start <= number)
        assert said == {n for n, each in enumerate(PATTERNS) if re.fullmatch(each, text)}


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_prefix_matches_the_start_and_at_least_one_digit(length: int) -> None:
    ranges = PatternSet([r"0?(?:12)?"], frozenset({0})).ranges(length, bool)
    for number in range(10**length):
        text = f"{number:0{length}}"
        said = next(what for start, what in reversed(ranges) if start <= number)
        assert said == text.startswith(("0", "12"))


def test_neighbours_of_which_the_same_is_said_are_one_range() -> None:
    assert PatternSet(["[2-4]"]).ranges(1, bool) == [(0, False), (2, True), (5, False)]


def test_what_is_no_pattern_of_digits_is_refused() -> None:
    with pytest.raises(ValueError, match="not a pattern of digits"):
        PatternSet(["1)2"])
