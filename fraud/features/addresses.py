"""Which IP addresses and networks calls are made from. Not here: sign-ins (``events``)."""

from __future__ import annotations

from functools import partial

from fraud.features.registry import WINDOWS, Direction, Relation, Signal, Unit

_signal = partial(Signal, family="addresses", relation=Relation.PLACES, direction=Direction.HIGHER)


def _of_window(days: int, kind: str, plural: str) -> Signal:
    count = f"COUNT(*) FILTER (WHERE kind = '{kind}' AND nearest_days_ago <= {days})"
    return _signal(
        name=f"{plural}_count_{days}d",
        unit=Unit.COUNT,
        window_days=days,
        sql=count,
        count_sql=count,
        minimum_count=1,
        meaning=f"calls made from {{value}} IP {plural}",
        source="product design, address signals: account takeover",
    )


def _new_networks(days: int) -> Signal:
    """Compare the window with the days before it; unknown where there are none."""
    calls = f"SUM(call_count_{days}d) FILTER (WHERE kind = 'network')"
    new = f"SUM(call_count_{days}d) FILTER (WHERE kind = 'network' AND farthest_days_ago <= {days})"
    earlier = f"COUNT(*) FILTER (WHERE kind = 'network' AND farthest_days_ago > {days})"
    return _signal(
        name=f"new_network_share_{days}d",
        unit=Unit.SHARE,
        window_days=days,
        sql=f"CASE WHEN {earlier} > 0 THEN COALESCE({new}, 0) / {calls} END",
        count_sql=calls,
        minimum_count=5,
        meaning="{value} of its calls were made from IP networks it had not used before",
        source="product design, address signals: first use of an address",
    )


SIGNALS: tuple[Signal, ...] = (
    *(_of_window(days, "address", "addresses") for days in WINDOWS),
    *(_of_window(days, "network", "networks") for days in WINDOWS),
    *(_new_networks(days) for days in (1, 7)),
)
