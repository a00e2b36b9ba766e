"""The store: Delta tables under one home, written in batches, read by purpose.

`open_lake` is the only way in. `Lake` joins the parts: `home` (folders of this
machine), `local` and `bucket` (the ground the tables lie on), `tables` (one Delta
table), `batch` (what becomes visible together).
"""

from __future__ import annotations

import functools
import operator
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable
from pyarrow.fs import LocalFileSystem

from cdr import query
from cdr.errors import DAMAGED_FILE, StorageFailed, WrongUse, storage
from cdr.lake.batch import Batch
from cdr.lake.bucket import BucketStore
from cdr.lake.home import Home
from cdr.lake.local import LocalStore
from cdr.lake.store import Lying, Store
from cdr.lake.tables import DataFile, damaged, data_files, open_table, scan_paths
from cdr.recorded import Session
from cdr.residency import check_residency
from cdr.schema import CALLS, TABLES, Purpose, Table
from cdr.settings import Settings

__all__ = ["Batch", "DataFile", "Home", "Lake", "open_lake"]


class Lake:
    """The tables of one home.

    Parameters
    ----------
    settings : Settings
        Where the home is, and the limits of the engines.

    Raises
    ------
    WrongUse
        If the object store lies outside the regions of `residency`.
    """

    def __init__(self, settings: Settings) -> None:
        check_residency(settings.object_store, settings.residency)
        self.settings = settings
        self.home = Home(settings.home)
        self.store: Store = (
            BucketStore(self.home, settings.object_store)
            if settings.object_store.address
            else LocalStore(self.home)
        )

    @property
    def where(self) -> str:
        """Where the tables lie: a folder, or an address of an object store."""
        return self.store.place(CALLS).address.rpartition("/")[0]

    # -- reading ------------------------------------------------------------

    def version(self, table: Table) -> int | None:
        """Return the newest version of a table; None where it has no rows yet."""
        delta = self.store.opened(table)
        return None if delta is None else delta.version()

    def files(self, table: Table) -> list[DataFile]:
        """List the files of a table's newest version."""
        delta = self.store.opened(table)
        return [] if delta is None else data_files(delta)

    def scan(self, table: Table, *, dates: Iterable[date] | None = None) -> pl.LazyFrame:
        """Read a table lazily, as it is now.

        Parameters
        ----------
        table : Table
            Which one.
        dates : iterable of date, optional
            Days of its partition column; other days are not opened.
        """
        files = self.files(table)
        if dates is not None:
            days = {day.isoformat() for day in dates}
            files = [f for f in files if f.partition[table.partition_by[0]] in days]
        return self.scan_files(table, files)

    def scan_files(
        self, table: Table, files: Iterable[DataFile], *, place: str | None = None
    ) -> pl.LazyFrame:
        """Read some of a table's files lazily; ``place`` names a column for where each row lies."""
        ground = self.store.place(table)
        paths = [ground.of(file) for file in files]
        return scan_paths(table, paths, place=place, options=ground.options)

    def address(self, table: Table, file: DataFile) -> str:
        """Return where a table's file lies: a path, or an address of an object store."""
        return self.store.place(table).of(file)

    def read_file(
        self, table: Table, file: DataFile, *, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Read one file of a table as it was written: without the columns of its partition."""
        ground = self.store.place(table)
        return pl.read_parquet(
            ground.of(file),
            columns=None if columns is None else list(columns),
            hive_partitioning=False,
            glob=False,
            storage_options=ground.options,
        )

    def content(self, table: Table, file: DataFile) -> pa.Buffer:
        """Return the bytes of one file of a table; a local one is mapped, not read."""
        filesystem = self.store.filesystem(table)
        if filesystem is None:
            return pa.memory_map(self.address(table, file)).read_buffer()
        with filesystem.open_input_file(file.path) as handle:
            return handle.read_buffer()

    def is_whole(self, table: Table, file: DataFile) -> bool:
        """Tell whether a file is there with the bytes that were written."""
        try:
            self.check_whole(table, [file])
        except StorageFailed as error:
            if error.kind != DAMAGED_FILE:
                raise
            return False
        return True

    def check_whole(self, table: Table, files: Iterable[DataFile]) -> None:
        """Refuse damaged files that are to be written anew: their copies would pass for whole.

        Raises
        ------
        StorageFailed
            If one is damaged or gone.
        """
        for file in files:
            with storage(f"reading {table.name}"):
                self.check_content(table, file, self.content(table, file))

    def check_content(self, table: Table, file: DataFile, content: pa.Buffer) -> None:
        """Refuse as `check_whole` does, where a file's bytes are at hand."""
        if len(content) != file.size or damaged(file.path, memoryview(content)):
            raise StorageFailed(f"reading {table.name}", DAMAGED_FILE)

    def retire(self, batch: Batch, table: Table, files: Sequence[DataFile]) -> None:
        """Let a batch write files anew that are whole; refuses as `check_whole` does."""
        self.check_whole(table, files)
        batch.remove(table, files)

    def replace(self, batch: Batch, table: Table, rows: pl.DataFrame) -> None:
        """Let a batch write a small table anew, with what was made of its rows."""
        self.retire(batch, table, self.files(table))
        batch.add(table, rows)

    def log(self, table: Table) -> list[dict[str, Any]]:
        """List the commits of a table, the newest first, as Delta's log has them."""
        delta = self.store.opened(table)
        return [] if delta is None else delta.history()

    def calls(self) -> pl.LazyFrame:
        """Read `calls` lazily, as it is now.

        What is asked of the frame later runs in Polars alone, so that damage within a file
        is told in Polars' words when it is collected; `callsieve lake verify` names the file.

        Raises
        ------
        StorageFailed
            If a file is gone, or longer or shorter than the log says.
        """
        files = self.files(CALLS)
        there = {file.path: file.size for file in self.lying(CALLS)} if files else {}
        if any(there.get(file.path) != file.size for file in files):
            raise StorageFailed("reading calls", DAMAGED_FILE)
        return self.scan_files(CALLS, files)

    def connect(
        self, purpose: Purpose | str, *, reveal: bool = False, reason: str | None = None
    ) -> Session:
        """Open a DuckDB session for a person: one purpose's columns and rows of every table.

        Each statement is recorded in the audit log, and hands over `store.query_rows` at most.

        Except in the billing purpose, numbers, parties, addresses and whatever else identifies
        a person alone are keyed pseudonyms: the same person has the same one in every table for
        as long as the key is used. See `cdr.pseudonyms`.

        Parameters
        ----------
        purpose : {"fraud", "billing", "security", "rights"}
            Whose columns and rows. Those of other purposes do not exist in the session.
        reveal : bool, default=False
            Show raw values, for those whom `access.reveal` in the settings names. The session
            then has the function `pseudonym(text)`, with which to find who is behind one, and for
            one like `+49~7d5e-…` of an earlier key `pseudonym_7d5e(text)`.
        reason : str, optional
            Why they are needed; goes to the audit log.

        Raises
        ------
        WrongUse
            If there is no such purpose, it is not open to who asks, a reason is missing, or
            others can reach the keys.
        """
        from cdr.sessions import open_session  # which reads requests of persons out of the lake

        return open_session(self, _known(purpose), reveal=reveal, reason=reason)

    def connect_raw(self, purpose: Purpose | str) -> query.Connection:
        """Open a session that sees numbers as they are, for the program's own work.

        Signals, scoring and the masked pages of the queue need it; what a person asks or
        writes runs in `connect`.
        """
        views = self.raw_views(_known(purpose))
        return query.session(views, store=self.settings.store, spill=self.home.spill)

    def raw_views(self, purpose: Purpose) -> dict[str, ds.Dataset | pa.Table]:
        """Return what `connect_raw` sees: the rows that are kept for a purpose."""
        from cdr.privacy.purposes import kept_rows_of  # which reads requests out of the lake

        return {
            name: view.filter(rows)
            if isinstance(view, ds.Dataset)
            and (rows := kept_rows_of(purpose, TABLES[name])) is not None
            else view
            for name, view in self.views(purpose).items()
        }

    def views(self, purpose: Purpose) -> dict[str, ds.Dataset | pa.Table]:
        """Return each table with the columns of a purpose, as it is, to be read without copying."""
        with self.reading(), storage("reading the lake"):
            return {
                table.name: self._view(table, columns)
                for table in TABLES.values()
                if (columns := table.columns_of(purpose))
            }

    def reading(self) -> AbstractContextManager[None]:
        """See every batch in all tables or in none, as long as this lasts; keep it short."""
        return self.store.reading()

    def _view(self, table: Table, columns: tuple[str, ...]) -> ds.Dataset | pa.Table:
        files = self.files(table)
        schema = query.empty_view(table.polars_schema, columns).schema
        if not files:
            return schema.empty_table()
        folder = self.store.place(table).address
        remote = self.store.filesystem(table)
        filesystem = remote or LocalFileSystem()
        parquet = ds.ParquetFileFormat()
        kept = [name for name in table.partition_by if name in columns]
        fragments = [
            parquet.make_fragment(
                file.path if remote else f"{folder}/{file.path}",
                filesystem,
                _of_partition({name: schema.field(name).type for name in kept}, file),
            )
            for file in files
        ]  # whose files are looked for when they are read: one that is gone stops who asks for it
        return ds.FileSystemDataset(fragments, schema, parquet, filesystem)

    # -- writing ------------------------------------------------------------

    @contextmanager
    def batch(self, did: str = "write") -> Iterator[Batch]:
        """Collect changes; they are forgotten unless `Batch.publish` is called.

        Its `publish`, and what decides on what it publishes, belongs inside
        `writing()`.

        Parameters
        ----------
        did : str, default="write"
            What the batch is for, in a word without anything personal.
        """
        with Batch(self.home, self.store, uuid.uuid4().hex, did) as batch:
            yield batch

    def writing(self) -> AbstractContextManager[None]:
        """Be the only writer; waits for the one before and finishes what a kill left."""
        return self.store.writing()

    def alone(self, job: str) -> AbstractContextManager[None]:
        """Be the only one at a job that may run once at a time.

        Raises
        ------
        LakeBusy
            If it is running already, here or on another machine.
        """
        return self.store.alone(job)

    def settle(self) -> None:
        """Finish batches whose process was killed while it published them."""
        self.store.settle()

    def lying(self, table: Table) -> list[Lying]:
        """List the Parquet files in a table's folder, whether or not the log names them."""
        with storage(f"looking for files of {table.name}"):
            return self.store.lying(table)

    def vacuum(self, table: Table, *, hours: int) -> int:
        """Remove files that the table let go of this many hours ago; returns how many."""
        with self.writing(), storage(f"removing old files of {table.name}"):
            delta = self._open(table)
            if delta is None or not delta.vacuum(hours, enforce_retention_duration=False):
                return 0
            return len(delta.vacuum(hours, dry_run=False, enforce_retention_duration=False))

    def let_go(self, table: Table) -> frozenset[str]:
        """Name the files, without their folders, that the log says the table let go of."""
        delta = self._open(table)
        if delta is None:
            return frozenset()
        old = delta.vacuum(0, dry_run=True, enforce_retention_duration=False)
        return frozenset(path.rpartition("/")[2] for path in old)

    def replace_days(
        self,
        rows: Mapping[Table, pl.DataFrame],
        days: Iterable[date],
        *,
        lasting: bool = False,
    ) -> None:
        """Let rows stand for whole days of tables, in one commit.

        Parameters
        ----------
        rows : mapping of Table to DataFrame
            Tables with one partition column, a day, and all their rows of ``days``.
        days : iterable of date
            What the tables held of these days goes.
        lasting : bool, default=False
            The days will be asked for single accounts; see `Batch.add`.
        """
        gone = {day.isoformat() for day in days}
        with self.batch("replace_days") as batch, self.writing():
            for table, frame in rows.items():
                day_of = table.partition_by[0]
                batch.remove(table, [f for f in self.files(table) if f.partition[day_of] in gone])
                batch.add(table, frame, lasting=lasting)
            batch.publish()

    def _open(self, table: Table) -> DeltaTable | None:
        """Open a table's newest version, also one that readers do not see yet."""
        return open_table(self.store.place(table), table)


def _of_partition(types: Mapping[str, pa.DataType], file: DataFile) -> ds.Expression | None:
    """Say what every row of a file has in the columns of its partition."""
    says = [
        ds.field(name) == pa.scalar(file.partition[name]).cast(dtype)
        for name, dtype in types.items()
    ]
    return functools.reduce(operator.and_, says) if says else None


def _known(purpose: Purpose | str) -> Purpose:
    try:
        return Purpose(purpose)
    except ValueError:
        known = ", ".join(p.value for p in Purpose)
        raise WrongUse(f"no such purpose; known are: {known}") from None


def open_lake(settings: Settings, *, create: bool = False) -> Lake:
    """Open the lake of ``settings.home``, finishing what a killed process began.

    Parameters
    ----------
    settings : Settings
        See :func:`cdr.load_settings`.
    create : bool, default=False
        Make the home where there is none.

    Raises
    ------
    WrongUse
        If there is no lake and ``create`` is false.
    LakeTooNew
        If a newer version made it.
    """
    lake = Lake(settings)
    if create:
        lake.store.create()
    else:
        lake.store.check()
    lake.settle()
    return lake
