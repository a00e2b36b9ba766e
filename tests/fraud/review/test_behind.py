"""Behind each number stand the rows that it counts: for every signal of the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import cdr
from cdr.lake import Lake
from fraud.features.midnight import features_as_of
from fraud.features.signals import SIGNALS
from fraud.review.behind import Behind, Figure, Found, Rows, pick
from fraud.review.events_behind import describe_events
from fraud.review.rows_behind import behind, rows_of
from fraud.review.slices import Asked, OpenLake
from fraud.rules.numbers import TEST_NUMBER_CALLS
from fraud.tables import RULE_HITS

AS_OF = date(2026, 10, 1)
MIDNIGHT = datetime(2026, 10, 1, tzinfo=UTC)
ACCOUNTS = ("C1000027", "C1000052", "C1000067", "C1000073", "C1000129", "C1000181")
"""Of the samples: between them nearly every signal has a value above 0."""

MADE = [signal.name for signal in SIGNALS if behind(signal.name)]


@pytest.fixture(scope="module")
def lake(sample_night: Path) -> Lake:
    return cdr.open_lake(cdr.load_settings(home=sample_night))


@pytest.fixture(scope="module")
def rows(lake: Lake) -> dict[str, dict[Rows, pl.DataFrame]]:
    """Read all that the sample accounts have, once."""
    opened = OpenLake(lake)
    accounts = opened.read([Asked(one, AS_OF) for one in ACCOUNTS])
    opened.read_calls(list(accounts.values()), as_of=AS_OF)
    return {
        account.account_id: {
            kind: opened.calls(account, as_of=AS_OF)
            if kind is Rows.CALLS
            else rows_of(account, kind, as_of=AS_OF)
            for kind in Rows
        }
        for account in accounts.values()
    }


Measured = Mapping[str, Mapping[str, float | None]]


@pytest.fixture(scope="module")
def measured(lake: Lake) -> Measured:
    """Ask SQL for each signal, and under its name and ``#`` how much it rests on."""
    counts = [
        replace(one, name=f'"{one.name}#"', sql=one.count_sql, minimum_count=-1) for one in SIGNALS
    ]
    found = features_as_of(
        lake.connect_raw("fraud"), as_of=MIDNIGHT, accounts=ACCOUNTS, signals=[*SIGNALS, *counts]
    )
    return {row["account_id"]: row for row in found.to_dicts()}


def _calls_of_days(calls: pl.DataFrame) -> Any:
    return calls.filter(pl.col("direction") == "outbound").group_by("days_ago").len()


def _growth_of_day(listed: pl.DataFrame, calls: pl.DataFrame) -> float:
    earlier = _calls_of_days(calls).filter(pl.col("days_ago") > 1)["len"]
    return float(listed.height / earlier.mean())


WORKED_OUT: Mapping[str, Callable[[pl.DataFrame, pl.DataFrame], float]] = {
    "day_growth_ratio_1d": _growth_of_day,
    "cost_max_hour_usd_7d": lambda listed, _: float(listed["hour_cost_usd"][0]),
    "cost_max_hour_usd_30d": lambda listed, _: float(listed["hour_cost_usd"][0]),
    "cost_max_hour_usd_1d": lambda listed, _: float(listed["hour_cost_usd"][0]),
    "cost_max_day_usd_7d": lambda listed, _: float(listed["day_cost_usd"][0]),
    "cost_max_day_usd_30d": lambda listed, _: float(listed["day_cost_usd"][0]),
    "call_duration_mean_s_7d": lambda listed, _: float(listed["duration_ms"].mean()) / 1000,
    "call_duration_max_s_7d": lambda listed, _: float(listed["duration_ms"].max()) / 1000,
    "talk_deviation_s_30d": lambda listed, _: float(listed["duration_ms"].std(ddof=0)) / 1000,
    "unanswered_ring_mean_s_7d": lambda listed, _: float(listed["ring_ms"].mean()) / 1000,
}
"""Numbers that are more than a count, worked out of the rows that are listed."""

