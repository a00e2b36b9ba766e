"""Parquet: one row a call, columns by name.

The names are ours, as in `plain_csv`, or those that `columns` of the source maps to ours.
Any simple type is taken as the text one would write for it: a phone number or an id
kept as a float is its digits, NaN says nothing, a UUID is its 36 signs. Times are local wall clocks
(text or timestamps without zone); with `clock = "offset"` timestamps with a zone or text
with an offset; with `clock = "epoch_s"` and the like, numbers. Bytes that are not UTF-8 set their
row aside. A row's `line` is its number, from 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cdr.errors import FormatError, shown
from cdr.formats.plain_rows import COLUMNS, check_columns, needed_of, plain_records, theirs
from cdr.formats.record import ISO_LAYOUTS, Clock, Format, Times
from cdr.settings import SourceSettings

_ROW_BYTES = 256  # ours: what a row of some twenty short columns takes in memory
TEXT_IN_BLOCKS, TEXT_BYTES = 4, 1 << 20
"""Text of a column that a batch may hold: four times the size of a block, a MiB in any case.
Ours: a thousand bytes in each row; Parquet keeps what repeats once, so that a file of few bytes
can hold more than there is memory."""

_BOMB = f"unpacks to more than {TEXT_IN_BLOCKS} times the size of a block in one column"
_TIMES = ("started_at", "answered_at", "ended_at")
_TEXTS = (
    pa.string(), pa.large_string(), pa.string_view(),
    pa.binary(), pa.large_binary(), pa.binary_view(),
)  # fmt: skip


def _read(file: Path, source: SourceSettings, block_bytes: int) -> Iterator[pl.DataFrame]:
    if not file.stat().st_size:
        return
    try:
        with file.open("rb") as opened, pq.ParquetFile(opened) as parquet:
            names = _columns_of(file, parquet.schema_arrow, source)
        wanted = list(dict.fromkeys(names.values()))
        with file.open("rb") as opened, pq.ParquetFile(opened, read_dictionary=wanted) as parquet:
            line, most = 1, max(TEXT_IN_BLOCKS * block_bytes, TEXT_BYTES)
            for batch in parquet.iter_batches(
                batch_size=max(1, block_bytes // _ROW_BYTES), columns=wanted
            ):
                if any(text_bytes(column) > most for column in batch.columns):
                    raise FormatError(shown(file), _BOMB)
                plain = [_plain(column) for column in batch.columns]
                rows = pl.DataFrame(pa.record_batch(plain, names=batch.schema.names))
                yield plain_records(_as_text(rows, names, line), source)
                line += batch.num_rows
    except (pa.ArrowException, OSError):
        raise FormatError(
            shown(file), "is not a whole Parquet file; fetch it again, or check the format"
        ) from None


def _columns_of(file: Path, schema: pa.Schema, source: SourceSettings) -> dict[str, str]:
    """Return the file's name of each of our columns that it has."""
    wanted = theirs(source)
    names = {ours: name for ours, name in wanted.items() if name in schema.names}
    missing = [wanted[name] for name in needed_of(source) if name not in names]
    if missing:
        raise FormatError(
            shown(file),
            f"lacks the columns {', '.join(missing)}; name the file's own under `columns`",
        )
    _check_types(file, schema, list(dict.fromkeys(names.values())))
    check_columns(file, names, source)
    zoned = [name for name in _TIMES if name in names and _has_zone(schema, names[name])]
    if zoned and source.clock != Clock.OFFSET.value:
        raise FormatError(
            shown(file), f'has a time zone in {", ".join(zoned)}; set clock = "offset"'
        )
    return names


