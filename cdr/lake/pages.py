"""The bytes of a Parquet file's columns of text, page by page and unpacked, but not decoded.

A search of every byte need not make rows of them: unpacking is a tenth of the work. A value stands
in a page as it is, behind its length in four bytes (little-endian). Format:
https://parquet.apache.org/docs/file-format/
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
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
class Text:
    """The text of one row group: its pages, each with its column, outermost where it is nested.

    ``unread`` are columns whose values do not stand in pages as they are; they have to be read.
    """

    group: int
    pages: list[tuple[str, bytes]]
    unread: frozenset[str]


def texts_of(content: pa.Buffer, columns: Collection[str] | None = None) -> Iterator[Text]:
    """Give the text of each row group of a file, in their order; of some columns, or of all."""
    metadata = pq.read_metadata(pa.BufferReader(content))
    schema = metadata.schema
    places = [
        n
        for n in range(len(schema))
        if schema.column(n).logical_type.type == "STRING"
        and (columns is None or _outermost(schema.column(n).path) in columns)
    ]
    for group in range(metadata.num_row_groups):
        of_group = metadata.row_group(group)
        pages, unread = [], set()
        for chunk in (of_group.column(place) for place in places):
            name = _outermost(chunk.path_in_schema)
            if AS_THEY_ARE.issuperset(chunk.encodings):
                pages += [(name, page) for page in _unpacked(content, chunk)]
            else:
                unread.add(name)
        yield Text(group, pages, frozenset(unread))


def _outermost(path: str) -> str:
    return path.partition(".")[0]


def _unpacked(content: pa.Buffer, chunk: Any) -> Iterator[bytes]:
    at = chunk.dictionary_page_offset or chunk.data_page_offset
    end = at + chunk.total_compressed_size
    packed = chunk.compression != "UNCOMPRESSED"
    codec = pa.Codec(chunk.compression.lower()) if packed else None
    with memoryview(content).cast("B") as octets:
        while at < end:
            fields, at = read_struct(octets, at)
            header = {number: value for number, (_, value) in fields.items()}
            size, whole = header[3], header[2]
            body, at = content.slice(at, size), at + size
            first = _encoding(header[5], 2) if 5 in header else None
            second = header.get(8) if header[1] == _DATA_PAGE_2 else None
            if first in _BY_INDEX or (second and _encoding(second, 4) in _BY_INDEX):
                continue
            levels = 0 if second is None else second[5][1] + second[6][1]
            rest = body.slice(levels)
            if codec is None or (second is not None and not second.get(7, (1, True))[1]):
                yield rest.to_pybytes()
            else:
                yield codec.decompress(rest, whole - levels, asbytes=True)


def _encoding(header: Any, number: int) -> int:
    encoding: int = header[number][1]
    return encoding
