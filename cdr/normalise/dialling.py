"""From dialled digits to a number: one search in one table per home country.

The rules are those of libphonenumber's parser and validator (which prefix comes off, in
what case, and what the rest then is), worked out beforehand for every range of digit
strings, plus ours for short numbers, extensions and numbers without a plus sign. So a
call costs one binary search and no rule runs. What a region's ranges are is in
:mod:`cdr.normalise.numbering`; texts are in :mod:`cdr.normalise.numbers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Literal

import numpy as np
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from cdr.errors import SettingsError
from cdr.normalise.digit_sets import Intervals, digit_set
from cdr.normalise.numbering import (
    NO_SUCH_CODE,
    SATELLITE,
    NumberType,
    Region,
    Validity,
    Verdict,
    beginning_with,
    region,
    regions_of,
)
from cdr.normalise.piecewise import (
    MAX_DIGITS,
    POWERS,
    Bools,
    Cells,
    Edit,
    Ints,
    Pieces,
    Table,
    inside,
    painted,
    resolve,
)

Bare = Literal["national", "international"]

LONGEST_EXTENSION = 5
"""Digits; ours, because exchanges number their extensions with two to five, while six
digits are national services (Australia's 13xxxx) and local numbers."""

SHORTEST_WITHOUT_PLUS = 10
"""Digits; ours, because shorter strings are often local numbers with a digit wrong, and
hardly a country has shorter numbers with its code before them."""


class Form(IntEnum):
    """How the country was told."""

    PLAIN = 0  # not at all
    TRUNK = 1  # by a national prefix
    INTERNATIONAL = 2  # by an international prefix or a calling code


@dataclass(frozen=True)
class Readings:
    """What strings of digits mean: a row for each range of them, and the ranges by length.

    The value of :attr:`table` is an index into the rows: :attr:`edit` makes the E.164
    digits, :attr:`verdict` points into :attr:`verdicts`.
    """

    table: Table
    edit: Edit
    verdict: Ints
    form: Ints
    verdicts: list[Verdict]

    def valid(self) -> Bools:
        """Tell of each verdict whether it is a valid number."""
        return np.array([v.validity is Validity.VALID for v in self.verdicts])


class _Rows:
    """Collects distinct readings while tables are made."""

    def __init__(self, verdicts: dict[Verdict, int]) -> None:
        self.verdicts = verdicts
        self.rows: dict[tuple[int, ...], int] = {}
        self.table: dict[int, Pieces] = {}

    def add(self, length: int, starts: Ints, columns: list[Ints]) -> None:
        distinct, index = np.unique(np.stack(columns, 1), axis=0, return_inverse=True)
        ids = [self.rows.setdefault(tuple(row), len(self.rows)) for row in distinct.tolist()]
        values = np.array(ids, np.int64)[index.reshape(-1)]
        change = np.append(True, values[1:] != values[:-1])
        self.table[length] = Pieces(starts[change], values[change])

    def done(self) -> Readings:
        drop, add, digits, verdict, form = np.array(list(self.rows), np.int64).T
        edit = Edit(drop, add, digits)
        return Readings(self.table, edit, verdict, form, list(self.verdicts))


def _row(rows: Readings, index: Ints) -> tuple[Edit, Ints, Ints]:
    edit = Edit(*(column[index] for column in rows.edit))
    return edit, rows.verdict[index], rows.form[index]


def _verdicts_of(code: int, length: int, known: dict[Verdict, int]) -> Pieces:
    """Judge the national numbers of one calling code and length."""
    regions = regions_of(code)
    satellite = beginning_with(SATELLITE[code], length) if code in SATELLITE else []
    sets = [r.numbers_of(kind, length) for r in regions for kind in Region.KINDS]
    sets += [leading for r in regions if (leading := r.leading(length))]
    starts = painted(length, [(intervals, 1) for intervals in [*sets, satellite]]).starts
    chosen = np.zeros(len(starts), np.int64)
    types = np.zeros(len(starts), np.int64)
    for index, one in reversed(list(enumerate(regions, 1))):
        found = one.types(length, starts)
        leading = one.leading(length)
        own = found > 0 if leading is None else inside(starts, leading)
        own |= len(regions) == 1
        chosen[own], types[own] = index, found[own]
    types[(types > 0) & inside(starts, satellite)] = 1 + list(NumberType).index(
        NumberType.SATELLITE
    )
    by_length = regions[0].verdict_on_length(length)
    pairs, index = np.unique(np.stack([chosen, types], 1), axis=0, return_inverse=True)
    ids = []
    for place, kind in pairs.tolist():
        verdict = Verdict(
            regions[place - 1].code if place else None,
            list(NumberType)[kind - 1] if kind else NumberType.UNKNOWN,
            Validity.VALID if kind else by_length,
        )
        ids.append(known.setdefault(verdict, len(known)))
    return Pieces(starts, np.array(ids, np.int64)[index.reshape(-1)])


def _joined(length: int, parts: dict[int, Pieces]) -> Pieces:
    """Put calling codes before national tables; 0 where no code begins so."""
    starts, values = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)]
    by_start = sorted((code * 10 ** (length - len(str(code))), code) for code in parts)
    for first, code in by_start:
        national = length - len(str(code))
        starts += [first + parts[code].starts, np.array([first + 10**national])]
        values += [parts[code].values, np.zeros(1, np.int64)]
    together, order = np.concatenate(starts), np.concatenate(values)
    last = np.append(together[1:] != together[:-1], True) & (together < 10**length)
    return Pieces(together[last], order[last])


