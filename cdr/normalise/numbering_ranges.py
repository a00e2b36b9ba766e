"""The numbering plan of the world as one sorted table of number ranges.

What `phonenumbers` knows of a number follows from its national patterns alone, so it is
the same for whole ranges of numbers. The table of these ranges is compiled once per version
of the library's metadata: it lies beside this module for the version the project is locked
to, and is made again, and kept in the user's cache folder, where another one is installed.

    python -m cdr.normalise.numbering_ranges      writes the table beside this module
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import phonenumbers
from phonenumbers import PhoneMetadata

from cdr.normalise.numbering import NumberType, Validity
from cdr.normalise.numbering_patterns import PatternSet

MAX_DIGITS = 18
"""Digits that are looked into at most: 15 of E.164 (ITU-T, 11/2010) and an exit code; more
do not fit the key of the table."""

_MIN_NATIONAL, _MAX_NATIONAL = 2, 17  # phonenumbers reads no shorter and no longer ones
_SPAN = 10**17
_COMPILED_AS = 1
"""To be raised when what this module writes into the table changes."""

_PACKAGED = Path(__file__).with_name("numbering_ranges.npz")


class Length(IntEnum):
    """What a number of digits says about a national number."""

    POSSIBLE = 0
    LOCAL = 1  # only within one area
    SHORT = 2
    LONG = 3
    BETWEEN = 4  # no number has it, but longer and shorter ones there are


class Verdict(NamedTuple):
    """What is the same for all numbers of a range.

    `code` is the calling code (0: there is none), `general` whether the main country's plan
    knows such numbers at all, `prefixed` whether they may begin with a prefix that is
    dialled but no part of the number.
    """

    code: int
    general: bool
    length: Length
    prefixed: bool
    country: str | None
    kind: str
    validity: str


NOWHERE = Verdict(
    0, False, Length.BETWEEN, False, None, NumberType.UNKNOWN.value, Validity.IMPOSSIBLE.value
)

Integers = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]

SATELLITE: dict[int, str] = {870: r"", 881: r"", 882: r"13|16"}
"""Leading digits by calling code. 870 Inmarsat and 881 global mobile satellite system are
whole codes (ITU-T E.164 Annex to the list of assigned codes); of 882, international
networks, 13 is EMSAT and 16 Thuraya (same list)."""

_KINDS = {
    "premium_rate": NumberType.PREMIUM,
    "toll_free": NumberType.TOLL_FREE,
    "shared_cost": NumberType.SHARED_COST,
    "voip": NumberType.VOIP,
    "personal_number": NumberType.PERSONAL,
    "pager": NumberType.PAGER,
    "uan": NumberType.UAN,
    "voicemail": NumberType.VOICEMAIL,
}
"""Kinds of number of the metadata, in the order in which the library tries them; fixed and
mobile follow."""


def key_of(digits: Integers, count: Integers) -> Integers:
    """Return the key of digit strings given as whole numbers and numbers of digits.

    Strings of one length are neighbours, in the order of their digits.
    """
    return count * _SPAN + digits


def digits_of(keys: Integers) -> tuple[Integers, Integers]:
    """Return the digit strings of keys, as whole numbers and numbers of digits."""
    count = np.minimum(keys // _SPAN, MAX_DIGITS)
    return keys - count * _SPAN, count


@dataclass(frozen=True, slots=True)
class Ranges:
    """Sorted ranges of keys and what is said of each.

    Parameters
    ----------
    starts : array of int64
        Smallest key of each range.
    verdicts : array of uint16
        Place in `said` of each range.
    said : tuple
        The different things there are to say.
    """

    starts: Integers
    verdicts: npt.NDArray[np.uint16]
    said: tuple[Verdict, ...]

    def look_up(self, digits: Integers, count: Integers) -> npt.NDArray[np.uint16]:
        """Return the place in `said` for each digit string of at most `MAX_DIGITS` digits."""
        found = np.searchsorted(self.starts, key_of(digits, count), side="right") - 1
        return self.verdicts[found]


@cache
def world() -> Ranges:
    """Return what is known of every international number, calling code and all."""
    packaged = _read(_PACKAGED)
    if packaged is not None:
        return packaged
    cached = _cache_file()
    table = _read(cached)
    if table is None:
        table = compile_world()
        with contextlib.suppress(OSError):  # nowhere to keep it: it is made again next time
            cached.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(cached, table)
    return table


def compile_world() -> Ranges:
    """Compile the table from the installed metadata; some seconds."""
    runs: list[tuple[int, Verdict]] = [(0, NOWHERE)]
    for code in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE):
        plans = Plans(code)
        for length in range(_MIN_NATIONAL, MAX_DIGITS - len(str(code)) + 1):
            count = len(str(code)) + length
            first = count * _SPAN + code * 10**length
            runs += ((first + start, verdict) for start, verdict in plans.ranges(length))
            runs.append((first + 10**length, NOWHERE))
    return _table(runs)


def _table(runs: Iterable[tuple[int, Verdict]]) -> Ranges:
    said: dict[Verdict, int] = {}
    starts, places = list[int](), list[int]()
    for start, verdict in sorted(dict(_last_of_each(runs)).items()):
        place = said.setdefault(verdict, len(said))
        if not places or places[-1] != place:
            starts.append(start)
            places.append(place)
    return Ranges(np.array(starts, np.int64), np.array(places, np.uint16), tuple(said))


def _last_of_each(runs: Iterable[tuple[int, Verdict]]) -> Iterator[tuple[int, Verdict]]:
    """Let what begins a range win over what ends the one before it."""
    begun = dict[int, Verdict]()
    for start, verdict in runs:
        if verdict is not NOWHERE or start not in begun:
            begun[start] = verdict
    return iter(begun.items())


class Plans:
    """The national plans that share a calling code, the main one first."""

    def __init__(self, code: int) -> None:
        self._code = code
        self._plans: list[Any] = [
            PhoneMetadata.metadata_for_region_or_calling_code(code, region)
            for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
        ]
        self._patterns: dict[tuple[str, bool], int] = {}
        for plan in self._plans:
            for kind in ("general_desc", *_KINDS, "fixed_line", "mobile"):
                description = getattr(plan, kind)
                if description is not None and description.national_number_pattern:
                    self._number(description.national_number_pattern)
            if plan.leading_digits:
                self._number(plan.leading_digits, start=True)
        if prefix := self._plans[0].national_prefix_for_parsing:
            self._number(prefix, start=True)
        if satellite := SATELLITE.get(code):
            self._number(satellite, start=True)
        self._set = PatternSet(
            [pattern for pattern, _ in self._patterns],
            frozenset(number for (_, start), number in self._patterns.items() if start),
        )

    def _number(self, pattern: str, *, start: bool = False) -> int:
        return self._patterns.setdefault((pattern, start), len(self._patterns))

    def ranges(self, length: int) -> list[tuple[int, Verdict]]:
        """Split the national numbers of a length by what is to be said of them."""
        return self._set.ranges(length, lambda hits: self._verdict(hits, length))

    def _verdict(self, hits: frozenset[int], length: int) -> Verdict:
        main = self._plans[0]
        fits = length_of(main, length)
        prefix = main.national_prefix_for_parsing
        country, kind = self._country_and_kind(hits, length)
        valid = kind is not NumberType.UNKNOWN
        if length > _MAX_NATIONAL or fits not in (Length.POSSIBLE, Length.LOCAL):
            validity, country, kind = Validity.IMPOSSIBLE, None, NumberType.UNKNOWN
        elif valid:
            validity = Validity.VALID
        else:
            validity = Validity.POSSIBLE if fits is Length.LOCAL else Validity.UNALLOCATED
        return Verdict(
            self._code,
            self._hit(main.general_desc.national_number_pattern, hits),
            fits,
            bool(prefix) and self._hit(prefix, hits, start=True),
            country,
            kind.value,
            validity.value,
        )

    def _hit(self, pattern: str, hits: frozenset[int], *, start: bool = False) -> bool:
        return self._patterns[pattern, start] in hits

    def _country_and_kind(self, hits: frozenset[int], length: int) -> tuple[str | None, NumberType]:
        for plan in self._plans:
            kind = self._kind(plan, hits, length)
            if len(self._plans) == 1:
                return plan.id, kind
            if plan.leading_digits:
                if self._hit(plan.leading_digits, hits, start=True):
                    return plan.id, kind
            elif kind is not NumberType.UNKNOWN:
                return plan.id, kind
        return None, NumberType.UNKNOWN

    def _kind(self, plan: Any, hits: frozenset[int], length: int) -> NumberType:
        def known(name: str) -> bool:
            of_kind = getattr(plan, name)
            if of_kind is None or not of_kind.national_number_pattern:
                return False
            lengths = of_kind.possible_length
            right = not lengths or length in lengths
            return right and self._hit(of_kind.national_number_pattern, hits)

        if not known("general_desc"):
            return NumberType.UNKNOWN
        found = next((kind for name, kind in _KINDS.items() if known(name)), None)
        if found is None:
            found = _fixed_or_mobile(
                known("fixed_line"), known("mobile"), plan.same_mobile_and_fixed_line_pattern
            )
        satellite = SATELLITE.get(self._code)
        if found is NumberType.UNKNOWN or satellite is None:
            return found
        in_range = not satellite or self._hit(satellite, hits, start=True)
        return NumberType.SATELLITE if in_range else found


def _fixed_or_mobile(fixed: bool, mobile: bool, same: bool) -> NumberType:
    if fixed:
        return NumberType.FIXED_OR_MOBILE if same or mobile else NumberType.FIXED
    return NumberType.MOBILE if mobile and not same else NumberType.UNKNOWN


def length_of(plan: Any, length: int) -> Length:
    """Say what a number of digits means in a national plan."""
    lengths = plan.general_desc.possible_length
    if length in plan.general_desc.possible_length_local_only:
        return Length.LOCAL
    if length in lengths:
        return Length.POSSIBLE
    if length < lengths[0]:
        return Length.SHORT
    return Length.LONG if length > lengths[-1] else Length.BETWEEN


def _cache_file() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return folder / "callsieve" / f"numbering_ranges-{_stamp()}.npz"


def _stamp() -> str:
    """Return what the table depends on: the metadata's version, and how it is compiled."""
    return f"{phonenumbers.__version__}-{_COMPILED_AS}"


def _write(file: Path, table: Ranges) -> None:
    columns = zip(*table.said, strict=True)
    said: dict[str, Any] = {
        f"said_{name}": np.array(c) for name, c in zip(Verdict._fields, columns, strict=True)
    }
    said["said_country"] = np.array([verdict.country or "" for verdict in table.said])
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as draft:
        np.savez_compressed(
            draft,
            stamp=np.array(_stamp()),
            steps=np.diff(table.starts, prepend=0),
            verdicts=table.verdicts,
            **said,
        )
    Path(draft.name).replace(file)


def _read(file: Path) -> Ranges | None:
    """Read a table; None where there is none of this version."""
    try:
        with np.load(file, allow_pickle=False) as held:
            if str(held["stamp"]) != _stamp():
                return None
            columns = [held[f"said_{name}"].tolist() for name in Verdict._fields]
            said = tuple(
                Verdict(code, general, Length(length), prefixed, country or None, kind, validity)
                for code, general, length, prefixed, country, kind, validity in zip(
                    *columns, strict=True
                )
            )
            return Ranges(np.cumsum(held["steps"]), held["verdicts"], said)
    except (OSError, ValueError, KeyError):
        return None


if __name__ == "__main__":
    _write(_PACKAGED, compile_world())
