"""Files of a bill: CSV, Parquet or JSON lines, the same bytes for the same lines.

Known here: how a table becomes a file, and its hash while it is written. Not which
tables there are.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, cast

import polars as pl
import pyarrow.parquet as pq

from cdr.errors import WrongUse

ROW_GROUP_ROWS = 100_000
"""Rows of a Parquet row group, wherever the pieces end that they came in."""

_FORMULA = r"^[=+\-@\t\r\n]"
"""What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection")."""

NUMBER_COLUMNS = ("caller_number", "number", "callee_number")
"""E.164 numbers begin with a plus and hold digits only, so they are no formula."""


class Format(StrEnum):
    """What an extract is written as; the value is the ending of its files."""

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written."""

    name: str
    rows: int
    bytes: int
    sha256: str


class HashedFile(io.RawIOBase):
    """A file that knows the hash of what was written to it; without a path only the hash."""

    def __init__(self, path: Path | None = None) -> None:
        self._handle: BinaryIO | None = path.open("wb") if path else None
        self._hash = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        """Say that it can be written."""
        return True

    def tell(self) -> int:
        """Return how much was written."""
        return self.size

    def write(self, data: object) -> int:
        """Write all of ``data``."""
        view = memoryview(data)  # type: ignore[arg-type]
        self._hash.update(view)
        if self._handle:
            self._handle.write(view)
        self.size += view.nbytes
        return view.nbytes

    def close(self) -> None:
        """Bring it to the disk."""
        if self._handle and not self._handle.closed:
            self._handle.flush()
            os.fsync(self._handle.fileno())
            self._handle.close()
        super().close()

    @property
    def sha256(self) -> str:
        """Hash of what was written, in hex."""
        return self._hash.hexdigest()


class TableFile:
    """A table on its way to a file, given in pieces.

    Parameters
    ----------
    name : str
        Without its ending.
    folder : Path or None
        Where to; None only works out the hash.
    form : Format
        As what. CSV is RFC 4180: a header, CRLF, quotes where needed; text that a
        spreadsheet would take for a formula gets an apostrophe in front. JSON lines hold
        money as text, so that no reader makes a binary fraction of it.
    """

    def __init__(self, name: str, folder: Path | None, form: Format) -> None:
        self._name = f"{name}.{form.value}"
        self._form = form
        self._file = HashedFile(folder / self._name if folder else None)
        self._rows = 0
        self._waiting: list[pl.DataFrame] = []
        self._parquet: pq.ParquetWriter | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Write more rows; every piece has the same columns."""
        if self._form is Format.CSV:
            _spreadsheet_safe(rows).write_csv(
                cast("BinaryIO", self._file),
                include_header=not self._file.size,
                line_terminator="\r\n",
            )
        elif self._form is Format.JSONL:
            _readable(rows).write_ndjson(cast("BinaryIO", self._file))
        else:
            self._waiting.append(rows)
            if sum(piece.height for piece in self._waiting) >= ROW_GROUP_ROWS:
                self._write_groups(whole_only=True)
        self._rows += rows.height

    def close(self) -> Written:
        """Finish the file."""
        if self._form is Format.PARQUET:
            self._write_groups(whole_only=False)
            if self._parquet:
                self._parquet.close()
        self._file.close()
        return Written(self._name, self._rows, self._file.size, self._file.sha256)

    def _write_groups(self, *, whole_only: bool) -> None:
        rows = pl.concat(self._waiting) if self._waiting else pl.DataFrame()
        self._waiting = []
        for group in rows.iter_slices(ROW_GROUP_ROWS):
            if whole_only and group.height < ROW_GROUP_ROWS:
                self._waiting = [group]
            else:
                self._write_group(group)
        if not self._parquet and not whole_only:
            self._write_group(rows)

    def _write_group(self, rows: pl.DataFrame) -> None:
        table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(
                self._file, table.schema, compression="zstd", version="2.6", store_schema=False
            )
        self._parquet.write_table(table, row_group_size=ROW_GROUP_ROWS)


def out_folder(folder: Path) -> None:
    """Make a folder for files of a bill where it is missing; only its owner may enter.

    Raises
    ------
    WrongUse
        If a file is in the way.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise WrongUse("--out names a file; name a folder") from None


def _readable(rows: pl.DataFrame) -> pl.DataFrame:
    """Write keys as hex and money as text."""
    texts = [
        pl.col(name).bin.encode("hex") if dtype == pl.Binary else pl.col(name).cast(pl.String)
        for name, dtype in rows.schema.items()
        if dtype == pl.Binary or isinstance(dtype, pl.Decimal)
    ]
    return rows.with_columns(texts)


def _spreadsheet_safe(rows: pl.DataFrame) -> pl.DataFrame:
    readable = _readable(rows)
    texts = [
        name
        for name, dtype in rows.schema.items()
        if dtype == pl.String and name not in NUMBER_COLUMNS
    ]
    return readable.with_columns(
        pl.when(pl.col(name).str.contains(_FORMULA))
        .then("'" + pl.col(name))
        .otherwise(name)
        .alias(name)
        for name in texts
    )
