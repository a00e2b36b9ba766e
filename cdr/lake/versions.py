"""Old versions of tables: files that no reader of today's version opens, still on the disk.

They hold what was removed since. Which were let go of when stands in the log; a file that no
log names any more (its entry was cleared away, or a process was killed) is judged by its age.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import time

from cdr.errors import storage
from cdr.lake import Lake
from cdr.schema import TABLES, Table


@dataclass(frozen=True, slots=True)
class Old:
    """Files of old versions, and their bytes."""

    files: int = 0
    bytes: int = 0


def old_versions(lake: Lake) -> Old:
    """Count what still lies on the disk and is in no table's newest version."""
    sizes = [path.stat().st_size for table in TABLES.values() for path in _old_files(lake, table)]
    return Old(len(sizes), sum(sizes))


def drop_old_versions(lake: Lake, *, hours: int) -> Old:
    """Remove what tables let go of this many hours ago; returns what is gone."""
    before = old_versions(lake)
    for table in TABLES.values():
        lake.vacuum(table, hours=hours)
        with lake.writing(), storage(f"removing old files of {table.name}"):
            named = lake.let_go(table)
            for path in _old_files(lake, table):
                if path.name not in named and path.stat().st_mtime <= time() - 3600 * hours:
                    path.unlink()
    after = old_versions(lake)
    return Old(before.files - after.files, before.bytes - after.bytes)


def _old_files(lake: Lake, table: Table) -> Iterator[Path]:
    folder = lake.home.lake / table.name
    if not folder.is_dir():
        return
    current = {folder / file.path for file in lake.files(table)}
    for path in folder.rglob("*.parquet"):
        if "_delta_log" not in path.parts and path not in current:
            yield path
