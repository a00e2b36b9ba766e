"""Which files of a table name a person, and in which columns, without making rows of them all.

Every byte of text is looked through as it stands in the file (`cdr.lake.pages`). Columns in which
people write as they like are read only for a person with a text so short that it stands within
others by chance. What is found may be somebody else's, such as a longer number: `columns.names`
says it exactly, of the few rows that are left.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from cdr.lake import DataFile, Lake
from cdr.lake.pages import Page, pages_of
from cdr.privacy.columns import is_free, keys_of, names, searched
from cdr.privacy.identifiers import BETWEEN, SHORTEST, Identifiers, written_forms
from cdr.schema import Table

_PLACE = "file of the row"

_HANDFUL = 1 << 22
"""Bytes of text that each thread looks through at once. Ours: of a quarter of that, compiling the
expression anew each time takes a fifth longer."""


@dataclass(frozen=True, slots=True)
class Naming:
    """A file that may name a person.

    Parameters
    ----------
    file : DataFile
        Which.
    columns : frozenset of str
        The columns that may.
    groups : frozenset of int or None
        The row groups that may, from 0; None where that is not known.
    """

    file: DataFile
    columns: frozenset[str]
    groups: frozenset[int] | None


def naming(
    lake: Lake,
    table: Table,
    files: Sequence[DataFile],
    who: Identifiers,
    *,
    by_key: bool = False,
) -> list[Naming]:
    """Return the files that may name the person, each with where in it.

    Parameters
    ----------
    lake : Lake
        Whose.
    table : Table
        Which.
    files : sequence of DataFile
        Some of its files.
    who : Identifiers
        The person.
    by_key : bool, default=False
        Look only into columns that hold an identifier and nothing else, and only where it could be
        one of this person's; the rest is most of a file.
    """
    pattern = _pattern(who)
    of_text = {field.name for field in (keys_of(table, who) if by_key else searched(table))}

    def of_file(file: DataFile) -> set[tuple[int, str]]:
        return _places(lake.content(table, file), of_text, pattern)

    with ThreadPoolExecutor(lake.settings.store.threads) as pool:
        places = list(pool.map(of_file, files))
    within_words = any(len(text) < SHORTEST for text in who.whole())
    written = {} if by_key or not within_words else _written_freely(lake, table, files, who)
    found = []
    for file, of_it in zip(files, places, strict=True):
        freely = written.get(file.path, set())
        columns = frozenset({column for _, column in of_it} | freely)
        if columns:
            groups = frozenset(group for group, _ in of_it)
            found.append(Naming(file, columns, None if freely else groups))
    return found


def _written_freely(
    lake: Lake, table: Table, files: Sequence[DataFile], who: Identifiers
) -> dict[str, set[str]]:
    """Return, by file, the columns that name the person and in which people write as they like."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    free = [field for field in searched(table) if is_free(field)]
    if not free or not files:
        return found
    addresses = {lake.address(table, file): file.path for file in files}
    cells = (
        lake.scan_files(table, files, place=_PLACE)
        .group_by(_PLACE)
        .agg(names(field, who).any().alias(field.name) for field in free)
        .collect(engine="streaming")
    )
    for address, *hits in cells.select(_PLACE, *(f.name for f in free)).iter_rows():
        found[addresses[address]] |= {f.name for f, hit in zip(free, hits, strict=True) if hit}
    return found


def _places(content: pa.Buffer, columns: set[str], pattern: bytes) -> set[tuple[int, str]]:
    """Return the row groups and columns that hold the pattern, or may."""
    places: set[tuple[int, str]] = set()
    for pages in _handfuls(pages_of(content, columns)):
        unread = {(page.group, page.column) for page in pages if page.octets is None}
        readable = [page for page in pages if page.octets is not None]
        held = _which_hold([page.octets for page in readable], pattern)
        places |= unread | {(readable[n].group, readable[n].column) for n in held}
    return places


def _handfuls(pages: Iterable[Page]) -> Iterator[list[Page]]:
    """Give pages in lists of `_HANDFUL` bytes or a little more."""
    some: list[Page] = []
    size = 0
    for page in pages:
        some.append(page)
        size += 0 if page.octets is None else page.octets.size
        if size >= _HANDFUL:
            yield some
            some, size = [], 0
    if some:
        yield some


def _which_hold(texts: Sequence[pa.Buffer], pattern: bytes) -> list[int]:
    """Return the places of the texts that hold the pattern."""
    # side by side: the expression is compiled for each array, which costs more than copying
    whole = pa.concat_arrays([pa.array([], pa.large_binary()), *map(_as_value, texts)])
    found = pc.match_substring_regex(whole, pattern=pattern)
    return [n for n, holds in enumerate(found.to_pylist()) if holds]


def _as_value(octets: pa.Buffer) -> pa.Array:
    ends = pa.py_buffer(struct.pack("<qq", 0, octets.size))
    return pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, octets])


def _pattern(who: Identifiers) -> bytes:
    """Return a regular expression for the texts that stand for the person, as pages hold them.

    What is short is looked for with its length before it: as a value of its own. Numbers are found
    however they are spaced.
    """
    long = {text.encode() for text in who.parts()}
    short = {text.encode() for text in who.whole() if len(text) < SHORTEST}
    every = long | {struct.pack("<I", len(text)) + text for text in short}
    texts = [b"".join(b"\\x%02x" % octet for octet in text) for text in sorted(every)]
    forms = sorted({form for number in who.numbers for form in written_forms(number)})
    return b"|".join([*texts, *(BETWEEN.join(form).encode() for form in forms)])
