"""A file as blocks of whole lines: unpacked, in UTF-8, with one kind of line end.

What every dialect needs before it can look at a record is here: compression,
byte order mark, line ends, NUL and undecodable bytes, lines without end. What a
line means is the business of the dialects.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import numpy as np
import polars as pl
import pyarrow as pa

from cdr.errors import FormatError, shown

MAX_LINE_BYTES = 262_144
"""Longest line that is looked into. Ours: the longest FreeSWITCH records, with every
variable exported, stay below 100 kB; what is longer is a fault of the writer."""

BOMB_BYTES, BOMB_RATIO = 1 << 30, 200
"""What a compressed file may unpack to: a GiB in any case, beyond that this many times its own
size. Ours: call records pack 5 to 40 times; gzip reaches 1,032 times with repetition alone."""

REPLACEMENT = "\ufffd"
"""What stands in a text where bytes were not UTF-8 (Unicode standard, section 3.9)."""


def most_unpacked_bytes(file: Path) -> int:
    """Return how much a compressed file may unpack to before it is taken for a bomb."""
    return max(BOMB_BYTES, BOMB_RATIO * file.stat().st_size)


_RAW_CHARS = 4_096  # ours: enough of an overlong line to recognise it
_TAIL_BYTES = 4_096  # ours: most lines are shorter
_JUDGED_BYTES = 4_096  # ours: enough of a file to tell whether it is text
_SAMPLE_BYTES = 65_536  # ours: some hundred records decide on the dialect of a file
_BINARY_SHARE = 0.3  # ours: random bytes give more than 0.5, a text in Latin-1 below 0.15

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"  # RFC 1952, RFC 8878
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"  # RFC 8878, 3.1.2; behind a byte 0x50 to 0x5f; pzstd begins so
_UTF8_MARK = b"\xef\xbb\xbf"
_OTHER_KINDS = (
    (b"\xff\xfe", "UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text; save it as UTF-8"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet; unpack it, or save it as CSV"),
    (b"PAR1", "a Parquet file, not a switch file"),
    (b"SQLite format 3", "a SQLite database, not a switch file"),
    (b"%PDF-", "a PDF, not a switch file"),
    (b"BZh", "compressed with bzip2; use gzip or zstd"),
    (b"\xfd7zXZ", "compressed with xz; use gzip or zstd"),
    (b"7z\xbc\xaf", "a 7z archive; use gzip or zstd"),
    (_GZIP, "compressed twice; unpack it once"),
    (_ZSTD, "compressed twice; unpack it once"),
)
_TAR, _TAR_AT = (b"ustar\0", b"ustar "), 257  # POSIX.1-2024, pax, ustar Interchange Format
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f"))


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole lines of a file.

    Parameters
    ----------
    data : bytes
        UTF-8; every line is ended by LF. A line beyond `MAX_LINE_BYTES` may be cut,
        but not to less than one byte more than that.
    first_line : int
        Number of its first line in the file, from 1.
    line_count : int
        Lines in it, empty ones included.
    last_cut : bool
        The last line has no line end in the file.
    """

    data: bytes
    first_line: int
    line_count: int
    last_cut: bool = False

    @property
    def last_line(self) -> int:
        """Number of its last line."""
        return self.first_line + self.line_count - 1

    @property
    def has_odd_lines(self) -> bool:
        """False where no line is overlong and none has a NUL byte."""
        stride = MAX_LINE_BYTES // 2  # what is longer than twice this spans a whole stride
        strides = range(0, len(self.data) - stride + 1, stride)
        return b"\0" in self.data or any(
            self.data.find(b"\n", at, at + stride) < 0 for at in strides
        )

    def count(self, character: str) -> int:
        """Count an ASCII character."""
        return _count(self.data, character)


def read_blocks(file: Path, block_bytes: int) -> Iterator[Block]:
    """Read a file, plain or compressed with gzip or zstd, a block at a time.

    Compression is recognised by the first bytes. Memory stays at a few times
    `block_bytes` whatever the file unpacks to.

    Parameters
    ----------
    file : Path
        The file.
    block_bytes : int
        Unpacked bytes to read at a time, at least 1.

    Yields
    ------
    Block
        In order; together they are the whole file. None for an empty file.

    Raises
    ------
    FormatError
        If it cannot be read, is no text, or its compressed data are damaged.
    """
    line, rest = 1, b""
    for piece in _one_line_end(_text_pieces(file, block_bytes)):
        end = piece.rfind(b"\n") + 1
        if not end:
            rest = (rest + piece)[: MAX_LINE_BYTES + 1]
            continue
        whole = end == len(piece) and not rest
        data = piece if whole else b"".join((rest, memoryview(piece)[:end]))
        rest = piece[end:][: MAX_LINE_BYTES + 1]
        block = Block(_in_utf8(data), line, _count(data, "\n"))
        yield block
        line += block.line_count
    if rest:
        yield Block(_in_utf8(rest + b"\n"), line, 1, last_cut=True)


def read_sample(file: Path) -> Block:
    """Read the first lines of a file, the same whatever the size of blocks.

    Empty lines at its start are part of it, as many as there are up to 65,536.

    Raises
    ------
    FormatError
        As `read_blocks` does.
    """
    empty = b""
    for block in read_blocks(file, _SAMPLE_BYTES):
        if block.data.strip(b"\n") or len(empty) >= _SAMPLE_BYTES:
            return Block(empty + block.data, 1, len(empty) + block.line_count)
        empty += block.data
    return Block(empty, 1, len(empty))


