"""Ribbon (Sonus) ACT accounting files: START, STOP and ATTEMPT records.

Each kind has its own number of fields, to which releases add at the end: 172, 223 and 186 in
the oldest that is read, 191, 301 and 217 in SBC Core 12.1. A file has those that most of its
first lines have; a line with another number is set aside as `wrong_column_count`. SIP data
stand with their commas inside one quoted field.

What a record means here:

- START and STOP of one gateway and accounting id are one call, joined within the file; a
  START whose STOP is not there is a call without an end, with the flag `missing_bye`. A
  STOP whose START stood in an earlier file is the whole call by itself, and the store takes
  it as the correction of that START.
- The length is the call service duration, in hundredths of a second; the time of answer
  follows from it.
- An ATTEMPT was not answered; its Q.850 disconnect reason tells the outcome. A call has one for
  each route that was tried: it began with the first, and ended as the last tells.
- Times are local. The zone is written as a label (`GMT-08:00-Pacific(US)`) without regard
  to summer time; where the source's zone never has that offset in the year of the call, the
  flag is `offset_contradicted`. Where a newer release writes the start in local time besides,
  and it is another, the times are UTC: `zone` is `UTC` then, and any other has the flag.
- The caller is the calling number; what stands for a withheld one (`Unavailable`) is a
  name and not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from statistics import multimode
from zoneinfo import ZoneInfo

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.assemble import records, when, with_columns
from cdr.formats.blocks import read_blocks, scan_lines
from cdr.formats.causes import Q850, unanswered
from cdr.formats.delimited import column_count, split_lines
from cdr.formats.dialogs import Dialogs
from cdr.formats.record import Clock, Format, Times
from cdr.schema import Outcome
from cdr.settings import SourceSettings

_FIRST = {"gateway": 2, "accounting_id": 3, "zone_label": 5, "start_date": 6, "start_time": 7}
FIELDS: dict[str, dict[str, int]] = {
    "START": {
        **_FIRST, "calling": 15, "called": 16, "egress_remote_ip": 28, "trunk_group": 29,
        "ingress_remote_ip": 103, "start_local": 190,
    },
    "STOP": {
        **_FIRST, "stop_date": 11, "stop_time": 12, "length_cs": 14, "reason": 15, "calling": 20,
        "called": 21, "egress_remote_ip": 33, "trunk_group": 34, "ingress_remote_ip": 126,
        "start_local": 291,
    },
    "ATTEMPT": {
        **_FIRST, "stop_time": 10, "reason": 12, "calling": 17, "called": 18,
        "egress_remote_ip": 30, "trunk_group": 31, "stop_date": 105, "ingress_remote_ip": 116,
        "start_local": 208,
    },
}  # fmt: skip
"""Place of each field, from 1, by kind of record; found in a real file, and the same in the
fields that Ribbon describes for SBC Core 12.1.6, which alone has `start_local` (from 9.2 on)."""

_FEWEST = {"START": 172, "STOP": 223, "ATTEMPT": 186}
_START_BYTES = 1 << 20  # ours: some hundred records, so that no kind is missing
_WANTED = tuple(dict.fromkeys(name for fields in FIELDS.values() for name in fields))
_BEGINNING = ("start_date", "start_time", "start_local")
_KINDS = {"START": ("INVITE", "200"), "STOP": ("BYE", "200"), "ATTEMPT": ("INVITE", "487")}
"""What each kind is to a dialog: opened, closed, never opened."""

_LAYOUT = "%m/%d/%Y %H:%M:%S%.f"
_OFFSET_STEP = timedelta(minutes=15)  # offsets in use are multiples of it
_YEAR = r"/((?:19|20)[0-9]{2})$"
_MONTHS = range(1, 13)


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    counts = _counts(file)
    dialogs = Dialogs()
    for block in read_blocks(file, block_bytes):
        rows = _split(scan_lines(block).collect(), counts)
        faulty = pl.col("fault").is_not_null()
        whole = dialogs.add(_as_dialog_rows(rows.filter(~faulty)), block.last_line)
        yield pl.concat([records(rows.filter(faulty), {}), _records(whole, source.zone)])
    rest = dialogs.rest()
    if rest is not None:
        yield _records(rest, source.zone)


def _counts(file: Path) -> dict[str, int]:
    """Return how many fields most of the first lines of each kind have; of equals the fewest."""
    start = next(read_blocks(file, _START_BYTES), None)
    lines = [line for line in start.data.decode().split("\n") if line] if start else []
    if lines and not any(line.partition(",")[0] in _FEWEST for line in lines):
        raise FormatError(shown(file), "no line begins with START, STOP or ATTEMPT")
    found: dict[str, list[int]] = {kind: [] for kind in _FEWEST}
    for line in lines:
        kind = line.partition(",")[0]
        if kind in found:
            found[kind].append(column_count(line) or 0)
    return {
        kind: min(multimode(count for count in found[kind] if count >= fewest) or [fewest])
        for kind, fewest in _FEWEST.items()
    }


def _split(lines: pl.DataFrame, counts: dict[str, int]) -> pl.DataFrame:
    """Take each kind of line apart by its own columns; other lines are `not_a_call`."""
    lines = lines.with_columns(kind=pl.col("raw").str.extract(r"^([A-Z]+),"))
    parts = []
    for kind, places in FIELDS.items():
        names = [str(place) for place in range(1, counts[kind] + 1)]
        there = {name: place for name, place in places.items() if place <= counts[kind]}
        of_kind = lines.filter(pl.col("kind") == kind).drop("kind")
        rows = split_lines(of_kind, names, [str(place) for place in there.values()])
        parts.append(
            rows.select(
                "line",
                "raw",
                "fault",
                pl.lit(kind).alias("kind"),
                *(pl.col(str(place)).alias(name) for name, place in there.items()),
            )
        )
    other = lines.filter(~pl.col("kind").is_in(list(FIELDS)).fill_null(False))
    fault = pl.when("cut").then(pl.lit("cut_short")).otherwise(pl.lit("not_a_call"))
    parts.append(other.select("line", "raw", fault=pl.coalesce("fault", fault)))
    rows = pl.concat(parts, how="diagonal").sort("line")
    lost = when(pl.col("accounting_id").is_null(), "no_call_id")
    return with_columns(rows, _WANTED).with_columns(fault=pl.coalesce("fault", lost))


def _as_dialog_rows(rows: pl.DataFrame) -> pl.DataFrame:
    method, code = ({kind: said[place] for kind, said in _KINDS.items()} for place in (0, 1))
    return rows.select(
        pl.all(),
        method=pl.col("kind").replace_strict(method, return_dtype=pl.String),
        sip_code=pl.col("kind").replace_strict(code, return_dtype=pl.String),
        callid=pl.concat_str("gateway", "accounting_id", separator=";", ignore_nulls=True),
        from_tag=pl.lit(None, dtype=pl.String),
        to_tag=pl.lit(None, dtype=pl.String),
        closes=pl.lit(value=False),
    ).rename({"kind": "record"})


def _records(rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Make one record of each call: its STOP, else its last ATTEMPT, else its START.

    It began with its first ATTEMPT: else it would be another call when its file comes again with
    one more.
    """
    rank = pl.col("record").replace_strict({"STOP": 0, "ATTEMPT": 1, "START": 2})
    tried = pl.when(pl.col("record") == "ATTEMPT").then(-pl.col("line")).otherwise("line")
    rows = rows.with_columns(rank=rank, tried=tried).sort("dialog", "part", "rank", "tried")
    tried_only = pl.col("record").first() == "ATTEMPT"
    first_try = pl.col(_BEGINNING).filter(pl.col("record") == "ATTEMPT").last()
    calls = rows.group_by("dialog", "part", maintain_order=True).agg(
        pl.all().exclude("dialog", "part", "line", "raw", *_BEGINNING).first(),
        pl.when(tried_only).then(first_try).otherwise(pl.col(_BEGINNING).first()),
        pl.col("line").min(),
        pl.len().alias("source_rows"),
        pl.col("raw").sort_by("line").str.join("\n"),
    )
    calls = calls.with_columns(started=_instant("start"))
    calls = calls.with_columns(in_utc=_in_utc().fill_null(value=False))
    answered = pl.col("record") != "ATTEMPT"
    length = pl.col("length_cs").cast(pl.Decimal(18, 2), strict=False) / 100
    return records(
        calls,
        {
            "source_record_id": pl.col("callid"),
            "call_id": pl.col("callid"),
            "trunk": pl.col("trunk_group"),
            "caller": pl.col("calling"),
            "callee": pl.col("called"),
            "caller_ip": _known_ip("ingress_remote_ip"),
            "callee_ip": _known_ip("egress_remote_ip"),
            "started": pl.col("started"),
            "ended": _instant("stop"),
            "duration": pl.when(answered).then(length.cast(pl.String)),
            "outcome": pl.when(answered)
            .then(pl.lit(Outcome.ANSWERED.value))
            .otherwise(unanswered(pl.col("reason"), Q850)),
            "cause_code": pl.col("reason"),
            "proof_epoch_s": pl.when("in_utc").then(_time("started").dt.epoch("s").cast(pl.String)),
        },
        faults=(
            when(pl.col("part") > 0, "too_many_rows"),
            when(pl.col("started").is_null(), "no_start_time"),
            when(pl.col("outcome").is_null(), "no_hangup_cause"),
        ),
        flags=(
            when(pl.col("record") == "START", "missing_bye"),
            when(
                ~pl.col("in_utc") & _contradicts(calls["start_date"], zone),
                "offset_contradicted",
            ),
        ),
    )


