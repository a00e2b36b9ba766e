"""Delimited files whose first line names the columns.

Finds the header and its separator, and keeps the columns a dialect knows. Which
columns these are, and what they mean, is the business of the dialects.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mode

import polars as pl

from cdr.errors import FormatError, SettingsError, shown
from cdr.formats.blocks import REPLACEMENT, Block, read_sample
from cdr.formats.delimited import (
    OURS,
    Mend,
    column_count,
    header_of,
    split_columns,
    without_headers,
)
from cdr.settings import SourceSettings

_SEPARATORS = ",;\t|"
_NOTHING = ["NULL", r"\N"]


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a file that has text: its place, its words and our names for them.

    A line before it that only tells a spreadsheet the separator (`sep=;`) is passed over.
    `line` is 0 where the settings name the columns.
    """

    line: int
    words: tuple[str, ...]
    columns: tuple[str, ...]
    separator: str


def read_header(
    file: Path, source: SourceSettings, *, columns: Collection[str], needed: Collection[str]
) -> Header | None:
    """Find the header of a file and the separator it is written with.

    Parameters
    ----------
    file : Path
        The file.
    source : SourceSettings
        Its `columns` say what the file calls our columns.
    columns : collection of str
        Our names of the columns the dialect knows.
    needed : collection of str
        Those of them the file must have.

    Returns
    -------
    Header or None
        Columns under our names; case and blanks around a name do not matter. None
        for an empty file.

    Raises
    ------
    FormatError
        If columns are missing or one is there twice; the message names them.
    SettingsError
        If the source maps a column that the dialect does not know.
    """
    ours = _our_names(source, columns)
    text = read_sample(file).data.decode()
    start = re.match(r"\n*(?i:\"?sep=.\"?\n+)?", text)  # a spreadsheet's line before its header
    place = start.end() if start else 0
    raw, _, below = text[place:].partition("\n")
    if not raw:
        return None
    found = [(_renamed(header_of(raw, each), ours), each) for each in _SEPARATORS]
    names, separator = max(found, key=lambda each: len(set(each[0]).intersection(needed)))
    missing = [source.columns.get(name, name).strip() for name in needed if name not in names]
    mapped = [theirs for name, theirs in source.columns.items() if name not in names]
    if REPLACEMENT in raw and not all(name.isascii() for name in (*missing, *mapped)):
        raise FormatError(
            shown(file),
            "the header is not UTF-8; rewrite the file with `iconv -f LATIN1 -t UTF-8`",
        )
    _check(file, names, (*columns, *needed), missing)
    words = _ended_as(below, header_of(raw, separator), separator)
    return Header(1 + text[:place].count("\n"), words, _renamed(words, ours), separator)


def _ended_as(below: str, words: list[str], separator: str) -> tuple[str, ...]:
    """End the line of names as most lines below do, with a separator or without one.

    Not where a line has the columns as they are; nor where a blank follows on a separator and not
    in the names, as in a text that nobody quoted.
    """
    lines = [line for line in below.split("\n") if line]
    if not lines or any(column_count(line, separator) == len(words) for line in lines):
        return tuple(words)
    counts = [column_count(line, separator) for line in lines]
    usual = mode(counts)
    if usual == len(words) - 1 and not words[-1].strip():
        return tuple(words[:-1])
    longer = [line for line, count in zip(lines, counts, strict=True) if count == len(words) + 1]
    if usual == len(words) + 1 and all(_ends_in_nothing(line, words, separator) for line in longer):
        return (*words, "")
    return tuple(words)


def _ends_in_nothing(line: str, words: Sequence[str], separator: str) -> bool:
    fields = header_of(line, separator)
    moved = any(
        field.startswith(" ") and not word.startswith(" ")
        for word, field in zip(words, fields, strict=False)
    )
    return line.endswith(separator) and not moved


