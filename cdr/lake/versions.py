"""Old versions of tables: files that no reader of today's version opens, still on the disk.

They hold what was removed since. Which were let go of when stands in the log; a file that no
log names any more (its entry was cleared away, or a process was killed) is judged by its age.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cdr.errors import storage
from cdr.lake import Lake
from cdr.lake.store import Lying
from cdr.schema import TABLES, Table


@dataclass(frozen=True, slots=True)
class Old:
    """Files of old versions, and their bytes."""

    files: int = 0
    bytes: int = 0


def old_versions(lake: Lake) -> Old:
    """Count what still lies there and is in no table's newest version."""
    sizes = [file.size for table in TABLES.values() for file in _old_files(lake, table)]
    return Old(len(sizes), sum(sizes))


def drop_old_versions(lake: Lake, *, hours: int, spared: Collection[str] = ()) -> Old:
    """Remove what tables let go of this many hours ago, but some; returns what is gone."""
    before = old_versions(lake)
    old_enough = datetime.now(tz=UTC) - timedelta(hours=hours)
    for table in (table for name, table in TABLES.items() if name not in spared):
        lake.vacuum(table, hours=hours)
        with lake.writing(), storage(f"removing old files of {table.name}"):
            named = lake.let_go(table)
            for file in _old_files(lake, table):
                if file.path.rpartition("/")[2] not in named and file.modified <= old_enough:
                    lake.store.delete(table, file.path)
    after = old_versions(lake)
    return Old(before.files - after.files, before.bytes - after.bytes)


def _old_files(lake: Lake, table: Table) -> Iterator[Lying]:
    lying = lake.lying(table)
    current = {file.path for file in lake.files(table)} if lying else set()
    return (file for file in lying if file.path not in current)
