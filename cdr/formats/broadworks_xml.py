"""BroadWorks XML accounting files: `<broadWorksCDR>` with a `<cdrData>` for each record.

Records are found by their tags and their elements by name, so no entity of a document is
ever expanded and memory does not depend on what a file holds. ISO-8859-1 and UTF-8 are
taken as the XML declaration says. What a record means here:

- Times are UTC (`20260901100000.123`), whatever `userTimeZone` says.
- `Normal` is a whole call. `Start`, `Interim`, `Long Duration` and `Failover` tell of a call
  whose end is not known: taken as a call without an end, with the flag `missing_bye`,
  until its `Normal` record corrects it. Other types are set aside as `not_a_call`.
- Each user of a call has a record: `Originating` is outbound, `Terminating` inbound; the
  two of a call between users share the smaller of the local and the remote call id.
- The called number is the one first called (`originalCalledNumber`); another
  `calledNumber` is where the call was sent on to.
- The account is the group, else the service provider.
- `terminationCause` is a Q.850 cause with leading zeros.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.assemble import records, when
from cdr.formats.blocks import MAX_LINE_BYTES, read_sample, read_text
from cdr.formats.causes import Q850, unanswered
from cdr.formats.record import RECORD, Clock, Format, Times
from cdr.schema import Outcome
from cdr.settings import SourceSettings

COLUMNS = (
    "type", "userNumber", "direction", "callingNumber", "calledNumber", "originalCalledNumber",
    "startTime", "answerIndicator", "answerTime", "releaseTime", "terminationCause",
    "localCallId", "remoteCallId", "networkCallID", "group", "serviceProvider",
    "trunkGroupInfo", "accessDeviceAddress",
)  # fmt: skip
"""Elements that are read, wherever in a record they stand."""

_OPEN, _CLOSE = "<cdrData", "</cdrData>"
_MAX_CHARS = MAX_LINE_BYTES
_RAW_CHARS = 4_096  # ours: enough of an overlong record to recognise it
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_OPEN_ENDED = ("start", "interim", "long duration", "failover")
_DIRECTIONS = {"originating": "outbound", "terminating": "inbound"}


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
    rows = found.with_columns(pl.when(whole).then(_element(name)).alias(name) for name in COLUMNS)
    kind = pl.col("type").str.to_lowercase()
    answered = pl.col("answerIndicator").str.to_lowercase().str.starts_with("yes").fill_null(False)
    open_ended = kind.is_in(_OPEN_ENDED)
    way = pl.col("direction").str.to_lowercase()
    outbound = way == "originating"
    first = pl.coalesce("originalCalledNumber", "calledNumber")
    cause = pl.col("terminationCause").str.strip_chars_start("0")
    ids = (pl.col("localCallId"), pl.col("remoteCallId"))
    return records(
        rows,
        {
            "source_record_id": pl.concat_str(
                pl.coalesce("localCallId", "networkCallID"), "userNumber", way,
                separator=";", ignore_nulls=True,
            ),
            "call_id": pl.coalesce(pl.min_horizontal(ids), "networkCallID"),
            "account_code": pl.coalesce("group", "serviceProvider"),
            "trunk": pl.col("trunkGroupInfo"),
            "direction": way.replace_strict(_DIRECTIONS, default=None, return_dtype=pl.String),
            "caller": pl.coalesce("callingNumber", pl.when(outbound).then("userNumber")),
            "callee": first,
            "caller_ip": pl.when(outbound).then("accessDeviceAddress"),
            "callee_ip": pl.when(~outbound).then("accessDeviceAddress"),
            "forwarded_to": pl.when(pl.col("calledNumber") != first).then("calledNumber"),
            "started": _utc("startTime"),
            "answered": pl.when(answered).then(_utc("answerTime")),
            "ended": _utc("releaseTime"),
            "outcome": pl.when(answered)
            .then(pl.lit(Outcome.ANSWERED.value))
            .otherwise(unanswered(cause.replace("", "0"), Q850)),
            "cause_code": pl.col("terminationCause"),
        },
        faults=(
            when(kind.ne_missing("normal") & ~open_ended.fill_null(False), "not_a_call"),
            when(pl.col("started").is_null(), "no_start_time"),
            when(pl.col("outcome").is_null(), "no_hangup_cause"),
        ),
        flags=(when(open_ended & answered, "missing_bye"),),
    )  # fmt: skip


def _element(name: str) -> pl.Expr:
    """Read the text of the first element of that name; empty is null."""
    text = pl.col("raw").str.extract(rf"<{name}>\s*([^<]*?)\s*</{name}>")
    text = text.str.replace_many(_ENTITIES)
    return pl.when(text != "").then(text)


def _utc(name: str) -> pl.Expr:
    return pl.col(name) + "Z"


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
    times=Times(Clock.OFFSET, ("%Y%m%d%H%M%S%.f%#z",)),
    columns=COLUMNS,
    notes=__doc__,
    read=_read,
)
"""An unanswered `Start` is left to its `Normal` record: its cause is not known yet."""
