"""What every page is given, beside its own content."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from fraud.review.rights import Right
from fraud.review.web.gate import staff_of

MENU = (
    ("queue", "Queue", Right.SEE_CASES),
    ("team", "Team", Right.SEE_TEAM),
    ("outbox", "Outbox", Right.SEE_OUTBOX),
    ("requests", "Requests", Right.SEE_REQUESTS),
    ("audit", "Audit", Right.SEE_AUDIT),
    ("people", "People", Right.MANAGE_PEOPLE),
)


def now() -> datetime:
    """Return this instant; the one clock of the pages."""
    return datetime.now(tz=UTC)


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Return the person, the menu of what the person may see, and the instant."""
    found: dict[str, Any] = {"now": now(), "menu": (), "me": None}
    if getattr(request, "user", None) is not None and request.user.is_authenticated:
        try:
            staff = staff_of(request)
        except PermissionDenied:
            return found
        found["me"] = staff
        found["menu"] = [(name, label) for name, label, right in MENU if staff.may(right)]
    return found
