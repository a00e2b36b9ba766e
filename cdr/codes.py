"""Codes that are seldom there: which of many checks a row fails, as a list.

The checks are made for all rows; lists are built for the rows that need one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from cdr.schema import TEXTS


def failed(frame: pl.DataFrame, checks: Mapping[str, pl.Expr], *, besides: str) -> pl.Series:
    """List the codes of the checks that hold for each row.

    Parameters
    ----------
    frame : DataFrame
        What the checks look at.
    checks : mapping of str to Expr of Boolean
        By code, in the order of the list; null holds as little as false does.
    besides : str
        A column of `frame` with lists of codes that come before these; never null.

    Returns
    -------
    Series of List of String
        Empty lists for most rows.

    Examples
    --------
    >>> schema = {"s": pl.Int8, "was": TEXTS}
    >>> calls = pl.DataFrame({"s": [1, -1, 3], "was": [[], ["odd"], ["odd"]]}, schema)
    >>> failed(calls, {"negative": pl.col("s") < 0}, besides="was").to_list()
    [[], ['odd', 'negative'], ['odd']]
    """
    some = pl.any_horizontal(pl.col(besides).list.len() > 0, *checks.values())
    codes = [pl.when(check).then(pl.lit(code)) for code, check in checks.items()]
    return _lists(frame, some, pl.concat_list(besides, _said(codes)))


def listed(frame: pl.DataFrame, codes: Sequence[pl.Expr]) -> pl.Series:
    """List the codes that each row has.

    Parameters
    ----------
    frame : DataFrame
        What the expressions look at.
    codes : sequence of Expr of String
        A code each, or null.

    Returns
    -------
    Series of List of String
        Empty lists for most rows.

    Examples
    --------
    >>> frame = pl.DataFrame({"a": [None, "x", "x"], "b": [None, None, "y"]})
    >>> listed(frame, [pl.col("a"), pl.col("b")]).to_list()
    [[], ['x'], ['x', 'y']]
    """
    some = pl.any_horizontal(pl.lit(value=False), *(code.is_not_null() for code in codes))
    return _lists(frame, some, _said(codes))


def _said(codes: Sequence[pl.Expr]) -> pl.Expr:
    return pl.concat_list(pl.lit(None, pl.String), *codes).list.drop_nulls()


def _lists(frame: pl.DataFrame, some: pl.Expr, lists: pl.Expr) -> pl.Series:
    """Return the lists of the rows that have some, and empty ones for the others."""
    rows = frame.select(some.fill_null(value=False)).to_series().arg_true()
    found = pl.Series([], dtype=TEXTS)
    if len(rows):
        used = frame.select(pl.col(sorted(set(lists.meta.root_names()))).gather(rows))
        found = used.select(lists).to_series()
    return _spread(found, rows, frame.height).alias("codes")


def _spread(lists: pl.Series, rows: pl.Series, height: int) -> pl.Series:
    """Put lists that are not empty into their rows; the other rows have empty ones."""
    ends = np.zeros(height + 1, np.int64)
    ends[rows.to_numpy() + 1] = lists.list.len().to_numpy()
    texts = lists.explode().to_arrow(compat_level=pl.CompatLevel.oldest())
    return pl.Series(pa.LargeListArray.from_arrays(pa.array(ends.cumsum()), texts), dtype=TEXTS)
