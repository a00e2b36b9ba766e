"""What was done to the store: one entry a batch, out of the logs of all tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cdr.lake import Lake
from cdr.schema import TABLES

BOOK_KEEPING = frozenset({"VACUUM START", "VACUUM END", "CREATE TABLE", "ADD COLUMN"})
"""Operations of the log that change no row."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a batch did to one table, and the version that made."""

    version: int
    rows_added: int
    rows_removed: int
    files_added: int
    files_removed: int


@dataclass(slots=True)
class Commit:
    """One batch: when, what for (`ingest`, `import`, `compact`, ...), and to which tables."""

    batch_id: str
    at: datetime
    did: str
    tables: dict[str, Change] = field(default_factory=dict)


def history(lake: Lake, *, limit: int | None = None) -> tuple[Commit, ...]:
    """List what was done, the newest first.

    Parameters
    ----------
    lake : Lake
        Whose.
    limit : int, optional
        How many entries at most.
    """
    commits: dict[str, Commit] = {}
    for name, table in TABLES.items():
        for entry in lake.log(table):
            if entry["operation"] not in BOOK_KEEPING:
                _note(commits, name, entry)
    newest = sorted(commits.values(), key=lambda commit: (commit.at, commit.batch_id), reverse=True)
    return tuple(newest[:limit])


def _note(commits: dict[str, Commit], table: str, entry: Mapping[str, Any]) -> None:
    at = datetime.fromtimestamp(entry["timestamp"] / 1000, tz=UTC)
    batch_id = entry.get("batch_id", f"{table}-{entry['version']}")
    commit = commits.setdefault(
        batch_id, Commit(batch_id, at, entry.get("did", entry["operation"].lower()))
    )
    commit.at = min(commit.at, at)
    commit.tables[table] = Change(
        entry["version"],
        *(
            int(entry.get(name, 0))
            for name in ("rows_added", "rows_removed", "files_added", "files_removed")
        ),
    )
