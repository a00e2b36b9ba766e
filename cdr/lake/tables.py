"""One Delta table: how it is made, which files it has, how rows become files.

Neither the log nor a file's footer holds a smallest or largest value of a column
that points to a person by itself: the log measures the columns that a table names
in `Table.statistics`, footers at most those that are not `Personal.DIRECT`.
"""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from cdr.errors import SchemaMismatch
from cdr.schema import CODES, Personal, Table

ROW_GROUP_ROWS = 122_880
"""DuckDB's own row-group size: a scan skips at the same grain whoever wrote."""

LASTING_ROW_GROUP_ROWS = 8_192
"""Of files that are asked for one account again and again: a look at 30 days of one among 100,000
accounts takes a seventh of the processor time that larger groups do. Reading everything takes what
it did, and files are no larger."""


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
    """
    try:
        delta = DeltaTable(place.address, version=version, storage_options=place.options)
    except TableNotFoundError:
        return None
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


_FAST_ZSTD_LEVEL = 1
"""Ours: files that are rewritten within days; a third less time than level 3, 3 % larger."""

_LOOKED_AT = 4096
"""Rows by which it is judged whether the values of a column repeat. Ours: a few accounts' day."""


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
        return [_write_file(folder, f"{name}.parquet", {}, table, frame, lasting=lasting)]
    written = []
    keys = frame.select(table.partition_by).unique().sort(table.partition_by)
    for key in keys.iter_rows(named=True):  # one part in memory at a time, not all beside the whole
        of_key = [pl.col(column).eq_missing(pl.lit(value)) for column, value in key.items()]
        part = frame if keys.height == 1 else frame.filter(of_key)
        partition = {column: str(value) for column, value in key.items()}
        place = "/".join(f"{column}={value}" for column, value in partition.items())
        path = f"{place}/{name}.parquet"
        rows = part.drop(table.partition_by)
        written.append(_write_file(folder, path, partition, table, rows, lasting=lasting))
    return written


def _write_file(
    folder: Path,
    path: str,
    partition: dict[str, str],
    table: Table,
    frame: pl.DataFrame,
    *,
    lasting: bool,
) -> DataFile:
    size = lay(folder / path, packed(table, frame, lasting=lasting))
    bounds = {}
    for column in table.statistics:
        low, high = frame[column].min(), frame[column].max()
        if low is not None and high is not None:
            bounds[column] = (stat(low), stat(high))
    return DataFile(path, frame.height, size, partition, bounds)


def packed(table: Table, frame: pl.DataFrame, *, lasting: bool) -> memoryview:
    """Return rows of a table, without the columns of its partition, as the bytes of a file."""
    content = io.BytesIO()  # so that a full disk is the system's error, not the encoder's
    if lasting:
        pq.write_table(
            frame.cast({CODES: pl.String}).to_arrow(compat_level=pl.CompatLevel.oldest()),
            content,
            compression="zstd",
            row_group_size=LASTING_ROW_GROUP_ROWS,
            use_dictionary=_repeated(frame),
            write_statistics=[
                field.name
                for field in table.fields
                if field.personal is not Personal.DIRECT and field.name in frame.columns
            ],
        )
    else:
        frame.write_parquet(
            content,
            compression="zstd",
            compression_level=_FAST_ZSTD_LEVEL,
            row_group_size=ROW_GROUP_ROWS,
            statistics=False,
            metadata={"ARROW:schema": _said_schema(tuple(frame.schema.items()))},
        )
    return content.getbuffer()


def lay(target: Path, content: bytes | memoryview) -> int:
    """Write a file, synced, into a folder that is made where it is missing; returns its bytes."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with target.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    return len(content)


@cache
def _said_schema(columns: tuple[tuple[str, pl.DataType], ...]) -> str:
    """Write down a schema as the writer does, with texts where there are codes.

    A reader then sees text, and not what the values were called in this process.
    """
    plain = pl.DataFrame(schema={n: pl.String() if t == CODES else t for n, t in columns})
    arrow = plain.to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    return base64.b64encode(arrow.serialize()).decode()


def _repeated(frame: pl.DataFrame) -> list[str]:
    """Name the columns worth a dictionary, judged by rows in the middle.

    One of values that do not repeat is begun, given up and written twice: that takes longer than
    all the rest, and the file is larger.
    """
    some = frame.slice(frame.height // 2, _LOOKED_AT)
    return [
        f"{name}.list.element" if dtype.is_nested() else name
        for name, dtype in frame.schema.items()
        if dtype.is_nested() or some[name].n_unique() <= some.height // 2
    ]


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
