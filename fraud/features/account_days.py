"""The partial sums of a day: what a night needs of the days before it.

A night reads one new day of calls and reduces it to two tables, one row per
account (`account_days`) and one per account and key where sums are not enough
(`account_day_keys`: whom it called, from where, at which hours). The window
features read 30 days of these and never 30 days of calls. Here: the columns,
each with the SQL that makes it, and the reduction. Not here: the windows
(:mod:`fraud.features.window`).

Keys that stand for people are the first 48 bits of an MD5, in hex: the same in
every engine and short enough to compare fast. They are pseudonyms and no
protection by themselves, since all telephone numbers can be hashed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

import polars as pl

from cdr.billing.costs import COSTS
from cdr.query import Connection, Query, hold, run
from cdr.schema import (
    DIRECT,
    FOR_RIGHTS,
    FRAUD,
    INDIRECT,
    INSTANT,
    MONEY,
    Field,
    Kept,
    Purpose,
    Table,
)
from fraud.features.destination_risk import destinations_sql
from fraud.features.statements import relation, statement, text_of

SHORT_CALL_MS = 6_000
"""Answered calls up to this length are short: 6 s, as Telnyx and Volli count them (product
design, "short-call share")."""

SUB_MINUTE_MS = 60_000
"""Answered calls below this length are sub-minute: product design, "sub-minute share"."""

BRIEF_RING_MS = 5_000
"""Unanswered calls that rang no longer are one-ring calls: ours, because a ring and the
pause after it last 5 to 6 s in most networks (ITU-T E.180 gives 5 s for Europe)."""


@dataclass(frozen=True, slots=True)
class DaySum:
    """One column of `account_days`: an aggregate over the calls of an account's day.

    ``of_days`` is the aggregate that gives the same of several days.
    """

    field: Field
    sql: str
    of_days: str = "SUM"


def _count(name: str, condition: str, meaning: str) -> DaySum:
    return DaySum(
        Field(name, pl.Int64(), "calls", meaning, False, INDIRECT, FRAUD),
        f"COUNT(*) FILTER (WHERE {condition})",
    )


def _milliseconds(name: str, column: str, condition: str, meaning: str) -> DaySum:
    return DaySum(
        Field(name, pl.Int64(), "ms", meaning, False, INDIRECT, FRAUD),
        f"CAST(COALESCE(SUM({column}) FILTER (WHERE {condition}), 0) AS BIGINT)",
    )


def _peak(name: str, relation: str, unit: str, meaning: str) -> DaySum:
    return DaySum(
        Field(name, pl.Int64(), unit, meaning, True, INDIRECT, FRAUD),
        f"CAST(MAX({relation}.peak) AS BIGINT)",
        "MAX",
    )


_BRIEF_RING = f"NOT answered AND NOT failed AND ring_ms <= {BRIEF_RING_MS}"
_EITHER_WAY = "(is_outbound OR is_inbound)"
_COST = "CAST(COALESCE(SUM(usd_micro_ms_per_min), 0) // 60000 AS DECIMAL(18, 0))"

DAY_SUMS: tuple[DaySum, ...] = (
    DaySum(
        Field("leg_count", pl.Int64(), "legs", "Rows of `calls` it was made from."),
        "CAST(SUM(leg_count) AS BIGINT)",
    ),
    DaySum(
        Field("newest_ingested_at", INSTANT, "UTC", "When the last of these was taken in."),
        "MAX(newest_ingested_at)",
        "MAX",
    ),
    _count("outbound_count", "is_outbound", "Calls made."),
    _count("outbound_answered_count", "is_outbound AND answered", "Of these answered."),
    _count("outbound_failed_count", "is_outbound AND failed", "Calls the network refused."),
    _count(
        "outbound_timed_count",
        "is_outbound AND duration_ms IS NOT NULL",
        "Answered calls made whose length is known and not doubtful.",
    ),
    _milliseconds("outbound_duration_ms", "duration_ms", "is_outbound", "Their lengths."),
    _count(
        "outbound_short_count",
        f"is_outbound AND duration_ms <= {SHORT_CALL_MS}",
        "Of these up to 6 s long.",
    ),
    _count(
        "outbound_sub_minute_count",
        f"is_outbound AND duration_ms < {SUB_MINUTE_MS}",
        "Of these shorter than a minute.",
    ),
    DaySum(
        Field(
            "outbound_duration_max_ms",
            pl.Int64(),
            "ms",
            "The longest; null without one.",
            True,
            INDIRECT,
            FRAUD,
        ),
        "MAX(duration_ms) FILTER (WHERE is_outbound)",
        "MAX",
    ),
    _count(
        "outbound_rung_count",
        "is_outbound AND NOT answered AND ring_ms IS NOT NULL",
        "Unanswered calls made whose ringing is known.",
    ),
    _milliseconds(
        "outbound_rung_ms",
        "ring_ms",
        "is_outbound AND NOT answered",
        "How long those rang.",
    ),
    _count(
        "outbound_brief_ring_count",
        f"is_outbound AND {_BRIEF_RING}",
        "Unanswered calls made that rang up to 5 s.",
    ),
    _count("inbound_count", "is_inbound", "Calls received."),
    _count("inbound_answered_count", "is_inbound AND answered", "Of these answered."),
    _count(
        "inbound_brief_ring_count",
        f"is_inbound AND {_BRIEF_RING}",
        "Unanswered calls received that rang up to 5 s.",
    ),
    _count("forwarded_count", f"{_EITHER_WAY} AND forwarded", "Calls sent on to elsewhere."),
    _count(
        "timed_count",
        f"{_EITHER_WAY} AND duration_ms IS NOT NULL",
        "Answered calls either way whose length is known and not doubtful.",
    ),
    _milliseconds("duration_ms", "duration_ms", _EITHER_WAY, "Their lengths."),
    DaySum(
        Field(
            "duration_square_ms2",
            pl.Decimal(38, 0),
            "ms squared",
            "Sum of the squares of their lengths.",
            False,
            INDIRECT,
            FRAUD,
        ),
        "CAST(COALESCE(SUM(CAST(duration_ms AS DECIMAL(18, 0)) * CAST(duration_ms AS "
        f"DECIMAL(18, 0))) FILTER (WHERE {_EITHER_WAY}), 0) AS DECIMAL(38, 0))",
    ),
    _count("high_risk_count", "is_outbound AND high_risk", "Calls made to high-risk ranges."),
    _milliseconds(
        "high_risk_duration_ms", "duration_ms", "is_outbound AND high_risk", "Their lengths."
    ),
    _milliseconds(
        "elevated_risk_duration_ms",
        "duration_ms",
        "is_outbound AND (high_risk OR elevated_risk)",
        "Lengths of calls made to ranges of high or elevated risk.",
    ),
    _count(
        "test_number_count", "is_outbound AND test_number", "Calls made to listed test numbers."
    ),
    DaySum(
        Field(
            "cost_usd",
            MONEY,
            "USD",
            "Cost of the calls made: by the cost deck, else indicative; rounded down, once.",
            False,
            INDIRECT,
            FRAUD,
        ),
        f"CAST({_COST} * CAST(0.000001 AS DECIMAL(7, 6)) AS DECIMAL(18, 6))",
    ),
    _peak("simultaneous_max_count", "peak_overlap", "calls", "Most calls made up at one moment."),
    _peak("minute_max_count", "peak_minute", "calls", "Most calls made within any 60 s."),
    _peak(
        "block_max_count",
        "peak_block",
        "numbers",
        "Most numbers of a block of 100 called in an hour.",
    ),
    _peak("run_max_count", "peak_run", "numbers", "Longest run of consecutive numbers called."),
)
"""What is summed up for an account's day, in the order of the columns."""


