"""How an account began: its first two UTC days, and its age.

The day of sign-up counts as the first. Unknown for accounts that began before the
30-day window: their first days are no longer read. Not here: the present.
"""

from __future__ import annotations

from functools import partial

from fraud.features.registry import Direction, Relation, Signal, Unit

_SOURCE = "product design, first 48 hours: half of losses start at sign-up (CFCA 2023)"

_signal = partial(
    Signal,
    family="first_days",
    window_days=30,
    direction=Direction.HIGHER,
    minimum_count=1,
    source=_SOURCE,
)


def _while_new(value: str) -> str:
    return f"CASE WHEN BOOL_OR(is_new) THEN {value} END"


SIGNALS: tuple[Signal, ...] = (
    _signal(
        name="first_days_outbound_calls_count_30d",
        relation=Relation.DAYS,
        unit=Unit.COUNT,
        sql=_while_new("COALESCE(SUM(outbound_count) FILTER (WHERE is_first), 0)"),
        count_sql="COUNT(*)",
        meaning="{value} calls made in its first two days",
    ),
    _signal(
        name="first_days_callees_count_30d",
        relation=Relation.CONTACTS,
        unit=Unit.COUNT,
        sql=_while_new("COUNT(*) FILTER (WHERE called_first)"),
        count_sql="COUNT(*)",
        meaning="{value} different numbers called in its first two days",
    ),
    _signal(
        name="first_days_countries_count_30d",
        relation=Relation.PLACES,
        unit=Unit.COUNT,
        sql=_while_new("COUNT(*) FILTER (WHERE kind = 'country' AND seen_first)"),
        count_sql="COUNT(*) FILTER (WHERE kind = 'country')",
        meaning="{value} countries called in its first two days",
    ),
    _signal(
        name="first_days_cost_usd_30d",
        relation=Relation.DAYS,
        unit=Unit.USD,
        sql=_while_new("COALESCE(SUM(cost_usd) FILTER (WHERE is_first), 0)"),
        count_sql="COUNT(*)",
        meaning="calls made in its first two days cost about {value}",
    ),
    _signal(
        name="first_days_high_risk_calls_count_30d",
        relation=Relation.DAYS,
        unit=Unit.COUNT,
        sql=_while_new("COALESCE(SUM(high_risk_count) FILTER (WHERE is_first), 0)"),
        count_sql="COUNT(*)",
        meaning="{value} calls made to high-risk destinations in its first two days",
    ),
    _signal(
        name="first_days_simultaneous_max_count_30d",
        relation=Relation.DAYS,
        unit=Unit.COUNT,
        sql=_while_new("MAX(simultaneous_max_count) FILTER (WHERE is_first)"),
        count_sql="SUM(outbound_count) FILTER (WHERE is_first)",
        meaning="up to {value} calls at the same time in its first two days",
    ),
    _signal(
        name="first_days_addresses_count_30d",
        relation=Relation.PLACES,
        unit=Unit.COUNT,
        sql=_while_new("COUNT(*) FILTER (WHERE kind = 'address' AND seen_first)"),
        count_sql="COUNT(*) FILTER (WHERE kind = 'address')",
        meaning="calls made from {value} IP addresses in its first two days",
    ),
    Signal(
        name="account_age_days_30d",
        family="first_days",
        relation=Relation.SUBJECTS,
        unit=Unit.DAYS,
        window_days=30,
        sql="LEAST(MAX(created_days_ago), 30)",
        count_sql="COUNT(created_days_ago)",
        minimum_count=1,
        meaning="opened {value} before (30 stands for 30 and more)",
        source="ours: capped, because tenure beyond the window tells labels, not behaviour",
        direction=Direction.LOWER,
    ),
)
