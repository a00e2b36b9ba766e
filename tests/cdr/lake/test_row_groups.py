"""A file with other rows in some row groups reads like one written anew, whoever reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from cdr.lake import packing
from cdr.lake.packing import packed
from cdr.lake.pages import pages_of
from cdr.lake.row_groups import rows_of_groups, with_groups
from cdr.lake.thrift import read_struct, written
from cdr.schema import REJECTS

SIZE = 3


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    at = datetime(2026, 10, 1, tzinfo=UTC)
    said = {
        "raw": [f"line {number}" for number in range(8)],
        "reasons": [["no_start", f"more {number}"][: number % 3] for number in range(8)],
        "ingested_at": [at.replace(hour=number) for number in range(8)],
    }
    rest = {f.name: pl.lit(None, f.dtype) for f in REJECTS.fields if f.name not in said}
    return REJECTS.conform(pl.DataFrame(said).with_columns(**rest))


@pytest.fixture
def content(rows: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> pa.Buffer:
    monkeypatch.setattr(packing, "LASTING_ROW_GROUP_ROWS", SIZE)
    return pa.py_buffer(bytes(packed(REJECTS, rows.drop(REJECTS.partition_by), lasting=True)))


def read_back(content: bytes, folder: Path) -> pl.DataFrame:
    """Read it with three readers that must agree."""
    file = folder / "amended.parquet"
    file.write_bytes(content)
    found = pl.read_parquet(file)
    by_arrow = pl.DataFrame(pq.read_table(file))
    assert_frame_equal(found, by_arrow.select(found.columns), check_dtypes=False)
    by_duckdb = duckdb.read_parquet(str(file)).select("raw, reasons").pl()
    assert_frame_equal(found.select("raw", "reasons"), by_duckdb)
    return found


@pytest.mark.parametrize("group", [0, 1, 2])
def test_only_the_row_group_that_was_given_has_other_rows(
    rows: pl.DataFrame, content: pa.Buffer, group: int, tmp_path: Path
) -> None:
    assert rows_of_groups(content) == [3, 3, 2]
    start = SIZE * group
    amended = with_groups(REJECTS, content, {group: rows[start + 1 : start + SIZE]})
    assert amended is not None
    expected = pl.concat([rows[:start], rows[start + 1 :]])
    found = read_back(amended.content, tmp_path)
    assert_frame_equal(found, expected.drop(REJECTS.partition_by).select(found.columns))
    assert amended.rows == expected.height


def test_other_row_groups_are_the_same_bytes(rows: pl.DataFrame, content: pa.Buffer) -> None:
    amended = with_groups(REJECTS, content, {0: rows[1:3]})
    assert amended is not None
    ends = pq.read_metadata(pa.BufferReader(content)).row_group(1).column(0)
    kept = content.to_pybytes()[ends.dictionary_page_offset or ends.data_page_offset :][:40]
    assert kept in amended.content


def test_neither_pages_nor_bounds_hold_what_went(rows: pl.DataFrame, content: pa.Buffer) -> None:
    amended = with_groups(REJECTS, content, {2: rows[6:7]})
    assert amended is not None
    pages = [page.octets.to_pybytes() for page in pages_of(pa.py_buffer(amended.content))]
    assert (any(b"line 6" in page for page in pages), any(b"line 7" in page for page in pages)) == (
        True,
        False,
    )
    low, high = amended.bounds["ingested_at"]
    assert (low[:13], high[:13]) == ("2026-10-01T00", "2026-10-01T06")


def test_a_group_without_rows_goes(rows: pl.DataFrame, content: pa.Buffer, tmp_path: Path) -> None:
    amended = with_groups(REJECTS, content, {1: rows.head(0)})
    assert amended is not None
    assert read_back(amended.content, tmp_path)["raw"].to_list() == [
        f"line {number}" for number in (0, 1, 2, 6, 7)
    ]
    nothing = with_groups(REJECTS, content, {group: rows.head(0) for group in range(3)})
    assert nothing is not None
    assert nothing.rows == 0


def test_a_file_of_other_columns_is_not_patched(rows: pl.DataFrame) -> None:
    older = pa.py_buffer(bytes(packed(REJECTS, rows.select("raw"), lasting=True)))
    assert with_groups(REJECTS, older, {0: rows.head(1)}) is None


def test_a_footer_read_and_written_is_the_same_bytes(content: pa.Buffer) -> None:
    whole = content.to_pybytes()
    size = int.from_bytes(whole[-8:-4], "little")
    footer = whole[-8 - size : -8]
    assert written(read_struct(memoryview(footer))[0]) == footer
