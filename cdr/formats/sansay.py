"""Sansay VSX and VSXi: fields separated by semicolons, no header.

Releases add fields at the end; a file has one number of them, 58 to 80. What a record
means here:

- Times are `Tue Sep 01 12:00:00 2026`, local; 1970 and 1969 are never. The length follows from
  answer and release, since the fields that hold it differ between releases.
- A record with an answer time is answered; else the release cause (1 to 4), the SIP code or
  the Q.850 cause tells the outcome.
- A session has a record for each trunk that was tried: they share the session id and are
  told apart by the record's number. Session ids of two switches may be the same, so each
  switch is a source of its own.
- What names a record stands in its first eight fields, so a last line that breaks off in its last
  field lacks nothing of that.
- Audit records (type `A`) are set aside as `not_a_call`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.assemble import records, when
from cdr.formats.blocks import read_blocks, read_sample
from cdr.formats.causes import Q850, SIP, unanswered
from cdr.formats.delimited import layout_of, split_columns
from cdr.formats.record import Clock, Format, Times
from cdr.schema import Outcome
from cdr.settings import SourceSettings

_PLACES = {
    "number": 1, "type": 3, "session_id": 5, "release_cause": 6, "started": 7, "answered": 8,
    "released": 9, "protocol_text": 11, "protocol_cause": 12, "trunk_id": 14, "protocol": 15,
    "caller": 16, "callee": 18, "caller_media_ip": 21, "callee_media_ip": 40,
}  # fmt: skip
"""Place of each field, from 1 (Sansay, VSXi CDR Specification)."""

_FIELDS = range(58, 81)
_RELEASE_CAUSES = {
    "2": Outcome.CANCELLED.value,
    "3": Outcome.NO_ANSWER.value,
    "4": Outcome.NO_ANSWER.value,
}
"""Sansay, VSXi CDR Specification, section 2.4: given up by the caller, by the called side, by
the system. From 400 on the call could not be routed."""


def _columns(count: int) -> tuple[str, ...]:
    names = {place: name for name, place in _PLACES.items()}
    return tuple(names.get(place, f"field {place}") for place in range(1, count + 1))


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    sample = read_sample(file)
    layout = layout_of(sample, {count: _columns(count) for count in _FIELDS}, separator=";")
    if layout is None and sample.data.strip():
        raise FormatError(shown(file), "no line has the 58 to 80 fields of Sansay, between `;`")
    for block in read_blocks(file, block_bytes):
        rows = split_columns(block, layout or _columns(60), _PLACES, separator=";")
        yield _records(rows)


def _records(rows: pl.DataFrame) -> pl.DataFrame:
    answer = _instant("answered")
    answered = answer.is_not_null()
    cause = pl.col("protocol_cause").str.strip_chars_start("0")
    by_protocol = (
        pl.when(cause.str.len_chars() == 3)
        .then(unanswered(cause, SIP))
        .when(cause != "")
        .then(unanswered(cause, Q850))
    )
    release = pl.col("release_cause").str.strip_chars_start("0")
    by_release = release.replace_strict(_RELEASE_CAUSES, default=None, return_dtype=pl.String)
    return records(
        rows,
        {
            "source_record_id": pl.concat_str("session_id", "number", separator=";"),
            "call_id": pl.col("session_id"),
            "account_code": pl.col("trunk_id"),
            "trunk": pl.col("trunk_id"),
            "caller": pl.col("caller"),
            "callee": pl.col("callee"),
            "caller_ip": pl.col("caller_media_ip"),
            "callee_ip": pl.col("callee_media_ip"),
            "started": _instant("started"),
            "answered": answer,
            "ended": _instant("released"),
            "outcome": pl.when(answered)
            .then(pl.lit(Outcome.ANSWERED.value))
            .otherwise(pl.coalesce(by_release, by_protocol, pl.lit(Outcome.FAILED.value))),
            "cause_code": pl.coalesce("protocol_text", "release_cause"),
        },
        faults=(
            when(pl.col("type") == "A", "not_a_call"),
            when(pl.col("started").is_null(), "no_start_time"),
        ),
    )


def _instant(name: str) -> pl.Expr:
    """Write single blanks between the parts of a time; 1970 is never, as is its eve in America."""
    text = pl.col(name).str.replace_all(r" +", " ")
    never = text.str.ends_with(" 1970") | text.str.ends_with(" 1969")
    return pl.when(~never).then(text)


def _example() -> str:
    said = {
        1: "002452502", 2: "V1.10", 3: "R", 4: "WithMedia", 5: "181-1788256800@192.0.2.28",
        6: "0001", 7: "Tue Sep 01 12:00:00 2026", 8: "Tue Sep 01 12:00:07 2026",
        9: "Tue Sep 01 12:01:07 2026", 11: "EndedByRemoteUser", 12: "3", 13: "T", 14: "000200",
        15: "SIP", 16: "+4930901820", 17: "192.0.2.38", 18: "+442079460018", 19: "192.0.2.28",
        21: "192.0.2.10", 40: "198.51.100.7",
    }  # fmt: skip
    return ";".join(said.get(place, "") for place in range(1, 61))


FORMAT = Format(
    name="sansay",
    title="Sansay VSX and VSXi, semicolons, 58 to 80 fields",
    example=_example(),
    times=Times(Clock.LOCAL, ("%a %b %d %H:%M:%S %Y",)),
    columns=tuple(_PLACES),
    notes=__doc__,
    read=_read,
)
"""`account_from = "trunk"` finds the customer by the trunk the call came in on."""
