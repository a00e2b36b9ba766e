"""What the operator's other systems tell: accounts, numbers, events, texts, lists.

One declaration per kind of file says its columns; reading, checking and
reporting follow from it. How the rows join what the lake has is in
`cdr.imports`. Rows that cannot be understood are set aside with every reason,
as rows of switch files are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from cdr.errors import FormatError, SchemaMismatch, shown
from cdr.formats.blocks import most_unpacked_bytes
from cdr.formats.plain_parquet import float_text, text_bytes
from cdr.formats.plain_rows import without_decimals
from cdr.input_files import check_file
from cdr.normalise.addresses import canonical_ip
from cdr.schema import MONEY, TEXTS

LIST_SEPARATOR = ";"

PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
"""How files begin that Polars would unpack whole, however much that is: gzip, zstd, zlib."""

STATUSES = ("active", "suspended", "blocked", "closed")


_PHONES = ("phone", "forward_to", "number", "counterpart")


class Kind(StrEnum):
    """How the text of a column is understood."""

    TEXT = "text"
    TEXTS = "texts"  # several, separated by `;`
    INSTANT = "instant"  # ISO 8601; without an offset it is UTC
    AMOUNT = "amount"  # decimal point
    STATUS = "status"
    ADDRESS = "address"  # an IP address in its one form; other text stays as it is


@dataclass(frozen=True, slots=True)
class OperatorFile:
    """One kind of file.

    ``columns`` maps each column to how it is understood; ``dropped`` ones are never
    kept, not even of a row that is set aside.
    """

    name: str
    columns: Mapping[str, Kind]
    required: tuple[str, ...]
    dropped: tuple[str, ...] = ()


_T, _L, _I, _A = Kind.TEXT, Kind.TEXTS, Kind.INSTANT, Kind.AMOUNT
_IP = Kind.ADDRESS

ACCOUNTS_FILE = OperatorFile(
    "accounts",
    {
        "account_id": _T,
        "created_at": _I,
        "name": _T,
        "email": _T,
        "phone": _T,
        "address": _T,
        "country": _T,
        "id_document": _T,
        "social": _L,
        "payment_fingerprint": _L,
        "devices": _L,
        "signup_ip": _IP,
        "forward_to": _L,
        "plan": _T,
        "status": Kind.STATUS,
        "status_since": _I,
        "status_reason": _T,
    },
    ("account_id", "created_at", "status"),
)

NUMBERS_FILE = OperatorFile(
    "account_numbers",
    {"account_id": _T, "number": _T, "valid_from": _I, "valid_to": _I},
    ("account_id", "number"),
)

EVENTS_FILE = OperatorFile(
    "account_events",
    {
        "account_id": _T,
        "at": _I,
        "kind": _T,
        "ip": _IP,
        "device": _T,
        "payment_fingerprint": _T,
        "amount": _A,
        "currency": _T,
        "counterpart": _T,
        "detail": _T,
    },
    ("account_id", "at", "kind"),
)

MESSAGES_FILE = OperatorFile(
    "messages",
    {"account_id": _T, "at": _I, "counterpart": _T, "text": _T},
    ("account_id", "at", "text"),
    dropped=("text",),
)

LISTS_FILE = OperatorFile(
    "lists",
    {"list": _T, "entry": _T, "detail": _T, "valid_from": _I, "valid_to": _I},
    ("list", "entry"),
)


@dataclass(frozen=True, slots=True)
class Understood:
    """The rows of one file.

    ``rows`` has the declared columns, typed, and `line` (of the file, from 1).
    ``rejects`` has `line`, `reasons` and `raw`. ``ignored`` names columns of the
    file that the declaration does not know.
    """

    rows: pl.DataFrame
    rejects: pl.DataFrame
    ignored: tuple[str, ...]


def read_operator_file(file: Path, kind: OperatorFile) -> Understood:
    """Read and check one file of the operator's, CSV or Parquet.

    Raises
    ------
    FormatError
        If it is missing, empty, or neither CSV with commas nor Parquet.
    SchemaMismatch
        If a required column is missing.
    """
    texts = _as_texts(file)
    missing = [column for column in kind.required if column not in texts.columns]
    if missing and len(texts.columns) == 1 and LIST_SEPARATOR in texts.columns[0]:
        raise FormatError(shown(file), "has `;` between its columns; save it with commas")
    if missing:
        raise SchemaMismatch(f"{shown(file)} ({kind.name})", missing=missing)
    ignored = tuple(c for c in texts.columns if c not in kind.columns)
    first_line = 1 if file.suffix == ".parquet" else 2
    texts = texts.select(
        pl.int_range(first_line, pl.len() + first_line, dtype=pl.Int64).alias("line"),
        *(
            _clean(column) if column in texts.columns else pl.lit(None, pl.String).alias(column)
            for column in kind.columns
        ),
    )
    typed = texts.with_columns(
        _typed(pl.col(column), how).alias(f"{column}\x00") for column, how in kind.columns.items()
    ).with_columns(_reasons(kind).alias("reasons"))
    bad = typed.filter(pl.col("reasons").list.len() > 0)
    good = typed.filter(pl.col("reasons").list.len() == 0)
    return Understood(
        rows=good.select(
            "line", *(pl.col(f"{column}\x00").alias(column) for column in kind.columns)
        ),
        rejects=bad.select(
            "line",
            "reasons",
            pl.concat_str(
                [
                    pl.lit("") if c in kind.dropped else pl.col(c).fill_null("")
                    for c in kind.columns
                ],
                separator=",",
            ).alias("raw"),
        ),
        ignored=ignored,
    )


def _no_bomb(file: Path) -> None:
    """Refuse a Parquet file that would unpack to far more than its size.

    What it says of itself is looked at first, then the text that its dictionaries stand for.
    """
    most = most_unpacked_bytes(file)
    metadata = pq.read_metadata(file)
    said = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
    leaves = [metadata.schema.column(n) for n in range(len(metadata.schema))]
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    written_out = 0
    with pq.ParquetFile(file, read_dictionary=texts) as parquet:
        for batch in parquet.iter_batches() if max(said, metadata.num_rows) <= most else ():
            written_out += sum(map(text_bytes, batch.columns))
            if written_out > most:
                break
    if max(said, metadata.num_rows, written_out) > most:
        raise FormatError(shown(file), "unpacks to far more than its size; it may be a bomb")


def _as_texts(file: Path) -> pl.DataFrame:
    check_file(file)
    try:
        if file.suffix == ".parquet":
            _no_bomb(file)
            frame = pl.read_parquet(file, glob=False)
            return frame.select(_parquet_text(name, dtype) for name, dtype in frame.schema.items())
        with file.open("rb") as handle:
            if handle.read(4).startswith(PACKED):
                raise FormatError(shown(file), "is packed; unpack it first")
        return pl.read_csv(file, infer_schema=False, null_values=[""], glob=False)
    except PermissionError:
        raise FormatError(shown(file), "cannot be read; check its permissions") from None
    except pl.exceptions.NoDataError:
        raise FormatError(
            shown(file), "is empty; a file without rows still needs its header line"
        ) from None
    except (pl.exceptions.PolarsError, pa.ArrowException, OSError):
        raise FormatError(
            shown(file),
            "is neither CSV (UTF-8, commas, a header line, one row a line) nor Parquet",
        ) from None


def _parquet_text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.List):
        return column.cast(TEXTS).list.join(LIST_SEPARATOR)
    if isinstance(dtype, pl.Datetime):
        zoned = column if dtype.time_zone else column.dt.replace_time_zone("UTC")
        return zoned.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    return float_text(column, dtype) if dtype.is_float() else column.cast(pl.String)


def _clean(column: str) -> pl.Expr:
    """Strip blanks; what is empty then is null, and a phone number has no `.0`."""
    stripped = pl.col(column).str.strip_chars()
    if column in _PHONES:
        stripped = without_decimals(stripped)
    return pl.when(stripped != "").then(stripped)


def _typed(column: pl.Expr, how: Kind) -> pl.Expr:
    if how is Kind.INSTANT:
        return instant(column)
    if how is Kind.TEXTS:
        parts = column.str.split(LIST_SEPARATOR).list.eval(pl.element().str.strip_chars())
        return parts.list.eval(pl.element().filter(pl.element() != "")).fill_null([])
    if how is Kind.AMOUNT:
        return column.cast(MONEY, strict=False)
    if how is Kind.ADDRESS:
        return pl.coalesce(canonical_ip(column), column)
    if how is Kind.STATUS:
        return pl.when(column.str.to_lowercase().is_in(STATUSES)).then(column.str.to_lowercase())
    return column


def instant(text: pl.Expr) -> pl.Expr:
    """Read ISO 8601 text as a UTC instant; text without an offset is UTC.

    Returns
    -------
    Expr of Datetime[us, UTC]
        Null where it is not such a text.
    """
    plain = text.str.replace(" ", "T", literal=True).str.replace(r"(?i)z$", "+00:00")
    whole = (
        pl.when(plain.str.contains(r"T.*[+-]\d\d:?\d\d$")).then(plain)
        .when(plain.str.contains("T")).then(plain + "+00:00")
        .otherwise(plain + "T00:00:00+00:00")
    )  # fmt: skip
    return pl.coalesce(
        whole.str.to_datetime(layout, time_unit="us", time_zone="UTC", strict=False)
        for layout in ("%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%z")
    )


def _reasons(kind: OperatorFile) -> pl.Expr:
    checks = []
    for column, how in kind.columns.items():
        there, understood = pl.col(column).is_not_null(), pl.col(f"{column}\x00").is_not_null()
        if column in kind.required:
            checks.append(pl.when(~there).then(pl.lit(f"no_{column}")))
        if how not in (Kind.TEXT, Kind.TEXTS, Kind.ADDRESS):
            checks.append(pl.when(there & ~understood).then(pl.lit(f"{column}_not_understood")))
    if "valid_to" in kind.columns:
        turned = pl.col("valid_to\x00") <= pl.col("valid_from\x00")
        checks.append(pl.when(turned).then(pl.lit("valid_to_not_after_valid_from")))
    return pl.concat_list(checks).list.drop_nulls()
