"""The queue's audit log against the house's, for commands: tied to it, and held against it."""

from __future__ import annotations

from datetime import datetime

from cdr.lake.home import Home
from cdr.privacy import audit
from cdr.privacy.audit_check import Fault
from fraud.review.database import queue_database
from fraud.review.queue import audit_breaks

SEAL = "review.seal"
"""What an entry of the house's log is called that ties entries of the queue."""


def seal_queue(home: Home, *, now: datetime) -> None:
    """Tie the queue's new entries to the house's log, as a running queue does each minute."""
    with queue_database(home.root):
        from fraud.review.audit_seal import seal

        last = seal(home, now=now)
        while (further := seal(home, now=now, sealed=last)) != last:
            last = further


def changed_in_queue(home: Home) -> tuple[Fault, ...]:
    """Return a fault for each seal that does not hold; what retention and erasure take is none.

    A home without a seal has no queue that was used; none is made.
    """
    if not any(entry.what == SEAL for entry in audit.entries(home)):
        return ()
    return tuple(
        Fault(
            0,
            f"entries {one.first} to {one.last} of the queue's log: "
            + ("some were dropped" if one.missing else "altered"),
        )
        for one in audit_breaks(home)
    )
