"""FreeSWITCH's `mod_cdr_csv`: one line a channel, columns as its template puts them.

Without `header` in the settings the columns are those of the template `example` that
FreeSWITCH is delivered with: 13, or 14 or 15 with the codecs. For another template name
its variables, in order and without `${}`, as `header` of the source. What a row means:

- Times are `start_stamp`, `answer_stamp` and `end_stamp`, local; where the template has
  `start_epoch` as well, it proves the offset.
- A row with an answer time is answered; else its hangup cause tells the outcome.
- A unique id that comes again with another `bleg_uuid` or hangup cause is another leg
  of the call, numbered in the order of the file; the same row again keeps its number.
- `${...}` values are not quoted by FreeSWITCH: a name with a quote in it breaks the line,
  which is set aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, SettingsError, shown
from cdr.formats.assemble import records, when, with_columns
from cdr.formats.blocks import read_blocks, read_sample
from cdr.formats.causes import FREESWITCH, unanswered
from cdr.formats.delimited import layout_of, split_columns
from cdr.formats.freeswitch_json import DIRECTIONS
from cdr.formats.legs import LegCounter
from cdr.formats.record import ISO_LAYOUTS, Clock, Format, Times
from cdr.schema import Outcome
from cdr.settings import SourceSettings

TEMPLATE = (
    "caller_id_name", "caller_id_number", "destination_number", "context", "start_stamp",
    "answer_stamp", "end_stamp", "duration", "billsec", "hangup_cause", "uuid", "bleg_uuid",
    "accountcode", "read_codec", "write_codec",
)  # fmt: skip
"""The template `example` of FreeSWITCH's `cdr_csv.conf.xml`."""

_NEEDED = ("caller_id_number", "destination_number", "start_stamp", "answer_stamp", "end_stamp",
           "hangup_cause", "uuid")  # fmt: skip
COLUMNS = (
    *_NEEDED, "bleg_uuid", "duration", "billsec", "billmsec", "accountcode", "start_epoch",
    "call_direction", "call_uuid", "sip_gateway_name", "network_addr", "sip_network_ip",
    "remote_media_ip",
)  # fmt: skip


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    layout = _layout_of(file, source)
    counter = LegCounter()
    for block in read_blocks(file, block_bytes):
        rows = with_columns(split_columns(block, layout, COLUMNS), COLUMNS)
        part = pl.concat_str("bleg_uuid", "hangup_cause", separator=";", ignore_nulls=True)
        rows = counter.number(rows.with_columns(part=part), "uuid", "part")
        yield _records(rows)


def _layout_of(file: Path, source: SourceSettings) -> tuple[str, ...]:
    if source.header:
        if lacking := [name for name in _NEEDED if name not in source.header]:
            raise SettingsError("header", [f"lacks {name}" for name in lacking])
        return source.header
    sample = read_sample(file)
    layout = layout_of(sample, {count: TEMPLATE[:count] for count in (13, 14, 15)})
    if layout is None and sample.data.strip():
        raise FormatError(
            shown(file),
            "no line has the 13 to 15 columns of FreeSWITCH's usual template; "
            "name the columns of yours as `header` of the source",
        )
    return layout or TEMPLATE


def _records(rows: pl.DataFrame) -> pl.DataFrame:
    answered = pl.col("answer_stamp").is_not_null()
    cause = pl.col("hangup_cause").str.to_uppercase()
    exact = pl.col("billmsec").cast(pl.Decimal(18, 3), strict=False) / 1000
    return records(
        rows,
        {
            "source_record_id": pl.col("uuid"),
            "call_id": pl.coalesce("call_uuid", "uuid"),
            "leg": pl.col("leg"),
            "account_code": pl.col("accountcode"),
            "trunk": pl.col("sip_gateway_name"),
            "direction": pl.col("call_direction").replace_strict(
                DIRECTIONS, default=None, return_dtype=pl.String
            ),
            "caller": pl.col("caller_id_number"),
            "callee": pl.col("destination_number"),
            "caller_ip": pl.coalesce("network_addr", "sip_network_ip"),
            "callee_ip": pl.col("remote_media_ip"),
            "started": pl.col("start_stamp"),
            "answered": pl.col("answer_stamp"),
            "ended": pl.col("end_stamp"),
            "duration": pl.when(answered).then(pl.coalesce(exact.cast(pl.String), "billsec")),
            "elapsed": pl.col("duration"),
            "outcome": pl.when(answered)
            .then(pl.lit(Outcome.ANSWERED.value))
            .otherwise(unanswered(cause, FREESWITCH)),
            "cause_code": pl.col("hangup_cause"),
            "proof_epoch_s": pl.col("start_epoch"),
        },
        faults=(
            when(pl.col("started").is_null(), "no_start_time"),
            when(pl.col("outcome").is_null(), "no_hangup_cause"),
        ),
    )


FORMAT = Format(
    name="freeswitch_csv",
    title="FreeSWITCH mod_cdr_csv, 13 to 15 columns or those of `header`",
    example=(
        '"Front desk","+4930901820","+442079460018","public","2026-09-01 12:00:00",'
        '"2026-09-01 12:00:07","2026-09-01 12:01:07","67","60","NORMAL_CLEARING",'
        '"0b6f3a52-7a0e-4b7e-9f1e-3f4b8f0c2d11","","acme"'
    ),
    times=Times(Clock.LOCAL, ISO_LAYOUTS[Clock.LOCAL]),
    columns=COLUMNS,
    notes=__doc__,
    read=_read,
)
