"""What lies in the store: rows, files, bytes, days, and the days on which a source is silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from cdr.errors import storage
from cdr.lake import DataFile, Lake
from cdr.lake.compact import crowded_days
from cdr.schema import CALLS, TABLES

SMALL_BYTES = 1 << 20
"""A file below this is small. Ours: opening it takes longer than reading it."""


@dataclass(frozen=True, slots=True)
class TableStats:
    """One table: counts of its newest version; days are those of its partitions.

    ``first_day`` and ``last_day`` are ISO 8601; null for tables without days.
    ``crowded_days`` have so many files that `lake compact` would rewrite them.
    """

    table: str
    rows: int
    files: int
    bytes: int
    small_files: int
    days: int
    first_day: str | None
    last_day: str | None
    crowded_days: int


@dataclass(frozen=True, slots=True)
class SourceStats:
    """One source of calls; a missing day lies between its first and last and has none.

    ``without_account`` are those of its ``legs`` that found no account.
    """

    source: str
    legs: int
    without_account: int
    days: int
    first_day: date
    last_day: date
    missing_days: tuple[date, ...]


def table_stats(lake: Lake) -> tuple[TableStats, ...]:
    """Count every table that has been written to, by name."""
    found = []
    with lake.reading():
        listed = {name: lake.files(table) for name, table in sorted(TABLES.items())}
    for name, files in listed.items():
        if files:
            found.append(_of_table(name, files))
    return tuple(found)


def _of_table(name: str, files: list[DataFile]) -> TableStats:
    days = sorted({day for file in files for day in file.partition.values()})
    return TableStats(
        name,
        sum(file.rows for file in files),
        len(files),
        sum(file.size for file in files),
        sum(file.size < SMALL_BYTES for file in files),
        len(days),
        days[0] if days else None,
        days[-1] if days else None,
        len(crowded_days(files)) if name == CALLS.name else 0,
    )


def source_stats(lake: Lake) -> tuple[SourceStats, ...]:
    """Count the calls of each source and name the days without any, by name."""
    with storage("counting calls"):
        counted = (
            lake.calls()
            .group_by("source", "call_date")
            .agg(pl.len().alias("legs"), pl.col("account_id").is_null().sum().alias("without"))
            .sort("source", "call_date")
            .collect(engine="streaming")
        )
    found = []
    for (source,), days in counted.group_by("source", maintain_order=True):
        dates = days["call_date"]
        first, last = dates[0], dates[-1]
        every = pl.date_range(first, last, eager=True)
        missing = tuple(every.filter(~every.is_in(dates.implode())))
        found.append(
            SourceStats(
                str(source),
                int(days["legs"].sum()),
                int(days["without"].sum()),
                days.height,
                first,
                last,
                missing,
            )
        )
    return tuple(found)
