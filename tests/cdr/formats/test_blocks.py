from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest

from cdr.errors import FormatError
from cdr.formats.blocks import MAX_LINE_BYTES, Block, read_blocks, scan_lines

MARK = b"\xef\xbb\xbf"
TEXT = "eins\nzwei €\ndrei\n".encode()


def written(tmp_path: Path, data: bytes) -> Path:
    file = tmp_path / "calls"
    file.write_bytes(data)
    return file


def lines(file: Path, block_bytes: int = 1 << 20) -> list[tuple[int, str, bool, str | None]]:
    return [
        row
        for block in read_blocks(file, block_bytes)
        for row in scan_lines(block).collect().rows()
    ]


def tar(data: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        member = tarfile.TarInfo("calls.csv")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def zstd(data: bytes) -> bytes:
    packed: bytes = pa.Codec("zstd").compress(data, asbytes=True)
    return packed


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TEXT, id="lf"),
        pytest.param(TEXT.replace(b"\n", b"\r\n"), id="crlf"),
        pytest.param(TEXT.replace(b"\n", b"\r"), id="cr"),
        pytest.param(b"\xef\xbb\xbf" + TEXT, id="byte-order-mark"),
        pytest.param(MARK + MARK.join(TEXT.splitlines(keepends=True)), id="a-mark-a-line"),
        pytest.param(gzip.compress(TEXT), id="gzip"),
        pytest.param(gzip.compress(TEXT[:7]) + gzip.compress(TEXT[7:]), id="gzip-in-two-members"),
        pytest.param(zstd(TEXT), id="zstd"),
        pytest.param(b"\x5a\x2a\x4d\x18\x01\0\0\0x" + zstd(TEXT), id="zstd-behind-skippable-frame"),
        pytest.param(zstd(TEXT[:7]) + zstd(TEXT[7:]), id="zstd-in-two-frames"),
    ],
)
@pytest.mark.parametrize("block_bytes", [1, 2, 5, 1 << 20])
def test_the_same_text_gives_the_same_lines(tmp_path: Path, data: bytes, block_bytes: int) -> None:
    found = lines(written(tmp_path, data), block_bytes)
    assert found == [
        (1, "eins", False, None),
        (2, "zwei €", False, None),
        (3, "drei", False, None),
    ]


@pytest.mark.parametrize("block_bytes", [1, 3, 1 << 20])
def test_empty_lines_count_but_are_no_records(tmp_path: Path, block_bytes: int) -> None:
    found = lines(written(tmp_path, b"\n\r\na\n\n\nb"), block_bytes)
    assert found == [(3, "a", False, None), (6, "b", True, None)]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    assert lines(written(tmp_path, b"")) == []
    assert lines(written(tmp_path, gzip.compress(b""))) == []


def test_bytes_that_are_no_utf8_spoil_their_line_only(tmp_path: Path) -> None:
    found = lines(written(tmp_path, b"M\xfcller\nMeier\n"))
    assert [raw for _, raw, _, _ in found] == ["M\ufffdller", "Meier"]


def test_a_nul_byte_is_a_fault_of_its_line(tmp_path: Path) -> None:
    found = lines(written(tmp_path, b"one line\na\0 second line\nthird line\n"))
    assert [fault for *_, fault in found] == [None, "nul_byte", None]


@pytest.mark.parametrize("block_bytes", [1_000, 100_000, 1 << 24])
def test_an_endless_line_is_a_fault_and_is_not_kept(tmp_path: Path, block_bytes: int) -> None:
    found = lines(written(tmp_path, b"a\n" + b"x" * 1_000_000 + b"\nb\n"), block_bytes)
    assert [(line, len(raw), fault) for line, raw, _, fault in found] == [
        (1, 1, None),
        (2, 4_096, "line_too_long"),
        (3, 1, None),
    ]


def test_the_longest_line_is_still_read(tmp_path: Path) -> None:
    found = lines(written(tmp_path, b"x" * MAX_LINE_BYTES + b"\n" + b"y" * (MAX_LINE_BYTES + 1)))
    assert [fault for *_, fault in found] == [None, "line_too_long"]


def test_a_line_that_unpacks_without_end_stays_small(tmp_path: Path) -> None:
    bomb = gzip.compress(b"x" * 50_000_000)
    blocks = list(read_blocks(written(tmp_path, bomb), 65_536))
    assert [(block.line_count, len(block.data)) for block in blocks] == [(1, MAX_LINE_BYTES + 2)]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        pytest.param(gzip.compress(TEXT * 999)[:-20], "cut short or damaged", id="cut-gzip"),
        pytest.param(gzip.compress(TEXT)[:5], "cut short or damaged", id="cut-gzip-header"),
        pytest.param(gzip.compress(TEXT)[:-8] + b"\0" * 8, "damaged", id="gzip-checksum"),
        pytest.param(zstd(TEXT * 999)[:-20], "cut short or damaged", id="cut-zstd"),
        pytest.param(gzip.compress(gzip.compress(TEXT)), "compressed twice", id="twice"),
        pytest.param(b"PK\x03\x04\x14\0", "a zip archive or a spreadsheet", id="zip"),
        pytest.param(tar(TEXT), "is a tar archive; unpack it", id="tar"),
        pytest.param(gzip.compress(tar(TEXT)), "is a tar archive", id="packed-tar"),
        pytest.param(b"PAR1\x15\x04", "a Parquet file", id="parquet"),
        pytest.param("a,b\n".encode("utf-16"), "UTF-16 text; save it as UTF-8", id="utf-16"),
        pytest.param(bytes(range(256)) * 20, "not text in UTF-8", id="binary"),
    ],
)
@pytest.mark.parametrize("block_bytes", [7, 1 << 20])
def test_what_is_no_text_is_refused_in_words(
    tmp_path: Path, data: bytes, fault: str, block_bytes: int
) -> None:
    with pytest.raises(FormatError, match=fault):
        list(read_blocks(written(tmp_path, data), block_bytes))


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="nowhere: cannot be read: No such file"):
        list(read_blocks(tmp_path / "nowhere", 1))


def test_a_block_knows_its_last_line() -> None:
    assert Block(b"a\nb\n", first_line=5, line_count=2).last_line == 6


def test_whether_a_file_is_text_does_not_depend_on_the_blocks(tmp_path: Path) -> None:
    file = tmp_path / "calls"
    file.write_bytes(b",\0\0\n" + b"a" * 5_000)
    for block_bytes in (60, 5_000, 1 << 20):
        assert sum(block.line_count for block in read_blocks(file, block_bytes)) == 2
