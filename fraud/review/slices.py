"""What pages ask of the lake, for many cases at once: the accounts are cut out, then asked about.

Reading one account costs nearly what reading hundreds does, since whole row groups are read either
way. It sees the fraud purpose's columns, binds every value, and looks back from the evidence's
midnight, so that a page shows what the score saw. Here: one state of the lake. Not here: how long
it is used, and what is kept of it (`account`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any, cast

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds

import fraud.tables  # noqa: F401 - makes what scoring writes known to the lake
from cdr.cuts import Cut, cut
from cdr.lake import Lake
from cdr.query import Connection, run, session
from cdr.schema import INSTANT, TABLES, Purpose
from fraud.features.destination_risk import Risk, destinations
from fraud.features.midnight import features_at
from fraud.features.registry import Signal
from fraud.features.signals import SIGNALS
from fraud.features.window import window_features
from fraud.identity.overlap import identity_matches
from fraud.reference import midnights_of_blocks
from fraud.review.calls_behind import CallFilter
from fraud.review.midnights import (
    LOOK_BACK_DAYS,
    Midnight,
    Row,
    at_midnight,
    by_account,
    instant,
    query,
    shared_values,
)

TIMELINE_DAYS = 90
"""Days of events on the timeline. Ours: sign-up frauds come within a quarter."""

MIDNIGHTS = 3
"""Midnights that accounts are kept compared for. Ours: cases of a night, and some older ones."""

CALLS_KEPT = 500_000
"""Calls of accounts looked behind that are kept, in all. Ours: some 100 MB."""

EVENTS = 500
"""Events of an account that are read at most, as ``timeline_events.sql`` has it."""

BY_DAY = {
    "account_days": "call_date",
    "account_day_keys": "call_date",
    "account_events": "event_date",
    "message_templates": "message_date",
}
"""Tables of which an account's days are cut, by the column of the day."""

READ = (
    "accounts", "account_numbers", "blocked_traces", "calls", "lists", "person_requests", *BY_DAY
)  # fmt: skip
"""Tables that pages rest on; what changes in another one changes no page."""

OF_A_CALL = (
    "account_id", "call_date", "source", "record_id", "call_id", "leg", "direction", "started_at",
    "ended_at", "ring_ms", "duration_ms", "outcome", "flags", "caller_number", "caller_party",
    "caller_ip", "callee_number", "callee_party", "callee_number_type", "callee_country",
)  # fmt: skip
"""Columns that ``calls_behind.sql`` reads."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An account to read, as of a midnight, with those beside it and the signals to compare."""

    account_id: str
    as_of: date
    similar: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """An account as of a midnight; every sequence is empty where nothing is known.

    Parameters
    ----------
    details : Row
        Columns of ``account_details.sql``; empty for an unknown account.
    similar : mapping of str to Row
        The same of each similar account.
    behaviour : mapping of str to Row
        The signals asked for, by account: this one and the similar ones.
    numbers, hours, days, destinations, events, left_behind : sequence of Row
        Columns of the statements of these names (``calls_by_hour``, ``calls_by_day``,
        ``timeline_events``).
    shared : sequence of Row
        `kind` and `value` of what it has, `other_id` and `other_status` of who has it too; null
        where nobody has.
    identity : sequence of Row
        The waterfall, as `fraud.identity.overlap.MATCHES`.
    """

    details: Row
    similar: Mapping[str, Row]
    behaviour: Mapping[str, Row]
    numbers: Sequence[Row]
    hours: Sequence[Row]
    days: Sequence[Row]
    destinations: Sequence[Row]
    events: Sequence[Row]
    shared: Sequence[Row]
    left_behind: Sequence[Row]
    identity: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Calls:
    """Some of the calls behind a number, and how many there are in all."""

    rows: Sequence[Row]
    whole: int


