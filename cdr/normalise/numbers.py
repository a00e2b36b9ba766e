"""From what a switch wrote about one end of a call to a number, or to what stands for it.

Texts only: what a string of digits means is a search in the table that
:mod:`cdr.normalise.dialling` makes for the source's country.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from cdr.normalise.dialling import Bare, dial_plan
from cdr.normalise.numbering import NUMBERING_VERSION, NumberType, Validity
from cdr.normalise.piecewise import MAX_DIGITS, POWERS

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
    dial_plan(country, bare)
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
    """Search the dial plan: `number`, `verdict`, `of_country` and `type` for digital rows."""
    plan = dial_plan(country, bare)
    digits = frame.select(
        pl.when("digital")
        .then(pl.col("dialled").str.strip_prefix("+"))
        .otherwise(pl.lit("0"))
        .alias("digits"),
        (pl.col("dialled").fill_null("").str.starts_with("+") & pl.col("digital")).alias("plus"),
    ).with_columns(
        pl.col("digits").cast(pl.Int64).alias("value"),
        pl.col("digits").str.len_bytes().alias("length"),
    )
    lead = np.where(digits["plus"].to_numpy(), 2, 1)
    key = lead * POWERS[digits["length"].to_numpy()] + digits["value"].to_numpy()
    row = np.searchsorted(plan.keys, key, side="right") - 1
    verdicts = pl.DataFrame(
        {
            "verdict": [v.validity.value for v in plan.verdicts],
            "of_country": [v.country for v in plan.verdicts],
            "type": [v.number_type.value for v in plan.verdicts],
        },
        schema={"verdict": pl.String(), "of_country": pl.String(), "type": pl.String()},
    )[plan.verdict[row]]
    number = digits.with_columns(
        pl.Series("drop", plan.drop[row]), pl.Series("add", plan.add[row])
    ).select(
        pl.concat_str(
            pl.lit("+"),
            pl.when(pl.col("add") > 0).then(pl.col("add").cast(pl.String)).otherwise(pl.lit("")),
            pl.col("digits").str.slice(pl.col("drop")),
        ).alias("number")
    )
    return [number["number"], *verdicts]
