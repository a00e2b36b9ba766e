"""Whether anyone answers, and how long it rings. Not here: how long they talk (``durations``)."""

from __future__ import annotations

from functools import partial

from fraud.features.registry import WINDOWS, Direction, Relation, Signal, Unit, total

_signal = partial(Signal, family="answer", relation=Relation.DAYS)

MINIMUM_CALLS = 20
"""Calls a share rests on at least: ours, because one call then moves it by 5 points at most."""


def _of_window(days: int) -> tuple[Signal, ...]:
    made = total("outbound_count", days)
    of_made = partial(
        _signal,
        unit=Unit.SHARE,
        window_days=days,
        count_sql=made,
        minimum_count=MINIMUM_CALLS,
        counted=f"outbound_calls_count_{days}d",
    )
    return (
        of_made(
            name=f"answer_seizure_share_{days}d",
            sql=f"{total('outbound_answered_count', days)} / {made}",
            meaning="{value} of {n} calls made were answered",
            source="product design, ASR: below 50 % at over 120 calls an hour is suspicious",
            direction=Direction.LOWER,
            threshold=0.5,
        ),
        of_made(
            name=f"refused_share_{days}d",
            sql=f"{total('outbound_failed_count', days)} / {made}",
            meaning="{value} of {n} calls made were refused or failed",
            source="ours, because scanning and dialling lists of dead numbers end so",
            direction=Direction.HIGHER,
        ),
        of_made(
            name=f"brief_ring_share_{days}d",
            sql=f"{total('outbound_brief_ring_count', days)} / {made}",
            meaning="{value} of {n} calls made rang 5 s or less and were not answered",
            source="product design, Wangiri out: unanswered share and ring time",
            direction=Direction.HIGHER,
        ),
    )


def _longer(days: int) -> tuple[Signal, ...]:
    received = total("inbound_count", days)
    return (
        _signal(
            name=f"unanswered_ring_mean_s_{days}d",
            unit=Unit.SECONDS,
            window_days=days,
            sql=(
                f"{total('outbound_rung_ms', days)} / 1000.0 / "
                f"NULLIF({total('outbound_rung_count', days)}, 0)"
            ),
            count_sql=total("outbound_rung_count", days),
            minimum_count=5,
            meaning="unanswered calls made rang {value} on average",
            source="product design, Wangiri out: ring time",
            direction=Direction.LOWER,
        ),
        _signal(
            name=f"inbound_answered_share_{days}d",
            unit=Unit.SHARE,
            window_days=days,
            sql=f"{total('inbound_answered_count', days)} / {received}",
            count_sql=received,
            minimum_count=MINIMUM_CALLS,
            meaning="{value} of {n} calls received were answered",
            source="ours, because numbers used as a call-back target or in bulk are not staffed",
            counted=f"inbound_calls_count_{days}d",
        ),
        _signal(
            name=f"inbound_brief_ring_share_{days}d",
            unit=Unit.SHARE,
            window_days=days,
            sql=f"{total('inbound_brief_ring_count', days)} / {received}",
            count_sql=received,
            minimum_count=MINIMUM_CALLS,
            meaning="{value} of {n} calls received rang 5 s or less and were not answered",
            source="product design, Wangiri in: callers that ring briefly",
            direction=Direction.HIGHER,
            counted=f"inbound_calls_count_{days}d",
        ),
    )


SIGNALS: tuple[Signal, ...] = (
    *(signal for days in WINDOWS for signal in _of_window(days)),
    *(signal for days in (7, 30) for signal in _longer(days)),
)