class _World:
    """The elementary tables of all calling codes, keyed by the digits after the plus."""

    def __init__(self) -> None:
        self.verdicts: dict[Verdict, int] = {NO_SUCH_CODE: 0}
        self.codes = sorted(COUNTRY_CODE_TO_REGION_CODE)
        self.edits = [(0, 0, 0)]
        first_edit = {}
        for code in self.codes:
            _, edits = regions_of(code)[0].trunk
            first_edit[code] = len(self.edits) - 1
            size = len(str(code))
            self.edits += [
                (size + drop, int(f"{code}{add}"), size + len(add)) for drop, add in edits[1:]
            ]
        self.calling_code, self.verdict, self.trunk, self.general = {}, {}, {}, {}
        for length in range(1, MAX_DIGITS + 1):
            codes = [code for code in self.codes if len(str(code)) <= length]
            national = {code: length - len(str(code)) for code in codes}
            mains = {code: regions_of(code)[0] for code in codes}
            zero = np.zeros(1, np.int64)
            self.calling_code[length] = _joined(
                length, {code: Pieces(zero, zero + code) for code in codes}
            )
            self.verdict[length] = _joined(
                length, {c: _verdicts_of(c, n, self.verdicts) for c, n in national.items()}
            )
            self.general[length] = _joined(
                length,
                {
                    code: mains[code].general_table[n]
                    for code, n in national.items()
                    if n in mains[code].general_table
                },
            )
            self.trunk[length] = _joined(
                length,
                {
                    code: Pieces(t.starts, np.where(t.values, t.values + first_edit[code], 0))
                    for code, n in national.items()
                    if (t := mains[code].trunk[0].get(n))
                },
            )
        self.fits = np.zeros((1000, MAX_DIGITS + 8), bool)
        for code in self.codes:
            main = regions_of(code)[0]
            for length in range(self.fits.shape[1] - len(str(code))):
                self.fits[code, length + len(str(code))] = main.length_fits(length)

    def read(self, cells: Cells) -> list[Ints]:
        as_is = cells.untouched()
        code = cells.read(self.calling_code, as_is)
        edits = np.array(self.edits, np.int64)
        index = cells.read(self.trunk, as_is)
        stripped = Edit(*edits[index].T)
        fits = self.fits[code, cells.lengths(stripped)]
        general = cells.read(self.general, as_is) > 0
        still = cells.read(self.general, stripped, index > 0) > 0
        edit = stripped.where((index > 0) & fits & ~(general & ~still), as_is)
        verdict = cells.read(self.verdict, edit)
        return [*edit, verdict, np.full(len(code), Form.INTERNATIONAL)]


@lru_cache(maxsize=1)
def _world() -> tuple[_World, Readings]:
    world = _World()
    rows = _Rows(world.verdicts)
    for length in range(1, MAX_DIGITS + 1):
        rows.add(length, *resolve(length, world.read))
    return world, rows.done()


