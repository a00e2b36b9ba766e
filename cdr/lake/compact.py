"""Many small files into few, and what nobody reads any more off the disk.

A day of calls is sorted by account and time, in slices of bounded size, so that
memory does not grow with the day. Readers keep the files of the version they
opened for `KEPT_HOURS`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import polars as pl

from cdr.errors import storage
from cdr.lake import DataFile, Lake
from cdr.schema import (
    ACCOUNT_EVENTS,
    CALL_HISTORY,
    CALLS,
    INGESTS,
    MESSAGE_TEMPLATES,
    REJECTS,
    Table,
)

MAX_FILES_A_DAY = 4
"""Files a day may have before it is worth rewriting. Ours: a scan opens each of them."""

ROWS_A_FILE = 1_000_000
"""Rows sorted at a time. Ours: about 300 MB in memory, and twice that to sort."""

FILES_OF_A_DAY = 8
"""Files that a day's accounts are split over. Ours: erasing one person writes one of them anew,
an eighth of the day; more files cost every question that opens them."""

FEWEST_ROWS = 61_440
"""Rows below which a day is not split further. Ours: half a row group."""

KEPT_HOURS = 168
"""How long a file stays after it was replaced: Delta's own default, a week."""

GROWING = (CALL_HISTORY, REJECTS, INGESTS, ACCOUNT_EVENTS, MESSAGE_TEMPLATES)
"""Tables that get files with every batch, besides `calls`; others are replaced whole."""


def compact(lake: Lake) -> int:
    """Rewrite days that lie in many files, and remove files replaced `KEPT_HOURS` ago.

    Returns
    -------
    int
        Days of `calls` rewritten.
    """
    crowded = crowded_days(lake.files(CALLS))
    for day in crowded:
        _compact_day(lake, day)
    for table in GROWING:
        for place in crowded_days(f for f in lake.files(table) if f.rows < ROWS_A_FILE):
            _merge(lake, table, place)
    for table in (CALLS, *GROWING):
        lake.vacuum(table, hours=KEPT_HOURS)
    return len(crowded)


def crowded_days(files: Iterable[DataFile]) -> list[str]:
    """List the days that have more than `MAX_FILES_A_DAY` files beyond those that are full.

    Tables without partitions count as one day, named `""`.
    """
    days: defaultdict[str, list[int]] = defaultdict(list)
    for file in files:
        days[_place(file)].append(file.rows)
    return sorted(
        day
        for day, rows in days.items()
        if len(rows) > MAX_FILES_A_DAY + sum(rows) // rows_a_file(sum(rows))
    )


def rows_a_file(of_day: int) -> int:
    """Return how many rows a full file of a day with so many has."""
    return min(max(of_day // FILES_OF_A_DAY, FEWEST_ROWS), ROWS_A_FILE)


def full_files(rows: pl.DataFrame, of_day: int) -> Iterator[pl.DataFrame]:
    """Split some rows of a day into full files of about the same length, in their order."""
    parts = max(rows.height // rows_a_file(of_day), 1)
    return rows.iter_slices(max(-(-rows.height // parts), 1))


def _place(file: DataFile) -> str:
    return "/".join(file.partition.values())


def _compact_day(lake: Lake, day: str) -> None:
    with lake.batch("compact") as batch, lake.writing():
        files = [f for f in lake.files(CALLS) if _place(f) == day]
        rows = lake.scan_files(CALLS, files)
        of_day = sum(file.rows for file in files)
        for part in _by_account(rows):
            ordered = part.sort("account_id", "started_at", "record_id")
            for of_file in full_files(ordered.collect(engine="streaming"), of_day):
                batch.add(CALLS, of_file, lasting=True)
        batch.remove(CALLS, files)
        batch.publish()


def _by_account(rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Split rows into runs of accounts of about `ROWS_A_FILE` rows.

    No account is split, unless it alone has more: then between its hours. Rows without an
    account are one account here, and may be a whole day of a source.
    """
    account = pl.col("account_id").fill_null("")
    counts = rows.select(account).group_by("account_id").len("rows").collect(engine="streaming")
    large = counts.filter(pl.col("rows") > ROWS_A_FILE)["account_id"]
    hour = pl.col("started_at").dt.to_string("\0%Y-%m-%dT%H")
    place = pl.when(account.is_in(large.implode())).then(account + hour).otherwise(account)
    if not large.is_empty():
        counts = (
            rows.select(account_id=place)
            .group_by("account_id")
            .len("rows")
            .collect(engine="streaming")
        )
    runs = (
        counts.sort("account_id")
        .with_columns(run=(pl.col("rows").cum_sum() - pl.col("rows")) // ROWS_A_FILE)
        .group_by("run", maintain_order=True)
        .agg(low=pl.col("account_id").first(), high=pl.col("account_id").last())
    )
    for low, high in runs.select("low", "high").iter_rows():
        yield rows.filter(place.is_between(pl.lit(low), pl.lit(high)))


def _merge(lake: Lake, table: Table, place: str) -> None:
    """Write the small files of one partition as few, in the order they came."""
    with lake.batch("compact") as batch, lake.writing():
        files = [f for f in lake.files(table) if _place(f) == place and f.rows < ROWS_A_FILE]
        runs = list(_runs(files))
        for run in runs:
            with storage(f"reading rows of {table.name}"):
                rows = lake.scan_files(table, run).collect()
            batch.add(table, rows, lasting=True)
            batch.remove(table, run)
        if runs:
            batch.publish()


def _runs(files: Iterable[DataFile]) -> Iterator[list[DataFile]]:
    """Split files into runs of at most `ROWS_A_FILE` rows; one alone stays as it is."""
    run = list[DataFile]()
    for file in files:
        if sum(each.rows for each in run) + file.rows > ROWS_A_FILE:
            if len(run) > 1:
                yield run
            run = []
        run.append(file)
    if len(run) > 1:
        yield run