class OpenLake:
    """One state of a lake, opened for pages; safe to share between threads.

    Parameters
    ----------
    lake : Lake
        Opened for reading.
    """

    def __init__(self, lake: Lake) -> None:
        self.state = state_of(lake)  # before the views: what comes in between is seen next time
        self._lake = lake
        self._views = lake.raw_views(Purpose.FRAUD)
        self._lock = Lock()
        self._midnights: dict[date, Midnight] = {}
        self._lock_calls = Lock()
        self._calls: dict[tuple[str, date], pa.Table] = {}

    def read(self, asked: Sequence[Asked]) -> dict[Asked, Account]:
        """Read accounts, all as of the same midnight.

        Raises
        ------
        QueryFailed
            If DuckDB refuses.
        """
        if not asked:
            return {}
        as_of = asked[0].as_of
        whole = self.midnight(as_of)
        own = sorted({one.account_id for one in asked})
        named = self._accounts(sorted({*own, *(near for one in asked for near in one.similar)}))
        details = self._details(named, as_of)
        pairs = _pairs(details, instant(as_of))
        names = {name for one in asked for name in one.signals}
        signals = [signal for signal in SIGNALS if signal.name in names]
        con = self._session(self._cut(own, named, as_of, pairs, signals))
        try:
            found = _answers(con, own, as_of)
            measured = features_at(con, pairs, signals=signals)
        finally:
            con.close()
        found["shared"] = shared_values(whole, own)
        found["identity"] = by_account(identity_matches(whole.compared, accounts=own))
        behaviour = {row["account_id"]: row for row in measured.iter_rows(named=True)}
        by_id = {row["account_id"]: row for row in details.iter_rows(named=True)}
        return {one: _account(one, by_id, behaviour, found) for one in asked}

    def calls(
        self,
        account_id: str,
        wanted: CallFilter,
        *,
        as_of: date,
        home_country: str | None,
        skip: int,
        limit: int,
    ) -> Calls:
        """Read calls behind a number, the newest first.

        Raises
        ------
        QueryFailed
            If DuckDB refuses.
        """
        since_date = as_of - timedelta(days=wanted.days)
        opened = cut(
            self._views["accounts"],
            [Cut([account_id], date.min, date.max)],
            day=None,
            columns=("account_id", "created_at"),
        )
        con = self._session(
            {
                "calls": self._calls_of(account_id, as_of),
                "accounts": opened,
                "lists": self._views["lists"],
            }
        )
        try:
            rows = run(
                con,
                query(
                    "calls_behind",
                    account_id=account_id, since_date=since_date, until_date=as_of,
                    direction=wanted.direction, answered=wanted.answered, failed=wanted.failed,
                    abroad=wanted.abroad, longest_ms=wanted.longest_ms,
                    longest_ring_ms=wanted.longest_ring_ms, first_days=wanted.first_days,
                    pick=wanted.pick, risks=_risks(), home_country=home_country,
                    skip=skip, limit=limit,
                ),
            ).to_dicts()  # fmt: skip
        finally:
            con.close()
        return Calls(rows, rows[0]["whole"] if rows else 0)

    def _calls_of(self, account_id: str, as_of: date) -> pa.Table:
        """Read the calls of an account's pages; who looks behind one number looks behind more."""
        key = (account_id, as_of)
        kept = self._calls.get(key)
        if kept is None:
            days = [Cut([account_id], as_of - timedelta(days=LOOK_BACK_DAYS), as_of)]
            kept = cut(self._views["calls"], days, day="call_date", columns=OF_A_CALL)
            with self._lock_calls:
                self._calls[key] = kept
                while sum(one.num_rows for one in self._calls.values()) > CALLS_KEPT:
                    self._calls.pop(next(iter(self._calls)))
        return kept

    def midnight(self, as_of: date) -> Midnight:
        """Return what all accounts say as of a midnight; worked out once for all its cases."""
        with self._lock:
            if as_of not in self._midnights:
                if len(self._midnights) >= MIDNIGHTS:
                    self._midnights.pop(next(iter(self._midnights)))
                self._midnights[as_of] = at_midnight(self._lake, self._views, as_of)
            return self._midnights[as_of]

    def _details(self, named: pa.Table, as_of: date) -> pl.DataFrame:
        ids = named.column("account_id").unique().to_pylist()
        con = self._session({"accounts": named})
        try:
            return run(con, query("account_details", accounts=ids, as_of=instant(as_of)))
        finally:
            con.close()

    def _accounts(self, named: Sequence[str]) -> pa.Table:
        return cut(self._views["accounts"], [Cut(named, date.min, date.max)], day=None)

    def _blocked(self, but: Sequence[str]) -> pa.Table:
        """Read the blocked accounts, of which signals ask who was one."""
        rows = ds.field("status") == "blocked"
        if but:
            rows &= ~ds.field("account_id").isin(list(but))
        view = self._views["accounts"]
        return view.to_table(filter=rows) if isinstance(view, ds.Dataset) else view.filter(rows)

    def _cut(
        self,
        own: Sequence[str],
        named: pa.Table,
        as_of: date,
        pairs: pl.DataFrame,
        signals: Sequence[Signal],
    ) -> dict[str, Any]:
        """Cut out the days that pages of `own` look back on, and what signals of `pairs` read."""
        pages = Cut(own, as_of - timedelta(days=LOOK_BACK_DAYS), as_of)
        timeline = Cut(own, as_of - timedelta(days=TIMELINE_DAYS), as_of)
        windows = list(_windows(pairs))
        measured = window_features(signals, scored="scored_pairs").sql
        views: dict[str, Any] = {
            name: cut(
                self._views[name],
                [
                    timeline if name == "account_events" else pages,
                    *(windows if re.search(rf"\b{name}\b", measured) else ()),
                ],
                day=day,
            )
            for name, day in BY_DAY.items()
        }
        ids = named.column("account_id").unique().to_pylist()
        numbers = cut(self._views["account_numbers"], [Cut(ids, date.min, date.max)], day=None)
        return {
            **views,
            "account_numbers": numbers,
            "accounts": pa.concat_tables([named, self._blocked(ids)]),
            "blocked_traces": self._views["blocked_traces"],
            "lists": self._views["lists"],
        }

    def _session(self, views: Mapping[str, Any]) -> Connection:
        return session(views, store=self._lake.settings.store, spill=self._lake.home.spill)


