"""Signs that somebody else took over: new devices and countries, travel, changes, payments.

From the account's events. Not here: addresses that calls come from (``addresses``).
"""

from __future__ import annotations

from functools import partial

from fraud.features.registry import Direction, Relation, Signal, Unit, rows

_signal = partial(Signal, family="takeover", direction=Direction.HIGHER)
_events = partial(_signal, relation=Relation.EVENTS)
_steps = partial(_signal, relation=Relation.EVENT_STEPS)

_SOURCE = "product design, address signals: account takeover"
_CHANGES = (
    "kind IN ('password_changed', 'email_changed', 'phone_changed', 'address_changed',"
    " 'forwarding_changed', 'payment_changed')"
)
_PAID = "kind IN ('payment', 'payment_failed')"


def _new(kind: str, plural: str, words: str) -> Signal:
    """Count what is new in the last week; unknown where there was nothing before."""
    earlier = f"COUNT(*) FILTER (WHERE kind = '{kind}' AND farthest_days_ago > 7)"
    return _signal(
        name=f"new_event_{plural}_count_7d",
        relation=Relation.EVENT_PLACES,
        unit=Unit.COUNT,
        window_days=7,
        sql=f"COUNT(*) FILTER (WHERE kind = '{kind}' AND farthest_days_ago <= 7)",
        count_sql=earlier,
        minimum_count=1,
        meaning=f"events came from {{value}} {words} that it had not used before",
        source="product design, address signals: first use of an IP or country",
    )


def _of_window(days: int) -> tuple[Signal, ...]:
    located = rows(days, "ip_country IS NOT NULL")
    return (
        _steps(
            name=f"country_jumps_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=rows(
                days,
                "ip_country <> previous_country AND happened_at <= previous_at + INTERVAL 1 HOUR",
            ),
            count_sql=located,
            minimum_count=2,
            meaning="{value} times events came from two countries within an hour",
            source="product design, address signals: impossible travel; ours: within an hour, "
            "because no flight with its ways is shorter",
        ),
        _events(
            name=f"foreign_event_share_{days}d",
            unit=Unit.SHARE,
            window_days=days,
            sql=f"{rows(days, 'NOT is_home')} / {rows(days, 'is_home IS NOT NULL')}",
            count_sql=rows(days, "is_home IS NOT NULL"),
            minimum_count=3,
            meaning="{value} of its events came from IP addresses of other countries than its own",
            source="product design, address signals: country of IP against country of account",
        ),
        _events(
            name=f"account_changes_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=rows(days, _CHANGES),
            count_sql=rows(days),
            minimum_count=1,
            meaning="password, contact details, forwarding or payment changed {value} times",
            source=_SOURCE,
        ),
        _steps(
            name=f"new_device_changes_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=rows(days, f"{_CHANGES} AND happened_at <= new_device_at + INTERVAL 24 HOUR"),
            count_sql=rows(days),
            minimum_count=1,
            meaning="{value} such changes within 24 hours of the first use of a device",
            source=_SOURCE,
        ),
        _events(
            name=f"failed_payments_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=rows(days, "kind = 'payment_failed'"),
            count_sql=rows(days, _PAID),
            minimum_count=1,
            meaning="{value} payments failed",
            source="ours, because stolen cards are tried out",
        ),
    )


def _payments(days: int) -> Signal:
    return _events(
        name=f"payments_count_{days}d",
        unit=Unit.COUNT,
        window_days=days,
        sql=rows(days, _PAID),
        count_sql=rows(days, _PAID),
        minimum_count=1,
        meaning="{value} payments, also failed ones",
        source="product design, promise 5: payments feed the prevention; ours: their velocity",
    )


SIGNALS: tuple[Signal, ...] = (
    *(signal for days in (7, 30) for signal in _of_window(days)),
    *(_payments(days) for days in (1, 7, 30)),
    _new("device", "devices", "devices"),
    _new("ip", "addresses", "IP addresses"),
    _new("ip_country", "countries", "countries"),
)
