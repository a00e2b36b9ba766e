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

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import polars as pl

from cdr.errors import WrongUse
from cdr.lake import Lake
from cdr.privacy.restrictions import left_alone
from cdr.query import Connection, Query, run
from cdr.schema import INSTANT
from fraud.features.registry import WINDOWS, Signal
from fraud.features.signals import SIGNALS
from fraud.features.statements import text_of
from fraud.features.window import window_features

HISTORY_DAYS = max(WINDOWS)
"""Days before a midnight that any signal looks at."""

KEYS_AT_ONCE = 20_000_000
"""Rows of `account_day_keys` whose accounts are described by one statement. Ours: 25 million do
with the 2 GB of `store.memory_limit_mb`, 50 million do not. Each slice reads all rows once more."""

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
    con = lake.connect_raw("fraud")
    try:
        if isinstance(as_of, pl.DataFrame):
            latest = as_of["as_of"].max()
            alone = left_alone(lake, as_of=latest) if isinstance(latest, datetime) else ()
            return features_at(con, as_of, signals=signals, left_out=alone)
        alone = left_alone(lake, as_of=as_of)
        return features_as_of(con, as_of=as_of, accounts=accounts, signals=signals, left_out=alone)
    finally:
        con.close()


def features_as_of(
    con: Connection,
    *,
    as_of: datetime,
    accounts: Sequence[str] | None = None,
    signals: Sequence[Signal] = SIGNALS,
    left_out: Collection[str] = (),
) -> pl.DataFrame:
    """Do what :func:`features` does, on an open session."""
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
    slices = _slices(con, params)
    parts = [_described(con, signals, "scored_all", {**params, **one}) for one in slices]
    return pl.concat(parts).drop("as_of")


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
    return _described(con, signals, "scored_pairs", params)


def _described(
    con: Connection, signals: Sequence[Signal], scored: str, params: Mapping[str, object]
) -> pl.DataFrame:
    """Run the statement for the signals of one relation after the other.

    DuckDB holds what every relation sums up until a statement ends, beyond its limit too: one
    at a time bounds a night's memory.
    """
    relations = dict.fromkeys(signal.relation for signal in signals)
    parts = [[one for one in signals if one.relation is relation] for relation in relations] or [[]]
    found = [run(con, _given(window_features(part, scored=scored), params)) for part in parts]
    keys = found[0].select(PAIRS.names())  # of every part the same, in the same order
    columns = [part.drop(PAIRS.names()) for part in found]
    column_of = {
        signal.name: column
        for part, described in zip(parts, columns, strict=True)
        for signal, column in zip(part, described, strict=True)
    }
    return keys.with_columns(column_of[signal.name] for signal in signals)


def _slices(con: Connection, params: Mapping[str, object]) -> list[dict[str, str | None]]:
    """Cut the accounts into slices with about `KEYS_AT_ONCE` rows of the window each.

    DuckDB cannot spill all that a statement sums up, so its memory grows with the accounts.
    """
    text = text_of("slice_bounds")
    given = _given(Query("slice_bounds", text), {**params, "keys_at_once": KEYS_AT_ONCE})
    bounds = [None, *run(con, given)["account_id"], None]
    return [{"from_account": low, "to_account": high} for low, high in pairwise(bounds)]


def _midnight(as_of: datetime) -> date:
    """Return the UTC day that ``as_of`` begins."""
    if as_of.tzinfo is None or (as_of - datetime(1970, 1, 1, tzinfo=UTC)) % timedelta(days=1):
        raise WrongUse("features are made as of a midnight in UTC; give one, with its zone")
    return as_of.astimezone(UTC).date()


def _bounds(days: Iterable[date]) -> dict[str, object]:
    days = list(days)
    return {"first_date": min(days) - timedelta(days=HISTORY_DAYS), "until_date": max(days)}


def _given(query: Query, params: Mapping[str, object]) -> Query:
    """Return ``query`` with those of ``params`` that its signals ask for."""
    asked = set(re.findall(r"\$(\w+)", query.sql))
    return replace(query, params={name: params[name] for name in asked})
