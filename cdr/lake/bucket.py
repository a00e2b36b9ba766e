"""A lake on an object store: no locks, no rename, only objects that are created once.

    layout.json                     the version of all this
    lake/<table>/...                Delta tables
    lake/_journal/<n>.json          the n-th batch: what it changes
    lake/_journal/<n>.done.json     each table's version after the n-th batch
    lake/_open/<batch>.json         what a batch puts there before it is in the journal
    lake/_lease/<job>/<n>           who does a job now (see `lease`)

A writer puts its files under names nobody else takes, then creates journal entry n+1,
where n is the newest. From that instant the batch is in the lake. A writer that was held
up while another published finds its number taken: two can never both be the next. Then
each table is committed, with the batch's id, so that doing it again changes nothing, and
`<n>.done.json` says which versions belong together. Readers open those and wait for
nobody. An entry that is not done is finished by the next writer, on whatever machine.
"""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import uname

import pyarrow.fs as pa_fs
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from deltalake.fs import DeltaStorageHandler

from cdr.errors import LakeBusy, StorageFailed, WrongUse, storage
from cdr.lake.home import Home, check_layout, layout, write_whole
from cdr.lake.lease import Lease
from cdr.lake.local import clear_staging
from cdr.lake.objects import Objects
from cdr.lake.store import Change, Lying, Plan, Staged
from cdr.lake.tables import Place, commit, data_files, make_table, open_table
from cdr.object_store import ObjectStoreSettings
from cdr.schema import Table

UPLOADS = 8
"""Ours: files sent at a time."""

ENTRIES_KEPT = 20
"""Ours: journal entries that stay; only the newest is needed, the others help who looks."""

COMMITS_TRIED = 5
"""Ours: how often a commit that met another one is begun anew."""

_LAYOUT, _JOURNAL, _OPEN = "layout.json", "lake/_journal", "lake/_open"


@dataclass(frozen=True, slots=True)
class _Journal:
    """Numbers of the entries, and of those that are done; both rise."""

    entries: tuple[int, ...]
    done: tuple[int, ...]

    @property
    def newest(self) -> int:
        return max(self.entries, default=0)

    @property
    def settled(self) -> int:
        return max(self.done, default=0)


