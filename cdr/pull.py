"""Accounting rows straight out of a proxy's database, laid into the inbox as files.

Reads the `acc` tables of Kamailio and OpenSIPS in PostgreSQL, MySQL and MariaDB, by `id`
and so in the order of arrival. What was read lies in the inbox as a CSV like any other:
it is taken in, kept, counted and read again the same way, and its name tells up to which
id the table was read. What the rows mean is the business of the formats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Protocol
from urllib.parse import unquote, urlsplit

import polars as pl
import psycopg
import pymysql
from psycopg import sql
from pymysql.converters import conversions
from pymysql.cursors import SSCursor

from cdr.errors import SettingsError, SourceFailed, storage
from cdr.formats.blocks import REPLACEMENT
from cdr.lake import Lake
from cdr.schema import INGESTS
from cdr.settings import SourceSettings

PAGE_IDS = 200_000
"""Ids read into one file. Ours: some 50 MB, and every file can be taken in by itself."""

OVERLAP_IDS = 1_000
"""Ids read again before the last one seen. Ours: a transaction that got its id earlier and
was committed later than its neighbours is found by the next run; repeated rows are
duplicates to the store."""

_FETCH_ROWS = 10_000  # ours: some MB at a time
_NAME = re.compile(r"acc-\d{12}-(\d{12})\.csv")


class _Table(Protocol):
    def newest_id(self) -> int: ...

    def write_rows(self, handle: IO[bytes], after: int, until: int) -> None: ...


def pull(folder: Path, table: str, *, url: str, taken: Iterable[str] = ()) -> list[Path]:
    """Read the rows that arrived since the last time into files of a folder.

    Safe to repeat and to break off: a file appears whole or not at all, and rows are
    read from the last id that a file's name tells. With each new row come all earlier
    rows of its call, so that a BYE finds its INVITE whenever it arrives.

    Parameters
    ----------
    folder : Path
        The source's folder in the inbox; made where it is missing.
    table : str
        Name of the table, with its schema where it needs one; it must have the columns
        `id`, rising with arrival, and `callid`.
    url : str
        `postgresql://...` or `mysql://user:password@host:port/database`.
    taken : iterable of str
        Names of files of this source that were taken in before, of whatever kind.

    Returns
    -------
    list of Path
        The files written, the oldest rows first; none where nothing is new.

    Raises
    ------
    SettingsError
        If the URL is of another kind of database.
    SourceFailed
        If the database cannot be reached or refuses; also if its ids went back.
    StorageFailed
        If the disk refuses.
    """
    with storage("making the source's folder in the inbox"):
        folder.mkdir(parents=True, exist_ok=True)
        names = [*taken, *(file.name for file in folder.iterdir())]
    mark = max((int(found[1]) for name in names if (found := _NAME.fullmatch(name))), default=0)
    written = []
    with _connected(url, table) as rows:
        newest = rows.newest_id()
        if newest < mark:
            raise SourceFailed(
                table,
                f"its newest id is {newest}, but rows up to {mark} were read before; "
                "if the table was emptied, read it as a source with a new name",
            )
        while mark < newest:
            until = min(mark + PAGE_IDS, newest)
            after = max(0, mark - OVERLAP_IDS)
            if file := _write(folder, rows, after, until):
                written.append(file)
            mark = until
    return written


def pull_source(lake: Lake, name: str, source: SourceSettings) -> list[Path]:
    """Read what is new in a source's database into its folder of the inbox.

    Returns
    -------
    list of Path
        As `pull`; none for a source without database.

    Raises
    ------
    SettingsError, SourceFailed, StorageFailed
        As `pull` and `SourceSettings.database_url` do.
    """
    url = source.database_url()
    if url is None:
        return []
    ledger = lake.scan(INGESTS).filter(pl.col("source") == name).select("file").collect()
    return pull(
        lake.home.inbox / name, source.database_table, url=url, taken=ledger["file"].to_list()
    )


@contextmanager
def newest_rows(source: SourceSettings) -> Iterator[list[Path]]:
    """Give the newest rows of a source's database as a file that is gone afterwards.

    Yields
    ------
    list of Path
        One file; none where the table is empty, or for a source without database.

    Raises
    ------
    SettingsError, SourceFailed, StorageFailed
        As `pull_source` does.
    """
    url = source.database_url()
    if url is None:
        yield []
        return
    with TemporaryDirectory() as folder:
        with _connected(url, source.database_table) as rows:
            newest = rows.newest_id()
            file = _write(Path(folder), rows, max(0, newest - OVERLAP_IDS), newest)
        yield [file] if file else []


def _write(folder: Path, rows: _Table, after: int, until: int) -> Path | None:
    """Write a page of rows; None where there are none but the header."""
    file = folder / f"acc-{after:012d}-{until:012d}.csv"
    partial = folder / f".{file.name}.part"
    with storage("writing accounting rows into the inbox"):
        with partial.open("wb") as handle:
            rows.write_rows(handle, after, until)
        with partial.open("rb") as handle:
            lines = sum(1 for _, _ in zip(handle, range(2), strict=False))
        if lines < 2:
            partial.unlink()
            return None
        return partial.replace(file)


@contextmanager
def _connected(url: str, table: str) -> Iterator[_Table]:
    with _understood():
        connect = _TABLES.get(urlsplit(url).scheme)
    if connect is None:
        raise SettingsError("database_url_env", ["is no postgresql:// and no mysql:// address"])
    try:
        with connect(url, table) as found:
            yield found
    except (psycopg.Error, pymysql.Error) as error:
        raise SourceFailed(table, _refusal(error)) from None


@contextmanager
def _understood() -> Iterator[None]:
    """Refuse what is no address, without repeating it."""
    try:
        yield
    except ValueError:
        address = "scheme://user:password@host:port/database"
        fault = f"is no address; write {address}, with other signs as %40"
        raise SettingsError("database_url_env", [fault]) from None


_REFUSALS: tuple[tuple[frozenset[object], tuple[str, ...], str], ...] = (
    (frozenset({"42P01", "3F000", 1146}), (),
     "there is no such table; see database_table of the source"),
    (frozenset({"42703", 1054}), (), "it lacks a column; id and callid are needed"),
    (frozenset({"28P01", "28000", 1045}), ("authentication failed", "no password supplied"),
     "the database does not accept this user and password"),
    (frozenset({"42501", 1142, 1143}), (), "this user may not read it; grant SELECT"),
    (frozenset({"3D000", 1044, 1049}), ('database "',),
     "there is no such database, or not for this user"),
    (frozenset({2002, 2003}), ("connection failed", "connection refused", "resolve", "timeout"),
     "the database cannot be reached; check host, port and network"),
    (frozenset({2006, 2013, "57P01"}), ("server closed the connection", "connection is lost"),
     "the connection broke off; take in again"),
    (frozenset(), ("invalid",), "the address of the database is not understood"),
)  # fmt: skip
"""What servers and drivers say, by code (SQLSTATE of PostgreSQL, numbers of MySQL) or in small
letters where a driver keeps no code, and what that means."""


def _refusal(error: psycopg.Error | pymysql.Error) -> str:
    """Say why in our words: a driver's own can quote the address, the password or a row."""
    code = error.sqlstate if isinstance(error, psycopg.Error) else next(iter(error.args), None)
    text = str(error).lower()
    for codes, signs, meaning in _REFUSALS:
        if code in codes or (code is None and any(sign in text for sign in signs)):
            return meaning
    return f"the database refused ({type(error).__name__})"


