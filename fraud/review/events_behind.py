"""Which events a number of a case was made from, so that a reviewer can look at them.

Maps signals to conditions and picks from the events that the case page has read. Not here: calls
(`calls_behind`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fraud.features.registry import Relation
from fraud.features.signals import SIGNALS

_BY_NAME = {signal.name: signal for signal in SIGNALS}
_OF_EVENTS = {Relation.EVENTS, Relation.EVENT_PLACES, Relation.EVENT_STEPS}
_CHANGES = (
    "password_changed", "email_changed", "phone_changed", "address_changed",
    "forwarding_changed", "payment_changed",
)  # fmt: skip
_PAYMENTS = ("payment", "payment_failed")


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Conditions on events, in words and as values; empty asks for nothing.

    Parameters
    ----------
    words : str
        What is listed: ``sign-ins in the last 7 days``.
    days : int
        UTC days before the midnight of the evidence.
    kinds : tuple of str
        Kinds of event.
    having : str
        Column that must be known.
    """

    words: str
    days: int
    kinds: tuple[str, ...] = ()
    having: str = ""


_PICKS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("sign_ins", "sign-ins", ("sign_in",), ""),
    ("failed_payments", "failed payments", ("payment_failed",), ""),
    ("payments", "payments, failed ones as well", _PAYMENTS, ""),
    ("account_changes", "changes to the account", _CHANGES, ""),
    ("new_device_changes", "changes to the account", _CHANGES, ""),
    ("event_addresses", "events with an IP address", (), "ip"),
    ("event_devices", "events with a device", (), "device"),
    ("payment_means", "events with a means of payment", (), "payment_fingerprint"),
    ("foreign_event", "events from a known country", (), "ip_country"),
    ("country_jumps", "events from a known country", (), "ip_country"),
)
"""Beginning of a signal's name, words, kinds of event, and what must be known of them."""


def events_behind(signal: str) -> EventFilter | None:
    """Say which events a signal counts, or looks at; None for one that is not made from events.

    Examples
    --------
    >>> events_behind("sign_ins_count_7d").words
    'sign-ins in the last 7 days'
    >>> events_behind("outbound_calls_count_7d") is None
    True
    """
    known = _BY_NAME.get(signal)
    if known is None or known.relation not in _OF_EVENTS:
        return None
    days = known.window_days
    span = "on the last day" if days == 1 else f"in the last {days} days"
    for beginning, words, kinds, having in _PICKS:
        if signal.startswith(beginning):
            return EventFilter(f"{words} {span}", days, kinds, having)
    return EventFilter(f"events {span}", days)


def picked(
    events: Sequence[Mapping[str, Any]], wanted: EventFilter, *, as_of: date
) -> list[Mapping[str, Any]]:
    """Return the events that meet the conditions, in their order.

    Parameters
    ----------
    events : sequence of Mapping
        Rows of ``timeline_events.sql`` before the midnight that begins `as_of`.
    """
    return [
        one
        for one in events
        if (as_of - one["at"].date()).days <= wanted.days
        and (not wanted.kinds or one["kind"] in wanted.kinds)
        and (not wanted.having or one[wanted.having] is not None)
    ]
