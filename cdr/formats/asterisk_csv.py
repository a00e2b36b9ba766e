"""Asterisk's `Master.csv`, as `cdr_csv` or `cdr_custom` writes it: 15 to 21 columns, no header.

Sixteen columns are always there; `loguniqueid`, `loguserfield` and `newcdrcolumns`
of `cdr.conf` add 1, 1 and 3. Some builds have no `accountcode`. `cdr_custom` as it is delivered
has 18 or 19 columns and begins with `clid`. A file has one layout:
of those with the number of columns most of its first lines have, the one whose start time
and caller id stand where they should and whose unique ids are such (`1788256800.26`, or never the
same twice); other lines are faults. Another mapping of `cdr_custom` is read as `plain_csv` with
`header`.

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

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.assemble import records, when
from cdr.formats.blocks import read_blocks, read_sample
from cdr.formats.delimited import column_count, header_of, layout_of, split_columns, without_headers
from cdr.formats.legs import LegCounter
from cdr.formats.record import Clock, Format, Times
from cdr.schema import Outcome
from cdr.settings import SourceSettings

_ALWAYS = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp",
    "lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags",
)  # fmt: skip
_NEW = ("peeraccount", "linkedid", "sequence")
_ADDED = ((), ("uniqueid",), ("uniqueid", "userfield"), ("userfield",))
_CUSTOM = (
    "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata",
    "start", "answer", "end", "duration", "billsec", "disposition", "amaflags",
    "accountcode", "uniqueid", "userfield",
)  # fmt: skip
LAYOUTS: tuple[tuple[str, ...], ...] = (
    *(
        (*always, *added, *new)
        for always in (_ALWAYS, _ALWAYS[1:])
        for added in _ADDED
        for new in ((), _NEW)
    ),
    _CUSTOM,
    (*_CUSTOM, "sequence"),
)
"""Columns of a row (Asterisk, `cdr/cdr_csv.c`, `configs/samples/cdr_custom.conf.sample`); of equal
ones, the more usual first."""

_WANTED = {
    "accountcode", "src", "dst", "clid", "channel", "dstchannel", "start", "answer", "end",
    "billsec", "disposition", "uniqueid", "linkedid", "sequence",
}  # fmt: skip

KEYS = ("uniqueid", "sequence")

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
        rows = without_headers(split_columns(block, layout, _WANTED, keys=KEYS), layout)
        missing = _WANTED.difference(rows.columns)
        rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in missing)
        if counter:
            rows = counter.number(rows, "uniqueid", "dstchannel")
        yield _records(rows)


def _layout_of(file: Path) -> tuple[str, ...]:
    sample = read_sample(file)
    by_count = {len(layout): layout for layout in reversed(LAYOUTS)}
    usual = layout_of(sample, by_count)
    if usual is None and sample.data.strip():
        raise FormatError(
            shown(file),
            "no line has the 15 to 21 columns of Asterisk's Master.csv; "
            "for a file with a header use format asterisk_table or plain_csv",
        )
    rows = [
        row
        for line in sample.data.decode().split("\n")
        if column_count(line) and len(row := header_of(line, ",")) == len(usual or ())
    ]
    fitting = [layout for layout in LAYOUTS if len(layout) == len(usual or ())]
    return max(fitting, key=lambda layout: _fit(layout, rows), default=_ALWAYS)


def _fit(layout: tuple[str, ...], rows: Sequence[Sequence[str]]) -> tuple[int, int, int]:
    """Tell how well a layout fits rows: times and outcomes, caller ids, and unique ids in place."""
    start, end = layout.index("start"), layout.index("disposition")
    clid, src = layout.index("clid"), layout.index("src")
    in_place = sum(
        bool(re.match(_TIME, row[start])) + (row[end].upper() in OUTCOMES) for row in rows
    )
    callers = sum("<" in row[clid] or row[clid] == row[src] for row in rows)
    if "uniqueid" not in layout:
        return in_place, callers, 0
    ids = [row[layout.index("uniqueid")] for row in rows]
    are_ids = any(re.search(_UNIQUE_ID, each) for each in ids)
    return in_place, callers, 1 if are_ids or (all(ids) and len(set(ids)) == len(ids)) else -1


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
    return uniqueid.str.extract(_UNIQUE_ID)


def peer(channel: pl.Expr) -> pl.Expr:
    """Take the peer out of `PJSIP/acme-0000001a` or `Local/200@office-0000001a;1`."""
    return channel.str.splitn("/", 2).struct.field("field_1").str.replace(_CHANNEL_NUMBER, "")


_UNIQUE_ID = r"(?:^|-)(\d{9,10})\.\d+$"
_TIME = r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[ T]"
_CHANNEL_NUMBER = r"-[0-9a-fA-F]+(?:;[12])?$"

FORMAT = Format(
    name="asterisk_csv",
    title="Asterisk Master.csv (cdr_csv, cdr_custom), 15 to 21 columns",
    example=(
        '"acme","+4930901820","+442079460018","from-internal","""Front desk"" <+4930901820>",'
        '"PJSIP/acme-0000001a","PJSIP/carrier-0000001b","Dial","PJSIP/+442079460018@carrier",'
        '"2026-09-01 12:00:00","2026-09-01 12:00:07","2026-09-01 12:01:07",67,60,"ANSWERED",'
        '"DOCUMENTATION","1788256800.26",""'
    ),
    times=Times(Clock.LOCAL, ("%Y-%m-%d %H:%M:%S",)),
    columns=tuple(name for name in (*_ALWAYS, "uniqueid", *_NEW) if name in _WANTED),
    notes=__doc__,
    read=_read,
)
"""Times are local, or UTC with `usegmtime=yes`: then the source's zone is UTC."""
