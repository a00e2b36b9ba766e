"""Which calls a number of a case was made from, so that a reviewer can look at them.

Maps signals to conditions; the calls themselves are read by `account`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fraud.features.account_days import BRIEF_RING_MS, SHORT_CALL_MS, SUB_MINUTE_MS
from fraud.features.registry import Relation
from fraud.features.signals import SIGNALS

_BY_NAME = {signal.name: signal for signal in SIGNALS}
_WITHOUT_CALLS = {Relation.EVENTS, Relation.MESSAGES, Relation.NUMBERS, Relation.SUBJECTS}


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Conditions on calls, in words and as values to bind; None asks for nothing.

    Parameters
    ----------
    words : str
        What is listed: ``calls made in the last 7 days``.
    days : int
        UTC days before the midnight of the evidence.
    direction : str
        ``outbound`` or ``inbound``.
    answered, failed, abroad : bool, optional
        A leg was answered; every leg failed or was refused; the callee's country is
        another than the account's.
    longest_ms, longest_ring_ms : int, optional
        Length and ringing at most, in ms.
    first_days : bool
        Only the day the account was opened and the next.
    pick : str
        Which of them; ``calls_behind.sql`` has the words.
    """

    words: str
    days: int
    direction: str
    answered: bool | None = None
    failed: bool | None = None
    abroad: bool | None = None
    longest_ms: int | None = None
    longest_ring_ms: int | None = None
    first_days: bool = False
    pick: str = "all"


def calls_behind(signal: str) -> CallFilter | None:
    """Say which calls a signal counts; None for one that is not made from calls.

    For a share of some kind of call it is the calls of that kind, for a peak the calls of that
    hour, minute or moment, for all else the calls that were looked at.

    Examples
    --------
    >>> calls_behind("outbound_calls_count_7d").words
    'calls made in the last 7 days'
    >>> calls_behind("short_call_share_30d").words
    'answered calls made of 6 s at most in the last 30 days'
    >>> calls_behind("identity_evidence_bits") is None
    True
    """
    known = _BY_NAME.get(signal)
    if known is None or known.relation in _WITHOUT_CALLS:
        return None
    inbound = signal.startswith("inbound")
    made = "calls received" if inbound else "calls made"
    base = CallFilter(made, known.window_days, "inbound" if inbound else "outbound")
    found = _narrowed(signal.removeprefix("inbound_"), base, made)
    if known.family == "first_days":
        return replace(found, first_days=True, words=f"{found.words} in its first two days")
    span = "on the last day" if found.days == 1 else f"in the last {found.days} days"
    return replace(found, words=f"{found.words} {span}")


_PICKS = {
    "high_risk": ("high_risk", "calls made to high-risk ranges"),
    "test_number": ("test_number", "calls made to listed test numbers"),
    "hour_calls_max": ("busiest_hour", "calls of the busiest hour"),
    "minute_calls_max": ("busiest_minute", "calls of the busiest minute"),
    "simultaneous_max": ("most_at_once", "calls up at the busiest moment"),
}
"""Beginning of a signal's name, which calls it is about, and words for them."""


def _narrowed(name: str, base: CallFilter, made: str) -> CallFilter:
    for beginning, (pick, words) in _PICKS.items():
        if name.startswith((beginning, f"first_days_{beginning}")):
            return replace(base, words=words, pick=pick)
    if name.startswith(("short_call",)):
        words = f"answered {made} of 6 s at most"
        return replace(base, words=words, answered=True, longest_ms=SHORT_CALL_MS)
    if name.startswith("sub_minute"):
        words = f"answered {made} of less than a minute"
        return replace(base, words=words, answered=True, longest_ms=SUB_MINUTE_MS - 1)
    if name.startswith("brief_ring"):
        words = f"unanswered {made} that rang 5 s at most"
        return replace(base, words=words, answered=False, longest_ring_ms=BRIEF_RING_MS)
    if name.startswith("refused"):
        return replace(base, words=f"{made} that were refused or failed", failed=True)
    if name.startswith("unanswered"):
        return replace(base, words=f"unanswered {made}", answered=False)
    if name.startswith(("answer", "call_duration")):
        return replace(base, words=f"answered {made}", answered=True)
    if name.startswith("abroad"):
        return replace(base, words=f"{made} to other countries", abroad=True)
    return base
