"""What the lake says of an account under review: read when its case is opened.

The only place of the review that asks the lake about an account. It sees the fraud
purpose's columns, binds every value, and looks back from the evidence's midnight, so
that a page shows what the score saw. Values come unmasked; pages mask them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any

import polars as pl

from cdr.lake import Lake
from cdr.query import Connection, Query, run
from cdr.schema import INSTANT
from fraud.candidates import Candidate
from fraud.features.destination_risk import Risk, destinations
from fraud.features.midnight import features_at
from fraud.features.signals import SIGNALS
from fraud.identity.overlap import Compared, compare_accounts, identity_matches
from fraud.identity.parameters import parameters_of_night
from fraud.reference import midnights_of_blocks
from fraud.review.calls_behind import CallFilter

LOOK_BACK_DAYS = 30
"""Days that pictures show: the longest window of a signal."""

TIMELINE_DAYS = 90
"""Days of events on the timeline. Ours: sign-up frauds come within a quarter."""

SESSION_S = 600.0
"""How long a session of the lake is used before newer data is looked for. Ours: opening one and
comparing identities takes longer than all other questions, and pages look back from a midnight."""

KEPT = 256
"""Accounts whose answers are kept while the session lasts. Ours: a day's cases of a team."""

Row = Mapping[str, Any]


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
    numbers, hours, destinations, events, shared, called_in_common : sequence of Row
        Columns of the statements of these names.
    identity : sequence of Row
        The waterfall, as `fraud.identity.overlap.MATCHES`.
    """

    details: Row
    similar: Mapping[str, Row]
    behaviour: Mapping[str, Row]
    numbers: Sequence[Row]
    hours: Sequence[Row]
    destinations: Sequence[Row]
    events: Sequence[Row]
    shared: Sequence[Row]
    called_in_common: Sequence[Row]
    identity: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Calls:
    """Some of the calls behind a number, and how many there are in all."""

    rows: Sequence[Row]
    whole: int


class AccountReader:
    """Reads accounts from one lake; safe to share between threads.

    Parameters
    ----------
    lake : Lake
        Opened for reading.
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._lock = Lock()
        self._session: Connection | None = None
        self._opened_s = 0.0
        self._kept: dict[tuple[str, date, tuple[str, ...], tuple[str, ...]], Account] = {}
        self._compared: dict[date, Compared] = {}

    def account(
        self,
        account_id: str,
        *,
        as_of: date,
        similar: Sequence[str] = (),
        signals: Sequence[str] = (),
    ) -> Account:
        """Read an account, and details and signals of it and similar ones, as of a midnight.

        Raises
        ------
        QueryFailed
            If DuckDB refuses.
        """
        key = (account_id, as_of, tuple(similar), tuple(signals))
        with self._lock:
            session = self._open()
            if key not in self._kept:
                if len(self._kept) >= KEPT:
                    self._kept.pop(next(iter(self._kept)))
                compared = self._identities(session, as_of)
                self._kept[key] = _read(session, compared, *key)
            return self._kept[key]

    def of_case(self, candidate: Candidate, *, as_of: date) -> Account:
        """Read what the page of a case shows: the account, its similar ones, its reasons' signals.

        Raises
        ------
        QueryFailed
            If DuckDB refuses.
        """
        near = (*candidate.similar_blocked, *candidate.similar_good)
        return self.account(
            candidate.account_id,
            as_of=as_of,
            similar=[one.account_id for one in near],
            signals=[reason.signal for reason in candidate.reasons],
        )

    def _identities(self, session: Connection, as_of: date) -> Compared:
        """Compare all accounts with blocked ones, once for all cases of a night."""
        if as_of not in self._compared:
            self._compared.clear()
            self._compared[as_of] = compare_accounts(
                session,
                as_of=_midnight(as_of),
                parameters=parameters_of_night(self.lake, as_of),
                seed=self.lake.settings.scoring.seed,
                store=self.lake.settings.store,
            )
        return self._compared[as_of]

    def calls(
        self,
        account_id: str,
        wanted: CallFilter,
        *,
        as_of: date,
        home_country: str | None,
        skip: int = 0,
        limit: int = 100,
    ) -> Calls:
        """Read calls behind a number, the newest first.

        Raises
        ------
        QueryFailed
            If DuckDB refuses.
        """
        query = _query(
            "calls_behind",
            account_id=account_id,
            since_date=as_of - timedelta(days=wanted.days),
            until_date=as_of,
            direction=wanted.direction,
            answered=wanted.answered,
            failed=wanted.failed,
            abroad=wanted.abroad,
            longest_ms=wanted.longest_ms,
            longest_ring_ms=wanted.longest_ring_ms,
            first_days=wanted.first_days,
            pick=wanted.pick,
            risks=_risks(),
            home_country=home_country,
            skip=skip,
            limit=limit,
        )
        with self._lock:
            rows = run(self._open(), query).to_dicts()
        return Calls(rows, rows[0]["whole"] if rows else 0)

    def _open(self) -> Connection:
        if self._session is None or time.monotonic() - self._opened_s > SESSION_S:
            if self._session is not None:
                self._session.close()
            self._session = self.lake.connect_raw("fraud")
            self._opened_s = time.monotonic()
            self._kept.clear()
            self._compared.clear()
        return self._session