WITHOUT_A_COUNT = frozenset(
    {
        # of days, hours or blocked accounts; those worked out above are checked there
        "same_hour_growth_ratio_1d", "cost_growth_ratio_1d", "first_days_cost_usd_30d",
        "contact_dice_share_30d", "contact_hellinger_share_30d", "blocked_one_hop_ratio_30d",
        "blocked_two_hops_ratio_30d", "blocked_template_text_share_30d", *WORKED_OUT,
    }
)  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_the_rows_behind_a_number_come_to_the_number(
    name: str,
    rows: dict[str, dict[Rows, pl.DataFrame]],
    measured: Measured,
) -> None:
    kind, wanted = _behind(name)
    for account_id, of_account in rows.items():
        value = measured[account_id][name]
        if value is None:
            continue
        found = pick(of_account[kind], wanted)
        if wanted.figure is not Figure.RESTS_ON:
            assert found.value(wanted.figure) == pytest.approx(value)
        if wanted.figure is Figure.RESTS_ON and name not in WITHOUT_A_COUNT:
            assert found.count == measured[account_id][f"{name}#"]
        if name in WORKED_OUT and (found.count or "day_growth" in name):
            assert WORKED_OUT[name](found.rows, of_account[kind]) == pytest.approx(value)


def _behind(name: str) -> tuple[Rows, Behind]:
    found = behind(name)
    assert found is not None
    return found


def test_only_the_age_of_an_account_has_no_rows_behind_it() -> None:
    assert {one.name for one in SIGNALS} - set(MADE) == {"account_age_days_30d"}


def test_the_calls_behind_a_rule_are_those_of_its_two_days(
    lake: Lake, rows: dict[str, dict[Rows, pl.DataFrame]]
) -> None:
    hits = lake.scan(RULE_HITS).filter(pl.col("rule") == "test_number").collect()
    found = {row["account_id"]: row["value"] for row in hits.iter_rows(named=True)}
    of_account = rows["C1000073"][Rows.CALLS]
    assert _listed(of_account, TEST_NUMBER_CALLS.name).count == found["C1000073"] > 0


def _event(minute: int, kind: str = "sign_in", **more: Any) -> dict[str, Any]:
    at = datetime(2026, 9, 30, 8, tzinfo=UTC) + timedelta(minutes=minute)
    empty = dict.fromkeys(
        ("ip", "ip_country", "device", "payment_fingerprint", "amount", "currency")
    )
    return {**empty, "at": at, "kind": kind, **more}


EVENTS = [
    _event(0, ip_country="DE", device="old"),
    _event(10),
    _event(50, ip_country="FR"),  # within an hour of the last event whose country is known
    _event(200, ip_country="DE"),  # more than an hour later
    _event(210, "password_changed", device="old"),
    _event(220, device="new"),
    _event(230, "email_changed"),
    _event(240, "payment_failed"),
]


@pytest.mark.parametrize(
    ("signal", "minutes"),
    [
        ("country_jumps_count_7d", [50]),
        ("foreign_event_share_7d", [50]),
        ("new_device_changes_count_7d", [230]),
        ("account_changes_count_7d", [230, 210]),
        ("failed_payments_count_7d", [240]),
        ("sign_ins_count_30d", [220, 200, 50, 10, 0]),
    ],
)
def test_events_are_seen_beside_what_came_before_them(signal: str, minutes: list[int]) -> None:
    events = describe_events(EVENTS, home="DE", as_of=AS_OF)
    found = _listed(events, signal).rows
    eight = datetime(2026, 9, 30, 8, tzinfo=UTC)
    assert [(at - eight) / timedelta(minutes=1) for at in found["at"]] == minutes


CALLS = pl.DataFrame(
    {
        "direction": ["outbound", "inbound", "inbound", "inbound"],
        "days_ago": [1, 2, 2, 8],
        "contact": ["+491", "+491", "+492", "+491"],
        "answered": [True, False, False, False],
        "failed": [False] * 4,
        "ring_ms": [None, 900, 900, 900],
        "forwarded": [True, False, False, False],
        "rings_many": [True, True, False, True],
    }
)


@pytest.mark.parametrize(
    ("signal", "count"),
    [
        ("forwarded_share_30d", 1),
        ("mass_ringers_count_7d", 1),  # +492 does not ring many, the third is too old
        ("mass_ringers_called_count_7d", 1),
        ("brief_callers_count_7d", 2),
        ("brief_callers_called_share_7d", 1),
    ],
)
def test_calls_are_picked_by_what_signals_look_at(signal: str, count: int) -> None:
    assert _listed(CALLS, signal).count == count


def _listed(rows: pl.DataFrame, signal: str) -> Found:
    return pick(rows, _behind(signal)[1])
