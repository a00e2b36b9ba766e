"""How long calls last; doubtful lengths are left out. Not here: what they cost (``cost``)."""

from __future__ import annotations

from functools import partial

from fraud.features.registry import (
    WINDOWS,
    Direction,
    Relation,
    Signal,
    Unit,
    largest,
    total,
)

_signal = partial(Signal, family="durations", relation=Relation.DAYS)

MINIMUM_ANSWERED = 10
"""Answered calls a mean or share rests on at least: ours, because answered calls are fewer
than calls made and a mean of ten is stable enough to compare."""


def _of_window(days: int) -> tuple[Signal, ...]:
    timed = total("outbound_timed_count", days)
    of_timed = partial(
        _signal,
        window_days=days,
        count_sql=timed,
        minimum_count=MINIMUM_ANSWERED,
    )
    return (
        of_timed(
            name=f"call_duration_mean_s_{days}d",
            unit=Unit.SECONDS,
            sql=f"{total('outbound_duration_ms', days)} / 1000.0 / NULLIF({timed}, 0)",
            meaning="answered calls made lasted {value} on average",
            source="product design, ACD: dialler below 60 s; conversation 180 s and more",
            direction=Direction.LOWER,
            threshold=60.0,
        ),
        of_timed(
            name=f"short_call_share_{days}d",
            unit=Unit.SHARE,
            sql=f"{total('outbound_short_count', days)} / NULLIF({timed}, 0)",
            meaning="{value} of the answered calls made lasted 6 s or less",
            source="product design, short-call share: over 15 % (Telnyx), 20 % (Volli)",
            direction=Direction.HIGHER,
            threshold=0.15,
        ),
        of_timed(
            name=f"sub_minute_share_{days}d",
            unit=Unit.SHARE,
            sql=f"{total('outbound_sub_minute_count', days)} / NULLIF({timed}, 0)",
            meaning="{value} of the answered calls made lasted less than a minute",
            source="product design, sub-minute share: diallers 90 % and more",
            direction=Direction.HIGHER,
            threshold=0.9,
        ),
        _signal(
            name=f"call_duration_max_s_{days}d",
            unit=Unit.SECONDS,
            window_days=days,
            sql=f"{largest('outbound_duration_max_ms', days)} / 1000.0",
            count_sql=timed,
            minimum_count=1,
            meaning="its longest call made lasted {value}",
            source="ours, because revenue-share fraud holds lines open as long as it can",
            direction=Direction.HIGHER,
        ),
    )


_TIMED = total("timed_count", 30)
_MEAN_MS = f"({total('duration_ms', 30)} / NULLIF({_TIMED}, 0))"
_MEAN_SQUARE_MS2 = f"(CAST({total('duration_square_ms2', 30)} AS DOUBLE) / NULLIF({_TIMED}, 0))"

SIGNALS: tuple[Signal, ...] = (
    *(signal for days in WINDOWS for signal in _of_window(days)),
    _signal(
        name="talk_mean_s_30d",
        unit=Unit.SECONDS,
        window_days=30,
        sql=f"{_MEAN_MS} / 1000.0",
        count_sql=_TIMED,
        minimum_count=MINIMUM_ANSWERED,
        meaning="answered calls either way lasted {value} on average",
        source="bandicoot, call_duration mean",
    ),
    _signal(
        name="talk_deviation_s_30d",
        unit=Unit.SECONDS,
        window_days=30,
        sql=f"SQRT(GREATEST({_MEAN_SQUARE_MS2} - {_MEAN_MS} * {_MEAN_MS}, 0.0)) / 1000.0",
        count_sql=_TIMED,
        minimum_count=MINIMUM_ANSWERED,
        meaning="the lengths of its answered calls vary by {value}",
        source="bandicoot, call_duration std (of the population)",
        direction=Direction.LOWER,
    ),
)
