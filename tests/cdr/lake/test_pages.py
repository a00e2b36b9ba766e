"""What a page gives away is what was written, whoever wrote the file and however it is packed."""

from __future__ import annotations

import io

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdr.lake.pages import texts_of

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
    for text in texts_of(pa.py_buffer(content)):
        assert not text.unread
        for name, page in text.pages:
            found[name] = found.get(name, b"") + page
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
    (text,) = texts_of(pa.py_buffer(packed.getvalue()))
    assert (text.pages, text.unread) == ([], {MANY})


def test_the_text_of_each_row_group_is_told_apart() -> None:
    packed = io.BytesIO()
    pq.write_table(TABLE.select([MANY]), packed, row_group_size=1000, use_dictionary=False)
    texts = list(texts_of(pa.py_buffer(packed.getvalue())))
    holding = [
        text.group for text in texts if any(b"once 001234" in page for _, page in text.pages)
    ]
    assert (len(texts), holding) == (3, [1])
