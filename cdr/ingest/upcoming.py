"""The lake as it will be once a batch is published: what it has, and what the batch brings.

What joins rows of several files is done on it, so that it is part of the batch: a kill leaves
all of it or nothing, and nobody has to look for what was left half done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime

import polars as pl

from cdr.lake import Batch, DataFile, Lake
from cdr.schema import CALL_HISTORY, CALLS, INSTANT, Table


class Upcoming:
    """Read, and change, what will be there. The caller holds the writer lock.

    Parameters
    ----------
    lake : Lake
        As it is.
    batch : Batch
        What is to be published; changes go into it.
    """

    def __init__(self, lake: Lake, batch: Batch) -> None:
        self._lake = lake
        self.batch = batch

    def scan(self, table: Table, *, dates: Collection[date] | None = None) -> pl.LazyFrame:
        """Read a table lazily; ``dates`` are days of its partition column."""
        held, staged = self._held(table, dates), self._staged(table, dates)
        return pl.concat(
            [self._lake.scan_files(table, held), self.batch.scan_staged(table, staged)]
        )

    def supersede(self, dates: Collection[date], by: pl.DataFrame, now: datetime) -> pl.DataFrame:
        """Move calls that others replace to the history.

        Parameters
        ----------
        dates : collection of date
            Their days.
        by : DataFrame
            `record_id` of these calls, and `superseded_by`.
        now : datetime
            When it is done.

        Returns
        -------
        DataFrame
            The rows as they stood, with the columns of `CALLS`.
        """
        moved = [CALLS.empty()]
        named = pl.col("record_id").is_in(by["record_id"].implode())
        for file, staged in self._files(CALLS, dates):
            gone = self._take_out(file, named, staged=staged)
            if gone.height:
                self.batch.add(CALL_HISTORY, history_of(gone, by, now))
                moved.append(gone)
        return pl.concat(moved)

    def mark(self, table: Table, rows: pl.Expr, values: Mapping[str, pl.Expr]) -> None:
        """Set columns of some rows of a table without partitions."""
        for file, staged in self._files(table, None):
            found = self._scan(table, file, staged=staged)
            if not found.select(rows.any()).collect().item():
                continue
            changed = [
                pl.when(rows).then(value).otherwise(column).alias(column)
                for column, value in values.items()
            ]
            self._replace(table, file, found.with_columns(changed).collect(), staged=staged)

    def _take_out(self, file: DataFile, rows: pl.Expr, *, staged: bool) -> pl.DataFrame:
        """Write a file of calls without some of its rows, and return these."""
        found = self._scan(CALLS, file, staged=staged)
        gone = found.filter(rows).collect()
        if gone.height:
            self._replace(CALLS, file, found.filter(~rows).collect(), staged=staged)
        return gone

    def _scan(self, table: Table, file: DataFile, *, staged: bool) -> pl.LazyFrame:
        return (self.batch.scan_staged if staged else self._lake.scan_files)(table, [file])

    def _replace(self, table: Table, file: DataFile, rows: pl.DataFrame, *, staged: bool) -> None:
        if staged:
            self.batch.unstage(table, [file])
        else:
            self._lake.check_whole(table, [file])
            self.batch.remove(table, [file])
        self.batch.add(table, rows)

    def _files(
        self, table: Table, dates: Collection[date] | None
    ) -> Iterable[tuple[DataFile, bool]]:
        """List files, and whether they are staged, as they are now."""
        held, staged = self._held(table, dates), self._staged(table, dates)
        return [*((file, False) for file in held), *((file, True) for file in staged)]

    def _held(self, table: Table, dates: Collection[date] | None) -> list[DataFile]:
        going = {file.path for file in self.batch.going(table)}
        held = [file for file in self._lake.files(table) if file.path not in going]
        return _of_days(held, table, dates)

    def _staged(self, table: Table, dates: Collection[date] | None) -> list[DataFile]:
        return _of_days(self.batch.staged(table), table, dates)


def _of_days(files: list[DataFile], table: Table, dates: Collection[date] | None) -> list[DataFile]:
    if dates is None:
        return files
    days = {day.isoformat() for day in dates}
    return [file for file in files if file.partition[table.partition_by[0]] in days]


def history_of(calls: pl.DataFrame, by: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Return calls as `call_history` keeps them; ``by`` says by which ingest each went."""
    return (
        calls.join(by, on="record_id", how="left")
        .with_columns(pl.lit(now, INSTANT).alias("superseded_at"))
        .select(CALL_HISTORY.polars_schema.names())
    )
