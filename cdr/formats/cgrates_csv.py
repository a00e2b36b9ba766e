"""CGRateS CDR exports as CSV: with a header, or the columns of a template.

Without a line of names they are the 14 of the default template, or what `header` of the source
names.

What a row means here:

- CGRateS writes one CDR for each rating run of a call; only `*default` is the call, or, where the
  first lines of a file have none, `*raw`, as one that rates nothing writes it. Rows of other runs
  are set aside as `rating_run`, of other types than `*voice` as `not_a_call`.
- Times are `2026-09-01 10:00:00 +0000 UTC` or RFC 3339; the year 1 is never. Usage is
  Go's notation (`10s`, `1m30s`); a bare number but 0 has no unit and sets the row aside.
- A row with usage or an answer time is answered; of the others CGRateS does not say why.
- Partial records share origin host, origin id and start; the last one says what the whole
  call was, so the store takes it as the correction of those before.
- The account is the tenant's: `tenant:account`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.assemble import records, when, with_columns
from cdr.formats.blocks import read_blocks, read_sample
from cdr.formats.delimited import layout_of, split_columns, without_headers
from cdr.formats.record import Clock, Format, Times
from cdr.formats.table import Header, declared_header, first_line, read_header, split_table
from cdr.schema import Outcome
from cdr.settings import SourceSettings

_DEFAULT = (
    "cgrid", "runid", "tor", "originid", "requesttype", "tenant", "category", "account",
    "subject", "destination", "setuptime", "answertime", "usage", "cost",
)  # fmt: skip
"""Columns of the exporter's default template (CGRateS, `config_defaults.go`)."""

_NEEDED = ("originid", "destination", "setuptime", "answertime", "usage")
COLUMNS = (
    *_NEEDED, "cgrid", "runid", "tor", "originhost", "tenant", "account", "subject",
)  # fmt: skip

_RATED, _UNRATED = "*default", "*raw"
"""Runs that are a call as such: the switch's record is `*raw` until it is rated, and both are kept
(CGRateS, `engine/cdrs.go`)."""

_KEYS = ("originhost", "originid", "setuptime", "answertime")
"""They name a row; the time of answer stands for one without time of set-up."""


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    header = _header_of(file, source)
    if header is None:
        _check(file)
    run = _RATED if _RATED.encode() in read_sample(file).data else _UNRATED
    for block in read_blocks(file, block_bytes):
        rows = (
            split_table(block, header, COLUMNS, keys=_KEYS)
            if header
            else without_headers(split_columns(block, _DEFAULT, COLUMNS, keys=_KEYS), _DEFAULT)
        )
        yield _records(with_columns(rows, COLUMNS), run)


def _header_of(file: Path, source: SourceSettings) -> Header | None:
    if source.header:
        return declared_header(file, source, columns=COLUMNS, needed=_NEEDED)
    if source.columns.get("originid", "originid").casefold() in first_line(file).casefold():
        return read_header(file, source, columns=COLUMNS, needed=_NEEDED)
    return None


def _check(file: Path) -> None:
    sample = read_sample(file)
    if sample.data.strip() and layout_of(sample, {14: _DEFAULT}) is None:
        raise FormatError(
            shown(file),
            "has neither a header nor the 14 columns of an export; name those of its template as "
            "`header` of the source",
        )


def _records(rows: pl.DataFrame, run: str) -> pl.DataFrame:
    seconds = _seconds(pl.col("usage"))
    answer = _instant("answertime")
    answered = answer.is_not_null() | (seconds > 0).fill_null(False)
    start = pl.coalesce(_instant("setuptime"), answer)
    return records(
        rows,
        {
            "source_record_id": pl.concat_str(
                "originhost", "originid", separator=";", ignore_nulls=True
            ),
            "call_id": pl.col("originid"),
            "account_code": pl.concat_str("tenant", "account", separator=":", ignore_nulls=True),
            "caller": pl.coalesce("subject", "account"),
            "callee": pl.col("destination"),
            "started": start,
            "answered": pl.when(answered).then(pl.coalesce(answer, start)),
            "duration": pl.when(answered).then(seconds.cast(pl.String)),
            "outcome": pl.when(answered)
            .then(pl.lit(Outcome.ANSWERED.value))
            .otherwise(pl.lit(Outcome.NO_ANSWER.value)),
        },
        faults=(
            when(pl.col("runid") != run, "rating_run"),
            when(pl.col("tor").is_not_null() & (pl.col("tor") != "*voice"), "not_a_call"),
            when(pl.col("usage").is_not_null() & seconds.is_null(), "usage_not_understood"),
            when(pl.col("started").is_null(), "no_start_time"),
        ),
    )


def _instant(name: str) -> pl.Expr:
    """Write `2026-09-01 10:00:00 +0000 UTC` without the zone's name; the year 1 is never."""
    text = pl.col(name).str.replace(r" [A-Z]{3,4}$", "").str.replace(r" ([+-]\d{4})$", "${1}")
    return pl.when(~text.str.starts_with("0001-01-01")).then(text)


def _seconds(usage: pl.Expr) -> pl.Expr:
    """Read Go's notation of a duration, in seconds with decimals."""
    parts = usage.str.extract_groups(_GO_DURATION)
    hours, minutes, seconds, thousandths = (
        parts.struct.field(place).cast(pl.Decimal(18, 6), strict=False).fill_null(0)
        for place in ("1", "2", "3", "4")
    )
    written = usage.str.contains(_GO_DURATION) | (usage == "0")
    return pl.when(written).then(hours * 3600 + minutes * 60 + seconds + thousandths / 1000)


_GO_DURATION = (
    r"^(?:(\d{1,6})h)?(?:(\d{1,8})m)?(?:(\d{1,9}(?:\.\d+)?)s)?(?:(\d{1,9}(?:\.\d+)?)ms)?$"
)
_LAYOUTS = tuple(f"%Y-%m-%d{between}%H:%M:%S%.f%#z" for between in (" ", "T"))

FORMAT = Format(
    name="cgrates_csv",
    title="CGRateS CDR exports, CSV",
    example=(
        "8f2c,*default,*voice,f3e9@192.0.2.10,*prepaid,acme.example,call,1001,+4930901820,"
        "+442079460018,2026-09-01T10:00:00Z,2026-09-01T10:00:07Z,1m0s,0.0120"
    ),
    times=Times(Clock.OFFSET, _LAYOUTS),
    columns=COLUMNS,
    notes=__doc__,
    read=_read,
)
"""Both notations of time carry their offset, so the source's zone is not used for them."""
