"""Read everything again and hold it against the log and the ledger.

Nothing is changed. One file is in memory at a time, and the keys of one day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from cdr.lake import DataFile, Lake
from cdr.lake.history import history
from cdr.lake.tables import damaged
from cdr.schema import (
    ACCOUNT_EVENTS,
    CALL_HISTORY,
    CALLS,
    INGESTS,
    REJECTS,
    TABLES,
    Table,
)

DAY_OF = {"call_date": "started_at", "event_date": "at"}
"""Instant whose UTC day a partition column is."""

KEYS: dict[str, tuple[str, ...]] = {
    CALLS.name: ("record_id",),
    CALL_HISTORY.name: (
        "record_id",
        "content_hash",
        "numbering_version",
        "account_id",
        "ingest_id",
    ),
    ACCOUNT_EVENTS.name: ("event_id",),
    INGESTS.name: ("ingest_id",),
}
"""What no two rows of a partition share."""

KEEPS_ROWS = frozenset({"ingest", "import", "compact", "renumber", "reassign", "doubt_lengths"})
"""Batches that lose no row; after others, fewer rows than the ledger has are no fault."""

Progress = Callable[[str, int, int], None]
"""Told a table's name, how many of its files were read, and how many there are."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it should be; ``file`` is null where no single file is at fault."""

    table: str
    what: str
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What was read, and every fault found."""

    tables: int
    files: int
    rows: int
    faults: tuple[Fault, ...]


def verify(lake: Lake, *, progress: Progress | None = None) -> Verified:
    """Read every file of every table again.

    Each file named in the log must be there, have the bytes that were written, open, have the
    columns and the rows that the log says, and only rows of its day. No key occurs twice. What
    the ledger says of each file taken in must be found.
    """
    faults: list[Fault] = []
    tables = files = rows = 0
    with lake.reading():
        listed = {name: lake.files(table) for name, table in TABLES.items()}
    for name, of_table in listed.items():
        broken = []
        sizes = {file.path: file.size for file in lake.lying(TABLES[name])} if of_table else {}
        for number, file in enumerate(of_table, start=1):
            found = list(_faults_of_file(lake, TABLES[name], file, sizes))
            broken += found
            if progress:
                progress(name, number, len(of_table))
        faults += broken
        if not broken:
            faults += _repeated(lake, TABLES[name], of_table)
        tables += bool(of_table)
        files += len(of_table)
        rows += sum(file.rows for file in of_table)
    if not faults:
        faults += _ledger_faults(lake, listed)
    return Verified(tables, files, rows, tuple(faults))


def missing(lake: Lake, table: Table) -> list[DataFile]:
    """List a table's files that are gone, or cut: no content is read."""
    files = lake.files(table)
    sizes = {file.path: file.size for file in lake.lying(table)} if files else {}
    return [file for file in files if sizes.get(file.path) != file.size]


def _faults_of_file(
    lake: Lake, table: Table, file: DataFile, sizes: dict[str, int]
) -> Iterator[Fault]:
    if file.path not in sizes:
        yield Fault(table.name, "the log names a file that is not there", file.path)
        return
    whole = sizes[file.path] == file.size
    if not whole:
        yield Fault(table.name, "a file has another size than the log says", file.path)
    try:
        if whole and damaged(file.path, memoryview(lake.content(table, file))):
            yield Fault(table.name, "a file has other bytes than were written", file.path)
        rows = lake.read_file(table, file)
    except (pl.exceptions.PolarsError, pa.ArrowException, OSError):
        yield Fault(table.name, "a file cannot be read", file.path)
        return
    if rows.height != file.rows:
        yield Fault(
            table.name, f"a file has {rows.height} rows, the log says {file.rows}", file.path
        )
    yield from _wrong_columns(table, rows.schema, file)
    for column, day in file.partition.items():
        instant = DAY_OF.get(column)
        if instant in rows.columns:
            strays = rows.filter(pl.col(instant).dt.date().cast(pl.String) != day).height
            if strays:
                yield Fault(table.name, f"{strays} rows are of another day than {day}", file.path)


def _wrong_columns(table: Table, schema: pl.Schema, file: DataFile) -> Iterator[Fault]:
    want = {n: t for n, t in table.polars_schema.items() if n not in table.partition_by}
    for name, dtype in schema.items():
        if name in want and dtype != want[name]:
            yield Fault(table.name, f"column {name} has type {dtype}", file.path)
        elif name not in want and not table.derived:
            yield Fault(table.name, f"column {name} is not known", file.path)


def _repeated(lake: Lake, table: Table, files: list[DataFile]) -> Iterator[Fault]:
    key = KEYS.get(table.name)
    if key is None:
        return
    for place in sorted({"/".join(file.partition.values()) for file in files}):
        here = [file for file in files if "/".join(file.partition.values()) == place]
        keys = lake.scan_files(table, here).select(key).collect()
        if again := keys.height - keys.n_unique():
            where = f" of {place}" if place else ""
            yield Fault(table.name, f"{again} rows{where} repeat the key of another")


def _ledger_faults(lake: Lake, listed: dict[str, list[DataFile]]) -> Iterator[Fault]:
    ledger = lake.scan_files(INGESTS, listed[INGESTS.name]).collect()
    wrong = ledger.filter(
        pl.col("read") != pl.sum_horizontal("accepted", "duplicate", "corrected", "rejected")
    )
    if wrong.height:
        yield Fault(INGESTS.name, f"the counts of {wrong.height} files do not add up to rows read")
    if ledger["sha256"].is_null().any():
        yield Fault(INGESTS.name, "a file has no hash")
    taken = set(ledger["source"]) - {*TABLES, "messages"}
    calls = ledger.filter(pl.col("source").is_in(taken)).select(
        "ingest_id", expected=pl.col("accepted") + pl.col("corrected")
    )
    rejects = ledger.select("ingest_id", expected="rejected")
    lost = _lost_on_purpose(lake)
    for expected, tables in ((calls, (CALLS, CALL_HISTORY)), (rejects, (REJECTS,))):
        found = pl.concat(
            lake.scan_files(t, listed[t.name]).select("ingest_id", "source_rows") for t in tables
        )
        named = " and ".join(t.name for t in tables)
        allowed = any(t.name in lost for t in tables)
        yield from _differences(expected, found, named, fewer_allowed=allowed)


def _differences(
    expected: pl.DataFrame, found: pl.LazyFrame, tables: str, *, fewer_allowed: bool
) -> Iterator[Fault]:
    rows = found.group_by("ingest_id").agg(pl.col("source_rows").cast(pl.Int64).sum()).collect()
    both = expected.join(rows, on="ingest_id", how="full", coalesce=True).fill_null(0)
    more = both.filter(pl.col("source_rows") > pl.col("expected")).height
    fewer = both.filter(pl.col("source_rows") < pl.col("expected")).height
    if more:
        yield Fault(tables, f"{more} files have more rows here than the ledger says")
    if fewer and not fewer_allowed:
        yield Fault(tables, f"{fewer} files have fewer rows here than the ledger says")


def _lost_on_purpose(lake: Lake) -> set[str]:
    """Name the tables from which a batch took rows that were to go (retention, erasure)."""
    return {
        name
        for commit in history(lake)
        if commit.did not in KEEPS_ROWS
        for name, change in commit.tables.items()
        if change.rows_removed > change.rows_added
    }
