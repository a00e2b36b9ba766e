r"""BroadWorks CSV accounting files: no header, no quotes, a comma in a field as `\,`.

A backslash takes the meaning off the character behind it. Releases add fields at the end,
so fields are known by their place, and a file has one number of them (180 to 450 from release
14 to 22); a line with another number is set aside as `wrong_column_count`. The lines at the
beginning and end of a file have three and are set aside as `not_a_call`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.blocks import Block, read_blocks, read_sample, scan_lines
from cdr.formats.broadworks import COLUMNS, MEANING, TIMES, TYPES, records_of
from cdr.formats.record import Format
from cdr.settings import SourceSettings

_PLACES = {
    "serviceProvider": 2, "type": 3, "userNumber": 4, "direction": 6, "callingNumber": 7,
    "calledNumber": 9, "startTime": 10, "answerIndicator": 12, "answerTime": 13,
    "releaseTime": 14, "terminationCause": 15, "networkCallID": 25, "accessDeviceAddress": 27,
    "group": 32, "originalCalledNumber": 36, "localCallId": 45, "remoteCallId": 46,
    "trunkGroupName": 135,
}  # fmt: skip
"""Place of each field, from 1 (BroadSoft, Accounting CDR Interface Specification; the same as
the number of its RADIUS attribute, vendor 6431)."""

_FEWEST = 100
"""Ours: a line of release 14 has some 180 fields, the marks of a file have 3."""

_MARK = 3
"""Fields of the lines at the beginning and end of a file."""

_BACKSLASH, _COMMA = "\x1c", "\x1d"  # stand for what was escaped while a line is split


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    sample = read_sample(file)
    counts = _counts(sample)
    if not counts and sample.data.strip():
        raise FormatError(
            shown(file), f"no line has the {_FEWEST} or more fields of BroadWorks and its type"
        )
    width = counts.most_common(1)[0][0] if counts else _MARK
    for block in read_blocks(file, block_bytes):
        yield records_of(_split(scan_lines(block).collect(), width))


def _counts(sample: Block) -> Counter[int]:
    """Count the records of a sample by their number of fields; marks only where there are none."""
    lines = scan_lines(sample).select(fields=_fields(pl.col("raw"))).collect()
    kind = pl.col("fields").list.get(_PLACES["type"] - 1, null_on_oob=True)
    known = lines.filter(kind.str.to_lowercase().is_in(TYPES))["fields"].list.len().to_list()
    return Counter(n for n in known if n >= _FEWEST) or Counter(n for n in known if n == _MARK)


def _split(lines: pl.DataFrame, width: int) -> pl.DataFrame:
    """Take lines apart; those with another number of fields get a fault, marks do not."""
    fields, count = pl.col("fields"), pl.col("fields").list.len()
    mark = ~pl.col("cut") & (count == _MARK)
    other = pl.when("cut").then(pl.lit("cut_short")).otherwise(pl.lit("wrong_column_count"))
    split = lines.with_columns(fields=_fields(pl.col("raw"))).with_columns(
        fault=pl.coalesce("fault", pl.when((count != width) & ~mark).then(other))
    )
    whole = pl.col("fault").is_null()
    return split.select(
        "line",
        "raw",
        "fault",
        *(
            pl.when(whole).then(_meant(fields.list.get(place - 1, null_on_oob=True))).alias(name)
            for name, place in _PLACES.items()
        ),
    )


def _fields(line: pl.Expr) -> pl.Expr:
    """Split a line at the commas that no backslash stands before."""
    hidden = line.str.replace_many(["\\\\", "\\,", "\\"], [_BACKSLASH, _COMMA, ""], leftmost=True)
    return hidden.str.split(",")


def _meant(field: pl.Expr) -> pl.Expr:
    text = field.str.replace_many([_BACKSLASH, _COMMA], ["\\", ","])
    return pl.when(text != "").then(text)


def _example() -> str:
    said = {
        1: "00000000010A1B2C20260901100107.5001+020000", 2: "ACME", 3: "Normal",
        4: "+4930901820", 6: "Originating", 7: "+4930901820", 8: "Public", 9: "+442079460018",
        10: "20260901100000.123", 11: "1+020000", 12: "Yes", 13: "20260901100007.000",
        14: "20260901100107.000", 15: "016", 16: "VoIP", 25: "BW100000@192.0.2.28",
        32: r"Sales\, Berlin", 42: "y", 45: "15600:0",
    }  # fmt: skip
    return ",".join(said.get(place, "") for place in range(1, 337))


FORMAT = Format(
    name="broadworks_csv",
    title="BroadWorks CSV accounting files",
    example=_example(),
    times=TIMES,
    columns=COLUMNS,
    notes=f"{__doc__}\n{MEANING}",
    read=_read,
)
