"""How long memory that was given back is kept for the next use.

Blocks of calls take the same pages again and again; to fetch them anew from the system costs
time (decision 14 says how much). Two allocators hand pages back too soon:

* Polars' does so half a second after they are free. It reads its options when Polars is first
  imported, so this module comes before; where a program has imported Polars already, or set
  its own options, those stay.
* The C library's, from which Python has the bytes of a block, does so at once. Where the C
  library is not GNU's there is nothing to set.
"""

from __future__ import annotations

import ctypes
import os

KEPT_MS = 5_000
"""Ours: longer than a block or a flush takes; 20 s saved no more. Costs some 40 MB."""

KEPT_BYTES = 256 << 20
"""At most so much stays at the end of each of the C library's heaps. Ours: a few blocks."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h of the GNU C library; mallopt(3)
_LARGEST_PIECE = 32 << 20  # what is larger never comes from a heap; mallopt(3), M_MMAP_THRESHOLD

os.environ.setdefault(
    "_RJEM_MALLOC_CONF", f"dirty_decay_ms:{KEPT_MS},muzzy_decay_ms:{KEPT_MS}"
)  # jemalloc(3), TUNING; Polars puts them behind its own, and the last one counts


def keep_blocks() -> bool:
    """Have the C library keep what a block's bytes took; False where it cannot be told."""
    told = getattr(ctypes.CDLL(None), "mallopt", None)
    if told is None:
        return False
    return bool(told(_TRIM_THRESHOLD, KEPT_BYTES)) and bool(told(_MMAP_THRESHOLD, _LARGEST_PIECE))


keep_blocks()
