r"""Exports of Asterisk's `cdr` table, as FreePBX, Thirdlane and their like write them.

With a header any columns of the table in any order; without one the columns of FreePBX
in the order of its table: 16, 17 (with `did`), 18, 23 or 26. What a row means:

- The caller is `src`, else `cnum`, else the number in `clid`. A row with a `did` is a
  call that came in on it: the called number is the `did`, and `dst` is where the call
  was sent on to.
- The table of FreePBX has no times of answer and release: they follow from `calldate`,
  `duration` (start to release) and `billsec`. Asterisk's own tables have `start`, `answer`
  and `end` in place of `calldate`.
- Without a line of names and with other columns than FreePBX's, `header` of the source
  names them.
- `D/M/YYYY` and other layouts of spreadsheets are never guessed: name yours as
  `time_layouts` of the source, such as `%d/%m/%Y %H:%M:%S`.
- `NULL` and `\N` are empty. A caller id whose quotes were not doubled
  (`""Name" <1115>"`, `"Name" <1115>`) is read as it was meant; any other stray quote
  sets the line aside.
- Outcome, unique id, sequence, legs and trunk are those of `asterisk_csv`; an outcome may be the
  number that ODBC writes (8 is `ANSWERED`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.assemble import records, when, with_columns
from cdr.formats.asterisk_csv import KEYS, OUTCOMES, clid_number, epoch_of, peer, row_id
from cdr.formats.blocks import Block, read_blocks, read_sample
from cdr.formats.delimited import layout_of, split_columns, without_headers
from cdr.formats.legs import LegCounter
from cdr.formats.record import ISO_LAYOUTS, Clock, Format, Times
from cdr.formats.table import (
    Header,
    declared_header,
    first_line,
    header_words,
    read_header,
    split_table,
    without_nulls,
)
from cdr.schema import Outcome
from cdr.settings import SourceSettings

_TABLE = (
    "calldate", "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata",
    "duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield",
    "did", "recordingfile", "cnum", "cnam", "outbound_cnum", "outbound_cnam", "dst_cnam",
    "linkedid", "peeraccount", "sequence",
)  # fmt: skip
"""FreePBX's table `asteriskcdrdb.cdr`; versions added columns at its end."""

_OUTCOMES = {
    **OUTCOMES,
    "0": Outcome.NO_ANSWER,
    "2": Outcome.FAILED,
    "4": Outcome.BUSY,
    "8": Outcome.ANSWERED,
    "16": Outcome.FAILED,
}
"""Also as `cdr_odbc` writes them without `dispositionstring`, and `cdr_adaptive_odbc` into a column
of numbers (Asterisk, `include/asterisk/cdr.h`)."""

_NEEDED = ("calldate", "src", "dst", "duration", "billsec", "disposition")
COLUMNS = (
    *_NEEDED, "clid", "channel", "dstchannel", "accountcode", "uniqueid", "did", "cnum",
    "linkedid", "sequence", "start", "answer", "end",
)  # fmt: skip


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    header = _header_of(file, source)
    layout = header.columns if header else _layout_of(file)
    keys = KEYS if "uniqueid" in layout else layout
    unnumbered = "uniqueid" in layout and "sequence" not in layout
    counter = LegCounter() if unnumbered else None
    for block in read_blocks(file, block_bytes):
        rows = (
            split_table(block, header, COLUMNS, mend=_mended, keys=keys)
            if header
            else _split(block, layout, keys)
        )
        rows = with_columns(rows, COLUMNS)
        if counter:
            rows = counter.number(rows, "uniqueid", "dstchannel")
        yield _records(rows)


def _header_of(file: Path, source: SourceSettings) -> Header | None:
    """Read the header where the first line is one: it names the disposition."""
    names = source.header or header_words(first_line(file))
    date = source.columns.get("calldate", "calldate").casefold()
    own = date not in names and "start" in names
    needed = ("start" if own else "calldate", *_NEEDED[1:])
    if source.header:
        return declared_header(file, source, columns=COLUMNS, needed=needed)
    disposition = source.columns.get("disposition", "disposition").casefold()
    if disposition not in first_line(file).casefold():
        return None
    return read_header(file, source, columns=COLUMNS, needed=needed)


def _layout_of(file: Path) -> tuple[str, ...]:
    sample = read_sample(file)
    layout = layout_of(sample, {count: _TABLE[:count] for count in (16, 17, 18, 23, 26)})
    if layout is None and sample.data.strip():
        raise FormatError(
            shown(file),
            "has neither a header nor the 16, 17, 18, 23 or 26 columns of FreePBX's table",
        )
    return layout or _TABLE


def _split(block: Block, layout: Sequence[str], keys: Collection[str]) -> pl.DataFrame:
    rows = split_columns(block, layout, COLUMNS, mend=_mended, keys=keys)
    return without_nulls(without_headers(rows, layout))


def _mended(line: pl.Expr) -> pl.Expr:
    """Double the quotes of a caller id that was put between quotes, or left, as it is."""
    quoted = line.str.replace_all(r'""([^"]*)" <([^<>"]*)>"', '"""${1}"" <${2}>"')
    return quoted.str.replace_all(
        r'(^|[,;|\t])"([^"]*)" <([^<>"]*)>([,;|\t]|$)', '${1}"""${2}"" <${3}>"${4}'
    )


def _records(rows: pl.DataFrame) -> pl.DataFrame:
    disposition = pl.col("disposition").str.to_uppercase()
    outcome = disposition.replace_strict(_OUTCOMES, default=None, return_dtype=pl.String)
    answered = outcome == Outcome.ANSWERED.value
    came_in = pl.col("did").is_not_null()
    return records(
        rows,
        {
            "source_record_id": row_id(),
            "call_id": pl.coalesce("linkedid", "uniqueid"),
            "account_code": pl.col("accountcode"),
            "trunk": peer(pl.col("channel")),
            "direction": when(came_in, "inbound"),
            "caller": pl.coalesce("src", "cnum", clid_number()),
            "callee": pl.coalesce("did", "dst"),
            "forwarded_to": pl.when(came_in).then("dst"),
            "started": pl.coalesce("calldate", "start"),
            "answered": pl.when(answered).then("answer"),
            "ended": pl.col("end"),
            "duration": pl.when(answered).then("billsec"),
            "elapsed": pl.col("duration"),
            "outcome": outcome,
            "cause_code": pl.col("disposition"),
            "proof_epoch_s": epoch_of(pl.col("uniqueid")),
        },
        faults=(
            when(pl.col("started").is_null(), "no_start_time"),
            when(pl.col("outcome").is_null(), "unknown_disposition"),
        ),
        flags=(
            when(
                ~answered & pl.col("billsec").is_not_null() & (pl.col("billsec") != "0"),
                "billed_unanswered",
            ),
        ),
    )


FORMAT = Format(
    name="asterisk_table",
    title="Exports of Asterisk's cdr table (FreePBX, Thirdlane), with a header or without",
    example=(
        "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,"
        "disposition,amaflags,accountcode,uniqueid,userfield\n"
        '2026-09-01 12:00:00,"""Front desk"" <100>",100,+442079460018,from-internal,'
        'PJSIP/100-0000001a,PJSIP/carrier-0000001b,Dial,"PJSIP/+442079460018@carrier,300",67,60,'
        "ANSWERED,3,acme,1788256800.26,"
    ),
    times=Times(Clock.LOCAL, ISO_LAYOUTS[Clock.LOCAL]),
    columns=COLUMNS,
    notes=__doc__,
    read=_read,
)