def _instant(event: str) -> pl.Expr:
    return pl.concat_str(f"{event}_date", f"{event}_time", separator=" ")


def _time(name: str) -> pl.Expr:
    return pl.col(name).str.to_datetime(_LAYOUT, strict=False)


def _in_utc() -> pl.Expr:
    """Tell where the start in local time, which newer releases add, is another than the start."""
    return (_time("start_local") - _time("started")).abs() >= _OFFSET_STEP


def _known_ip(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "0.0.0.0").then(name)


def _label_offset_s() -> pl.Expr:
    """Read the offset out of `GMT-08:00-Pacific(US)`, in seconds."""
    parts = pl.col("zone_label").str.extract_groups(r"^GMT([+-])(\d\d):(\d\d)")
    hours, minutes = (
        parts.struct.field(place).cast(pl.Int64, strict=False) for place in ("2", "3")
    )
    sign = pl.when(parts.struct.field("1") == "-").then(-1).otherwise(1)
    return sign * (hours * 3600 + minutes * 60)


def _contradicts(dates: pl.Series, zone: str) -> pl.Expr:
    """Tell where the label's offset is none that the zone has in the year of the date."""
    years = dates.str.extract(_YEAR).cast(pl.Int64).unique().drop_nulls().to_list()
    known = [(year, _offsets_s(zone, year)) for year in years]
    of_year = pl.col("start_date").str.extract(_YEAR).cast(pl.Int64)
    return pl.any_horizontal(
        pl.lit(value=False),
        *((of_year == year) & ~_label_offset_s().is_in(offsets) for year, offsets in known),
    )


