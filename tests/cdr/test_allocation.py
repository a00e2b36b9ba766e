"""Memory that was given back is kept for the next block."""

import os
import subprocess
import sys

import pytest

from cdr.settings import StoreSettings

BLOCK_BYTES = StoreSettings().block_mb << 20

_BLOCKS = f"""
import cdr, resource
from concurrent.futures import ThreadPoolExecutor

def block(longer):
    piece, lines = b"x" * {BLOCK_BYTES}, b"y" * ({BLOCK_BYTES} + longer)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

with ThreadPoolExecutor(1) as reader:
    faults = [reader.submit(block, part << 16).result() for part in range(4)]
print(faults[-1] - faults[-2])
"""


def _told(code: str) -> str:
    unset = {name: value for name, value in os.environ.items() if name != "_RJEM_MALLOC_CONF"}
    return subprocess.run(
        [sys.executable, "-c", code], env=unset, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.slow
def test_the_allocator_reads_our_option_last() -> None:
    told = _told("import cdr, os; print(os.environ['_RJEM_MALLOC_CONF'])")
    assert told.endswith(",dirty_decay_ms:5000,muzzy_decay_ms:5000")


@pytest.mark.slow
def test_a_block_takes_the_pages_of_the_one_before() -> None:
    blocks_pages = 2 * BLOCK_BYTES // os.sysconf("SC_PAGESIZE")
    assert int(_told(_BLOCKS)) < blocks_pages / 10
