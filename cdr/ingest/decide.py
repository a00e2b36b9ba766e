"""What is new, what was there, what corrects: decided on staged rows under the writer lock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from cdr.ahead import ahead
from cdr.dedupe import KEY, Fate, concerned, fates
from cdr.ingest.report import Taken
from cdr.ingest.upcoming import history_of
from cdr.lake import Batch, DataFile, Lake
from cdr.schema import CALL_HISTORY, CALLS


def decide(lake: Lake, batch: Batch, taken: dict[str, Taken], now: datetime) -> None:
    """Take duplicates out of the batch and let corrections replace what they correct.

    The caller holds the writer lock. A record's key includes its start, so a day
    is compared with the same day only.
    """
    for day in ahead(_days(lake, batch)):
        if day.doubtful.any():
            _decide_day(lake, batch, day, taken, now)


@dataclass(frozen=True, slots=True)
class _Day:
    """What is staged and held of one day, and which staged rows share their record with another."""

    staged: list[DataFile]
    held: list[DataFile]
    superseded: pl.DataFrame
    doubtful: pl.Series


def _days(lake: Lake, batch: Batch) -> Iterator[_Day]:
    staged, held = batch.staged(CALLS), lake.files(CALLS)
    for day in sorted({file.partition["call_date"] for file in staged}):
        of_day = [file for file in staged if file.partition["call_date"] == day]
        held_of_day = [file for file in held if file.partition["call_date"] == day]
        dates = [date.fromisoformat(day)]
        superseded = lake.scan(CALL_HISTORY, dates=dates).select(KEY).collect()
        held_ids = lake.scan_files(CALLS, held_of_day).select("record_id").collect()
        known = pl.concat([held_ids, superseded.select("record_id")])
        doubtful = concerned(_columns(batch, of_day, "record_id"), known)
        yield _Day(of_day, held_of_day, superseded, doubtful)


def _decide_day(
    lake: Lake, batch: Batch, day: _Day, taken: dict[str, Taken], now: datetime
) -> None:
    staged, held = day.staged, day.held
    standing = lake.scan_files(CALLS, held).select(KEY).collect()
    rows = pl.concat(
        pl.select(pl.int_range(file.rows).alias("row"), pl.lit(place).alias("file"))
        for place, file in enumerate(staged)
    )
    keys = _columns(batch, staged, *KEY, "ingest_id", "source_rows")
    keys = pl.concat([rows, keys], how="horizontal").filter(day.doubtful)
    keys = pl.concat(
        [keys, fates(keys.select(KEY), pl.concat([standing, day.superseded]))], how="horizontal"
    )
    for ingest_id, fate, rows in (
        keys.group_by("ingest_id", "fate").agg(pl.col("source_rows").sum()).iter_rows()
    ):
        taken[ingest_id].decided(fate, rows)
    by = keys.filter("stands").select("record_id", pl.col("ingest_id").alias("superseded_by"))
    _keep_what_stands(batch, staged, keys, by, now)
    corrected = by.join(standing, on="record_id", how="semi")
    _supersede(lake, batch, held, corrected, now)


def _columns(batch: Batch, files: list[DataFile], *columns: str) -> pl.DataFrame:
    """Read columns of staged files, in their order."""
    paths = [batch.path_of(CALLS, file) for file in files]
    return pl.scan_parquet(paths, hive_partitioning=False, glob=False).select(columns).collect()


def _keep_what_stands(
    batch: Batch, staged: list[DataFile], keys: pl.DataFrame, by: pl.DataFrame, now: datetime
) -> None:
    """Write a day's staged files again without duplicates and without superseded versions."""
    for place, file in enumerate(staged):
        verdict = keys.filter(pl.col("file") == place)
        if verdict["stands"].all():
            continue
        path = batch.path_of(CALLS, file)
        rows = _with_day(pl.read_parquet(path, hive_partitioning=False), file).with_row_index("row")
        falls = verdict.filter(~pl.col("stands"))
        superseded = falls.filter(pl.col("fate") != Fate.DUPLICATE.value)
        batch.unstage(CALLS, [file])
        batch.add(CALLS, rows.join(falls, on="row", how="anti").drop("row"))
        history = rows.join(superseded, on="row", how="semi").drop("row")
        batch.add(CALL_HISTORY, history_of(history, by, now))


def _supersede(
    lake: Lake, batch: Batch, held: list[DataFile], by: pl.DataFrame, now: datetime
) -> None:
    """Move the rows that others replace from the lake's files to the history."""
    for file in held if by.height else ():
        ids = lake.read_file(CALLS, file, columns=["record_id"])
        if ids.join(by, on="record_id", how="semi").is_empty():
            continue
        rows = lake.scan_files(CALLS, [file]).collect()
        batch.remove(CALLS, [file])
        batch.add(CALLS, rows.join(by, on="record_id", how="anti"))
        gone = rows.join(by, on="record_id", how="semi")
        batch.add(CALL_HISTORY, history_of(gone, by, now))


def _with_day(rows: pl.DataFrame, file: DataFile) -> pl.DataFrame:
    day = date.fromisoformat(file.partition["call_date"])
    return rows.with_columns(pl.lit(day).alias("call_date"))
