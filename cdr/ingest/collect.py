"""Rows of many files, collected and staged in few parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

import polars as pl

from cdr.dedupe import repeats
from cdr.lake import Batch, DataFile
from cdr.schema import CALLS, REJECTS

FLUSH_ROWS = 500_000
"""Calls collected before they are written. Ours: about 400 MB in memory while they are, and few
enough files."""

LARGE_FILE_BYTES = 8 << 20
"""A file larger than this gets Parquet parts of its own. Ours: compressed, it may hold 15 times
as much, which still fits into one flush."""


class Collector:
    """Collect rows of many files and stage them in few parts.

    Rows that only repeat another of the same part are left out and counted: that
    spares a file of the day from being written twice. A file larger than what is
    collected at a time gets parts of its own, so that it can be forgotten when it
    turns out, late, not to be in its format.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._calls: list[pl.DataFrame] = []
        self._rejects: list[pl.DataFrame] = []
        self._own: list[DataFile] = []
        self._mark = (0, 0)
        self.repeated: Counter[str] = Counter()

    def begin(self, size_bytes: int) -> None:
        """Begin a file."""
        if size_bytes > LARGE_FILE_BYTES or self._rows() >= FLUSH_ROWS:
            self.flush()
        self._own = []
        self._mark = (len(self._calls), len(self._rejects))

    def add(self, calls: pl.DataFrame, rejects: pl.DataFrame) -> None:
        """Collect rows of the file begun last."""
        self._calls.append(calls)
        self._rejects.append(rejects)
        if self._mark == (0, 0) and self._rows() >= FLUSH_ROWS:
            self.flush()

    def forget(self) -> None:
        """Drop the rows of the file begun last."""
        calls = [file for file in self._own if file in self._batch.staged(CALLS)]
        self._batch.unstage(CALLS, calls)
        self._batch.unstage(REJECTS, [file for file in self._own if file not in calls])
        del self._calls[self._mark[0] :], self._rejects[self._mark[1] :]
        self._own = []

    def flush(self) -> None:
        """Write what was collected."""
        for calls in self._days():
            again = repeats(calls)
            if again.any():
                counts = calls.filter(again).group_by("ingest_id").agg(pl.col("source_rows").sum())
                self.repeated.update(dict(counts.iter_rows()))
                calls = calls.filter(~again)
            self._own += self._batch.add(CALLS, calls)
        if self._rejects:
            self._own += self._batch.add(REJECTS, pl.concat(self._rejects))
            self._rejects.clear()

    def _days(self) -> Iterator[pl.DataFrame]:
        """Hand over what was collected, a day of calls at a time."""
        days: dict[date, list[pl.DataFrame]] = {}
        self._calls.reverse()
        while self._calls:  # no block is there twice for longer than it takes to split it
            for part in self._calls.pop().partition_by("call_date"):
                days.setdefault(part.item(0, "call_date"), []).append(part)
        while days:
            yield pl.concat(days.pop(min(days)))

    def _rows(self) -> int:
        return sum(frame.height for frame in self._calls + self._rejects)
