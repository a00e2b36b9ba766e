"""A few accounts cut out of the lake into memory.

A statement over a view reads whole days. Where much is asked of few accounts, what they have is
read once, by the footers of the files, and the statements run on that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_

import pyarrow as pa
import pyarrow.dataset as ds

from cdr.errors import storage

ACCOUNT = "account_id"


@dataclass(frozen=True, slots=True)
class Cut:
    """Accounts, and the UTC days of theirs that are wanted; `until` is excluded."""

    accounts: Sequence[str]
    since: date
    until: date


def cut(
    view: ds.Dataset | pa.Table,
    wanted: Iterable[Cut],
    *,
    day: str | None,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Read the rows of some accounts.

    Parameters
    ----------
    view : Dataset or Table
        Of `Lake.views` or `Lake.raw_views`, with a column `account_id`.
    wanted : iterable of Cut
        Whose rows, and of which days.
    day : str or None
        Column of the UTC day; None takes rows of any day.
    columns : sequence of str, optional
        Only these; None takes all.

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
    names = list(columns) if columns is not None else view.schema.names
    if not conditions:
        return view.schema.empty_table().select(names)
    wanted_rows = reduce(or_, conditions)
    if isinstance(view, ds.Dataset):
        with storage("reading the lake"):
            return view.to_table(columns=names, filter=wanted_rows)
    return view.filter(wanted_rows).select(names)


def _condition(one: Cut, day: str | None) -> ds.Expression:
    of_account = ds.field(ACCOUNT).isin(list(one.accounts))
    if day is None:
        return of_account
    return of_account & (ds.field(day) >= one.since) & (ds.field(day) < one.until)
