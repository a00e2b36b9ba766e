"""3CX: one line a call, columns as its CDR settings put them, no header.

Without `header` in the settings the columns are 3CX's own in its order, 20 or all 27.
What a row means here:

- Times are `2026/09/01 12:00:00`; whether local or UTC is a setting of 3CX, so it is the
  source's zone. `HH:MM:SS` is the length where a time is missing.
- `Ext.100` is the extension 100; the number stands behind the last colon of a chain.
- A call that was transferred or forwarded has its last number in `final-number`; `EndCall` is none.
- A row with a time of answer is answered; else the reason for its end tells the outcome.
- `historyid` joins the rows of a call, `callid` names the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.assemble import records, when, with_columns
from cdr.formats.blocks import read_blocks, read_sample
from cdr.formats.delimited import layout_of, split_columns, without_headers
from cdr.formats.legs import LegCounter
from cdr.formats.record import Clock, Format, Times
from cdr.formats.table import check_declared
from cdr.schema import Outcome
from cdr.settings import SourceSettings

ALL = (
    "historyid", "callid", "duration", "time-start", "time-answered", "time-end",
    "reason-terminated", "from-no", "to-no", "from-dn", "to-dn", "dial-no", "reason-changed",
    "final-number", "final-dn", "bill-code", "bill-rate", "bill-cost", "bill-name", "chain",
    "from-type", "to-type", "final-type", "from-dispname", "to-dispname", "final-dispname",
    "missed-queue-calls",
)  # fmt: skip
"""Columns in 3CX's own order (3CX, CDR Call Data Records)."""

NEEDED = ("callid", "time-start", "time-answered", "time-end", "reason-terminated", "from-no",
           "to-no")  # fmt: skip
COLUMNS = (*NEEDED, "historyid", "duration", "dial-no", "final-number", "bill-code", "from-type")

_KEYS = ("callid", "time-start", "to-no")
"""They name a row, the last two its leg."""

_OUTCOMES = {
    "busy": Outcome.BUSY.value,
    "noanswer": Outcome.NO_ANSWER.value,
    "terminatedbysrc": Outcome.CANCELLED.value,
    "terminatedbydst": Outcome.NO_ANSWER.value,
    "srcparticipantterminated": Outcome.CANCELLED.value,
    "dstparticipantterminated": Outcome.NO_ANSWER.value,
    "cancelled": Outcome.CANCELLED.value,
    "rejected": Outcome.REJECTED.value,
    "forbidden": Outcome.REJECTED.value,
}
"""Reasons for the end of a call nobody answered, in lower case without blanks and `_`; every
other one is a failure. Version 16 writes `Failed_` before some of them, version 20
`src_participant_terminated`."""


_NOBODY = "EndCall"
"""What 3CX calls the last number of a call that it ended itself."""


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    layout = _layout_of(file, source)
    counter = LegCounter()
    for block in read_blocks(file, block_bytes):
        rows = without_headers(split_columns(block, layout, COLUMNS, keys=_KEYS), layout)
        rows = with_columns(rows, COLUMNS)
        rows = rows.with_columns(part=pl.concat_str("time-start", "to-no", ignore_nulls=True))
        yield _records(counter.number(rows, "callid", "part"))


def _layout_of(file: Path, source: SourceSettings) -> tuple[str, ...]:
    if source.header:
        check_declared("header", source.header, columns=COLUMNS, needed=NEEDED)
        return source.header
    sample = read_sample(file)
    layout = layout_of(sample, {count: ALL[:count] for count in (20, 27)})
    if layout is None and sample.data.strip():
        raise FormatError(
            shown(file),
            "no line has the 20 or 27 columns of 3CX; name yours as `header` of the source",
        )
    return layout or ALL


def _records(rows: pl.DataFrame) -> pl.DataFrame:
    answered = pl.col("time-answered").is_not_null()
    reason = pl.col("reason-terminated").str.to_lowercase().str.replace_all(r"[ _]", "")
    reason = reason.str.replace(r"^failed(.)", "${1}")
    dialled = _number(pl.coalesce("dial-no", "to-no"))
    final = pl.when(pl.col("final-number") != _NOBODY).then(_number(pl.col("final-number")))
    timed = answered & pl.col("time-end").is_not_null()
    outcome = reason.replace_strict(_OUTCOMES, default=Outcome.FAILED.value)
    return records(
        rows,
        {
            "source_record_id": pl.col("callid"),
            "call_id": pl.coalesce("historyid", "callid"),
            "leg": pl.col("leg"),
            "account_code": pl.col("bill-code"),
            "direction": when(
                pl.col("from-type").str.to_lowercase().str.contains("line"), "inbound"
            ),
            "caller": _number(pl.col("from-no")),
            "callee": dialled,
            "forwarded_to": pl.when(final != dialled).then(final),
            "started": pl.col("time-start"),
            "answered": pl.col("time-answered"),
            "ended": pl.col("time-end"),
            "duration": pl.when(answered & ~timed).then(_seconds(pl.col("duration"))),
            "outcome": pl.when(answered)
            .then(pl.lit(Outcome.ANSWERED.value))
            .when(reason.is_not_null())
            .then(outcome),
            "cause_code": pl.col("reason-terminated"),
        },
        faults=(
            when(pl.col("started").is_null(), "no_start_time"),
            when(pl.col("outcome").is_null(), "no_hangup_cause"),
        ),
    )


def _number(party: pl.Expr) -> pl.Expr:
    """Take `100` out of `Ext.100`, and the number out of `Line:10000>+4930901820`."""
    return party.str.replace(r"^Ext\.", "").str.replace(r"^.*[:>]", "")


def _seconds(clock: pl.Expr) -> pl.Expr:
    """Read `HH:MM:SS` as seconds; other text stays as it is, to be set aside."""
    parts = clock.str.extract_groups(r"^(\d{1,4}):(\d\d):(\d\d)$")
    hours, minutes, seconds = (
        parts.struct.field(place).cast(pl.Int64, strict=False) for place in ("1", "2", "3")
    )
    total = (hours * 3600 + minutes * 60 + seconds).cast(pl.String)
    return pl.coalesce(total, clock)


FORMAT = Format(
    name="threecx",
    title="3CX call data records, 20 or 27 columns or those of `header`",
    example=(
        "Call 1042,00000174D5D7E1AF_1042,00:01:00,2026/09/01 12:00:00,2026/09/01 12:00:07,"
        "2026/09/01 12:01:07,TerminatedByDst,Ext.100,+442079460018,100,10000,+442079460018,,,,"
        "acme,,,,Chain: Ext.100;+442079460018;"
    ),
    times=Times(Clock.LOCAL, ("%Y/%m/%d %H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")),
    columns=COLUMNS,
    notes=__doc__,
    read=_read,
)
"""The bill code is taken for the account; `account_from = "sip_user"` or `"number"` do without."""