@dataclass(frozen=True, slots=True)
class KeyKind:
    """One kind of key of `account_day_keys`: what calls are grouped by besides the account."""

    name: str
    sql: str
    condition: str
    meaning: str


KEY_KINDS: tuple[KeyKind, ...] = (
    KeyKind("callee", "callee_key", "is_outbound", "whom it called (hash)"),
    KeyKind("caller", "caller_key", "is_inbound", "who called it (hash)"),
    KeyKind("country", "callee_country", "is_outbound", "country it called"),
    KeyKind("prefix", "LEFT(callee_number, 6)", "is_outbound", "first 5 digits it called"),
    KeyKind(
        "ip_country", "caller_ip_country", "is_outbound", "country its IP address was given to"
    ),
    KeyKind("address", "address_key", "is_outbound", "IP address it called from (hash)"),
    KeyKind("network", "network_key", "is_outbound", "its /24 or /48 network (hash)"),
    KeyKind(
        "hour",
        "LPAD(CAST(EXTRACT(HOUR FROM started_at) AS VARCHAR), 2, '0')",
        "is_outbound",
        "UTC hour it called in, `00` to `23`",
    ),
)
"""The kinds of key; the calls' direction decides which apply."""

_ACCOUNT_ID = Field("account_id", pl.String(), "text", "The account.", False, INDIRECT, FRAUD)
_ANY_DAY = date(1970, 1, 1)
_CALL_DATE = Field("call_date", pl.Date(), "UTC day", "Day the calls began; the partition.")

