"""Keys and content hashes: which record is which, stable for as long as data is kept.

XXH3 is defined by its specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md)
and not by a library's version, which Polars' own `hash` is. It is no
cryptographic hash: someone who controls a switch's call ids could make two of
them collide; the later call would then be a correction of the earlier one, with
both kept, as it is for someone who just repeats a call id.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from polars_hash import NonCryptographicHashingNameSpace

SEPARATOR = "\x1f"
"""ASCII unit separator: does not occur in switch files, so joined fields stay apart."""

MISSING = "\x1e"
"""Stands for null in joined text, so that null and empty differ."""


def joined(columns: Sequence[pl.Expr]) -> pl.Expr:
    """Join columns as text so that different rows never give the same text."""
    return pl.concat_str(
        [column.cast(pl.String).fill_null(MISSING) for column in columns], separator=SEPARATOR
    )


def hash_64(text: pl.Expr) -> pl.Expr:
    """Hash text into a signed 64-bit integer (XXH3-64)."""
    return NonCryptographicHashingNameSpace(text).xxh3_64().reinterpret(signed=True)


_SPREAD = 0x9E3779B97F4A7C15
"""Odd, so that multiplying loses nothing; 2^64 divided by the golden ratio (Knuth, vol. 3, 6.4)."""


def content_64(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """Hash the text of some columns, each in its place, into signed 64-bit integers.

    The sum of every column's XXH3-64 times the power of an odd constant that its place has, modulo
    2^64; null is 0. A column without text costs nothing.

    Parameters
    ----------
    frame : DataFrame
        With the columns, of String.
    columns : sequence of str
        In an order that never changes.

    Returns
    -------
    Series of Int64, named `content_hash`
    """
    places = {name: place for place, name in enumerate(columns)}
    used = [name for name in columns if frame[name].null_count() < frame.height]
    hashes = frame.select(
        NonCryptographicHashingNameSpace(pl.col(name)).xxh3_64().fill_null(0) for name in used
    )
    total = np.zeros(frame.height, np.uint64)
    times = np.empty_like(total)
    for name in used:
        values = hashes[name].to_numpy()
        np.multiply(values, np.uint64(pow(_SPREAD, places[name], 2**64)), out=times)
        total += times
    return pl.Series("content_hash", total.view(np.int64))


def leg_16(source: str, ids: pl.Series, legs: pl.Series, started_us: pl.Series) -> pl.Series:
    """Make the key of each leg: 16 bytes, big end first.

    The two halves of XXH3-128 of the source's record id. To the first the leg times an odd
    constant and XXH3-64 of the source's name are added, to the second the start, each modulo
    2^64: two legs, or two starts, of one id never have the same key.

    Parameters
    ----------
    source : str
        Name of the source.
    ids, legs, started_us : Series of String, Int16 and Int64
        Record id, leg, and microseconds since 1970 UTC; none of them null.

    Returns
    -------
    Series of Binary, 16 bytes each, named `record_id`
    """
    high, low = _halves(ids.to_frame("id"), pl.col("id"))
    high = high + legs.to_numpy().astype(np.uint64) * np.uint64(_SPREAD) + np.uint64(_name(source))
    return _packed(high, low + started_us.to_numpy().astype(np.uint64)).alias("record_id")


def ids_64(keys: pl.Expr) -> pl.Expr:
    """Return the half of each leg's key that says which it is, whenever it started."""
    return keys.bin.head(8).bin.reinterpret(dtype=pl.UInt64, endianness="big")


def ids_as_of(ids: pl.Series, source: str, other: str) -> pl.Series:
    """Return what `ids_64` of a source's legs would be if another source had them.

    Examples
    --------
    >>> leg = [pl.Series(["id"]), pl.Series([0]), pl.Series([0])]
    >>> keys = pl.DataFrame({name: leg_16(name, *leg) for name in ("a", "b")})
    >>> ids = keys.select(ids_64(pl.all()))
    >>> ids_as_of(ids["a"], "a", "b").equals(ids["b"])
    True
    """
    apart = (_name(other) - _name(source)) % 2**64
    return pl.Series(ids.name, ids.to_numpy() + np.uint64(apart))


def _name(source: str) -> int:
    """Return what the name of a source adds to the first half of its keys."""
    return int(pl.select(NonCryptographicHashingNameSpace(pl.lit(source)).xxh3_64()).item())


def key_16(frame: pl.DataFrame, text: pl.Expr) -> pl.Series:
    """Hash text into keys of 16 bytes (XXH3-128, big end first).

    Parameters
    ----------
    frame : DataFrame
        Where the text comes from.
    text : Expr of String
        Without nulls.

    Returns
    -------
    Series of Binary, 16 bytes each, named `key`
    """
    return _packed(*_halves(frame, text))


def _halves(
    frame: pl.DataFrame, text: pl.Expr
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    key = NonCryptographicHashingNameSpace(text).xxh3_128()
    halves = frame.select(
        (key // 2**64).cast(pl.UInt64).alias("high"), (key % 2**64).cast(pl.UInt64).alias("low")
    )
    return halves["high"].to_numpy(), halves["low"].to_numpy()


def _packed(high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> pl.Series:
    words = np.empty((len(high), 2), ">u8")
    words[:, 0], words[:, 1] = high, low
    ends = pa.py_buffer(np.arange(0, words.nbytes + 1, 16))
    packed = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(words), [None, ends, pa.py_buffer(words)]
    )
    return pl.Series("key", packed)
