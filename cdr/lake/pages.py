"""The bytes of a Parquet file's columns of text, page by page and unpacked, but not decoded.

A search of every byte need not make rows of them: unpacking is a tenth of the work. A value stands
in a page as it is, behind its length in four bytes (little-endian). Format:
https://parquet.apache.org/docs/file-format/ and the Thrift compact protocol of page headers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

AS_THEY_ARE = frozenset({"PLAIN", "RLE", "RLE_DICTIONARY", "PLAIN_DICTIONARY", "BIT_PACKED"})
"""Encodings in which values, or those of the dictionary, stand as they are."""

_DATA_PAGE_2 = 3
_BY_INDEX = frozenset({2, 8})
"""Encodings of a page that holds places in the dictionary, and no text."""

_VARINT, _DOUBLE, _BINARY, _STRUCT = frozenset({3, 4, 5, 6}), 7, 8, 12


def pages_of(content: pa.Buffer) -> Iterator[tuple[str, pa.Buffer | None]]:
    """Give each page that holds text, with the column's name, outermost where it is nested.

    None in place of a page where a column's values do not stand in it as they are; then the column
    has to be read.
    """
    metadata = pq.ParquetFile(pa.BufferReader(content)).metadata
    for group in range(metadata.num_row_groups):
        of_group = metadata.row_group(group)
        for place in range(of_group.num_columns):
            chunk = of_group.column(place)
            if metadata.schema.column(place).logical_type.type != "STRING":
                continue
            name = chunk.path_in_schema.partition(".")[0]
            if not AS_THEY_ARE.issuperset(chunk.encodings):
                yield name, None
                continue
            for page in _unpacked(content, chunk):
                yield name, page


def _unpacked(content: pa.Buffer, chunk: Any) -> Iterator[pa.Buffer]:
    at = chunk.dictionary_page_offset or chunk.data_page_offset
    end = at + chunk.total_compressed_size
    packed = chunk.compression != "UNCOMPRESSED"
    codec = pa.Codec(chunk.compression.lower()) if packed else None
    with memoryview(content).cast("B") as octets:
        while at < end:
            header, at = _struct(octets, at)
            size, whole = header[3], header[2]
            body, at = content.slice(at, size), at + size
            second = header.get(8) if header[1] == _DATA_PAGE_2 else None
            if (5 in header and header[5][2] in _BY_INDEX) or (second and second[4] in _BY_INDEX):
                continue
            levels = 0 if second is None else second[5] + second[6]
            if codec is None or (second is not None and not second.get(7, True)):
                yield body
            else:
                rest = body.slice(levels)
                yield codec.decompress(rest, whole - levels)


def _struct(octets: memoryview, at: int) -> tuple[dict[int, Any], int]:
    """Read a struct of the compact protocol: fields by number; returns where it ends."""
    fields: dict[int, Any] = {}
    number = 0
    while octets[at]:
        kind, step = octets[at] & 15, octets[at] >> 4
        at += 1
        if step:
            number += step
        else:
            number, at = _signed(octets, at)
        if kind in (1, 2):  # a truth value stands in the kind itself
            fields[number] = kind == 1
        else:
            fields[number], at = _value(octets, at, kind)
    return fields, at + 1


def _value(octets: memoryview, at: int, kind: int) -> tuple[Any, int]:
    if kind in _VARINT:
        return _signed(octets, at)
    if kind == _BINARY:
        size, at = _unsigned(octets, at)
        return None, at + size
    if kind == _STRUCT:
        return _struct(octets, at)
    if kind == _DOUBLE:
        return None, at + 8
    raise ValueError("a page header has a field of a kind that the format does not name")


def _signed(octets: memoryview, at: int) -> tuple[int, int]:
    value, at = _unsigned(octets, at)
    return (value >> 1) ^ -(value & 1), at


def _unsigned(octets: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet = octets[at]
        at += 1
        value |= (octet & 127) << shift
        if octet < 128:
            return value, at
        shift += 7
