"""A plain CSV: one row a call, columns by name.

The first line names the columns, or `header` of the source does. The names are ours or
those that `columns` of the source maps to ours, one to one or several into one
(`started_at = "{Date} {Time}"`). Separators are `,`, `;`, `|` or a tab:
the one with which the header has the columns that are needed. `plain_csv` has local
times, `plain_csv_offset` times with an offset from UTC (`+02:00`, `Z`): two formats, so
that nobody has to guess. `clock`, `time_layouts`, `length_unit`, `outcomes`, `directions`,
`media`, `constants` and `outcome_from_length` of the source say what else is different; a new
source needs no code. A word for an outcome, a direction or a medium that nobody declared sets
its row aside. A party with `.0` behind its digits, as a column of numbers with gaps
is exported, is read without, and `="030"`, as for a spreadsheet, is its text. `0000-00-00` and
`0001-01-01` are no times.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import polars as pl

from cdr.formats.blocks import read_blocks
from cdr.formats.delimited import OURS, Mend
from cdr.formats.plain_rows import (
    COLUMNS,
    check_columns,
    joined_of,
    needed_of,
    plain_records,
    theirs,
)
from cdr.formats.record import ISO_LAYOUTS, Clock, Format, Times
from cdr.formats.table import declared_header, read_header, set_off, split_table
from cdr.settings import SourceSettings


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    find = declared_header if source.header else read_header
    source = source.model_copy(update={"columns": _one_each(source.columns)})
    joined = joined_of(source)
    direct = {ours: name for ours, name in source.columns.items() if ours not in joined}
    words = {name.strip().casefold(): ours for ours, name in direct.items()}
    parts = {
        key: words.get(word := name.strip().casefold(), set_off(word))
        for key, name in theirs(source).items()
        if key not in COLUMNS
    }
    header = find(
        file,
        source.model_copy(update={"columns": direct}),
        columns=tuple(COLUMNS),
        needed=[parts.get(name, name) for name in needed_of(source)],
    )
    if header is None:
        return
    check_columns(file, header.columns, source)
    wanted = {*COLUMNS, *parts.values()}
    keys = _naming(header.columns, source, parts)
    mend = _texts_of_formulas(header.separator)
    for block in read_blocks(file, block_bytes):
        rows = split_table(block, header, wanted, mend=mend, keys=keys)
        if b'"' in block.data and b'"=""' in block.data:  # one sign is found ten times as fast
            rows = rows.with_columns(pl.exclude(OURS).str.replace(*_FORMULA))
        if parts:
            rows = rows.with_columns(pl.col(name).alias(key) for key, name in parts.items())
        yield plain_records(rows, source)


_FORMULA = (r'^="(.*)"$', "${1}")
"""What an export writes so that a spreadsheet keeps leading zeros: `="030"`."""


def _texts_of_formulas(separator: str) -> Mend:
    """Return what mends lines with such formulas outside of quotes."""
    return lambda line: line.str.replace_all(f'(^|{re.escape(separator)})="', '${1}"')


def _one_each(columns: Mapping[str, str]) -> dict[str, str]:
    """Where two of ours are one column of the file, take the second as a text of one part."""
    names: set[str] = set()
    written = {}
    for ours, of_file in columns.items():
        name = of_file.strip().casefold()
        written[ours] = f"{{{of_file}}}" if name in names else of_file
        names.add(name)
    return written


def _naming(
    columns: Collection[str], source: SourceSettings, parts: Mapping[str, str]
) -> Collection[str]:
    """Return the columns that name a record: its id and start; all of them where it has no id.

    Half of such a field at the end of a file would be a call of its own for ever; half of another
    one is corrected when the file is taken in whole.
    """
    named = {"record_id", "started_at"}
    if not {*columns, *joined_of(source)} & {"record_id"}:
        return columns
    of = joined_of(source)
    return named | {parts[f"{{{part}}}"] for ours in named & set(of) for part in of[ours]}


_HEADER = "record_id,account_id,caller,callee,started_at,answered_at,duration_s,outcome\n"

FORMAT = Format(
    name="plain_csv",
    title="CSV with a header, local times",
    example=_HEADER
    + "8f2c,acme,+4930901820,+442079460018,2026-09-01 12:00:00,2026-09-01 12:00:07,60,answered",
    times=Times(Clock.LOCAL, ISO_LAYOUTS[Clock.LOCAL]),
    columns=tuple(COLUMNS),
    notes=__doc__,
    read=_read,
)

FORMAT_OFFSET = Format(
    name="plain_csv_offset",
    title="CSV with a header, times with their offset from UTC",
    example=_HEADER
    + "8f2c,acme,+4930901820,+442079460018,2026-09-01T12:00:00+02:00,2026-09-01T12:00:07+02:00,60,"
    "answered",
    times=Times(Clock.OFFSET, ISO_LAYOUTS[Clock.OFFSET]),
    columns=tuple(COLUMNS),
    notes=__doc__,
    read=_read,
)
