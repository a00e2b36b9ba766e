"""Everything that can go wrong in the call store, as one tree.

CdrError
├── WrongUse               a command or function was asked for what it cannot do
│   ├── SettingsError      a setting is missing, unknown or out of range
│   └── UnknownFormat      no reader is registered under that name
├── FormatError            a file is not in the format it claims
├── SourceFailed           a switch's database cannot be reached or refuses
├── SchemaMismatch         a table or file does not have the columns it should
├── LakeTooNew             the lake was written by a newer version
├── LakeBusy               another process is writing
├── StorageFailed          the disk or the object store refused: full, read-only, gone
└── QueryFailed            DuckDB refused a query

A bad *row* is never an exception: it goes to the ``rejects`` table with every
reason. Messages name files, lines, fields, settings and queries, and say what
to do; they never carry a phone number, an address or a name, so they are safe
to log. ``WrongUse`` and what is below it ends a command with exit code 2,
everything else with 3.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from errno import EACCES, EDQUOT, ENOSPC, EPERM, EROFS
from pathlib import Path


class CdrError(Exception):
    """Base of every error this project raises on purpose.

    To do: read the message; it says what.
    """


class WrongUse(CdrError):
    """A command or function was asked for what it cannot do; says what to do instead.

    To do: ask as the message says; `--help` of the command has an example.
    """


class SettingsError(WrongUse):
    """A setting is missing, unknown or out of range; says which, not what it was.

    To do: correct it in `callsieve.toml` or the environment; see settings.md.
    """

    def __init__(self, where: str, wrong: Iterable[str]) -> None:
        self.where, self.wrong = where, tuple(wrong)
        super().__init__(f"{where}: " + "; ".join(self.wrong))


class UnknownFormat(WrongUse):
    """No reader is registered under that name.

    To do: take a name of `callsieve formats`, or let `ingest --format auto` propose one.
    """

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name, self.known = name, tuple(sorted(known))
        near = get_close_matches(name, self.known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        super().__init__(f"unknown format {name!r}; {hint}known are: {', '.join(self.known)}")


class FormatError(CdrError):
    """A file is not in the format it claims; the whole file is left alone.

    To do: compare the file with the format (`callsieve ingest --dry-run`), or have the switch
    export it again; take it in again.
    """

    def __init__(self, file: str, fault: str) -> None:
        self.file, self.fault = file, fault
        super().__init__(f"{file}: {fault}")


class SourceFailed(CdrError):
    """A switch's database cannot be reached or refuses; nothing was taken in from it.

    To do: check address, rights and network of the database that `database_url_env` of the source
    names; take in again.
    """

    def __init__(self, table: str, fault: str) -> None:
        self.table, self.fault = table, fault
        super().__init__(f"table {table}: {fault}")


class SchemaMismatch(CdrError):
    """A table or file does not have the columns it should.

    To do: give the file the columns of tables.md under these names, or map them with `columns`
    of the source.
    """

    def __init__(
        self, table: str, *, missing: Iterable[str] = (), extra: Iterable[str] = ()
    ) -> None:
        self.table, self.missing, self.extra = table, tuple(sorted(missing)), tuple(sorted(extra))
        parts = []
        if self.missing:
            parts.append(f"missing {', '.join(self.missing)}")
        if self.extra:
            parts.append(f"unknown {', '.join(self.extra)}")
        super().__init__(f"{table}: {'; '.join(parts)}")


class LakeTooNew(CdrError):
    """The lake was written by a newer version, which may mean things we do not know.

    To do: install the version that wrote it, or a later one.
    """

    def __init__(self, found: int, known: int) -> None:
        self.found, self.known = found, known
        super().__init__(
            f"the lake has layout {found}, this version knows up to {known}; "
            "install the version that wrote it, or a later one"
        )


class LakeBusy(CdrError):
    """Another process is doing what only one may do at a time.

    To do: wait until the other has ended, then run it again.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"{what} is already running on this home; wait for it to end")


class StorageFailed(CdrError):
    """The disk or the object store refused; what was there before is untouched.

    To do: make room, give rights or bring the store back, as the message says; run it again.
    """

    def __init__(self, doing: str, kind: str, *, outcome: str = "nothing was changed") -> None:
        self.doing, self.kind = doing, kind
        super().__init__(f"{doing}: {kind}; {outcome}. Mend that and run it again")


