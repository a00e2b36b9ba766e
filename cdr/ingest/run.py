"""One batch of files: read, normalise, collect, decide, publish.

The heavy part (reading, normalising, writing Parquet) runs side by side with
other writers; what is new is decided under the writer lock, on keys alone. A
file whose bytes were taken in before is not read again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from cdr.ahead import ahead
from cdr.errors import FormatError, WrongUse, shown
from cdr.formats import by_name
from cdr.formats.record import Format
from cdr.ingest.attempts import join_attempts
from cdr.ingest.collect import Collector
from cdr.ingest.decide import decide
from cdr.ingest.elsewhere import names_before
from cdr.ingest.ends import end_calls
from cdr.ingest.ledger import files_taken
from cdr.ingest.report import FileReport, IngestReport, Taken
from cdr.ingest.upcoming import Upcoming
from cdr.input_files import check_file
from cdr.lake import Lake
from cdr.normalise.calls import Stamp, to_calls
from cdr.schema import ACCOUNT_NUMBERS, INGESTS
from cdr.settings import SourceSettings

Progress = Callable[[str, int], None]
"""Told the file's name and how many of its rows were read so far."""


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
        Part of every call's key: the same file as another source of the settings is other calls.
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
    outcomes: list[FileReport | Taken] = []
    with (
        lake.batch("ingest") as batch,
        ThreadPoolExecutor(1) as hashers,
        Collector(batch) as writer,
    ):
        for number, path in enumerate(files):
            stamp = Stamp(source_name, shown(path), f"{batch.batch_id}-{number:05d}", now)
            try:
                size_bytes = _size(path)
                hashing = hashers.submit(_sha256, path, size_bytes)
                known = before.get(hashing.result()) if size_bytes in sizes else None
                if known is not None:
                    outcomes.append(_known(path, source_name, known))
                    continue
                file = Taken(size_bytes, stamp)
                writer.begin(size_bytes, stamp.ingest_id)
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
                writer.forget(stamp.ingest_id)
                fault = str(error.fault)
                outcomes.append(FileReport(shown(path), source_name, "refused", fault=fault))
        writer.write_rest()
        taken = [outcome for outcome in outcomes if isinstance(outcome, Taken)]
        if taken:
            files_by_id = {file.stamp.ingest_id: file for file in taken}
            for ingest_id, rows in writer.repeated.items():
                files_by_id[ingest_id].duplicate += rows
            with lake.writing():
                decide(lake, batch, files_by_id, now, names=_names(lake, source_name))
                _put_together(Upcoming(lake, batch), source_name, source, form, files_by_id, now)
                batch.add(INGESTS, files_taken(batch.batch_id, taken))
                batch.publish()
    return IngestReport(tuple(o.report() if isinstance(o, Taken) else o for o in outcomes))


def _put_together(
    upcoming: Upcoming,
    source_name: str,
    source: SourceSettings,
    form: Format,
    taken: Mapping[str, Taken],
    now: datetime,
) -> None:
    """Join what stands in several files."""
    since = [file.unended_since for file in taken.values() if file.unended_since]
    if since:
        explained = end_calls(upcoming, source_name, source, since=min(since), now=now)
        for ingest_id in explained.keys() & taken.keys():
            taken[ingest_id].explained = explained[ingest_id]
    if form.dialogs:
        spans = [file.span for file in taken.values() if file.span]
        join_attempts(upcoming, source_name, spans, now=now)


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


def _names(lake: Lake, source_name: str) -> list[str]:
    """List the names under which calls of a source may be there; imports bring none."""
    with_calls = lake.scan(INGESTS).filter(pl.col("first_started_at").is_not_null())
    known = with_calls.select(pl.col("source").unique()).collect().to_series()
    return names_before(known, source_name, lake.settings.sources)


def _known(path: Path, source_name: str, rows: int) -> FileReport:
    return FileReport(shown(path), source_name, "known", read=rows, duplicate=rows)


def _size(path: Path) -> int:
    check_file(path)
    with _readable(path), path.open("rb") as handle:
        return os.fstat(handle.fileno()).st_size


def _sha256(path: Path, size_bytes: int) -> str:
    """Hash what a file held when its size was taken.

    What it grew by since may not have been read: a hash of that too would say that it was.
    """
    digest, left = hashlib.sha256(), size_bytes
    with _readable(path), path.open("rb") as handle:
        while piece := handle.read(min(left, _PIECE_BYTES)):
            digest.update(piece)
            left -= len(piece)
    return digest.hexdigest()


_PIECE_BYTES = 1 << 18  # ours: what the processor holds beside itself


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise FormatError(shown(path), "cannot be read; check its permissions") from None
