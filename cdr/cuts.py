"""A few accounts cut out of the lake into memory.

A statement over a view reads whole days. Where much is asked of few accounts, what they have is
read once, by the footers of the files, and the statements run on that. Read by Polars: it decodes
the column of the condition first and of the others only what meets it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_

import polars as pl
import pyarrow as pa

from cdr.errors import storage
from cdr.lake import Lake
from cdr.schema import KEPT_FOR, TABLES, Purpose

ACCOUNT = "account_id"


@dataclass(frozen=True, slots=True)
class Cut:
    """Accounts, and the UTC days of theirs that are wanted; `until` is excluded."""

    accounts: Sequence[str]
    since: date
    until: date


def frames(lake: Lake, purpose: Purpose, names: Collection[str]) -> Mapping[str, pl.LazyFrame]:
    """Return tables as they are now, with the columns and rows that raw views of a purpose have.

    Parameters
    ----------
    lake : Lake
        Where they lie.
    purpose : Purpose
        Not billing, which sees rows that nobody else does.
    names : collection of str
        Which tables.
    """
    with lake.reading():
        return {name: _frame(lake, purpose, name) for name in names}


def _frame(lake: Lake, purpose: Purpose, name: str) -> pl.LazyFrame:
    table = TABLES[name]
    columns = table.columns_of(purpose)
    frame = lake.scan(table)
    if KEPT_FOR.name in columns:
        frame = frame.filter(pl.col(KEPT_FOR.name).is_null())
    return frame.select(columns)


def cut(
    frame: pl.LazyFrame,
    wanted: Iterable[Cut],
    *,
    day: str | None,
    columns: Sequence[str] | None = None,
    besides: pl.Expr | None = None,
) -> pa.Table:
    """Read the rows of some accounts.

    Parameters
    ----------
    frame : LazyFrame
        Of `frames`, with a column `account_id`.
    wanted : iterable of Cut
        Whose rows, and of which days.
    day : str or None
        Column of the UTC day; None takes rows of any day.
    columns : sequence of str, optional
        Only these; None takes all.
    besides : pl.Expr, optional
        Other rows that are wanted too.

    Returns
    -------
    pa.Table
        In no order.

    Raises
    ------
    StorageFailed
        If a file cannot be read.
    """
    conditions = [_condition(one, day) for one in wanted if one.accounts]
    if besides is not None:
        conditions.append(besides)
    rows = frame.filter(reduce(or_, conditions)) if conditions else frame.clear()
    with storage("reading the lake"):
        return (rows if columns is None else rows.select(columns)).collect().to_arrow()


def _condition(one: Cut, day: str | None) -> pl.Expr:
    of_account = pl.col(ACCOUNT).is_in(list(one.accounts))
    if day is None:
        return of_account
    return of_account & (pl.col(day) >= one.since) & (pl.col(day) < one.until)