class QueryFailed(CdrError):
    """DuckDB refused a named query.

    Its own message can quote a value ("could not convert string ..."), so only
    its kind is kept and it is not chained.

    To do: correct the statement; its names are in tables.md. A named query of ours that is
    refused is a fault to report.
    """

    def __init__(self, query: str, kind: str) -> None:
        self.query, self.kind = query, kind
        super().__init__(f"query {query!r}: {kind}")


_DISK_FAULTS = {
    ENOSPC: "the disk is full",
    EDQUOT: "the disk quota is used up",
    EROFS: "the file system is read-only",
    EACCES: "no permission to read or write there",
    EPERM: "no permission to read or write there",
}


_STORE_FAULTS = (
    (("nosuchbucket",), "there is no such bucket in the object store; make it first"),
    (
        ("signaturedoesnotmatch", "invalidaccesskeyid", "accessdenied", "403 forbidden",
         "401 unauthorized", "expiredtoken", "lacked the necessary privileges"),
        "the object store refuses these credentials; see object_store in the settings",
    ),
    (
        ("error sending request", "connection refused", "connection reset", "dns error",
         "operation timed out", "error decoding response body"),
        "the object store cannot be reached; see object_store.endpoint in the settings",
    ),
    (
        ("500 internal server error", "502 bad gateway", "503 service unavailable",
         "504 gateway timeout", "slowdown", "429 too many requests"),
        "the object store fails or is too busy; try again later",
    ),
)  # fmt: skip
"""What clients of object stores say, in small letters, and what that means."""


def storage_fault(error: BaseException) -> str | None:
    """Return what the disk or the object store refused, in words; None for other faults.

    Polars and delta-rs wrap the system's error in their own types and keep only
    its text, so the text is searched where the number is gone. It is never
    repeated: what an object store answers can hold an access key.
    """
    if isinstance(error, OSError) and error.errno in _DISK_FAULTS:
        return _DISK_FAULTS[error.errno]
    text = str(error).lower()
    if _of_a_data_file(error, text):
        return DAMAGED_FILE
    for sign, code in (
        ("no space left on device", ENOSPC),
        ("quota exceeded", EDQUOT),
        ("read-only file system", EROFS),
        ("permission denied", EACCES),
    ):
        if sign in text:
            return _DISK_FAULTS[code]
    for signs, meaning in _STORE_FAULTS:
        if any(sign in text for sign in signs):
            return meaning
    return DAMAGED_FILE if "reading the stream registered as" in text else None


def _of_a_data_file(error: BaseException, text: str) -> bool:
    """Tell whether engines say that a Parquet file cannot be opened or understood."""
    gone = isinstance(error, FileNotFoundError | IsADirectoryError) and ".parquet" in text
    return gone or any(sign in text for sign in _DAMAGED)


DAMAGED_FILE = "a data file is damaged or gone; `callsieve lake verify` names it; restore a copy"

_DAMAGED = (
    "parquet: file out of specification",
    "parquet magic bytes not found",
    "parquet file size is",
    "couldn't deserialize thrift",
    "decompression failed: data corruption",
)
"""What Polars, Arrow and DuckDB say of a Parquet file that is none any more, in small letters.
DuckDB also says `reading the stream registered as` of any other fault that Arrow has with one."""


@contextmanager
def storage(doing: str) -> Iterator[None]:
    """Turn a disk or object store that refuses into :class:`StorageFailed`; let all else pass.

    Parameters
    ----------
    doing : str
        What was tried, for the message: ``"writing the calls of a batch"``.
    """
    try:
        yield
    except CdrError:
        raise
    except Exception as error:
        fault = storage_fault(error)
        if fault is None:
            raise
        raise StorageFailed(doing, fault) from None


def shown(path: Path) -> str:
    r"""Return how a file is named in messages and tables: its last part only, on one line.

    Folders can be named after people and customers; a name that a switch gave
    is what an operator looks for. Bytes of it that are no text are written as `\xff`.
    """
    name = os.fsencode(path.name).decode("utf-8", "backslashreplace")
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in name)