ACCOUNT_DAYS = Table(
    "account_days",
    "account and UTC day with calls",
    (_ACCOUNT_ID, *(day_sum.field for day_sum in DAY_SUMS), _CALL_DATE),
    partition_by=("call_date",),
    kept=(Kept(Purpose.FRAUD, ("feature_days",)), FOR_RIGHTS),
)

ACCOUNT_DAY_KEYS = Table(
    "account_day_keys",
    "account, UTC day, kind and key",
    (
        _ACCOUNT_ID,
        Field(
            "kind",
            pl.String(),
            "code",
            "; ".join(f"`{kind.name}`: {kind.meaning}" for kind in KEY_KINDS) + ".",
            False,
            INDIRECT,
            FRAUD,
        ),
        Field("key", pl.String(), "hex or code", "What `kind` says.", False, DIRECT, FRAUD),
        Field("call_count", pl.Int64(), "calls", "Calls with this key.", False, INDIRECT, FRAUD),
        Field("answered_count", pl.Int64(), "calls", "Of these answered.", False, INDIRECT, FRAUD),
        Field(
            "brief_ring_count",
            pl.Int64(),
            "calls",
            "Of these unanswered that rang up to 5 s.",
            False,
            INDIRECT,
            FRAUD,
        ),
        Field("duration_ms", pl.Int64(), "ms", "Their lengths.", False, INDIRECT, FRAUD),
        Field("cost_usd", MONEY, "USD", "Their cost.", False, INDIRECT, FRAUD),
        _CALL_DATE,
    ),
    partition_by=("call_date",),
    kept=(Kept(Purpose.FRAUD, ("feature_days",)), FOR_RIGHTS),
)

REDUCED_DAYS = Table(
    "reduced_days",
    "UTC day that was reduced",
    (
        Field("call_rows", pl.Int64(), "legs", "Rows that `calls` had of it."),
        Field("newest_ingested_at", pl.String(), "UTC", "When the last of these was taken in."),
        Field("made_by", pl.String(), "hex", "Hash of the statements and prices that reduced it."),
        _CALL_DATE,
    ),
    partition_by=("call_date",),
    kept=(Kept(Purpose.FRAUD, ("feature_days",)), FOR_RIGHTS),
)


