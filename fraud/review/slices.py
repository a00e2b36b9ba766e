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
from threading import Lock
from typing import Any, cast

import polars as pl
import pyarrow as pa

import fraud.tables  # noqa: F401 - makes what scoring writes known to the lake
from cdr.cuts import Cut, cut, frames
from cdr.lake import Lake
from cdr.query import Connection, run, session
from cdr.schema import INSTANT, TABLES, Purpose
from fraud.features.midnight import features_at
from fraud.features.registry import Signal
from fraud.features.signals import SIGNALS
from fraud.features.window import window_features
from fraud.identity.overlap import identity_matches
from fraud.reference import midnights_of_blocks
from fraud.review.midnights import (
    LOOK_BACK_DAYS,
    RUNG_DAYS,
    Midnight,
    Row,
    at_midnight,
    by_account,
    calls_between,
    instant,
    query,
    shared_values,
)
from fraud.review.own_calls import OwnCalls, with_costs
from fraud.review.ties import ties

TIMELINE_DAYS = 90
"""Days of events on the timeline. Ours: sign-up frauds come within a quarter."""

MIDNIGHTS = 3
"""Midnights that accounts are kept compared for. Ours: cases of a night, and some older ones."""

EVENTS = 5_000
"""Events of an account that are read at most, as ``timeline_events.sql`` has it. Ours: more than
one a minute for a whole night of trying stolen cards."""

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
    account_id : str
        Whose page it is.
    details : Row
        Columns of ``account_details.sql``; empty for an unknown account.
    similar : mapping of str to Row
        The same of each similar account.
    behaviour : mapping of str to Row
        The signals asked for, by account: this one and the similar ones.
    numbers, hours, days, destinations, events, texts, ties : sequence of Row
        Columns of the statements of these names (``account_numbers``, ``calls_by_hour``,
        ``calls_by_day``, ``timeline_events``).
    shared : sequence of Row
        `kind` and `value` of what it has, `other_id` and `other_status` of who has it too; null
        where nobody has.
    between : sequence of Row
        The same of numbers of other accounts that it called, or that called it.
    identity : sequence of Row
        The waterfall, as `fraud.identity.overlap.MATCHES`.
    """

    account_id: str
    details: Row
    similar: Mapping[str, Row]
    behaviour: Mapping[str, Row]
    numbers: Sequence[Row]
    hours: Sequence[Row]
    days: Sequence[Row]
    destinations: Sequence[Row]
    events: Sequence[Row]
    texts: Sequence[Row]
    shared: Sequence[Row]
    between: Sequence[Row]
    ties: Sequence[Row]
    identity: Sequence[Row]


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
        self._frames = frames(
            lake, Purpose.FRAUD, ("accounts", "account_numbers", "calls", *BY_DAY)
        )
        self._calls = OwnCalls(self._frames["calls"], self._views["lists"], self._session)

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
            found["ties"] = by_account(run(con, ties(own, as_of, whole.left_out)))
            parties = run(con, query("parties", accounts=own, **_window(as_of)))
            measured = features_at(con, pairs, signals=signals, left_out=whole.left_out)
        finally:
            con.close()
        found["between"] = calls_between(whole, parties, own)
        found["shared"] = shared_values(whole, own)
        found["identity"] = by_account(identity_matches(whole.compared, accounts=own))
        behaviour = {row["account_id"]: row for row in measured.iter_rows(named=True)}
        by_id = {row["account_id"]: row for row in details.iter_rows(named=True)}
        return {one: _account(one, by_id, behaviour, found) for one in asked}

    def calls(self, account: Account, *, as_of: date) -> pl.DataFrame:
        """Read the calls of an account that was read, described: see :mod:`own_calls`.

        Raises
        ------
        QueryFailed
            If DuckDB refuses.
        """
        ringers = self.midnight(as_of).ringers
        calls = self._calls.of(account.account_id, account.details, as_of=as_of, ringers=ringers)
        return with_costs(calls, hours=account.hours, days=account.days)

    def read_calls(self, accounts: Sequence[Account], *, as_of: date) -> None:
        """Read the calls of many accounts in one go, for who will ask.

        Raises
        ------
        QueryFailed
            If DuckDB refuses.
        """
        details = {one.account_id: one.details for one in accounts}
        self._calls.read(details, as_of=as_of, ringers=self.midnight(as_of).ringers)

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
        return cut(self._frames["accounts"], [Cut(named, date.min, date.max)], day=None)

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
        rung = _rung_before(pairs) if "mass_ringers" in measured else None
        views: dict[str, Any] = {
            name: cut(
                self._frames[name],
                [
                    timeline if name == "account_events" else pages,
                    *(windows if re.search(rf"\b{name}\b", measured) else ()),
                ],
                day=day,
                besides=rung if name == "account_day_keys" else None,
            )
            for name, day in BY_DAY.items()
        }
        ids = named.column("account_id").unique().to_pylist()
        whole = [Cut(ids, date.min, date.max)]
        blocked = pl.col("status") == "blocked"  # of whom signals ask who was one
        return {
            **views,
            "account_numbers": cut(self._frames["account_numbers"], whole, day=None),
            "accounts": cut(self._frames["accounts"], whole, day=None, besides=blocked),
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
        account_id=one.account_id,
        details=details.get(one.account_id, {}),
        similar={near: details[near] for near in one.similar if near in details},
        behaviour={name: behaviour[name] for name in beside if name in behaviour},
        numbers=of("account_numbers"),
        hours=of("calls_by_hour"),
        days=of("calls_by_day"),
        destinations=of("destinations"),
        events=of("timeline_events"),
        texts=of("texts"),
        shared=of("shared"),
        between=of("between"),
        ties=of("ties"),
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


def _rung_before(pairs: pl.DataFrame) -> pl.Expr:
    """Say who was rung briefly in the weeks before midnights: many make a mass ringer."""
    days = {
        as_of.date() - timedelta(days=back)
        for as_of in pairs["as_of"].unique()
        for back in range(1, RUNG_DAYS + 1)
    }
    rung = (pl.col("kind") == "caller") & (pl.col("brief_ring_count") > 0)
    return rung & pl.col("call_date").is_in(sorted(days))


def _answers(con: Connection, own: Sequence[str], as_of: date) -> dict[str, dict[str, list[Row]]]:
    """Ask each statement once for all accounts; rows by statement and account."""
    midnight = instant(as_of)
    days = _window(as_of)
    timeline = {**days, "since_date": as_of - timedelta(days=TIMELINE_DAYS), "most": EVENTS}
    asked: dict[str, dict[str, object]] = {
        "account_numbers": {"as_of": midnight},
        "calls_by_hour": days,
        "calls_by_day": days,
        "destinations": days,
        "texts": days,
        "timeline_events": {**timeline, "as_of": midnight},
    }
    return {
        name: by_account(run(con, query(name, accounts=list(own), **params)))
        for name, params in asked.items()
    }


def _window(as_of: date) -> dict[str, object]:
    return {"since_date": as_of - timedelta(days=LOOK_BACK_DAYS), "until_date": as_of}
