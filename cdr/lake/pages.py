"""The bytes of a Parquet file's columns of text, page by page and unpacked, but not decoded.

A search of every byte need not make rows of them: unpacking is a tenth of the work. A value stands
in a page as it is, behind its length in four bytes (little-endian). Format:
https://parquet.apache.org/docs/file-format/
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cdr.lake.thrift import read_struct

AS_THEY_ARE = frozenset({"PLAIN", "RLE", "RLE_DICTIONARY", "PLAIN_DICTIONARY", "BIT_PACKED"})
"""Encodings in which values, or those of the dictionary, stand as they are."""

_DATA_PAGE_2 = 3
_BY_INDEX = frozenset({2, 8})
"""Encodings of a page that holds places in the dictionary, and no text."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of text.

    Parameters
    ----------
    group : int
        The row group that it is in, from 0.
    column : str
        Of which column, outermost where it is nested.
    octets : Buffer or None
        Unpacked; None stands for a whole column of the group whose values do not stand in pages as
        they are: it has to be read.
    """

    group: int
    column: str
    octets: pa.Buffer | None


def pages_of(content: pa.Buffer, columns: Collection[str] | None = None) -> Iterator[Page]:
    """Give the pages of a file that hold text, row group by row group; of some columns, or of all.

    Where a column has a dictionary, the text is in the dictionary's page, and the others are left
    out; so are empty ones.
    """
    metadata = pq.read_metadata(pa.BufferReader(content))
    schema = metadata.schema
    of_text = [
        (place, column.path.partition(".")[0])
        for place, column in enumerate(map(schema.column, range(len(schema))))
        if column.logical_type.type == "STRING"
    ]
    with memoryview(content).cast("B") as octets:
        for group in range(metadata.num_row_groups):
            of_group = metadata.row_group(group)
            for place, name in of_text:
                if columns is not None and name not in columns:
                    continue
                chunk = of_group.column(place)
                if AS_THEY_ARE.issuperset(chunk.encodings):
                    for page in _unpacked(content, octets, chunk):
                        yield Page(group, name, page)
                else:
                    yield Page(group, name, None)


def _unpacked(content: pa.Buffer, octets: memoryview, chunk: Any) -> Iterator[pa.Buffer]:
    at = chunk.dictionary_page_offset or chunk.data_page_offset
    end = at + chunk.total_compressed_size
    codec = _codec(chunk.compression)
    while at < end:
        fields, at = read_struct(octets, at)
        header = {number: value for number, (_, value) in fields.items()}
        size, whole = header[3], header[2]
        body, at = at, at + size
        first = _encoding(header[5], 2) if 5 in header else None
        second = header.get(8) if header[1] == _DATA_PAGE_2 else None
        if first in _BY_INDEX or (second and _encoding(second, 4) in _BY_INDEX):
            continue
        levels = 0 if second is None else second[5][1] + second[6][1]
        if whole == levels:
            continue
        rest = content.slice(body + levels, size - levels)
        if codec is None or (second is not None and not second.get(7, (1, True))[1]):
            yield rest
        else:
            yield codec.decompress(rest, whole - levels)


@cache
def _codec(name: str) -> pa.Codec | None:
    return None if name == "UNCOMPRESSED" else pa.Codec(name.lower())


def _encoding(header: Any, number: int) -> int:
    encoding: int = header[number][1]
    return encoding
