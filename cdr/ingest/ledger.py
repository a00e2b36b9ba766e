"""Rows of the ledger: one for each file taken in, and for calls that were amended since."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

import polars as pl

from cdr.ingest.report import Taken
from cdr.schema import INGESTS, INSTANT


def files_taken(batch_id: str, taken: Iterable[Taken]) -> pl.DataFrame:
    """Make a row for each file of a batch."""
    rows = []
    for file in taken:
        report = file.report()
        rows.append(
            {
                "ingest_id": file.stamp.ingest_id,
                "batch_id": batch_id,
                "source": file.stamp.source,
                "file": file.stamp.file,
                "sha256": file.sha256,
                "bytes": file.size_bytes,
                "read": report.read,
                "accepted": report.accepted,
                "duplicate": report.duplicate,
                "corrected": report.corrected,
                "rejected": report.rejected,
                "first_started_at": file.first,
                "last_started_at": file.last,
                "ingested_at": file.stamp.ingested_at,
                "state": "done",
            }
        )
    return pl.DataFrame(rows, schema=INGESTS.polars_schema)


def amendments(
    calls: pl.DataFrame, batch_id: str, now: datetime, *, file: str, state: str
) -> pl.DataFrame:
    """Make a row for each ingest of calls that were amended with no file read: all corrected.

    Parameters
    ----------
    calls : DataFrame
        As they stand now: `ingest_id`, `source`, `source_rows`, `started_at`.
    batch_id : str
        The commit.
    now : datetime
        When it is done.
    file : str
        What stands for the name of a file.
    state : str
        What was done, in a word.
    """
    counted = calls.group_by("ingest_id", "source").agg(
        pl.col("source_rows").cast(pl.Int64).sum().alias("corrected"),
        pl.col("started_at").min().alias("first_started_at"),
        pl.col("started_at").max().alias("last_started_at"),
    )
    hashes = [hashlib.sha256(name.encode()).hexdigest() for name in counted["ingest_id"]]
    none = pl.lit(0, pl.Int64)
    return counted.select(
        "ingest_id",
        pl.lit(batch_id).alias("batch_id"),
        "source",
        pl.lit(file).alias("file"),
        pl.Series("sha256", hashes, dtype=pl.String),
        none.alias("bytes"),
        pl.col("corrected").alias("read"),
        none.alias("accepted"),
        none.alias("duplicate"),
        "corrected",
        none.alias("rejected"),
        "first_started_at",
        "last_started_at",
        pl.lit(now, INSTANT).alias("ingested_at"),
        pl.lit(state).alias("state"),
    ).select(INGESTS.polars_schema.names())
