"""From digits as dialled to an international number: exit codes, trunk prefixes, calling codes.

The rules, and the order in which they are tried, are those of `phonenumbers.parse`; what
they ask of a number is looked up in :mod:`cdr.normalise.numbering_ranges`. Nothing here
looks at text other than digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import phonenumbers
import polars as pl
from phonenumbers import PhoneMetadata

from cdr.normalise.numbering import NumberType
from cdr.normalise.numbering_patterns import PatternSet
from cdr.normalise.numbering_ranges import MAX_DIGITS, Length, Ranges, key_of, length_of, world

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.uint16]

_TOO_SHORT_AFTER_EXIT = 2  # digits after an exit code that are no number, as in phonenumbers


@dataclass(frozen=True, slots=True)
class Read:
    """International digits, calling code first, and their places in `world().said`."""

    digits: pl.Series
    places: Places


def counted(digits: pl.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return digit strings as whole numbers and numbers of digits, cut to `MAX_DIGITS`."""
    digits = digits.str.slice(0, MAX_DIGITS)
    value = digits.cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    return value, digits.str.len_bytes().to_numpy().astype(np.int64)


def international(digits: pl.Series) -> Read:
    """Read digits that begin with a calling code; a trunk prefix after it is dropped."""
    places = world().look_up(*counted(digits))
    prefixed, codes = _facts()
    drop = prefixed[places]
    if not drop.any():
        return _not_too_long(digits, places)
    rows = np.flatnonzero(drop)
    of_row = codes[places[rows]]
    parts = [np.flatnonzero(~drop)]
    changed = [digits.gather(parts[0])]
    for code in np.unique(of_row).tolist():
        mine = rows[of_row == code]
        parts.append(mine)
        changed.append(_without_trunk_prefix(digits.gather(mine), code))
    digits = pl.concat(changed).gather(np.argsort(np.concatenate(parts), kind="stable"))
    return _as_it_is(digits)


def _without_trunk_prefix(digits: pl.Series, code: int) -> pl.Series:
    start = len(str(code))
    region = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code][0]
    plan = PhoneMetadata.metadata_for_region_or_calling_code(code, region)

    def judged(national: pl.Series) -> tuple[Flags, Flags]:
        places = world().look_up(*counted(str(code) + national))
        general, fits = _main_plan()
        return _judged(str(code) + national, general[places], fits[places])

    national = _stripped(digits.str.slice(start), plan, judged, fitting=True)
    return str(code) + national


def _stripped(
    national: pl.Series,
    plan: Any,
    judged: Callable[[pl.Series], tuple[Flags, Flags]],
    *,
    fitting: bool,
) -> pl.Series:
    """Drop the trunk prefix and carrier code of a plan, where what is left may be a number.

    ``judged`` tells of national numbers whether the plan knows them and whether their length
    fits; that it fits is asked for only if ``fitting``.
    """
    prefix = rf"^(?:{plan.national_prefix_for_parsing})"
    groups = re.compile(prefix).groups
    left = national.str.replace(prefix, "")
    if plan.national_prefix_transform_rule:
        rule = re.sub(r"\\(\d)", r"$${\1}".replace("$$", "$"), plan.national_prefix_transform_rule)
        applies = national.str.extract(prefix, groups).is_not_null()
        left = national.str.replace(prefix, rule).zip_with(applies, left)
    known, _ = judged(national)
    left_known, left_fits = judged(left)
    drop = ~known | left_known
    if fitting:
        drop &= left_fits
    return left.zip_with(pl.Series(drop), national)


@cache
def _facts() -> tuple[Flags, npt.NDArray[np.int64]]:
    """For each place in `world().said`: whether a prefix may have to go, and the calling code."""
    said = world().said
    return np.array([v.prefixed for v in said]), np.array([v.code for v in said])


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
    short: str | None


