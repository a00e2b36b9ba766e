"""Which files of a table name a person, and in which columns, without making rows of them all.

Every byte of text is looked through as it stands in the file (`cdr.lake.pages`); only columns in
which people write numbers as they like are read. What is found may be somebody else's, such as a
longer number: `columns.names` says it exactly, of the few rows that are left.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cdr.lake import DataFile, Lake
from cdr.lake.pages import pages_of
from cdr.privacy.columns import is_free, names, searched
from cdr.privacy.identifiers import SHORTEST, Identifiers
from cdr.schema import Table

_PLACE = "file of the row"


def naming(
    lake: Lake, table: Table, files: Sequence[DataFile], who: Identifiers
) -> list[tuple[DataFile, frozenset[str]]]:
    """Return the files that may name the person, each with the columns that do."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    pattern = _pattern(who)

    def of_file(file: DataFile) -> set[str]:
        return _columns(lake.content(table, file), pattern)

    with ThreadPoolExecutor(lake.settings.store.threads) as pool:
        for file, columns in zip(files, pool.map(of_file, files), strict=True):
            found[file.path] |= columns
    addresses = {lake.address(table, file): file.path for file in files}
    free = [field for field in searched(table) if is_free(field)]
    if free and files:
        cells = (
            lake.scan_files(table, files, place=_PLACE)
            .group_by(_PLACE)
            .agg(names(field, who).any().alias(field.name) for field in free)
            .collect(engine="streaming")
        )
        for address, *hits in cells.select(_PLACE, *(f.name for f in free)).iter_rows():
            found[addresses[address]] |= {f.name for f, hit in zip(free, hits, strict=True) if hit}
    of_text = {field.name for field in searched(table)}
    each = ((file, frozenset(of_text & found[file.path])) for file in files)
    return [(file, columns) for file, columns in each if columns]


def _columns(content: pa.Buffer, pattern: bytes) -> set[str]:
    columns: set[str] = set()
    for name, page in pages_of(content):
        if name in columns:
            continue
        if page is None or _holds(page, pattern):
            columns.add(name)
    return columns


def _holds(page: pa.Buffer, pattern: bytes) -> bool:
    ends = pa.py_buffer(np.array([0, page.size], dtype=np.int64))
    whole = pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, page])
    found: bool = pc.match_substring_regex(whole, pattern=pattern)[0].as_py()
    return found


def _pattern(who: Identifiers) -> bytes:
    """Return a regular expression for the texts that stand for the person, as pages hold them.

    What is short is looked for with its length before it: as a value of its own.
    """
    long = {text.encode() for text in who.parts()}
    short = {text.encode() for text in who.whole() if len(text) < SHORTEST}
    every = long | {struct.pack("<I", len(text)) + text for text in short}
    return b"|".join(b"".join(b"\\x%02x" % octet for octet in text) for text in sorted(every))
