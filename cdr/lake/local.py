"""A lake in a folder of this machine: locks of the kernel, files moved into place by name.

A batch's journal is one file. From the instant it stands the batch is in the lake;
then files move into place and each table is committed. Each commit names the batch,
so doing it again changes nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from deltalake import DeltaTable

from cdr.errors import StorageFailed, storage
from cdr.lake.home import Home, abandoned, on_disk, write_whole
from cdr.lake.store import Lying, Plan, Staged
from cdr.lake.tables import DataFile, Place, commit, make_table, open_table
from cdr.schema import Table


class LocalStore:
    """The ground of a lake under a home folder; see `store.Store`."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def exists(self) -> bool:
        """Tell whether a lake was made here."""
        return self._home.exists()

    def create(self) -> None:
        """Make the home's folders where they are missing."""
        self._home.create()

    def check(self) -> None:
        """Refuse a home that is not there or that a newer version made."""
        self._home.check()

    def place(self, table: Table) -> Place:
        """Say in which folder a table lies."""
        return Place(str(self._home.lake / table.name))

    def filesystem(self, table: Table) -> None:
        """Need nothing: Arrow reads folders of this machine."""
        return

    def opened(self, table: Table) -> DeltaTable | None:
        """Open a table's newest version; one that was never made is not looked for any further."""
        log = self._home.lake / table.name / "_delta_log"
        return open_table(self.place(table), table) if log.is_dir() else None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer; waits for the one before and finishes what a kill left."""
        with self._home.writing():
            self._recover()
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold off publishing while several tables are looked at."""
        while True:
            self.settle()
            with self._home.reading():
                if not self._home.unfinished():
                    yield
                    return

    def alone(self, job: str) -> AbstractContextManager[None]:
        """Be the only one at a job on this home."""
        return self._home.alone(job)

    def settle(self) -> None:
        """Finish batches whose process was killed while it published them."""
        if self._home.unfinished():
            with self.writing():
                pass

    def publish(self, staged: Staged) -> None:
        """Write the journal, move the files, commit the tables."""
        plan = staged.plan
        with storage("writing the journal of a batch"):
            for name in plan.tables:
                make_table(self.place(staged.tables[name]), staged.tables[name])
        with self._home.publishing():
            journal = self._home.journal / f"{plan.batch_id}.json"
            with storage("writing the journal of a batch"):
                write_whole(journal, plan.to_json())
            self.finish(journal)

    def finish(self, journal: Path) -> None:
        """Carry out a journal; safe to repeat, under the writer and publishing locks."""
        plan = Plan.from_json(journal.read_bytes())
        folder = self._home.staging / plan.batch_id
        try:
            with storage("publishing a batch"):
                for name, change in plan.tables.items():
                    table = self._home.lake / name
                    _move(folder / name, table, change.add)
                    version = commit(Place(str(table)), plan.batch_id, plan.did,
                                     add=change.add, remove=change.remove)  # fmt: skip
                    on_disk(table / "_delta_log" / f"{version:020d}.json")
                    on_disk(table / "_delta_log")
                journal.unlink()
                shutil.rmtree(folder, ignore_errors=True)
        except StorageFailed as error:
            raise StorageFailed(
                "publishing a batch",
                error.kind,
                outcome="its rows are safe and the next command finishes it",
            ) from None

    def lying(self, table: Table) -> list[Lying]:
        """List the Parquet files in a table's folder."""
        folder = self._home.lake / table.name
        found = []
        for path in sorted(folder.rglob("*.parquet")):
            if "_delta_log" not in path.parts:
                stat = path.stat()
                modified = datetime.fromtimestamp(stat.st_mtime, tz=UTC)
                found.append(Lying(path.relative_to(folder).as_posix(), stat.st_size, modified))
        return found

    def delete(self, table: Table, path: str) -> None:
        """Remove a file that no version of the table needs."""
        (self._home.lake / table.name / path).unlink(missing_ok=True)

    def _recover(self) -> None:
        """Finish batches whose process was killed and drop those never completed."""
        for draft in self._home.journal.glob(".*"):
            draft.unlink()
        for journal in sorted(self._home.journal.glob("*.json")):
            with self._home.publishing():
                self.finish(journal)
        clear_staging(self._home)


def clear_staging(home: Home) -> None:
    """Drop what batches left behind whose process is gone; the caller is the only writer."""
    with home.arranging():
        for folder in home.staging.iterdir():
            if folder.is_dir() and abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _move(source: Path, target: Path, files: Iterable[DataFile]) -> None:
    folders = {target}
    for file in files:
        staged = source / file.path
        folders.add((target / file.path).parent)
        if staged.exists():
            (target / file.path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            staged.replace(target / file.path)
    for folder in folders:
        on_disk(folder)
