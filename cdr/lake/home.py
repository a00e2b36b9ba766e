"""The folder that holds everything, and who may write to it when.

Paths, the layout's version and the locks. What the tables hold is not known
here.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cdr.errors import LakeBusy, LakeTooNew, StorageFailed, WrongUse, storage

LAYOUT = 1
"""Version of the folder's layout; rises when an older version could misread it."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where things lie under one operator's home folder.

    Locks are the kernel's (`flock`): they end with the process that holds them,
    however it ends.
    """

    root: Path

    @property
    def lake(self) -> Path:
        """Folder of the Delta tables."""
        return self.root / "lake"

    @property
    def staging(self) -> Path:
        """Folder of batches that are being written; on the lake's file system."""
        return self.root / "lake" / "_staging"

    @property
    def journal(self) -> Path:
        """Folder of batches that are complete and being published."""
        return self.root / "lake" / "_journal"

    @property
    def inbox(self) -> Path:
        """Folder where switches leave files, one folder a source."""
        return self.root / "inbox"

    @property
    def models(self) -> Path:
        """Folder of trained models."""
        return self.root / "models"

    @property
    def runs(self) -> Path:
        """Folder of the ledger of runs."""
        return self.root / "runs"

    @property
    def reports(self) -> Path:
        """Folder of what was written for people."""
        return self.root / "reports"

    @property
    def spill(self) -> Path:
        """Folder DuckDB spills to."""
        return self.root / "spill"

    @property
    def audit(self) -> Path:
        """Folder of the audit log."""
        return self.root / "audit"

    @property
    def exports(self) -> Path:
        """Folder of the register of what was written outside of the home."""
        return self.root / "exports"

    @property
    def erasures(self) -> Path:
        """Folder of erasures that are not done yet."""
        return self.root / "erasures"

    @property
    def _layout(self) -> Path:
        return self.root / "layout.json"

    @property
    def _publish_lock(self) -> Path:
        return self.lake / "_publish.lock"

    def create(self) -> None:
        """Make the folders where they are missing; only the owner may enter.

        Raises
        ------
        LakeTooNew
            If a newer version made this home.
        StorageFailed
            If the disk refuses.
        """
        self.make_folders()
        with storage("preparing the home folder"):
            if not self._layout.exists():
                self._publish_lock.touch(mode=0o600)
                write_whole(self._layout, layout())
        self.check()

    def make_folders(self) -> None:
        """Make the folders where they are missing, but no lake."""
        doing = "preparing the home folder"
        try:
            with storage(doing):
                self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
                for folder in (self.lake, self.staging, self.journal, self.inbox, self.models,
                               self.runs, self.reports, self.spill):  # fmt: skip
                    folder.mkdir(mode=0o700, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise StorageFailed(doing, "a file stands where a folder should be") from None
        self._only_ours()

    def exists(self) -> bool:
        """Tell whether a lake was made here."""
        return self._layout.exists()

    def check(self) -> None:
        """Refuse a home that is not there or that a newer version made.

        Raises
        ------
        WrongUse
            If there is no lake here, or its layout file cannot be read.
        LakeTooNew
            If a newer version made it.
        """
        if self.root.exists():
            self._only_ours()
        if not self.exists():
            raise WrongUse(
                f"there is no lake in {self.root.name!r}; `callsieve ingest` or "
                "`callsieve nightly` make one"
            )
        check_layout(self._layout.read_bytes())

    def _only_ours(self) -> None:
        """Refuse a home in which others could put or change something.

        Raises
        ------
        WrongUse
            If others can write to it.
        """
        if self.root.stat().st_mode & 0o022:
            raise WrongUse(
                f"others on this machine can write to {self.root.name!r}, where calls and models "
                "lie; `chmod 700` it, after a look at what is in it"
            )

    def unfinished(self) -> bool:
        """Tell whether a batch is being published, or was when its process was killed."""
        return any(self.journal.glob("*.json"))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lake's writer lock; waits for the writer before."""
        with _locked(self.root / "lake" / "_writer.lock", wait=True):
            yield

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Hold the lock under which a batch's tables are committed one after the other."""
        with _locked(self._publish_lock, wait=True):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold off publishing while several tables are looked at; readers share it.

        A home that cannot be written to is read as it is.
        """
        try:
            handle = self._publish_lock.open("rb")
        except FileNotFoundError:  # a copy of a home: nobody publishes there
            yield
            return
        with handle:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield

    @contextmanager
    def arranging(self) -> Iterator[None]:
        """Hold the lock under which batch folders are made and cleared away."""
        with _locked(self.staging / "_staging.lock", wait=True):
            yield

    @contextmanager
    def auditing(self) -> Iterator[None]:
        """Hold the lock of the audit log; waits for the writer before."""
        with _locked(self.root / "audit.lock", wait=True):
            yield

    @contextmanager
    def lock(self, job: str, *, wait: bool) -> Iterator[bool]:
        """Hold this machine's lock of a job; False where it is held and ``wait`` is false."""
        with _locked(self.root / f"{job}.lock", wait=wait) as held:
            yield held

    @contextmanager
    def alone(self, job: str) -> Iterator[None]:
        """Hold the lock of a job that may run once at a time.

        Raises
        ------
        LakeBusy
            If it is running already.
        """
        with self.lock(job, wait=False) as held:
            if not held:
                raise LakeBusy(f"`callsieve {job}`")
            yield


def layout() -> bytes:
    """Return what `layout.json` says in a home of this version."""
    return json.dumps({"layout": LAYOUT}).encode()


def check_layout(content: bytes) -> None:
    """Refuse a layout that a newer version made, or that cannot be read."""
    try:
        found = int(json.loads(content)["layout"])
    except (ValueError, KeyError, TypeError):
        raise WrongUse(
            "layout.json in the home folder is damaged; restore it from a backup"
        ) from None
    if found > LAYOUT:
        raise LakeTooNew(found, LAYOUT)


@contextmanager
def _locked(file: Path, *, wait: bool) -> Iterator[bool]:
    with storage("taking a lock"):
        handle = file.open("ab")
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def held(folder: Path) -> int:
    """Lock a batch's folder for this process; the caller closes the descriptor."""
    descriptor = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def abandoned(folder: Path) -> bool:
    """Tell whether the process that made a batch's folder is gone."""
    with _locked(folder / ".lock", wait=False) as free:
        return free


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    on_disk(file.parent)


def on_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, would be there after a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
