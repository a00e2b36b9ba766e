"""Accounts described as of midnights: what pipelines, training and notebooks call.

Point in time: an account is described by what began before its midnight. Calls
count by ``started_at``, so that a late call is seen once its day has been
reduced again: a recomputed past is what should have been known, and repeating an
old score exactly needs the lake's old version. Account details, numbers and
lists count as they were valid then; an account's own status is never looked at,
since it is what is to be foretold, and that of others only as far as it was
known. Not here: the statement (:mod:`fraud.features.window`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl

from cdr.errors import WrongUse
from cdr.lake import Lake
from cdr.privacy.restrictions import left_alone
from cdr.query import Connection
from cdr.schema import INSTANT
from fraud.features.by_slice import (
    ReducedRows,
    described,
    described_by_slice,
    of_session,
    opened,
)
from fraud.features.registry import WINDOWS, Signal
from fraud.features.signals import SIGNALS

HISTORY_DAYS = max(WINDOWS)
"""Days before a midnight that any signal looks at."""

PAIRS = pl.Schema({"account_id": pl.String(), "as_of": INSTANT})
"""What :func:`features_at` is asked for."""


def features(
    lake: Lake,
    *,
    as_of: datetime | pl.DataFrame,
    accounts: Sequence[str] | None = None,
    signals: Sequence[Signal] = SIGNALS,
) -> pl.DataFrame:
    """Describe accounts as of one midnight, or each as of a midnight of its own.

    Accounts under restriction or objection are not described, nor compared with.

    Parameters
    ----------
    lake : Lake
        Asked for a session of the fraud purpose.
    as_of : datetime or DataFrame
        Midnight UTC; nothing that began at or after it is seen. Or `account_id` and `as_of`,
        as :func:`features_at` takes them.
    accounts : sequence of str, optional
        Only these; None takes all. Not with pairs, which name them.
    signals : sequence of Signal, default=SIGNALS
        Columns wanted.

    Returns
    -------
    pl.DataFrame
        One row per account opened before ``as_of``, sorted by account_id:
        account_id and each signal (Float64, null where unknown).

    Raises
    ------
    WrongUse
        If ``as_of`` is not a midnight in UTC.
    QueryFailed
        If DuckDB refuses.
    """
    con, reduced = opened(lake)
    try:
        if isinstance(as_of, pl.DataFrame):
            latest = as_of["as_of"].max()
            alone = left_alone(lake, as_of=latest) if isinstance(latest, datetime) else ()
            return features_at(con, as_of, signals=signals, left_out=alone)
        alone = left_alone(lake, as_of=as_of)
        return features_as_of(
            con,
            as_of=as_of,
            accounts=accounts,
            signals=signals,
            left_out=alone,
            reduced=reduced,
        )
    finally:
        con.close()


def features_as_of(
    con: Connection,
    *,
    as_of: datetime,
    accounts: Sequence[str] | None = None,
    signals: Sequence[Signal] = SIGNALS,
    left_out: Collection[str] = (),
    reduced: ReducedRows | None = None,
) -> pl.DataFrame:
    """Do what :func:`features` does, on an open session.

    ``reduced`` are the reduced days of the same lake, see :func:`fraud.features.by_slice.opened`:
    without them all of the window's are read into memory.
    """
    as_of_date = _midnight(as_of)
    if accounts is not None:
        ids = pl.DataFrame({"account_id": accounts}, schema={"account_id": pl.String()})
        pairs = ids.with_columns(as_of=pl.lit(as_of, INSTANT))
        found = features_at(con, pairs, signals=signals, left_out=left_out)
        return found.drop("as_of")
    params = {
        "as_of": as_of,
        "as_of_date": as_of_date,
        "left_out": list(left_out),
        **_bounds([as_of_date]),
    }
    rows = of_session(con, params) if reduced is None else reduced
    return described_by_slice(con, signals, params, rows).drop("as_of")


def features_at(
    con: Connection,
    pairs: pl.DataFrame,
    *,
    signals: Sequence[Signal] = SIGNALS,
    left_out: Collection[str] = (),
) -> pl.DataFrame:
    """Describe accounts each as of a midnight of its own.

    Parameters
    ----------
    con : Connection
        A session of the fraud purpose.
    pairs : pl.DataFrame
        account_id and as_of (midnights UTC); an account may occur with several.
    signals : sequence of Signal, default=SIGNALS
        Columns wanted.
    left_out : collection of str
        Accounts that may be neither scored nor used: restricted ones, and those that
        object.

    Returns
    -------
    pl.DataFrame
        One row for each distinct pair whose account was open then, sorted:
        account_id, as_of and each signal (Float64, null where unknown).

    Raises
    ------
    WrongUse
        If an ``as_of`` is not a midnight in UTC.
    QueryFailed
        If DuckDB refuses.
    """
    given = pairs.select(pl.col(name).cast(dtype) for name, dtype in PAIRS.items()).unique()
    if given.is_empty():
        names = [signal.name for signal in signals]
        return pl.DataFrame(schema={**PAIRS, **dict.fromkeys(names, pl.Float64())})
    days = {as_of: _midnight(as_of) for as_of in given["as_of"].unique()}
    asked = [{**pair, "as_of_date": days[pair["as_of"]]} for pair in given.iter_rows(named=True)]
    params = {"pairs": asked, "left_out": list(left_out), **_bounds(days.values())}
    return described(con, signals, "scored_pairs", params)


def _midnight(as_of: datetime) -> date:
    """Return the UTC day that ``as_of`` begins."""
    if as_of.tzinfo is None or (as_of - datetime(1970, 1, 1, tzinfo=UTC)) % timedelta(days=1):
        raise WrongUse("features are made as of a midnight in UTC; give one, with its zone")
    return as_of.astimezone(UTC).date()


def _bounds(days: Iterable[date]) -> dict[str, object]:
    days = list(days)
    return {"first_date": min(days) - timedelta(days=HISTORY_DAYS), "until_date": max(days)}
