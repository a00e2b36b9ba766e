"""A table as a session may see it: some rows are not there, some columns are pseudonyms.

It is an Arrow dataset, so DuckDB asks it for the columns and rows a statement needs. A
statement that names no shielded column pays nothing; the raw value of a shielded one never
enters the session, so nothing in the session can bring it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds

from cdr.pseudonyms.keys import Key
from cdr.pseudonyms.values import hosts_hidden, pseudonyms


@dataclass(frozen=True, slots=True)
class Scan:
    """What DuckDB takes for an Arrow scanner, without Arrow's threads.

    Arrow's own scanner reads ahead; where it does so from Python code, a statement with a
    `LIMIT` leaves a thread behind that brings the process down when it ends.
    """

    reader: pa.RecordBatchReader

    def to_reader(self) -> pa.RecordBatchReader:
        """Return the batches."""
        return self.reader

    def only(self, columns: list[str], rows: ds.Expression) -> Scan:
        """Return some columns of the rows that a condition holds for."""
        schema = pa.schema([self.reader.schema.field(name) for name in columns])
        chosen = (
            part
            for batch in self.reader
            for part in pa.table(batch).filter(rows).select(columns).to_batches()
        )
        return Scan(pa.RecordBatchReader.from_batches(schema, chosen))


class Shielded(ds.Dataset):  # type: ignore[misc]  # Arrow ships no types
    """Rows of a dataset with pseudonyms in some columns.

    Parameters
    ----------
    inner : pyarrow.dataset.Dataset
        What stands behind it.
    columns : frozenset of str
        Columns of text, or of lists of text, that show pseudonyms.
    hosts : frozenset of str
        Columns of identifiers in which only the host behind an `@` does.
    key : Key
        Makes them.
    rows : pyarrow.dataset.Expression, optional
        Which rows are there; None for all.
    """

    def __init__(
        self,
        inner: ds.Dataset,
        *,
        columns: frozenset[str],
        key: Key,
        hosts: frozenset[str] = frozenset(),
        rows: ds.Expression | None = None,
    ) -> None:
        self._inner, self._rows = inner, rows
        self._shown_by = {
            **{name: partial(hosts_hidden, key=key) for name in hosts},
            **{name: partial(pseudonyms, key=key) for name in columns},
        }

    @property
    def schema(self) -> pa.Schema:
        """Names and types, the same as behind it."""
        return self._inner.schema

    def scanner(
        self,
        columns: list[str] | None = None,
        filter: ds.Expression | None = None,
        **options: Any,
    ) -> ds.Scanner | Scan:
        """Return a scan of some columns and rows; DuckDB calls it for each statement."""
        wanted = list(columns) if columns is not None else self.schema.names
        asked = [] if filter is None else _asked_about(filter, self.schema)
        if filter is None or not self._shown_by.keys() & set(asked):
            rows = _both(self._rows, filter)
            scan = self._inner.scanner(columns=wanted, filter=rows, **options)
            return self._shown(scan) if self._shown_by.keys() & set(wanted) else scan
        # which pseudonym a row has is known only once it was made; days can still be left out
        days = ds.FileSystemDataset(
            list(self._inner.get_fragments(filter=filter)), self.schema, self._inner.format
        )
        read = list(dict.fromkeys([*wanted, *asked]))
        return self._shown(days.scanner(columns=read, filter=self._rows, **options)).only(
            wanted, filter
        )

    def _shown(self, scan: ds.Scanner) -> Scan:
        return Scan(pa.RecordBatchReader.from_batches(scan.projected_schema, self._batches(scan)))

    def _batches(self, scan: ds.Scanner) -> Iterator[pa.RecordBatch]:
        for batch in scan.to_batches():
            yield pa.RecordBatch.from_arrays(
                [
                    _replaced(column, self._shown_by[field.name])
                    if field.name in self._shown_by
                    else column
                    for field, column in zip(batch.schema, batch.columns, strict=True)
                ],
                schema=batch.schema,
            )


def _replaced(column: pa.Array, shown: Callable[[pl.Series], pl.Series]) -> pa.Array:
    """Replace each distinct text once, within lists too."""
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        texts = _replaced(column.values, shown)
        return type(column).from_arrays(
            column.offsets, texts, type=column.type, mask=column.is_null()
        )
    found = column.dictionary_encode()
    made = shown(pl.Series(found.dictionary, dtype=pl.String))
    return made.to_arrow().cast(column.type).take(found.indices)


def _asked_about(rows: ds.Expression, schema: pa.Schema) -> list[str]:
    """Return the columns that a condition needs: without one of them it does not bind."""
    return [f.name for f in schema if not _binds(rows, pa.schema([g for g in schema if g != f]))]


def _binds(rows: ds.Expression, schema: pa.Schema) -> bool:
    try:
        ds.Scanner.from_batches(schema.empty_table().to_reader(), filter=rows)
    except pa.ArrowInvalid:
        return False
    return True


def _both(one: ds.Expression | None, other: ds.Expression | None) -> ds.Expression | None:
    if one is None or other is None:
        return one if other is None else other
    return one & other
