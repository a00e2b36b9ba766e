"""All accounts described as of one midnight, a slice of them after the other.

What describes one account is read from its own days only, so accounts are taken in
slices of about as many keys: each reads its own rows of the reduced days once, holds
them in the session, and every statement on them runs over rows that fit into memory,
whatever the number of accounts. Not here: the statements (:mod:`fraud.features.window`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import polars as pl

from cdr.lake import Lake
from cdr.query import Connection, Query, forget, hold, run
from fraud.features.account_days import ACCOUNT_DAY_KEYS, ACCOUNT_DAYS
from fraud.features.registry import Signal
from fraud.features.statements import relation, statement, text_of
from fraud.features.window import reads_days, scored_sql, window_features
from fraud.features.zones import zones_sql

KEYS_AT_ONCE = 3_000_000
"""Rows of `account_day_keys` whose accounts make a slice. Ours: they and what is summed up from
them take some hundreds of megabytes; smaller slices gain nothing."""

KEY_COLUMNS = (
    "account_id", "kind", "key", "call_count", "brief_ring_count", "cost_usd", "call_date"
)  # fmt: skip
"""Columns of ``window_keys.sql``."""

_FOR_ALL: Mapping[str, tuple[str, ...]] = {
    "mass_ringers": (scored_sql("scored_all"),),
    "left_behind": (),
    "detail_sightings": (relation("detail_periods"), relation("event_values")),
}
"""Relations that look at all accounts, with what each needs: worked out once for all slices."""

_OF_DAYS = ("window_days", "window_keys")
_OF_SLICE = ("subjects", "local_hours")
"""Relations that a slice works out once: as tables, which DuckDB knows to be small and joins so."""

_HELD = (*_FOR_ALL, "scored", *_OF_SLICE, *_OF_DAYS)
"""What the session holds while a slice is described."""


@dataclass(frozen=True, slots=True)
class ReducedRows:
    """The reduced days as their files have them: read so, they cost a fifth of what a session's do.

    Their files say of each few thousand rows which accounts these belong to: of a slice of
    accounts, only its own are unpacked.
    """

    days: pl.LazyFrame
    keys: pl.LazyFrame

    def between(self, first: object, until: object) -> ReducedRows:
        """Return those of the days from one on and before another, with what signals read."""
        within = pl.col("call_date").is_between(pl.lit(first), pl.lit(until), closed="left")
        return ReducedRows(self.days.filter(within), self.keys.filter(within).select(KEY_COLUMNS))


def opened(lake: Lake) -> tuple[Connection, ReducedRows]:
    """Open a session of the fraud purpose, and the reduced days, all of the same state."""
    with lake.reading():
        rows = ReducedRows(lake.scan(ACCOUNT_DAYS), lake.scan(ACCOUNT_DAY_KEYS))
        return lake.connect_raw("fraud"), rows


def of_session(con: Connection, params: Mapping[str, object]) -> ReducedRows:
    """Return the reduced days of a session without a lake, read whole: for few accounts."""
    days, keys = (run(con, given(Query(name, text_of(name)), params)) for name in _OF_DAYS)
    return ReducedRows(days.lazy(), keys.lazy())


def described(
    con: Connection,
    signals: Sequence[Signal],
    scored: str,
    params: Mapping[str, object],
    held: Collection[str] = (),
) -> pl.DataFrame:
    """Run the statement for the signals of one relation after the other.

    DuckDB holds what every relation sums up until a statement ends, beyond its limit too: one
    at a time bounds memory. ``held`` is as :func:`fraud.features.window.window_features` has it.

    Returns
    -------
    pl.DataFrame
        account_id, as_of and each signal.
    """
    relations = dict.fromkeys(signal.relation for signal in signals)
    parts = [[one for one in signals if one.relation is source] for source in relations] or [[]]
    queries = (given(window_features(part, scored=scored, held=held), params) for part in parts)
    frames = [run(con, query) for query in queries]
    return _beside(zip(parts, frames, strict=True), signals)


def described_by_slice(
    con: Connection,
    signals: Sequence[Signal],
    params: Mapping[str, object],
    rows: ReducedRows,
) -> pl.DataFrame:
    """Describe all accounts as of one midnight; what `described` gives, in the same order.

    Only signals that read reduced days are worked out by slices: other rows are few, and lie in
    no order of accounts.
    """
    of_days = [signal for signal in signals if reads_days(signal.relation)]
    others = [signal for signal in signals if not reads_days(signal.relation)]
    whole = {**params, "from_account": None, "to_account": None}
    found = described(con, others, "scored_all", whole)
    if not of_days:
        return found
    rows = rows.between(params["first_date"], params["until_date"])
    try:
        for name, needs in _FOR_ALL.items():
            hold(con, given(Query(name, statement(needs, text_of(name))), whole))
        parts = []
        for low, high in slices(rows.keys, KEYS_AT_ONCE):
            _hold_slice(con, {**params, "from_account": low, "to_account": high}, rows)
            parts.append(described(con, of_days, "scored_all", params, _HELD))
    finally:
        forget(con, _HELD)
    return _beside([(others, found), (of_days, pl.concat(parts))], signals)


def slices(keys: pl.LazyFrame, keys_at_once: int) -> list[tuple[str | None, str | None]]:
    """Cut accounts, in the order of their ids, into slices with about as many keys each.

    Parameters
    ----------
    keys : LazyFrame
        Rows with account_id.
    keys_at_once : int
        Rows that a slice may have, but that an account is not split.

    Returns
    -------
    list of (str or None, str or None)
        First account of a slice and that of the next one; None at both ends.
    """
    counted = keys.group_by("account_id").len("own").collect(engine="streaming").sort("account_id")
    total = max(int(counted["own"].sum()), 1)
    count = -(-total // keys_at_once)
    before = pl.col("own").cum_sum() - pl.col("own")
    firsts = counted.group_by(before * count // total, maintain_order=True).first()
    bounds: list[str | None] = [None, *firsts["account_id"][1:], None]
    return list(pairwise(bounds))


def given(query: Query, params: Mapping[str, object]) -> Query:
    """Return ``query`` with those of ``params`` that its text asks for."""
    asked = set(re.findall(r"\$(\w+)", query.sql))
    return replace(query, params={name: params[name] for name in asked})


def _beside(
    parts: Iterable[tuple[Sequence[Signal], pl.DataFrame]], signals: Sequence[Signal]
) -> pl.DataFrame:
    """Put frames of the same accounts, in the same order, side by side; columns as ``signals``.

    A frame has account_id, as_of, and a column for each of its signals, in their order.
    """
    parts = list(parts)
    keys = parts[0][1].select("account_id", "as_of")
    column_of = {
        signal.name: column
        for of_part, frame in parts
        for signal, column in zip(of_part, frame.drop(keys.columns), strict=True)
    }
    return keys.with_columns(column_of[signal.name] for signal in signals)


def _hold_slice(con: Connection, params: Mapping[str, object], rows: ReducedRows) -> None:
    """Hold the accounts from one on and up to another, and their reduced days."""
    for name, frame in zip(_OF_DAYS, (rows.days, rows.keys), strict=True):
        if params["from_account"] is not None:
            frame = frame.filter(pl.col("account_id") >= pl.lit(params["from_account"]))
        if params["to_account"] is not None:
            frame = frame.filter(pl.col("account_id") < pl.lit(params["to_account"]))
        rows_of_slice = frame.collect(engine="streaming")
        con.register(name, rows_of_slice.to_arrow(compat_level=pl.CompatLevel.newest()))  # no copy
    hold(con, given(Query("scored", text_of("scored_all")), params))
    for name in _OF_SLICE:
        hold(con, Query(name, statement((zones_sql(),), text_of(name))))
