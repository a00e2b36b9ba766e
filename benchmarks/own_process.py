"""Some work in a process of its own: its seconds, processor seconds and peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

_MEASURE = """
import json, resource, sys, time
from pathlib import Path
found = None
begun = time.perf_counter()
{work}
print(json.dumps({{
    "seconds": round(time.perf_counter() - begun, 2),
    "cpu_s": round(time.process_time(), 2),
    "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    **(found or {{}}),
}}))
"""


def child(work: str, *words: object) -> dict[str, Any]:
    """Run some work in a process of its own and return what it measured."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE.format(work=work), *map(str, words)],
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
