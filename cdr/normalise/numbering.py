"""What the world's numbering plan says of one region, as sets and tables.

Taken from the metadata of ``phonenumbers``. How the regions combine to a reading of what
was dialled is in :mod:`cdr.normalise.dialling`; texts that are not yet digits are
:mod:`cdr.normalise.numbers`' business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache

import numpy as np
import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata
from phonenumbers.phonemetadata import PhoneNumberDesc

from cdr.normalise.digit_sets import DigitSet, Intervals, digit_set, merge
from cdr.normalise.piecewise import MAX_DIGITS, Ints, Pieces, Table, inside, painted

NUMBERING_VERSION = f"phonenumbers {phonenumbers.__version__}"
"""What a verdict rests on; stamped on every call, as a newer plan may judge otherwise."""

WORLDWIDE = "001"
"""Region of numbers of no country (UN M.49: the world), such as +800 and +870."""


class NumberType(StrEnum):
    """What kind of line or service a number reaches."""

    MOBILE = "mobile"
    FIXED = "fixed"
    FIXED_OR_MOBILE = "fixed_or_mobile"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    TOLL_FREE = "toll_free"
    PERSONAL = "personal"
    VOIP = "voip"
    PAGER = "pager"
    UAN = "uan"  # one number for a whole company
    VOICEMAIL = "voicemail"
    SATELLITE = "satellite"
    SHORT_CODE = "short_code"
    EMERGENCY = "emergency"
    EXTENSION = "extension"  # of the source's own exchange
    FEATURE_CODE = "feature_code"  # *72 and its like
    UNKNOWN = "unknown"


class Validity(StrEnum):
    """How far a text can be trusted to be a number; never null."""

    VALID = "valid"  # in an allocated range, with a right length
    POSSIBLE = "possible"  # a length that only fits within one area: no E.164 number
    UNALLOCATED = "unallocated"  # a right length in no allocated range
    IMPOSSIBLE = "impossible"  # no such country, or no number there is so long or short
    SHORT = "short"  # short code, emergency number, extension or feature code
    WITHHELD = "withheld"  # anonymous, or nothing was written
    NOT_A_NUMBER = "not_a_number"  # a name or an address of another kind


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a number; ``country`` is null where regions share the code."""

    country: str | None
    number_type: NumberType
    validity: Validity


NO_SUCH_CODE = Verdict(None, NumberType.UNKNOWN, Validity.IMPOSSIBLE)

_TYPES_IN_ORDER = {
    "premium_rate": NumberType.PREMIUM,
    "toll_free": NumberType.TOLL_FREE,
    "shared_cost": NumberType.SHARED_COST,
    "voip": NumberType.VOIP,
    "personal_number": NumberType.PERSONAL,
    "pager": NumberType.PAGER,
    "uan": NumberType.UAN,
    "voicemail": NumberType.VOICEMAIL,
}
"""Which kind wins where ranges overlap, as in libphonenumber; fixed and mobile come after."""

SATELLITE: dict[int, str] = {870: r"\d", 881: r"\d", 882: "13|16"}
"""Leading digits by calling code. 870 Inmarsat and 881 global mobile satellite system are
whole codes (ITU-T E.164 Annex to the list of assigned codes); of 882, international
networks, 13 is EMSAT and 16 Thuraya (same list)."""


