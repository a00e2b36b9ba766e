"""Which IP addresses and networks calls are made from. Not here: sign-ins (``events``)."""

from __future__ import annotations

from functools import partial

from fraud.features.registry import WINDOWS, Direction, Relation, Signal, Unit

_signal = partial(Signal, family="addresses", relation=Relation.PLACES, direction=Direction.HIGHER)


_WORDS = {
    "address": "IP addresses",
    "network": "IP networks",
    "ip_country": "countries, by its IP addresses",
}


def _of_window(days: int, kind: str, plural: str) -> Signal:
    count = f"COUNT(*) FILTER (WHERE kind = '{kind}' AND seen_{days}d)"
    return _signal(
        name=f"{plural}_count_{days}d",
        unit=Unit.COUNT,
        window_days=days,
        sql=count,
        count_sql=count,
        minimum_count=1,
        meaning=f"calls made from {{value}} {_WORDS[kind]}",
        source="product design, address signals: account takeover",
    )


def _new(days: int, kind: str, words: str) -> Signal:
    """Compare the window with the days before it; unknown where there are none."""
    calls = f"SUM(call_count_{days}d) FILTER (WHERE kind = '{kind}')"
    new = f"SUM(call_count_{days}d) FILTER (WHERE kind = '{kind}' AND NOT seen_before_{days}d)"
    earlier = f"COUNT(*) FILTER (WHERE kind = '{kind}' AND seen_before_{days}d)"
    return _signal(
        name=f"new_{kind}_share_{days}d",
        unit=Unit.SHARE,
        window_days=days,
        sql=f"CASE WHEN {earlier} > 0 THEN COALESCE({new}, 0) / {calls} END",
        count_sql=calls,
        minimum_count=5,
        meaning=f"{{value}} of its calls were made from {words} it had not called from before",
        source="product design, address signals: first use of an IP or country",
    )


def _countries(days: int) -> tuple[Signal, ...]:
    calls = f"SUM(call_count_{days}d) FILTER (WHERE kind = 'ip_country' AND is_home IS NOT NULL)"
    abroad = f"SUM(call_count_{days}d) FILTER (WHERE kind = 'ip_country' AND NOT is_home)"
    return (
        _of_window(days, "ip_country", "ip_countries"),
        _signal(
            name=f"foreign_address_share_{days}d",
            unit=Unit.SHARE,
            window_days=days,
            sql=f"COALESCE({abroad}, 0) / {calls}",
            count_sql=calls,
            minimum_count=5,
            meaning="{value} of its calls were made from addresses of other countries than its own",
            source="product design, address signals: country of IP against country of account",
        ),
    )


SIGNALS: tuple[Signal, ...] = (
    *(_of_window(days, "address", "addresses") for days in WINDOWS),
    *(_of_window(days, "network", "networks") for days in WINDOWS),
    *(_new(days, "network", "IP networks") for days in (1, 7)),
    *(signal for days in (7, 30) for signal in _countries(days)),
    *(_new(days, "ip_country", "countries") for days in (1, 7)),
)
