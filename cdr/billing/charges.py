"""What a length costs at a price: seconds to increments to money, in whole numbers.

Money is counted in millionths of the currency unit (`micro`), 64 bits. One formula for
every deck, and one point at which it is rounded: the amount of the line.
"""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from cdr.schema import MONEY

MICRO = 1_000_000
"""Millionths in a currency unit: the six decimals that `cdr.schema.MONEY` holds."""

DECIMALS = 6

MAX_PRICE_MICRO = 10**11
"""Dearest rate or fee: 100,000 a minute. Ours, so that no product leaves 64 bits."""

MAX_LENGTH_MS = 10**10
"""Longest call that is rated: 115 days. Ours, for the same reason."""


_WIDE = pl.Decimal(38, 6)


def as_money(micro: pl.Expr) -> pl.Expr:
    """Return micro as `cdr.schema.MONEY`; null stays null."""
    return (micro.cast(_WIDE) / pl.lit(MICRO).cast(_WIDE)).cast(MONEY)


class Rounding(StrEnum):
    """What becomes of what lies between two amounts; amounts are never negative here."""

    HALF_UP = "half_up"  # a half goes up: usual in commerce
    HALF_EVEN = "half_even"  # a half goes to the even neighbour (IEEE 754)
    UP = "up"
    DOWN = "down"


def billed_s(
    duration_ms: pl.Expr, *, free_s: pl.Expr, min_s: pl.Expr, increment_s: pl.Expr
) -> pl.Expr:
    """Return the seconds charged for a call.

    Parameters
    ----------
    duration_ms : Expr of Int64
        Answer to release, in ms, 0 or more.
    free_s : Expr of Int64
        Seconds at the start that cost nothing. A call no longer than this is free, its
        connection fee included.
    min_s : Expr of Int64
        Seconds charged at least for what remains.
    increment_s : Expr of Int64
        Steps in which seconds beyond ``min_s`` are charged, 1 or more; a step begun counts.

    Returns
    -------
    Expr of Int64
        Seconds; null for a free call.
    """
    over_ms = duration_ms - free_s * 1000
    beyond_ms = (over_ms - min_s * 1000).clip(0)
    step_ms = increment_s * 1000
    steps = (beyond_ms + step_ms - 1) // step_ms
    free = (free_s > 0) & (over_ms <= 0)
    return pl.when(~free).then(min_s + steps * increment_s)


def amount_micro(
    billed: pl.Expr,
    *,
    rate_micro: pl.Expr,
    fee_micro: pl.Expr,
    decimals: int,
    rounding: Rounding,
) -> pl.Expr:
    """Return what the line costs, rounded once.

    Parameters
    ----------
    billed : Expr of Int64
        Seconds charged, as :func:`billed_s` gives them; null is a free call.
    rate_micro : Expr of Int64
        Price of a minute, in micro.
    fee_micro : Expr of Int64
        Connection fee, in micro.
    decimals : int
        Decimals that the amount keeps, 0 to 6.
    rounding : Rounding
        How the rest is rounded.

    Returns
    -------
    Expr of Int64
        Micro, a multiple of ``10 ** (6 - decimals)``; 0 for a free call.
    """
    step: int = 10 ** (DECIMALS - decimals)
    unit = 60 * step
    sixtieths = (fee_micro * 60 + rate_micro * billed).fill_null(0)
    whole, rest = sixtieths // unit, sixtieths % unit
    up = {
        Rounding.HALF_UP: rest * 2 >= unit,
        Rounding.HALF_EVEN: (rest * 2 > unit) | ((rest * 2 == unit) & (whole % 2 == 1)),
        Rounding.UP: rest > 0,
        Rounding.DOWN: pl.lit(value=False),
    }[rounding]
    return (whole + up.cast(pl.Int64)) * step
