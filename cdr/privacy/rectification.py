"""Putting right what is held about an account, with what stood before (GDPR Art. 16, 5(2))."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from cdr.errors import WrongUse
from cdr.lake import Lake
from cdr.schema import ACCOUNTS, DIRECT, INSTANT, TEXTS

CORRECTABLE = tuple(f.name for f in ACCOUNTS.fields if f.personal is DIRECT or f.name == "country")
"""Details that a person can have put right. Who is suspended is decided elsewhere."""


def rectify(
    lake: Lake, account_id: str, changes: Mapping[str, str | None], *, now: datetime
) -> tuple[str, ...]:
    """Let details of an account stand differently from now on; what stood before stays as such.

    Parameters
    ----------
    lake : Lake
        Whose.
    account_id : str
        Which account.
    changes : mapping of str to str or None
        Column and new value; None takes it away. Values of lists are separated by ``;``.
    now : datetime
        UTC instant from which on they stand.

    Returns
    -------
    tuple of str
        The columns that are different now; empty where they stood so already.

    Raises
    ------
    WrongUse
        If there is no such account or column.
    """
    if unknown := sorted(set(changes) - set(CORRECTABLE)):
        raise WrongUse(
            f"{', '.join(unknown)} cannot be put right; known are: {', '.join(CORRECTABLE)}"
        )
    with lake.batch("rectify") as batch, lake.writing():
        held = lake.scan(ACCOUNTS).collect()
        current = (pl.col("account_id") == account_id) & pl.col("valid_to").is_null()
        standing = held.filter(current)
        if standing.is_empty():
            raise WrongUse("there is no such account")
        put_right = standing.with_columns(
            [_value(name, text) for name, text in changes.items()]
        ).with_columns(
            pl.lit(now, INSTANT).alias("valid_from"), pl.lit(now, INSTANT).alias("imported_at")
        )
        different = tuple(
            name for name in changes if not put_right[name].equals(standing[name], null_equal=True)
        )
        if different:
            ended = held.with_columns(
                pl.when(current).then(pl.lit(now, INSTANT)).otherwise("valid_to").alias("valid_to")
            )
            rows = pl.concat([ended, put_right]).sort("account_id", "valid_from")
            lake.replace(batch, ACCOUNTS, rows)
            batch.publish()
    return different


def _value(name: str, text: str | None) -> pl.Expr:
    if ACCOUNTS.polars_schema[name] == TEXTS:
        return pl.lit([one for one in (text or "").split(";") if one], TEXTS).alias(name)
    return pl.lit(text or None, pl.String).alias(name)
