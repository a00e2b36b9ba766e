"""Rows as the bytes of a Parquet file: as one that is soon rewritten, or as one that is to last.

No footer holds a smallest or largest value of a column that points to a person by itself:
those of files that are soon rewritten hold none at all.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from functools import cache

import polars as pl
import pyarrow.parquet as pq

from cdr.schema import CODES, Personal, Table

ROW_GROUP_ROWS = 122_880
"""DuckDB's own row-group size: a scan skips at the same grain whoever wrote."""

LASTING_ROW_GROUP_ROWS = 8_192
"""Of files that are asked for one account again and again: a look at 30 days of one among 100,000
accounts takes a seventh of the processor time that larger groups do. Reading everything takes what
it did, and files are no larger."""

_PACKED_AT_ONCE = 16 * LASTING_ROW_GROUP_ROWS
"""Rows that are handed to the encoder at a time, in whole row groups: it copies them."""

_FAST_ZSTD_LEVEL = 1
"""Ours: files that are rewritten within days; a third less time than level 3, 3 % larger."""

_LOOKED_AT = 4096
"""Rows by which it is judged whether the values of a column repeat. Ours: a few accounts' day."""


def packed(table: Table, frame: pl.DataFrame, *, lasting: bool) -> memoryview:
    """Return rows of a table, without the columns of its partition, as the bytes of a file."""
    if lasting:
        parts = frame.iter_slices(_PACKED_AT_ONCE) if frame.height else iter([frame])
        return packed_to_last(table, parts, repeated(frame))
    content = io.BytesIO()  # so that a full disk is the system's error, not the encoder's
    frame.write_parquet(
        content,
        compression="zstd",
        compression_level=_FAST_ZSTD_LEVEL,
        row_group_size=ROW_GROUP_ROWS,
        statistics=False,
        metadata={"ARROW:schema": _said_schema(tuple(frame.schema.items()))},
    )
    return content.getbuffer()


def packed_to_last(
    table: Table, parts: Iterable[pl.DataFrame], dictionaries: list[str]
) -> memoryview:
    """Return rows as the bytes of a lasting file; only one part of them is copied at a time.

    Parameters
    ----------
    table : Table
        Whose rows they are.
    parts : iterable of DataFrame
        Without the columns of the partition.
    dictionaries : list of str
        Columns whose values repeat; see `repeated`.
    """
    content = io.BytesIO()
    writer: pq.ParquetWriter | None = None
    for part in parts:
        rows = part.cast({CODES: pl.String}).to_arrow(compat_level=pl.CompatLevel.oldest())
        if writer is None:
            writer = pq.ParquetWriter(
                content,
                rows.schema,
                compression="zstd",
                use_dictionary=dictionaries,
                write_statistics=[
                    field.name
                    for field in table.fields
                    if field.personal is not Personal.DIRECT and field.name in part.columns
                ],
            )
        writer.write_table(rows, row_group_size=LASTING_ROW_GROUP_ROWS)
    if writer is not None:
        writer.close()
    return content.getbuffer()


@cache
def _said_schema(columns: tuple[tuple[str, pl.DataType], ...]) -> str:
    """Write down a schema as the writer does, with texts where there are codes.

    A reader then sees text, and not what the values were called in this process.
    """
    plain = pl.DataFrame(schema={n: pl.String() if t == CODES else t for n, t in columns})
    arrow = plain.to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    return base64.b64encode(arrow.serialize()).decode()


def repeated(frame: pl.DataFrame) -> list[str]:
    """Name the columns worth a dictionary, judged by rows in the middle.

    One of values that do not repeat is begun, given up and written twice: that takes longer than
    all the rest, and the file is larger.
    """
    some = frame.slice(frame.height // 2, _LOOKED_AT)
    return [
        f"{name}.list.element" if dtype.is_nested() else name
        for name, dtype in frame.schema.items()
        if dtype.is_nested() or some[name].n_unique() <= some.height // 2
    ]
