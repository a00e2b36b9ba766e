"""The one door through which DuckDB statements run, and what a purpose may see.

`duckdb` is imported in `cdr` only. A session is safe by construction: it holds
registered datasets with the purpose's columns and nothing else, files are out
of reach and the configuration is locked.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
from duckdb.func import PythonUDFType

from cdr.errors import QueryFailed, WrongUse, storage_fault
from cdr.schema import TABLES, Purpose
from cdr.settings import StoreSettings

Connection = duckdb.DuckDBPyConnection

_TOO_LARGE = (
    "it needs more memory and disk than store.memory_limit_mb and store.spill_limit_mb allow"
)

READING = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})
"""Kinds of statement that a person may ask."""

TextFunction = Callable[[pa.ChunkedArray], pa.Array]
"""Texts to as many texts, as DuckDB passes them."""


@dataclass(frozen=True, slots=True)
class Query:
    """A statement and the values bound to it; values never enter the text."""

    name: str
    sql: str
    params: Mapping[str, object] = field(default_factory=dict, repr=False)

    @classmethod
    def from_file(cls, package: str, name: str, /, **params: object) -> Query:
        """Read ``<name>.sql`` from a package."""
        return cls(name, files(package).joinpath(f"{name}.sql").read_text("utf-8"), params)


def session(
    views: Mapping[str, object],
    *,
    store: StoreSettings,
    spill: Path | None = None,
    time_limit_s: int = 0,
    functions: Mapping[str, TextFunction] | None = None,
) -> Connection:
    """Open a DuckDB session that sees ``views`` and nothing else.

    Parameters
    ----------
    views : mapping of str to Arrow dataset or table
        What it may read, by name.
    store : StoreSettings
        Memory, threads and disk it may use.
    spill : Path, optional
        Folder in which it makes one of its own for what does not fit into memory, and removes
        it when it is closed. None forbids spilling.
    time_limit_s : int, default=0
        Seconds a statement may take; 0 for any time.
    functions : mapping of str to TextFunction, optional
        Functions of one text that it has beside DuckDB's own.
    """
    con = duckdb.connect(
        config={
            "memory_limit": f"{store.memory_limit_mb}MB",
            "threads": store.threads,
            "temp_directory": str(spill / f"session-{uuid.uuid4().hex}") if spill else "",
            "max_temp_directory_size": f"{store.spill_limit_mb}MB",
            "max_execution_time": time_limit_s * 1000,
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "allow_persistent_secrets": False,
        }
    )
    con.execute("SET TimeZone = 'UTC'")
    _draw_no_progress(con)
    for name, content in views.items():
        con.register(name, content)
    for name, function in (functions or {}).items():
        con.create_function(name, function, ["VARCHAR"], "VARCHAR", type=PythonUDFType.ARROW)
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con


def _draw_no_progress(con: Connection) -> None:
    """Switch off the bar that would be drawn on stdout, where results go.

    In a notebook without ipywidgets it is off and must not be touched: DuckDB refuses.
    """
    ((on,),) = con.sql("SELECT current_setting('enable_progress_bar')").fetchall()
    if on:
        con.execute("SET enable_progress_bar = false")


def run(con: Connection, query: Query) -> pl.DataFrame:
    """Run ``query`` and fetch all of it.

    Raises
    ------
    QueryFailed
        If DuckDB refuses.
    """
    try:
        result: pl.DataFrame = con.sql(query.sql, params=dict(query.params) or None).pl()
    except duckdb.Error as error:
        raise QueryFailed(query.name, _kind(error)) from None
    return result


def hold(con: Connection, query: Query) -> None:
    """Run ``query`` and hold its rows in the session, as a table of its name, for others to read.

    Raises
    ------
    QueryFailed
        If DuckDB refuses.
    """
    try:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {query.name} AS {query.sql}", dict(query.params))
    except duckdb.Error as error:
        raise QueryFailed(query.name, _kind(error)) from None


def forget(con: Connection, names: Iterable[str]) -> None:
    """Drop tables that :func:`hold` made, and frames registered; those that are not there too."""
    for name in names:
        con.unregister(name)
        con.execute(f"DROP TABLE IF EXISTS {name}")


def ask(con: Connection, sql: str, *, limit: int) -> pl.DataFrame:
    """Run one reading statement that a person wrote, up to ``limit`` rows.

    Parameters
    ----------
    con : Connection
        A session of :func:`session`: what it cannot see cannot be asked for.
    sql : str
        One ``SELECT`` (or ``FROM``, ``WITH``, ``DESCRIBE``, ``SUMMARIZE``).
    limit : int
        Rows to return at most.

    Raises
    ------
    WrongUse
        If it is not one reading statement, is not SQL, or names what is no table or column of
        the purpose.
    QueryFailed
        If DuckDB refuses it for another reason.
    """
    try:
        statements = con.extract_statements(sql)
        kinds = [statement.type for statement in statements]
    except duckdb.Error as error:
        raise WrongUse(f"that is not SQL: {_kind(error)}") from None
    except ValueError:  # a kind that DuckDB's Python package has no name for, or no Unicode
        kinds = []
    if len(kinds) != 1 or kinds[0] not in READING:
        raise WrongUse("one reading statement at a time: SELECT, FROM, WITH, DESCRIBE or EXPLAIN")
    try:
        found = frame_of(con.sql(statements[0].query).limit(limit))
    except duckdb.InterruptException:
        raise QueryFailed("yours", "it took longer than store.query_s allows") from None
    except duckdb.PermissionException:
        raise WrongUse(
            "a session reads the tables of its purpose and nothing else: no file, no address, no "
            "extension, no setting"
        ) from None
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise WrongUse(_no_table(con, str(error)) or _kind(error)) from None
    except duckdb.OutOfMemoryException:
        raise QueryFailed("yours", f"{_TOO_LARGE}; ask for fewer days or columns") from None
    except duckdb.Error as error:
        raise QueryFailed("yours", _kind(error)) from None
    return found


def frame_of(relation: duckdb.DuckDBPyRelation) -> pl.DataFrame:
    """Fetch all rows; what Polars has no type for, such as an interval, becomes text."""
    foreign = [
        name.replace('"', '""')
        for name, kind in zip(relation.columns, relation.types, strict=True)
        if "INTERVAL" in str(kind) or "UNION" in str(kind)
    ]
    if foreign:
        texts = ", ".join(f'CAST("{name}" AS VARCHAR) AS "{name}"' for name in foreign)
        relation = relation.select(duckdb.SQLExpression(f"* REPLACE ({texts})"))
    found: pl.DataFrame = relation.pl()
    return found


def empty_view(schema: pl.Schema, columns: tuple[str, ...]) -> pa.Table:
    """Return no rows with the named columns, as Arrow."""
    return pl.DataFrame(schema={name: schema[name] for name in columns}).to_arrow()


def _no_table(con: Connection, message: str) -> str | None:
    """Say which tables a session has, where DuckDB says that it lacks one; else None."""
    asked = re.match(r"Catalog Error: Table with name (.+?) does not exist", message)
    if asked is None:
        return None
    there = sorted(name for (name,) in con.sql("SHOW TABLES").fetchall())
    known = TABLES.get(asked[1])
    purposes = [one.value for one in Purpose if known is not None and known.columns_of(one)]
    why = f"; {asked[1]} is for {' and '.join(purposes)}" if purposes else ""
    return f"no such table in this session, and no file is read: it has {', '.join(there)}{why}"


def _kind(error: duckdb.Error) -> str:
    """Say what kind of fault it was; names of columns and tables, never a value.

    DuckDB's messages on unknown names quote names of ours and of the query, which
    is what an analyst needs; others can quote data.
    """
    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        first, *more = str(error).splitlines()
        hints = [line for line in more[:1] if line.startswith(("Did you mean", "Candidate bind"))]
        said = " ".join([first, *hints])
        return said if not any(c.isdigit() for c in first) else type(error).__name__
    if (fault := storage_fault(error)) is not None:
        return fault
    if isinstance(error, duckdb.OutOfMemoryException):
        return f"{_TOO_LARGE}; allow more in callsieve.toml"
    return type(error).__name__
