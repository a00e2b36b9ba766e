"""Codes that are seldom there: which of many checks a row fails, as a list.

The checks are made for all rows; lists are built for the rows that need one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

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
    holds = frame.select(
        pl.col(besides).list.len().alias("") > 0,
        **{code: check.fill_null(value=False) for code, check in checks.items()},
    )
    rows = holds.select(pl.any_horizontal(pl.all()).alias("any"))["any"].arg_true()
    nothing = pl.Series("codes", [[]], dtype=TEXTS)
    if rows.is_empty():
        return nothing.new_from_index(0, frame.height)
    some = holds.select(pl.all().gather(rows)).with_columns(frame[besides].gather(rows).alias(""))
    codes = [pl.when(pl.col(code)).then(pl.lit(code)) for code in checks]
    lists = some.select(
        pl.concat_list(pl.col(""), pl.concat_list(codes).list.drop_nulls()).alias("codes")
    )["codes"]
    place = np.zeros(frame.height, np.uint32)
    place[rows.to_numpy()] = np.arange(1, len(rows) + 1)
    return pl.concat([nothing, lists.cast(TEXTS)]).gather(pl.Series(place))
