"""Tiny tables for the features: rows one can check by eye, everything else filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from cdr.query import Connection, session
from cdr.schema import (
    ACCOUNT_EVENTS,
    ACCOUNT_NUMBERS,
    ACCOUNTS,
    CALLS,
    LISTS,
    MESSAGE_TEMPLATES,
    Table,
)
from cdr.settings import StoreSettings
from fraud.features.account_days import ACCOUNT_DAY_KEYS, ACCOUNT_DAYS, reduce_day
from fraud.features.traces import BLOCKED_TRACES, blocked_ever, traces

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]

AS_OF = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday; its 7 days begin on Monday, 23 February

CALL_DEFAULTS: dict[str, Any] = {
    "source": "s",
    "leg": 0,
    "account_id": "a",
    "direction": "outbound",
    "media": "voice",
    "caller_number": "+4930111",
    "callee_number": "+4930200",
    "callee_country": "DE",
    "outcome": "answered",
    "flags": [],
    "source_rows": 1,
    "content_hash": 0,
    "ingested_at": AS_OF,
    "ingest_id": "i",
    "numbering_version": "n",
}


def call(started_at: str | datetime, duration_s: float | None = None, **more: Any) -> Row:
    """Return one leg; answered when it has a duration."""
    at = datetime.fromisoformat(started_at) if isinstance(started_at, str) else started_at
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    answered = duration_s is not None
    return {
        **CALL_DEFAULTS,
        "started_at": at,
        "outcome": "answered" if answered else "no_answer",
        "duration_ms": None if duration_s is None else int(duration_s * 1000),
        "ended_at": at + timedelta(seconds=duration_s or 0),
        "call_date": at.date(),
        **more,
    }


def account(account_id: str = "a", created: str = "2026-01-01", **more: Any) -> Row:
    """Return one account as it stood from its opening on."""
    at = datetime.fromisoformat(created).replace(tzinfo=UTC)
    lists = {name: [] for name in ("social", "payment_fingerprint", "devices", "forward_to")}
    return {
        "account_id": account_id,
        "created_at": at,
        "country": "DE",
        "status": "active",
        "valid_from": at,
        "imported_at": at,
        **lists,
        **more,
    }


def frame(table: Table, rows: Sequence[Row]) -> pl.DataFrame:
    """Return ``rows`` with every column of ``table``."""
    columns = {
        name: pl.Series(name, [row.get(name) for row in rows], dtype=dtype)
        for name, dtype in table.polars_schema.items()
    }
    return pl.DataFrame(columns)


def calls_frame(rows: Sequence[Row]) -> pl.DataFrame:
    """Return calls with keys: each row a record and, unless it says so, a call of its own."""
    keyed = [
        {
            "record_id": number.to_bytes(16),
            "source_record_id": str(number),
            "call_id": str(number),
            **row,
        }
        for number, row in enumerate(rows)
    ]
    return frame(CALLS, keyed)


def open_tables(
    calls: Sequence[Row] = (), accounts: Sequence[Row] | None = None, **tables: Sequence[Row]
) -> Connection:
    """Open a session on literal rows, `account_days` and its keys not yet made."""
    accounts = [account()] if accounts is None else accounts
    views = {
        "calls": calls_frame(calls),
        "accounts": frame(ACCOUNTS, accounts),
        **{
            table.name: frame(table, tables.get(table.name, ()))
            for table in (
                ACCOUNT_EVENTS,
                ACCOUNT_NUMBERS,
                MESSAGE_TEMPLATES,
                LISTS,
                ACCOUNT_DAYS,
                ACCOUNT_DAY_KEYS,
                BLOCKED_TRACES,
            )
        },
    }
    store = StoreSettings(memory_limit_mb=512, threads=1)
    return session({name: view.to_arrow() for name, view in views.items()}, store=store)


def reduce_all(con: Connection, days: Sequence[date]) -> None:
    """Make `account_days` and `account_day_keys` of these days, in place of what was there."""
    reduced = [reduce_day(con, day) for day in days]
    sums = pl.concat([ACCOUNT_DAYS.empty(), *(day.account_days for day in reduced)])
    keys = pl.concat([ACCOUNT_DAY_KEYS.empty(), *(day.account_day_keys for day in reduced)])
    con.register("account_days", sums.to_arrow())
    con.register("account_day_keys", keys.to_arrow())


def trace_blocked(con: Connection) -> pl.DataFrame:
    """Make `blocked_traces` of all accounts that were ever blocked, and return it."""
    left_behind = traces(con, blocked_ever(con))
    con.register("blocked_traces", left_behind.to_arrow())
    return left_behind


def opened(calls: Sequence[Row] = (), **more: Any) -> Connection:
    """Open a session on literal rows with every day of theirs reduced."""
    con = open_tables(calls, **more)
    reduce_all(con, sorted({row["call_date"] for row in calls}))
    trace_blocked(con)
    return con