def _check_types(file: Path, schema: pa.Schema, wanted: list[str]) -> None:
    """Refuse columns that are there twice, or whose values one cannot write as one text."""
    twice = [name for name in wanted if schema.names.count(name) > 1]
    if twice:
        raise FormatError(shown(file), f"has {', '.join(twice)} more than once")
    kinds = {name: schema.field(name).type for name in wanted}
    nested = [name for name, kind in kinds.items() if pa.types.is_nested(kind)]
    if nested:
        raise FormatError(shown(file), f"has lists or structs in {', '.join(nested)}")
    strange = [f"{name} ({kind})" for name, kind in kinds.items() if not _is_simple(kind)]
    if strange:
        raise FormatError(
            shown(file),
            f"has no text or numbers in {', '.join(strange)}; write them as such",
        )


def _is_simple(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_simple(kind.value_type)
    if pa.types.is_duration(kind):  # seconds, or what `length_unit` says?
        return False
    known = (pa.types.is_primitive, pa.types.is_decimal, pa.types.is_null)
    return kind in _TEXTS or isinstance(kind, pa.UuidType) or any(of(kind) for of in known)


def text_bytes(column: pa.Array) -> int:
    """Return how much text a column with a dictionary is once it is written out; else 0."""
    if pa.types.is_list(column.type):
        return text_bytes(column.flatten())
    if not pa.types.is_dictionary(column.type):
        return 0
    lengths = pc.binary_length(column.dictionary)
    return pc.sum(lengths.cast(pa.int64()).take(column.indices)).as_py() or 0


def _has_zone(schema: pa.Schema, name: str) -> bool:
    kind = schema.field(name).type
    return pa.types.is_timestamp(kind) and kind.tz is not None


def _plain(column: pa.Array) -> pa.Array:
    """Write texts, decimals and UUIDs as text in UTF-8; other bytes of a text become U+FFFD."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain(column.dictionary).take(column.indices)
    if isinstance(kind, pa.UuidType):
        return pa.array([None if value is None else str(value) for value in column.to_pylist()])
    if pa.types.is_decimal(kind):
        return column.cast(pa.large_string())
    if kind not in _TEXTS:
        return column
    said = column.cast(pa.large_binary())
    try:
        return said.cast(pa.large_string())
    except pa.ArrowInvalid:
        texts = (
            None if value is None else value.decode("utf-8", "replace")
            for value in said.to_pylist()
        )
        return pa.array(texts, pa.large_string())


def _as_text(rows: pl.DataFrame, names: dict[str, str], line: int) -> pl.DataFrame:
    """Write every value as text, under our names; `raw` is the row as JSON."""
    said = [_text(rows.schema[name], name).alias(ours) for ours, name in names.items()]
    raw = rows.select(pl.struct(pl.all().cast(pl.String)).struct.json_encode()).to_series()
    return rows.select(
        pl.int_range(line, line + rows.height, dtype=pl.Int64).alias("line"),
        raw.alias("raw"),
        pl.lit(None, dtype=pl.String).alias("fault"),
        *(pl.when(text != "").then(text) for text in said),
    )


def float_text(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Write whole numbers as digits (`4930.0` would be another phone number), NaN as null."""
    whole = value.cast(pl.Int64, strict=False)
    digits = pl.when(whole.cast(kind) == value).then(whole.cast(pl.String))
    return pl.when(value.is_not_nan()).then(pl.coalesce(digits, value.cast(pl.String)))


def _text(kind: pl.DataType, name: str) -> pl.Expr:
    value = pl.col(name)
    if isinstance(kind, pl.Datetime):
        if kind.time_zone:
            return value.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        return value.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")
    if kind.is_float():
        return float_text(value, kind)
    if kind == pl.Time:
        return value.dt.strftime("%H:%M:%S%.f")
    return value.cast(pl.String)


FORMAT = Format(
    name="plain_parquet",
    title="Parquet, one row a call",
    example="record_id, account_id, caller, callee, started_at, answered_at, duration_s, outcome",
    times=Times(Clock.LOCAL, ISO_LAYOUTS[Clock.LOCAL]),
    columns=tuple(COLUMNS),
    notes=__doc__,
    read=_read,
)
"""The example names columns: a Parquet file is no text."""
