"""Which events a number of a case was made from, so that a reviewer can look at them.

One entry for each signal of the registry that is made from events. Not here: calls
(`calls_behind`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from cdr.schema import INSTANT
from fraud.features.registry import Signal
from fraud.review.behind import Behind, Figure, span, stem

_DAYS_AGO = pl.col("days_ago")
_CHANGES = pl.col("kind").is_in(
    [
        "password_changed", "email_changed", "phone_changed", "address_changed",
        "forwarding_changed", "payment_changed",
    ]
)  # fmt: skip
_PAYMENTS = pl.col("kind").is_in(["payment", "payment_failed"])
_ABROAD = pl.col("ip_country") != pl.col("home")

EVENT_COLUMNS = pl.Schema(
    {
        "at": INSTANT, "kind": pl.String(), "ip": pl.String(), "ip_country": pl.String(),
        "device": pl.String(), "payment_fingerprint": pl.String(), "amount": pl.Float64(),
        "currency": pl.String(),
    }
)  # fmt: skip
"""What is read of an event, as ``timeline_events.sql`` gives it."""


def describe_events(
    events: Sequence[Mapping[str, Any]], *, home: str | None, as_of: date
) -> pl.DataFrame:
    """Put events beside what came before them, as `fraud.features` sees them.

    Parameters
    ----------
    events : sequence of Mapping
        Rows of ``timeline_events.sql``.
    home : str, optional
        ISO 3166-1 alpha-2 code of the account's country.
    as_of : date
        The midnight that begins this UTC day.

    Returns
    -------
    pl.DataFrame
        Events of the 30 days before, the newest first: columns of `EVENT_COLUMNS`, `days_ago`,
        `home`; `jump_from` and `jump_at`, country and instant of the last event before it whose
        country is known; `new_device_at`, when a device was last used for the first time though
        there had been events before.
    """
    found = pl.DataFrame(
        [{name: one[name] for name in EVENT_COLUMNS} for one in events], schema=EVENT_COLUMNS
    )
    days_ago = (pl.lit(as_of) - pl.col("at").dt.date()).dt.total_days()
    located_at = pl.when(pl.col("ip_country").is_not_null()).then(pl.col("at"))
    first_use = pl.col("at") == pl.col("at").min().over("device")
    known = pl.col("device").is_not_null() & (pl.col("at") > pl.col("at").min())
    return (
        found.with_columns(days_ago=days_ago, home=pl.lit(home, pl.String()))
        .filter(_DAYS_AGO.is_between(1, 30))
        .sort("at", "kind", "ip", nulls_last=True)
        .with_columns(
            jump_from=pl.col("ip_country").forward_fill().shift(1),
            jump_at=located_at.forward_fill().shift(1),
            new_device_at=pl.when(first_use & known).then(pl.col("at")).cum_max().forward_fill(),
        )
        .with_columns(new_device_at=pl.col("new_device_at").max().over("at"))
        .reverse()
    )


def _in(days: int, condition: pl.Expr) -> pl.Expr:
    return (days >= _DAYS_AGO) & condition


def _different(days: int, column: str, words: str, things: str) -> Behind:
    return Behind(
        words, _in(days, pl.col(column).is_not_null()), Figure.THINGS, thing=column,
        thing_words=things,
    )  # fmt: skip


def _new(days: int, column: str, words: str, things: str) -> Behind:
    seen_first = _DAYS_AGO.max().over(column)
    condition = pl.col(column).is_not_null() & (seen_first <= days)
    return Behind(words, condition, Figure.THINGS, thing=column, thing_words=things)


_JUMP = (pl.col("ip_country") != pl.col("jump_from")) & (
    pl.col("at") <= pl.col("jump_at") + pl.duration(hours=1)
)
_AFTER_NEW_DEVICE = pl.col("at") <= pl.col("new_device_at") + pl.duration(hours=24)

_ENTRIES: Mapping[str, Callable[[int], Behind]] = {
    "sign_ins": lambda d: Behind("sign-ins", _in(d, pl.col("kind") == "sign_in")),
    "event_addresses": lambda d: _different(
        d, "ip", "events with an IP address", "different addresses"
    ),
    "event_devices": lambda d: _different(d, "device", "events with a device", "different devices"),
    "payment_means": lambda d: _different(
        d, "payment_fingerprint", "events with a means of payment", "different means"
    ),
    "country_jumps": lambda d: Behind(
        "events from another country than the one within an hour before", _in(d, _JUMP)
    ),
    "foreign_event": lambda d: Behind(
        "events from other countries than its own", _in(d, _ABROAD), Figure.SHARE,
        "events from a known country", _in(d, _ABROAD.is_not_null()),
    ),
    "account_changes": lambda d: Behind("changes to the account", _in(d, _CHANGES)),
    "new_device_changes": lambda d: Behind(
        "changes to the account within 24 hours of the first use of a device",
        _in(d, _CHANGES & _AFTER_NEW_DEVICE),
    ),
    "failed_payments": lambda d: Behind(
        "failed payments", _in(d, pl.col("kind") == "payment_failed")
    ),
    "payments": lambda d: Behind("payments, failed ones as well,", _in(d, _PAYMENTS)),
    "new_event_devices": lambda d: _new(
        d, "device", "events from devices not used before", "new devices"
    ),
    "new_event_addresses": lambda d: _new(
        d, "ip", "events from addresses not used before", "new addresses"
    ),
    "new_event_countries": lambda d: _new(
        d, "ip_country", "events from countries not seen before", "new countries"
    ),
}  # fmt: skip
"""What is behind a signal, by its name without unit and window; asked with its days."""


def events_behind(signal: Signal) -> Behind:
    """Say which events a signal counts, or looks at.

    Raises
    ------
    KeyError
        For a signal that is not made from events.

    Examples
    --------
    >>> from fraud.features.signals import SIGNALS
    >>> known = {signal.name: signal for signal in SIGNALS}
    >>> events_behind(known["sign_ins_count_7d"]).words
    'sign-ins in the last 7 days'
    """
    found = _ENTRIES[stem(signal)](signal.window_days)
    return replace(found, words=f"{found.words} {span(signal.window_days)}")
