"""Retention over the whole home: tables, files and the queue, in one report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import fraud.tables  # noqa: F401 (its tables have periods too)
from cdr import access
from cdr.lake import Lake
from cdr.privacy import audit
from cdr.privacy.retention import Retained, held_accounts, retain
from fraud.review.old_cases import OldCases, accounts_in_cases, remove_old_cases


@dataclass(frozen=True, slots=True)
class Cleared:
    """What retention did to the lake and its files, and to the queue."""

    lake: Retained
    cases: OldCases
    audit_details: int = 0
    """Entries of the audit log whose details went; the entries stay."""

    @property
    def expired_left(self) -> int:
        """Rows, values, files and cases that are over and still there."""
        files = sum(one.left for one in self.lake.files)
        return sum(self.lake.left.values()) + files + self.cases.left

    def as_json(self) -> dict[str, Any]:
        """Return the object that `retention --json` prints."""
        return {
            **self.lake.as_json(),
            "cases": asdict(self.cases),
            "audit_details": self.audit_details,
            "expired_left": self.expired_left,
        }


def clear_away(lake: Lake, *, now: datetime, dry_run: bool = False) -> Cleared:
    """Remove everything whose periods are over; see `cdr.privacy.retention`."""
    root = lake.home.root
    open_cases = accounts_in_cases(root)
    held = held_accounts(lake, now=now, cases=open_cases)
    done = retain(lake, now=now, cases=open_cases, dry_run=dry_run)
    before = now - timedelta(days=lake.settings.retention.case_days)
    cases = remove_old_cases(root, before=before, now=now, held=held, dry_run=dry_run)
    cleared = Cleared(done, cases, _audit_details(lake, now=now, dry_run=dry_run))
    if not dry_run:
        _note(lake, cleared, now=now)
    return cleared


def _audit_details(lake: Lake, *, now: datetime, dry_run: bool) -> int:
    """Remove the details of entries of the audit log whose period is over, or count them."""
    before = (now - timedelta(days=lake.settings.retention.audit_days)).isoformat()
    there = audit.details(lake.home)
    over = {one.seq for one in audit.entries(lake.home) if one.at < before and one.seq in there}
    if dry_run:
        return len(over)
    return audit.remove_details(
        lake.home, over, what="audit.details_removed", by=access.person(), at=now,
        why="retention",
    )  # fmt: skip


def _note(lake: Lake, done: Cleared, *, now: datetime) -> None:
    """Record what went by which rule."""
    went = {f"{one.table}: {one.rule}": one.rows + one.values for one in done.lake.removals}
    went |= {one.rule: one.files for one in done.lake.files}
    after = {
        "went": {rule: count for rule, count in went.items() if count},
        "cases": done.cases.cases,
        "expired_left": done.expired_left,
    }
    audit.note(lake.home, "retention", by=access.person(), at=now, after=after)
