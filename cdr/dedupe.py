"""Which rows of a batch are new, which were there, which correct what was there.

Pure: keys in, fates out. A record is known by `record_id`; its content by
`content_hash`. Content seen once is a duplicate for ever, also where a
correction replaced it since: taking in an old file again never undoes a newer
one.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import numpy as np
import polars as pl

KEY = ("record_id", "content_hash")


class Fate(StrEnum):
    """What becomes of a row."""

    ACCEPTED = "accepted"  # its call is new
    DUPLICATE = "duplicate"  # its call is there with this content, or was, or with its end besides
    CORRECTED = "corrected"  # its call is there with other content


def repeats(rows: pl.DataFrame, before: pl.DataFrame | None = None) -> pl.Series:
    """Tell which rows say again what an earlier row said.

    Parameters
    ----------
    rows : DataFrame
        `record_id` and `content_hash`, oldest arrival first.
    before : DataFrame, optional
        The same of rows that arrived before all of these.

    Returns
    -------
    Series of Boolean
        One value for each of `rows`.

    Examples
    --------
    >>> rows = pl.DataFrame({"record_id": [b"a", b"b", b"a"], "content_hash": [1, 1, 1]})
    >>> repeats(rows).to_list()
    [False, False, True]
    >>> repeats(rows, rows.filter(pl.col("record_id") == b"b")).to_list()
    [False, True, True]
    """
    before = rows.select(KEY).clear() if before is None else before.select(KEY)
    suspects = stands_twice(rows["record_id"].hash(), [before["record_id"].hash()]).arg_true()
    among = pl.concat([before, rows.select(pl.col(KEY).gather(suspects))])
    again = ~among.select(pl.struct(KEY).is_first_distinct()).to_series()
    mask = pl.Series([False]).new_from_index(0, rows.height)
    return mask.scatter(suspects, again.slice(before.height))


def stands_twice(numbers: pl.Series, others: Iterable[pl.Series]) -> pl.Series:
    """Tell which numbers are among the others, or twice among themselves.

    Meant for hashes of which few are: sorting numbers is cheap.

    Parameters
    ----------
    numbers : Series
        Whole numbers without nulls.
    others : iterable of Series
        Likewise, of the same type.

    Returns
    -------
    Series of Boolean
        One value for each of `numbers`.

    Examples
    --------
    >>> mine, other = pl.Series([1, 2, 3, 3]), pl.Series([2, 4])
    >>> stands_twice(mine, [other]).to_list()
    [False, True, True, True]
    """
    every = np.concatenate([each.to_numpy() for each in (numbers, *others)])
    every.sort()
    again = every[1:][every[1:] == every[:-1]]
    if not len(again):
        return pl.Series([False]).new_from_index(0, len(numbers))
    return numbers.is_in(pl.Series(again).implode())


def outdone(staged: pl.DataFrame, standing: pl.DataFrame) -> pl.Series:
    """Tell which staged rows lack the end of a call that another row of their record has.

    A proxy may say again, a day later, that a call was answered: that corrects nothing.

    Parameters
    ----------
    staged, standing : DataFrame
        `record_id` and `end_seen` (Boolean; null where nobody answered).

    Returns
    -------
    Series of Boolean

    Examples
    --------
    >>> staged = pl.DataFrame({"record_id": [b"a", b"b", b"b"], "end_seen": [False, False, True]})
    >>> standing = pl.DataFrame({"record_id": [b"a"], "end_seen": [True]})
    >>> outdone(staged, standing).to_list()
    [True, True, False]
    """
    lacks = ~staged["end_seen"].fill_null(value=True)
    if not lacks.any():
        return lacks
    has = pl.concat([rows.filter("end_seen").select("record_id") for rows in (staged, standing)])
    return lacks & staged["record_id"].is_in(has["record_id"].implode())


def fates(staged: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Decide on every staged row, in the order of their arrival.

    Parameters
    ----------
    staged : DataFrame
        `record_id` and `content_hash`, oldest arrival first.
    known : DataFrame
        `record_id` and `content_hash` of every version the lake holds of these
        records, current or superseded.

    Returns
    -------
    DataFrame
        One row per staged row, in the same order: `fate` (see :class:`Fate`) and
        `stands` (Boolean: it is the version that counts from now on).

    Examples
    --------
    >>> staged = pl.DataFrame({"record_id": [b"a", b"a", b"b"], "content_hash": [1, 2, 7]})
    >>> known = pl.DataFrame({"record_id": [b"b"], "content_hash": [7]})
    >>> fates(staged, known).rows()
    [('accepted', False), ('corrected', True), ('duplicate', False)]
    """
    first_of_content = pl.struct(KEY).is_first_distinct()
    seen = known.select(KEY).unique().with_columns(seen=pl.lit(value=True))
    keys = known.select("record_id").unique().with_columns(known_key=pl.lit(value=True))
    row = staged.select(KEY).with_row_index("row")
    news = (
        row.filter(first_of_content)
        .join(seen, on=KEY, how="left")
        .filter(pl.col("seen").is_null())
        .join(keys, on="record_id", how="left")
        .sort("row")
        .select(
            "row",
            pl.when(
                pl.col("known_key").is_null()
                & (pl.col("row") == pl.col("row").min().over("record_id"))
            )
            .then(pl.lit(Fate.ACCEPTED.value))
            .otherwise(pl.lit(Fate.CORRECTED.value))
            .alias("fate"),
            (pl.col("row") == pl.col("row").max().over("record_id")).alias("stands"),
        )
    )
    return (
        row.select("row")
        .join(news, on="row", how="left", maintain_order="left")
        .select(
            pl.col("fate").fill_null(Fate.DUPLICATE.value),
            pl.col("stands").fill_null(value=False),
        )
    )
