"""A Parquet file with other rows in some of its row groups; the others are copied byte for byte.

Taking a few rows out of a file costs what their row groups cost, not what the file does. Only the
footer is put together anew: https://parquet.apache.org/docs/file-format/metadata/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from cdr.lake.packing import packed
from cdr.lake.tables import stat
from cdr.lake.thrift import STRUCT, Struct, read_struct, written
from cdr.schema import Table

MAGIC = b"PAR1"

# fields of the footer, by the numbers that parquet.thrift gives them
_SCHEMA, _ROWS, _GROUPS = 2, 3, 4
_CHUNKS, _ROWS_OF_GROUP, _PLACE_OF_GROUP, _ORDINAL = 1, 3, 5, 7
_PLACE_OF_CHUNK, _METADATA, _INDEXES = 2, 3, (4, 5, 6, 7)
_SIZE, _DATA, _DICTIONARY, _BESIDE = 7, 9, 11, (10, 14, 15)


@dataclass(frozen=True, slots=True)
class Amended:
    """A whole file, how many rows it has, and the ends of the columns that the log measures."""

    content: bytes
    rows: int
    bounds: dict[str, tuple[str, str]]


def rows_of_groups(content: pa.Buffer) -> list[int]:
    """Return how many rows each row group of a file has."""
    metadata = pq.read_metadata(pa.BufferReader(content))
    return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]


def with_groups(
    table: Table, content: pa.Buffer, changed: Mapping[int, pl.DataFrame]
) -> Amended | None:
    """Return a file with other rows in place of some row groups.

    Parameters
    ----------
    table : Table
        Whose file it is.
    content : Buffer
        The file. It is not changed.
    changed : mapping of int to DataFrame
        The rows of row groups, from 0, with the table's columns; a group without rows goes.

    Returns
    -------
    Amended or None
        None where the file was written with other columns than the table has now, or otherwise
        than files are that are to last: then all of it has to be written anew.
    """
    footer = _footer(content)
    parts = bytearray(MAGIC)
    groups: list[Struct] = []
    for number, group in enumerate(footer[_GROUPS][1][1]):
        if number not in changed:
            groups.append(_copied(parts, group, content))
            continue
        rows = changed[number]
        if rows.is_empty():
            continue
        other = pa.py_buffer(packed(table, rows.drop(table.partition_by), lasting=True))
        anew = _footer(other)
        if anew[_SCHEMA] != footer[_SCHEMA]:
            return None
        groups += [_copied(parts, one, other) for one in anew[_GROUPS][1][1]]
    for ordinal, group in enumerate(groups):
        if _ORDINAL in group:
            group[_ORDINAL] = (group[_ORDINAL][0], ordinal)
    rows_left = sum(group[_ROWS_OF_GROUP][1] for group in groups)
    end = written(
        footer
        | {
            _ROWS: (footer[_ROWS][0], rows_left),
            _GROUPS: (footer[_GROUPS][0], (STRUCT, groups)),
        }
    )
    whole = bytes(parts) + end + len(end).to_bytes(4, "little") + MAGIC
    return Amended(whole, rows_left, _bounds(table, whole))


def _bounds(table: Table, content: bytes) -> dict[str, tuple[str, str]]:
    """Return the ends of the columns that the log measures, where every row group tells them."""
    metadata = pq.read_metadata(pa.BufferReader(content))
    places = {metadata.schema.column(n).path: n for n in range(len(metadata.schema))}
    bounds = {}
    for column in table.statistics:
        of_groups = [
            metadata.row_group(group).column(places[column]).statistics
            for group in range(metadata.num_row_groups)
        ]
        told = [one for one in of_groups if one is not None and one.has_min_max]
        if told and len(told) == len(of_groups):
            bounds[column] = stat(min(one.min for one in told)), stat(max(one.max for one in told))
    return bounds


def _footer(content: pa.Buffer) -> Struct:
    with memoryview(content).cast("B") as octets:
        size = int.from_bytes(octets[-8:-4], "little")
        return read_struct(octets[-8 - size : -8])[0]


def _copied(parts: bytearray, group: Struct, content: pa.Buffer) -> Struct:
    """Append the bytes of a row group; returns what the footer says of it at its new place."""
    began = len(parts)
    chunks = [_copied_chunk(parts, chunk, content) for chunk in group[_CHUNKS][1][1]]
    moved = group | {_CHUNKS: (group[_CHUNKS][0], (STRUCT, chunks))}
    if _PLACE_OF_GROUP in group:
        moved[_PLACE_OF_GROUP] = (group[_PLACE_OF_GROUP][0], began)
    return moved


def _copied_chunk(parts: bytearray, chunk: Struct, content: pa.Buffer) -> Struct:
    """Append the pages of one column; indexes that lie beside them are left out."""
    kind, metadata = chunk[_METADATA]
    begins = min(metadata[place][1] for place in (_DICTIONARY, _DATA) if place in metadata)
    by = len(parts) - begins
    parts += content.slice(begins, metadata[_SIZE][1])
    moved: dict[int, tuple[int, Any]] = {
        number: field for number, field in metadata.items() if number not in _BESIDE
    }
    for place in (_DICTIONARY, _DATA):
        if place in moved:
            moved[place] = (moved[place][0], moved[place][1] + by)
    rest = {number: field for number, field in chunk.items() if number not in _INDEXES}
    return rest | {_METADATA: (kind, moved), _PLACE_OF_CHUNK: (chunk[_PLACE_OF_CHUNK][0], 0)}
