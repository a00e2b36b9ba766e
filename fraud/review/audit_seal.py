"""The queue's audit log tied to the house's: what was written there cannot change unseen.

Entries of the queue stand in its database, where the page finds them. Every minute a digest of
the new ones goes into the hash-chained log of `cdr.privacy.audit`. :func:`unsealed` computes the
digests again: an entry that was changed, put in or taken out shows. Entries that retention
removed are fewer than their seal counts, and are told apart.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from cdr.lake.home import Home
from cdr.privacy import audit
from fraud.review.models import AuditEntry
from fraud.review.sealed import SEAL

BY = "callsieve"
SETTLED = timedelta(minutes=1)
"""How old an entry is before it is sealed. Ours: no transaction of the queue lasts so long, so
that none with a smaller number is still to come."""

AT_ONCE = 10_000
FIELDS = ("pk", "at", "by", "action", "case_id", "account_id", "before", "after", "why")


@dataclass(frozen=True, slots=True)
class Broken:
    """A seal that does not hold: entries `first` to `last`, and whether some are missing only."""

    first: int
    last: int
    missing: bool


def seal(home: Home, *, now: datetime, sealed: int | None = None) -> int:
    """Tie the entries that are new to the house's log; return the last one that is tied.

    Safe to repeat. `sealed` is what the last call returned; without it the log is read through.
    """
    if sealed is None:
        sealed = max((last for _, last, _, _ in _seals(home)), default=0)
    fresh = AuditEntry.objects.filter(pk__gt=sealed, at__lt=now - SETTLED).order_by("pk")
    numbers = list(fresh.values_list("pk", flat=True)[:AT_ONCE])
    if not numbers:
        return sealed
    count, digest = _digest(numbers[0], numbers[-1])
    after = {"first": numbers[0], "last": numbers[-1], "count": count, "sha256": digest}
    audit.note(home, SEAL, by=BY, at=now, after=after)
    return numbers[-1]


def unsealed(home: Home) -> list[Broken]:
    """Return the seals that no longer hold, the oldest first."""
    broken = []
    for first, last, count, digest in _seals(home):
        found, now_digest = _digest(first, last)
        if now_digest != digest:
            broken.append(Broken(first, last, missing=found < count))
    return broken


def _seals(home: Home) -> list[tuple[int, int, int, str]]:
    said = audit.details(home)
    found = []
    for entry in audit.entries(home):
        after = said.get(entry.seq, {}).get("said", {}).get("after") if entry.what == SEAL else None
        if after:
            found.append((after["first"], after["last"], after["count"], after["sha256"]))
    return found


def _digest(first: int, last: int) -> tuple[int, str]:
    """Return how many entries lie between two numbers, ends included, and the hash of all."""
    sha, count = hashlib.sha256(), 0
    rows = AuditEntry.objects.filter(pk__gte=first, pk__lte=last).order_by("pk").values(*FIELDS)
    for row in rows.iterator():
        sha.update(audit.canonical(row) + b"\n")
        count += 1
    return count, sha.hexdigest()
