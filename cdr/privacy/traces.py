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
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cdr.formats.blocks import most_unpacked_bytes
from cdr.privacy.identifiers import Identifiers

_PIECE = 1 << 22
_OVERLAP = 1 << 10
"""Bytes read again with the next piece: longer than what is searched for."""

_BESIDE = ("-wal", "-shm", "-journal")
"""Ends of the names of files that SQLite keeps beside a database."""


NOT_SEARCHED = "NOT SEARCHED"
"""How a trace begins that says why a file could not be looked through."""


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
    """Give where in a file the person is named, and how often.

    A packed file that cannot be looked through to its end is given too, and why.
    """
    if file.suffix == ".parquet":
        yield from _whole_or_why(_in_parquet(file, who, patterns.text))
    elif _is_sqlite(file):
        yield from _in_sqlite(file, patterns.text)
        with file.open("rb") as content:
            if count := _in_bytes(content, Patterns(patterns.packed, patterns.packed)):
                yield "bytes", count
    elif zipfile.is_zipfile(file):
        yield from _whole_or_why(_in_zip(file, patterns))
    elif file.suffix == ".gz":
        yield from _whole_or_why(_in_gzip(file, patterns))
    else:
        with file.open("rb") as content:
            if count := _in_bytes(content, patterns):
                yield "bytes", count


def _whole_or_why(found: Iterator[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    try:
        yield from found
    except OverflowError:
        yield f"{NOT_SEARCHED} to its end, as it unpacks to far more than its size", 1
    except (EOFError, OSError, RuntimeError, NotImplementedError,
            zlib.error, zipfile.BadZipFile, pa.ArrowException):  # fmt: skip
        yield f"{NOT_SEARCHED}, as it is damaged or encrypted", 1


def _in_zip(file: Path, patterns: Patterns) -> Iterator[tuple[str, int]]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            with archive.open(member) as content:
                if count := _in_bytes(content, patterns, most=most_unpacked_bytes(file)):
                    yield member.filename, count


def _in_gzip(file: Path, patterns: Patterns) -> Iterator[tuple[str, int]]:
    with gzip.open(file) as content:
        if count := _in_bytes(content, patterns, most=most_unpacked_bytes(file)):  # type: ignore[arg-type]
            yield "unpacked", count


def _in_parquet(
    file: Path, who: Identifiers, pattern: re.Pattern[bytes]
) -> Iterator[tuple[str, int]]:
    """Look through the distinct texts of each batch: few bytes can stand for many of them."""
    metadata = pq.read_metadata(file)
    leaves = [metadata.schema.column(place) for place in range(len(metadata.schema))]
    texts = [leaf.path for leaf in leaves if leaf.logical_type.type == "STRING"]
    counts: Counter[str] = Counter()
    with pq.ParquetFile(file, read_dictionary=texts) as opened:
        footer = repr(metadata.metadata).encode() + b"".join(_bounds(opened))
        if count := len(pattern.findall(footer)):
            yield "footer", count
        for batch in opened.iter_batches(columns=texts) if texts else ():
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                counts[name] += _cells_with(column, who.pattern())
    yield from ((f"column {name}", count) for name, count in counts.items() if count)


def _cells_with(column: pa.Array, pattern: str) -> int:
    """Count the texts of a column that hold a pattern, also those within lists and structs."""
    if pa.types.is_struct(column.type):
        return sum(_cells_with(part, pattern) for part in column.flatten())
    if pa.types.is_nested(column.type):
        return _cells_with(column.flatten(), pattern)
    distinct = pa.types.is_dictionary(column.type)
    held = pc.match_substring_regex(column.dictionary if distinct else column, pattern=pattern)
    return pc.sum(held.take(column.indices) if distinct else held).as_py() or 0


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


def _in_bytes(content: IO[bytes], patterns: Patterns, *, most: int | None = None) -> int:
    """Count in pieces of bounded size; what lies across two is counted once."""
    count, carried, before, read = 0, b"", 0, 0
    while True:
        piece = content.read(_PIECE)
        read += len(piece)
        if most is not None and read > most:
            raise OverflowError("unpacks to more than is read of it")
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
