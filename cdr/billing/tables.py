"""The tables that billing keeps, made known to sessions, retention and rights.

Decks are kept in every version that ever counted, and lines are kept as they were
sealed, so that an old period can be shown and worked out again as it was.
"""

from __future__ import annotations

from functools import partial

import polars as pl

from cdr.schema import (
    BILLING,
    DIRECT,
    FOR_RIGHTS,
    INDIRECT,
    INSTANT,
    KEY,
    MONEY,
    TEXTS,
    Field,
    Kept,
    Purpose,
    Table,
    register,
)

_field = partial(Field, purposes=BILLING)


DECKS = Table(
    "rate_decks",
    "import of a rate deck; the last one of a name counts",
    (
        _field("deck", pl.String(), "text", "Name of the deck."),
        _field("deck_id", pl.String(), "hex", "SHA-256 of its rows."),
        _field("file", pl.String(), "text", "Name of the file."),
        _field("rates", pl.Int64(), "rows", "How many rates it has."),
        _field("imported_at", INSTANT, "UTC", "When we were told."),
    ),
    kept=(Kept(Purpose.BILLING),),
)

RATES = Table(
    "rates",
    "prefix and period of validity of a version of a deck",
    (
        _field("deck_id", pl.String(), "hex", "The version; the partition."),
        _field("prefix", pl.String(), "digits", "Of E.164 numbers."),
        _field("destination", pl.String(), "text", "What it is called.", nullable=True),
        _field("rate_per_min", MONEY, "currency", "Price of a minute."),
        _field("connect_fee", MONEY, "currency", "Price of an answer."),
        _field("min_s", pl.Int64(), "s", "Charged at least."),
        _field("increment_s", pl.Int64(), "s", "Charged in steps of."),
        _field("free_s", pl.Int64(), "s", "Free at the start."),
        _field("currency", pl.String(), "ISO 4217", "Of both prices."),
        _field("valid_from", INSTANT, "UTC", "From when on; null since ever.", nullable=True),
        _field("valid_to", INSTANT, "UTC", "Until when (excluded).", nullable=True),
    ),
    partition_by=("deck_id",),
    kept=(Kept(Purpose.BILLING),),
)


LINES = Table(
    "billing_lines",
    "line of a sealed billing period",
    (
        _field("period", pl.String(), "year-month", "The period it was billed in; the partition."),
        _field("line", pl.Int64(), "ordinal", "Its number in that period, from 1."),
        _field("kind", pl.String(), "code", "`call`, `late`, `reversal` or `replacement`."),
        _field("corrects", pl.String(), "period/line", "The line it corrects.", nullable=True),
        _field("call_period", pl.String(), "year-month", "The period that the call lies in."),
        _field("record_id", KEY, "16 bytes", "The leg, as in `calls`."),
        _field("account_id", pl.String(), "text", "Who pays.", nullable=True, personal=INDIRECT),
        _field("direction", pl.String(), "code", "`outbound`, `inbound` or `internal`."),
        _field(
            "caller_number", pl.String(), "E.164", "The caller's.", nullable=True, personal=DIRECT
        ),
        _field("number", pl.String(), "E.164", "What was priced.", nullable=True, personal=DIRECT),
        _field("started_at", INSTANT, "UTC", "When the call began.", personal=INDIRECT),
        _field("duration_ms", pl.Int64(), "ms", "Answer to release.", nullable=True),
        _field("rule", pl.String(), "code", "The rule that decided.", nullable=True),
        _field("deck", pl.String(), "text", "The deck that priced it.", nullable=True),
        _field("prefix", pl.String(), "digits", "The prefix that priced it.", nullable=True),
        _field("destination", pl.String(), "text", "What the deck calls it.", nullable=True),
        _field("billed_s", pl.Int64(), "s", "Seconds charged; negative undoes.", nullable=True),
        _field("amount", MONEY, "currency", "Null where it has no price.", nullable=True),
        _field("currency", pl.String(), "ISO 4217", "Of `amount`.", nullable=True),
        _field("cost", MONEY, "currency", "What it costs us; null unknown.", nullable=True),
        _field("cost_currency", pl.String(), "ISO 4217", "Of `cost`.", nullable=True),
        _field("reason", pl.String(), "code", "Why it has no price; else null.", nullable=True),
        _field("facts_hash", pl.Int64(), "hash", "Of what a correction would change."),
    ),
    partition_by=("period",),
    kept=(Kept(Purpose.BILLING, ("bookkeeping_days",)), FOR_RIGHTS),
)

SEALS = Table(
    "billing_extracts",
    "sealed billing period",
    (
        _field("period", pl.String(), "year-month", "Which; key."),
        _field("zone", pl.String(), "IANA zone", "By whose clock it began and ended."),
        _field("sealed_at", INSTANT, "UTC", "When it was sealed."),
        _field("calls_version", pl.Int64(), "version", "Of `calls`; -1 where it had no rows."),
        _field("rules", pl.String(), "CSV", "The rules that it was billed by."),
        _field("decks", pl.String(), "JSON", "Version of each deck."),
        _field("manifest", pl.String(), "JSON", "Counts, totals and versions."),
        _field("lines_sha256", pl.String(), "hex", "Of its lines as CSV."),
        _field("ingests", TEXTS, "text", "Files taken in before that have calls of its time."),
    ),
    kept=(Kept(Purpose.BILLING, ("bookkeeping_days",)), FOR_RIGHTS),
)

WITHDRAWALS = Table(
    "billing_withdrawals",
    "leg that is not to be billed any more, because it was erased or taken back",
    (
        _field("record_id", KEY, "16 bytes", "The leg, as it was in `calls`."),
        _field("reason", pl.String(), "code", "`erased` or `withdrawn`."),
        _field("withdrawn_at", INSTANT, "UTC", "When."),
    ),
    kept=(Kept(Purpose.BILLING), FOR_RIGHTS),
)

RELEASES = Table(
    "billing_releases",
    "leg that a rule holds and a person decided to bill as it is",
    (
        _field("record_id", KEY, "16 bytes", "The leg, as in `calls`."),
        _field("counts_from", pl.String(), "year-month", "First period open then; empty: ever."),
        _field("why", pl.String(), "text", "The reason given."),
        _field("released_at", INSTANT, "UTC", "When."),
    ),
    kept=(Kept(Purpose.BILLING), FOR_RIGHTS),
)

register(DECKS, RATES, LINES, SEALS, WITHDRAWALS, RELEASES)