def key_of(text: str) -> str:
    """Return the key that stands for a number or address, as `rated_calls.sql` makes it."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class ReducedDay:
    """One day's rows of both tables; they replace that day's partition as a whole."""

    account_days: pl.DataFrame
    account_day_keys: pl.DataFrame


def reduce_day(con: Connection, day: date, costs: pl.DataFrame | None = None) -> ReducedDay:
    """Sum up the calls that began on one UTC day.

    Parameters
    ----------
    con : Connection
        Sees `calls` and `lists`.
    day : date
        UTC day.
    costs : DataFrame, optional
        What its legs cost, as :meth:`cdr.billing.costs.CostBook.of_day` gives it; a call with
        a leg that is not among them, or is null, has its indicative price.

    Returns
    -------
    ReducedDay
        Sorted by account (then kind and key); empty frames where there were no
        calls, so that a day whose calls are gone loses its rows.

    Raises
    ------
    QueryFailed
        If DuckDB refuses.
    """
    con.register("priced_legs", (pl.DataFrame(schema=COSTS) if costs is None else costs).to_arrow())
    hold(con, rated_calls(day))
    sums = ACCOUNT_DAYS.conform(run(con, day_sums(day)))
    keys = ACCOUNT_DAY_KEYS.conform(run(con, day_keys(day)))
    return ReducedDay(sums, keys)


def rated_calls(day: date) -> Query:
    """Build the calls of a day, which :func:`day_sums` and :func:`day_keys` read; pure."""
    shared = map(text_of, ("day_legs", "joined_legs", "called_prefixes", "rated_numbers"))
    parts = (destinations_sql(), relation("leg_costs"), *shared)
    return Query("rated_calls", statement(parts, text_of("rated_calls")), _of_day(day))


def day_sums(day: date) -> Query:
    """Build the reduction of a day's rated calls to `account_days`; pure."""
    columns = ",\n".join(f"    {s.sql} AS {s.field.name}" for s in DAY_SUMS)
    peaks = ("peak_overlap", "peak_minute", "peak_block", "peak_run")
    joins = "\n".join(f"LEFT JOIN {p} ON {p}.account_id = c.account_id" for p in peaks)
    body = (
        f"SELECT\n    c.account_id,\n{columns},\n    $day AS call_date\n"
        f"FROM rated_calls AS c\n{joins}\nGROUP BY c.account_id\nORDER BY c.account_id"
    )
    return Query("day_sums", statement([text_of("day_peaks")], body), {"day": day})


def day_keys(day: date) -> Query:
    """Build the reduction of a day's rated calls to `account_day_keys`; pure."""
    body = "\nUNION ALL\n".join(_keys_of(kind) for kind in KEY_KINDS)
    body += "\nORDER BY account_id, kind, key"
    return Query("day_keys", body, {"day": day})


def reductions() -> tuple[Query, ...]:
    """Return all statements that reduce a day, with the values of none in particular."""
    return rated_calls(_ANY_DAY), day_sums(_ANY_DAY), day_keys(_ANY_DAY)


def made_by() -> str:
    """Return 16 hex digits that change with the statements that reduce a day."""
    return sha256("".join(query.sql for query in reductions()).encode()).hexdigest()[:16]


def _keys_of(kind: KeyKind) -> str:
    return (
        f"SELECT\n    account_id, '{kind.name}' AS kind, {kind.sql} AS key,\n"
        "    COUNT(*) AS call_count,\n"
        "    COUNT(*) FILTER (WHERE answered) AS answered_count,\n"
        f"    COUNT(*) FILTER (WHERE {_BRIEF_RING}) AS brief_ring_count,\n"
        "    CAST(COALESCE(SUM(duration_ms), 0) AS BIGINT) AS duration_ms,\n"
        f"    CAST({_COST} * CAST(0.000001 AS DECIMAL(7, 6)) AS DECIMAL(18, 6)) AS cost_usd,\n"
        "    $day AS call_date\n"
        "FROM rated_calls\n"
        f"WHERE {kind.condition} AND {kind.sql} IS NOT NULL\n"
        f"GROUP BY account_id, {kind.sql}"
    )


def _of_day(day: date) -> dict[str, object]:
    since = datetime.combine(day, time(), UTC)
    return {"day": day, "since": since, "until": since + timedelta(days=1)}