class _Postgres:
    """A table in PostgreSQL, which writes CSV itself."""

    def __init__(self, connection: psycopg.Connection[Any], table: str) -> None:
        self._connection = connection
        self._table = sql.Identifier(*table.split("."))

    def newest_id(self) -> int:
        row = self._connection.execute(self._statement("acc_newest")).fetchone()
        return int(row[0]) if row else 0

    def write_rows(self, handle: IO[bytes], after: int, until: int) -> None:
        copy = sql.SQL("COPY ({}) TO STDOUT WITH (FORMAT csv, HEADER)").format(
            self._statement("acc_rows")
        )
        with self._connection.cursor() as cursor:
            bound = psycopg.ClientCursor(self._connection).mogrify(
                copy, {"after": after, "until": until}
            )
            with cursor.copy(sql.SQL(bound)) as rows:
                for piece in _rows_on_one_line(rows):
                    handle.write(piece)

    def _statement(self, name: str) -> sql.Composed:
        return sql.SQL(_text(name)).format(table=self._table)


class _Mysql:
    """A table in MySQL or MariaDB; every value comes as text."""

    def __init__(self, connection: pymysql.Connection[SSCursor], table: str) -> None:
        self._connection = connection
        self._table = ".".join(f"`{part.replace('`', '``')}`" for part in table.split("."))

    def newest_id(self) -> int:
        with self._connection.cursor() as cursor:
            cursor.execute(self._statement("acc_newest"))
            row = cursor.fetchone()
        return int(row[0]) if row else 0

    def write_rows(self, handle: IO[bytes], after: int, until: int) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(self._statement("acc_rows"), {"after": after, "until": until})
            schema = {str(column[0]): pl.String for column in cursor.description or ()}
            pl.DataFrame(schema=schema).write_csv(handle)
            while rows := cursor.fetchmany(_FETCH_ROWS):
                texts = [[_as_text(value) for value in row] for row in rows]
                frame = pl.DataFrame(texts, schema=schema, orient="row")
                frame = frame.with_columns(
                    pl.all().str.replace_all(r"[\r\n]", " ").str.replace_all("\0", REPLACEMENT)
                )
                frame.write_csv(handle, include_header=False)

    def _statement(self, name: str) -> str:
        return _text(name).replace("{table}", self._table)


