"""The queue's audit log tied to the house's: what was written there cannot change unseen.

Entries of the queue stand in its database, where the page finds them. Every minute a digest of
the new ones goes into the hash-chained log of `cdr.privacy.audit`. :func:`unsealed` computes the
digests again: an entry that was changed, put in or taken out shows. What retention and erasure
take out is sealed anew with the reason (:func:`sealing_again`), and is no fault.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
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
    """A seal that does not hold: entries `first` to `last`, and whether some were taken out."""

    first: int
    last: int
    missing: bool


def seal(home: Home, *, now: datetime, sealed: int | None = None) -> int:
    """Tie the entries that are new to the house's log; return the last one that is tied.

    Safe to repeat. `sealed` is what the last call returned; without it the log is read through.
    """
    if sealed is None:
        sealed = max((last for _, last in _seals(home)), default=0)
    fresh = AuditEntry.objects.filter(pk__gt=sealed, at__lt=now - SETTLED).order_by("pk")
    numbers = list(fresh.values_list("pk", flat=True)[:AT_ONCE])
    if not numbers:
        return sealed
    _note(home, numbers[0], numbers[-1], now=now)
    return numbers[-1]


@contextmanager
def sealing_again(home: Home, *, now: datetime, why: str) -> Iterator[None]:
    """Seal anew what is changed or taken out inside; what did not hold before stays broken.

    Inside a transaction of the queue. A kill before it is committed leaves the older seal, which
    counts as well.
    """
    seals = _seals(home)
    sound = [ends for ends, known in seals.items() if _digest(*ends) in known]
    yield
    for first, last in sound:
        if _digest(first, last) not in seals[first, last]:
            _note(home, first, last, now=now, why=why)


def _note(home: Home, first: int, last: int, *, now: datetime, why: str | None = None) -> None:
    count, digest = _digest(first, last)
    after = {"first": first, "last": last, "count": count, "sha256": digest}
    audit.note(home, SEAL, by=BY, at=now, after=after, why=why)


def unsealed(home: Home) -> list[Broken]:
    """Return the seals that no longer hold, the oldest first."""
    broken = []
    for (first, last), known in _seals(home).items():
        found = _digest(first, last)
        if found not in known:
            broken.append(Broken(first, last, missing=found[0] < known[-1][0]))
    return broken


def _seals(home: Home) -> dict[tuple[int, int], list[tuple[int, str]]]:
    """Return count and digest of each stretch of entries, by its ends, in the order of sealing."""
    said = audit.details(home)
    found: dict[tuple[int, int], list[tuple[int, str]]] = {}
    for entry in audit.entries(home):
        after = said.get(entry.seq, {}).get("said", {}).get("after") if entry.what == SEAL else None
        if after:
            ends = after["first"], after["last"]
            found.setdefault(ends, []).append((after["count"], after["sha256"]))
    return found


def _digest(first: int, last: int) -> tuple[int, str]:
    """Return how many entries lie between two numbers, ends included, and the hash of all."""
    sha, count = hashlib.sha256(), 0
    rows = AuditEntry.objects.filter(pk__gte=first, pk__lte=last).order_by("pk").values(*FIELDS)
    for row in rows.iterator():
        sha.update(audit.canonical(row) + b"\n")
        count += 1
    return count, sha.hexdigest()
