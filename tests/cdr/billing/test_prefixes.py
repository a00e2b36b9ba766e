"""The longest prefix that a number begins with."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from cdr.billing.prefixes import NO_PREFIX, Prefixes


def longest(prefixes: list[str], numbers: list[str | None]) -> list[str | None]:
    found = Prefixes(pl.Series(prefixes, dtype=pl.String)).longest(
        pl.Series(numbers, dtype=pl.String)
    )
    return [None if row == NO_PREFIX else prefixes[row] for row in found.tolist()]


def test_the_longest_of_several_counts() -> None:
    prefixes = ["44", "4420", "447", "4477009"]
    numbers: list[str | None] = ["+442079460000", "+447700900123", "+447800900123", "+441632960000"]
    assert longest(prefixes, numbers) == ["4420", "4477009", "447", "44"]


def test_a_number_under_no_prefix_has_none() -> None:
    assert (
        longest(["44"], ["+4930", "+45", "+4", None, "44123", "+44x", "+", "", "anonymous"])
        == [None] * 9
    )


def test_digits_that_a_number_does_not_have_match_no_prefix() -> None:
    assert longest(["49", "4900", "490000000000000"], ["+490", "+4900", "+49"]) == [
        "49",
        "4900",
        "49",
    ]


def test_a_prefix_can_be_a_whole_number_and_zero_is_a_digit() -> None:
    assert longest(["491234567890123", "0", "00"], ["+491234567890123", "+0", "+00", "+01"]) == [
        "491234567890123",
        "0",
        "00",
        "0",
    ]


def test_no_prefixes_match_nothing() -> None:
    assert longest([], ["+49301234567"]) == [None]


digits = st.text("012", min_size=1, max_size=15)


@given(st.lists(digits, unique=True, max_size=30), st.lists(digits, min_size=1, max_size=30))
def test_it_is_what_a_walk_through_all_prefixes_finds(
    prefixes: list[str], numbers: list[str]
) -> None:
    walked = [
        max((p for p in prefixes if number.startswith(p)), key=len, default=None)
        for number in numbers
    ]
    assert longest(prefixes, ["+" + number for number in numbers]) == walked
