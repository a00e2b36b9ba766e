"""The calls of accounts under review, described as the signals see them, and kept.

Who looks behind one number of a case looks behind more, so that an account's calls are read and
described once. Values come unmasked; pages mask them. Not here: which of them are behind a number
(`calls_behind`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from threading import Lock
from typing import Any

import polars as pl

from cdr.cuts import Cut, cut
from cdr.query import Connection, Query, run
from cdr.schema import MONEY
from fraud.features.destination_risk import destinations_sql
from fraud.features.statements import text_of
from fraud.features.zones import zone_of_country
from fraud.review.midnights import LOOK_BACK_DAYS, Row, query

CALLS_KEPT = 500_000
"""Calls of accounts that are kept, in all. Ours: some 150 MB."""

OF_A_CALL = (
    "account_id", "call_date", "source", "record_id", "call_id", "leg", "direction", "started_at",
    "ended_at", "ring_ms", "duration_ms", "outcome", "flags", "forwarded_to", "caller_number",
    "caller_party", "caller_ip", "caller_ip_country", "callee_number", "callee_party",
    "callee_number_type", "callee_country",
)  # fmt: skip
"""Columns that ``calls_described.sql`` reads."""

Session = Callable[[Mapping[str, Any]], Connection]


class OwnCalls:
    """Reads and keeps the calls of accounts; safe to share between threads.

    Parameters
    ----------
    calls, lists : LazyFrame, object
        Tables of the lake, as they stood when the pages were opened.
    session : callable
        Opens a DuckDB session on views.
    """

    def __init__(self, calls: pl.LazyFrame, lists: object, session: Session) -> None:
        self._calls = calls
        self._lists = lists
        self._session = session
        self._lock = Lock()
        self._kept: dict[tuple[str, date], pl.DataFrame] = {}

    def of(
        self, account_id: str, details: Row, *, as_of: date, ringers: frozenset[str]
    ) -> pl.DataFrame:
        """Return the calls of one account, the newest first: columns of ``calls_described.sql``.

        Raises
        ------
        QueryFailed
            If DuckDB refuses.
        """
        kept = self._kept.get((account_id, as_of))
        if kept is not None:
            return kept
        return self.read({account_id: details}, as_of=as_of, ringers=ringers)[account_id]

    def read(
        self, accounts: Mapping[str, Row], *, as_of: date, ringers: frozenset[str]
    ) -> dict[str, pl.DataFrame]:
        """Read the calls of accounts in one go.

        Parameters
        ----------
        accounts : mapping of str to Row
            Details of each account, with `country` and `created_at`; may be empty.
        as_of : date
            The midnight that begins this UTC day; 30 days before it are read.
        ringers : frozenset of str
            Keys of numbers that rang many accounts.

        Raises
        ------
        QueryFailed
            If DuckDB refuses.
        """
        since = as_of - timedelta(days=LOOK_BACK_DAYS)
        days = [Cut(sorted(accounts), since, as_of)]
        legs = cut(self._calls, days, day="call_date", columns=OF_A_CALL)
        asked = [_asked(account_id, details) for account_id, details in accounts.items()]
        con = self._session({"calls": legs, "lists": self._lists})
        try:
            found = run(con, _described(accounts=asked, since_date=since, until_date=as_of))
        finally:
            con.close()
        found = found.with_columns(rings_many=pl.col("contact_key").is_in(sorted(ringers)))
        by_account = {key[0]: rows for key, rows in found.group_by("account_id")}
        read = {one: by_account.get(one, found.clear()) for one in accounts}
        self._keep(read, as_of)
        return read

    def _keep(self, read: Mapping[str, pl.DataFrame], as_of: date) -> None:
        with self._lock:
            self._kept |= {(account_id, as_of): rows for account_id, rows in read.items()}
            while sum(rows.height for rows in self._kept.values()) > CALLS_KEPT:
                self._kept.pop(next(iter(self._kept)))


def with_costs(calls: pl.DataFrame, *, hours: Sequence[Row], days: Sequence[Row]) -> pl.DataFrame:
    """Put beside calls made what their hour and their day cost, as the night summed it up.

    Returns
    -------
    pl.DataFrame
        `calls`, with `hour_cost_usd` and `day_cost_usd`, in USD; null where nothing is known.
    """
    of_hour = pl.DataFrame(
        [(one["day"], one["hour"], one["cost_usd"]) for one in hours],
        schema={"call_date": pl.Date(), "utc_hour": pl.Int64(), "hour_cost_usd": MONEY},
        orient="row",
    )
    of_day = pl.DataFrame(
        [(one["day"], one["cost_usd"]) for one in days],
        schema={"call_date": pl.Date(), "day_cost_usd": MONEY},
        orient="row",
    )
    return calls.join(
        of_hour, on=["call_date", "utc_hour"], how="left", maintain_order="left"
    ).join(of_day, on="call_date", how="left", maintain_order="left")


def _asked(account_id: str, details: Row) -> dict[str, object]:
    country, created_at = details.get("country"), details.get("created_at")
    return {
        "account_id": account_id,
        "country": country,
        "zone": zone_of_country().get(country) if country else None,
        "opened_date": created_at.date() if created_at else None,
    }


def _described(**params: object) -> Query:
    text = query("calls_described")
    sql = text.sql.replace("<JOINED_LEGS>", text_of("joined_legs"))
    sql = sql.replace("<CALLED_PREFIXES>", text_of("called_prefixes"))
    return Query(text.name, f"WITH {destinations_sql()},\n{sql}", params)
