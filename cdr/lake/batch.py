"""A batch: changes to several tables that become visible together.

Rows are written to a staging folder of this machine first, where no reader looks.
Publishing puts one entry into the lake's journal, and from the instant that entry
stands the batch *is* in the lake: what a killed process began, another finishes.
Before that instant nothing of it is. How that is done on folders and on object
stores say `local` and `bucket`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from cdr.errors import storage
from cdr.lake.home import Home, held
from cdr.lake.row_groups import Amended
from cdr.lake.store import Change, Plan, Staged, Store
from cdr.lake.tables import DataFile, lay, scan_paths, write_files, write_parts
from cdr.schema import Table


class Batch:
    """Collect added rows and removed files; `publish` makes them the lake's.

    Use as a context manager: leaving without `publish` forgets everything.

    Parameters
    ----------
    home : Home
        Where its rows are put aside.
    store : Store
        Whose lake it is for.
    batch_id : str
        Unique; file names begin with it.
    did : str
        What the batch is for, in a word: `lake history` says it.
    """

    def __init__(self, home: Home, store: Store, batch_id: str, did: str) -> None:
        self.batch_id = batch_id
        self._did = did
        self._home = home
        self._store = store
        self._tables: dict[str, Table] = {}
        self._folder = home.staging / batch_id
        self._added: dict[str, list[DataFile]] = {}
        self._removed: dict[str, list[DataFile]] = {}
        self._numbers = count()

    def __enter__(self) -> Self:
        with storage("preparing a batch"), self._home.arranging():
            self._folder.mkdir(mode=0o700)
            self._lock = held(self._folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._home.arranging():
            if not (self._home.journal / f"{self.batch_id}.json").exists():
                shutil.rmtree(self._folder, ignore_errors=True)
            os.close(self._lock)

    def add(self, table: Table, frame: pl.DataFrame, *, lasting: bool = False) -> list[DataFile]:
        """Stage rows of a table; returns the files they lie in. Several threads may do so at once.

        ``lasting`` files take longer to write and can be searched faster.
        """
        with storage(f"writing rows of {table.name}"):
            files = write_files(
                self._folder / table.name,
                self._stem(),
                table,
                frame,
                lasting=lasting,
            )
        self._tables[table.name] = table
        self._added.setdefault(table.name, []).extend(files)
        return files

    def add_parts(self, table: Table, parts: Iterable[pl.DataFrame]) -> None:
        """Stage rows of one partition as one lasting file; only a part is in memory at a time."""
        with storage(f"writing rows of {table.name}"):
            file = write_parts(self._folder / table.name, self._stem(), table, parts)
        self._tables[table.name] = table
        self._added.setdefault(table.name, []).append(file)

    def aside(self) -> Path:
        """Return a folder for what is needed while the batch is made; it goes with the batch."""
        folder = self._folder / "_aside"
        with storage("preparing a batch"):
            folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def amend(self, table: Table, file: DataFile, amended: Amended) -> None:
        """Stage a file in place of one that the table has now; one without rows only goes."""
        self.remove(table, [file])
        if not amended.rows:
            return
        folder = file.path.rpartition("/")[0]
        stem = f"{folder}/{self._stem()}".lstrip("/")
        with storage(f"writing rows of {table.name}"):
            path = lay(self._folder / table.name, stem, amended.content)
        size = len(amended.content)
        staged = DataFile(path, amended.rows, size, file.partition, amended.bounds)
        self._added.setdefault(table.name, []).append(staged)

    def _stem(self) -> str:
        return f"{self.batch_id}-{next(self._numbers):05d}"

    def staged(self, table: Table) -> list[DataFile]:
        """List the files staged for a table so far, in the order of writing."""
        return list(self._added.get(table.name, ()))

    def path_of(self, table: Table, file: DataFile) -> Path:
        """Return where a staged file lies now."""
        return self._folder / table.name / file.path

    def scan_staged(self, table: Table, files: Iterable[DataFile]) -> pl.LazyFrame:
        """Read staged files lazily."""
        return scan_paths(table, [str(self.path_of(table, file)) for file in files])

    def going(self, table: Table) -> list[DataFile]:
        """List the files of a table that the batch lets go of."""
        return list(self._removed.get(table.name, ()))

    def unstage(self, table: Table, files: Iterable[DataFile]) -> None:
        """Take staged files back."""
        gone = {file.path for file in files}
        if not gone:
            return
        self._added[table.name] = [f for f in self._added[table.name] if f.path not in gone]
        for path in gone:
            (self._folder / table.name / path).unlink()

    def remove(self, table: Table, files: Iterable[DataFile]) -> None:
        """Let go of files that the table has now."""
        self._tables[table.name] = table
        self._removed.setdefault(table.name, []).extend(files)

    def publish(self) -> None:
        """Make the batch part of the lake. The caller holds the writer lock.

        Raises
        ------
        StorageFailed
            If the disk or the object store refuses. Where that happens after the
            journal stands, the batch is safe and the next command finishes it.
        """
        changes = {
            name: Change(tuple(self._added.get(name, ())), tuple(self._removed.get(name, ())))
            for name in sorted(self._tables)
            if self._added.get(name) or self._removed.get(name)
        }
        plan = Plan(self.batch_id, self._did, changes)
        self._store.publish(Staged(plan, self._tables, self._folder))