class Home:
    """How numbers are dialled in one country.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-2 code, one of `phonenumbers.SUPPORTED_REGIONS`.
    """

    def __init__(self, country: str) -> None:
        self._plan = _plan_of(country)
        self._code = str(self._plan.country_code)
        self.trunk_prefix: str | None = self._plan.national_prefix
        short: Any = PhoneMetadata.short_metadata_for_region(country)
        patterns: dict[str, Any] = {
            "general": self._plan.general_desc.national_number_pattern,
            "prefix": self._plan.national_prefix_for_parsing,
            "exit": self._plan.international_prefix,
            "emergency": short and short.emergency and short.emergency.national_number_pattern,
            "short": short and short.short_code.national_number_pattern,
            "shorts": short and short.general_desc.national_number_pattern,
        }
        names = [name for name, pattern in patterns.items() if pattern]
        starts = frozenset(n for n, name in enumerate(names) if name in ("prefix", "exit"))
        found = PatternSet([patterns[name] for name in names], starts)
        runs: list[tuple[int, _Dialled]] = [(0, self._dialled(frozenset(), 0, short))]
        for length in range(1, MAX_DIGITS + 1):
            first = int(key_of(np.array([0]), np.array([length]))[0])
            told = found.ranges(
                length,
                lambda hits, n=length: self._dialled(  # type: ignore[misc]
                    frozenset(names[hit] for hit in hits), n, short
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
        self._short = np.array([d.short or "" for d in said])

    def _dialled(self, hits: frozenset[str], length: int, short: Any) -> _Dialled:
        kind = None
        if "emergency" in hits:
            kind = NumberType.EMERGENCY.value
        elif {"short", "shorts"} <= hits and all(
            length in of.possible_length for of in (short.general_desc, short.short_code)
        ):
            kind = NumberType.SHORT_CODE.value
        return _Dialled(
            "general" in hits, length_of(self._plan, length), "prefix" in hits, "exit" in hits, kind
        )

    def short_kinds(self, dialled: pl.Series) -> npt.NDArray[np.str_]:
        """Tell emergency numbers and short codes of the country; empty for what is neither."""
        return self._short[self._ranges.look_up(*counted(dialled))]

    def read(self, dialled: pl.Series) -> Read:
        """Read digits dialled in this country, without a `+`."""
        places = self._ranges.look_up(*counted(dialled))
        with_exit, _ = self._after_exit(dialled, self._exits[places])
        with_code = self._with_code(dialled, places) & ~with_exit
        inland = ~(with_exit | with_code)
        rows = [np.flatnonzero(each) for each in (with_exit, with_code, inland)]
        exited, coded, home = (dialled.gather(each) for each in rows)
        prefixed = self._prefixed[places[rows[2]]]
        if prefixed.any():
            home = _stripped(home, self._plan, self._judged, fitting=True)
        read = [
            self._abroad(exited),
            international(self._code + self._rest_of(coded)),
            _as_it_is(self._code + home),
        ]
        back = np.argsort(np.concatenate(rows), kind="stable")
        return Read(
            pl.concat(each.digits for each in read).gather(back),
            np.concatenate([each.places for each in read])[back],
        )

    def read_after_exit(self, dialled: pl.Series) -> Read:
        """Read digits dialled with this country's exit code; others are no number."""
        exits = self._exits[self._ranges.look_up(*counted(dialled))]
        with_exit, _ = self._after_exit(dialled, exits)
        read = self._abroad(dialled.zip_with(pl.Series(with_exit), pl.Series([""])))
        return Read(read.digits, np.where(with_exit, read.places, 0).astype(np.uint16))

    def _after_exit(self, dialled: pl.Series, may: Flags) -> tuple[Flags, pl.Series]:
        if not may.any():
            return may, dialled
        rest = dialled.str.replace(rf"^(?:{self._plan.international_prefix})", "")
        return may & ~rest.str.starts_with("0").to_numpy(), rest

    def _abroad(self, dialled: pl.Series) -> Read:
        rest = dialled.str.replace(rf"^(?:{self._plan.international_prefix})", "")
        read = international(rest)
        short = rest.str.len_bytes().to_numpy() <= _TOO_SHORT_AFTER_EXIT
        return Read(read.digits, np.where(short, 0, read.places).astype(np.uint16))

    def _with_code(self, dialled: pl.Series, places: Places) -> Flags:
        """Tell which digits are the country's own number with its calling code, but no `+`."""
        starts = dialled.str.starts_with(self._code).to_numpy()
        rows = np.flatnonzero(starts)
        if not len(rows):
            return starts
        left_known, _ = self._judged(self._rest_of(dialled.gather(rows)))
        of_row = places[rows]
        starts = starts.copy()
        starts[rows] = (~self._general[of_row] & left_known) | self._long[of_row]
        return starts

    def _rest_of(self, dialled: pl.Series) -> pl.Series:
        rest = dialled.str.slice(len(self._code))
        if not self._plan.national_prefix_for_parsing:
            return rest
        return _stripped(rest, self._plan, self._judged, fitting=False)

    def _judged(self, national: pl.Series) -> tuple[Flags, Flags]:
        places = self._ranges.look_up(*counted(national))
        return _judged(national, self._general[places], self._fits[places])


def _as_it_is(digits: pl.Series) -> Read:
    return _not_too_long(digits, world().look_up(*counted(digits)))


def _judged(digits: pl.Series, general: Flags, fits: Flags) -> tuple[Flags, Flags]:
    """No plan knows what is longer than `MAX_DIGITS`; that it is too long hides no prefix."""
    longer = digits.str.len_bytes().to_numpy() > MAX_DIGITS
    return general & ~longer, fits | longer


def _not_too_long(digits: pl.Series, places: Places) -> Read:
    fits = digits.str.len_bytes().to_numpy() <= MAX_DIGITS
    return Read(digits, np.where(fits, places, 0).astype(np.uint16))


def _plan_of(country: str) -> Any:
    return PhoneMetadata.metadata_for_region(country)


@cache
def home_of(country: str) -> Home:
    """Return how numbers are dialled in a country; made once."""
    return Home(country)
