"""What calls cost by a rate deck, for whole columns of calls.

Billing uses it with the decks of plans, margins and cost velocity with the deck of costs.
Who pays, and for which leg, is the business of `cdr.billing.rules`.
"""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from cdr.billing.charges import DECIMALS, MAX_LENGTH_MS, Rounding, amount_micro, billed_s
from cdr.billing.decks import Deck
from cdr.billing.prefixes import NO_PREFIX


class Unrated(StrEnum):
    """Why a call has no price; it comes out as such, never as zero."""

    NO_NUMBER = "no_number"  # what was called is not an E.164 number
    NO_RATE = "no_rate"  # no prefix of the deck holds the number at that time
    NO_LENGTH = "no_length"  # it is not known how long it was
    TOO_LONG = "too_long"  # longer than any call


RATED = pl.Schema(
    {
        "deck_row": pl.Int64(),
        "prefix": pl.String(),
        "destination": pl.String(),
        "billed_s": pl.Int64(),
        "amount_micro": pl.Int64(),
        "currency": pl.String(),
        "unrated": pl.String(),
    }
)


_OF_RATE = (
    "prefix",
    "destination",
    "currency",
    "rate_micro",
    "fee_micro",
    "min_s",
    "increment_s",
    "free_s",
)


def rated(
    calls: pl.DataFrame,
    deck: Deck,
    *,
    decimals: int = DECIMALS,
    rounding: Rounding = Rounding.HALF_UP,
) -> pl.DataFrame:
    """Price calls by a deck.

    Parameters
    ----------
    calls : DataFrame, shape (n, ...)
        `number` (E.164, what is priced), `started_at` (UTC), `duration_ms` (Int64).
        Memory is some 250 bytes a call: give millions at a time, not all.
    deck : Deck
        The rate of a call is the one valid at its start; a change during it does not count.
    decimals : int, default=6
        Decimals that an amount keeps.
    rounding : Rounding, default=Rounding.HALF_UP
        How the rest is rounded.

    Returns
    -------
    DataFrame, shape (n, 7), in the order of ``calls``
        `deck_row` (row of ``deck.rates``), `prefix`, `destination`, `billed_s` (s charged;
        null for a call within its free seconds), `amount_micro` (millionths of the
        currency unit), `currency`, `unrated` (see :class:`Unrated`). Either `unrated` is
        null or all the others are.
    """
    rows = deck.rate_of(calls["number"], calls["started_at"])
    duration = pl.col("duration_ms")
    found = calls.select(
        "number",
        "duration_ms",
        deck_row=pl.Series(rows).replace(NO_PREFIX, None),
    ).with_columns(
        unrated=pl.when(pl.col("number").is_null())
        .then(pl.lit(Unrated.NO_NUMBER.value))
        .when(pl.col("deck_row").is_null())
        .then(pl.lit(Unrated.NO_RATE.value))
        .when(duration.is_null() | (duration < 0))
        .then(pl.lit(Unrated.NO_LENGTH.value))
        .when(duration > MAX_LENGTH_MS)
        .then(pl.lit(Unrated.TOO_LONG.value))
    )
    priced = pl.when(pl.col("unrated").is_null()).then("deck_row")
    found = found.with_columns(priced.alias("deck_row"))
    of_rate = deck.rates.select(pl.col(_OF_RATE).gather(found["deck_row"]))
    return (
        found.hstack(of_rate)
        .with_columns(
            billed_s=billed_s(
                duration,
                free_s=pl.col("free_s"),
                min_s=pl.col("min_s"),
                increment_s=pl.col("increment_s"),
            )
        )
        .with_columns(
            amount_micro=pl.when(pl.col("unrated").is_null()).then(
                amount_micro(
                    pl.col("billed_s"),
                    rate_micro=pl.col("rate_micro"),
                    fee_micro=pl.col("fee_micro"),
                    decimals=decimals,
                    rounding=rounding,
                )
            )
        )
        .select(RATED.names())
    )
