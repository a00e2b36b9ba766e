"""Retention over the whole home: tables, files and the queue, in one report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import fraud.tables  # noqa: F401 (its tables have periods too)
from cdr.lake import Lake
from cdr.privacy.retention import Retained, retain
from fraud.review.old_cases import OldCases, accounts_in_cases, remove_old_cases


@dataclass(frozen=True, slots=True)
class Cleared:
    """What retention did to the lake and its files, and to the queue."""

    lake: Retained
    cases: OldCases

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
            "expired_left": self.expired_left,
        }


def clear_away(lake: Lake, *, now: datetime, dry_run: bool = False) -> Cleared:
    """Remove everything whose periods are over; see `cdr.privacy.retention`."""
    root = lake.home.root
    done = retain(lake, now=now, cases=accounts_in_cases(root), dry_run=dry_run)
    before = now - timedelta(days=lake.settings.retention.case_days)
    return Cleared(done, remove_old_cases(root, before=before, dry_run=dry_run))
