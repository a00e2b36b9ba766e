"""Rows become Parquet files that say what the table says, however the rows were held."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdr.lake.tables import write_files
from cdr.schema import CODES, Field, Table

KINDS = Table("kinds", "kind", (Field("kind", pl.String(), "code", "Its kind.", True),))
LIKE_TEXT = ("a", None, "b", "a")


@pytest.mark.parametrize("lasting", [False, True])
def test_codes_are_written_as_the_text_they_stand_for(tmp_path: Path, lasting: bool) -> None:
    pl.Series(["of-another-row"]).cast(CODES)
    rows = pl.DataFrame({"kind": LIKE_TEXT}, schema={"kind": CODES})

    (file,) = write_files(tmp_path, "f", KINDS, rows, lasting=lasting)

    written = tmp_path / file.path
    assert pl.read_parquet(written)["kind"].to_list() == list(LIKE_TEXT)
    assert pl.read_parquet_schema(written) == {"kind": pl.String}
    assert pa.types.is_large_string(pq.read_schema(written).field("kind").type)
    coded = pq.read_table(written, read_dictionary=["kind"])["kind"].combine_chunks()
    assert sorted(coded.dictionary.to_pylist()) == ["a", "b"]  # no value of another row


def test_a_column_of_text_may_be_codes_and_no_other_may() -> None:
    assert KINDS.conform(pl.DataFrame({"kind": ["a"]}, {"kind": CODES})).schema["kind"] == CODES
    assert KINDS.conform(pl.DataFrame({"kind": [7]})).schema["kind"] == pl.String
