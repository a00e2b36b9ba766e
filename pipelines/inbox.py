"""What lies in the inbox: call files by source, and the operator's own files.

Files stay where they are. What was taken in is known by its content, so a file
that grew is taken in again and only its new rows count.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cdr.errors import SettingsError
from cdr.imports import (
    ImportReport,
    import_accounts,
    import_events,
    import_lists,
    import_messages,
    import_numbers,
)
from cdr.ingest import IngestReport, Progress, ingest
from cdr.lake import Lake

IMPORTS: dict[str, Callable[..., ImportReport]] = {
    "accounts": import_accounts,
    "account_numbers": import_numbers,
    "account_events": import_events,
    "messages": import_messages,
    "lists": import_lists,
}
"""Stem of each file of the operator's, and what takes it in; accounts come first."""


def operator_files(inbox: Path) -> list[tuple[str, Path]]:
    """List the operator's files in an inbox: kind and path, in the order of taking in."""
    return [
        (stem, file)
        for stem in IMPORTS
        for file in (inbox / f"{stem}.csv", inbox / f"{stem}.parquet")
        if file.is_file()
    ]


def call_files(inbox: Path, source: str) -> list[Path]:
    """List the files of one source, by name; hidden files are left alone."""
    folder = inbox / source
    if not folder.is_dir():
        return []
    return sorted(f for f in folder.rglob("*") if f.is_file() and not f.name.startswith("."))


def take_in(
    lake: Lake, *, now: datetime, progress: Progress | None = None
) -> tuple[list[ImportReport], IngestReport]:
    """Take in everything that lies in the inbox.

    Raises
    ------
    SettingsError
        If a folder in the inbox is no source of the settings.
    """
    inbox = lake.home.inbox
    unknown = [
        folder.name
        for folder in sorted(inbox.iterdir())
        if folder.is_dir() and folder.name not in lake.settings.sources
    ]
    if unknown:
        raise SettingsError(
            "sources", [f"inbox has a folder {name!r}, but no such source" for name in unknown]
        )
    imported = [IMPORTS[stem](lake, file, now=now) for stem, file in operator_files(inbox)]
    reports = []
    for name, source in sorted(lake.settings.sources.items()):
        files = call_files(inbox, name)
        if files:
            report = ingest(
                lake, files, source_name=name, source=source, now=now, progress=progress
            )
            reports += report.files
    return imported, IngestReport(tuple(reports))
