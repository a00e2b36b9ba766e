"""Rows of many files, collected and staged in few parts."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from types import TracebackType
from typing import NamedTuple, Self

import polars as pl

from cdr.dedupe import KEY, repeats
from cdr.detach import detached
from cdr.lake import Batch, DataFile
from cdr.lake.packing import ROW_GROUP_ROWS
from cdr.schema import CALLS, REJECTS

HELD_ROWS = 800_000
"""Calls held before some are written. Ours: some 400 MB in memory while they are."""

PART_ROWS = 2 * ROW_GROUP_ROWS
"""Calls of one day that are written without waiting for more of them."""

DAYS_AT_ONCE = 2
"""Days written at the same time. Ours: while one is put on the disk, the other is packed."""

MOST_PIECES = 24
"""Pieces of a day, each of another block, that are held as they are. Ours: each keeps its block in
memory, some 10 MB; a day with its share of the calls is written after ten and spared a copy."""

LARGE_FILE_BYTES = 8 << 20
"""A file larger than this gets Parquet parts of its own. Ours: compressed, it may hold 15 times
as much, which can still be held."""


class _Part(NamedTuple):
    """A part that was staged, and the hash of the record of each of its rows, in their order."""

    file: DataFile
    records: pl.Series


class Collector:
    """Collect rows of many files and stage them in few parts, while the next ones are collected.

    Where days take turns, the day of which most is held is written: its parts are twice
    as large as if all that is held were written at once, and a row costs less in a larger part.
    Parts of one day are staged in the order of their rows' arrival; days are written side by side.

    Rows that only repeat another of the same part, or of the part of their day before it, are left
    out and counted: that spares a part from being written twice. A file larger than what is
    held gets parts of its own, so that it can be forgotten when it
    turns out, late, not to be in its format.

    Use as a context manager: leaving waits until nothing is being written.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._calls: list[pl.DataFrame] = []
        self._rejects: list[pl.DataFrame] = []
        self._held: dict[date | None, list[pl.DataFrame]] = {}  # by day; None: rows set aside
        self._last: dict[date, _Part] = {}
        self._own: list[DataFile] = []
        self._mark = (0, 0)
        self._alone = True
        self._ingest_id = ""
        self._writer = ThreadPoolExecutor(1)
        self._day_writers = ThreadPoolExecutor(DAYS_AT_ONCE)
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
        self._day_writers.shutdown()

    def begin(self, size_bytes: int, ingest_id: str) -> None:
        """Begin a file."""
        self._wait()
        rows = self._rows()
        if begins_anew := size_bytes > LARGE_FILE_BYTES or rows >= HELD_ROWS:
            self._hand_over(most_rows=0)
        self._own = []
        self._mark = (len(self._calls), len(self._rejects))
        self._alone = begins_anew or not rows
        self._ingest_id = ingest_id

    def add(self, calls: pl.DataFrame, rejects: pl.DataFrame) -> None:
        """Collect rows of the file begun last."""
        self._calls.append(calls)
        if rejects.height:
            self._rejects.append(detached(rejects))
        if self._alone:
            self._hand_over(most_rows=HELD_ROWS)

    def forget(self, ingest_id: str) -> None:
        """Drop the rows of a file, if it was begun; none may have been begun since."""
        if ingest_id != self._ingest_id:
            return
        self._wait()
        calls = [file for file in self._own if file in self._batch.staged(CALLS)]
        self._batch.unstage(CALLS, calls)
        self._batch.unstage(REJECTS, [file for file in self._own if file not in calls])
        self._last = {day: part for day, part in self._last.items() if part.file not in calls}
        del self._calls[self._mark[0] :], self._rejects[self._mark[1] :]
        if self._alone:
            self._held = {}
        self._own = []
        del self.repeated[ingest_id]

    def write_rest(self) -> None:
        """Write what was collected; all of it is staged then."""
        self._hand_over(most_rows=0)
        self._wait()

    def _hand_over(self, *, most_rows: int) -> None:
        """Begin to write all but so many rows, once what was handed over before is written."""
        self._wait()
        calls, rejects = self._calls, self._rejects
        self._calls, self._rejects = [], []
        self._writing = self._writer.submit(self._take, calls, rejects, self._own, most_rows)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def _take(
        self,
        blocks: list[pl.DataFrame],
        rejects: list[pl.DataFrame],
        own: list[DataFile],
        most_rows: int,
    ) -> None:
        """Hold rows by day; the list of blocks is emptied."""
        blocks.reverse()
        while blocks:  # no block is there twice for longer than it takes to split it
            for part in _by_day(blocks.pop()):
                self._held.setdefault(part.item(0, "call_date"), []).append(part)
        self._held.setdefault(None, []).extend(rejects)
        for files, repeated in self._day_writers.map(self._write, self._full_days(most_rows)):
            own += files
            self.repeated.update(repeated)
        for day, pieces in self._held.items():
            if len(pieces) > MOST_PIECES:
                self._held[day] = [detached(pl.concat(pieces))]

    def _full_days(self, most_rows: int) -> list[date | None]:
        """Choose the days to write, those of which most is held; so many rows may stay."""
        rows = {day: _height(parts) for day, parts in self._held.items()}
        left, days = sum(rows.values()), []
        for day in sorted(rows, key=rows.__getitem__, reverse=True):
            if left <= most_rows and rows[day] < PART_ROWS:
                break
            days.append(day)
            left -= rows[day]
        return days

    def _write(self, day: date | None) -> tuple[list[DataFile], dict[str, int]]:
        """Write all that is held of a day; returns the files, and rows left out by their ingest."""
        rows = pl.concat(self._held.pop(day))
        if day is None:
            return self._batch.add(REJECTS, rows), {}
        records = rows["record_id"].hash()
        again = repeats(rows, self._said_before(day, records))
        counts = rows.filter(again).group_by("ingest_id").agg(pl.col("source_rows").sum())
        if again.any():
            rows, records = rows.filter(~again), records.filter(~again)
        files = self._batch.add(CALLS, rows)
        for file in files:
            self._last[day] = _Part(file, records)
        return files, dict(counts.iter_rows())

    def _said_before(self, day: date, records: pl.Series) -> pl.DataFrame | None:
        """Return keys of the rows of a day's last part whose record may be among these."""
        last = self._last.get(day)
        if last is None or not (shared := last.records.is_in(records.implode())).any():
            return None
        return self._batch.scan_staged(CALLS, [last.file]).select(KEY).collect().filter(shared)

    def _rows(self) -> int:
        """Count what is collected; nothing may be being written."""
        return sum(map(_height, (self._calls, self._rejects, *self._held.values())))


def _by_day(calls: pl.DataFrame) -> list[pl.DataFrame]:
    """Split a block into days; most blocks of a day's own file need no copy for that."""
    days = calls["call_date"]
    if calls.height and days.min() == days.max():
        return [calls]
    return calls.partition_by("call_date")


def _height(frames: list[pl.DataFrame]) -> int:
    return sum(frame.height for frame in frames)
