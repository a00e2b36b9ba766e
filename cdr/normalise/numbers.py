"""From what a switch wrote about one end of a call to a number, or to what stands for it.

Each distinct text is read once by the `phonenumbers` library and remembered, so the
cost follows the numbers that occur, not the calls.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

import phonenumbers
import polars as pl

from cdr.errors import SettingsError
from cdr.normalise.numbering import NUMBERING_VERSION, SATELLITE, NumberType, Validity

Bare = Literal["national", "international"]

MAX_DIGITS = 18
"""Digits a dialled number has at most: 15 of E.164 (ITU-T, 11/2010) and an exit code."""

LONGEST_SHORT = 6
"""Digits of short codes and extensions at most. Ours: no E.164 number has fewer than 7."""

__all__ = ["IN_PLAN", "NUMBERING_VERSION", "PARTY", "NumberType", "Validity", "normalise_party"]

PARTY = pl.Struct(
    {
        "number": pl.String(),
        "party": pl.String(),
        "country": pl.String(),
        "number_type": pl.String(),
        "validity": pl.String(),
    }
)

IN_PLAN = (Validity.VALID.value, Validity.UNALLOCATED.value)
"""Verdicts with which digits are an E.164 number."""

_WITHHELD = (
    r"(?i)^(anonymous|restricted|unavailable|unknown|private|withheld|blocked|coinline/payphone)"
    r"(@.*)?$"
)
_PUNCTUATION = r"[\s().\-/\u{a0}]"


def normalise_party(raw: pl.Expr, *, country: str, bare: Bare = "national") -> pl.Expr:
    """Say who one end of a call is.

    Parameters
    ----------
    raw : Expr of String
        As written: ``+49 30 1234567``, ``0049…``, ``030…``, ``sip:+49…@host;user=phone``,
        ``"Name" <030…>``, ``anonymous``, ``*72``, a SIP user name.
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
    return raw.map_batches(
        lambda texts: _normalised(texts, country, bare), return_dtype=PARTY, is_elementwise=True
    )


def _normalised(texts: pl.Series, country: str, bare: Bare) -> pl.Series:
    distinct = pl.DataFrame({"raw": texts.unique()})
    known = _read(distinct, country, bare)
    return (
        pl.DataFrame({"raw": texts})
        .join(known, on="raw", how="left", nulls_equal=True, maintain_order="left")["end"]
        .alias(texts.name)
    )


def _read(distinct: pl.DataFrame, country: str, bare: Bare) -> pl.DataFrame:
    """Map each distinct text to its struct: columns `raw`, `end`."""
    bracketed = pl.col("raw").str.extract(r"<([^>]*)>", 1)
    named = pl.coalesce(bracketed, pl.col("raw")).str.strip_chars(" \t\"'")
    address = named.str.replace(r"(?i)^(sips?|tel):", "").str.replace(r"[;?].*$", "")
    user = address.str.replace("(?i)%2b", "+").str.replace(r"@.*$", "")
    dialled = user.str.replace_all(_PUNCTUATION, "")
    frame = distinct.with_columns(address.alias("address"), dialled.alias("dialled")).with_columns(
        pl.col("dialled")
        .str.contains(rf"^\+?\d{{1,{MAX_DIGITS}}}$")
        .fill_null(value=False)
        .alias("digital"),
        (
            pl.col("address").fill_null("").str.contains(_WITHHELD)
            | (pl.col("address").fill_null("") == "")
        ).alias("withheld"),
    )
    return frame.with_columns(_looked_up(frame, country, bare)).select(
        "raw",
        pl.when(pl.col("withheld"))
        .then(_end(None, None, None, None, pl.lit(Validity.WITHHELD.value)))
        .when(pl.col("digital"))
        .then(
            _end(
                pl.when(pl.col("verdict").is_in(IN_PLAN)).then(pl.col("number")),
                pl.when(~pl.col("verdict").is_in(IN_PLAN)).then(pl.col("dialled")),
                pl.col("of_country"),
                pl.col("type"),
                pl.col("verdict"),
            )
        )
        .when(pl.col("dialled").str.contains(r"^[*#][\d*#]*$"))
        .then(
            _end(
                None,
                pl.col("dialled"),
                None,
                pl.lit(NumberType.FEATURE_CODE.value),
                pl.lit(Validity.SHORT.value),
            )
        )
        .otherwise(_end(None, pl.col("address"), None, None, pl.lit(Validity.NOT_A_NUMBER.value)))
        .alias("end"),
    )


def _end(
    number: pl.Expr | None,
    party: pl.Expr | None,
    country: pl.Expr | None,
    number_type: pl.Expr | None,
    validity: pl.Expr,
) -> pl.Expr:
    fields = (number, party, country, number_type, validity)
    return pl.struct(
        (pl.lit(None, pl.String) if value is None else value).alias(field.name)
        for field, value in zip(PARTY.fields, fields, strict=True)
    )


def _looked_up(frame: pl.DataFrame, country: str, bare: Bare) -> list[pl.Series]:
    """Look up each distinct dialled text: `number`, `verdict`, `of_country` and `type`."""
    dialled = frame.select(pl.when("digital").then(pl.col("dialled"))).to_series().to_list()
    read = [_lookup(text, country, bare) if text else (None, None, None, None) for text in dialled]
    looked_up = pl.DataFrame(
        read,
        schema=dict.fromkeys(("number", "verdict", "of_country", "type"), pl.String()),
        orient="row",
    )
    return list(looked_up)


@lru_cache(maxsize=500_000)
def _lookup(dialled: str, country: str, bare: Bare) -> tuple[str | None, str, str | None, str]:
    """Read one dialled text with the library: E.164, verdict, country and type."""
    if len(dialled) <= LONGEST_SHORT and not dialled.startswith("+"):
        return None, Validity.SHORT.value, country, _short_type(dialled, country)
    text = f"+{dialled}" if bare == "international" and dialled[0] not in "+0" else dialled
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None, Validity.IMPOSSIBLE.value, None, NumberType.UNKNOWN.value
    if not phonenumbers.is_possible_number(number):
        return None, Validity.IMPOSSIBLE.value, None, NumberType.UNKNOWN.value
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    of_country = phonenumbers.region_code_for_number(number)
    if not phonenumbers.is_valid_number(number):
        return e164, Validity.UNALLOCATED.value, of_country, NumberType.UNKNOWN.value
    national = str(number.national_number)
    if re.match(SATELLITE.get(number.country_code or 0, "(?!)"), national):
        kind = NumberType.SATELLITE
    else:
        kind = _TYPES[phonenumbers.number_type(number)]
    return e164, Validity.VALID.value, of_country, kind.value


def _short_type(dialled: str, country: str) -> str:
    if phonenumbers.is_emergency_number(dialled, country):
        return NumberType.EMERGENCY.value
    return NumberType.SHORT_CODE.value


_TYPES = {
    kind: NumberType(name.lower().replace("fixed_line", "fixed").replace("_rate", ""))
    for name, kind in vars(phonenumbers.PhoneNumberType).items()
    if name.isupper() and name not in ("UNKNOWN", "PERSONAL_NUMBER")
} | {
    phonenumbers.PhoneNumberType.UNKNOWN: NumberType.UNKNOWN,
    phonenumbers.PhoneNumberType.PERSONAL_NUMBER: NumberType.PERSONAL,
}
