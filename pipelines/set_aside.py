"""What a run set aside, in words: how many rows of each source, and why."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from cdr.lake import Lake
from cdr.schema import REJECTS
from pipelines.terminal import counted

LISTED_BY = 'callsieve query "SELECT source, file, line, reasons FROM rejects" --purpose fraud'
"""The command that lists every record set aside, without what stands in it."""


def set_aside(lake: Lake, arrived_at: datetime) -> list[str]:
    """Say how many rows of each source were set aside by the run of an instant, and why.

    Rows that only tell the end of a call of another file are not among them.

    Parameters
    ----------
    lake : Lake
        Where they are.
    arrived_at : datetime
        UTC instant of the run: the `ingested_at` of its rows.
    """
    of_run = pl.col("ingested_at") == arrived_at
    rows = lake.scan(REJECTS).filter(of_run & pl.col("explained_at").is_null())
    reasons = rows.explode("reasons").group_by("source", "reasons").agg(pl.col("source_rows").sum())
    why = (
        reasons.sort("source_rows", "reasons", descending=[True, False])
        .group_by("source", maintain_order=True)
        .agg(pl.format("{} {}", "reasons", "source_rows").alias("why"))
        .with_columns(pl.col("why").list.join(", "))
    )
    counts = rows.group_by("source").agg(pl.col("source_rows").sum(), pl.col("file").n_unique())
    found = counts.join(why, on="source").sort("source").collect()
    return [
        f"{source}: {counted(count, 'row')} of {counted(files, 'file')} set aside ({reasons}), "
        f"listed by `{LISTED_BY}`"
        for source, count, files, reasons in found.iter_rows()
    ]
