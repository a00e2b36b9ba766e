"""Asterisk's `Master.csv`, as `cdr_csv` writes it: 15 to 21 columns, no header.

Sixteen columns are always there; `loguniqueid`, `loguserfield` and `newcdrcolumns`
of `cdr.conf` add 1, 1 and 3. With 15 columns there is no `accountcode`. A file has one
layout: the one most of its first lines have; other lines are faults. With 17 columns the
last one is taken for the unique id.

What a row means here:

- The caller is `src`; where that is empty, the number in `clid`.
- The trunk is the peer of `channel`: `acme` of `PJSIP/acme-0000001a`.
- The outcome is the one Asterisk wrote. `NO ANSWER` with seconds to bill is a caller
  who heard an announcement or a menu: nobody answered, so there is neither an answer
  time nor a duration, and the flag `billed_unanswered`.
- With `sequence`, unique id and sequence together name the row, whatever file it is
  in, and `leg` is 0. Without it the unique id is that of the calling channel, and the
  legs of a channel are numbered by their `dstchannel` in the order they appear; a row
  written twice keeps its number. Rows of one call share `linkedid`, else the unique id.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.assemble import records, when
from cdr.formats.blocks import read_blocks, read_sample
from cdr.formats.delimited import layout_of, split_columns
from cdr.formats.legs import LegCounter
from cdr.formats.record import Clock, Format, Times
from cdr.schema import Outcome
from cdr.settings import SourceSettings

_ALWAYS = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp",
    "lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags",
)  # fmt: skip
_NEW = ("peeraccount", "linkedid", "sequence")
LAYOUTS: dict[int, tuple[str, ...]] = {
    15: _ALWAYS[1:],
    16: _ALWAYS,
    17: (*_ALWAYS, "uniqueid"),
    18: (*_ALWAYS, "uniqueid", "userfield"),
    19: (*_ALWAYS, *_NEW),
    20: (*_ALWAYS, "uniqueid", *_NEW),
    21: (*_ALWAYS, "uniqueid", "userfield", *_NEW),
}
"""Columns of a row by their number (Asterisk, `cdr/cdr_csv.c`)."""

_WANTED = {
    "accountcode", "src", "dst", "clid", "channel", "dstchannel", "start", "answer", "end",
    "billsec", "disposition", "uniqueid", "linkedid", "sequence",
}  # fmt: skip

OUTCOMES = {
    "ANSWERED": Outcome.ANSWERED,
    "NO ANSWER": Outcome.NO_ANSWER,
    "BUSY": Outcome.BUSY,
    "FAILED": Outcome.FAILED,
    "CONGESTION": Outcome.FAILED,
}
"""Asterisk, `main/cdr.c`, `ast_cdr_disp2str`."""


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    layout = _layout_of(file)
    counter = LegCounter() if "uniqueid" in layout and "sequence" not in layout else None
    for block in read_blocks(file, block_bytes):
        rows = split_columns(block, layout, _WANTED)
        missing = _WANTED.difference(rows.columns)
        rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in missing)
        if counter:
            rows = counter.number(rows, "uniqueid", "dstchannel")
        yield _records(rows)


def _layout_of(file: Path) -> tuple[str, ...]:
    sample = read_sample(file)
    layout = layout_of(sample, LAYOUTS)
    if layout is None and sample.data.strip():
        raise FormatError(
            shown(file),
            "no line has the 15 to 21 columns of Asterisk's Master.csv; "
            "for a file with a header use format asterisk_table or plain_csv",
        )
    return layout or LAYOUTS[16]


def _records(rows: pl.DataFrame) -> pl.DataFrame:
    disposition = pl.col("disposition").str.to_uppercase()
    answered = disposition == "ANSWERED"
    return records(
        rows,
        {
            "source_record_id": row_id(),
            "call_id": pl.coalesce("linkedid", "uniqueid"),
            "account_code": pl.col("accountcode"),
            "trunk": peer(pl.col("channel")),
            "caller": pl.coalesce("src", clid_number()),
            "callee": pl.col("dst"),
            "started": pl.col("start"),
            "answered": pl.when(answered).then("answer"),
            "ended": pl.col("end"),
            "duration": pl.when(answered).then("billsec"),
            "outcome": disposition.replace_strict(OUTCOMES, default=None, return_dtype=pl.String),
            "cause_code": pl.col("disposition"),
            "proof_epoch_s": epoch_of(pl.col("uniqueid")),
        },
        faults=(
            when(pl.col("start").is_null(), "no_start_time"),
            when(pl.col("outcome").is_null(), "unknown_disposition"),
        ),
        flags=(
            when(
                ~answered & pl.col("billsec").is_not_null() & (pl.col("billsec") != "0"),
                "billed_unanswered",
            ),
        ),
    )


def row_id() -> pl.Expr:
    """Return what names a row: unique id and, where the file has it, the sequence."""
    both = pl.concat_str("uniqueid", pl.format("-{}", "sequence"), ignore_nulls=True)
    return pl.when(pl.col("uniqueid").is_not_null()).then(both)


def clid_number() -> pl.Expr:
    """Take the number out of `"Name" <number>`, looked at only where `src` is empty."""
    return pl.when(pl.col("src").is_null()).then("clid").str.extract(r"<([^<>]+)>\s*$")


def epoch_of(uniqueid: pl.Expr) -> pl.Expr:
    """Take the second in which the channel was made out of `pbx-1788256800.26`."""
    return uniqueid.str.extract(r"(?:^|-)(\d{9,10})\.\d+$")


def peer(channel: pl.Expr) -> pl.Expr:
    """Take the peer out of `PJSIP/acme-0000001a` or `Local/200@office-0000001a;1`."""
    return channel.str.splitn("/", 2).struct.field("field_1").str.replace(_CHANNEL_NUMBER, "")


_CHANNEL_NUMBER = r"-[0-9a-fA-F]+(?:;[12])?$"

FORMAT = Format(
    name="asterisk_csv",
    title="Asterisk Master.csv (cdr_csv), 15 to 21 columns",
    example=(
        '"acme","+4930901820","+442079460018","from-internal","""Front desk"" <+4930901820>",'
        '"PJSIP/acme-0000001a","PJSIP/carrier-0000001b","Dial","PJSIP/+442079460018@carrier",'
        '"2026-09-01 12:00:00","2026-09-01 12:00:07","2026-09-01 12:01:07",67,60,"ANSWERED",'
        '"DOCUMENTATION","1788256800.26",""'
    ),
    times=Times(Clock.LOCAL, ("%Y-%m-%d %H:%M:%S",)),
    columns=tuple(name for name in LAYOUTS[21] if name in _WANTED),
    notes=__doc__,
    read=_read,
)
"""Times are local, or UTC with `usegmtime=yes`: then the source's zone is UTC."""
