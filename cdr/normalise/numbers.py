"""From what a switch wrote about one end of a call to a number, or to what stands for it.

Text that is a plus and digits, as most switches write most numbers, is looked up as it
stands; only the rest is cleaned, and read as it is dialled in the source's country.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import phonenumbers
import polars as pl

from cdr.errors import SettingsError
from cdr.memory import Memory
from cdr.normalise.numbering import NUMBERING_VERSION, NumberType, Validity
from cdr.normalise.numbering_dialled import POWER, Digits, Read, international
from cdr.normalise.numbering_home import home_of
from cdr.normalise.numbering_longer import TOLD, Longer, read_longer
from cdr.normalise.numbering_ranges import MAX_DIGITS, world
from cdr.normalise.numbering_short import LONGEST_SHORT, short_of
from cdr.schema import CODES

Bare = Literal["national", "international"]

__all__ = [
    "IN_PLAN",
    "NUMBERING_VERSION",
    "PARTY",
    "NumberType",
    "Validity",
    "as_dialled",
    "normalise_party",
]

PARTY = pl.Struct(
    {
        "number": pl.String(),
        "party": pl.String(),
        "country": CODES,
        "number_type": CODES,
        "validity": CODES,
    }
)

IN_PLAN = (Validity.VALID.value, Validity.UNALLOCATED.value)
"""Verdicts with which digits are an E.164 number."""

_WITHHELD = (
    r"(?i)^(anonymous|restricted|unavailable|unknown|private|withheld|blocked|coinline/payphone)"
    r"(@.*)?$"
)
_WORTH = 10
"""Ours: a number that is looked up among 100,000 costs a third of one that is read, and a first one
costs both; measured for decision 14."""
_PUNCTUATION = r"[\s().\-/\u{a0}]"
_EXTENSION = r"(?i)^(\+?[\d\s().\-/\u{a0}]{7,}?)[\s,]*(?:ext(?:ension|n)?\.?|x|#)\s*:?\s*\d{1,7}$"
_CONTEXT = r"(?i);phone-context=(\+[\d().\-]+)"  # RFC 3966, section 5.1.5
_OTHER_SIGNS = {
    **{chr(first + digit): str(digit) for first in (0xFF10, 0x660, 0x6F0) for digit in range(10)},
    "\uff0b": "+",
    **dict.fromkeys("\xad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", ""),
    **{chr(code): "" for code in (*range(0x2010, 0x2016), 0x2212, *range(0x202A, 0x202F))},
}
"""Full-width and Arabic digits, other dashes, and marks that nobody sees, which come with a number
copied out of a window; `phonenumbers` reads such numbers as well."""


def normalise_party(raw: pl.Expr, *, country: str, bare: Bare = "national") -> pl.Expr:
    """Say who one end of a call is.

    Parameters
    ----------
    raw : Expr of String
        As written: ``+49 30 1234567``, ``0049…``, ``030…``, ``sip:+49…@host;user=phone``,
        ``"Name" <030…>``, ``030 1234567 ext. 22``, ``anonymous``, ``*72``, a SIP user name.
    country : str
        ISO 3166-1 alpha-2 code of the country it was dialled in.
    bare : {"national", "international"}
        What digits without any prefix are.

    Returns
    -------
    Expr of Struct, see `PARTY`
        `number` is E.164 or null; `party` is what stands for the end where there is no
        number (``user@host``, a name, short digits) and null where it was withheld;
        `country` is null where it cannot be told; `validity` is never null.

    Raises
    ------
    SettingsError
        If the country is not known.

    Examples
    --------
    >>> ends = pl.DataFrame({"n": ["030 1234567", "sip:+442079460000@x;user=phone", "anonymous"]})
    >>> ends.select(normalise_party(pl.col("n"), country="DE"))["n"].struct["number"].to_list()
    ['+49301234567', '+442079460000', None]
    """
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise SettingsError("country", ["has no numbering plan; use two letters such as DE"])
    return raw.map_batches(_memory(country, bare).of, return_dtype=PARTY, is_elementwise=True)


Places = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Part:
    """Some rows of what is read: which, and what was found of them."""

    rows: npt.NDArray[np.intp]
    numbers: pl.Series  # E.164, or null
    parties: pl.Series
    places: Places  # in `_said` of the country


@lru_cache(maxsize=4)
def _memory(country: str, bare: Bare) -> Memory:
    return Memory(lambda texts: _read(texts, country, bare), worth=_WORTH)


def _read(texts: pl.Series, country: str, bare: Bare) -> pl.Series:
    texts = texts.rechunk()  # rows are taken out of one piece eight times as fast as out of many
    digits, plus = _as_digits(texts)
    digital = (digits.value > 0) & (digits.count <= MAX_DIGITS)
    begins = digits.value >= POWER[np.clip(digits.count, 1, MAX_DIGITS) - 1]  # not with a zero
    coded = plus | ((bare == "international") & (digits.count > LONGEST_SHORT))
    direct = np.flatnonzero(digital & begins & coded)
    places = digits[direct].look_up(world())
    settled = _settled()[places]
    if not settled.all():
        direct, places = direct[settled], places[settled]
    parts = [_direct(texts, direct, plus, places)]
    rest = digital.copy()
    rest[direct] = False
    if rest.any():
        rows = np.flatnonzero(rest)
        parts += _digits(texts.gather(rows), digits[rows], plus[rows], rows, country, bare)
    if not digital.all():
        parts += _written(texts, np.flatnonzero(~digital), country, bare)
    return _struct(parts, country, texts.name)


def _as_digits(texts: pl.Series) -> tuple[Digits, Flags]:
    """Return each text's digits, and if a plus leads.

    The value is 0 or less for anything but digits with or without a plus.
    """
    plus = texts.str.starts_with("+").fill_null(value=False).to_numpy()
    value = texts.cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    length = texts.str.len_bytes().fill_null(0).to_numpy().astype(np.int64)
    return Digits(value, length - plus), plus


def _direct(texts: pl.Series, rows: npt.NDArray[np.intp], plus: Flags, places: Places) -> _Part:
    """Take rows as they stand: a calling code and a number, with nothing to drop."""
    if len(rows) < len(texts):
        texts, plus = texts.gather(rows), plus[rows]
    numbers = texts if plus.all() else texts.zip_with(pl.Series(plus), "+" + texts)
    return _part(rows, numbers, texts, places)


def _part(
    rows: npt.NDArray[np.intp], numbers: pl.Series, dialled: pl.Series, places: Places
) -> _Part:
    """Keep numbers that are in the plan; what was dialled stands for the others."""
    nothing = pl.Series([None], dtype=pl.String)
    in_plan = _in_plan()[places]
    if in_plan.all():
        return _Part(rows, numbers, nothing.new_from_index(0, len(rows)), places)
    mask = pl.Series(in_plan)
    return _Part(rows, numbers.zip_with(mask, nothing), nothing.zip_with(mask, dialled), places)


def _digits(
    dialled: pl.Series,
    digits: Digits,
    plus: Flags,
    rows: npt.NDArray[np.intp],
    country: str,
    bare: Bare,
) -> list[_Part]:
    """Read digits with or without a plus as they are dialled in a country."""
    text = dialled.str.strip_prefix("+") if plus.any() else dialled
    few = ~plus & (digits.count <= LONGEST_SHORT)
    coded = plus
    if bare == "international":
        coded = plus | (~few & ~digits.begins("0"))
    longer, found = read_longer(digits, text, coded, country)
    parts = [_long(rows[longer], found)] if found else []
    for which, read in (
        (coded & ~longer, _with_code),
        (few, _short),
        (~(coded | few | longer), _inland),
    ):
        if which.all():
            return [read(rows, dialled, digits, country)]
        if which.any():
            mine = np.flatnonzero(which)
            parts.append(read(rows[mine], dialled.gather(mine), digits[mine], country))
    return parts


def _long(rows: npt.NDArray[np.intp], found: list[Longer]) -> _Part:
    numbers = pl.Series([each.number for each in found], dtype=pl.String)
    first = len(world().said) + len(_ELSE)
    places = np.array([first + TOLD.index(each.told) for each in found], np.uint16)
    return _part(rows, numbers, numbers, places)


def _with_code(
    rows: npt.NDArray[np.intp], dialled: pl.Series, digits: Digits, country: str
) -> _Part:
    """Read digits that begin with a calling code or, by mistake, with an exit code."""
    read = international(digits)
    lost = ~_has_code()[read.places]
    if not lost.any():
        return _part(rows, read.numbers(), dialled, read.places)
    text = dialled.str.strip_prefix("+")
    again = home_of(country).read_after_exit(digits, text)
    read = Read(
        again.digits.where(lost, read.digits),
        np.where(lost, again.places, read.places),
    )
    return _part(rows, read.numbers(), dialled, read.places)


def _inland(rows: npt.NDArray[np.intp], dialled: pl.Series, digits: Digits, country: str) -> _Part:
    read = home_of(country).read(digits, dialled)
    short = short_of(country)
    if not short.longer:
        return _part(rows, read.numbers(), dialled, read.places)
    kinds = np.where(_valid()[read.places], "", short.kinds(digits))
    return _part(rows, read.numbers(), dialled, np.where(kinds == "", read.places, _told(kinds)))


def _short(rows: npt.NDArray[np.intp], dialled: pl.Series, digits: Digits, country: str) -> _Part:
    """Read few digits: an emergency number, a short code, a number, or else an extension."""
    short = short_of(country)
    kinds = short.kinds(digits)
    read = home_of(country).read(digits, dialled)
    number = (kinds == "") & _valid()[read.places]
    number &= short.written_as_number(digits, dialled, read)
    return _part(rows, read.numbers(), dialled, np.where(number, read.places, _told(kinds)))


def _told(kinds: npt.NDArray[np.str_]) -> Places:
    """Return the places of kinds of short numbers; what is of none is an extension."""
    places = np.full(len(kinds), _place(NumberType.EXTENSION.value), np.uint16)
    for kind in _SHORT_KINDS:
        places[kinds == kind] = _place(kind)
    return places


def _written(texts: pl.Series, rows: npt.NDArray[np.intp], country: str, bare: Bare) -> list[_Part]:
    """Find the digits in what is written another way, or say what else it is."""
    frame = _cleaned(texts.gather(rows))
    digital = frame["dialled"].str.contains(r"^\+?[0-9]+$").fill_null(value=False).to_numpy()
    withheld = frame["withheld"].to_numpy()
    digital &= ~withheld
    code = frame["dialled"].str.contains(r"^[*#][0-9*#]*$").fill_null(value=False).to_numpy()
    code &= ~withheld
    at = np.flatnonzero(digital)
    parts = []
    if len(at):
        dialled = frame["dialled"].gather(at)
        digits = Digits.of(dialled.str.strip_prefix("+"))
        plus = dialled.str.starts_with("+").to_numpy()
        parts = _digits(dialled, digits, plus, rows[at], country, bare)
    other = ~(withheld | digital | code)
    for which, column, kind in (
        (withheld, None, Validity.WITHHELD.value),
        (code, "dialled", NumberType.FEATURE_CODE.value),
        (other, "address", Validity.NOT_A_NUMBER.value),
    ):
        mine = np.flatnonzero(which)
        nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(mine))
        parties = frame[column].gather(mine) if column else nothing
        places = np.full(len(mine), _place(kind), np.uint16)
        parts.append(_Part(rows[mine], nothing, parties, places))
    return parts


def as_dialled(raw: pl.Series) -> pl.Series:
    """Return the digits of each end as they were dialled, or what else it says there."""
    return _cleaned(raw)["dialled"]


def _cleaned(raw: pl.Series) -> pl.DataFrame:
    """Take the name, the scheme, parameters and punctuation off.

    Columns `address` (what stands for the end where it is no number), `dialled` and
    `withheld`.
    """
    text = pl.col("raw")
    bracketed = text.str.extract(r"<([^>]*)>", 1)
    named = pl.coalesce(bracketed, text).str.strip_chars(" \t\"'")
    bare = named.str.replace(r"(?i)^(sips?|tel):", "")
    address = bare.str.replace(r"[;?].*$", "")
    user = address.str.replace("(?i)%2b", "+").str.replace(r"@.*$", "").str.replace(r":.*$", "")
    digits = user.str.replace(_EXTENSION, "$1").str.replace_all(_PUNCTUATION, "")
    context = bare.str.extract(_CONTEXT, 1).str.replace_all(_PUNCTUATION, "")
    frame = pl.DataFrame({"raw": raw}).select(
        address.alias("address"),
        pl.when(context.is_not_null() & ~digits.str.starts_with("+"))
        .then(context + digits)
        .otherwise(digits)
        .alias("dialled"),
        (address.fill_null("").str.contains(_WITHHELD) | (address.fill_null("") == "")).alias(
            "withheld"
        ),
    )
    ascii_only = frame["dialled"].str.len_bytes() == frame["dialled"].str.len_chars()
    if ascii_only.fill_null(value=True).all():
        return frame
    return frame.with_columns(
        pl.col("dialled").str.replace_many(list(_OTHER_SIGNS), list(_OTHER_SIGNS.values()))
    )


def _struct(parts: list[_Part], country: str, name: str) -> pl.Series:
    if len(parts) == 1 or len(parts[0].rows) == sum(len(part.rows) for part in parts):
        numbers, parties, places = parts[0].numbers, parts[0].parties, parts[0].places
    else:
        rows = np.concatenate([part.rows for part in parts])
        back = np.empty(len(rows), np.intp)
        back[rows] = np.arange(len(rows))
        numbers, parties = (
            pl.concat(pieces, rechunk=True).gather(back)
            for pieces in (
                [part.numbers for part in parts],
                [part.parties for part in parts],
            )
        )
        places = np.concatenate([part.places for part in parts])[back]
    told = _said(country).select(pl.all().gather(pl.Series(places)))
    return told.select(
        numbers.alias("number"), parties.alias("party"), "country", "number_type", "validity"
    ).to_struct(name)


@cache
def _said(country: str) -> pl.DataFrame:
    """Say what each place means: `world().said`, what only a text or a country tells, `TOLD`."""
    rows: list[tuple[str | None, str | None, str]] = [
        (verdict.country, verdict.kind, verdict.validity) for verdict in world().said
    ]
    rows += [
        (None if told in _OF_NO_COUNTRY else country, kind, validity)
        for told, kind, validity in _ELSE
    ]
    rows += TOLD
    return pl.DataFrame(
        rows,
        schema={"country": CODES, "number_type": CODES, "validity": CODES},
        orient="row",
    )


_SHORT, _NO_NUMBER = Validity.SHORT.value, Validity.NOT_A_NUMBER.value
_ELSE: tuple[tuple[str, str | None, str], ...] = (
    (Validity.WITHHELD.value, None, Validity.WITHHELD.value),
    (_NO_NUMBER, None, _NO_NUMBER),
    (NumberType.FEATURE_CODE.value, NumberType.FEATURE_CODE.value, _SHORT),
    (NumberType.EMERGENCY.value, NumberType.EMERGENCY.value, _SHORT),
    (NumberType.SHORT_CODE.value, NumberType.SHORT_CODE.value, _SHORT),
    (NumberType.EXTENSION.value, NumberType.EXTENSION.value, _SHORT),
)
"""What is said of what is in no numbering plan: its name here, type and validity."""

_SHORT_KINDS = (NumberType.EMERGENCY.value, NumberType.SHORT_CODE.value)
_OF_NO_COUNTRY = (Validity.WITHHELD.value, _NO_NUMBER, NumberType.FEATURE_CODE.value)


def _place(told: str) -> int:
    return len(world().said) + next(n for n, each in enumerate(_ELSE) if each[0] == told)


@cache
def _settled() -> Flags:
    """For each place: it has a calling code, and no prefix may have to be dropped."""
    return np.array([bool(v.code) and not v.prefixed for v in world().said])


@cache
def _has_code() -> Flags:
    return np.array([bool(v.code) for v in world().said])


@cache
def _valid() -> Flags:
    return np.array([v.validity == Validity.VALID.value for v in world().said])


@cache
def _in_plan() -> Flags:
    of_table = [v.validity in IN_PLAN for v in world().said]
    return np.array(of_table + [False] * len(_ELSE) + [True] * len(TOLD))
