"""One Delta table: how it is made, which files it has, how rows become files.

Neither the log nor a file's footer holds a smallest or largest value of a column
that points to a person by itself: the log measures the columns that a table names
in `Table.statistics`, footers at most those that are not `Personal.DIRECT`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any
from zlib import crc32

import polars as pl
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from cdr.errors import SchemaMismatch, StorageFailed, storage_fault
from cdr.lake.packing import packed, packed_to_last, repeated
from cdr.schema import Table


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file of a table.

    ``path`` is relative to the table's folder; ``partition`` is empty for tables
    without partitions; ``bounds`` maps a measured column to its ends.
    """

    path: str
    rows: int
    size: int
    partition: dict[str, str]
    bounds: dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table lies, and what delta-rs and Polars need to know to get there.

    ``options`` may hold credentials, so they are never shown.
    """

    address: str
    options: dict[str, str] | None = field(default=None, repr=False)

    def of(self, file: DataFile) -> str:
        """Return the address of one of the table's files."""
        return f"{self.address}/{file.path}"


def open_table(place: Place, table: Table, *, version: int | None = None) -> DeltaTable | None:
    """Open a Delta table, or return None where it was never made.

    Columns that this version added since read as null in older files.

    Raises
    ------
    SchemaMismatch
        If it has columns that this version does not know.
    StorageFailed
        If its log cannot be read.
    """
    try:
        delta = DeltaTable(place.address, version=version, storage_options=place.options)
    except TableNotFoundError:
        return None
    except DeltaError as error:
        if storage_fault(error):
            raise
        fault = "its log is damaged or incomplete: bring its folder back from a backup"
        raise StorageFailed(f"opening {table.name}", fault) from None
    extra = {field.name for field in delta.schema().fields} - set(table.polars_schema)
    if extra and not table.derived:
        raise SchemaMismatch(f"table {table.name} (of a newer version?)", extra=extra)
    return delta


def make_table(place: Place, table: Table) -> DeltaTable:
    """Make an empty Delta table, or open it and add the columns it lacks."""
    delta = open_table(place, table)
    if delta is not None:
        have = {field.name for field in delta.schema().fields}
        wanted = Schema.from_arrow(_arrow_schema(table)).fields
        lacking = [field for field in wanted if field.name not in have]
        if lacking:
            delta.alter.add_columns(lacking)
        return delta
    settings = {"delta.enableExpiredLogCleanup": "false"}  # the log says what was done, for ever
    if table.statistics:
        settings["delta.dataSkippingStatsColumns"] = ",".join(table.statistics)
    else:
        settings["delta.dataSkippingNumIndexedCols"] = "0"
    return DeltaTable.create(
        place.address,
        _arrow_schema(table),
        mode="ignore",
        partition_by=list(table.partition_by),
        configuration=settings,
        storage_options=place.options,
    )


def _arrow_schema(table: Table) -> Any:
    return table.empty().to_arrow(compat_level=pl.CompatLevel.oldest()).schema


def data_files(delta: DeltaTable) -> list[DataFile]:
    """List the files of a table's version, in the order of their paths."""
    actions = pl.DataFrame(delta.get_add_actions(flatten=True))
    files = []
    for row in actions.sort("path").iter_rows(named=True):
        partition = {
            name.removeprefix("partition."): str(value)
            for name, value in row.items()
            if name.startswith("partition.")
        }
        bounds = {
            name.removeprefix("min."): (stat(value), stat(row["max." + name[4:]]))
            for name, value in row.items()
            if name.startswith("min.") and value is not None
        }
        files.append(
            DataFile(row["path"], row["num_records"], row["size_bytes"], partition, bounds)
        )
    return files


def write_files(
    folder: Path, name: str, table: Table, frame: pl.DataFrame, *, lasting: bool = False
) -> list[DataFile]:
    """Write rows as Parquet files under ``folder``, one a partition.

    Parameters
    ----------
    folder : Path
        Where the table's partitions are to lie; made where missing.
    name : str
        Stem of the file names; unique over all writes.
    table : Table
        Whose rows they are.
    frame : DataFrame
        Rows with exactly the table's columns.
    lasting : bool, default=False
        The files are to be asked again and again: footers tell which row groups can be
        skipped. Takes twice the time.

    Returns
    -------
    list of DataFile
        What was written; the files are on the disk, synced.
    """
    frame = table.conform(frame)
    if not table.partition_by:
        if frame.is_empty():
            return []
        return [_write_file(folder, name, {}, table, frame, lasting=lasting)]
    written = []
    keys = frame.select(table.partition_by).unique().sort(table.partition_by)
    for key in keys.iter_rows(named=True):  # one part in memory at a time, not all beside the whole
        of_key = [pl.col(column).eq_missing(pl.lit(value)) for column, value in key.items()]
        part = frame if keys.height == 1 else frame.filter(of_key)
        partition = {column: str(value) for column, value in key.items()}
        rows = part.drop(table.partition_by)
        written.append(_write_file(folder, name, partition, table, rows, lasting=lasting))
    return written


def write_parts(folder: Path, name: str, table: Table, parts: Iterable[pl.DataFrame]) -> DataFile:
    """Write rows of one partition as one lasting file, a part of them in memory at a time.

    Parameters
    ----------
    folder, name, table
        As `write_files` has them.
    parts : iterable of DataFrame
        One at least, and rows in each, with exactly the table's columns.

    Returns
    -------
    DataFile
        What was written; it is on the disk, synced.
    """
    coming = (table.conform(part) for part in parts)
    first = next(coming)
    partition = {column: str(first.item(0, column)) for column in table.partition_by}
    ends = {column: _Ends() for column in table.statistics}
    rows = 0

    def without_partition() -> Iterator[pl.DataFrame]:
        nonlocal rows
        for part in chain([first], coming):
            rows += part.height
            for column, of_column in ends.items():
                of_column.widen(part[column])
            yield part.drop(table.partition_by)

    content = packed_to_last(table, without_partition(), repeated(first))
    path = lay(folder, _stem(partition, name), content)
    return DataFile(path, rows, len(content), partition, _told(ends))


