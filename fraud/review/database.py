"""The queue's database: where it lies, how it is set up, what its refusals mean.

The only place that configures Django for a home. Nothing here knows what a case is.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4

import django
from django.conf import settings as django_settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import Error as DatabaseError

from cdr.errors import SettingsError, storage
from fraud.errors import QueueFailed, QueueTooNew
from fraud.review import breached, settings

FILE = "review.sqlite3"
"""Name of the database in the home."""

URL = "CALLSIEVE_DATABASE_URL"
"""Environment variable that names a PostgreSQL database to use instead. It can hold a password,
so it is read here and is no part of the settings, which are printed."""

KEY_FILE = "review.key"
"""Name of the file in the home that holds the key of sessions and tokens."""

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
    connection = point_at(home)
    try:
        _migrate()
        yield
    except DatabaseError as error:
        raise QueueFailed(_kind(error)) from None
    finally:
        connection.close()


def point_at(home: Path) -> BaseDatabaseWrapper:
    """Make the queue of `home` Django's database for this process; it may be behind.

    Raises
    ------
    SettingsError
        If the environment names a database that is no PostgreSQL address.
    StorageFailed
        If the home cannot be made or written.
    """
    set_up()
    django_settings.BREACHED_PASSWORDS = home / breached.FILE
    wanted = postgres_settings(os.environ[URL]) if os.environ.get(URL) else _sqlite_settings(home)
    current = connections.settings[DEFAULT_DB_ALIAS]
    if any(current.get(name) != value for name, value in wanted.items()):
        connections[DEFAULT_DB_ALIAS].close()
        current.update(wanted)
        del connections[DEFAULT_DB_ALIAS]
    return connections[DEFAULT_DB_ALIAS]


def _sqlite_settings(home: Path) -> dict[str, object]:
    file = home.resolve() / FILE
    with storage("opening the review queue"):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            _create(file)
    return {**settings.DATABASES["default"], "NAME": str(file)}


def postgres_settings(url: str) -> dict[str, object]:
    """Return Django's settings for ``postgresql://user:password@host:port/name?option=value``.

    Raises
    ------
    SettingsError
        If it is not such an address; the message does not repeat it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingsError(URL, ["is not an address"]) from None
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in {"postgresql", "postgres"} or not name:
        raise SettingsError(URL, ["must read postgresql://USER:PASSWORD@HOST:PORT/NAME"])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or dict(parse_qsl(parts.query)).pop("host", "")),
        "PORT": port or "",
        "OPTIONS": {k: v for k, v in parse_qsl(parts.query) if k != "host"},
    }


def secret_key(home: Path) -> str:
    """Return the home's key for sessions and forms; made at the first call, the owner's alone."""
    file = home / KEY_FILE
    with storage("making the key of the review queue"):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            draft = file.with_name(f"{KEY_FILE}.{uuid4().hex}.new")
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as f:
                f.write(secrets.token_urlsafe(64))
            try:
                os.link(draft, file)
            finally:
                draft.unlink()
        return file.read_text("ascii")


def set_up() -> None:
    """Configure Django with what is the same for every home; safe to repeat."""
    if not django_settings.configured:
        names = [name for name in dir(settings) if name.isupper()]
        # copied: pointing at another database changes what Django was given
        django_settings.configure(**{name: deepcopy(getattr(settings, name)) for name in names})
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
    if _is_current():
        return
    connection = connections[DEFAULT_DB_ALIAS]
    # SQLite changes tables only where foreign keys are off before the transaction begins
    with connection.constraint_checks_disabled(), transaction.atomic():
        if not _is_current():  # read again under the lock: another process may have been first
            executor = MigrationExecutor(connection)
            executor.migrate(executor.loader.graph.leaf_nodes())


def _is_current() -> bool:
    """Say whether every migration of this version is applied.

    Raises
    ------
    QueueTooNew
        If one is applied that this version does not know.
    """
    known = _known_migrations()
    apps = {app for app, _ in known}
    applied = set(MigrationRecorder(connections[DEFAULT_DB_ALIAS]).applied_migrations())
    unknown = sorted(name for app, name in applied - known if app in apps)
    if unknown:
        raise QueueTooNew(unknown[-1])
    return known <= applied


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations that this version ships; they do not change while it runs."""
    return frozenset(MigrationLoader(None).disk_migrations)


def _kind(error: DatabaseError) -> str:
    """Say in words what the database refused, without its own message."""
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _REFUSALS:
        return _REFUSALS[code & 0xFF]
    return f"its database refused ({type(error.__cause__ or error).__name__})"
