"""Leads: how the team works. Data protection officer: who looked at what."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from fraud.review.audit import SEEN
from fraud.review.figures import AGES, HASTY_S, figures
from fraud.review.missed import below_threshold
from fraud.review.models import AuditEntry
from fraud.review.rights import Right
from fraud.review.web.gate import needs, staff_of
from fraud.review.web.reader import reader
from fraud.review.web.shown import now

ENTRIES = 100


@needs(Right.SEE_TEAM)
@require_GET
def team(request: HttpRequest) -> HttpResponse:
    """Show how the team works."""
    staff = staff_of(request)
    below = partial(below_threshold, reader().lake, countries=staff.countries, plans=staff.plans)
    shown = {
        "figures": figures(now=now(), staff=staff, below=below),
        "ages": [label for label, _ in AGES],
        "hasty_s": HASTY_S,
        "scope": [*staff.countries, *staff.plans],
    }
    return render(request, "review/team.html", shown)


@needs(Right.SEE_AUDIT)
@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    """Show the audit log, the newest first, of one person or account where asked for."""
    by = request.GET.get("by", "").replace("\x00", "")[:200].strip()
    account = request.GET.get("account", "").replace("\x00", "")[:200].strip()
    before = request.GET.get("before", "")
    rows = AuditEntry.objects.order_by("-pk")
    if by:
        rows = rows.filter(by=by)
    if account:
        rows = rows.filter(account_id=account)
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    listed = list(rows[: ENTRIES + 1])
    return render(
        request,
        "review/audit.html",
        {
            "entries": listed[:ENTRIES],
            "following": listed[ENTRIES - 1].pk if len(listed) > ENTRIES else None,
            "by": by,
            "account": account,
            "seen": SEEN,
        },
    )