def _stem(partition: dict[str, str], name: str) -> str:
    return "/".join([*(f"{column}={value}" for column, value in partition.items()), name])


@dataclass(slots=True)
class _Ends:
    """The smallest and the largest value of a column."""

    low: Any = None
    high: Any = None

    def widen(self, values: pl.Series) -> None:
        low, high = values.min(), values.max()
        if low is not None and high is not None:
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)


def _told(ends: Mapping[str, _Ends]) -> dict[str, tuple[str, str]]:
    """Write ends as Delta statistics; a column without a value has none."""
    return {
        column: (stat(one.low), stat(one.high))
        for column, one in ends.items()
        if one.low is not None
    }


def _write_file(
    folder: Path,
    name: str,
    partition: dict[str, str],
    table: Table,
    frame: pl.DataFrame,
    *,
    lasting: bool,
) -> DataFile:
    content = packed(table, frame, lasting=lasting)
    path = lay(folder, _stem(partition, name), content)
    ends = {column: _Ends() for column in table.statistics}
    for column, of_column in ends.items():
        of_column.widen(frame[column])
    return DataFile(path, frame.height, len(content), partition, _told(ends))


def lay(folder: Path, stem: str, content: bytes | memoryview) -> str:
    """Write a file, synced, into a folder that is made where it is missing.

    Returns
    -------
    str
        Its path in ``folder``: ``stem`` and the checksum of its bytes, so that `damaged` can tell
        them from others.
    """
    path = f"{stem}-{crc32(content):08x}.parquet"
    target = folder / path
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with target.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    return path


_CHECKSUM = re.compile(r"-([0-9a-f]{8})\.parquet$")


def damaged(path: str, content: bytes | memoryview) -> bool:
    """Tell whether a file's bytes are others than its name says; False where it says nothing."""
    said = _CHECKSUM.search(path)
    return said is not None and int(said[1], 16) != crc32(content)


def scan_paths(
    table: Table,
    paths: list[str],
    *,
    place: str | None = None,
    options: dict[str, str] | None = None,
) -> pl.LazyFrame:
    """Read files of a table lazily; ``place`` names a column for where each row lies."""
    if not paths:
        empty = table.empty().lazy()
        return empty if place is None else empty.with_columns(pl.lit("").alias(place))
    return pl.scan_parquet(
        paths,
        hive_partitioning=bool(table.partition_by),
        hive_schema={c: table.polars_schema[c] for c in table.partition_by} or None,
        schema=table.polars_schema,
        missing_columns="insert",
        extra_columns="ignore",
        include_file_paths=place,
        storage_options=options,
    ).select(*table.polars_schema.names(), *([place] if place else []))


def stat(value: Any) -> str:
    """Write an instant, in UTC or aware of its zone, or a day as Delta statistics do."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def commit(
    place: Place,
    batch_id: str,
    did: str,
    *,
    add: Sequence[DataFile],
    remove: Sequence[DataFile],
) -> int:
    """Add and remove a table's files in one version, unless this batch has done so before.

    Returns
    -------
    int
        A version of the table that has the batch.
    """
    delta = DeltaTable(place.address, storage_options=place.options)
    if delta.transaction_version(batch_id) is not None:
        return delta.version()
    now_ms = int(datetime.now(tz=UTC).timestamp() * 1000)
    actions: list[AddAction | RemoveAction] = [_to_add(file, now_ms) for file in add]
    actions += [_to_remove(file, now_ms) for file in remove]
    delta.create_write_transaction(
        actions,
        "append",
        delta.schema(),
        list(delta.metadata().partition_columns),
        commit_properties=CommitProperties(
            custom_metadata={
                "batch_id": batch_id,
                "did": did,
                "rows_added": str(sum(file.rows for file in add)),
                "rows_removed": str(sum(file.rows for file in remove)),
                "files_added": str(len(add)),
                "files_removed": str(len(remove)),
            },
            app_transactions=[Transaction(batch_id, 1)],
        ),
    )
    return delta.version() + 1


def _to_add(file: DataFile, now_ms: int) -> AddAction:
    statistics = {
        "numRecords": file.rows,
        "minValues": {column: ends[0] for column, ends in file.bounds.items()},
        "maxValues": {column: ends[1] for column, ends in file.bounds.items()},
        "nullCount": {},
    }
    return AddAction(
        path=file.path,
        size=file.size,
        partition_values=file.partition,
        modification_time=now_ms,
        data_change=True,
        stats=json.dumps(statistics),
    )


def _to_remove(file: DataFile, now_ms: int) -> RemoveAction:
    return RemoveAction(
        path=file.path,
        data_change=True,
        deletion_timestamp=now_ms,
        size=file.size,
        partition_values=dict(file.partition),
    )


def portions(files: Iterable[DataFile], *, rows: int) -> Iterator[list[DataFile]]:
    """Split files into runs of about ``rows`` rows, at least one file each."""
    portion: list[DataFile] = []
    for file in files:
        if portion and sum(one.rows for one in portion) + file.rows > rows:
            yield portion
            portion = []
        portion.append(file)
    if portion:
        yield portion
