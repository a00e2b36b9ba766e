"""The Thrift compact protocol, as far as Parquet uses it: footers and page headers.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md. What is read and
written again gives the same bytes, also of fields that later versions of the format add.
"""

from __future__ import annotations

from typing import Any

Struct = dict[int, tuple[int, Any]]
"""Fields by number, each its kind and its value: int, bytes, `Struct`, or of a list the kind of
its elements and them."""

_TRUE, _FALSE, _OCTET, _DOUBLE, _BINARY, _LIST, _SET, STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_VARINTS = frozenset({4, 5, 6})


def read_struct(octets: memoryview, at: int = 0) -> tuple[Struct, int]:
    """Read a struct; returns where it ends too.

    Raises
    ------
    ValueError
        If it has a kind of field that Parquet does not use.
    """
    fields: Struct = {}
    number = 0
    while head := octets[at]:
        kind, step = head & 15, head >> 4
        at += 1
        if step:
            number += step
        else:
            number, at = _signed(octets, at)
        if kind <= _FALSE:  # a truth value stands in the kind itself
            fields[number] = kind, kind == _TRUE
        elif kind in _VARINTS and (octet := octets[at]) < 128:  # what most are
            fields[number] = kind, (octet >> 1) ^ -(octet & 1)
            at += 1
        else:
            value, at = _read(octets, at, kind)
            fields[number] = kind, value
    return fields, at + 1


def _read(octets: memoryview, at: int, kind: int) -> tuple[Any, int]:
    if kind in _VARINTS:
        return _signed(octets, at)
    if kind == _BINARY:
        size, at = _unsigned(octets, at)
        return bytes(octets[at : at + size]), at + size
    if kind == STRUCT:
        return read_struct(octets, at)
    if kind in (_LIST, _SET):
        of_kind, size = octets[at] & 15, octets[at] >> 4
        at += 1
        if size == 15:
            size, at = _unsigned(octets, at)
        values = []
        for _ in range(size):
            value, at = _read(octets, at, of_kind)
            values.append(value)
        return (of_kind, values), at
    if kind in (_TRUE, _FALSE, _OCTET):  # in a list
        return octets[at], at + 1
    if kind == _DOUBLE:
        return bytes(octets[at : at + 8]), at + 8
    raise ValueError("a field of a kind that Parquet does not use")


def written(fields: Struct) -> bytes:
    """Return the bytes of a struct."""
    out = bytearray()
    _write_struct(out, fields)
    return bytes(out)


def _write_struct(out: bytearray, fields: Struct) -> None:
    before = 0
    for number, (kind, value) in sorted(fields.items()):
        if 0 < number - before < 16:
            out.append((number - before) << 4 | kind)
        else:
            out.append(kind)
            _write_unsigned(out, _zigzag(number))
        before = number
        if kind in _VARINTS and 0 <= value < 64:  # what most are
            out.append(value << 1)
        elif kind > _FALSE:
            _write(out, kind, value)
    out.append(0)


def _write(out: bytearray, kind: int, value: Any) -> None:
    if kind in _VARINTS:
        _write_unsigned(out, _zigzag(value))
    elif kind == _BINARY:
        _write_unsigned(out, len(value))
        out += value
    elif kind == STRUCT:
        _write_struct(out, value)
    elif kind in (_LIST, _SET):
        of_kind, values = value
        out.append(min(len(values), 15) << 4 | of_kind)
        if len(values) >= 15:
            _write_unsigned(out, len(values))
        for one in values:
            _write(out, of_kind, one)
    elif kind == _DOUBLE:
        out += value
    else:
        out.append(value)


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


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _write_unsigned(out: bytearray, value: int) -> None:
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
