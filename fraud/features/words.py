"""Signals in the reviewer's words. Not here: which of them are reasons."""

from __future__ import annotations

from collections.abc import Mapping

from fraud.features.registry import Signal, Unit

_WINDOW = {1: "on the last day", 7: "in the last 7 days", 30: "in the last 30 days"}


def describe(
    signal: Signal, value: float | None, row: Mapping[str, float | None] | None = None
) -> str:
    """Say what a value means, as a reason in a case.

    Parameters
    ----------
    signal : Signal
        What was measured.
    value : float or None
        In the signal's unit; None is unknown.
    row : mapping of str to float, optional
        The account's other signals, from which the number of calls behind a
        share is taken.

    Examples
    --------
    >>> from fraud.features.answer import SIGNALS
    >>> asr = next(s for s in SIGNALS if s.name == "answer_seizure_share_7d")
    >>> describe(asr, 0.92, {"outbound_calls_count_7d": 340.0})
    '92 % of 340 calls made were answered in the last 7 days'
    >>> describe(asr, 0.92)
    '92 % of the calls made were answered in the last 7 days'
    >>> describe(asr, None)
    'unknown: too little to measure in the last 7 days'
    """
    window = _WINDOW[signal.window_days]
    if value is None:
        return f"unknown: too little to measure {window}"
    of = (row or {}).get(signal.counted) if signal.counted else None
    n = "the" if of is None else in_words(of, Unit.COUNT)
    text = signal.meaning.format(value=in_words(value, signal.unit), n=n)
    return text if signal.family == "first_days" else f"{text} {window}"


def in_words(value: float, unit: Unit) -> str:
    """Write a value with its unit, as precise as a person needs it.

    Examples
    --------
    >>> in_words(0.0625, Unit.SHARE), in_words(0.92, Unit.SHARE), in_words(1234.0, Unit.COUNT)
    ('6.2 %', '92 %', '1,234')
    >>> in_words(4.25, Unit.SECONDS), in_words(412.0, Unit.SECONDS), in_words(25.1, Unit.USD)
    ('4.2 s', '412 s', 'USD 25.10')
    """
    match unit:
        case Unit.SHARE:
            per_cent = value * 100
            whole = per_cent >= 10 or per_cent == 0
            return f"{per_cent:.0f} %" if whole else f"{per_cent:.1f} %"
        case Unit.COUNT:
            return f"{value:,.0f}"
        case Unit.USD:
            return f"USD {value:,.2f}"
        case Unit.SECONDS:
            return f"{value:,.0f} s" if value >= 10 else f"{value:.1f} s"
        case Unit.DAYS:
            return "1 day" if value == 1 else f"{value:,.0f} days"
        case Unit.RATIO | Unit.NATS:
            return f"{value:,.1f}" if value >= 10 else f"{value:.2f}"
