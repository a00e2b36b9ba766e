"""What is new, what was there, what corrects: decided on staged rows under the writer lock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache, partial

import polars as pl

from cdr.dedupe import KEY, Fate, fates, outdone, stands_twice
from cdr.ingest.elsewhere import DAYS_APART, Marks, marks_of, may_be_there, there_as
from cdr.ingest.report import MISSING_BYE, Taken
from cdr.ingest.upcoming import history_of
from cdr.lake import Batch, DataFile, Lake
from cdr.schema import CALL_HISTORY, CALLS

DAYS_AT_ONCE = 2
"""Days whose keys are compared at the same time. Ours: some 60 bytes a call of the day each."""

DAYS_KEPT = DAYS_AT_ONCE + 2 * DAYS_APART
"""Days of which what was read is kept for the days beside them: 16 bytes a call each."""

_Read = Callable[[str], Future[Marks]]
"""What `marks_of` reads of a day of the lake."""


def decide(
    lake: Lake, batch: Batch, taken: dict[str, Taken], now: datetime, *, names: list[str]
) -> None:
    """Take duplicates out of the batch and let corrections replace what they correct.

    The caller holds the writer lock. A record's key includes its start, so a day is compared with
    the same day; and with those beside it for what came in at another time or, of ``names``,
    under another name than the source's, which is the first.
    """
    held, history = lake.files(CALLS), lake.files(CALL_HISTORY)
    days = _days(batch, held, history)
    with ThreadPoolExecutor(DAYS_AT_ONCE) as others, ThreadPoolExecutor(DAYS_AT_ONCE) as readers:

        @lru_cache(DAYS_KEPT)
        def read(day: str) -> Future[Marks]:
            files = (_of([day], held), _of([day], history))
            return others.submit(marks_of, _held(lake, *files))

        found = readers.map(partial(_doubtful, batch, names, read), days)
        for day, doubtful in zip(days, found, strict=True):
            if doubtful.any():
                _decide_day(lake, batch, day, doubtful, taken, now, names)


@dataclass(frozen=True, slots=True)
class _Day:
    """What is staged of a day; held of it and superseded, and the same with the days beside it."""

    day: str
    staged: list[DataFile]
    held: list[DataFile]
    history: list[DataFile]
    held_near: list[DataFile]
    history_near: list[DataFile]


def _days(batch: Batch, held: list[DataFile], history: list[DataFile]) -> list[_Day]:
    staged = batch.staged(CALLS)
    return [
        _Day(
            day,
            _of([day], staged),
            *(_of([day], files) for files in (held, history)),
            *(_of(_near(day), files) for files in (held, history)),
        )
        for day in sorted({file.partition["call_date"] for file in staged})
    ]


def _of(days: list[str], files: list[DataFile]) -> list[DataFile]:
    return [file for file in files if file.partition["call_date"] in days]


def _near(day: str) -> list[str]:
    """List a day and those beside it."""
    middle = date.fromisoformat(day)
    apart = range(-DAYS_APART, DAYS_APART + 1)
    return [(middle + timedelta(days=days)).isoformat() for days in apart]


def _doubtful(batch: Batch, names: list[str], read: _Read, day: _Day) -> pl.Series:
    """Tell which staged rows of a day may be another row's record."""
    mine = marks_of(_columns(batch, day.staged, *KEY).lazy())
    doubtful = stands_twice(mine.records, [read(day.day).result().records])
    if doubtful.all() or not (day.held_near or day.history_near):
        return doubtful
    near = [read(other) for other in _near(day.day)]
    return doubtful | may_be_there(mine.sums, [marks.result().sums for marks in near], names)


def _held(lake: Lake, held: list[DataFile], history: list[DataFile]) -> pl.LazyFrame:
    """Read the keys of calls as they stand, and as they stood."""
    tables = ((CALLS, held), (CALL_HISTORY, history))
    return pl.concat(lake.scan_files(table, files).select(KEY) for table, files in tables)


def _decide_day(
    lake: Lake,
    batch: Batch,
    day: _Day,
    doubtful: pl.Series,
    taken: dict[str, Taken],
    now: datetime,
    names: list[str],
) -> None:
    staged, held = day.staged, day.held
    standing = lake.scan_files(CALLS, held).select(*KEY, _end_seen()).collect()
    superseded = lake.scan_files(CALL_HISTORY, day.history).select(KEY).collect()
    known = pl.concat([standing.select(KEY), superseded])
    rows = pl.concat(
        pl.select(pl.int_range(file.rows).alias("row"), pl.lit(place).alias("file"))
        for place, file in enumerate(staged)
    )
    keys = _columns(batch, staged, *KEY, "ingest_id", "source_rows", _end_seen())
    keys = pl.concat([rows, keys], how="horizontal").filter(doubtful)
    less = outdone(keys, standing)
    keys, fallen = keys.filter(~less), keys.filter(less)
    new = keys.join(known, on="record_id", how="anti")
    near = _held(lake, day.held_near, day.history_near)
    elsewhere = new.with_columns(there_as(new, near, names).alias("name")).drop_nulls("name")
    for ingest_id, name, rows in (
        elsewhere.group_by("ingest_id", "name").agg(pl.col("source_rows").sum()).iter_rows()
    ):
        taken[ingest_id].elsewhere[name] += rows
    known = pl.concat([known, elsewhere.select(KEY)])  # as if they were there: duplicates
    keys = pl.concat([keys, fates(keys.select(KEY), known)], how="horizontal")
    fate = {"fate": pl.lit(Fate.DUPLICATE.value), "stands": pl.lit(value=False)}
    keys = pl.concat([keys, fallen.with_columns(**fate)])
    for ingest_id, fate, rows in (
        keys.group_by("ingest_id", "fate").agg(pl.col("source_rows").sum()).iter_rows()
    ):
        taken[ingest_id].decided(fate, rows)
    by = keys.filter("stands").select("record_id", pl.col("ingest_id").alias("superseded_by"))
    _keep_what_stands(batch, staged, keys, by, now)
    corrected = by.join(standing, on="record_id", how="semi")
    _supersede(lake, batch, held, corrected, now)


def _end_seen() -> pl.Expr:
    """Tell whether the record of an answered call has its end; null for any other."""
    lacks = pl.col("flags").list.contains(MISSING_BYE)
    has = pl.when(pl.col("duration_ms").is_not_null()).then(pl.lit(value=True))
    return pl.when(lacks).then(pl.lit(value=False)).otherwise(has).alias("end_seen")


def _columns(batch: Batch, files: list[DataFile], *columns: str | pl.Expr) -> pl.DataFrame:
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
        falls = verdict.filter(~pl.col("stands"))
        superseded = falls.filter(pl.col("fate") != Fate.DUPLICATE.value)
        if falls.height == file.rows and superseded.is_empty():
            batch.unstage(CALLS, [file])
            continue
        path = batch.path_of(CALLS, file)
        rows = _with_day(pl.read_parquet(path, hive_partitioning=False), file).with_row_index("row")
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
        lake.check_whole(CALLS, [file])
        rows = lake.scan_files(CALLS, [file]).collect()
        batch.remove(CALLS, [file])
        batch.add(CALLS, rows.join(by, on="record_id", how="anti"))
        gone = rows.join(by, on="record_id", how="semi")
        batch.add(CALL_HISTORY, history_of(gone, by, now))


def _with_day(rows: pl.DataFrame, file: DataFile) -> pl.DataFrame:
    day = date.fromisoformat(file.partition["call_date"])
    return rows.with_columns(pl.lit(day).alias("call_date"))