class Region:
    """One region's part of the plan, as sets and tables by length.

    Parameters
    ----------
    metadata
        What ``phonenumbers`` says of it.
    """

    KINDS = ("general_desc", "fixed_line", "mobile", *_TYPES_IN_ORDER)

    def __init__(self, metadata: PhoneMetadata) -> None:
        self.metadata = metadata
        self.code: str = metadata.id
        self.calling_code: int = metadata.country_code

    @cached_property
    def general(self) -> DigitSet:
        """National numbers of any kind, whatever their length is said to be."""
        return digit_set(self.metadata.general_desc.national_number_pattern)

    @cached_property
    def general_table(self) -> Table:
        """1 for every string in :attr:`general`."""
        return {length: painted(length, [(s, 1)]) for length, s in self.general.items()}

    @property
    def lengths(self) -> frozenset[int]:
        """Digits a national number may have."""
        return frozenset(self.metadata.general_desc.possible_length)

    @property
    def local_lengths(self) -> frozenset[int]:
        """Digits that can be dialled only within an area."""
        return frozenset(self.metadata.general_desc.possible_length_local_only)

    def numbers_of(self, kind: str, length: int) -> Intervals:
        """Return the numbers of one kind and length; ``kind`` is the metadata's name."""
        desc: PhoneNumberDesc | None = getattr(self.metadata, kind)
        if desc is None or not desc.national_number_pattern:
            return []
        if desc.possible_length and length not in desc.possible_length:
            return []
        return digit_set(desc.national_number_pattern).get(length, [])

    def types(self, length: int, strings: Ints) -> Ints:
        """Return 1 + the index of the type in :class:`NumberType`, 0 where there is none."""
        order = list(NumberType)
        found = np.zeros(len(strings), np.int64)
        fixed = inside(strings, self.numbers_of("fixed_line", length))
        mobile = inside(strings, self.numbers_of("mobile", length))
        if self.metadata.same_mobile_and_fixed_line_pattern:
            mobile = fixed
        for chosen, kind in (
            (mobile, NumberType.MOBILE),
            (fixed, NumberType.FIXED),
            (fixed & mobile, NumberType.FIXED_OR_MOBILE),
        ):
            found[chosen] = 1 + order.index(kind)
        for name, kind in reversed(_TYPES_IN_ORDER.items()):
            found[inside(strings, self.numbers_of(name, length))] = 1 + order.index(kind)
        found[~inside(strings, self.numbers_of("general_desc", length))] = 0
        return found

    def leading(self, length: int) -> Intervals | None:
        """Return the numbers that begin as the region's do, null where that is not said."""
        if self.metadata.leading_digits is None:
            return None
        return beginning_with(self.metadata.leading_digits, length)

    @cached_property
    def trunk(self) -> tuple[Table, list[tuple[int, str]]]:
        """What dialling inside the country puts before a number, and what becomes of it.

        Returns
        -------
        table, edits
            The table gives an index into the edits ``(digits dropped, digits put before)``;
            0 changes nothing.
        """
        edits = {(0, ""): 0}
        pattern = self.metadata.national_prefix_for_parsing
        if not pattern:
            return {}, list(edits)
        matches = re.compile(pattern).match
        table = {}
        for length in range(1, MAX_DIGITS + 1):
            starts = _edges(digit_set(pattern), length)
            found = (_trunk_edit(matches(f"{s:0{length}d}"), self._transform) for s in starts)
            values = [edits.setdefault(edit, len(edits)) for edit in found]
            table[length] = Pieces(starts, np.array(values, np.int64))
        return table, list(edits)

    @cached_property
    def exit_code(self) -> Table:
        """How many digits an international prefix takes up; 0 where there is none."""
        pattern = self.metadata.international_prefix
        if not pattern:
            return {}
        matches = re.compile(pattern).match
        table = {}
        for length in range(1, MAX_DIGITS + 1):
            starts = _edges(digit_set(pattern), length)
            found = (matches(f"{s:0{length}d}") for s in starts)
            ends = [match.end() if match else 0 for match in found]
            table[length] = Pieces(starts, np.array(ends, np.int64))
        return table

    def length_fits(self, length: int) -> bool:
        """Tell whether a trunk prefix may be taken off if ``length`` digits remain.

        As in libphonenumber, too long is no hindrance; too short or local is.
        """
        if length in self.local_lengths:
            return False
        return length in self.lengths or length > max(self.lengths)

    def verdict_on_length(self, length: int) -> Validity:
        """Judge a number of no allocated range by its length alone."""
        if length < 2 or not (length in self.lengths or length in self.local_lengths):
            return Validity.IMPOSSIBLE
        return Validity.POSSIBLE if length in self.local_lengths else Validity.UNALLOCATED

    @property
    def _transform(self) -> tuple[str, int] | None:
        rule = self.metadata.national_prefix_transform_rule
        if not rule:
            return None
        literal, _, group = rule.partition("\\")
        return literal, int(group)


def _trunk_edit(match: re.Match[str] | None, transform: tuple[str, int] | None) -> tuple[int, str]:
    if match is None:
        return 0, ""
    if transform is None or match.group(match.re.groups) is None:
        return match.end(), ""
    literal, group = transform
    start, end = match.span(group)
    if end == match.end():
        return start, literal
    return match.end(), literal + match.group(group)


def beginning_with(pattern: str, length: int) -> Intervals:
    """Return the strings of ``length`` digits that begin as ``pattern`` says."""
    return merge(
        [
            (low * 10 ** (length - size), high * 10 ** (length - size))
            for size, intervals in digit_set(pattern).items()
            if size <= length
            for low, high in intervals
        ]
    )


def _edges(prefixes: DigitSet, length: int) -> Ints:
    """Return where strings of ``length`` may begin or cease to begin with one of a set."""
    edges = {0}
    for size, intervals in prefixes.items():
        if size <= length:
            scale = 10 ** (length - size)
            edges.update(edge * scale for interval in intervals for edge in interval)
    edges.discard(10**length)
    return np.array(sorted(edges), np.int64)


@lru_cache(maxsize=None)
def region(code: str) -> Region:
    """Return a region of a country, by its ISO 3166-1 alpha-2 code.

    Raises
    ------
    KeyError
        If no numbering plan is known under that code.
    """
    metadata = PhoneMetadata.metadata_for_region(code)
    if metadata is None:
        raise KeyError(code)
    return Region(metadata)


@lru_cache(maxsize=None)
def regions_of(calling_code: int) -> tuple[Region, ...]:
    """Return the regions that share a calling code, the main one first."""
    codes = COUNTRY_CODE_TO_REGION_CODE[calling_code]
    if codes == (WORLDWIDE,):
        return (Region(PhoneMetadata.metadata_for_nongeo_region(calling_code)),)
    return tuple(region(code) for code in codes)
