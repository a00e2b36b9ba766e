"""The session that a person gets: DuckDB's, with each statement recorded and its rows counted.

What DuckDB itself forbids in it is in `query.session`. Here is what DuckDB cannot do: write down
what is asked before it is, and refuse to hand over more rows than the settings allow. Who runs
Python as the owner of the home can read its files without any session: `docs/security.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import polars as pl
import pyarrow as pa
from duckdb import DuckDBPyRelation

from cdr import query
from cdr.errors import QueryFailed, WrongUse, storage

Params = Mapping[str, object] | Sequence[object] | None
Note = Callable[[str], None]
"""Writes down a statement."""

Rows = TypeVar("Rows")

_reading = storage("reading the lake")
"""Around what reads rows: says in words that a data file is damaged, as every command does."""

_TELLING = frozenset(
    {"alias", "columns", "description", "dtypes", "explain", "sql_query", "type", "types"}
)
"""What a relation tells of itself without rows."""

_DERIVING = frozenset(
    {
        "aggregate", "any_value", "arg_max", "arg_min", "avg", "bool_and", "bool_or", "count",
        "cross", "cume_dist", "dense_rank", "describe", "distinct", "except_", "favg", "filter",
        "first", "first_value", "fsum", "geomean", "group_by", "head", "histogram", "intersect",
        "join", "lag", "last", "last_value", "lead", "limit", "list", "max", "mean", "median",
        "min", "mode", "n_tile", "nth_value", "offset", "order", "percent_rank", "pivot",
        "product", "project", "quantile", "quantile_cont", "quantile_disc", "rank", "rank_dense",
        "rename", "row_number", "sample", "select", "select_dtypes", "select_types", "set_alias",
        "sort", "std", "stddev", "stddev_pop", "stddev_samp", "string_agg", "sum", "union",
        "union_by_name", "unique", "unnest", "unpivot", "value_counts", "var", "var_pop",
        "var_samp", "variance", "with_columns",
    }
)  # fmt: skip
"""Its methods that make another one, and hand nothing over themselves."""


class Result:
    """What a statement gives, read when it is asked for; see `Session.sql`.

    It has the methods of a DuckDB relation that make another one, such as `filter`, `aggregate`
    or `order`; rows come from `pl`, `df`, `fetchall`, `to_dicts`, `to_arrow_table` and `show`.
    """

    def __init__(self, relation: DuckDBPyRelation, *, limit: int, note: Note, noted: bool) -> None:
        self._relation = relation
        self._limit = limit
        self._note = note
        self._noted = noted

    @_reading
    def pl(self) -> pl.DataFrame:
        """Return the rows as Polars has them; an interval, of which it has no type, as text.

        Raises
        ------
        QueryFailed
            If there are more than `store.query_rows`; so in all that follow.
        """
        frame = query.frame_of(self._bounded())
        return self._within(frame, frame.height)

    @_reading
    def df(self) -> Any:
        """Return the rows as pandas has them, where that is installed."""
        frame = self._bounded().df()
        return self._within(frame, len(frame))

    fetchdf = to_df = df

    @_reading
    def fetchnumpy(self) -> dict[str, Any]:
        """Return the rows as NumPy arrays by the names of their columns."""
        columns: dict[str, Any] = self._bounded().fetchnumpy()
        return self._within(columns, max(map(len, columns.values()), default=0))

    @_reading
    def to_arrow_table(self) -> pa.Table:
        """Return the rows as Arrow has them."""
        table: pa.Table = self._bounded().to_arrow_table()
        return self._within(table, table.num_rows)

    def to_arrow_reader(self, batch_size: int = 1_000_000) -> pa.RecordBatchReader:
        """Return the rows as Arrow batches of at most ``batch_size``."""
        return self.to_arrow_table().to_reader(max_chunksize=batch_size)

    arrow = to_arrow_reader

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.to_arrow_table().__arrow_c_stream__(requested_schema)

    @_reading
    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows as tuples."""
        rows: list[tuple[Any, ...]] = self._bounded().fetchall()
        return self._within(rows, len(rows))

    def iter_rows(self) -> Iterator[tuple[Any, ...]]:
        """Give the rows one by one."""
        return iter(self.fetchall())

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return the rows by the names of their columns."""
        return self.pl().to_dicts()

    @_reading
    def show(self) -> None:
        """Print the first rows."""
        self._write_down()
        self._relation.show()

    @_reading
    def __repr__(self) -> str:
        self._write_down()
        return repr(self._relation)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    @_reading
    def shape(self) -> tuple[int, int]:
        """Rows and columns; the rows are counted and not handed over."""
        self._write_down()
        rows, columns = self._relation.shape
        return rows, columns

    def __getattr__(self, name: str) -> Any:
        if name in _TELLING:
            return getattr(self._relation, name)
        if name not in _DERIVING:
            raise AttributeError(_not_here(name))

        def derive(*given: Any, **named: Any) -> Result:
            plain = [one._relation if isinstance(one, Result) else one for one in given]
            other = getattr(self._relation, name)(*plain, **named)
            return Result(other, limit=self._limit, note=self._note, noted=False)

        return derive

    def _bounded(self) -> DuckDBPyRelation:
        self._write_down()
        return self._relation.limit(self._limit + 1)

    def _write_down(self) -> None:
        if not self._noted:
            self._note(self._relation.sql_query())
            self._noted = True

    def _within(self, rows: Rows, count: int) -> Rows:
        _check(count, self._limit)
        return rows


class Session:
    """One purpose's columns and rows, asked in SQL; see `cdr.Lake.connect`.

    Parameters
    ----------
    con : Connection
        From `query.session`.
    limit : int
        Rows that a statement may hand over.
    note : callable
        Writes a statement down, before it runs.
    """

    def __init__(self, con: query.Connection, *, limit: int, note: Note) -> None:
        self._con = con
        self._limit = limit
        self._note = note
        self._given = 0

    def sql(self, text: str, *, params: Params = None) -> Result:
        """Ask a statement; its rows are read when the result is asked for them.

        Parameters
        ----------
        text : str
            SQL, with ``$name`` or ``?`` for values.
        params : mapping or sequence, optional
            The values.

        Raises
        ------
        WrongUse
            If there is no statement in it.
        """
        self._write_down(text, params)
        relation = self._con.sql(text, params=params)
        if relation is None:
            raise WrongUse("there is no statement in that")
        return Result(relation, limit=self._limit, note=self._note, noted=True)

    query = sql

    def table(self, name: str) -> Result:
        """Return a table of the purpose as a whole."""
        relation = self._con.table(name)
        return Result(relation, limit=self._limit, note=self._note, noted=False)

    view = table

    @_reading
    def execute(self, text: str, parameters: Params = None) -> Self:
        """Run a statement; `fetchone`, `fetchmany` and `fetchall` give its rows."""
        self._write_down(text, parameters)
        self._given = 0
        self._con.execute(text, parameters)
        return self

    @_reading
    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """Return the next rows; raises `QueryFailed` when they are more than allowed in all."""
        rows: list[tuple[Any, ...]] = self._con.fetchmany(min(size, self._limit - self._given + 1))
        self._given += len(rows)
        _check(self._given, self._limit)
        return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, or None."""
        return next(iter(self.fetchmany(1)), None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows that are left."""
        rows: list[tuple[Any, ...]] = []
        while fetched := self.fetchmany(self._limit + 1):
            rows += fetched
        return rows

    @_reading
    def df(self) -> Any:
        """Return the rows that are left as pandas has them, where that is installed."""
        frame = self._con.df()
        _check(self._given + len(frame), self._limit)
        return frame

    fetchdf = fetch_df = df

    @_reading
    def fetchnumpy(self) -> dict[str, Any]:
        """Return the rows that are left as NumPy arrays by the names of their columns."""
        columns: dict[str, Any] = self._con.fetchnumpy()
        _check(self._given + max(map(len, columns.values()), default=0), self._limit)
        return columns

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchone, None)

    def ask(self, text: str, *, limit: int) -> pl.DataFrame:
        """Run one reading statement, up to ``limit`` rows; see `query.ask`."""
        self._write_down(text, None)
        return query.ask(self._con, text, limit=limit)

    def register(self, name: str, content: object) -> Self:
        """Let statements read a frame or Arrow table of one's own by a name."""
        self._con.register(name, content)
        return self

    def unregister(self, name: str) -> Self:
        """Take that name away again."""
        self._con.unregister(name)
        return self

    def complete(self) -> Self:
        """Read what was executed to its end and drop the rows, so that another may follow."""
        self._con.complete()
        return self

    def interrupt(self) -> None:
        """Stop the statement that runs."""
        self._con.interrupt()

    def close(self) -> None:
        """Let go of it, and of what it spilled."""
        self._con.close()

    @property
    def description(self) -> Any:
        """Name and type of each column of what was executed."""
        return self._con.description

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(_not_here(name))

    def _write_down(self, text: str, params: Params) -> None:
        self._note(text if not params else f"{text} -- {params!r}")


def _check(count: int, limit: int) -> None:
    if count > limit:
        why = (
            f"it gives more than the {limit} rows of store.query_rows; count, group or ask for less"
        )
        raise QueryFailed("yours", why)


def _not_here(name: str) -> str:
    return (
        f"a session of a purpose has no {name}: ask with sql() or execute(), and take rows with "
        "pl(), df(), fetchall(), to_dicts() or to_arrow_table()"
    )
