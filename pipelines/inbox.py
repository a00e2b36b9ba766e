"""What lies in the inbox: call files by source, and the operator's own files.

Files stay where they are. What was taken in is known by its content, so a file
that grew is taken in again and only its new rows count. A file that cannot be read
does not keep the others out.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cdr.errors import FormatError, SchemaMismatch, SettingsError, SourceFailed, shown
from cdr.imports import (
    ImportReport,
    import_accounts,
    import_events,
    import_lists,
    import_messages,
    import_numbers,
)
from cdr.ingest import (
    FileReport,
    IngestReport,
    Progress,
    contradiction,
    ingest,
    there_already,
    without_account,
)
from cdr.lake import Lake
from cdr.pull import pull_source
from pipelines.set_aside import set_aside

IMPORTS: dict[str, Callable[..., ImportReport]] = {
    "accounts": import_accounts,
    "account_numbers": import_numbers,
    "account_events": import_events,
    "lists": import_lists,
    "messages": import_messages,
}
"""Stem of each file of the operator's, and what takes it in; accounts come first, and lists before
the texts whose links are looked up in them."""


COUNTS = ("read", "accepted", "duplicate", "corrected", "rejected")
"""What rows are counted as; the first is the sum of the others."""


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file of the operator's of which nothing was taken in, and why."""

    file: str
    fault: str


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of everything that lay in the inbox."""

    imports: tuple[ImportReport, ...]
    refused_imports: tuple[RefusedFile, ...]
    calls: IngestReport

    @property
    def counts(self) -> dict[str, int]:
        """Call files, and what became of their rows."""
        return {"files": len(self.calls.files), **{name: self.calls.total(name) for name in COUNTS}}


def operator_files(inbox: Path) -> list[tuple[str, Path]]:
    """List the operator's files in an inbox: kind and path, in the order of taking in."""
    return [
        (stem, file)
        for stem in IMPORTS
        for file in (inbox / f"{stem}.csv", inbox / f"{stem}.parquet")
        if file.is_file()
    ]


def call_files(inbox: Path, source: str) -> list[Path]:
    """List the files of one source as they were written; hidden files are left alone.

    What else lies there is among them, to be told when it cannot be read: a folder that nobody
    may look into, a link to a folder or to nothing, a pipe.

    What two files say of one call is true as the later one has it. By name `day-corrected.csv`
    would come before `day.csv`, and `Master.csv` before `Master.csv.1`, which is older.
    """
    folder = inbox / source
    if not folder.is_dir():
        return []
    closed: list[OSError] = []
    found = [
        path
        for place, folders, names in os.walk(folder, onerror=closed.append)
        for path in (Path(place, name) for name in (*folders, *names))
        if path.is_symlink() or not path.is_dir()
    ]
    found += [Path(fault.filename) for fault in closed]
    return sorted((path for path in found if not path.name.startswith(".")), key=_written)


def _written(file: Path) -> tuple[int, str, Path]:
    """Order files by the second they were last written in; of one second, by name."""
    try:
        written_s = int(file.stat().st_mtime)
    except OSError:  # gone since: said when it is read
        written_s = 0
    return written_s, file.name.partition(".")[0], file


def take_in(lake: Lake, *, now: datetime, progress: Progress | None = None) -> TakenIn:
    """Take in everything that lies in the inbox.

    Raises
    ------
    SettingsError
        If there is no source in the settings, or a folder in the inbox is none of them.
    """
    inbox, sources = lake.home.inbox, lake.settings.sources
    _expect_sources(inbox, set(sources))
    imports: list[ImportReport] = []
    refused: list[RefusedFile] = []
    for stem, file in operator_files(inbox):
        try:
            imports.append(IMPORTS[stem](lake, file, now=now))
        except (FormatError, SchemaMismatch) as error:
            refused.append(RefusedFile(shown(file), str(error)))
    reports: list[FileReport] = []
    for name, source in sorted(sources.items()):
        try:
            pull_source(lake, name, source)
        except SourceFailed as error:
            reports.append(FileReport(error.table, name, "refused", fault=error.fault))
        if files := call_files(inbox, name):
            found = ingest(lake, files, source_name=name, source=source, now=now, progress=progress)
            reports += found.files
    return TakenIn(tuple(imports), tuple(refused), IngestReport(tuple(reports)))


def _expect_sources(inbox: Path, sources: set[str]) -> None:
    if not sources:
        raise SettingsError(
            "sources", ["there is none; `callsieve init` writes a callsieve.toml that shows how"]
        )
    folders = sorted(folder.name for folder in inbox.iterdir() if folder.is_dir())
    unknown = [name for name in folders if name not in sources]
    if unknown:
        raise SettingsError(
            "sources", [f"inbox has a folder {name!r}, but no such source" for name in unknown]
        )


def concerns_of(lake: Lake, taken: TakenIn, *, now: datetime) -> list[str]:
    """Say what of a taking in needs a person: files, rows, clocks and accounts."""
    sources = lake.settings.sources
    return [
        *(f"{refused.file}: {refused.fault}" for refused in taken.refused_imports),
        *(f"{file.file} ({file.source}): {file.fault}" for file in taken.calls.refused),
        *(
            contradiction(
                f"{file.file} ({file.source})", file.contradicted, sources[file.source].zone
            )
            for file in taken.calls.contradicted
        ),
        *(
            there_already(source, before, rows)
            for (source, before), rows in taken.calls.elsewhere.items()
        ),
        *(
            without_account(name, calls, sources[name])
            for name, calls in taken.calls.ownerless.items()
            if sources[name].account_from != "none"
        ),
        *set_aside(lake, now),
    ]
