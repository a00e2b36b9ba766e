"""How long memory that was given back is kept for the next use.

Polars' allocator hands pages back to the system half a second after they are free, and
blocks of calls take the same ones again and again: fetching them anew was a twentieth of
the processor time of taking a file in. It reads its options when Polars is first imported,
so this module comes before; where a program has imported Polars already, or set its own
options, those stay.
"""

from __future__ import annotations

import os

KEPT_MS = 5_000
"""Ours: longer than a block or a flush takes; 20 s saved no more. Costs some 40 MB."""

os.environ.setdefault(
    "_RJEM_MALLOC_CONF", f"dirty_decay_ms:{KEPT_MS},muzzy_decay_ms:{KEPT_MS}"
)  # jemalloc(3), TUNING; Polars puts them behind its own, and the last one counts
