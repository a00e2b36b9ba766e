"""The tables that billing keeps, made known to sessions, retention and rights.

Decks are kept in every version that ever counted, and lines are kept as they were
sealed, so that an old period can be shown and worked out again as it was.
"""

from __future__ import annotations

import polars as pl

from cdr.schema import BILLING, INSTANT, MONEY, NONE, Field, Table, register

DECKS = Table(
    "rate_decks",
    "import of a rate deck; the last one of a name counts",
    (
        Field("deck", pl.String(), "text", "Name of the deck.", False, NONE, BILLING),
        Field("deck_id", pl.String(), "hex", "SHA-256 of its rows.", False, NONE, BILLING),
        Field("file", pl.String(), "text", "Name of the file.", False, NONE, BILLING),
        Field("rates", pl.Int64(), "rows", "How many rates it has.", False, NONE, BILLING),
        Field("imported_at", INSTANT, "UTC", "When we were told.", False, NONE, BILLING),
    ),
)

RATES = Table(
    "rates",
    "prefix and period of validity of a version of a deck",
    (
        Field("deck_id", pl.String(), "hex", "The version; the partition.", False, NONE, BILLING),
        Field("prefix", pl.String(), "digits", "Of E.164 numbers.", False, NONE, BILLING),
        Field("destination", pl.String(), "text", "What it is called.", True, NONE, BILLING),
        Field("rate_per_min", MONEY, "currency", "Price of a minute.", False, NONE, BILLING),
        Field("connect_fee", MONEY, "currency", "Price of an answer.", False, NONE, BILLING),
        Field("min_s", pl.Int64(), "s", "Charged at least.", False, NONE, BILLING),
        Field("increment_s", pl.Int64(), "s", "Charged in steps of.", False, NONE, BILLING),
        Field("free_s", pl.Int64(), "s", "Free at the start.", False, NONE, BILLING),
        Field("currency", pl.String(), "ISO 4217", "Of both prices.", False, NONE, BILLING),
        Field("valid_from", INSTANT, "UTC", "From when on; null since ever.", True, NONE, BILLING),
        Field("valid_to", INSTANT, "UTC", "Until when (excluded).", True, NONE, BILLING),
    ),
    partition_by=("deck_id",),
)

register(DECKS, RATES)
