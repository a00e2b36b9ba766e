"""BroadWorks XML accounting files: `<broadWorksCDR>` with a `<cdrData>` for each record.

Records are found by their tags and their elements by name, so no entity of a document is
ever expanded and memory does not depend on what a file holds. ISO-8859-1 and UTF-8 are
taken as the XML declaration says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.blocks import MAX_LINE_BYTES, read_sample, read_text
from cdr.formats.broadworks import COLUMNS, MEANING, TIMES, records_of
from cdr.formats.record import RECORD, Format
from cdr.settings import SourceSettings

_OPEN, _CLOSE = "<cdrData", "</cdrData>"
_MAX_CHARS = MAX_LINE_BYTES
_RAW_CHARS = 4_096  # ours: enough of an overlong record to recognise it
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    sample = read_sample(file).data.decode()
    if not sample.strip():
        return
    if _OPEN not in sample and "<broadWorksCDR" not in sample:
        raise FormatError(shown(file), "has no <broadWorksCDR> and no <cdrData> element")
    for found in _elements(read_text(file, block_bytes, encoding=_encoding(sample))):
        yield _records(found)


def _encoding(sample: str) -> str:
    declared = re.match(r"""\s*<\?xml[^>]*encoding=["']([A-Za-z0-9_-]+)["']""", sample)
    latin = declared is not None and declared[1].lower() in ("iso-8859-1", "latin1", "us-ascii")
    return "iso-8859-1" if latin else "utf-8"


def _elements(pieces: Iterator[str]) -> Iterator[pl.DataFrame]:
    """Cut text into records: `line`, `raw` (at most `_MAX_CHARS` and some) and `fault`."""
    rest, line, dropped_lines = "", 1, 0
    for piece in pieces:
        *whole, rest = (rest + piece).split(_CLOSE)
        if whole:
            yield _placed([text + _CLOSE for text in whole], line, dropped_lines)
            line += sum(text.count("\n") for text in whole) + dropped_lines
            dropped_lines = 0
        if len(rest) > 2 * _MAX_CHARS:
            cut = rest[_MAX_CHARS + 1 : -len(_CLOSE)]
            dropped_lines += cut.count("\n")
            rest = rest[: _MAX_CHARS + 1] + rest[-len(_CLOSE) :]
    if _OPEN in rest:
        yield _placed([rest], line, dropped_lines)


def _placed(texts: list[str], line: int, dropped_lines: int) -> pl.DataFrame:
    """Give each record the line its element opens on.

    Line ends that were dropped stood in the first text, behind its opening tag.
    """
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    text = pl.col("text")
    opening = text.str.find(_OPEN, literal=True).fill_null(0)
    before = text.str.count_matches("\n", literal=True).cum_sum().shift(fill_value=0)
    since = pl.int_range(pl.len()) > 0
    raw = text.str.replace(r"(?s)^.*?(<cdrData)", "${1}")
    frame = frame.select(
        line=line
        + before
        + pl.when(since).then(dropped_lines).otherwise(0)
        + text.str.head(opening.cast(pl.Int64)).str.count_matches("\n", literal=True),
        raw=raw,
    )
    openings = pl.col("raw").str.count_matches(_OPEN, literal=True)
    closed = pl.col("raw").str.ends_with(_CLOSE)
    too_long = pl.col("raw").str.len_chars() > _MAX_CHARS
    fault = (
        pl.when(too_long)
        .then(pl.lit("line_too_long"))
        .when(~closed)
        .then(pl.lit("cut_short"))
        .when(pl.col("raw").str.contains("\0", literal=True))
        .then(pl.lit("nul_byte"))
        .when(openings != 1)
        .then(pl.lit("xml_broken"))
    )
    return frame.with_columns(
        pl.col("line").cast(pl.Int64),
        raw=pl.when(too_long).then(pl.col("raw").str.head(_RAW_CHARS)).otherwise("raw"),
        fault=fault,
    )


def _records(found: pl.DataFrame) -> pl.DataFrame:
    if found.is_empty():
        return RECORD.to_frame()
    whole = pl.col("fault").is_null()
    return records_of(
        found.with_columns(pl.when(whole).then(_element(name)).alias(name) for name in COLUMNS)
    )


def _element(name: str) -> pl.Expr:
    """Read the text of the first element of that name; empty is null."""
    text = pl.col("raw").str.extract(rf"<{name}>\s*([^<]*?)\s*</{name}>")
    text = text.str.replace_many(_ENTITIES)
    return pl.when(text != "").then(text)


FORMAT = Format(
    name="broadworks_xml",
    title="BroadWorks XML accounting files",
    example=(
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<broadWorksCDR version="19.0">\n'
        "<cdrData><headerModule><recordId><eventCounter>0000000001</eventCounter>"
        "<systemId>as1</systemId><date>20260901100107.500</date>"
        "<systemTimeZone>1+020000</systemTimeZone></recordId>"
        "<serviceProvider>ACME</serviceProvider><type>Normal</type></headerModule>"
        "<basicModule><userNumber>+4930901820</userNumber><direction>Originating</direction>"
        "<callingNumber>+4930901820</callingNumber><calledNumber>+442079460018</calledNumber>"
        "<startTime>20260901100000.123</startTime><userTimeZone>1+020000</userTimeZone>"
        "<localCallId>15600:0</localCallId><answerIndicator>Yes</answerIndicator>"
        "<answerTime>20260901100007.000</answerTime><releaseTime>20260901100107.000</releaseTime>"
        "<terminationCause>016</terminationCause></basicModule></cdrData>\n</broadWorksCDR>"
    ),
    times=TIMES,
    columns=COLUMNS,
    notes=f"{__doc__}\n{MEANING}",
    read=_read,
)
