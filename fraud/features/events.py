"""Sign-ins, payments and devices; numbers held. Not here: whose else they are (identity)."""

from __future__ import annotations

from functools import partial

from fraud.features.registry import Direction, Relation, Signal, Unit

_signal = partial(
    Signal,
    family="events",
    relation=Relation.EVENTS,
    unit=Unit.COUNT,
    direction=Direction.HIGHER,
)
_TAKEOVER = "product design, address signals: account takeover"
_PROMISE = "product design, promise 5: payments, visits and app usage feed the prevention"


def _distinct(column: str, days: int) -> str:
    return f"COUNT(DISTINCT {column}) FILTER (WHERE days_ago <= {days})"


def _of_window(days: int) -> tuple[Signal, ...]:
    sign_ins = f"COUNT(*) FILTER (WHERE kind = 'sign_in' AND days_ago <= {days})"
    at_least_one = partial(_signal, window_days=days, minimum_count=1)
    return (
        at_least_one(
            name=f"sign_ins_count_{days}d",
            sql=sign_ins,
            count_sql=sign_ins,
            meaning="{value} sign-ins",
            source=_PROMISE,
        ),
        at_least_one(
            name=f"event_addresses_count_{days}d",
            sql=_distinct("ip", days),
            count_sql=_distinct("ip", days),
            meaning="{value} IP addresses at sign-in, payment or in the portal",
            source=_TAKEOVER,
        ),
        at_least_one(
            name=f"event_devices_count_{days}d",
            sql=_distinct("device", days),
            count_sql=_distinct("device", days),
            meaning="{value} devices at sign-in, payment or in the portal",
            source=_TAKEOVER,
        ),
        at_least_one(
            name=f"payment_means_count_{days}d",
            sql=_distinct("payment_fingerprint", days),
            count_sql=_distinct("payment_fingerprint", days),
            meaning="{value} means of payment used",
            source=_PROMISE,
        ),
    )


def _held(name: str, sql: str, window_days: int, meaning: str) -> Signal:
    return Signal(
        name=name,
        family="events",
        relation=Relation.NUMBERS,
        unit=Unit.COUNT,
        window_days=window_days,
        sql=sql,
        count_sql="COUNT(*)",
        minimum_count=1,
        meaning=meaning,
        source="ours, because fraud in bulk needs numbers in bulk",
        direction=Direction.HIGHER,
    )


SIGNALS: tuple[Signal, ...] = (
    *(signal for days in (7, 30) for signal in _of_window(days)),
    _held("numbers_held_count_1d", "COUNT(*)", 1, "{value} numbers held"),
    _held(
        "numbers_new_count_7d",
        "COUNT(*) FILTER (WHERE is_new)",
        7,
        "{value} numbers taken up",
    ),
)