def read_text(file: Path, piece_bytes: int, *, encoding: str) -> Iterator[str]:
    """Read a file as text with LF line ends, in pieces that end anywhere.

    For dialects whose records are not lines. Bytes that are not in the encoding become
    U+FFFD.

    Raises
    ------
    FormatError
        As `read_blocks` does.
    """
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in _one_line_end(_text_pieces(file, piece_bytes)):
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def scan_lines(block: Block) -> pl.LazyFrame:
    """Take a block apart into its lines, and tell which of them no dialect can read.

    Returns
    -------
    pl.LazyFrame
        `line` (Int64, from 1), `raw` (String; of an overlong line its first 4,096
        characters), `cut` (Boolean: the file ends in it) and `fault` (String:
        `line_too_long`, `nul_byte`; else null). Empty lines are left out. The
        streaming engine runs what follows on all cores.
    """
    raw = pl.col("raw")
    lines = pl.scan_lines(
        block.data, name="raw", row_index_name="line", row_index_offset=block.first_line
    )
    too_long = raw.str.len_bytes() > MAX_LINE_BYTES
    nul = raw.str.contains("\0", literal=True) if b"\0" in block.data else pl.lit(False)
    return lines.filter(raw != "").select(
        pl.col("line").cast(pl.Int64),
        pl.when(too_long).then(raw.str.slice(0, _RAW_CHARS)).otherwise(raw).alias("raw"),
        cut=(pl.col("line") == block.last_line) & block.last_cut,
        fault=pl.when(too_long).then(pl.lit("line_too_long")).when(nul).then(pl.lit("nul_byte")),
    )


class _Stream(Protocol):
    def read(self, count: int, /) -> bytes: ...


@contextmanager
def _unpacked(file: Path) -> Iterator[_Stream]:
    with file.open("rb") as packed:
        start = packed.read(4)
        packed.seek(0)
        if start.startswith(_GZIP):
            with gzip.open(packed) as unpacked:
                yield unpacked
        elif start == _ZSTD or (start[1:] == _ZSTD_SKIPPABLE and start[0] >> 4 == 5):
            with pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd") as stream:
                yield stream
        else:
            yield _WholeLines(packed)


class _WholeLines:
    """A plain file whose pieces end with a line where they can: such a piece need not be copied."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, count: int, /) -> bytes:
        """Read `count` bytes, or up to the last line end among the last of them."""
        start, tail_bytes = self._file.tell(), min(count, _TAIL_BYTES)
        self._file.seek(start + count - tail_bytes)
        line_end = self._file.read(tail_bytes).rfind(b"\n") + 1
        self._file.seek(start)
        return self._file.read(count - tail_bytes + line_end if line_end else count)


def _text_pieces(file: Path, block_bytes: int) -> Iterator[bytes]:
    """Yield the unpacked bytes without byte order mark; only text gets through."""
    try:
        with _unpacked(file) as stream:
            start = stream.read(max(block_bytes, _JUDGED_BYTES + _TAIL_BYTES))
            if fault := _binary_fault(start[:_JUDGED_BYTES]):
                raise FormatError(shown(file), fault)
            most, unpacked = most_unpacked_bytes(file), len(start)
            start = start.removeprefix(_UTF8_MARK)
            for at in range(0, len(start), block_bytes):
                yield start[at : at + block_bytes]
            while piece := stream.read(block_bytes):
                unpacked += len(piece)
                if unpacked > most:
                    raise FormatError(shown(file), _BOMB)
                yield piece
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise FormatError(shown(file), _DAMAGED) from None
    except OSError as error:
        fault = f"cannot be read: {error.strerror}" if error.errno else _DAMAGED
        raise FormatError(shown(file), fault) from None


_BOMB = f"unpacks to more than {BOMB_RATIO} times its size; unpack it yourself if it is right"
_DAMAGED = "its compressed data are cut short or damaged; fetch it again"


def _binary_fault(start: bytes) -> str | None:
    for sign, kind in _OTHER_KINDS:
        if start.startswith(sign):
            return f"is {kind}"
    if start.startswith(_TAR, _TAR_AT):
        return "is a tar archive; unpack it"
    odd = len(start) - len(start.translate(None, _CONTROLS))
    odd += start.decode("utf-8", "replace").count(REPLACEMENT)
    if odd > _BINARY_SHARE * len(start):
        return "is not text in UTF-8, but binary data or in another encoding"
    return None


def _one_line_end(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Write CRLF and lone CR as LF; a CR at the end of a piece waits for the next one."""
    held = b""
    for piece in pieces:
        piece = held + piece
        held = b"\r" if piece.endswith(b"\r") else b""
        if held:
            piece = piece[:-1]
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield piece
    if held:
        yield b"\n"


def _count(data: bytes, character: str) -> int:
    """Count an ASCII character; unlike `bytes.count` also fast where it is frequent."""
    signs, sign = np.frombuffer(data, np.uint8), np.uint8(ord(character))
    stride = 1 << 20  # ours: what the processor holds beside itself
    return sum(
        int(np.count_nonzero(signs[at : at + stride] == sign))
        for at in range(0, len(signs), stride)
    )


def _in_utf8(data: bytes) -> bytes:
    """Make whole lines UTF-8, without the marks at their beginning where files were joined."""
    if data.isascii():
        return data
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        data = data.decode("utf-8", "replace").encode("utf-8")
    return data.removeprefix(_UTF8_MARK).replace(b"\n" + _UTF8_MARK, b"\n")