class _Home:
    """The rules of one home country for digits without a plus sign."""

    def __init__(self, home: Region, bare: Bare) -> None:
        self.home, self.bare = home, bare
        world, self.world = _world()
        self.verdict_table = world.verdict
        self.verdicts = {verdict: index for index, verdict in enumerate(self.world.verdicts)}
        self.trunk, edits = home.trunk
        self.edits = np.array([(drop, int(add or 0), len(add)) for drop, add in edits], np.int64)
        self.code, self.code_digits = home.calling_code, len(str(home.calling_code))
        self.starts_with_zero: Table = {
            n: painted(n, [([(0, 10 ** (n - 1))], 1)]) for n in range(1, MAX_DIGITS + 1)
        }
        starts_with_code = {
            n: painted(n, [(beginning_with(str(self.code), n), 1)])
            for n in range(self.code_digits, MAX_DIGITS + 1)
        }
        self.starts_with_code: Table = starts_with_code
        short = PhoneMetadata.short_metadata_for_region(home.code)
        self.short = {n: _short_numbers(short, n) for n in range(1, LONGEST_SHORT_CODE + 1)}

    def verdict(self, number_type: NumberType) -> int:
        verdict = Verdict(self.home.code, number_type, Validity.SHORT)
        return self.verdicts.setdefault(verdict, len(self.verdicts))

    def constant(self, cells: Cells, drop: int, add: int, digits: int) -> Edit:
        one = np.ones(len(cells.starts), np.int64)
        return Edit(one * drop, one * add, one * digits)

    def international(self, cells: Cells, edit: Edit) -> tuple[Edit, Ints]:
        """Read what follows an international prefix, or a calling code put before."""
        later, verdict, _ = _row(self.world, cells.read(self.world.table, edit))
        return edit.then(later), verdict

    def trunk_off(self, cells: Cells, edit: Edit, where: Bools) -> tuple[Edit, Bools, Bools]:
        """Take a national prefix off unless that makes a good number bad."""
        index = cells.read(self.trunk, edit, where)
        stripped = edit.then(Edit(*self.edits[index].T))
        general = cells.read(self.home.general_table, edit, where) > 0
        still = cells.read(self.home.general_table, stripped, where) > 0
        taken = (index > 0) & ~(general & ~still)
        return stripped.where(taken, edit), taken, np.where(taken, still, general)

    def exit_code_off(self, cells: Cells) -> tuple[Edit, Bools]:
        as_is = cells.untouched()
        drop = cells.read(self.home.exit_code, as_is)
        edit = Edit(drop, as_is.add, as_is.digits)
        found = (drop > 0) & (cells.read(self.starts_with_zero, edit, drop > 0) == 0)
        return edit.where(found, as_is), found

    def national(self, cells: Cells) -> tuple[Edit, Ints, Ints]:
        """Read digits that carry no international prefix."""
        as_is, length = cells.untouched(), cells.length
        everywhere = np.ones(len(cells.starts), bool)
        coded = cells.read(self.starts_with_code, as_is) > 0
        rest = self.constant(cells, self.code_digits, 0, 0).where(coded, as_is)
        inner, _, inner_general = self.trunk_off(cells, rest, coded)
        general = cells.read(self.home.general_table, as_is) > 0
        too_long = length > max(self.home.lengths) and length not in self.home.local_lengths
        coded &= (~general & inner_general) | too_long

        stripped, taken, _ = self.trunk_off(cells, as_is, everywhere)
        fits = np.array([self.home.length_fits(n) for n in range(MAX_DIGITS + 8)])
        taken &= fits[cells.lengths(stripped)]
        nsn = stripped.where(taken, as_is)
        before = self.constant(cells, 0, self.code, self.code_digits)
        with_code, coded_verdict = self.international(cells, inner.then(before).where(coded, as_is))
        plain = nsn.then(before)
        verdict = cells.read(self.verdict_table, plain)
        form = np.where(coded, Form.INTERNATIONAL, np.where(taken, Form.TRUNK, Form.PLAIN))
        return with_code.where(coded, plain), np.where(coded, coded_verdict, verdict), form

    def read(self, cells: Cells) -> list[Ints]:
        as_is = cells.untouched()
        exit_off, exited = self.exit_code_off(cells)
        edit, verdict, form = self.national(cells)
        abroad, abroad_verdict = self.international(cells, exit_off)
        edit = abroad.where(exited, edit)
        verdict = np.where(exited, abroad_verdict, verdict)
        form = np.where(exited, Form.INTERNATIONAL, form)

        without_plus, without_plus_verdict = self.international(cells, as_is)
        chosen = self.is_valid(without_plus_verdict) & self.may_lack_plus(cells, verdict, exited)
        edit = without_plus.where(chosen, edit)
        verdict = np.where(chosen, without_plus_verdict, verdict)
        form = np.where(chosen, Form.INTERNATIONAL, form)
        return [*edit, self.with_short(cells, verdict, form), form]

    def is_valid(self, verdict: Ints) -> Bools:
        return self.world.valid()[verdict]

    def may_lack_plus(self, cells: Cells, verdict: Ints, exited: Bools) -> Bools:
        if self.bare == "international":
            return ~(exited & self.is_valid(verdict))
        impossible = np.array([v.validity is Validity.IMPOSSIBLE for v in self.world.verdicts])
        return impossible[verdict] & (cells.length >= SHORTEST_WITHOUT_PLUS)

    def with_short(self, cells: Cells, verdict: Ints, form: Ints) -> Ints:
        """Put short numbers and extensions in the place of what is no valid number."""
        short = cells.read(self.short, cells.untouched())
        valid = self.is_valid(verdict)
        if cells.length <= LONGEST_EXTENSION:
            trunk_needed = self.home.metadata.national_prefix is not None
            extension = ~valid | ((form == Form.PLAIN) & trunk_needed)
            verdict = np.where(extension, self.verdict(NumberType.EXTENSION), verdict)
            valid &= ~extension
        verdict = np.where((short > 0) & ~valid, self.verdict(NumberType.SHORT_CODE), verdict)
        return np.where(short == _EMERGENCY, self.verdict(NumberType.EMERGENCY), verdict)


