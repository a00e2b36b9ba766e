"""From switch files to the lake: read, normalise, deduplicate, commit; once.

The heavy part (reading, normalising, writing Parquet) runs side by side with
other writers; what is new is decided under the writer lock, on keys alone. A
file whose bytes were taken in before is not read again.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from cdr.ahead import ahead
from cdr.dedupe import KEY, Fate, concerned, fates, repeats
from cdr.errors import FormatError, WrongUse, shown
from cdr.formats import by_name
from cdr.lake import Batch, DataFile, Lake
from cdr.normalise.calls import OFFSET_CONTRADICTED, Stamp, to_calls
from cdr.schema import ACCOUNT_NUMBERS, CALL_HISTORY, CALLS, INGESTS, INSTANT, REJECTS
from cdr.settings import SourceSettings

FLUSH_ROWS = 500_000
"""Calls collected before they are written. Ours: about 400 MB in memory while they are, and few
enough files."""


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file; ``read`` is the sum of the next four, in rows.

    ``state`` is `done`, `known` (its bytes were taken in before; all its rows
    count as duplicates) or `refused` (see ``fault``; nothing of it was taken in).
    ``contradicted`` rows are calls whose record proves another offset from UTC than the source's
    zone has (flag `offset_contradicted`): that the zone is wrong is likely.
    """

    file: str
    source: str
    state: str
    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    corrected: int = 0
    rejected: int = 0
    contradicted: int = 0
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of the files of one call."""

    files: tuple[FileReport, ...]

    def total(self, name: str) -> int:
        """Add up one count of all files: `read`, `accepted`, ..."""
        return sum(getattr(file, name) for file in self.files)

    @property
    def refused(self) -> tuple[FileReport, ...]:
        """The files of which nothing was taken in."""
        return tuple(file for file in self.files if file.state == "refused")

    @property
    def contradicted(self) -> tuple[FileReport, ...]:
        """The files with calls that prove another offset from UTC than their source's zone."""
        return tuple(file for file in self.files if file.contradicted)


def contradiction(file: FileReport, zone: str) -> str:
    """Say that a file contradicts the zone of its source."""
    return (
        f"{file.file} ({file.source}): {file.contradicted:,} calls prove another offset from UTC "
        f"than {zone} has (flag {OFFSET_CONTRADICTED}); is `zone` of the source right?"
    )


LARGE_FILE_BYTES = 8 << 20
"""A file larger than this gets Parquet parts of its own. Ours: compressed, it may hold 15 times
as much, which still fits into one flush."""

Progress = Callable[[str, int], None]
"""Told the file's name and how many of its rows were read so far."""


@dataclass(slots=True)
class _Taken:
    """A file on its way: what is counted as it is read and decided on."""

    size_bytes: int
    stamp: Stamp
    sha256: str = ""  # known only once the whole file was looked at
    read: int = 0
    rejected: int = 0
    duplicate: int = 0
    corrected: int = 0
    contradicted: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def count(self, rows: int, calls: pl.DataFrame, rejects: pl.DataFrame) -> None:
        """Add what one block brought."""
        self.read += rows
        self.rejected += int(rejects["source_rows"].sum())
        flagged = calls.filter(pl.col("flags").list.len() > 0)
        self.contradicted += int(
            flagged.filter(pl.col("flags").list.contains(OFFSET_CONTRADICTED))["source_rows"].sum()
        )
        started = calls["started_at"]
        ends = [self.first, self.last, started.min(), started.max()]
        known = [end for end in ends if isinstance(end, datetime)]
        if known:
            self.first, self.last = min(known), max(known)

    def decided(self, fate: str, rows: int) -> None:
        """Note what deduplication said of some of its rows."""
        if fate == Fate.DUPLICATE.value:
            self.duplicate += rows
        elif fate == Fate.CORRECTED.value:
            self.corrected += rows

    def report(self) -> FileReport:
        """Say what became of the file; what nothing else happened to was accepted."""
        return FileReport(
            self.stamp.file,
            self.stamp.source,
            "done",
            self.read,
            self.read - self.rejected - self.duplicate - self.corrected,
            self.duplicate,
            self.corrected,
            self.rejected,
            self.contradicted,
        )


