"""Files that mean harm: they are refused or set aside, and what they say is never obeyed."""

from __future__ import annotations

import gzip
import zlib
from contextlib import suppress
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from cdr.errors import FormatError
from cdr.formats import blocks, by_name
from cdr.operator_files import ACCOUNTS_FILE, read_operator_file
from cdr.settings import SourceSettings

HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"


def read(file: Path, form: str) -> pl.DataFrame:
    source = SourceSettings(format=form, zone="Europe/Berlin", country="DE")
    return pl.concat(by_name(form).read(file, source, 1 << 16))


@pytest.mark.parametrize("pack", [gzip.compress, lambda b: pa.compress(b, "zstd", asbytes=True)])
def test_a_decompression_bomb_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: object
) -> None:
    monkeypatch.setattr(blocks, "BOMB_BYTES", 1 << 20)
    file = tmp_path / "bomb.csv.gz"
    file.write_bytes(pack((HEADER + "a" * 70 + "\n").encode() + b"\n" * (8 << 20)))  # type: ignore[operator]

    with pytest.raises(FormatError, match="unpacks to more than"):
        read(file, "plain_csv")


def test_a_file_that_packs_well_is_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BOMB_BYTES", 1 << 16)
    rows = "".join(
        f"r{n},a{n % 7},+4930{n * 7919 % 10**8:08d},+4420{n * 104729 % 10**8:08d},"
        f"2026-09-01 12:{n % 60:02d}:00,{n % 300},answered\n"
        for n in range(5_000)
    )
    file = tmp_path / "calls.csv.gz"
    file.write_bytes(gzip.compress((HEADER + rows).encode()))

    assert read(file, "plain_csv").height == 5_000


@pytest.mark.parametrize("form", ["freeswitch_json", "broadworks_xml"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"variables":' + "[" * 60_000, id="deep-lists"),
        pytest.param('{"a":' * 30_000, id="deep-objects"),
        pytest.param('{"variables":{"start_uepoch":"' + "9" * 100_000 + '"}}', id="long-number"),
        pytest.param("<a>" * 30_000, id="deep-elements"),
        pytest.param(
            '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
            + "".join(f'<!ENTITY a{n} "{f"&a{n - 1 or str()};" * 10}">' for n in range(1, 10))
            + "]><cdrData>&a9;</cdrData>",
            id="billion-laughs",
        ),
        pytest.param(
            '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><cdrData>&f;</cdrData>',
            id="entity-of-a-file",
        ),
    ],
)
def test_a_deep_or_swelling_document_is_set_aside(tmp_path: Path, form: str, text: str) -> None:
    file = tmp_path / "calls"
    file.write_text(text + "\n")
    with suppress(FormatError):
        found = read(file, form)
        assert found["faults"].list.len().min() != 0
        assert "root:" not in str(found.to_dicts())


def test_a_parquet_file_of_few_bytes_and_much_text_is_refused(tmp_path: Path) -> None:
    long = pa.array(["x" * 1_000_000])
    swollen = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int32()), long)
    names = HEADER.strip().split(",")
    file = tmp_path / "bomb.parquet"
    pa.parquet.write_table(pa.table(dict.fromkeys(names, swollen)), file)
    assert file.stat().st_size < 1_000_000

    with pytest.raises(FormatError, match="unpacks to more than"):
        read(file, "plain_parquet")


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b"account_id,created_at,status\n" * 9), zlib.compress(b"account_id,x\n" * 99)],
    ids=["gzip", "zlib"],
)
def test_a_packed_file_of_the_operator_is_refused_and_not_unpacked(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "accounts.csv"
    file.write_bytes(content)
    with pytest.raises(FormatError, match="unpack it first"):
        read_operator_file(file, ACCOUNTS_FILE)


def test_a_dictionary_that_stands_for_far_more_text_is_refused(tmp_path: Path) -> None:
    long = pa.array(["x" * 100_000])
    swollen = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), long)
    lists = pa.ListArray.from_arrays(pa.array(range(20_001), pa.int32()), swollen)
    file = tmp_path / "accounts.parquet"
    for column in (swollen, lists):
        pa.parquet.write_table(pa.table({"account_id": column}), file)
        with pytest.raises(FormatError, match="bomb"):
            read_operator_file(file, ACCOUNTS_FILE)


def test_a_parquet_file_that_would_unpack_to_far_more_than_its_size_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdr.formats.blocks.BOMB_BYTES", 1 << 16)
    monkeypatch.setattr("cdr.formats.blocks.BOMB_RATIO", 10)
    file = tmp_path / "accounts.parquet"
    same = pl.repeat("x", 200_000, eager=True)
    pl.DataFrame(dict.fromkeys(ACCOUNTS_FILE.required, same)).write_parquet(file)
    with pytest.raises(FormatError, match="bomb"):
        read_operator_file(file, ACCOUNTS_FILE)
