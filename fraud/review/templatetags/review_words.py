"""How values read on a page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template

from fraud.review.masking import harmless as _harmless

register = template.Library()

STATUS = {
    "open": "Open",
    "taken": "In hand",
    "waiting": "Asleep",
    "suspended": "Suspended for a time",
    "proposed": "Waits for a second person",
    "confirmed": "Suspended for good",
    "cleared": "Cleared",
}
KINDS = {
    "fanout": "whom it calls",
    "first_days": "first days",
    "durations": "call lengths",
    "timing": "hours",
    "addresses": "IP addresses",
    "answer": "answers",
    "volume": "volume",
}


@register.filter
def status_words(status: str) -> str:
    """Say where a case stands."""
    return STATUS.get(status, status)


@register.filter
def kind_words(kind: str) -> str:
    """Say what a case is suspected for."""
    return KINDS.get(kind, kind)


@register.filter
def code_words(code: str) -> str:
    """Write a code as words."""
    return code.replace("_", " ")


@register.filter
def harmless(text: str) -> str:
    """Show controls and direction marks as what they are."""
    return _harmless(str(text))


@register.filter
def span(later: datetime | None, earlier: datetime) -> str:
    """Say how far two instants lie apart: ``3 h``, ``2 d``; empty without one.

    Examples
    --------
    >>> from datetime import timedelta
    >>> now = datetime(2026, 3, 1)
    >>> span(now, now - timedelta(minutes=90)), span(now, now - timedelta(days=3))
    ('1 h', '3 d')
    """
    if later is None:
        return ""
    minutes = abs(int((later - earlier).total_seconds())) // 60
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


@register.filter
def percent(share: float | None) -> str:
    """Write a share of 0..1 in per cent."""
    return "unknown" if share is None else f"{share:.0%}".replace("%", " %")


@register.filter
def get(mapping: dict[str, Any], key: str) -> Any:
    """Look a key up."""
    return mapping.get(key, key)


@register.simple_tag
def meter(share: float) -> int:
    """Return a per cent of 0..100 for the class of a bar."""
    return max(0, min(100, round(share)))
