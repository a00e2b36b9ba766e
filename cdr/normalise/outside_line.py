"""The digit that is dialled first to get out of a PBX, taken off what was dialled.

A PBX writes the called number as it was dialled: with the digit for an outside line where the call
went out, without it where it stayed inside. Which of the two it was is told by what the digits are.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import phonenumbers
import polars as pl
from phonenumbers.phonemetadata import PhoneMetadata

from cdr.memory import Memory
from cdr.normalise.numbering import NumberType, Validity
from cdr.normalise.numbers import as_dialled, normalise_party
from cdr.sources import SourceSettings


def read_end(raw: pl.Expr, source: SourceSettings, *, dialled: bool) -> pl.Expr:
    """Say who one end of a call is, as its source writes ends.

    Parameters
    ----------
    raw : Expr of String
        As `normalise_party` takes it.
    source : SourceSettings
        Country, way of bare digits, and the digits for an outside line.
    dialled : bool
        Somebody dialled it: it may begin with the digits for an outside line.

    Returns
    -------
    Expr of Struct, see `cdr.normalise.numbers.PARTY`
    """
    if dialled and source.outside_line:
        off = _memory(source.country, source.outside_line)
        raw = raw.map_batches(off.of, return_dtype=pl.String, is_elementwise=True)
    return normalise_party(raw, country=source.country, bare=source.bare_numbers)


@lru_cache(maxsize=4)
def _memory(country: str, outside: str) -> Memory:
    return Memory(lambda texts: without_outside_line(texts, country, outside))


def without_outside_line(texts: pl.Series, country: str, outside: str) -> pl.Series:
    """Take the digits for an outside line off, where they were dialled.

    They were where a number or an emergency number follows. Digits that are a number as they
    stand keep them, unless the trunk or exit prefix of the country follows: `0015712345678` in
    Germany, with 0 for an outside line, is the mobile number 0157 12345678, since who wants
    Virginia dials another 0. An emergency number as it stands, a short code before a number, and
    the country's own code behind an exit prefix keep them in any case.

    Parameters
    ----------
    texts : Series of String
        Ends of calls as written.
    country : str
        ISO 3166-1 alpha-2 code of the country they were dialled in.
    outside : str
        One or more digits.

    Returns
    -------
    Series of String
        What was dialled behind the digits; other texts as they were.

    Examples
    --------
    >>> dialled = pl.Series(["00301234567", "0112", "0300", "0301234567", "+49301234567"])
    >>> without_outside_line(dialled, "DE", "0").to_list()
    ['0301234567', '112', '0300', '0301234567', '+49301234567']
    """
    whole = as_dialled(texts)
    at = whole.str.contains(rf"^{outside}[0-9]+$").fill_null(value=False).arg_true()
    if at.is_empty():
        return texts
    rows = pl.DataFrame({"whole": whole.gather(at)}).with_columns(
        rest=pl.col("whole").str.slice(len(outside))
    )
    read = rows.with_columns(
        normalise_party(pl.col(name), country=country).name.prefix_fields(f"{name}_").alias(name)
        for name in ("whole", "rest")
    ).unnest("whole", "rest")
    dialled = pl.concat([rows, read], how="horizontal").select(_outside(country)).to_series()
    return texts.scatter(at.filter(dialled), rows["rest"].filter(dialled))


def _outside(country: str) -> pl.Expr:
    """Tell of `whole` and `rest`, and what they are read as, which went through an outside line."""
    plan: Any = PhoneMetadata.metadata_for_region(country)
    exits = f"(?:{plan.international_prefix})"
    prefixed = f"^(?:{exits}|{plan.national_prefix})" if plan.national_prefix else f"^{exits}"
    own = rf"^{exits}{phonenumbers.country_code_for_region(country)}"
    whole, rest = (_Side(name) for name in ("whole", "rest"))
    stands = whole.is_emergency | whole.is_short_code
    stands |= whole.is_number & pl.col("whole").str.contains(own)
    number = rest.is_number & (~whole.is_number | pl.col("rest").str.contains(prefixed)) & ~stands
    emergency = rest.is_emergency & ~whole.is_number & ~whole.is_emergency
    return number | emergency


class _Side:
    """What one of the two readings is; never null."""

    def __init__(self, name: str) -> None:
        kind = pl.col(f"{name}_number_type").cast(pl.String)
        self.is_number = pl.col(f"{name}_validity") == Validity.VALID.value
        self.is_emergency = kind.eq_missing(NumberType.EMERGENCY.value)
        self.is_short_code = kind.eq_missing(NumberType.SHORT_CODE.value)
