"""When an account calls and how densely. Not here: how much in all (``volume``)."""

from __future__ import annotations

from functools import partial

from fraud.features.registry import WINDOWS, Direction, Relation, Signal, Unit, largest, total

_days = partial(Signal, family="timing", relation=Relation.DAYS)
_hours = partial(Signal, family="timing", relation=Relation.HOURS)
_week_hours = partial(Signal, family="timing", relation=Relation.WEEK_HOURS)

MINIMUM_CALLS = 10
"""Calls a share rests on at least: ours, as for destinations."""

EARLIER_CALLS = 30
"""Calls before the window from which an account's own hours are learned at least: ours,
because with fewer most of the 48 hours looked at are empty by chance."""


def _peaks(days: int) -> tuple[Signal, ...]:
    made = total("outbound_count", days)
    return (
        _days(
            name=f"simultaneous_max_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=largest("simultaneous_max_count", days),
            count_sql=made,
            minimum_count=1,
            meaning="up to {value} calls at the same time",
            source="product design, simultaneous calls: IRSF, PBX hacking",
            direction=Direction.HIGHER,
        ),
        _days(
            name=f"minute_calls_max_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=largest("minute_max_count", days),
            count_sql=made,
            minimum_count=1,
            meaning="up to {value} calls made within a minute",
            source="product design, calls per minute: IRSF, PBX hacking",
            direction=Direction.HIGHER,
        ),
        _hours(
            name=f"hour_calls_max_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=largest("busiest_hour_count", days),
            count_sql=total("call_count", days),
            minimum_count=1,
            meaning="up to {value} calls made within an hour",
            source="product design, ASR and short calls count from 120 calls an hour (Volli)",
            direction=Direction.HIGHER,
            threshold=120.0,
        ),
    )


def _local(days: int) -> tuple[Signal, ...]:
    known = total("local_call_count", days)
    of_known = partial(
        _hours,
        unit=Unit.SHARE,
        window_days=days,
        count_sql=known,
        minimum_count=MINIMUM_CALLS,
        direction=Direction.HIGHER,
        counted=f"outbound_calls_count_{days}d",
    )
    return (
        of_known(
            name=f"night_share_{days}d",
            sql=f"{total('night_call_count', days)} / {known}",
            meaning="{value} of {n} calls made began at night, from 20 to 6 o'clock local time",
            source="ours, because it covers both the nights of bandicoot (19-7) and FlowKit (20-4)",
        ),
        of_known(
            name=f"weekend_share_{days}d",
            sql=f"{total('weekend_call_count', days)} / {known}",
            meaning="{value} of {n} calls made began between Friday 20 and Monday 6 o'clock",
            source="product design, off-hours: about 80 % of IRSF fell into these hours",
        ),
    )


def _off_hours(days: int) -> Signal:
    """Compare with the hours of the days before the window; unknown where those were few."""
    calls = f"SUM(call_count_{days}d)"
    new = f"SUM(call_count_{days}d) FILTER (WHERE first_window_days <= {days})"
    earlier = f"SUM(call_count_30d) - COALESCE({calls}, 0)"
    return _week_hours(
        name=f"off_hours_share_{days}d",
        unit=Unit.SHARE,
        window_days=days,
        sql=f"CASE WHEN {earlier} >= {EARLIER_CALLS} THEN COALESCE({new}, 0) / {calls} END",
        count_sql=calls,
        minimum_count=MINIMUM_CALLS,
        meaning="{value} of {n} calls made began in hours in which it had never called before",
        source="product design, off-hours share: outside the account's own active hours",
        direction=Direction.HIGHER,
        counted=f"outbound_calls_count_{days}d",
    )


_BEFORE = "(call_count_30d - COALESCE(call_count_1d, 0))"
"""Calls in an hour of the week's working days, or of its weekends, before the last day."""

_USUAL = f"{_BEFORE} / CASE WHEN is_weekend THEN 8.0 ELSE 21.0 END"
"""The same for one day: 29 days hold 8 of weekends and 21 others, to within one."""

SIGNALS: tuple[Signal, ...] = (
    *(signal for days in WINDOWS for signal in _peaks(days)),
    *(signal for days in WINDOWS for signal in _local(days)),
    *(_off_hours(days) for days in (1, 7)),
    _week_hours(
        name="same_hour_growth_ratio_1d",
        unit=Unit.RATIO,
        window_days=1,
        sql=f"MAX((call_count_1d + 1) / ({_USUAL} + 1))",
        count_sql=f"CASE WHEN SUM(call_count_1d) > 0 THEN SUM({_BEFORE}) END",
        minimum_count=EARLIER_CALLS,
        meaning="an hour of the last day had {value} times the calls usual at that hour",
        source="product design, burst: deviation from the same hour; one call added to both",
        direction=Direction.HIGHER,
    ),
    _week_hours(
        name="active_hours_count_30d",
        unit=Unit.COUNT,
        window_days=30,
        sql="COUNT(DISTINCT utc_hour_h)",
        count_sql="SUM(call_count_30d)",
        minimum_count=MINIMUM_CALLS,
        meaning="calls made in {value} of the 24 hours of the day",
        source="ours, because machines do not sleep",
        direction=Direction.HIGHER,
    ),
)
