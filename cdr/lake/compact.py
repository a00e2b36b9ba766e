"""Days of calls in few files, sorted as they are asked for.

One day at a time, so memory is bounded by a day. Readers keep the files of the
version they opened; the old files go when the table is vacuumed.
"""

from __future__ import annotations

from collections import Counter

import polars as pl

from cdr.lake import Lake
from cdr.schema import CALLS

MAX_FILES_A_DAY = 4
"""Files a day may have before it is worth rewriting. Ours: a scan opens each of them."""


def compact(lake: Lake) -> int:
    """Rewrite days of `calls` that lie in many files, sorted by account and time.

    Returns
    -------
    int
        Days rewritten.
    """
    counts = Counter(file.partition["call_date"] for file in lake.files(CALLS))
    crowded = sorted(day for day, files in counts.items() if files > MAX_FILES_A_DAY)
    for day in crowded:
        with lake.batch("compact") as batch, lake.writing():
            files = [f for f in lake.files(CALLS) if f.partition["call_date"] == day]
            rows = lake.scan_files(CALLS, files).sort("account_id", "started_at", "record_id")
            batch.remove(CALLS, files)
            batch.add(CALLS, rows.collect(engine="streaming"), lasting=True)
            batch.publish()
    return len(crowded)


def days(lake: Lake) -> pl.DataFrame:
    """Count files, rows and bytes of each day of `calls`: `call_date`, `files`, `rows`, `bytes`."""
    listed = [(file.partition["call_date"], file.rows, file.size) for file in lake.files(CALLS)]
    frame = pl.DataFrame(listed, schema=["call_date", "rows", "bytes"], orient="row")
    return (
        frame.group_by("call_date")
        .agg(pl.len().alias("files"), pl.col("rows").sum(), pl.col("bytes").sum())
        .sort("call_date")
    )
