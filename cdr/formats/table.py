"""Delimited files whose first line names the columns.

Finds the header and its separator, and keeps the columns a dialect knows. Which
columns these are, and what they mean, is the business of the dialects.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, SettingsError, shown
from cdr.formats.blocks import Block, read_sample
from cdr.formats.delimited import header_of, split_columns
from cdr.settings import SourceSettings

_SEPARATORS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a file that has text: its place, its words and our names for them."""

    line: int
    raw: str
    columns: tuple[str, ...]
    separator: str


def names_of(source: SourceSettings, known: Iterable[str]) -> dict[str, str]:
    """Return our column of each of the file's, where the source says they differ.

    Raises
    ------
    SettingsError
        If the source maps a column that the dialect does not have.
    """
    known = tuple(known)
    wrong = [name for name in source.columns if name not in known]
    if wrong:
        raise SettingsError(
            "columns", [f"{name} is not one of {', '.join(known)}" for name in wrong]
        )
    return {theirs.strip().casefold(): ours for ours, theirs in source.columns.items()}


def read_header(file: Path, needed: Collection[str], names: Mapping[str, str]) -> Header | None:
    """Find the header of a file and the separator it is written with.

    Parameters
    ----------
    file : Path
        The file.
    needed : collection of str
        Our names of the columns it must have.
    names : mapping of str to str
        Our name of each column the file calls otherwise, in lower case.

    Returns
    -------
    Header or None
        Columns under our names; case and blanks around a name do not matter. None
        for an empty file.

    Raises
    ------
    FormatError
        If columns are missing or one is there twice; the message names them.
    """
    text = read_sample(file).data.decode()
    body = text.lstrip("\n")
    raw = body.partition("\n")[0]
    if not raw:
        return None
    headers = [
        Header(
            1 + len(text) - len(body), raw, _renamed(header_of(raw, separator), names), separator
        )
        for separator in _SEPARATORS
    ]
    best = max(headers, key=lambda header: len(set(header.columns).intersection(needed)))
    missing = [name for name in needed if name not in best.columns]
    if missing:
        theirs = {ours: written for written, ours in names.items()}
        lacking = ", ".join(theirs.get(name, name) for name in missing)
        raise FormatError(
            shown(file),
            f"the header lacks {lacking}; name the file's own columns under `columns` "
            "of the source",
        )
    return best


def split_table(block: Block, header: Header, wanted: Collection[str]) -> pl.DataFrame:
    """Split a block of a file with a header into the columns wanted that are there.

    The header itself is left out; a line that repeats it has the fault
    `header_repeated`. Else as `split_columns`.
    """
    rows = split_columns(block, header.columns, wanted, separator=header.separator)
    repeated = pl.when(pl.col("raw") == header.raw).then(pl.lit("header_repeated"))
    return rows.filter(pl.col("line") != header.line).with_columns(
        fault=pl.coalesce("fault", repeated)
    )


def _renamed(columns: Iterable[str], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(names.get(word := name.strip().casefold(), word) for name in columns)
