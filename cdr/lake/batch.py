"""A batch: changes to several tables that become visible together.

Rows are written to a staging folder first, where no reader looks. Publishing
writes one journal file, and from the instant that file stands the batch *is*
in the lake: whoever opens the lake next finishes what a killed process began.
Before that instant nothing of it is.

Each table's commit names the batch, so finishing twice changes nothing. All of
this happens under the writer lock, so a batch that is being finished never
meets another one half-way. Readers who look at several tables wait for the
short time between the journal and the last commit (`Home.publishing`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from cdr.errors import StorageFailed, storage
from cdr.lake.home import Home, abandoned, held, on_disk, write_whole
from cdr.lake.tables import DataFile, commit, make_table, write_files
from cdr.schema import Table


class Batch:
    """Collect added rows and removed files; `publish` makes them the lake's.

    Use as a context manager: leaving without `publish` forgets everything.

    Parameters
    ----------
    home : Home
        Whose lake it is for.
    batch_id : str
        Unique; file names begin with it.
    did : str
        What the batch is for, in a word: `lake history` says it.
    """

    def __init__(self, home: Home, batch_id: str, did: str) -> None:
        self.batch_id = batch_id
        self._did = did
        self._home = home
        self._tables: dict[str, Table] = {}
        self._folder = home.staging / batch_id
        self._added: dict[str, list[DataFile]] = {}
        self._removed: dict[str, list[DataFile]] = {}
        self._parts = 0

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
        """Stage rows of a table; returns the files they lie in.

        ``lasting`` files take longer to write and can be searched faster.
        """
        with storage(f"writing rows of {table.name}"):
            files = write_files(
                self._folder / table.name,
                f"{self.batch_id}-{self._parts:05d}",
                table,
                frame,
                lasting=lasting,
            )
        self._parts += 1
        self._tables[table.name] = table
        self._added.setdefault(table.name, []).extend(files)
        return files

    def staged(self, table: Table) -> list[DataFile]:
        """List the files staged for a table so far, in the order of writing."""
        return list(self._added.get(table.name, ()))

    def path_of(self, table: Table, file: DataFile) -> Path:
        """Return where a staged file lies now."""
        return self._folder / table.name / file.path

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
            If the disk refuses. Where that happens after the journal stands, the
            batch is safe and the next command finishes it.
        """
        journal = self._home.journal / f"{self.batch_id}.json"
        plan = {
            name: {
                "add": [asdict(file) for file in self._added.get(name, ())],
                "remove": [asdict(file) for file in self._removed.get(name, ())],
            }
            for name in sorted(self._tables)
            if self._added.get(name) or self._removed.get(name)
        }
        with storage("writing the journal of a batch"):
            for name in plan:
                make_table(self._home.lake / name, self._tables[name])
        with self._home.publishing():
            with storage("writing the journal of a batch"):
                write_whole(journal, json.dumps({"did": self._did, "tables": plan}).encode())
            finish(self._home, journal)


def finish(home: Home, journal: Path) -> None:
    """Carry out a journal; safe to repeat. The caller holds the writer and publishing locks."""
    batch_id = journal.stem
    plan = json.loads(journal.read_bytes())
    try:
        with storage("publishing a batch"):
            for name, change in plan["tables"].items():
                add = [_data_file(file) for file in change["add"]]
                remove = [_data_file(file) for file in change["remove"]]
                _move(home.staging / batch_id / name, home.lake / name, add)
                commit(home.lake / name, batch_id=batch_id, did=plan["did"], add=add, remove=remove)
                on_disk(home.lake / name / "_delta_log")
            journal.unlink()
            shutil.rmtree(home.staging / batch_id, ignore_errors=True)
    except StorageFailed as error:
        raise StorageFailed(
            "publishing a batch",
            error.kind,
            outcome="its rows are safe and the next command finishes it",
        ) from None


def recover(home: Home) -> int:
    """Finish batches whose process was killed and drop those never completed.

    The caller holds the writer lock.

    Returns
    -------
    int
        How many were finished.
    """
    finished = 0
    for draft in home.journal.glob(".*"):
        draft.unlink()
    for journal in sorted(home.journal.glob("*.json")):
        with home.publishing():
            finish(home, journal)
        finished += 1
    with home.arranging():
        for folder in home.staging.iterdir():
            if folder.is_dir() and abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)
    return finished


def _data_file(fields: dict[str, object]) -> DataFile:
    bounds = fields["bounds"]
    assert isinstance(bounds, dict)
    return DataFile(
        path=str(fields["path"]),
        rows=int(str(fields["rows"])),
        size=int(str(fields["size"])),
        partition=fields["partition"],  # type: ignore[arg-type]
        bounds={column: (ends[0], ends[1]) for column, ends in bounds.items()},
    )


def _move(source: Path, target: Path, files: list[DataFile]) -> None:
    for file in files:
        staged = source / file.path
        if staged.exists():
            (target / file.path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            staged.replace(target / file.path)
    for folder in {target, *((target / file.path).parent for file in files)}:
        on_disk(folder)
