"""What is dialled in one country, to an international number: exit codes, trunk prefixes.

The rules are those of `phonenumbers.parse`. They are followed one by one for the ends of
ranges of digits of which they make the same; what is dialled is then looked up among these.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from phonenumbers import PhoneMetadata

from cdr.normalise.numbering_dialled import (
    POWER,
    Digits,
    Flags,
    Places,
    Read,
    dropped,
    international,
    stripped,
    without_trunk_prefix,
)
from cdr.normalise.numbering_patterns import PatternSet
from cdr.normalise.numbering_ranges import (
    MAX_DIGITS,
    Integers,
    Length,
    Ranges,
    digits_of,
    key_of,
    length_of,
    world,
)

_TOO_SHORT_AFTER_EXIT = 2  # digits after an exit code that are no number, as in phonenumbers


class _Dialled(NamedTuple):
    """What is the same for all that is dialled in a range of one country."""

    general: bool
    length: Length
    prefixed: bool
    exits: bool


class _Way(IntEnum):
    """How what was dialled became digits with a calling code."""

    INLAND = 0
    CODED = 1  # with its own country's calling code, and maybe a trunk prefix after it
    ABROAD = 2  # after an exit code, and maybe with a trunk prefix after the calling code
    ALONE = 3  # each for itself: not the same for a whole range


class _Steps(NamedTuple):
    """What to add to the digits of each range, how many more they are then, and their way."""

    ranges: Ranges
    add: Integers
    longer: Integers
    way: npt.NDArray[np.uint8]


class Home:
    """How numbers are dialled in one country.

    What becomes of dialled digits is worked out rule by rule for the ends of every range in
    which it is the same, once; digits of these ranges are then read with one look-up.

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
        self._steps = self._worked_out()

    def _dialled(self, hits: frozenset[str], length: int) -> _Dialled:
        return _Dialled(
            "general" in hits, length_of(self._plan, length), "prefix" in hits, "exit" in hits
        )

    def read(self, dialled: Digits, text: pl.Series) -> Read:
        """Read digits dialled in this country, without a `+`; `text` is the same as text."""
        of_row = dialled.look_up(self._steps.ranges)
        way = self._steps.way[of_row]
        digits = Digits(
            dialled.value + self._steps.add[of_row], dialled.count + self._steps.longer[of_row]
        )
        alone = np.flatnonzero((way == _Way.ALONE) | (dialled.count > MAX_DIGITS))
        if len(alone):
            part, way[alone] = self._by_rules(dialled[alone], text.gather(alone))
            digits.value[alone], digits.count[alone] = part.value, part.count
        places = digits.look_up(world())
        places[(way == _Way.ABROAD) & (digits.count <= _TOO_SHORT_AFTER_EXIT)] = 0
        return without_trunk_prefix(Read(digits, places), way != _Way.INLAND)

    def read_after_exit(self, dialled: Digits, text: pl.Series) -> Read:
        """Read digits dialled with this country's exit code; others are no number."""
        places = dialled.look_up(self._ranges)
        exited, rest = self._after_exit(dialled, text, self._exits[places])
        read = international(rest)
        exited &= rest.count > _TOO_SHORT_AFTER_EXIT
        return Read(read.digits, np.where(exited, read.places, 0).astype(np.uint16))

    def _worked_out(self) -> _Steps:
        """Work out what becomes of the first and the last digits of each range.

        A range ends where what the plan says of the digits may change: as they stand, without a
        trunk prefix, without the calling code, without both. Prefixes that are no fixed
        digits are left to `_by_rules`.
        """
        trunk, exits = _fixed(self._plan.national_prefix_for_parsing), _fixed(self._exit_code)
        if self._plan.national_prefix_transform_rule:
            trunk = []
        code = str(self._code)
        starts = np.unique(np.concatenate([
            self._ranges.starts,
            *(_moved(self._ranges.starts, first)
              for first in (*trunk, code, *(code + each for each in trunk))),
            *(_moved(np.zeros(0, np.int64), first)
              for first in (*exits, *(each + "0" for each in exits))),
        ]))  # fmt: skip
        first = Digits(*digits_of(starts))
        until = np.append(starts[1:], key_of(POWER[-1:], np.array([MAX_DIGITS])))
        last = Digits(np.minimum(digits_of(until - 1)[0], POWER[first.count] - 1), first.count)
        (low, way), (high, way_of_last) = (
            self._by_rules(digits, digits.text()) for digits in (first, last)
        )
        add, longer = low.value - first.value, low.count - first.count
        same = (way == way_of_last) & (add == high.value - last.value)
        same &= (longer == high.count - last.count) & (low.count <= MAX_DIGITS)
        places = first.look_up(self._ranges)
        if not exits:
            same &= ~self._exits[places]
        if not trunk:
            rest = first.without_first(len(code)).look_up(self._ranges)
            same &= ~(self._prefixed[places] | (first.begins(code) & self._prefixed[rest]))
        steps = np.stack([add, longer, way.astype(np.int64)])
        steps[:, ~same] = [[0], [0], [_Way.ALONE]]
        begins = np.append(True, (np.diff(steps) != 0).any(axis=0))
        add, longer, way = steps[:, begins]
        places = np.arange(len(add), dtype=np.uint16)
        return _Steps(Ranges(starts[begins], places, ()), add, longer, way.astype(np.uint8))

    def _by_rules(self, dialled: Digits, text: pl.Series) -> tuple[Digits, npt.NDArray[np.uint8]]:
        """Put the calling code in front of dialled digits, and tell in what way it got there."""
        places = dialled.look_up(self._ranges)
        exited, digits = self._after_exit(dialled, text, self._exits[places])
        coded = self._with_code(dialled, places) & ~exited
        inland = ~(exited | coded)
        digits = Digits(digits.value.copy(), digits.count.copy())
        for rows, read in ((coded, self._by_code), (inland, self._at_home)):
            if rows.any():
                part = read(dialled[rows])
                digits.value[rows], digits.count[rows] = part.value, part.count
        way = np.where(exited, _Way.ABROAD, np.where(coded, _Way.CODED, _Way.INLAND))
        return digits, way.astype(np.uint8)

    @property
    def _exit_code(self) -> str:
        pattern: str = self._plan.international_prefix
        return pattern

    def _after_exit(self, dialled: Digits, text: pl.Series, may: Flags) -> tuple[Flags, Digits]:
        """Tell which begin with the exit code and a calling code, and what follows it."""
        rest = dropped(dialled, self._exit_code) if may.any() else dialled
        long = dialled.count > MAX_DIGITS
        if long.any():
            cut = text.str.replace(rf"^(?:{self._exit_code})", "")
            may = may | (long & (cut.str.len_bytes() < text.str.len_bytes()).to_numpy())
            rest = Digits.of(cut).where(long, rest)
        return may & ~rest.begins("0"), rest

    def _with_code(self, dialled: Digits, places: Places) -> Flags:
        """Tell which digits are the country's own number with its calling code, but no `+`."""
        starts = dialled.begins(str(self._code))
        if not starts.any():
            return starts
        left_known, _ = self._judged(self._rest_of(dialled[starts]))
        of_row = places[starts]
        starts[starts] = (~self._general[of_row] & left_known) | self._long[of_row]
        return starts

    def _by_code(self, dialled: Digits) -> Digits:
        return self._rest_of(dialled).after(self._code)

    def _at_home(self, national: Digits) -> Digits:
        if self._prefixed[national.look_up(self._ranges)].any():
            national = stripped(national, self._plan, self._judged, fitting=True)
        return national.after(self._code)

    def _rest_of(self, dialled: Digits) -> Digits:
        rest = dialled.without_first(len(str(self._code)))
        if not self._plan.national_prefix_for_parsing:
            return rest
        return stripped(rest, self._plan, self._judged, fitting=False)

    def _judged(self, national: Digits) -> tuple[Flags, Flags]:
        places = national.look_up(self._ranges)
        return self._general[places], self._fits[places]


def _fixed(prefix: str | None) -> list[str]:
    """Return the digits that a prefix may be; none where it is a pattern, or there is none."""
    return prefix.split("|") if prefix and re.fullmatch(r"[0-9|]+", prefix) else []


def _moved(starts: Integers, first: str) -> Integers:
    """Return where ranges of digits begin if some digits stand before them.

    Where what begins with these digits begins and ends is among them, for each count.
    """
    at = Digits(*digits_of(starts))
    keep = at.count + len(first) <= MAX_DIGITS
    at = Digits(at.value[keep], at.count[keep])
    inner = key_of(at.value + int(first) * POWER[at.count], at.count + len(first))
    more = np.arange(MAX_DIGITS - len(first) + 1)
    edges = [key_of(each * POWER[more], more + len(first)) for each in (int(first), int(first) + 1)]
    return np.concatenate([inner, *edges])


def _plan_of(country: str) -> Any:
    return PhoneMetadata.metadata_for_region(country)


@cache
def home_of(country: str) -> Home:
    """Return how numbers are dialled in a country; made once."""
    return Home(country)
