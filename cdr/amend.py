"""Later knowledge about calls that are there, written a day at a time.

Each day is one batch, so that a run that is broken off goes on where it was. A call that reads
otherwise is a correction: its earlier version goes to `call_history`, the ledger has a row for it,
and it arrives again, so that its day is counted and billed anew. What is known later is the
caller's: `renumber`, `reassign`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from cdr.errors import StorageFailed, storage
from cdr.ingest.ledger import amendments
from cdr.lake import Batch, DataFile, Lake
from cdr.lake.in_order import sorted_calls
from cdr.schema import CALL_HISTORY, CALLS, INGESTS, INSTANT

Progress = Callable[[int, int], None]
"""Told how many days were looked at, and how many there are."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The calls of one file, as they are and as they read now.

    Parameters
    ----------
    before, after : DataFrame
        All its calls, row by row.
    differs : Series of Boolean
        Which of them become another version; others may change without one.
    """

    before: pl.DataFrame
    after: pl.DataFrame
    differs: pl.Series


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is done, in the words of the books.

    Parameters
    ----------
    did : str
        Of `lake history`.
    state : str
        Of the ledger's rows.
    file : str
        What stands in the ledger for the name of a file.
    """

    did: str
    state: str
    file: str


def files_by_day(
    lake: Lake, *, since: date | None = None, until: date | None = None
) -> dict[date, list[DataFile]]:
    """Map each day of calls to its files, the oldest first; ``until`` is the first day left out."""
    days: dict[date, list[DataFile]] = {}
    for file in lake.files(CALLS):
        day = date.fromisoformat(file.partition["call_date"])
        if (since is None or day >= since) and (until is None or day < until):
            days.setdefault(day, []).append(file)
    return dict(sorted(days.items()))


def amend(
    lake: Lake,
    days: list[date],
    amendment: Amendment,
    read: Callable[[DataFile], Reading | None],
    *,
    now: datetime,
    progress: Progress | None = None,
) -> int:
    """Write what reads otherwise now, one batch a day; safe to repeat if ``read`` is.

    Parameters
    ----------
    lake : Lake
        Whose calls.
    days : list of date
        Which.
    amendment : Amendment
        How the books call it.
    read : callable
        Reads a file again; None where nothing in it changes. Called under the writer lock.
    now : datetime
        When the calls came to read as they do, with a time zone.
    progress : callable, optional
        See `Progress`.

    Returns
    -------
    int
        Calls that read otherwise now.

    Raises
    ------
    StorageFailed
        If the disk refuses; days before are done, this one is as it was.
    """
    changed = 0
    for number, day in enumerate(days, start=1):
        with _after(changed), lake.batch(amendment.did) as batch, lake.writing():
            amended = (
                _staged(lake, batch, file, reading, now)
                for file in files_by_day(lake).get(day, ())
                if (reading := read(file)) is not None
            )
            whole = pl.concat([_AMENDED, *amended])
            if whole.height:
                rows = amendments(
                    whole, batch.batch_id, now, file=amendment.file, state=amendment.state
                )
                batch.add(INGESTS, rows)
            changed += whole.height
            if batch.staged(CALLS):
                batch.publish()
        if progress:
            progress(number, len(days))
    return changed


@contextmanager
def _after(changed: int) -> Iterator[None]:
    """Let a failure say that days before it are done."""
    try:
        with storage("amending calls"):
            yield
    except StorageFailed as error:
        if not changed:
            raise
        outcome = "the days before are done, this one is as it was"
        raise StorageFailed(error.doing, error.kind, outcome=outcome) from None


_AMENDED = CALLS.empty().select("ingest_id", "source", "source_rows", "started_at")


def _staged(
    lake: Lake, batch: Batch, file: DataFile, reading: Reading, now: datetime
) -> pl.DataFrame:
    """Stage a file's calls as they read now; returns what the ledger counts of those changed."""
    lake.retire(batch, CALLS, [file])
    differs = reading.differs
    after = reading.after.with_columns(
        pl.when(differs)
        .then(pl.format("{}-{}", pl.lit(batch.batch_id), "source"))
        .otherwise("ingest_id")
        .alias("ingest_id"),
        pl.when(differs).then(pl.lit(now, INSTANT)).otherwise("ingested_at").alias("ingested_at"),
    )
    batch.add(CALLS, sorted_calls(after), lasting=True)
    changed = after.filter(differs)
    if changed.height:
        earlier = reading.before.filter(differs).with_columns(
            changed["ingest_id"].alias("superseded_by"),
            pl.lit(now, INSTANT).alias("superseded_at"),
        )
        batch.add(CALL_HISTORY, earlier.select(CALL_HISTORY.polars_schema.names()))
    return changed.select(_AMENDED.columns)