@cache
def _offsets_s(zone: str, year: int) -> list[int]:
    """Return the offsets that a zone has in a year, looked at twice a month."""
    clock = ZoneInfo(zone)
    days = [datetime(year, month, day, 12, tzinfo=clock) for month in _MONTHS for day in (1, 15)]
    return sorted({int((day.utcoffset() or timedelta()).total_seconds()) for day in days})


def _example() -> str:
    said = {
        "gateway": "GSX1",
        "accounting_id": "0x0001042B00000012",
        "zone_label": "GMT+01:00-Berlin",
        "start_date": "09/01/2026",
        "start_time": "12:00:00.5",
        "stop_date": "09/01/2026",
        "stop_time": "12:01:07.5",
        "length_cs": "6000",
        "reason": "16",
        "calling": "4930901820",
        "called": "442079460018",
        "trunk_group": "ACME",
        "ingress_remote_ip": "192.0.2.10",
    }
    values = {place: said.get(name, "") for name, place in FIELDS["STOP"].items()}
    fields = (values.get(place, "") for place in range(2, _FEWEST["STOP"] + 1))
    return ",".join(("STOP", *fields))


FORMAT = Format(
    name="ribbon_act",
    title="Ribbon (Sonus) ACT accounting files: START, STOP, ATTEMPT",
    example=_example(),
    times=Times(Clock.LOCAL, (_LAYOUT,)),
    columns=_WANTED,
    notes=__doc__,
    read=_read,
)
"""A STOP without its START is a whole call: the START may stand in the file before."""
