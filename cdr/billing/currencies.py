"""How amounts of a currency are written: exactly, and at least with its minor units."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import polars as pl

_NOT_HUNDREDTHS: Final = {
    0: {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
        "XAF", "XOF", "XPF"},
    3: {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"},
}  # fmt: skip
"""Currencies by their decimals, where those are not 2. ISO 4217, list one, column "minor unit"."""


_SUM: Final = pl.Decimal(38, 6)


def minor_units(currency: str) -> int:
    """Return how many decimals the coins of a currency make: 2 for EUR, 0 for JPY."""
    return next((n for n, currencies in _NOT_HUNDREDTHS.items() if currency in currencies), 2)


def written(amounts: pl.Series, currency: str) -> pl.Series:
    """Write amounts of one currency, so that they stand under each other and none is rounded.

    Parameters
    ----------
    amounts : Series of `cdr.schema.MONEY`
        In currency units.
    currency : str
        ISO 4217 code.

    Returns
    -------
    Series of String
        All with as many decimals as the currency has or, where that is more, the longest needs.

    Examples
    --------
    >>> written(pl.Series(["0.35", "12.0125"]).cast(pl.Decimal(18, 6)), "EUR").to_list()
    ['0.3500', '12.0125']
    >>> written(pl.Series(["7"]).cast(pl.Decimal(18, 6)), "JPY").to_list()
    ['7']
    """
    parts = amounts.cast(pl.String).str.split(".")
    decimals = parts.list.get(1)
    longest = decimals.str.strip_chars_end("0").str.len_chars().max() or 0
    shown = max(minor_units(currency), int(str(longest)))
    return (parts.list.get(0) + "." + decimals.str.head(shown)).str.strip_chars_end(".")


def exact(amount: Decimal, currency: str) -> str:
    """Write one amount as :func:`written` writes many.

    Examples
    --------
    >>> exact(Decimal("524.292000"), "EUR"), exact(Decimal("7.500000"), "EUR")
    ('524.292', '7.50')
    """
    return str(written(pl.Series([amount], dtype=_SUM), currency).item())


def in_coins(amount: Decimal, currency: str, rounding: str) -> Decimal:
    """Round an amount to what can be paid: the minor units of its currency.

    ``rounding`` is one of :class:`cdr.billing.charges.Rounding`.

    Examples
    --------
    >>> str(in_coins(Decimal("0.3450"), "EUR", "half_up"))
    '0.35'
    """
    return amount.quantize(Decimal(1).scaleb(-minor_units(currency)), f"ROUND_{rounding.upper()}")
