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
    """

    words: str
    days: int
    direction: str
    answered: bool | None = None
    failed: bool | None = None
    abroad: bool | None = None
    longest_ms: int | None = None
    longest_ring_ms: int | None = None


def calls_behind(signal: str) -> CallFilter | None:
    """Say which calls a signal counts; None for one that is not made from calls.

    For a share of some kind of call it is the calls of that kind, for all else the
    calls that were looked at.

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
    span = "on the last day" if found.days == 1 else f"in the last {found.days} days"
    return replace(found, words=f"{found.words} {span}")


def _narrowed(name: str, base: CallFilter, made: str) -> CallFilter:
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
