"""What pages ask of the lake, for many cases at once: the accounts are cut out, then asked about.

Reading one account costs nearly what reading hundreds does, since whole row groups are read either
way. It sees the fraud purpose's columns, binds every value, and looks back from the evidence's
midnight, so that a page shows what the score saw. Here: one state of the lake. Not here: how long
it is used, and what is kept of it (`account`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any, cast

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds

import fraud.tables  # noqa: F401 - makes what scoring writes known to the lake
from cdr.cuts import Cut, cut
from cdr.lake import Lake
from cdr.privacy.restrictions import left_alone
from cdr.query import Connection, Query, run, session
from cdr.schema import INSTANT, TABLES, Purpose
from fraud.features.destination_risk import Risk, destinations
from fraud.features.midnight import features_at
from fraud.features.registry import Signal
from fraud.features.signals import SIGNALS
from fraud.features.window import window_features
from fraud.identity.overlap import Compared, compare_accounts, identity_matches
from fraud.identity.parameters import parameters_of_night
from fraud.reference import midnights_of_blocks
from fraud.review.calls_behind import CallFilter

LOOK_BACK_DAYS = 30
"""Days that pictures show: the longest window of a signal."""

TIMELINE_DAYS = 90
"""Days of events on the timeline. Ours: sign-up frauds come within a quarter."""

MIDNIGHTS = 3
"""Midnights that accounts are kept compared for. Ours: cases of a night, and some older ones."""

EVENTS = 500
"""Events of an account that are read at most, as ``timeline_events.sql`` has it."""

SHARED = 60
"""Values and their other holders that a page shows at most. Ours: what a picture can show."""

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

Row = Mapping[str, Any]


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


@dataclass(frozen=True, slots=True)
class Midnight:
    """What takes all accounts to know, as of one midnight.

    Parameters
    ----------
    compared : Compared
        All accounts beside the blocked ones.
    held : pl.DataFrame
        Columns of ``held.sql``.
    left_out : frozenset of str
        Accounts that nobody may be compared with.
    """

    compared: Compared
    held: pl.DataFrame
    left_out: frozenset[str]


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
        found["identity"] = _by_account(identity_matches(whole.compared, accounts=own))
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
        days = [Cut([account_id], since_date, as_of)]
        con = self._session(
            {
                "calls": cut(self._views["calls"], days, day="call_date", columns=OF_A_CALL),
                "accounts": self._accounts([account_id]),
                "lists": self._views["lists"],
            }
        )
        try:
            rows = run(
                con,
                _query(
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

    def midnight(self, as_of: date) -> Midnight:
        """Return what all accounts say as of a midnight; worked out once for all its cases."""
        with self._lock:
            if as_of not in self._midnights:
                if len(self._midnights) >= MIDNIGHTS:
                    self._midnights.pop(next(iter(self._midnights)))
                self._midnights[as_of] = self._all_accounts(as_of)
            return self._midnights[as_of]

    def _all_accounts(self, as_of: date) -> Midnight:
        lake, at = self._lake, instant(as_of)
        left_out = left_alone(lake, as_of=at)
        con = self._session({name: self._views[name] for name in ("accounts", "account_events")})
        try:
            compared = compare_accounts(
                con,
                as_of=at,
                left_out=left_out,
                parameters=parameters_of_night(lake, as_of),
                seed=lake.settings.scoring.seed,
                store=lake.settings.store,
            )
            since_date = as_of - timedelta(days=LOOK_BACK_DAYS)
            days = {"since_date": since_date, "until_date": as_of}
            held = run(con, _query("held", as_of=at, **days))
        finally:
            con.close()
        return Midnight(compared, held, left_out)

    def _details(self, named: pa.Table, as_of: date) -> pl.DataFrame:
        ids = named.column("account_id").unique().to_pylist()
        con = self._session({"accounts": named})
        try:
            return run(con, _query("account_details", accounts=ids, as_of=instant(as_of)))
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


def instant(day: date) -> datetime:
    """Return the midnight UTC that begins a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def shared_values(whole: Midnight, own: Sequence[str]) -> dict[str, list[Row]]:
    """Return what accounts have, and who else has it: blocked ones first, strangers last.

    Returns
    -------
    dict
        Rows of each account: `kind`, `value`, `other_id`, `other_status`; :data:`SHARED` at most.
        Accounts that nobody may be compared with are nobody's other.
    """
    held = whole.held
    theirs = held.filter(pl.col("account_id").is_in(list(own)))
    keys = theirs.select("kind", "value").unique()
    others = (
        held.join(keys, on=["kind", "value"], how="semi")
        .filter(~pl.col("account_id").is_in(list(whole.left_out)))
        .select("kind", "value", other_id="account_id", other_status="status")
        .sort(pl.col("other_status") != "blocked", "other_id")
        .group_by("kind", "value", maintain_order=True)
        .head(SHARED)
    )
    found = (
        theirs.select("account_id", "kind", "value")
        .join(others, on=["kind", "value"], how="left")
        .with_columns(
            pl.when(pl.col("other_id") != pl.col("account_id")).then(pl.col(name)).alias(name)
            for name in ("other_id", "other_status")
        )
        .unique()
    )
    # where others have a value, the row that says its owner has it too goes
    alone = pl.col("other_id").is_null().all().over("account_id", "kind", "value")
    ordered = (
        found.filter(pl.col("other_id").is_not_null() | alone)
        .sort(
            "account_id", pl.col("other_id").is_null(), pl.col("other_status") != "blocked",
            "kind", "value", "other_id",
        )
        .group_by("account_id", maintain_order=True)
        .head(SHARED)
    )  # fmt: skip
    return _by_account(ordered)


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
        name: _by_account(run(con, _query(name, accounts=list(own), **params)))
        for name, params in asked.items()
    }


def _by_account(rows: pl.DataFrame) -> dict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows.iter_rows(named=True):
        found[row["account_id"]].append(row)
    return found


@cache
def _risks() -> list[dict[str, object]]:
    risky = {Risk.HIGH, Risk.PREMIUM, Risk.SATELLITE}
    return [{"prefix": one.prefix, "high_risk": one.risk in risky} for one in destinations()]


def _query(name: str, **params: object) -> Query:
    return Query.from_file("fraud.review", f"sql/{name}", **params)
