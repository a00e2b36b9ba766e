"""Rows without the block they came from: a few kept ones must not keep all of it.

A text of the engine is a view into the block it was read from. Rows that are filtered, gathered,
split off or put together still point there, so that one kept row holds megabytes of memory;
`rechunk` and `shrink_to_fit` change nothing of that.
"""

from __future__ import annotations

from typing import cast

import polars as pl


def detached(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows whose texts and bytes are their own.

    Costs a copy; worth it where few rows are kept for long.

    Parameters
    ----------
    rows : DataFrame
        Of any columns.

    Returns
    -------
    DataFrame
        The same rows and columns.

    Examples
    --------
    >>> detached(pl.DataFrame({"raw": ["a line"], "line": [2]})).row(0)
    ('a line', 2)
    """
    # in Arrow's older layout texts lie one after another; the views over them are new
    older = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
    return cast("pl.DataFrame", pl.from_arrow(older))
