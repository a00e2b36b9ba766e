"""Cases whose period is over, and accounts that a case still needs; for retention.

The only place where rows that are written once are removed: their period is over, or the
person they are about was erased. Every other path refuses.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Q

from cdr.lake.home import Home
from fraud.review.cases import UNDECIDED
from fraud.review.database import queue_database


@dataclass(frozen=True, slots=True)
class OldCases:
    """What was removed from the queue, or would be; ``left`` is still there."""

    cases: int
    rows: int
    left: int = 0


def accounts_in_cases(home: Path) -> frozenset[str]:
    """Return the accounts whose case is not decided yet."""
    with queue_database(home):
        from fraud.review import models

        undecided = [status.value for status in UNDECIDED]
        found = models.Case.objects.filter(status__in=undecided)
        return frozenset(found.values_list("account_id", flat=True))


def remove_old_cases(
    home: Path,
    *,
    before: datetime,
    now: datetime,
    held: Collection[str] = (),
    dry_run: bool,
) -> OldCases:
    """Remove decided cases that nothing happened to since, with all that hangs on them.

    Entries of the queue's audit log that belong to no case go by the same period. What SQLite
    freed is overwritten.

    Parameters
    ----------
    home : Path
        Whose queue.
    before : datetime
        UTC instant; cases decided earlier go.
    now : datetime
        UTC instant at which it is noted that entries of the queue's audit log went.
    held : collection of str
        Accounts of which no case goes.
    dry_run : bool
        Count only.
    """
    with queue_database(home):
        from fraud.review import models
        from fraud.review.audit_seal import sealing_again

        decided = models.Case.objects.exclude(status__in=[status.value for status in UNDECIDED])
        over = decided.filter(status_since__lt=before).exclude(account_id__in=list(held))
        ids = list(over.values_list("pk", flat=True))
        if dry_run:
            return OldCases(len(ids), 0)
        loose = Q(case=None, at__lt=before)
        if not ids and not models.AuditEntry.objects.filter(loose).exists():
            return OldCases(0, 0)
        rows = 0
        with transaction.atomic(), sealing_again(Home(home), now=now, why="retention"):
            for start in range(0, len(ids), 500):
                rows += remove_cases(ids[start : start + 500])
            rows += _remove(models.AuditEntry, loose)
        if rows:
            overwrite_freed()
        return OldCases(len(ids), rows, over.count())


def remove_cases(ids: list[int]) -> int:
    """Remove cases with all that hangs on them; returns rows removed. Within a transaction."""
    from fraud.review import models

    of_them = Q(case__in=ids)
    rows = _remove(models.OutboxMessage, Q(event__case__in=ids))
    for model in (models.CaseEvent, models.Evidence, models.AuditEntry):
        rows += _remove(model, of_them)
    return rows + _remove(models.Case, Q(pk__in=ids))


def overwrite_freed() -> None:
    """Let no freed page of SQLite hold what was removed; PostgreSQL's autovacuum does its own."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _remove(model: type, which: Q) -> int:
    rows = model._base_manager.filter(which)  # type: ignore[attr-defined]
    count: int = rows.count()
    rows._raw_delete(rows.db)
    return count
