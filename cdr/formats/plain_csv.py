"""A plain CSV with a header: one row a call, columns by name.

The names are ours (`COLUMNS`) or those that `columns` of the source maps to ours.
Separators are `,`, `;`, `|` or a tab: the one with which the header has the columns
that are needed. `plain_csv` has local times, `plain_csv_offset` times with an offset
from UTC (`+02:00`, `Z`): two formats, so that nobody has to guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.assemble import records, when
from cdr.formats.blocks import read_blocks
from cdr.formats.record import ISO_LAYOUTS, Clock, Format, Times
from cdr.formats.table import read_header, split_table
from cdr.schema import Outcome
from cdr.settings import SourceSettings

COLUMNS: dict[str, str] = {
    "record_id": "source_record_id",
    "call_id": "call_id",
    "account_id": "account_code",
    "trunk": "trunk",
    "direction": "direction",
    "media": "media",
    "caller": "caller",
    "callee": "callee",
    "caller_ip": "caller_ip",
    "callee_ip": "callee_ip",
    "forwarded_to": "forwarded_to",
    "started_at": "started",
    "answered_at": "answered",
    "ended_at": "ended",
    "duration_s": "duration",
    "outcome": "outcome",
    "disposition": "outcome",
    "cause_code": "cause_code",
}
"""Our name of each column, and what of a record it is. `outcome` and `disposition` are
two names for one thing; the first counts where a file has both."""

_NEEDED = ("caller", "callee", "started_at")
_OUTCOMES = {
    **{outcome.value: outcome for outcome in Outcome},
    "answer": Outcome.ANSWERED,
    "connected": Outcome.ANSWERED,
    "completed": Outcome.ANSWERED,
    "ok": Outcome.ANSWERED,
    "noanswer": Outcome.NO_ANSWER,
    "unanswered": Outcome.NO_ANSWER,
    "not_answered": Outcome.NO_ANSWER,
    "missed": Outcome.NO_ANSWER,
    "user_busy": Outcome.BUSY,
    "declined": Outcome.REJECTED,
    "call_rejected": Outcome.REJECTED,
    "congestion": Outcome.FAILED,
    "error": Outcome.FAILED,
    "chanunavail": Outcome.FAILED,
    "canceled": Outcome.CANCELLED,
    "cancel": Outcome.CANCELLED,
    "originator_cancel": Outcome.CANCELLED,
}
"""In lower case, with `_` for space and hyphen. The synonyms are those of Asterisk's
`disposition` and `DIALSTATUS`, FreeSWITCH's causes and common reports."""

_DIRECTIONS = {
    "outbound": "outbound",
    "out": "outbound",
    "outgoing": "outbound",
    "inbound": "inbound",
    "in": "inbound",
    "incoming": "inbound",
    "internal": "internal",
    "local": "internal",
}


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    header = read_header(file, source, columns=COLUMNS, needed=_NEEDED)
    if header is None:
        return
    lacking = {"duration_s", "answered_at", "ended_at"}.difference(header.columns)
    if "duration_s" in lacking and len(lacking) > 1:
        raise FormatError(
            shown(file), "the header has neither duration_s nor answered_at and ended_at"
        )
    if not {"outcome", "disposition"}.intersection(header.columns):
        raise FormatError(shown(file), "the header has neither outcome nor disposition")
    for block in read_blocks(file, block_bytes):
        yield _records(split_table(block, header, COLUMNS))


def _records(rows: pl.DataFrame) -> pl.DataFrame:
    rows = rows.with_columns(
        pl.lit(None, dtype=pl.String).alias(name) for name in COLUMNS if name not in rows.columns
    )
    said = pl.coalesce("outcome", "disposition")
    columns = {ours: pl.col(theirs) for theirs, ours in COLUMNS.items()}
    columns |= {
        "direction": _translated(pl.col("direction"), _DIRECTIONS),
        "media": pl.col("media").str.to_lowercase(),
        "outcome": _translated(said, _OUTCOMES),
    }
    return records(
        rows,
        columns,
        faults=(
            when(pl.col("started").is_null(), "no_start_time"),
            when(pl.col("outcome").is_null(), "unknown_outcome"),
        ),
    )


def _translated(text: pl.Expr, words: Mapping[str, str]) -> pl.Expr:
    word = text.str.strip_chars().str.to_lowercase().str.replace_all(r"[ -]", "_")
    return word.replace_strict(words, default=None, return_dtype=pl.String)


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
