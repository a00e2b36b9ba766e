"""What people will open next, read before they ask: the first cases of the queue.

A case page looks back from a midnight, so what it shows can be read as soon as the case is there,
and hundreds together cost little more than one. Runs beside the server's threads, behind them.
"""

from __future__ import annotations

import os
import threading

from fraud.review import models
from fraud.review.account import AccountReader, asked_of
from fraud.review.cases import UNDECIDED, Status
from fraud.review.slices import Asked
from fraud.review.store import as_candidate

AHEAD = 400
"""Cases that are kept ready. Ours: a night's cases, and a morning of twenty people."""

OF_A_SCOPE = 50
"""Cases kept ready for those who see some countries or plans only. Ours: a page of the queue."""

WORN = 0.25
"""Share of these that may be lacking before they are read. Ours: reading a few costs as much."""

NICENESS = 10
"""How far this stands behind the pages (nice(2))."""


def keep_ready(reader: AccountReader) -> int:
    """Read the first cases of the queue where enough of them are lacking; return how many."""
    wanted = first_cases()
    missing = reader.missing(wanted)
    return reader.prepare(missing) if len(missing) > WORN * len(wanted) else 0


def first_cases() -> list[Asked]:
    """Return what the pages of the most urgent cases show, in all and in each person's scope."""
    awake = UNDECIDED - {Status.WAITING, Status.SUSPENDED}
    rows = models.Case.objects.filter(status__in=sorted(status.value for status in UNDECIDED))
    rows = rows.filter(status__in=sorted(status.value for status in awake))
    found = dict.fromkeys(rows.by_urgency().values_list("pk", flat=True)[:AHEAD])
    for staff in models.Staff.objects.filter(user__is_active=True):
        if staff.countries or staff.plans:
            found |= dict.fromkeys(
                rows.in_scope(staff).by_urgency().values_list("pk", flat=True)[:OF_A_SCOPE]
            )
    evidence = models.Evidence.objects.filter(case__in=list(found)).select_related("case")
    newest = {one.case_id: one for one in evidence.order_by("pk")}
    return [
        asked_of(as_candidate(newest[pk]), newest[pk].case.as_of_date)
        for pk in found
        if pk in newest
    ]


def stand_behind() -> None:
    """Let this thread, and those it starts, wait for the ones that answer people."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
