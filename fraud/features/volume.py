"""How much an account calls and is called. Not here: whether anyone answers (``answer``)."""

from __future__ import annotations

from functools import partial

from fraud.features.registry import WINDOWS, Direction, Relation, Signal, Unit, earlier, total

_signal = partial(Signal, family="volume", relation=Relation.DAYS)

HISTORY_DAYS = 3
"""Earlier days with calls that a day is compared with at least: ours, because the mean of
fewer is an accident."""


def _of_window(days: int) -> tuple[Signal, ...]:
    made, received = total("outbound_count", days), total("inbound_count", days)
    return (
        _signal(
            name=f"outbound_calls_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=made,
            count_sql=total("day_count", days),
            minimum_count=1,
            meaning="{value} calls made",
            source="product design, O; ours, because every share needs its base beside it",
        ),
        _signal(
            name=f"inbound_calls_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=received,
            count_sql=total("day_count", days),
            minimum_count=1,
            meaning="{value} calls received",
            source="product design, I; ours, because every share needs its base beside it",
        ),
        _signal(
            name=f"out_in_ratio_{days}d",
            unit=Unit.RATIO,
            window_days=days,
            sql=f"{made} / ({received} + 1)",
            count_sql=f"{made} + {received}",
            minimum_count=10,
            meaning="{value} calls made for each one received",
            source="product design, out/in ratio: SIM box, robocalls",
            direction=Direction.HIGHER,
        ),
    )


_MADE_30D = total("outbound_count", 30)
_EARLIER_DAYS = earlier("calling_day_count", 1)

SIGNALS: tuple[Signal, ...] = (
    *(signal for days in WINDOWS for signal in _of_window(days)),
    _signal(
        name="outbound_share_30d",
        unit=Unit.SHARE,
        window_days=30,
        sql=f"{_MADE_30D} / ({_MADE_30D} + {total('inbound_count', 30)})",
        count_sql=f"{_MADE_30D} + {total('inbound_count', 30)}",
        minimum_count=10,
        meaning="{value} of its calls were made, not received",
        source="bandicoot, percent_initiated_interactions (a share there too)",
        direction=Direction.HIGHER,
    ),
    _signal(
        name="active_days_count_30d",
        unit=Unit.COUNT,
        window_days=30,
        sql=total("active_day_count", 30),
        count_sql=total("day_count", 30),
        minimum_count=1,
        meaning="calls on {value} days",
        source="bandicoot, active_days, for calls",
    ),
    _signal(
        name="day_growth_ratio_1d",
        unit=Unit.RATIO,
        window_days=1,
        sql=(
            f"COALESCE({total('outbound_count', 1)}, 0)"
            f" / ({earlier('outbound_count', 1)} / {_EARLIER_DAYS})"
        ),
        count_sql=_EARLIER_DAYS,
        minimum_count=HISTORY_DAYS,
        meaning="{value} times as many calls made as on its usual day",
        source="product design, burst; ours, because days are compared where hours are too few",
        direction=Direction.HIGHER,
    ),
    _signal(
        name="forwarded_share_30d",
        unit=Unit.SHARE,
        window_days=30,
        sql=f"{total('forwarded_count', 30)} / ({_MADE_30D} + {total('inbound_count', 30)})",
        count_sql=f"{_MADE_30D} + {total('inbound_count', 30)}",
        minimum_count=10,
        meaning="{value} of its calls were sent on elsewhere",
        source="product design, promise 3: destinations forwarded to",
        direction=Direction.HIGHER,
    ),
)