def ingest(
    lake: Lake,
    files: Sequence[Path],
    *,
    source_name: str,
    source: SourceSettings,
    now: datetime,
    progress: Progress | None = None,
) -> IngestReport:
    """Take files of one source into the lake, in one atomic batch.

    Parameters
    ----------
    lake : Lake
        Where to.
    files : sequence of Path
        Files of this source. One that is not in the source's format is left alone
        and reported; the others are taken in.
    source_name : str
        Part of every call's key: the same file under another name is other calls.
    source : SourceSettings
        Format, zone, country and the way to the account.
    now : datetime
        When the files arrived, with a time zone.
    progress : callable, optional
        Called as rows are read.

    Raises
    ------
    UnknownFormat
        If no reader has the source's format.
    WrongUse
        If no files are given.
    StorageFailed
        If the disk refuses; the lake is as it was.
    """
    if not files:
        raise WrongUse("no files to take in")
    form = by_name(source.format)
    now = now.astimezone(UTC)
    before, sizes = _taken_before(lake, source_name)
    owners = lake.scan(ACCOUNT_NUMBERS).drop("imported_at").collect()
    outcomes: list[FileReport | _Taken] = []
    with lake.batch("ingest") as batch, ThreadPoolExecutor(1) as hashers:
        writer = _Writer(batch)
        for number, path in enumerate(files):
            try:
                size_bytes = _size(path)
                hashing = hashers.submit(_sha256, path)
                known = before.get(hashing.result()) if size_bytes in sizes else None
                if known is not None:
                    outcomes.append(_known(path, source_name, known))
                    continue
                stamp = Stamp(source_name, shown(path), f"{batch.batch_id}-{number:05d}", now)
                file = _Taken(size_bytes, stamp)
                writer.begin(size_bytes)
                blocks = ahead(form.read(path, source, lake.settings.store.block_mb << 20))
                for rows, calls, rejects in ahead(
                    (int(records["source_rows"].sum()), *to_calls(
                        records, source=source, times=form.times, owners=owners, stamp=stamp
                    ))
                    for records in blocks
                ):  # fmt: skip
                    file.count(rows, calls, rejects)
                    writer.add(calls, rejects)
                    if progress:
                        progress(shown(path), file.read)
                file.sha256 = hashing.result()
                before[file.sha256] = file.read
                sizes.add(size_bytes)
                outcomes.append(file)
            except FormatError as error:
                writer.forget()
                fault = str(error.fault)
                outcomes.append(FileReport(shown(path), source_name, "refused", fault=fault))
        writer.flush()
        taken = [outcome for outcome in outcomes if isinstance(outcome, _Taken)]
        if taken:
            files_by_id = {file.stamp.ingest_id: file for file in taken}
            for ingest_id, rows in writer.repeated.items():
                files_by_id[ingest_id].duplicate += rows
            with lake.writing():
                _decide(lake, batch, files_by_id, now)
                batch.add(INGESTS, _ledger_rows(batch, taken))
                batch.publish()
    return IngestReport(tuple(o.report() if isinstance(o, _Taken) else o for o in outcomes))


def _taken_before(lake: Lake, source_name: str) -> tuple[dict[str, int], set[int]]:
    """Map the hash of each file of this source to the rows it had; and say how large they were.

    Only a file of a size that was there before needs its hash before it is read.
    """
    ledger = (
        lake.scan(INGESTS)
        .filter(pl.col("source") == source_name)
        .select("sha256", "read", "bytes")
        .collect()
    )
    return dict(ledger.select("sha256", "read").iter_rows()), set(ledger["bytes"])


def _known(path: Path, source_name: str, rows: int) -> FileReport:
    return FileReport(shown(path), source_name, "known", read=rows, duplicate=rows)


def _size(path: Path) -> int:
    with _readable(path), path.open("rb") as handle:
        return os.fstat(handle.fileno()).st_size


