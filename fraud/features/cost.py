"""What an account's calls cost: by the operator's deck of costs, else by indicative prices.

Decimal until the last step. Not here: the pricing (:mod:`cdr.billing.costs`, ``rated_calls.sql``).
"""

from __future__ import annotations

from functools import partial

from fraud.features.registry import (
    WINDOWS,
    Direction,
    Relation,
    Signal,
    Unit,
    earlier,
    largest,
    total,
)

_signal = partial(Signal, family="cost", relation=Relation.DAYS, direction=Direction.HIGHER)

DAILY_CAP_USD = 25.0
"""Cost of a day from which an account is suspicious (product design, "cost velocity")."""


def _of_window(days: int) -> tuple[Signal, ...]:
    answered = total("outbound_timed_count", days)
    return (
        _signal(
            name=f"cost_usd_{days}d",
            unit=Unit.USD,
            window_days=days,
            sql=total("cost_usd", days),
            count_sql=answered,
            minimum_count=1,
            meaning="calls made cost about {value}",
            source="product design, cost velocity",
        ),
        Signal(
            name=f"cost_max_hour_usd_{days}d",
            family="cost",
            relation=Relation.HOURS,
            unit=Unit.USD,
            window_days=days,
            sql=largest("costliest_hour_usd", days),
            count_sql=total("call_count", days),
            minimum_count=1,
            meaning="calls made within an hour cost up to about {value}",
            source="product design, cost velocity: rated cost per hour",
            direction=Direction.HIGHER,
        ),
    )


def _costliest_day(days: int) -> Signal:
    return _signal(
        name=f"cost_max_day_usd_{days}d",
        unit=Unit.USD,
        window_days=days,
        sql=largest("costliest_day_usd", days),
        count_sql=total("outbound_timed_count", days),
        minimum_count=1,
        meaning="its costliest day cost about {value}",
        source="product design, cost velocity: USD 25 a day",
        threshold=DAILY_CAP_USD,
    )


_USUAL_DAY_USD = (
    f"CAST(CAST({earlier('cost_usd', 1)} * 1000000 AS BIGINT) AS DOUBLE)"
    f" / ({earlier('day_count', 1)} * 1000000.0)"
)
"""Mean of the days before the last, of whole micro-dollars: rounded once."""

SIGNALS: tuple[Signal, ...] = (
    *(signal for days in WINDOWS for signal in _of_window(days)),
    *(_costliest_day(days) for days in (7, 30)),
    _signal(
        name="cost_per_minute_usd_7d",
        unit=Unit.USD,
        window_days=7,
        sql=(
            f"CAST({total('cost_usd', 7)} AS DOUBLE)"
            f" / (NULLIF({total('outbound_duration_ms', 7)}, 0) / 60000.0)"
        ),
        count_sql=total("outbound_timed_count", 7),
        minimum_count=5,
        meaning="a minute of its calls cost about {value}",
        source="ours, because evasive fraud keeps volumes low and prices high",
    ),
    _signal(
        name="cost_growth_ratio_1d",
        unit=Unit.RATIO,
        window_days=1,
        sql=(f"CAST(COALESCE({total('cost_usd', 1)}, 0) AS DOUBLE) / NULLIF({_USUAL_DAY_USD}, 0)"),
        count_sql=earlier("outbound_timed_count", 1),
        minimum_count=10,
        meaning="{value} times the cost of its usual day",
        source="product design, cost velocity and burst",
    ),
)
