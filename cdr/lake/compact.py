"""Many small files into few, and what nobody reads any more off the disk.

A day of calls is sorted by account and time, a bounded number of rows at a time (`in_order`), so
that memory does not grow with the day. Readers keep the files of the version they opened for
`KEPT_HOURS`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from cdr.errors import DAMAGED_FILE, StorageFailed, storage
from cdr.lake import DataFile, Lake
from cdr.lake.in_order import Places, cut, in_order
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
"""Rows of a full file. Ours: every question opens every file of its days."""

FILES_OF_A_DAY = 8
"""Files that a day's accounts are split over. Ours: erasing one person writes one of them anew,
an eighth of the day; more files cost every question that opens them."""

FEWEST_ROWS = 61_440
"""Rows below which a day is not split further. Ours: half a row group."""

KEPT_HOURS = 168
"""How long a file stays after it was replaced: Delta's own default, a week."""

GROWING = (CALL_HISTORY, REJECTS, INGESTS, ACCOUNT_EVENTS, MESSAGE_TEMPLATES)
"""Tables that get files with every batch, besides `calls`; others are replaced whole."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was done: ``days`` of `calls` rewritten, and the ``concerns`` of those that were not."""

    days: int
    concerns: tuple[str, ...]


def compact(lake: Lake) -> Compacted:
    """Rewrite days that lie in many files, and remove files replaced `KEPT_HOURS` ago.

    A day with a damaged file stays as it is, and the files that its table let go of stay too:
    they may be all that is left of its rows.
    """
    rewritten = 0
    concerns = list[str]()
    for table in (CALLS, *GROWING):
        crowded = _crowded(lake, table)
        harmed = [place for place in crowded if not _rewritten(lake, table, place)]
        if table is CALLS:
            rewritten = len(crowded) - len(harmed)
        if harmed:
            concerns.append(_concern(table, harmed))
        else:
            lake.vacuum(table, hours=KEPT_HOURS)
    return Compacted(rewritten, tuple(concerns))


def _crowded(lake: Lake, table: Table) -> list[str]:
    files = lake.files(table)
    return crowded_days(files if table is CALLS else (f for f in files if f.rows < ROWS_A_FILE))


def _rewritten(lake: Lake, table: Table, place: str) -> bool:
    """Rewrite one day of a table; returns whether its files were whole."""
    try:
        with storage(f"compacting {table.name}"):
            if table is CALLS:
                _compact_day(lake, place)
            else:
                _merge(lake, table, place)
    except StorageFailed as error:
        if error.kind != DAMAGED_FILE:
            raise
        return False
    return True


def _concern(table: Table, places: list[str]) -> str:
    where = f"{table.name} of {', '.join(places)}" if table.partition_by else table.name
    return f"{where} not compacted: {DAMAGED_FILE}"


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


def file_rows(of_day: int) -> int:
    """Return how many rows each file gets, so that all of a day are about as long."""
    return max(-(-of_day // max(of_day // rows_a_file(of_day), 1)), 1)


def _place(file: DataFile) -> str:
    return "/".join(file.partition.values())


def _compact_day(lake: Lake, day: str) -> None:
    with lake.batch("compact") as batch, lake.writing():
        files = [f for f in lake.files(CALLS) if _place(f) == day]
        lake.retire(batch, CALLS, files)
        places = Places.of(lake.scan_files(CALLS, files))
        lengths = places.parts(file_rows(sum(file.rows for file in files)))["rows"]
        ordered = in_order(lake, files, places, batch.aside())
        for of_file in cut(ordered, lengths):
            batch.add_parts(CALLS, of_file)
        batch.publish()


def _merge(lake: Lake, table: Table, place: str) -> None:
    """Write the small files of one partition as few, in the order they came."""
    with lake.batch("compact") as batch, lake.writing():
        files = [f for f in lake.files(table) if _place(f) == place and f.rows < ROWS_A_FILE]
        runs = list(_runs(files))
        for run in runs:
            lake.retire(batch, table, run)
            batch.add_parts(table, (_rows_of(lake, table, file) for file in run))
        if runs:
            batch.publish()


def _rows_of(lake: Lake, table: Table, file: DataFile) -> pl.DataFrame:
    return lake.scan_files(table, [file]).collect()


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
