"""Memory that was given back is kept for the next block."""

import os
import subprocess
import sys


def test_the_allocator_reads_our_option_last() -> None:
    unset = {name: value for name, value in os.environ.items() if name != "_RJEM_MALLOC_CONF"}
    told = subprocess.run(
        [sys.executable, "-c", "import cdr, os; print(os.environ['_RJEM_MALLOC_CONF'])"],
        env=unset,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert told.endswith(",dirty_decay_ms:5000,muzzy_decay_ms:5000")
