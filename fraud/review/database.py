"""The queue's database: where it lies, how it is set up, what its refusals mean.

The only place that configures Django for a home. Nothing here knows what a case is.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import django
from django.conf import settings as django_settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error as DatabaseError

from cdr.errors import storage
from fraud.errors import QueueFailed, QueueTooNew
from fraud.review import settings

FILE = "review.sqlite3"
"""Name of the database in the home."""

_REFUSALS = {
    sqlite3.SQLITE_BUSY: "another process is writing to its database; wait for it to end",
    sqlite3.SQLITE_LOCKED: "another process is writing to its database; wait for it to end",
    sqlite3.SQLITE_READONLY: "its database cannot be written: read-only file, folder or disk",
    sqlite3.SQLITE_PERM: "its database cannot be opened: no permission",
    sqlite3.SQLITE_CANTOPEN: "its database cannot be opened: no permission, or not a file",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk refused to read or write its database",
    sqlite3.SQLITE_NOTADB: f"{FILE} is not a database",
    sqlite3.SQLITE_CORRUPT: f"{FILE} is damaged; restore it from a backup",
}
"""Primary result codes of SQLite (https://sqlite.org/rescode.html), in words."""


@contextmanager
def queue_database(home: Path) -> Iterator[None]:
    """Point Django at the queue of `home` for the length of a ``with`` block.

    The database is made where there is none, and brought up to this version.
    Models can be imported inside the block. One home at a time in a process: the
    connection is Django's default one.

    Raises
    ------
    QueueTooNew
        If a newer version wrote the database.
    QueueFailed
        If the database refuses, here or inside the block.
    StorageFailed
        If the home cannot be made or written.
    """
    _set_up()
    file = home.resolve() / FILE
    with storage("opening the review queue"):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            _create(file)
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.settings_dict["NAME"] != str(file):
        connection.close()
        connection.settings_dict["NAME"] = str(file)
    try:
        _migrate()
        yield
    except DatabaseError as error:
        raise QueueFailed(_kind(error)) from None
    finally:
        connection.close()


def _set_up() -> None:
    if not django_settings.configured:
        names = [name for name in dir(settings) if name.isupper()]
        django_settings.configure(**{name: getattr(settings, name) for name in names})
    django.setup()


def _create(file: Path) -> None:
    """Put an empty database in write-ahead mode at `file`, in one step.

    Switching the mode of a file that others already open fails at once instead of
    waiting, so it is done under another name. Only the owner may read it.
    """
    draft = file.with_name(f"{FILE}.{uuid4().hex}.new")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with sqlite3.connect(draft) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        with suppress(FileExistsError):  # another process was first
            os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def _migrate() -> None:
    """Bring the database up to this version: all migrations, or none of them."""
    if not _pending(_executor()):
        return
    connection = connections[DEFAULT_DB_ALIAS]
    # SQLite changes tables only where foreign keys are off before the transaction begins
    with connection.constraint_checks_disabled(), transaction.atomic():
        executor = _executor()  # read again under the lock: another process may have been first
        if pending := _pending(executor):
            executor.migrate(pending)


def _executor() -> MigrationExecutor:
    return MigrationExecutor(connections[DEFAULT_DB_ALIAS])


def _pending(executor: MigrationExecutor) -> list[tuple[str, str]]:
    """Return the newest migrations of this version if any is not applied, else nothing."""
    known = executor.loader.disk_migrations
    apps = {app for app, _ in known}
    applied = executor.loader.applied_migrations
    unknown = sorted(name for app, name in applied if app in apps and (app, name) not in known)
    if unknown:
        raise QueueTooNew(unknown[-1])
    newest: list[tuple[str, str]] = executor.loader.graph.leaf_nodes()
    return newest if executor.migration_plan(newest) else []


def _kind(error: DatabaseError) -> str:
    """Say in words what the database refused, without its own message."""
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _REFUSALS:
        return _REFUSALS[code & 0xFF]
    return f"its database refused ({type(error.__cause__ or error).__name__})"
