"""All signals, and the identity of a set of them. Not here: their definitions."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from hashlib import sha256

from cdr.errors import SettingsError
from fraud.features import (
    addresses,
    answer,
    associates,
    cost,
    destinations,
    durations,
    events,
    fanout,
    first_days,
    messages,
    takeover,
    timing,
    volume,
)
from fraud.features.account_days import reductions
from fraud.features.registry import Signal
from fraud.features.traces import traces_query
from fraud.features.window import window_features

SIGNALS: tuple[Signal, ...] = (
    *volume.SIGNALS,
    *answer.SIGNALS,
    *durations.SIGNALS,
    *fanout.SIGNALS,
    *destinations.SIGNALS,
    *timing.SIGNALS,
    *cost.SIGNALS,
    *addresses.SIGNALS,
    *first_days.SIGNALS,
    *messages.SIGNALS,
    *events.SIGNALS,
    *takeover.SIGNALS,
    *associates.SIGNALS,
)
"""Every signal there is, family by family: the columns of the feature table, in order."""


def signals_on(off: Iterable[str] = ()) -> tuple[Signal, ...]:
    """Return the signals without those switched off, in order.

    Parameters
    ----------
    off : iterable of str
        Names of signals; `scoring.features_off` of the settings.

    Raises
    ------
    SettingsError
        If one is not the name of a signal; suggests what may have been meant.
    """
    off = tuple(off)
    known = [signal.name for signal in SIGNALS]
    wrong = [_unknown(name, known) for name in off if name not in known]
    if wrong:
        raise SettingsError("scoring.features_off", wrong)
    return tuple(signal for signal in SIGNALS if signal.name not in off)


def feature_set_hash(signals: Iterable[Signal] = SIGNALS) -> str:
    """Return 16 hex digits that change whenever a value of the set could.

    It covers every statement that makes the values, from the reduction of a day
    to the windows, with the destination table in them; words and thresholds do
    not enter, so that a better sentence does not invalidate a model.
    """
    digest = sha256()
    for query in (*reductions(), traces_query(), window_features(tuple(signals))):
        digest.update(query.sql.encode())
    return digest.hexdigest()[:16]


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "; docs/features.md lists them"
    return f"{name!r} is not a signal{hint}"
