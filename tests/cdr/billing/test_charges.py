"""Hand-computed charges, and the same sum in exact fractions."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction
from math import ceil

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.billing.charges import (
    MAX_LENGTH_MS,
    MAX_PRICE_MICRO,
    Rounding,
    amount_micro,
    billed_s,
)

# length in s, free, minimum, increment -> seconds charged
SECONDS = [
    ("59.999", 0, 60, 60, 60),
    ("60.000", 0, 60, 60, 60),
    ("60.001", 0, 60, 60, 120),
    ("0.001", 0, 60, 60, 60),
    ("29.999", 0, 30, 6, 30),
    ("30.000", 0, 30, 6, 30),
    ("30.001", 0, 30, 6, 36),
    ("36.000", 0, 30, 6, 36),
    ("36.001", 0, 30, 6, 42),
    ("0.001", 0, 1, 1, 1),
    ("59.999", 0, 1, 1, 60),
    ("60.000", 0, 1, 1, 60),
    ("60.001", 0, 1, 1, 61),
    ("7.000", 0, 0, 7, 7),
    ("7.001", 0, 0, 7, 14),
    ("0.000", 0, 30, 6, 30),
    ("0.000", 0, 0, 1, 0),
    ("10.000", 10, 60, 60, None),
    ("10.001", 10, 60, 60, 60),
    ("70.000", 10, 60, 60, 60),
    ("70.001", 10, 60, 60, 120),
]


@pytest.mark.parametrize(("length", "free", "least", "step", "charged"), SECONDS)
def test_seconds_charged_by_hand(
    length: str, free: int, least: int, step: int, charged: int | None
) -> None:
    frame = pl.DataFrame({"ms": [int(Decimal(length) * 1000)]})
    found = frame.select(
        billed_s(pl.col("ms"), free_s=pl.lit(free), min_s=pl.lit(least), increment_s=pl.lit(step))
    )
    assert found.item() == charged


# seconds, price of a minute, fee, decimals, rounding -> amount
AMOUNTS = [
    (60, "0.0200", "0", 4, "half_up", "0.0200"),
    (36, "0.0250", "0.0500", 4, "half_up", "0.0650"),
    (1, "0.0100", "0", 4, "half_up", "0.0002"),  # 0.000166..
    (1, "0.0090", "0", 4, "half_up", "0.0002"),  # 0.00015, a half
    (1, "0.0090", "0", 4, "half_even", "0.0002"),  # 1.5 -> 2
    (1, "0.0150", "0", 4, "half_even", "0.0002"),  # 2.5 -> 2
    (1, "0.0150", "0", 4, "half_up", "0.0003"),
    (1, "0.0001", "0", 4, "up", "0.0001"),
    (1, "0.0119", "0", 4, "down", "0.0001"),
    (60, "0.005", "0", 2, "half_up", "0.01"),
    (60, "0.004999", "0", 2, "half_up", "0.00"),
    (60, "0.5", "0", 0, "half_up", "1"),
    (61, "0.123457", "0.000001", 6, "half_up", "0.125516"),  # 0.1255156..
    (None, "0.0200", "0.0500", 4, "up", "0"),  # within its free seconds: no fee either
]


@pytest.mark.parametrize(("charged", "rate", "fee", "decimals", "mode", "amount"), AMOUNTS)
def test_amounts_by_hand(
    charged: int | None, rate: str, fee: str, decimals: int, mode: str, amount: str
) -> None:
    assert _amount(charged, rate, fee, decimals, mode) == Decimal(amount)


def _amount(charged: int | None, rate: str, fee: str, decimals: int, mode: str) -> Decimal:
    frame = pl.DataFrame(
        {
            "s": pl.Series([charged], dtype=pl.Int64),
            "rate": [int(Decimal(rate) * 10**6)],
            "fee": [int(Decimal(fee) * 10**6)],
        }
    )
    found = frame.select(
        amount_micro(
            pl.col("s"),
            rate_micro=pl.col("rate"),
            fee_micro=pl.col("fee"),
            decimals=decimals,
            rounding=Rounding(mode),
        )
    ).item()
    return Decimal(found) / 10**6


EXACT = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "up": ROUND_UP,
    "down": ROUND_DOWN,
}


@given(
    st.integers(0, MAX_LENGTH_MS // 1000),
    st.integers(0, MAX_PRICE_MICRO),
    st.integers(0, MAX_PRICE_MICRO),
    st.integers(0, 6),
    st.sampled_from(sorted(EXACT)),
)
def test_it_is_the_exact_sum_rounded_once(
    charged: int, rate: int, fee: int, decimals: int, mode: str
) -> None:
    exact = Fraction(fee, 10**6) + Fraction(rate, 10**6) * charged / 60
    scaled = exact * 10**decimals
    whole = scaled.numerator // scaled.denominator
    rest = scaled - whole
    # a decimal that lies where the fraction lies between two amounts: below, on or above a half
    between = Decimal("0.5") + (rest > Fraction(1, 2)) * Decimal("0.1")
    between -= (rest < Fraction(1, 2)) * Decimal("0.1")
    stand_in = Decimal(whole) + (between if rest else 0)
    expected = stand_in.quantize(Decimal(1), rounding=EXACT[mode]) / 10**decimals
    found = _amount(charged, str(Decimal(rate) / 10**6), str(Decimal(fee) / 10**6), decimals, mode)
    assert found == expected


@given(st.integers(0, MAX_LENGTH_MS), st.integers(0, 99), st.integers(0, 99), st.integers(1, 99))
def test_seconds_charged_cover_the_call_and_no_step_more(
    ms: int, free: int, least: int, step: int
) -> None:
    found = pl.DataFrame({"ms": [ms]}).select(
        billed_s(
            pl.col("ms"), free_s=pl.lit(free), min_s=pl.lit(least), increment_s=pl.lit(step)
        )
    ).item()  # fmt: skip
    if free and ms <= free * 1000:
        assert found is None
        return
    beyond = max(Fraction(ms, 1000) - free - least, Fraction(0))
    assert found == least + ceil(beyond / step) * step