def _rows_on_one_line(pieces: Iterable[bytes | bytearray | memoryview]) -> Iterator[bytes]:
    """Write line ends within quotes as blanks: a row of two lines would be two broken ones."""
    within = False
    for piece in pieces:
        parts = bytes(piece).split(b'"')
        for number, part in enumerate(parts):
            if within:
                parts[number] = part.translate(_BLANKS)
            within ^= number < len(parts) - 1
        yield b'"'.join(parts)


_BLANKS = bytes.maketrans(b"\r\n", b"  ")


def _as_text(value: str | bytes | None) -> str | None:
    """Read what a binary column holds as UTF-8; of other bytes it gets U+FFFD."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _text(name: str) -> str:
    """Read a statement without its header."""
    lines = files("cdr").joinpath("sql", f"{name}.sql").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


@contextmanager
def _postgres(url: str, table: str) -> Iterator[_Table]:
    with psycopg.connect(url, connect_timeout=_CONNECT_S, client_encoding="utf8") as connection:
        connection.read_only = True
        connection.execute("SET datestyle TO ISO")
        yield _Postgres(connection, table)


@contextmanager
def _mysql(url: str, table: str) -> Iterator[_Table]:
    parts = urlsplit(url)
    with _understood():
        port = parts.port or 3306
    to_text: dict[Any, Any] = {
        kind: write for kind, write in conversions.items() if not isinstance(kind, int)
    }
    connection = pymysql.connect(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=parts.path.removeprefix("/"),
        charset="utf8mb4",
        connect_timeout=_CONNECT_S,
        conv=to_text,
        cursorclass=SSCursor,
    )
    with connection:
        yield _Mysql(connection, table)


_CONNECT_S = 10  # ours: a database that answers does so at once
_TABLES: dict[str, Callable[[str, str], Any]] = {
    "postgresql": _postgres,
    "postgres": _postgres,
    "mysql": _mysql,
    "mariadb": _mysql,
}