LONGEST_SHORT_CODE = 10
"""Digits; ours, because no region's short numbers in the metadata are longer."""

_SHORT_CODE, _EMERGENCY = 1, 2


def _short_numbers(metadata: PhoneMetadata | None, length: int) -> Pieces:
    """Tell short codes and emergency numbers, exactly as dialled."""
    layers: list[tuple[Intervals, int]] = []
    if metadata is None:
        return painted(length, layers)
    general, short = metadata.general_desc, metadata.short_code
    if length in general.possible_length and length in short.possible_length:
        both = [digit_set(d.national_number_pattern).get(length, []) for d in (general, short)]
        known = painted(length, [(both[0], 1), (both[1], 1)]).starts
        good = inside(known, both[0]) & inside(known, both[1])
        ends = np.append(known[1:], 10**length)
        layers.append((list(zip(known[good].tolist(), ends[good].tolist(), strict=True)), 1))
    if metadata.emergency is not None and metadata.emergency.national_number_pattern:
        pattern = metadata.emergency.national_number_pattern
        layers.append((digit_set(pattern).get(length, []), _EMERGENCY))
    return painted(length, layers)


@dataclass(frozen=True)
class DialPlan:
    """Every string a switch in one country may write, and what it means.

    Attributes
    ----------
    keys
        ``10**length + value`` for digits without a plus, ``2 * 10**length + value`` for
        digits after one; sorted first strings of the ranges.
    drop, add, verdict
        By range: digits to take off the front, number to put there, and the index into
        ``verdicts``.
    verdicts
        The distinct verdicts.
    """

    keys: Ints
    drop: Ints
    add: Ints
    verdict: Ints
    verdicts: list[Verdict]


@lru_cache(maxsize=8)
def dial_plan(country: str, bare: Bare = "national") -> DialPlan:
    """Return the table for switches in ``country``; made once in a process.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    bare
        What digits without any prefix are; see
        :func:`cdr.normalise.numbers.normalise_party`.

    Raises
    ------
    SettingsError
        If the country is not known.
    """
    try:
        home = region(country)
    except KeyError:
        raise SettingsError(
            "country", ["not a country with a numbering plan; use two letters such as DE"]
        ) from None
    rules = _Home(home, bare)
    rows = _Rows(rules.verdicts)
    for length in range(1, MAX_DIGITS + 1):
        rows.add(length, *resolve(length, rules.read))
    dialled = rows.done()

    def after_plus(cells: Cells) -> list[Ints]:
        as_is = cells.untouched()
        edit, verdict, form = _row(rules.world, cells.read(rules.world.table, as_is))
        again, second, told = _row(dialled, cells.read(dialled.table, as_is))
        retried = (verdict == 0) & (told == Form.INTERNATIONAL)
        edit = again.where(retried, edit)
        return [*edit, np.where(retried, second, verdict), form]

    for length in range(1, MAX_DIGITS + 1):
        rows.add(length, *resolve(length, after_plus))
    return _flattened(dialled, rows.done())


def _flattened(dialled: Readings, international: Readings) -> DialPlan:
    keys, index = [], []
    for length in range(1, MAX_DIGITS + 1):
        for lead, readings in ((1, dialled), (2, international)):
            pieces = readings.table[length]
            keys.append(lead * POWERS[length] + pieces.starts)
            index.append(pieces.values)
    rows = np.concatenate(index)
    return DialPlan(
        np.concatenate(keys),
        international.edit.drop[rows],
        international.edit.add[rows],
        international.verdict[rows],
        international.verdicts,
    )
