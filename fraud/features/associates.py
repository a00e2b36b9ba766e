"""How near an account is to accounts that were blocked: contacts, devices, means of payment.

Guilt by association. Only blocks known at the midnight count, never the account's own,
and for an account that is blocked itself only blocks before its own. What many
accounts have (a hub) ties nobody. Not here: what blocked accounts left behind
(:mod:`fraud.features.traces`) and account details compared one by one
(:mod:`fraud.identity`).

References
----------
Cortes, C., Pregibon, D. and Volinsky, C. "Communities of Interest." Proc. IDA 2001.
Becker, R. A., Volinsky, C. and Wilks, A. R. "Fraud Detection in Telecommunications:
History and Lessons Learned." Technometrics 52 (2010), 20-33.
"""

from __future__ import annotations

from functools import partial

from fraud.features.registry import Direction, Relation, Signal, Unit

_signal = partial(
    Signal,
    family="associates",
    relation=Relation.ASSOCIATES,
    window_days=30,
    direction=Direction.HIGHER,
)

MINIMUM_CALLS = 5
"""Calls that contacts are compared from at least: ours, because two calls are no habit."""

_CALLS = "MAX(call_count)"
_SOMETHING = "MAX(COALESCE(call_count, 0) + COALESCE(detail_count, 0))"
_OVERLAP = "product design, contact overlap: Becker, Volinsky, Wilks (2010)"
_GUILT = "product design, guilt by association: Cortes, Pregibon, Volinsky (2001)"


def _overlap(measure: str, what: str) -> Signal:
    return _signal(
        name=f"contact_{measure}_share_30d",
        unit=Unit.SHARE,
        sql=f"ROUND(COALESCE(MAX({measure}), 0), 9)",
        count_sql=_CALLS,
        minimum_count=MINIMUM_CALLS,
        meaning=f"its contacts overlap by {{value}} with those of one blocked account{what}",
        source=_OVERLAP,
    )


def _tied_by(kind: str, name: str, words: str, count_sql: str, minimum_count: int = 1) -> Signal:
    return _signal(
        name=f"blocked_by_{name}_count_30d",
        unit=Unit.COUNT,
        sql=f"COUNT(*) FILTER (WHERE shared_{kind}_count > 0)",
        count_sql=count_sql,
        minimum_count=minimum_count,
        meaning=f"{{value}} blocked accounts share {words} with it",
        source=_GUILT,
    )


SIGNALS: tuple[Signal, ...] = (
    _overlap("dice", ", by the calls on both sides"),
    _overlap("hellinger", ", by the geometric mean of the calls"),
    _tied_by("number", "calls", "a number called, calling or held", _CALLS),
    _tied_by("device", "devices", "a device", "MAX(device_count)"),
    _tied_by("payment", "payments", "a means of payment", "MAX(payment_count)"),
    _tied_by("postal", "addresses", "the postal address", "MAX(postal_count)"),
    _tied_by("ip", "ips", "an IP address", "MAX(ip_count)"),
    _signal(
        name="blocked_one_hop_ratio_30d",
        unit=Unit.RATIO,
        sql="ROUND(COALESCE(SUM(CASE WHEN one_hop_tie > 1 THEN 1 ELSE one_hop_tie END), 0), 9)",
        count_sql=_SOMETHING,
        minimum_count=1,
        meaning="tied to blocked accounts with a weight of {value}, hubs discounted",
        source=_GUILT,
    ),
    _signal(
        name="blocked_two_hops_count_30d",
        unit=Unit.COUNT,
        sql="COUNT(*) FILTER (WHERE two_hop_tie > 0)",
        count_sql=_SOMETHING,
        minimum_count=1,
        meaning="{value} blocked accounts are tied to it through one other account",
        source=_GUILT,
    ),
    _signal(
        name="blocked_two_hops_ratio_30d",
        unit=Unit.RATIO,
        sql="ROUND(COALESCE(SUM(CASE WHEN two_hop_tie > 1 THEN 1 ELSE two_hop_tie END), 0), 9)",
        count_sql=_SOMETHING,
        minimum_count=1,
        meaning="tied to blocked accounts through one other account with a weight of {value}",
        source=_GUILT,
    ),
)