def declared_header(
    file: Path, source: SourceSettings, *, columns: Collection[str], needed: Collection[str]
) -> Header | None:
    """Return the header that the source declares; the separator is found as `read_header` does.

    Raises
    ------
    FormatError
        If no separator gives the first line that many columns.
    SettingsError
        If columns that are needed are not declared, or one that is read is there twice.
    """
    names = _renamed(source.header, _our_names(source, columns))
    check_declared("header", names, columns=columns, needed=needed)
    line = first_line(file)
    if not line:
        return None
    for separator in _SEPARATORS:
        if len(header_of(line, separator)) == len(names):
            return Header(0, source.header, names, separator)
    raise FormatError(
        shown(file), f"its first line does not have the {len(names)} columns of `header`"
    )


def check_declared(
    setting: str, names: Sequence[str], *, columns: Collection[str], needed: Collection[str]
) -> None:
    """Refuse columns in a setting that lack one that is needed, or have one that is read twice.

    Raises
    ------
    SettingsError
        It names them.
    """
    faults = [f"lacks {name.strip()}" for name in needed if name not in names]
    faults += [f"has {name.strip()} more than once" for name in _twice(names, (*columns, *needed))]
    if faults:
        raise SettingsError(setting, faults)


def first_line(file: Path) -> str:
    """Return the first line of a file that has text; empty for an empty file."""
    return read_sample(file).data.decode().lstrip("\n").partition("\n")[0]


def header_words(line: str) -> tuple[str, ...]:
    """Split a first line at whatever separates it, into words in lower case."""
    return tuple(word.strip(" \"'").casefold() for word in re.split(f"[{_SEPARATORS}]", line))


def split_table(
    block: Block,
    header: Header,
    wanted: Collection[str],
    *,
    mend: Mend | None = None,
    keys: Collection[str] = (),
) -> pl.DataFrame:
    """Split a block of a file with a header into the columns wanted that are there.

    The header itself is left out; a line that repeats it has the fault
    `header_repeated`, and what databases write for nothing is null. Else as `split_columns`.
    """
    rows = split_columns(
        block, header.columns, wanted, separator=header.separator, mend=mend, keys=keys
    )
    if block.first_line <= header.line:
        rows = rows.filter(pl.col("line") > header.line)
    rows = without_headers(rows, header.columns, header.words)
    return without_nulls(rows) if b"N" in block.data else rows


def without_nulls(rows: pl.DataFrame) -> pl.DataFrame:
    r"""Read what databases write where nothing is, `NULL` or `\N`, as nothing."""
    said = [name for name in rows.columns if name not in OURS]
    some = [name for name in said if rows[name].is_in(_NOTHING).any()]
    return rows.with_columns(pl.when(~pl.col(name).is_in(_NOTHING)).then(name) for name in some)


def _our_names(source: SourceSettings, columns: Collection[str]) -> dict[str, str]:
    wrong = [name for name in source.columns if name not in columns]
    if wrong:
        known = ", ".join(columns)
        raise SettingsError("columns", [f"{name} is not one of {known}" for name in wrong])
    return {theirs.strip().casefold(): ours for ours, theirs in source.columns.items()}


def _renamed(names: Iterable[str], ours: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(ours.get(word := name.strip().casefold(), set_off(word)) for name in names)


def set_off(word: str) -> str:
    """Tell a column of the file from one of `OURS` by a blank, which no name ends in."""
    return f"{word} " if word in OURS else word


def refuse_repeated(file: Path, names: Sequence[str], columns: Collection[str]) -> None:
    """Refuse a header that has one of our `columns` twice: nobody knows which one counts.

    Raises
    ------
    FormatError
        It names the columns.
    """
    if twice := _twice(names, columns):
        raise FormatError(shown(file), f"the header has {', '.join(twice)} more than once")


def _twice(names: Sequence[str], columns: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(columns) if names.count(name) > 1]


def _check(file: Path, names: Sequence[str], columns: Collection[str], missing: list[str]) -> None:
    if missing:
        raise FormatError(
            shown(file),
            f"the header lacks {', '.join(missing)}; name the file's own columns under "
            "`columns` of the source",
        )
    refuse_repeated(file, names, columns)
