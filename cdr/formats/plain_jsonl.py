"""JSON lines: one flat or nested object a line, fields by name.

The names are ours, as in `plain_csv`, or those that `columns` of the source maps to ours;
a name with dots is a way into nested objects (`caller = "from.number"`). Numbers and
true or false are taken as they are written. Times are local ISO 8601, or what `clock` and
`time_layouts` of the source say.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cdr.errors import FormatError, shown
from cdr.formats.assemble import when
from cdr.formats.blocks import read_blocks, read_sample, scan_lines
from cdr.formats.json_lines import has_spoilt_key, refuse_list
from cdr.formats.plain_rows import COLUMNS, check_columns, needed_of, plain_records, theirs
from cdr.formats.record import ISO_LAYOUTS, Clock, Format, Times
from cdr.settings import SourceSettings


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    names = theirs(source)
    _check(file, names, source)
    for block in read_blocks(file, block_bytes):
        yield plain_records(_fields(scan_lines(block).collect(), names), source)


def _check(file: Path, names: dict[str, str], source: SourceSettings) -> None:
    """Refuse a file whose first lines never have what is needed."""
    refuse_list(file)
    sample = read_sample(file)
    if not sample.data.strip():
        return
    rows = _fields(scan_lines(sample).collect(), names)
    if rows["fault"].is_not_null().all():
        raise FormatError(
            shown(file),
            "none of its first lines is a JSON object; write each object on a line of its own",
        )
    there = [name for name in names if rows[name].is_not_null().any()]
    missing = [names[name] for name in needed_of(source) if name not in there]
    if missing:
        raise FormatError(
            shown(file),
            f"no object of its first lines has {', '.join(missing)}; name the file's own fields "
            "under `columns` of the source",
        )
    check_columns(file, there, source)


def _fields(lines: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    """Take each line apart; `json_broken`, `cut_short` or `not_utf8` where that cannot be done."""
    raw = pl.col("raw")
    bare = raw.str.strip_chars()
    is_object = bare.str.starts_with("{") & raw.str.json_path_match("$").is_not_null()
    spoilt = has_spoilt_key(lines)
    broken = pl.coalesce(
        when(pl.col("cut"), "cut_short"), when(~is_object, "json_broken"), pl.lit("not_utf8")
    )
    faulty = pl.col("fault").is_not_null() | ~is_object | spoilt
    return lines.select(
        "line",
        "raw",
        *(pl.when(~faulty).then(_said(theirs)).alias(ours) for ours, theirs in names.items()),
        fault=pl.when(faulty).then(pl.coalesce("fault", broken)),
    )


def _said(name: str) -> pl.Expr:
    """Read a field; empty text is null, as in every dialect."""
    path = "$" + "".join(f"[{_quoted(part)}]" for part in name.split("."))
    value = pl.col("raw").str.json_path_match(path)
    return pl.when(value != "").then(value)


def _quoted(part: str) -> str:
    return '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'


FORMAT = Format(
    name="plain_jsonl",
    title="JSON lines, one object a call",
    example=(
        '{"record_id":"8f2c","account_id":"acme","caller":"+4930901820",'
        '"callee":"+442079460018","started_at":"2026-09-01 12:00:00",'
        '"answered_at":"2026-09-01 12:00:07","duration_s":60,"outcome":"answered"}'
    ),
    times=Times(Clock.LOCAL, ISO_LAYOUTS[Clock.LOCAL]),
    columns=tuple(COLUMNS),
    notes=__doc__,
    read=_read,
)