def state_of(lake: Lake) -> str:
    """Name the versions of the tables that pages read."""
    with lake.reading():
        return ",".join(f"{name}={lake.version(TABLES[name])}" for name in READ)


def _account(
    one: Asked,
    details: Mapping[str, Row],
    behaviour: Mapping[str, Row],
    found: Mapping[str, Mapping[str, Sequence[Row]]],
) -> Account:
    def of(name: str) -> Sequence[Row]:
        return found[name].get(one.account_id, ())

    beside = (one.account_id, *one.similar)
    return Account(
        details=details.get(one.account_id, {}),
        similar={near: details[near] for near in one.similar if near in details},
        behaviour={name: behaviour[name] for name in beside if name in behaviour},
        numbers=of("account_numbers"),
        hours=of("calls_by_hour"),
        days=of("calls_by_day"),
        destinations=of("destinations"),
        events=of("timeline_events"),
        shared=of("shared"),
        left_behind=of("left_behind"),
        identity=of("identity"),
    )


def _pairs(details: pl.DataFrame, midnight: datetime) -> pl.DataFrame:
    """Say as of when each account is described: a blocked one as the model knows it, at its block.

    Returns
    -------
    pl.DataFrame
        `account_id` and `as_of`.
    """
    accounts = details.select("account_id", pl.col("status_since").cast(INSTANT), "status")
    blocked = pl.col("status") == "blocked"
    return pl.concat(
        [
            accounts.filter(~blocked).select("account_id", as_of=pl.lit(midnight, INSTANT)),
            midnights_of_blocks(accounts.filter(blocked), midnight).cast({"as_of": INSTANT}),
        ]
    )


def _windows(pairs: pl.DataFrame) -> Iterator[Cut]:
    """Yield the windows before the midnights of pairs, those of a month together."""
    month = pl.col("as_of").dt.truncate("1mo")
    for _, together in pairs.group_by(month, maintain_order=True):
        days = together["as_of"].dt.date()
        first, last = cast("date", days.min()), cast("date", days.max())
        ids = together["account_id"].to_list()
        yield Cut(ids, first - timedelta(days=LOOK_BACK_DAYS), last)


def _answers(con: Connection, own: Sequence[str], as_of: date) -> dict[str, dict[str, list[Row]]]:
    """Ask each statement once for all accounts; rows by statement and account."""
    midnight = instant(as_of)
    days: dict[str, object] = {
        "since_date": as_of - timedelta(days=LOOK_BACK_DAYS),
        "until_date": as_of,
    }
    timeline = {**days, "since_date": as_of - timedelta(days=TIMELINE_DAYS)}
    asked: dict[str, dict[str, object]] = {
        "account_numbers": {"as_of": midnight},
        "calls_by_hour": days,
        "calls_by_day": days,
        "destinations": days,
        "timeline_events": {**timeline, "as_of": midnight},
        "left_behind": {**days, "as_of": midnight},
    }
    return {
        name: by_account(run(con, query(name, accounts=list(own), **params)))
        for name, params in asked.items()
    }


@cache
def _risks() -> list[dict[str, object]]:
    risky = {Risk.HIGH, Risk.PREMIUM, Risk.SATELLITE}
    return [{"prefix": one.prefix, "high_risk": one.risk in risky} for one in destinations()]