@cache
def _risks() -> list[dict[str, object]]:
    risky = {Risk.HIGH, Risk.PREMIUM, Risk.SATELLITE}
    return [{"prefix": one.prefix, "high_risk": one.risk in risky} for one in destinations()]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _read(
    session: Connection,
    compared: Compared,
    account_id: str,
    as_of: date,
    similar: Sequence[str],
    signals: Sequence[str],
) -> Account:
    midnight = _midnight(as_of)
    since_date = as_of - timedelta(days=LOOK_BACK_DAYS)
    days = {"since_date": since_date, "until_date": as_of}

    def rows(name: str, **params: object) -> list[dict[str, Any]]:
        return run(session, _query(name, **params)).to_dicts()

    asked = [account_id, *similar]
    details = {
        row["account_id"]: row for row in rows("account_details", accounts=asked, as_of=midnight)
    }
    behaviour = _behaviour(session, details, midnight, signals)
    return Account(
        details=details.pop(account_id, {}),
        similar=details,
        behaviour=behaviour,
        numbers=rows("account_numbers", account_id=account_id, as_of=midnight),
        hours=rows("calls_by_hour", account_id=account_id, **days),
        destinations=rows("destinations", account_id=account_id, **days),
        events=rows(
            "timeline_events",
            account_id=account_id,
            since_date=as_of - timedelta(days=TIMELINE_DAYS),
            until_date=as_of,
            as_of=midnight,
        ),
        shared=rows("neighbours", account_id=account_id, as_of=midnight, **days),
        called_in_common=rows("called_in_common", account_id=account_id, as_of=midnight, **days),
        identity=identity_matches(compared, accounts=[account_id]).to_dicts(),
    )


def _behaviour(
    session: Connection, details: Mapping[str, Row], midnight: datetime, names: Sequence[str]
) -> dict[str, Row]:
    """Measure signals of accounts; of a blocked one as the model knows it, when it was blocked."""
    wanted = [signal for signal in SIGNALS if signal.name in names]
    if not wanted or not details:
        return {}
    accounts = pl.DataFrame(
        [(one["account_id"], one["status_since"], one["status"]) for one in details.values()],
        schema={"account_id": pl.String, "status_since": INSTANT, "status": pl.String},
        orient="row",
    )
    blocked = pl.col("status") == "blocked"
    pairs = pl.concat(
        [
            accounts.filter(~blocked).select("account_id", as_of=pl.lit(midnight, INSTANT)),
            midnights_of_blocks(accounts.filter(blocked), midnight),
        ]
    )
    rows = features_at(session, pairs, signals=wanted).to_dicts()
    return {row["account_id"]: row for row in rows}


def _query(name: str, **params: object) -> Query:
    return Query.from_file("fraud.review", f"sql/{name}", **params)
