"""Few digits: an emergency number, a short code, a number that is as short, or neither.

A few countries have short codes of seven digits and more, up to twelve. There a number goes
first: what is a valid one is no short code.

Six digits in a file of calls are an extension of the source's own exchange far more often
than a number. So what is asked of them is stricter than of longer ones, and it is what
`phonenumbers` asks of a number that it finds in a text (`PhoneNumberMatcher`, leniency
``VALID``): it is allocated, and has the trunk prefix where the plan writes such numbers
with one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import phonenumbers
import polars as pl
from phonenumbers import PhoneMetadata

from cdr.normalise.numbering import NumberType
from cdr.normalise.numbering_dialled import Digits, Flags, Read, begins_with_prefix
from cdr.normalise.numbering_patterns import PatternSet
from cdr.normalise.numbering_ranges import Ranges, key_of

LONGEST_SHORT = 6
"""Digits that are a short code or an extension before they are a number. Ours: few E.164 numbers
have fewer than 7."""

_LONGEST_WITH_AREA = 10
"""Digits at most of national numbers of plans that put an area code in front of so few."""


_Word = Callable[[int, frozenset[int]], str]
"""From a number of digits and the numbers of the patterns that match to a word."""


class Short:
    """What few digits are in one country.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-2 code, one of `phonenumbers.SUPPORTED_REGIONS`.
    """

    def __init__(self, country: str) -> None:
        home: Any = PhoneMetadata.metadata_for_region(country)
        self._code: int = home.country_code
        main = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[self._code][0]
        self._plan: Any = PhoneMetadata.metadata_for_region(main)
        codes: Any = PhoneMetadata.short_metadata_for_region(country)
        self._longest = max(codes.general_desc.possible_length) if codes else 0
        self._kinds = _kinds(codes, max(self._longest, LONGEST_SHORT))
        area = home.national_prefix_transform_rule  # may put an area code in front
        self._prefixed = _prefixed(self._plan, _LONGEST_WITH_AREA if area else LONGEST_SHORT)

    @property
    def longer(self) -> bool:
        """Tell whether the country has short codes of more digits than `LONGEST_SHORT`."""
        return self._longest > LONGEST_SHORT

    def kinds(self, dialled: Digits) -> npt.NDArray[np.str_]:
        """Tell emergency numbers and short codes of the country; empty for what is neither."""
        return self._kinds.of(dialled)

    def written_as_number(self, dialled: Digits, text: pl.Series, read: Read) -> Flags:
        """Tell which have all that their plan wants in front of the number they were read as."""
        coded = (read.digits.value == dialled.value) & (read.digits.count == dialled.count)
        national = read.digits.without_first(len(str(self._code)))
        needed = self._prefixed.of(national) != ""
        written: Flags = coded | ~needed | begins_with_prefix(dialled, text, self._plan)
        return written


class _Told(NamedTuple):
    """What is said of digits: a word for each range, empty for nothing."""

    ranges: Ranges
    words: npt.NDArray[np.str_]

    def of(self, digits: Digits) -> npt.NDArray[np.str_]:
        return self.words[digits.look_up(self.ranges)]


def _told(patterns: PatternSet, word_of: _Word, most: int) -> _Told:
    """Tell of digits up to `most` of them; nothing is said of more."""
    runs = [(0, "")]
    for length in range(1, most + 1):
        first = int(key_of(np.array([0]), np.array([length]))[0])
        found = patterns.ranges(length, partial(word_of, length))
        runs += [(first + start, word) for start, word in found]
    runs.append((int(key_of(np.array([0]), np.array([most + 1]))[0]), ""))
    words = list(dict.fromkeys(word for _, word in runs))
    starts = np.array([start for start, _ in runs], np.int64)
    places = np.array([words.index(word) for _, word in runs], np.uint16)
    return _Told(Ranges(starts, places, ()), np.array(words))


def _kinds(short: Any, most: int) -> _Told:
    """Read the short numbers of a country up to `most` digits; `short`: its metadata, or None."""
    if short is None:
        return _told(PatternSet([]), lambda length, hits: "", 0)
    named = {
        "emergency": short.emergency and short.emergency.national_number_pattern,
        "short": short.short_code.national_number_pattern,
        "general": short.general_desc.national_number_pattern,
    }
    names = [name for name, pattern in named.items() if pattern]

    def word_of(length: int, hits: frozenset[int]) -> str:
        hit = {names[number] for number in hits}
        if "emergency" in hit:
            return NumberType.EMERGENCY.value
        fits = all(length in d.possible_length for d in (short.general_desc, short.short_code))
        return NumberType.SHORT_CODE.value if fits and {"short", "general"} <= hit else ""

    return _told(PatternSet([named[name] for name in names]), word_of, most)


def _prefixed(plan: Any, most: int) -> _Told:
    """Read which national numbers a plan writes with its trunk prefix, up to `most` digits.

    The first format that fits a number counts, as in `phonenumbers`.
    """
    patterns = list[str]()
    leads = set[int]()
    formats = list[tuple[int | None, int, str]]()
    for each in plan.number_format:
        lead = None
        if each.leading_digits_pattern:
            lead = len(patterns)
            leads.add(lead)
            patterns.append(each.leading_digits_pattern[-1])
        formats.append((lead, len(patterns), "prefixed" if _wants_prefix(each) else ""))
        patterns.append(each.pattern)

    def word_of(length: int, hits: frozenset[int]) -> str:
        fitting = (word for lead, whole, word in formats if {lead, whole} - {None} <= hits)
        return next(fitting, "")

    return _told(PatternSet(patterns, frozenset(leads)), word_of, most)


def _wants_prefix(number_format: Any) -> bool:
    rule = number_format.national_prefix_formatting_rule
    if not rule or number_format.national_prefix_optional_when_formatting:
        return False
    return not re.fullmatch(r"\(?\\1\)?", rule)  # the first group alone


@cache
def short_of(country: str) -> Short:
    """Return what few digits are in a country; made once."""
    return Short(country)
