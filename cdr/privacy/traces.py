"""A search of every byte of a home for what points to one person.

Parquet is packed, so its columns are read; SQLite is read by cell and as bytes, so that freed
pages and the write-ahead log are seen too; archives are opened; whatever else there is is read
as bytes. Files that tables have now are for `erasure.left_in`, which knows what may stay.
"""

from __future__ import annotations

import gzip
import html
import json
import re
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow.parquet as pq

from cdr.privacy.identifiers import Identifiers

_PIECE = 1 << 22
_OVERLAP = 1 << 10
"""Bytes read again with the next piece: longer than what is searched for."""

_BESIDE = ("-wal", "-shm", "-journal")
"""Ends of the names of files that SQLite keeps beside a database."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A place that names the person: a file below the home, and where in it."""

    file: str
    where: str
    count: int


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search read, and what it found."""

    files: int
    bytes: int
    traces: tuple[Trace, ...]


def search(
    root: Path, who: Identifiers, *, besides: Collection[Path] = (), within: Path | None = None
) -> Searched:
    """Read every file of a home.

    Parameters
    ----------
    root : Path
        The home.
    who : Identifiers
        Whose.
    besides : collection of Path
        Files that are looked through elsewhere.
    within : Path, optional
        Only what lies below this folder of it.
    """
    patterns = patterns_of(who)
    files = size = 0
    traces: list[Trace] = []
    left_out = set(besides)
    for file in sorted((within or root).rglob("*")):
        if file in left_out or file.is_symlink() or not file.is_file():
            continue
        files += 1
        size += file.stat().st_size
        name = file.relative_to(root).as_posix()
        if patterns.text.search(name.encode()):
            traces.append(Trace(_without(name, patterns.text), "its name", 1))
        traces += [
            Trace(_without(name, patterns.text), where, count)
            for where, count in traces_of(file, who, patterns)
        ]
    return Searched(files, size, tuple(traces))


@dataclass(frozen=True, slots=True)
class Patterns:
    """What finds a person in text, and in packed bytes where only long texts are no chance."""

    text: re.Pattern[bytes]
    packed: re.Pattern[bytes]


def patterns_of(who: Identifiers) -> Patterns:
    """Return what finds the person in bytes: as UTF-8, and as JSON, HTML and SQL write it."""
    written = {form for text in who.parts() for form in _written(text)}
    packed = re.compile(b"|".join(re.escape(text.encode()) for text in sorted(written)) or b"(?!)")
    edged = who.pattern().encode()
    also = b"|".join(re.escape(text.encode()) for text in sorted(written - set(who.parts())))
    return Patterns(re.compile(edged + (b"|" + also if also else b"")), packed)


def traces_of(file: Path, who: Identifiers, patterns: Patterns) -> Iterator[tuple[str, int]]:
    """Give where in a file the person is named, and how often."""
    if file.suffix == ".parquet":
        yield from _in_parquet(file, who, patterns.text)
    elif _is_sqlite(file):
        yield from _in_sqlite(file, patterns.text)
        with file.open("rb") as content:
            if count := _in_bytes(content, Patterns(patterns.packed, patterns.packed)):
                yield "bytes", count
    elif zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                with archive.open(member) as content:
                    if count := _in_bytes(content, patterns):
                        yield member.filename, count
    elif file.suffix == ".gz":
        with gzip.open(file) as content:
            if count := _in_bytes(content, patterns):  # type: ignore[arg-type]
                yield "unpacked", count
    else:
        with file.open("rb") as content:
            if count := _in_bytes(content, patterns):
                yield "bytes", count


def _in_parquet(
    file: Path, who: Identifiers, pattern: re.Pattern[bytes]
) -> Iterator[tuple[str, int]]:
    opened = pq.ParquetFile(file)
    whole = who.pattern()
    footer = repr(opened.metadata.metadata).encode() + b"".join(_bounds(opened))
    if count := len(pattern.findall(footer)):
        yield "footer", count
    rows = pl.scan_parquet(file, hive_partitioning=False, glob=False)
    columns = []
    for name, dtype in rows.collect_schema().items():
        if dtype == pl.String:
            columns.append(pl.col(name).str.contains(whole).sum().alias(name))
        elif dtype == pl.List(pl.String):
            found = pl.col(name).list.eval(pl.element().str.contains(whole)).list.any()
            columns.append(found.sum().alias(name))
    if columns:
        counts = rows.select(columns).collect(engine="streaming").row(0, named=True)
        yield from ((f"column {name}", count) for name, count in counts.items() if count)


def _bounds(opened: pq.ParquetFile) -> Iterator[bytes]:
    for group in range(opened.metadata.num_row_groups):
        of_group = opened.metadata.row_group(group)
        for place in range(of_group.num_columns):
            statistics = of_group.column(place).statistics
            if statistics is not None and statistics.has_min_max:
                yield f" {statistics.min!r} {statistics.max!r} ".encode()


def _is_sqlite(file: Path) -> bool:
    if file.name.endswith(_BESIDE):
        return True
    with file.open("rb") as handle:
        return handle.read(16) == b"SQLite format 3\x00"


def _in_sqlite(file: Path, pattern: re.Pattern[bytes]) -> Iterator[tuple[str, int]]:
    if file.name.endswith(_BESIDE):
        return
    counts: Counter[str] = Counter()
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        for statement in connection.iterdump():
            if count := len(pattern.findall(statement.encode())):
                counts[" ".join(statement.split(maxsplit=3)[:3])] += count
    finally:
        connection.close()
    yield from counts.items()


def _in_bytes(content: IO[bytes], patterns: Patterns) -> int:
    """Count in pieces of bounded size; what lies across two is counted once."""
    count, carried, before = 0, b"", 0
    while True:
        piece = content.read(_PIECE)
        whole = carried + piece
        pattern = patterns.packed if b"\0" in whole else patterns.text
        until = len(whole) - _OVERLAP if piece else len(whole)
        count += sum(before <= found.start() < until for found in pattern.finditer(whole))
        if not piece:
            return count
        if until > 1:
            carried, before = whole[until - 1 :], 1  # a byte more: what stands before a word
        else:
            carried = whole


def _written(text: str) -> tuple[str, ...]:
    """Return a text as files of text, JSON, HTML and SQL have it."""
    return text, json.dumps(text)[1:-1], html.escape(text), text.replace("'", "''")


def _without(name: str, pattern: re.Pattern[bytes]) -> str:
    return pattern.sub(b"...", name.encode()).decode()
