"""Every reader for ten seconds on damaged files: no crash, no hang, no memory without bound.

Each reader runs in a process of its own with a limit of memory and of time for each file, so
that a fault of an engine below Python is seen as well. A failure names the seed: run it again
with `CALLSIEVE_FUZZ_SEED=...`, longer with `CALLSIEVE_FUZZ_S=...`.
"""

from __future__ import annotations

import gzip
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pytest

from cdr.errors import FormatError
from cdr.formats import FORMATS, by_name
from cdr.formats.record import RECORD
from cdr.settings import SourceSettings

FIXTURES = Path(__file__).parents[1] / "cdr" / "formats" / "fixtures"
SECONDS = float(os.environ.get("CALLSIEVE_FUZZ_S", "10"))
SEED = int(os.environ.get("CALLSIEVE_FUZZ_SEED", "20261125"))

FILE_S = 10
"""Seconds of the processor a damaged file may take: ours, as it has 100 kB at most."""

LEAST_FILES = 20
"""However slow the machine is."""

MEMORY_BYTES = 4 << 30
"""Address space of the process, engines with their threads and libraries included."""

TOKENS = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b'""', b"'", b"\r", b"\n", b"\r\n", b",", b";",
    b"\t", b"{", b"}", b"[", b"]", b"[" * 2000, b'{"a":' * 2000, b"<", b"</cdrData>",
    b"<!DOCTYPE x [", b"&a;", b"<![CDATA[", b"-1", b"9" * 40, b"1e999", b"NaN", b"0x10", b"%00",
    b"%", b"\\u0000", b"\\", b"2026-02-30 25:61:61", b"1970-01-01", b"+4930\xe2\x80\xae",
    b"=cmd|' /C calc'!A0", b"../../etc", b"\x1b[2J", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd",
    b"PAR1", b"A" * 70_000,
)  # fmt: skip


def seeds(name: str) -> list[bytes]:
    """Return what damage starts from: the example of the format, and every fixture."""
    found = [FORMATS[name].example.encode() + b"\n"]
    found += [file.read_bytes()[:50_000] for file in sorted(FIXTURES.rglob("*")) if file.is_file()]
    return found


def damaged(data: bytes, draw: random.Random) -> bytes:
    """Change some places of a file: bytes flipped, put in, cut out, doubled."""
    out = bytearray(data)
    for _ in range(draw.randint(1, 12)):
        at = draw.randint(0, len(out))
        until = min(len(out), at + draw.choice((1, 2, 8, 64, 1024)))
        match draw.randint(0, 4):
            case 0 if out:
                out[at - 1] = draw.randint(0, 255)
            case 1:
                out[at:at] = draw.choice(TOKENS)
            case 2:
                del out[at:until]
            case 3:
                out[at:at] = out[at:until] * draw.randint(1, 20)
            case _:
                out[at:until] = draw.choice(TOKENS)
    whole = bytes(out[:100_000])
    match draw.randint(0, 9):
        case 0:
            return gzip.compress(whole, 1)[: draw.choice((-1, -9, None, None))]
        case 1:
            return bytes(pa.compress(whole, codec="zstd", asbytes=True))
        case _:
            return whole


def fuzz(name: str) -> None:
    """Read damaged files until the time is over; every other end is a fault."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    draw, starts = random.Random(f"{SEED}{name}"), seeds(name)
    reader = by_name(name)
    source = SourceSettings(format=name, zone="Europe/Berlin", country="DE")
    done, until = 0, time.monotonic() + SECONDS
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "calls"
        while time.monotonic() < until or done < LEAST_FILES:
            file.write_bytes(damaged(draw.choice(starts), draw))
            signal.setitimer(signal.ITIMER_PROF, FILE_S)
            try:
                for frame in reader.read(file, source, draw.choice((300, 5_000, 1 << 20))):
                    assert frame.schema == RECORD
            except FormatError:
                pass
            except BaseException:
                sys.stderr.write(f"seed {SEED}, file {done}\n")
                raise
            signal.setitimer(signal.ITIMER_PROF, 0)
            done += 1
    sys.stdout.write(f"{done}\n")


def stands(script: str, name: str) -> None:
    """Let a script fuzz in a process of its own: it ends well and tried some files."""
    ended = subprocess.run(
        [sys.executable, script, name],
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS * 4 + LEAST_FILES * FILE_S,  # one that waits for ever takes no processor
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert int(ended.stdout) >= LEAST_FILES


@pytest.mark.fuzz
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_reader_stands_damaged_files(name: str) -> None:
    stands(__file__, name)


if __name__ == "__main__":
    fuzz(sys.argv[1])
