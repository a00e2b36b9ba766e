"""What a dialect found, put into the columns of a record.

The last step of every reader: columns it did not fill become null, reasons become
lists, and a record whose used text was not UTF-8 is faulted. Nothing is converted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from cdr.codes import listed
from cdr.formats.blocks import REPLACEMENT
from cdr.formats.record import RECORD

_PLACE = ("line", "source_rows", "raw", "faults", "flags", "leg")
TEXT = tuple(name for name in RECORD if name not in _PLACE)
"""The columns that carry what a record says."""


def when(condition: pl.Expr, code: str) -> pl.Expr:
    """Return `code` where the condition holds, else null."""
    return pl.when(condition).then(pl.lit(code))


def with_columns(found: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """Add the columns a file does not have, null."""
    lacking = [name for name in names if name not in found.columns]
    return found.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in lacking)


def records(
    found: pl.DataFrame,
    columns: Mapping[str, pl.Expr],
    *,
    faults: tuple[pl.Expr, ...] = (),
    flags: tuple[pl.Expr, ...] = (),
) -> pl.DataFrame:
    """Make records of what a dialect found.

    Parameters
    ----------
    found : pl.DataFrame
        `line`, `raw`, `fault` (String, null where the row could be split) and
        whatever the expressions use.
    columns : mapping of str to pl.Expr
        Columns of `RECORD` this dialect fills; the others are null, `source_rows` 1,
        `leg` 0.
    faults, flags : tuple of pl.Expr of String
        A code each where something is wrong or doubtful, else null. Faults of
        `columns` are not looked for in a row that could not be split.

    Returns
    -------
    pl.DataFrame
        The columns of `RECORD`. Bytes that were not UTF-8 are a fault (`not_utf8`)
        only where they stand in a column that is used.
    """
    filled = found.with_columns(**columns)
    said = [name for name in TEXT if name in columns]
    split = pl.col("fault").is_null()
    every = [pl.col("fault"), *(pl.when(split).then(fault) for fault in faults)]
    if found["raw"].str.contains(REPLACEMENT, literal=True).any():
        spoilt = (pl.col(name).str.contains(REPLACEMENT, literal=True) for name in said)
        every.append(when(pl.any_horizontal(pl.lit(value=False), *spoilt), "not_utf8"))
    lists = {
        "faults": listed(filled, every),
        "flags": listed(filled, [pl.when(split).then(flag) for flag in flags]),
    }
    defaults = {"source_rows": pl.lit(1), "leg": pl.lit(0)}
    return filled.select(
        lists[name].alias(name)
        if name in lists
        else pl.col(name).cast(dtype)
        if name in filled.columns
        else defaults.get(name, pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in RECORD.items()
    )
