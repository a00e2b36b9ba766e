"""Where calls go: countries, high-risk ranges, test numbers. Not here: their price (``cost``)."""

from __future__ import annotations

from functools import partial

from fraud.features.registry import WINDOWS, Direction, Relation, Signal, Unit, total

_days = partial(Signal, family="destinations", relation=Relation.DAYS)
_places = partial(Signal, family="destinations", relation=Relation.PLACES)

MINIMUM_CALLS = 10
"""Calls a share rests on at least: ours, because attacks are short and must be seen early."""

_COUNTRY = "kind = 'country'"


def _of_window(days: int) -> tuple[Signal, ...]:
    duration = total("outbound_duration_ms", days)
    timed = total("outbound_timed_count", days)
    return (
        _days(
            name=f"high_risk_duration_share_{days}d",
            unit=Unit.SHARE,
            window_days=days,
            sql=f"{total('high_risk_duration_ms', days)} / NULLIF({duration}, 0)",
            count_sql=timed,
            minimum_count=1,
            meaning="{value} of its talking time went to high-risk destinations",
            source="product design, high-risk minute share: IRSF",
            direction=Direction.HIGHER,
        ),
        _days(
            name=f"elevated_risk_duration_share_{days}d",
            unit=Unit.SHARE,
            window_days=days,
            sql=f"{total('elevated_risk_duration_ms', days)} / NULLIF({duration}, 0)",
            count_sql=timed,
            minimum_count=5,
            meaning="{value} of its talking time went to destinations of high or elevated risk",
            source="product design, high-risk minute share; Commsrisk: mid-price ranges since 2018",
            direction=Direction.HIGHER,
        ),
        _days(
            name=f"high_risk_calls_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=total("high_risk_count", days),
            count_sql=total("outbound_count", days),
            minimum_count=1,
            meaning="{value} calls made to high-risk destinations",
            source="product design, high-risk minute share, counted: IRSF",
            direction=Direction.HIGHER,
        ),
        _days(
            name=f"test_number_calls_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=total("test_number_count", days),
            count_sql=total("outbound_count", days),
            minimum_count=1,
            meaning="{value} calls made to listed test numbers of revenue-share fraud",
            source="product design, test-number hit: attacks follow by 30 min to 24 h",
            direction=Direction.HIGHER,
            threshold=1.0,
        ),
        _places(
            name=f"countries_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=f"COUNT(*) FILTER (WHERE {_COUNTRY} AND seen_{days}d)",
            count_sql=f"COUNT(*) FILTER (WHERE {_COUNTRY} AND seen_{days}d)",
            minimum_count=1,
            meaning="{value} countries called",
            source="ours, because revenue-share fraud spreads over many destinations",
            direction=Direction.HIGHER,
        ),
        _places(
            name=f"abroad_share_{days}d",
            unit=Unit.SHARE,
            window_days=days,
            sql=(
                f"COALESCE(SUM(call_count_{days}d) FILTER (WHERE {_COUNTRY} AND NOT is_home), 0)"
                f" / SUM(call_count_{days}d) FILTER (WHERE {_COUNTRY} AND is_home IS NOT NULL)"
            ),
            count_sql=(
                f"SUM(call_count_{days}d) FILTER (WHERE {_COUNTRY} AND is_home IS NOT NULL)"
            ),
            minimum_count=MINIMUM_CALLS,
            meaning="{value} of its calls went to other countries than its own",
            source="product design, promise 3: destinations called",
            direction=Direction.HIGHER,
        ),
    )


def _new_destinations(days: int, kind: str, plural: str) -> Signal:
    """Compare the window with the days before it; unknown where there are none."""
    of_kind = f"kind = '{kind}'"
    calls = f"SUM(call_count_{days}d) FILTER (WHERE {of_kind})"
    new = f"SUM(call_count_{days}d) FILTER (WHERE {of_kind} AND NOT seen_before_{days}d)"
    earlier = f"COUNT(*) FILTER (WHERE {of_kind} AND seen_before_{days}d)"
    return _places(
        name=f"new_{kind}_share_{days}d",
        unit=Unit.SHARE,
        window_days=days,
        sql=f"CASE WHEN {earlier} > 0 THEN COALESCE({new}, 0) / {calls} END",
        count_sql=calls,
        minimum_count=MINIMUM_CALLS,
        meaning=f"{{value}} of its calls went to {plural} it had not called before",
        source=f"product design, new-destination share, by {kind}: account takeover, PBX hacking",
        direction=Direction.HIGHER,
    )


SIGNALS: tuple[Signal, ...] = (
    *(signal for days in WINDOWS for signal in _of_window(days)),
    *(_new_destinations(days, "country", "countries") for days in (1, 7)),
    *(_new_destinations(days, "prefix", "number prefixes") for days in (1, 7)),
)
