"""How many different people an account calls, and whether they know it.

Not here: where they are (``destinations``).
"""

from __future__ import annotations

from functools import partial

from fraud.features.registry import WINDOWS, Direction, Relation, Signal, Unit, largest, total

_contacts = partial(Signal, family="fanout", relation=Relation.CONTACTS)
_days = partial(Signal, family="fanout", relation=Relation.DAYS)

MINIMUM_CALLS = 20
"""Calls or callees a share rests on at least: ours, as for answers."""


def _callees(days: int, condition: str = "TRUE") -> str:
    return f"COUNT(*) FILTER (WHERE called_{days}d AND {condition})"


def _of_window(days: int) -> tuple[Signal, ...]:
    calls = f"SUM(out_call_count_{days}d)"
    return (
        _contacts(
            name=f"callees_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=_callees(days),
            count_sql=_callees(days),
            minimum_count=1,
            meaning="{value} different numbers called",
            source="product design, fan-out: scanning, spam, SIM box",
            direction=Direction.HIGHER,
        ),
        _contacts(
            name=f"unique_callee_share_{days}d",
            unit=Unit.SHARE,
            window_days=days,
            sql=f"{_callees(days)} / {calls}",
            count_sql=calls,
            minimum_count=MINIMUM_CALLS,
            meaning="{value} as many different numbers as calls made ({n})",
            source="product design, unique-callee share: high for scanning, spam, SIM box",
            direction=Direction.HIGHER,
            counted=f"outbound_calls_count_{days}d",
        ),
        _contacts(
            name=f"called_back_share_{days}d",
            unit=Unit.SHARE,
            window_days=days,
            sql=f"{_callees(days, f'calling_{days}d')} / {_callees(days)}",
            count_sql=_callees(days),
            minimum_count=MINIMUM_CALLS,
            meaning="{value} of {n} numbers called also called it",
            source="product design, reciprocity: low for spam",
            direction=Direction.LOWER,
            counted=f"callees_count_{days}d",
        ),
        _days(
            name=f"block_callees_max_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=largest("block_max_count", days),
            count_sql=total("outbound_count", days),
            minimum_count=1,
            meaning="{value} numbers of one block of 100 called within an hour",
            source="product design, number scanning",
            direction=Direction.HIGHER,
        ),
        _days(
            name=f"consecutive_callees_max_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=largest("run_max_count", days),
            count_sql=total("outbound_count", days),
            minimum_count=1,
            meaning="{value} consecutive numbers called in a day",
            source="product design, number scanning: longest run of consecutive numbers",
            direction=Direction.HIGHER,
        ),
    )


def _known_callees(days: int) -> Signal:
    """Compare the window with the days before it; unknown where there are none."""
    earlier = f"COUNT(*) FILTER (WHERE called_before_{days}d)"
    known = _callees(days, f"called_before_{days}d")
    return _contacts(
        name=f"known_callee_share_{days}d",
        unit=Unit.SHARE,
        window_days=days,
        sql=f"CASE WHEN {earlier} > 0 THEN {known} / {_callees(days)} END",
        count_sql=_callees(days),
        minimum_count=5,
        meaning="{value} of {n} numbers called had been called before",
        source="product design, repeat share: callees seen in the previous 30 days; low for spam",
        direction=Direction.LOWER,
        counted=f"callees_count_{days}d",
    )


def _brief_callers(days: int) -> tuple[Signal, ...]:
    brief = f"COUNT(*) FILTER (WHERE brief_{days}d)"
    back = f"COUNT(*) FILTER (WHERE brief_{days}d AND called_{days}d)"
    return (
        _contacts(
            name=f"brief_callers_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=brief,
            count_sql=f"COUNT(*) FILTER (WHERE calling_{days}d)",
            minimum_count=1,
            meaning="{value} numbers rang it for 5 s or less",
            source="product design, Wangiri in: callers that ring briefly",
            direction=Direction.HIGHER,
        ),
        _contacts(
            name=f"brief_callers_called_share_{days}d",
            unit=Unit.SHARE,
            window_days=days,
            sql=f"{back} / {brief}",
            count_sql=brief,
            minimum_count=5,
            meaning="{value} of {n} numbers that rang it for 5 s or less were called",
            source="product design, Wangiri in: about 5 % of targets call back",
            direction=Direction.HIGHER,
            threshold=0.05,
            counted=f"brief_callers_count_{days}d",
        ),
    )


def _mass_ringers() -> tuple[Signal, ...]:
    """Look at who rang many accounts briefly: what one account alone does not show."""
    of_week = partial(
        _contacts,
        unit=Unit.COUNT,
        window_days=7,
        count_sql="COUNT(*) FILTER (WHERE calling_7d OR called_7d)",
        minimum_count=1,
        source="product design, Wangiri in: callers that ring many of our numbers briefly; our "
        "users calling back",
        direction=Direction.HIGHER,
    )
    return (
        of_week(
            name="mass_ringers_count_7d",
            sql="COUNT(*) FILTER (WHERE rung_count IS NOT NULL AND brief_7d)",
            meaning="{value} numbers that rang many accounts for 5 s or less rang it too",
        ),
        of_week(
            name="mass_ringers_called_count_7d",
            sql="COUNT(*) FILTER (WHERE rung_count IS NOT NULL AND called_7d)",
            meaning="{value} numbers called that rang many accounts for 5 s or less",
        ),
    )


_CALLS = "SUM(call_count_30d)"
_OUT_CALLS = "SUM(out_call_count_30d)"


def _weighed(count: str) -> str:
    """Give `n ln n` in whole billionths: a sum of fractions depends on which thread is done first.

    Rounded alike for a contact and for all of them, so that of one contact nothing is left.
    """
    return f"CAST(ROUND({count} * LN({count}) * 1000000000) AS BIGINT)"


_ENTROPY = f"({_weighed(_CALLS)} - SUM({_weighed('call_count_30d')})) / {_CALLS} / 1000000000"

SIGNALS: tuple[Signal, ...] = (
    *(signal for days in WINDOWS for signal in _of_window(days)),
    *(_known_callees(days) for days in (1, 7)),
    *(signal for days in (7, 30) for signal in _brief_callers(days)),
    *_mass_ringers(),
    _contacts(
        name="top_callee_share_30d",
        unit=Unit.SHARE,
        window_days=30,
        sql=f"MAX(out_call_count_30d) / {_OUT_CALLS}",
        count_sql=_OUT_CALLS,
        minimum_count=MINIMUM_CALLS,
        meaning="{value} of {n} calls made went to one number",
        source="ours, because traffic pumping keeps to few numbers and spam to none",
        counted="outbound_calls_count_30d",
    ),
    _contacts(
        name="contacts_count_30d",
        unit=Unit.COUNT,
        window_days=30,
        sql="COUNT(*)",
        count_sql="COUNT(*)",
        minimum_count=1,
        meaning="{value} different numbers called or calling",
        source="bandicoot, number_of_contacts, for calls",
    ),
    _contacts(
        name="contact_entropy_nats_30d",
        unit=Unit.NATS,
        window_days=30,
        sql=_ENTROPY,
        count_sql=_CALLS,
        minimum_count=MINIMUM_CALLS,
        meaning="its calls spread over contacts with an entropy of {value}",
        source="bandicoot, entropy_of_contacts",
    ),
    _contacts(
        name="callers_count_30d",
        unit=Unit.COUNT,
        window_days=30,
        sql="COUNT(*) FILTER (WHERE calling_30d)",
        count_sql="COUNT(*)",
        minimum_count=1,
        meaning="{value} different callers",
        source="ours, because a business is called by its customers",
    ),
)
