"""Digits as whole numbers, and what is dropped of them: trunk prefixes and carrier codes.

The rules, and the order in which they are tried, are those of `phonenumbers.parse`; what
they ask of a number is looked up in :mod:`cdr.normalise.numbering_ranges`. Digits have a
count beside them because of leading zeros; only prefixes that are more than a few
fixed digits are looked for in text. What is dialled in one country is the business of
:mod:`cdr.normalise.numbering_home`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import phonenumbers
import polars as pl
from phonenumbers import PhoneMetadata

from cdr.normalise.numbering_ranges import MAX_DIGITS, Integers, Length, Ranges, world

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.uint16]

POWER = 10 ** np.arange(MAX_DIGITS + 1, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Digits:
    """Strings of digits: as whole numbers, and how many there are.

    More than `MAX_DIGITS` of them are 0 and `MAX_DIGITS` + 1: in no plan.
    """

    value: Integers
    count: Integers

    @classmethod
    def of(cls, text: pl.Series) -> Digits:
        """Read text that holds digits only."""
        count = text.str.len_bytes().to_numpy().astype(np.int64)
        value = text.cast(pl.Int64, strict=False).fill_null(0).to_numpy()
        fits = count <= MAX_DIGITS
        return cls(np.where(fits, value, 0), np.minimum(count, MAX_DIGITS + 1))

    def text(self) -> pl.Series:
        """Write them as text."""
        frame = pl.DataFrame({"value": self.value, "count": self.count})
        return frame.select(pl.col("value").cast(pl.String).str.zfill("count"))["value"]

    def __getitem__(self, rows: npt.NDArray[Any]) -> Digits:
        return Digits(self.value[rows], self.count[rows])

    def where(self, chosen: Flags, other: Digits) -> Digits:
        """Take those chosen, and the other digits in the other rows."""
        return Digits(
            np.where(chosen, self.value, other.value), np.where(chosen, self.count, other.count)
        )

    def after(self, code: int) -> Digits:
        """Put a calling code in front."""
        count = self.count + len(str(code))
        fits = count <= MAX_DIGITS
        value = self.value + code * POWER[np.where(fits, self.count, 0)]
        return Digits(np.where(fits, value, 0), np.minimum(count, MAX_DIGITS + 1))

    def begins(self, prefix: str) -> Flags:
        """Tell which begin with some digits."""
        left = np.clip(self.count - len(prefix), 0, MAX_DIGITS)
        enough = (self.count >= len(prefix)) & (self.count <= MAX_DIGITS)
        found: Flags = enough & (self.value // POWER[left] == int(prefix))
        return found

    def without_first(self, many: Integers | int) -> Digits:
        """Take some digits off the front."""
        left = np.clip(self.count - many, 0, MAX_DIGITS)
        return Digits(self.value % POWER[left], left)

    def look_up(self, ranges: Ranges) -> Places:
        """Return what ranges say of them; of too many digits, what is said of none."""
        fits = self.count <= MAX_DIGITS
        if fits.all():
            return ranges.look_up(self.value, self.count)
        return ranges.look_up(self.value, np.where(fits, self.count, 0))


@dataclass(frozen=True, slots=True)
class Read:
    """International digits, calling code first, and their places in `world().said`."""

    digits: Digits
    places: Places

    def numbers(self) -> pl.Series:
        """Write them as E.164."""
        return "+" + pl.Series("number", self.digits.value).cast(pl.String)


def international(digits: Digits) -> Read:
    """Read digits that begin with a calling code; a trunk prefix after it is dropped."""
    return without_trunk_prefix(Read(digits, digits.look_up(world())))


def without_trunk_prefix(read: Read, may_have: Flags | None = None) -> Read:
    """Drop the trunk prefix after a calling code, where there may be one: None for all rows."""
    prefixed, codes = _facts()
    drop = prefixed[read.places]
    if may_have is not None:
        drop &= may_have
    if not drop.any():
        return read
    digits = Digits(read.digits.value.copy(), read.digits.count.copy())
    places = read.places.copy()
    rows = np.flatnonzero(drop)
    of_row = codes[places[rows]]
    for code in np.unique(of_row).tolist():
        mine = rows[of_row == code]
        left = _national(digits[mine], code)
        digits.value[mine], digits.count[mine] = left.value, left.count
        places[mine] = left.look_up(world())
    return Read(digits, places)


def _national(digits: Digits, code: int) -> Digits:
    """Drop the trunk prefix after one calling code."""
    region = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code][0]
    plan = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    national = digits.without_first(len(str(code)))
    return stripped(national, plan, partial(_judged_in, code), fitting=True).after(code)


def _judged_in(code: int, national: Digits) -> tuple[Flags, Flags]:
    """Tell of national numbers whether a code's main plan knows them and their length fits."""
    places = national.after(code).look_up(world())
    general, fits = _main_plan()
    return general[places], fits[places]


def begins_with_prefix(national: Digits, text: pl.Series, plan: Any) -> Flags:
    """Tell which digits begin with the trunk prefix of a calling code's main plan.

    Digits that are no number of the plan without it do not; `text` is the same as text.
    """
    prefix = plan.national_prefix_for_parsing
    if not prefix:
        return np.zeros(len(text), np.bool_)
    left = dropped(national, prefix, plan.national_prefix_transform_rule)
    known, _ = _judged_in(plan.country_code, national)
    left_known, _ = _judged_in(plan.country_code, left)
    found: Flags = text.str.contains(rf"^(?:{prefix})").to_numpy() & (~known | left_known)
    return found


def stripped(
    national: Digits,
    plan: Any,
    judged: Callable[[Digits], tuple[Flags, Flags]],
    *,
    fitting: bool,
) -> Digits:
    """Drop the trunk prefix and carrier code of a plan, where what is left may be a number.

    ``judged`` tells of national numbers whether the plan knows them and whether their length
    fits; that it fits is asked for only if ``fitting``.
    """
    left = dropped(national, plan.national_prefix_for_parsing, plan.national_prefix_transform_rule)
    known, _ = judged(national)
    left_known, left_fits = judged(left)
    drop = ~known | left_known
    if fitting:
        drop &= left_fits
    return left.where(drop, national)


def dropped(digits: Digits, prefix: str, rule: str | None = None) -> Digits:
    """Take a prefix off; where its last group matched, write it by a rule instead."""
    if not rule and re.fullmatch(r"[0-9|]+", prefix):
        many = np.zeros(len(digits.count), np.int64)
        for each in reversed(prefix.split("|")):  # the first that fits counts
            many = np.where(digits.begins(each), len(each), many)
        return digits.without_first(many)
    text, pattern = digits.text(), rf"^(?:{prefix})"
    left = text.str.replace(pattern, "")
    if rule:
        applies = text.str.extract(pattern, re.compile(pattern).groups).is_not_null()
        left = text.str.replace(pattern, re.sub(r"\\(\d)", r"${\1}", rule)).zip_with(applies, left)
    return Digits.of(left)


@cache
def _facts() -> tuple[Flags, Integers]:
    """For each place in `world().said`: whether a prefix may have to go, and the calling code."""
    said = world().said
    return np.array([v.prefixed for v in said]), np.array([v.code for v in said], np.int64)


@cache
def _main_plan() -> tuple[Flags, Flags]:
    """For each place: whether the main plan knows such numbers, and whether their length fits."""
    said = world().said
    return (
        np.array([v.general for v in said]),
        np.array([v.length in (Length.POSSIBLE, Length.LONG) for v in said]),
    )
