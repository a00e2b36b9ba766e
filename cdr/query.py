"""The one door through which DuckDB statements run, and what a purpose may see.

`duckdb` is imported in `cdr` only. A session is safe by construction: it holds
registered datasets with the purpose's columns and nothing else, files are out
of reach and the configuration is locked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from cdr.errors import QueryFailed, WrongUse
from cdr.settings import StoreSettings

Connection = duckdb.DuckDBPyConnection


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
    views: Mapping[str, object], *, store: StoreSettings, spill: Path | None = None
) -> Connection:
    """Open a DuckDB session that sees ``views`` and nothing else.

    Parameters
    ----------
    views : mapping of str to Arrow dataset or table
        What it may read, by name.
    store : StoreSettings
        Memory and threads it may use.
    spill : Path, optional
        Folder for what does not fit into memory. None forbids spilling.
    """
    con = duckdb.connect(
        config={
            "memory_limit": f"{store.memory_limit_mb}MB",
            "threads": store.threads,
            "temp_directory": str(spill) if spill else "",
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET enable_progress_bar = false")  # would be drawn on stdout, where results go
    for name, content in views.items():
        con.register(name, content)
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con


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
        If it is not one reading statement, or is not SQL.
    QueryFailed
        If DuckDB refuses it for another reason.
    """
    try:
        statements = con.extract_statements(sql)
    except duckdb.Error as error:
        raise WrongUse(f"that is not SQL: {_kind(error)}") from None
    reading = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
    if len(statements) != 1 or statements[0].type not in reading:
        raise WrongUse("one reading statement at a time: SELECT, FROM, WITH, DESCRIBE or EXPLAIN")
    try:
        relation = con.sql(statements[0].query)
        found: pl.DataFrame = relation.limit(limit).pl()
    except duckdb.Error as error:
        raise QueryFailed("yours", _kind(error)) from None
    return found


def empty_view(schema: pl.Schema, columns: tuple[str, ...]) -> pa.Table:
    """Return no rows with the named columns, as Arrow."""
    return pl.DataFrame(schema={name: schema[name] for name in columns}).to_arrow()


def _kind(error: duckdb.Error) -> str:
    """Say what kind of fault it was; names of columns and tables, never a value.

    DuckDB's messages on unknown names quote names of ours and of the query, which
    is what an analyst needs; others can quote data.
    """
    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        first = str(error).splitlines()[0]
        return first if not any(c.isdigit() for c in first) else type(error).__name__
    return type(error).__name__
