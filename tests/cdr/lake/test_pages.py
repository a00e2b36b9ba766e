"""What a page gives away is what was written, whoever wrote the file and however it is packed."""

from __future__ import annotations

import io

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdr.lake.pages import Page, pages_of

FEW, MANY = "few", "many"
TABLE = pa.table(
    {
        FEW: [None if n % 7 == 0 else f"value {n % 3}" for n in range(3000)],
        MANY: [f"once {n:06d} Zoë" for n in range(3000)],
        "lists": [[f"in a list {n % 2}"] for n in range(3000)],
        "numbers": list(range(3000)),
    }
)
WAYS = {
    "as-compaction-writes": {"compression": "zstd", "use_dictionary": [FEW]},
    "pages-of-the-second-kind": {"compression": "zstd", "data_page_version": "2.0"},
    "not-packed": {"compression": "none", "data_page_version": "2.0"},
    "many-small-pages": {"compression": "snappy", "data_page_size": 256, "use_dictionary": False},
    "several-groups": {"compression": "gzip", "row_group_size": 700},
}


def texts_in(content: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for page in pages_of(pa.py_buffer(content)):
        assert page.octets is not None
        found[page.column] = found.get(page.column, b"") + page.octets.to_pybytes()
    return found


@pytest.mark.parametrize("how", list(WAYS.values()), ids=list(WAYS))
def test_every_value_stands_in_the_pages_of_its_column(how: dict[str, object]) -> None:
    packed = io.BytesIO()
    pq.write_table(TABLE, packed, **how)
    found = texts_in(packed.getvalue())
    assert set(found) == {FEW, MANY, "lists"}
    for name in (FEW, MANY):
        values = {value for value in TABLE[name].to_pylist() if value is not None}
        assert all(value.encode() in found[name] for value in values)
    assert b"in a list 0" in found["lists"]
    assert b"value" not in found[MANY]


def test_what_polars_writes_is_read_too() -> None:
    packed = io.BytesIO()
    pl.from_arrow(TABLE).write_parquet(packed, compression="zstd")  # type: ignore[union-attr]
    found = texts_in(packed.getvalue())
    assert b"once 002999 Zo\xc3\xab" in found[MANY]
    assert b"value 2" in found[FEW]


def test_a_column_whose_values_are_not_there_as_they_are_is_named() -> None:
    packed = io.BytesIO()
    how = {"use_dictionary": False, "column_encoding": {MANY: "DELTA_BYTE_ARRAY"}}
    pq.write_table(TABLE.select([MANY]), packed, **how)
    assert list(pages_of(pa.py_buffer(packed.getvalue()))) == [Page(0, MANY, None)]


def test_the_text_of_each_row_group_is_told_apart() -> None:
    packed = io.BytesIO()
    pq.write_table(TABLE.select([MANY]), packed, row_group_size=1000, use_dictionary=False)
    pages = list(pages_of(pa.py_buffer(packed.getvalue())))
    holding = [page.group for page in pages if b"once 001234" in page.octets.to_pybytes()]  # type: ignore[union-attr]
    assert ({page.group for page in pages}, holding) == ({0, 1, 2}, [1])


def test_only_the_columns_asked_for_are_unpacked_and_no_page_without_text() -> None:
    packed = io.BytesIO()
    nobody = pa.table({FEW: pa.nulls(9, pa.string()), MANY: ["somebody"] * 9})
    pq.write_table(nobody, packed)
    content = pa.py_buffer(packed.getvalue())
    assert [page.column for page in pages_of(content)] == [MANY]
    assert list(pages_of(content, {FEW})) == []
