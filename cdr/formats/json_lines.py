"""What the dialects of JSON have in common: an object a line.

Which fields an object has, and what they mean, is the business of the dialects.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.blocks import REPLACEMENT, read_sample

_SPOILT_KEY = rf'"[^"]*{REPLACEMENT}(?:[^"]*[^"\\])?"\s*:'


def refuse_list(file: Path) -> None:
    """Refuse a file that holds its objects in a list, with commas between them.

    A stray bracket before objects on lines of their own makes none.

    Raises
    ------
    FormatError
        If it is one; some of its lines might pass for objects.
    """
    text = read_sample(file).data
    if re.match(rb"\s*\[\s*[{\]]", text) and not re.search(rb"\}\s*\n\s*\{", text):
        raise FormatError(shown(file), "is one JSON list; write each object of it on its own line")


def has_spoilt_key(lines: pl.DataFrame) -> pl.Expr:
    """Tell which lines of JSON have a key with bytes that are not UTF-8.

    Nobody can tell which field that was: it may be one that is read, such as the answer time.
    """
    if not lines["raw"].str.contains(REPLACEMENT, literal=True).any():
        return pl.lit(value=False)
    return pl.col("raw").str.contains(_SPOILT_KEY)