def _sha256(path: Path) -> str:
    with _readable(path), path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise FormatError(shown(path), "there is no such file") from None
    except IsADirectoryError:
        raise FormatError(shown(path), "is a folder; name its files") from None
    except OSError:
        raise FormatError(shown(path), "cannot be read; check its permissions") from None


class _Writer:
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


def _decide(lake: Lake, batch: Batch, taken: dict[str, _Taken], now: datetime) -> None:
    """Take duplicates out of the batch and let corrections replace what they correct.

    The caller holds the writer lock. A record's key includes its start, so a day
    is compared with the same day only.
    """
    staged = batch.staged(CALLS)
    held = lake.files(CALLS)
    for day in sorted({file.partition["call_date"] for file in staged}):
        of_day = [file for file in staged if file.partition["call_date"] == day]
        held_of_day = [file for file in held if file.partition["call_date"] == day]
        _decide_day(lake, batch, of_day, held_of_day, taken, now)


def _decide_day(
    lake: Lake,
    batch: Batch,
    staged: list[DataFile],
    held: list[DataFile],
    taken: dict[str, _Taken],
    now: datetime,
) -> None:
    keys = pl.concat(
        pl.read_parquet(
            batch.path_of(CALLS, file),
            columns=[*KEY, "ingest_id", "source_rows"],
            hive_partitioning=False,
        )
        .with_row_index("row")
        .with_columns(pl.lit(place).alias("file"))
        for place, file in enumerate(staged)
    )
    standing = lake.scan_files(CALLS, held).select(KEY).collect()
    doubtful = concerned(keys, standing)
    if not doubtful.any():
        return
    day = date.fromisoformat(staged[0].partition["call_date"])
    superseded = lake.scan(CALL_HISTORY, dates=[day]).select(KEY).collect()
    keys = keys.filter(doubtful)
    keys = pl.concat(
        [keys, fates(keys.select(KEY), pl.concat([standing, superseded]))], how="horizontal"
    )
    for ingest_id, fate, rows in (
        keys.group_by("ingest_id", "fate").agg(pl.col("source_rows").sum()).iter_rows()
    ):
        taken[ingest_id].decided(fate, rows)
    by = keys.filter("stands").select("record_id", pl.col("ingest_id").alias("superseded_by"))
    _keep_what_stands(batch, staged, keys, by, now)
    corrected = by.join(standing, on="record_id", how="semi")
    _supersede(lake, batch, held, corrected, now)


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
        batch.add(CALL_HISTORY, _history(history, by, now))


def _supersede(
    lake: Lake, batch: Batch, held: list[DataFile], by: pl.DataFrame, now: datetime
) -> None:
    """Move the rows that corrections replace from the lake's files to the history."""
    for file in held if by.height else ():
        ids = lake.read_file(CALLS, file, columns=["record_id"])
        if ids.join(by, on="record_id", how="semi").is_empty():
            continue
        rows = _with_day(lake.read_file(CALLS, file), file)
        batch.remove(CALLS, [file])
        batch.add(CALLS, rows.join(by, on="record_id", how="anti"))
        gone = rows.join(by, on="record_id", how="semi")
        batch.add(CALL_HISTORY, _history(gone, by, now))


def _with_day(rows: pl.DataFrame, file: DataFile) -> pl.DataFrame:
    day = date.fromisoformat(file.partition["call_date"])
    return rows.with_columns(pl.lit(day).alias("call_date"))


def _history(rows: pl.DataFrame, by: pl.DataFrame, now: datetime) -> pl.DataFrame:
    return (
        rows.join(by, on="record_id", how="left")
        .with_columns(pl.lit(now, INSTANT).alias("superseded_at"))
        .select(CALL_HISTORY.polars_schema.names())
    )


def _ledger_rows(batch: Batch, taken: list[_Taken]) -> pl.DataFrame:
    rows = []
    for file in taken:
        report = file.report()
        rows.append(
            {
                "ingest_id": file.stamp.ingest_id,
                "batch_id": batch.batch_id,
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
