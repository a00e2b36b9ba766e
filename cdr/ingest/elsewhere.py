"""Rows whose call is there under another key: of a source renamed, or of a zone set right.

The key of a call is made of its source's name and its start. So where a source is renamed, or its
`zone` is set right, every row of a file that is read again would be another call. Such a row says
the same, of the same id, as one that is there: it counts as a duplicate, and is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from cdr.dedupe import stands_twice
from cdr.keys import ids_64, ids_as_of

DAYS_APART = 1
"""Another zone moves a start by a day at most, but for those on both sides of the date line."""

_ID = ids_64(pl.col("record_id")).alias("id")


def names_before(known: Iterable[str], source: str, in_settings: Collection[str]) -> list[str]:
    """List the names under which a source's calls may have come in, its own first.

    Two sources of the settings are two switches. A name that the settings do not have is one that
    a source had, or that of a format (`ingest --format`): it may be the same switch.

    Examples
    --------
    >>> names_before(["pbx", "proxy", "old"], "pbx", ["pbx", "proxy"])
    ['pbx', 'old']
    >>> names_before(["pbx", "proxy"], "asterisk_csv", ["pbx", "proxy"])
    ['asterisk_csv', 'pbx', 'proxy']
    """
    others = (name for name in known if source not in in_settings or name not in in_settings)
    return [source, *sorted(set(others) - {source})]


class Marks(NamedTuple):
    """Of each call a number (UInt64) for its record, and one for what it says, whenever it began.

    The second is `ids_64` plus `content_hash`, modulo 2^64. With ids alone every row of a switch
    that numbers its calls anew each day would be in doubt.
    """

    records: pl.Series
    sums: pl.Series


def marks_of(keys: pl.LazyFrame) -> Marks:
    """Read the marks of calls with the columns `KEY`."""
    found = keys.select("record_id", _ID, "content_hash").collect(engine="streaming")
    content = found["content_hash"].to_numpy().view(np.uint64)
    return Marks(found["record_id"].hash(), pl.Series("sum", found["id"].to_numpy() + content))


def may_be_there(sums: pl.Series, there: Sequence[pl.Series], names: list[str]) -> pl.Series:
    """Tell which rows may be there under one of the names.

    Parameters
    ----------
    sums : Series of UInt64
        As :func:`marks_of` reads them: of rows of the first name.
    there : sequence of such Series
        Of the lake's rows, of whatever name.
    names : list of str
        As :func:`names_before` lists them.
    """
    found = pl.Series([False]).new_from_index(0, len(sums))
    for name in names:
        found |= stands_twice(ids_as_of(sums, names[0], name), there)
    return found


def there_as(keys: pl.DataFrame, there: pl.LazyFrame, names: list[str]) -> pl.Series:
    """Say under which name each row is there with the same content, at whatever time.

    Parameters
    ----------
    keys : DataFrame
        `record_id` and `content_hash` of rows whose key is not there.
    there : LazyFrame
        The same of the lake's rows.
    names : list of str
        As :func:`names_before` lists them.

    Returns
    -------
    Series of String
        Null where it is there under none.
    """
    if keys.is_empty():
        return pl.Series("name", [], dtype=pl.String)
    own = keys.select(_ID).to_series()
    wanted = pl.concat(
        keys.select(
            ids_as_of(own, names[0], name), "content_hash", pl.lit(name).alias("name")
        ).with_row_index("row")
        for name in names
    )
    found = (
        there.select(_ID, "content_hash")
        .filter(pl.col("id").is_in(wanted["id"].unique().implode()))
        .collect(engine="streaming")
    )
    met = wanted.join(found, on=["id", "content_hash"], how="semi").unique("row", keep="first")
    row = pl.DataFrame({"row": pl.arange(keys.height, dtype=pl.get_index_type(), eager=True)})
    return row.join(met, on="row", how="left", maintain_order="left")["name"]
