"""From digits as dialled to an international number: exit codes, trunk prefixes, calling codes.

The rules, and the order in which they are tried, are those of `phonenumbers.parse`; what
they ask of a number is looked up in :mod:`cdr.normalise.numbering_ranges`. Digits are whole
numbers here, with a count because of leading zeros; only prefixes that are more than a few
fixed digits are looked for in text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import phonenumbers
import polars as pl
from phonenumbers import PhoneMetadata

from cdr.normalise.numbering_patterns import PatternSet
from cdr.normalise.numbering_ranges import (
    MAX_DIGITS,
    Integers,
    Length,
    Ranges,
    key_of,
    length_of,
    world,
)

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.uint16]

_TOO_SHORT_AFTER_EXIT = 2  # digits after an exit code that are no number, as in phonenumbers
_POWER = 10 ** np.arange(MAX_DIGITS + 1, dtype=np.int64)


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
        value = self.value + code * _POWER[np.where(fits, self.count, 0)]
        return Digits(np.where(fits, value, 0), np.minimum(count, MAX_DIGITS + 1))

    def begins(self, prefix: str) -> Flags:
        """Tell which begin with some digits."""
        left = np.clip(self.count - len(prefix), 0, MAX_DIGITS)
        enough = (self.count >= len(prefix)) & (self.count <= MAX_DIGITS)
        found: Flags = enough & (self.value // _POWER[left] == int(prefix))
        return found

    def without_first(self, many: Integers | int) -> Digits:
        """Take some digits off the front."""
        left = np.clip(self.count - many, 0, MAX_DIGITS)
        return Digits(self.value % _POWER[left], left)

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
    places = digits.look_up(world())
    prefixed, codes = _facts()
    drop = prefixed[places]
    if not drop.any():
        return Read(digits, places)
    digits = Digits(digits.value.copy(), digits.count.copy())
    places = places.copy()
    rows = np.flatnonzero(drop)
    of_row = codes[places[rows]]
    for code in np.unique(of_row).tolist():
        mine = rows[of_row == code]
        left = _without_trunk_prefix(digits[mine], code)
        digits.value[mine], digits.count[mine] = left.value, left.count
        places[mine] = left.look_up(world())
    return Read(digits, places)


def _without_trunk_prefix(digits: Digits, code: int) -> Digits:
    region = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code][0]
    plan = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    national = digits.without_first(len(str(code)))
    return _stripped(national, plan, partial(_judged_in, code), fitting=True).after(code)


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
    left = _dropped(national, prefix, plan.national_prefix_transform_rule)
    known, _ = _judged_in(plan.country_code, national)
    left_known, _ = _judged_in(plan.country_code, left)
    found: Flags = text.str.contains(rf"^(?:{prefix})").to_numpy() & (~known | left_known)
    return found


def _stripped(
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
    left = _dropped(national, plan.national_prefix_for_parsing, plan.national_prefix_transform_rule)
    known, _ = judged(national)
    left_known, left_fits = judged(left)
    drop = ~known | left_known
    if fitting:
        drop &= left_fits
    return left.where(drop, national)


def _dropped(digits: Digits, prefix: str, rule: str | None = None) -> Digits:
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


class _Dialled(NamedTuple):
    """What is the same for all that is dialled in a range of one country."""

    general: bool
    length: Length
    prefixed: bool
    exits: bool


class Home:
    """How numbers are dialled in one country.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-2 code, one of `phonenumbers.SUPPORTED_REGIONS`.
    """

    def __init__(self, country: str) -> None:
        self._plan = _plan_of(country)
        self._code: int = self._plan.country_code
        patterns: dict[str, Any] = {
            "general": self._plan.general_desc.national_number_pattern,
            "prefix": self._plan.national_prefix_for_parsing,
            "exit": self._plan.international_prefix,
        }
        names = [name for name, pattern in patterns.items() if pattern]
        starts = frozenset(n for n, name in enumerate(names) if name in ("prefix", "exit"))
        found = PatternSet([patterns[name] for name in names], starts)
        runs: list[tuple[int, _Dialled]] = [(0, self._dialled(frozenset(), 0))]
        for length in range(1, MAX_DIGITS + 1):
            first = int(key_of(np.array([0]), np.array([length]))[0])
            told = found.ranges(
                length,
                lambda hits, n=length: self._dialled(  # type: ignore[misc]
                    frozenset(names[hit] for hit in hits), n
                ),
            )
            runs += [(first + start, dialled) for start, dialled in told]
        said = list(dict.fromkeys(dialled for _, dialled in runs))
        self._ranges = Ranges(
            np.array([start for start, _ in runs], np.int64),
            np.array([said.index(dialled) for _, dialled in runs], np.uint16),
            (),
        )
        self._general = np.array([d.general for d in said])
        self._fits = np.array([d.length in (Length.POSSIBLE, Length.LONG) for d in said])
        self._long = np.array([d.length is Length.LONG for d in said])
        self._prefixed = np.array([d.prefixed for d in said])
        self._exits = np.array([d.exits for d in said])

    def _dialled(self, hits: frozenset[str], length: int) -> _Dialled:
        return _Dialled(
            "general" in hits, length_of(self._plan, length), "prefix" in hits, "exit" in hits
        )

    def read(self, dialled: Digits, text: pl.Series) -> Read:
        """Read digits dialled in this country, without a `+`; `text` is the same as text."""
        places = dialled.look_up(self._ranges)
        exited, rest = self._after_exit(dialled, text, self._exits[places])
        coded = self._with_code(dialled, places) & ~exited
        inland = ~(exited | coded)
        digits = Digits(np.zeros(len(text), np.int64), np.zeros(len(text), np.int64))
        said = np.zeros(len(text), np.uint16)
        for rows, read in (
            (exited, self._abroad),
            (coded, self._by_code),
            (inland, self._at_home),
        ):
            if rows.any():
                part = read((rest if rows is exited else dialled)[rows])
                digits.value[rows], digits.count[rows], said[rows] = (
                    part.digits.value, part.digits.count, part.places
                )  # fmt: skip
        return Read(digits, said)

    def read_after_exit(self, dialled: Digits, text: pl.Series) -> Read:
        """Read digits dialled with this country's exit code; others are no number."""
        places = dialled.look_up(self._ranges)
        exited, rest = self._after_exit(dialled, text, self._exits[places])
        read = self._abroad(rest)
        return Read(read.digits, np.where(exited, read.places, 0).astype(np.uint16))

    def _after_exit(self, dialled: Digits, text: pl.Series, may: Flags) -> tuple[Flags, Digits]:
        """Tell which begin with the exit code and a calling code, and what follows it."""
        exit_code = self._plan.international_prefix
        rest = _dropped(dialled, exit_code) if may.any() else dialled
        long = dialled.count > MAX_DIGITS
        if long.any():
            cut = text.str.replace(rf"^(?:{exit_code})", "")
            may = may | (long & (cut.str.len_bytes() < text.str.len_bytes()).to_numpy())
            rest = Digits.of(cut).where(long, rest)
        return may & ~rest.begins("0"), rest

    def _abroad(self, rest: Digits) -> Read:
        read = international(rest)
        short = rest.count <= _TOO_SHORT_AFTER_EXIT
        return Read(read.digits, np.where(short, 0, read.places).astype(np.uint16))

    def _with_code(self, dialled: Digits, places: Places) -> Flags:
        """Tell which digits are the country's own number with its calling code, but no `+`."""
        starts = dialled.begins(str(self._code))
        if not starts.any():
            return starts
        left_known, _ = self._judged(self._rest_of(dialled[starts]))
        of_row = places[starts]
        starts[starts] = (~self._general[of_row] & left_known) | self._long[of_row]
        return starts

    def _by_code(self, dialled: Digits) -> Read:
        return international(self._rest_of(dialled).after(self._code))

    def _at_home(self, national: Digits) -> Read:
        if self._prefixed[national.look_up(self._ranges)].any():
            national = _stripped(national, self._plan, self._judged, fitting=True)
        digits = national.after(self._code)
        return Read(digits, digits.look_up(world()))

    def _rest_of(self, dialled: Digits) -> Digits:
        rest = dialled.without_first(len(str(self._code)))
        if not self._plan.national_prefix_for_parsing:
            return rest
        return _stripped(rest, self._plan, self._judged, fitting=False)

    def _judged(self, national: Digits) -> tuple[Flags, Flags]:
        places = national.look_up(self._ranges)
        return self._general[places], self._fits[places]


def _plan_of(country: str) -> Any:
    return PhoneMetadata.metadata_for_region(country)


@cache
def home_of(country: str) -> Home:
    """Return how numbers are dialled in a country; made once."""
    return Home(country)
