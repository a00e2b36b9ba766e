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
    key = NonCryptographicHashingNameSpace(text).xxh3_128()
    halves = frame.select(
        (key // 2**64).cast(pl.UInt64).alias("high"), (key % 2**64).cast(pl.UInt64).alias("low")
    )
    words = np.column_stack([halves["high"].to_numpy(), halves["low"].to_numpy()]).astype(">u8")
    packed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(words), [None, pa.py_buffer(words.tobytes())]
    )
    return pl.Series("key", packed.cast(pa.large_binary()))
