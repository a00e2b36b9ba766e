"""Every byte of a file is looked through however it is packed, or it is said that it was not."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdr.formats import blocks
from cdr.privacy.identifiers import Identifiers
from cdr.privacy.requests import Person
from cdr.privacy.traces import patterns_of, traces_of

NUMBER = "+49301234567"
WHO = Identifiers(Person("number", NUMBER), None, (NUMBER,))


def found(file: Path) -> dict[str, int]:
    return dict(traces_of(file, WHO, patterns_of(WHO)))


def test_texts_of_a_parquet_file_are_counted_by_column(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {
            "plain": [NUMBER, "x", None],
            "lists": [["030 123 45 67", "y"], [], None],
            "inside": [{"a": "z"}, {"a": f"to {NUMBER}, and"}, {"a": "49301234567" * 2}],
            "count": [1, 2, 3],
        }
    )
    rows.write_parquet(tmp_path / "x.parquet", statistics=False)
    assert found(tmp_path / "x.parquet") == {"column plain": 1, "column lists": 1,
                                             "column inside": 1}  # fmt: skip


def test_a_few_bytes_that_stand_for_far_more_text_are_looked_through_once(tmp_path: Path) -> None:
    long = pa.array(["x" * 100_000 + f" {NUMBER}"])
    swollen = pa.DictionaryArray.from_arrays(pa.array([0] * 500_000, pa.int32()), long)
    pq.write_table(pa.table({"a": swollen}), tmp_path / "x.parquet", write_statistics=False)
    assert found(tmp_path / "x.parquet") == {"column a": 500_000}


def test_what_is_damaged_or_encrypted_is_said_not_to_be_searched(tmp_path: Path) -> None:
    packed = gzip.compress(NUMBER.encode() * 9_000)
    contents = {"x.gz": packed[:-9], "y.gz": b"no gzip", "z.parquet": b"PAR1 and no more"}
    with zipfile.ZipFile(tmp_path / "good.zip", "w") as archive:
        archive.writestr("a.csv", NUMBER)
    whole = (tmp_path / "good.zip").read_bytes()
    contents["w.zip"] = whole.replace(NUMBER.encode(), b"+49301234568")
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        assert list(found(tmp_path / name)) == ["NOT SEARCHED, as it is damaged or encrypted"], name
    assert found(tmp_path / "good.zip") == {"a.csv": 1}


def test_a_bomb_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BOMB_BYTES", 1 << 16)
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"0" * (1 << 24)))
    (where,) = found(tmp_path / "x.csv.gz")
    assert where.startswith("NOT SEARCHED to its end")
