"""Numbering the legs of a channel where the file does not, the same for any block size.

For dialects in which several rows share an id and only another column tells them
apart. Which columns these are is the business of the dialect.
"""

from __future__ import annotations

import polars as pl

REACH_ROWS = 100_000
"""Rows after which an id that comes again counts as new. Ours: a switch writes the legs
of a channel together when it is released; so many rows are minutes of a busy one."""

_MAX_LEG = 32_767  # what `leg` can hold


class LegCounter:
    """Counts, over the blocks of one file, the distinct values that an id comes with.

    Remembers the ids of the last `reach_rows` lines, so that memory is bounded.

    Parameters
    ----------
    reach_rows : int, default=REACH_ROWS
        Lines that two rows of an id may be apart.
    """

    def __init__(self, reach_rows: int = REACH_ROWS) -> None:
        self._reach_rows = reach_rows
        self._seen = pl.DataFrame(schema={"line": pl.Int64, "key": pl.UInt64, "part": pl.UInt64})

    def number(self, rows: pl.DataFrame, key: str, part: str) -> pl.DataFrame:
        """Add `leg`: 0 for the first `part` that `key` comes with, 1 for the next.

        Parameters
        ----------
        rows : pl.DataFrame
            The next rows of the file, with `line`; a row without `key` is leg 0.
        key, part : str
            Column that several rows may share; column that tells these apart.
        """
        new = rows.filter(pl.col(key).is_not_null())
        if new.is_empty():
            return rows.with_columns(leg=pl.lit(0, dtype=pl.Int16))
        new = new.select("line", key=pl.col(key).hash(), part=pl.col(part).hash())
        seen = pl.concat([self._seen, new])
        legs = self._legs(seen.filter(pl.col("key").is_duplicated()))
        recent = seen.filter(pl.col("line") > pl.col("line").last() - self._reach_rows)
        self._seen = seen.join(recent, on="key", how="semi", maintain_order="left")
        if legs.is_empty():
            return rows.with_columns(leg=pl.lit(0, dtype=pl.Int16))
        rows = rows.join(legs, on="line", how="left", maintain_order="left")
        return rows.with_columns(pl.col("leg").fill_null(0))

    def _legs(self, shared: pl.DataFrame) -> pl.DataFrame:
        """Give a leg to rows whose key occurs more than once; rows are in file order."""
        parted = pl.col("line").diff().fill_null(0) > self._reach_rows
        return (
            shared.with_columns(run=parted.cum_sum().over("key"))
            .with_columns(first=pl.col("line").min().over("key", "run", "part"))
            .select(
                "line",
                leg=(pl.col("first").rank("dense").over("key", "run") - 1)
                .clip(0, _MAX_LEG)
                .cast(pl.Int16),
            )
        )
