"""Rows of many files, collected and staged in few parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from types import TracebackType
from typing import Self

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
    """Collect rows of many files and stage them in few parts, while the next ones are collected.

    Rows that only repeat another of the same part are left out and counted: that
    spares a file of the day from being written twice. A file larger than what is
    collected at a time gets parts of its own, so that it can be forgotten when it
    turns out, late, not to be in its format.

    Use as a context manager: leaving waits until nothing is being written.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._calls: list[pl.DataFrame] = []
        self._rejects: list[pl.DataFrame] = []
        self._own: list[DataFile] = []
        self._mark = (0, 0)
        self._ingest_id = ""
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None
        self.repeated: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.shutdown()

    def begin(self, size_bytes: int, ingest_id: str) -> None:
        """Begin a file."""
        if size_bytes > LARGE_FILE_BYTES or self._rows() >= FLUSH_ROWS:
            self._flush()
        self._own = []
        self._mark = (len(self._calls), len(self._rejects))
        self._ingest_id = ingest_id

    def add(self, calls: pl.DataFrame, rejects: pl.DataFrame) -> None:
        """Collect rows of the file begun last."""
        self._calls.append(calls)
        self._rejects.append(rejects)
        if self._mark == (0, 0) and self._rows() >= FLUSH_ROWS:
            self._flush()

    def forget(self, ingest_id: str) -> None:
        """Drop the rows of a file, if it was begun; none may have been begun since."""
        if ingest_id != self._ingest_id:
            return
        self._wait()
        calls = [file for file in self._own if file in self._batch.staged(CALLS)]
        self._batch.unstage(CALLS, calls)
        self._batch.unstage(REJECTS, [file for file in self._own if file not in calls])
        del self._calls[self._mark[0] :], self._rejects[self._mark[1] :]
        self._own = []
        del self.repeated[ingest_id]

    def write_rest(self) -> None:
        """Write what was collected; all of it is staged then."""
        self._flush()
        self._wait()

    def _flush(self) -> None:
        """Begin to write what was collected, once what was before it is written."""
        self._wait()
        calls, rejects = self._calls, self._rejects
        self._calls, self._rejects = [], []
        self._writing = self._writer.submit(self._write, calls, rejects, self._own)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def _write(
        self, blocks: list[pl.DataFrame], rejects: list[pl.DataFrame], own: list[DataFile]
    ) -> None:
        for calls in _days(blocks):
            again = repeats(calls)
            if again.any():
                counts = calls.filter(again).group_by("ingest_id").agg(pl.col("source_rows").sum())
                self.repeated.update(dict(counts.iter_rows()))
                calls = calls.filter(~again)
            own += self._batch.add(CALLS, calls)
        if rejects:
            own += self._batch.add(REJECTS, pl.concat(rejects))

    def _rows(self) -> int:
        return sum(frame.height for frame in self._calls + self._rejects)


def _days(blocks: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Hand over calls a day at a time; the list of blocks is emptied."""
    days: dict[date, list[pl.DataFrame]] = {}
    blocks.reverse()
    while blocks:  # no block is there twice for longer than it takes to split it
        for part in blocks.pop().partition_by("call_date"):
            days.setdefault(part.item(0, "call_date"), []).append(part)
    while days:
        yield pl.concat(days.pop(min(days)))