class BucketStore:
    """The ground of a lake under a bucket's prefix; see `store.Store`.

    Parameters
    ----------
    home : Home
        This machine's working folder: what is being written, and locks among its processes.
    settings : ObjectStoreSettings
        Where the bucket is and how it is reached.
    """

    def __init__(self, home: Home, settings: ObjectStoreSettings) -> None:
        self._home = home
        self._settings = settings
        self._options = settings.client_options()
        self._objects = Objects(settings)
        self._root = settings.address.rstrip("/")
        self._seen = threading.local()
        self._lease: Lease | None = None
        self._next = 0

    # -- where --------------------------------------------------------------

    def exists(self) -> bool:
        """Tell whether a lake was made here."""
        return self._objects.get(_LAYOUT) is not None

    def create(self) -> None:
        """Make the lake where there is none, after a look at what the store can do."""
        self._home.make_folders()
        if not self.exists():
            with self._holding("writer", wait=True):
                self._objects.put_new(_LAYOUT, layout())
        self.check()

    def check(self) -> None:
        """Refuse a lake that is not there or that a newer version made."""
        found = self._objects.get(_LAYOUT)
        if found is None:
            raise WrongUse(
                f"there is no lake at {self._root}; `callsieve ingest` or `callsieve nightly` "
                "make one"
            )
        check_layout(found)
        self._home.make_folders()

    def place(self, table: Table) -> Place:
        """Say at which address a table lies."""
        return self._place(table.name)

    def filesystem(self, table: Table) -> pa_fs.FileSystem:
        """Give Arrow the way to a table's folder."""
        place = self.place(table)
        return pa_fs.PyFileSystem(DeltaStorageHandler(place.address, place.options))

    # -- reading ------------------------------------------------------------

    def opened(self, table: Table) -> DeltaTable | None:
        """Open the version of a table that the newest finished batch left."""
        with storage(f"opening {table.name}"):
            seen = getattr(self._seen, "versions", None)
            version = (self._versions() if seen is None else seen).get(table.name)
            return (
                None if version is None else open_table(self.place(table), table, version=version)
            )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep to the versions of now, as long as this lasts."""
        before = getattr(self._seen, "versions", None)
        self._seen.versions = self._versions() if before is None else before
        try:
            yield
        finally:
            self._seen.versions = before

    def _versions(self) -> dict[str, int]:
        while True:
            settled = self._journal().settled
            if not settled:
                return {}
            content = self._objects.get(_done(settled))
            if content is not None:  # else newer ones have taken its place meanwhile
                versions: dict[str, int] = json.loads(content)["versions"]
                return versions

    # -- writing ------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer; waits for the one before and finishes what a kill left."""
        with self._writing(wait=True):
            yield

    def settle(self) -> None:
        """Finish a batch whose process was killed; left to others where one is writing."""
        journal = self._journal()
        if journal.newest > journal.settled:
            with suppress(LakeBusy, StorageFailed), self._writing(wait=False):
                pass

    @contextmanager
    def alone(self, job: str) -> Iterator[None]:
        """Be the only one at a job, on all machines."""
        with self._holding(job, wait=False):
            yield

    def publish(self, staged: Staged) -> None:
        """Put the files there, create the journal's next entry, commit the tables."""
        plan, number = staged.plan, self._next
        names = {
            f"lake/{name}/{file.path}": staged.folder / name / file.path
            for name, change in plan.tables.items()
            for file in change.add
        }
        mark = _mark(plan.batch_id)
        with storage("publishing a batch"):
            for name in plan.tables:
                self._made(staged.tables[name])
            self._objects.put(mark, json.dumps({"number": number, "files": sorted(names)}).encode())
            try:
                with ThreadPoolExecutor(UPLOADS) as pool:
                    list(pool.map(self._objects.put_file, names, names.values()))
                self._enter(number, plan)
            except LakeBusy:
                self._objects.delete([*names, mark])
                raise
        self._next = number + 1
        try:
            self._finish(number, plan)
            self._sweep()
        except StorageFailed as error:
            raise StorageFailed(
                "publishing a batch",
                error.kind,
                outcome="its rows are safe and the next command finishes it",
            ) from None

    def lying(self, table: Table) -> list[Lying]:
        """List the Parquet files in a table's folder."""
        folder = f"lake/{table.name}/"
        return [
            Lying(found.name.removeprefix(folder), found.size, found.modified)
            for found in self._objects.below(folder)
            if found.name.endswith(".parquet") and "/_delta_log/" not in found.name
        ]

    def delete(self, table: Table, path: str) -> None:
        """Remove a file that no version of the table needs."""
        self._objects.delete([f"lake/{table.name}/{path}"])

    # -- within -------------------------------------------------------------

    @contextmanager
    def _writing(self, *, wait: bool) -> Iterator[None]:
        with self._holding("writer", wait=wait) as lease:
            self._lease = lease
            try:
                self._next = self._recover() + 1  # what is decided from now on rests on these
                yield
            finally:
                self._lease = None

    @contextmanager
    def _holding(self, job: str, *, wait: bool) -> Iterator[Lease]:
        """Hold a job's lock among this machine's processes, then its lease among machines."""
        with self._home.lock(job, wait=wait) as here:
            if not here:
                raise LakeBusy(f"`callsieve {job}`")
            lease = Lease(self._objects, job, self._owner(), self._settings.lease_s)
            with lease.held(wait=wait) as held:
                if not held:
                    raise LakeBusy(f"`callsieve {job}`")
                yield lease

    def _place(self, table: str) -> Place:
        return Place(f"{self._root}/lake/{table}", self._options)

    def _owner(self) -> str:
        """Name this machine's working folder; made once, under the lock of a job."""
        file = self._home.root / "owner.id"
        if not file.exists():
            with storage("preparing the home folder"):
                write_whole(file, uuid.uuid4().hex.encode())
        return hashlib.sha256(file.read_bytes() + uname().nodename.encode()).hexdigest()[:16]

    def _journal(self) -> _Journal:
        names = [found.name.rpartition("/")[2] for found in self._objects.below(f"{_JOURNAL}/")]
        done = [int(name.split(".")[0]) for name in names if name.endswith(".done.json")]
        entries = [int(name.split(".")[0]) for name in names if name.count(".") == 1]
        return _Journal(tuple(sorted(entries)), tuple(sorted(done)))

    def _enter(self, number: int, plan: Plan) -> None:
        """Make a batch the journal's next entry, unless another writer was faster."""
        late = LakeBusy("this writer was held up and another took its place; a writer")
        if self._lease is None or self._lease.lost:
            raise late
        try:
            entered = self._objects.put_new(_entry(number), plan.to_json())
        except StorageFailed as error:
            outcome = "the batch may be in; run it again, nothing is taken in twice"
            raise StorageFailed("publishing a batch", error.kind, outcome=outcome) from None
        if not entered:
            raise late
        if self._journal().newest != number:  # so late that its number was cleared away
            self._objects.delete([_entry(number)])
            raise late

    def _finish(self, number: int, plan: Plan) -> None:
        """Commit what an entry says and note the versions; safe to repeat."""
        versions = self._versions()
        with storage("publishing a batch"):
            for name, change in plan.tables.items():
                versions[name] = self._commit(self._place(name), plan, change)
        done = {"batch_id": plan.batch_id, "versions": versions}
        self._objects.put_new(_done(number), json.dumps(done).encode())
        self._objects.delete([_mark(plan.batch_id)])

    def _commit(self, place: Place, plan: Plan, change: Change) -> int:
        for _ in range(COMMITS_TRIED - 1):
            with suppress(CommitFailedError):  # another finishes the same batch
                return commit(place, plan.batch_id, plan.did, add=change.add, remove=change.remove)
        return commit(place, plan.batch_id, plan.did, add=change.add, remove=change.remove)

    def _made(self, table: Table) -> None:
        for _ in range(COMMITS_TRIED - 1):
            with suppress(CommitFailedError):
                make_table(self.place(table), table)
                return
        make_table(self.place(table), table)

    def _recover(self) -> int:
        """Finish the entry that is not done, forget what never became one; return the newest."""
        journal = self._journal()
        if journal.newest > journal.settled:
            content = self._objects.get(_entry(journal.newest))
            if content is not None:
                self._finish(journal.newest, Plan.from_json(content))
        self._sweep()
        for number in journal.entries[:-ENTRIES_KEPT]:
            self._objects.delete([_entry(number), _done(number)])
        clear_staging(self._home)
        return journal.newest

    def _sweep(self) -> None:
        """Remove files of batches that can no longer become an entry: their number is taken."""
        newest = self._journal().newest
        for mark in self._objects.below(f"{_OPEN}/"):
            content = self._objects.get(mark.name)
            if content is None:
                continue
            left = json.loads(content)
            if left["number"] <= newest:
                if not self._is_entry(left["number"], mark.name):
                    needed = self._needed(left["files"])
                    self._objects.delete(name for name in left["files"] if name not in needed)
                self._objects.delete([mark.name])

    def _is_entry(self, number: int, mark: str) -> bool:
        content = self._objects.get(_entry(number))
        return content is not None and _mark(Plan.from_json(content).batch_id) == mark

    def _needed(self, names: list[str]) -> set[str]:
        """Name what the tables of these files have now: never removed, whatever is said of it."""
        found = set()
        for table in {name.split("/")[1] for name in names}:
            place = self._place(table)
            if DeltaTable.is_deltatable(place.address, place.options):
                delta = DeltaTable(place.address, storage_options=place.options)
                found |= {f"lake/{table}/{file.path}" for file in data_files(delta)}
        return found


def _entry(number: int) -> str:
    return f"{_JOURNAL}/{number:020d}.json"


def _done(number: int) -> str:
    return f"{_JOURNAL}/{number:020d}.done.json"


def _mark(batch_id: str) -> str:
    return f"{_OPEN}/{batch_id}.json"
