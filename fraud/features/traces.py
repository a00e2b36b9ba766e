"""What blocked accounts leave behind, for others to be compared with.

At the midnight after its block an account's contacts, numbers, addresses, devices,
means of payment and texts are written down once, with how many accounts had each,
and those of the accounts close to it. Nights and training read these rows: neither
goes back to the days before a block. Here: the table and how its rows are made. Not
here: who shares them (``sql/shared_traces.sql``) and what that says
(:mod:`fraud.features.associates`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta

import polars as pl

from cdr.query import Connection, Query, run
from cdr.schema import DIRECT, FOR_RIGHTS, FRAUD, INDIRECT, Field, Kept, Purpose, Table
from fraud.features.registry import WINDOWS
from fraud.features.statements import relation, statement, text_of

HUB_HOLDERS = 50
"""Accounts that may have a key; what more have (a call centre's number, the address of a carrier's
NAT, a mail domain) ties nobody. Ours, as for the details of :mod:`fraud.identity`."""

CLOSE_HOLDERS = 10
"""Accounts that may have a key which leads on to a second hop. Ours: ten by ten are a hundred."""

TOP_CONTACTS = 50
"""Contacts of a signature, by decayed calls. Ours: Cortes, Pregibon and Volinsky (2001) keep the
top 9 of a residential line; a business has more. What is cut is below a fiftieth of the calls."""

FAR_KEYS = 20
"""Keys kept of each account in between, details before the commonest contacts. Ours: all details of
most accounts and some habits."""

BLOCKED_TRACES = Table(
    "blocked_traces",
    "blocked account, hop, kind, key and account in between",
    (
        Field("account_id", pl.String(), "text", "The blocked one.", False, INDIRECT, FRAUD),
        Field(
            "hop",
            pl.Int16(),
            "ordinal",
            "1: it had the key itself; 2: an account that shares a rare key with it had; "
            "0: no key, tells that its traces were taken.",
        ),
        Field(
            "kind",
            pl.String(),
            "code",
            "`number`, `ip`, `device`, `payment`, `postal`, `domain`, `template`; `taken`: hop 0.",
            False,
            INDIRECT,
            FRAUD,
        ),
        Field("key", pl.String(), "hex", "48 bits of MD5.", False, DIRECT, FRAUD),
        Field(
            "via_id",
            pl.String(),
            "text",
            "The account in between; null on the first hop.",
            True,
            INDIRECT,
            FRAUD,
        ),
        Field(
            "call_share",
            pl.Float64(),
            "0..1",
            "Of its calls of 30 days, 0.85 less for each day, those with this number.",
            True,
            INDIRECT,
            FRAUD,
        ),
        Field(
            "holder_count",
            pl.Int64(),
            "accounts",
            "How many had the key in the 30 days before.",
            False,
            INDIRECT,
            FRAUD,
        ),
        Field(
            "closeness",
            pl.Float64(),
            "0..1",
            "1, or one divided by the accounts that had what leads to the second hop.",
            False,
            INDIRECT,
            FRAUD,
        ),
        Field("trace_date", pl.Date(), "UTC day", "The midnight after the block; the partition."),
    ),
    partition_by=("trace_date",),
    kept=(Kept(Purpose.FRAUD, ("closed_account_days",)), FOR_RIGHTS),
)

SIGHTINGS = (
    "window_keys",
    "detail_periods",
    "event_values",
    "call_sightings",
    "detail_sightings",
    "sightings",
)
"""Relations that say what accounts had, in the order in which they need each other."""


def blocked_ever(con: Connection, *, left_out: Collection[str] = ()) -> pl.DataFrame:
    """Return account_id and trace_date of each block for fraud or misuse, in order."""
    text = statement((relation("blocks"),), text_of("blocked_ever"))
    return run(con, Query("blocked_ever", text, {"left_out": list(left_out)}))


def traces(
    con: Connection, blocked: pl.DataFrame, *, left_out: Collection[str] = ()
) -> pl.DataFrame:
    """Work out what blocked accounts left behind.

    Parameters
    ----------
    con : Connection
        A session of the fraud purpose, with the days before the blocks reduced.
    blocked : pl.DataFrame
        account_id and trace_date, as :func:`blocked_ever` gives.
    left_out : collection of str
        Accounts that may not be used.

    Returns
    -------
    pl.DataFrame
        Columns of :data:`BLOCKED_TRACES`, sorted. Keys that more than
        :data:`HUB_HOLDERS` accounts had are not in it.

    Raises
    ------
    QueryFailed
        If DuckDB refuses.
    """
    if blocked.is_empty():
        return BLOCKED_TRACES.empty()
    pairs = [
        {
            "account_id": account_id,
            "as_of": datetime.combine(day, time(), UTC),
            "as_of_date": day,
        }
        for account_id, day in blocked.select("account_id", "trace_date").iter_rows()
    ]
    days = blocked["trace_date"].to_list()
    query = traces_query()
    params = {
        "pairs": pairs,
        "first_date": min(days) - timedelta(days=max(WINDOWS)),
        "until_date": max(days),
        "left_out": list(left_out),
        "most_holders": HUB_HOLDERS,
        "close_holders": CLOSE_HOLDERS,
        "top_count": TOP_CONTACTS,
        "far_count": FAR_KEYS,
    }
    return BLOCKED_TRACES.conform(run(con, Query(query.name, query.sql, params)))


def traces_query() -> Query:
    """Build the statement of :func:`traces`; its parameters are still to be given; pure."""
    columns = ", ".join(field.name for field in BLOCKED_TRACES.fields)
    parts = (
        f"scored AS (\n{text_of('scored_pairs')}\n)",
        "subjects AS (SELECT * FROM scored)",
        *(relation(name) for name in (*SIGHTINGS, "window_days", "call_mass")),
        text_of("traces"),
    )
    body = f"SELECT {columns}\nFROM traces\nORDER BY trace_date, account_id, hop, kind, key, via_id"
    return Query("traces", statement(parts, body))
