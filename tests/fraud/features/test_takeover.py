"""Signs of account takeover, on events one can check by eye."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from feature_rows import AS_OF, Row

from cdr.query import Connection
from fraud.features import takeover
from fraud.features.midnight import features_as_of

Open = Callable[..., Connection]
SIGNALS = [replace(signal, minimum_count=1) for signal in takeover.SIGNALS]


def event(at: str, kind: str = "sign_in", **more: Any) -> Row:
    when = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return {"account_id": "a", "at": when, "event_date": when.date(), "kind": kind, **more}


def check(con: Connection, **expected: float | None) -> None:
    got = features_as_of(con, as_of=AS_OF, signals=SIGNALS).row(0, named=True)
    assert {name: got[name] for name in expected} == {
        name: None if value is None else pytest.approx(value) for name, value in expected.items()
    }


def test_two_countries_within_an_hour_are_a_jump(tables: Open) -> None:
    con = tables(
        account_events=[
            event("2026-02-10 09:00", ip="192.0.2.1", ip_country="DE"),
            event("2026-02-10 10:00", ip="192.0.2.9", ip_country="NG"),  # an hour is within one
            event("2026-02-27 09:00", ip="192.0.2.1", ip_country="DE"),
            event("2026-02-27 09:10", ip="10.0.0.1"),  # of no country
            event("2026-02-27 09:59", ip="192.0.2.9", ip_country="NG"),
            event("2026-02-27 12:00", ip="192.0.2.1", ip_country="DE"),  # two hours later
        ]
    )
    check(
        con,
        country_jumps_count_7d=1,
        country_jumps_count_30d=2,
        foreign_event_share_7d=1 / 3,
        foreign_event_share_30d=2 / 5,
        new_event_countries_count_7d=0,
        new_event_addresses_count_7d=1,
    )


def test_changes_soon_after_a_new_device(tables: Open) -> None:
    con = tables(
        account_events=[
            event("2026-02-10 09:00", device="D1"),  # the first device is no new one
            event("2026-02-10 09:01", "password_changed", device="D1"),
            event("2026-02-24 09:00", device="D2"),
            event("2026-02-24 09:05", "password_changed", device="D2"),
            event("2026-02-25 09:00", "forwarding_changed"),  # 24 hours are within
            event("2026-02-25 09:01", "forwarding_changed"),
        ]
    )
    check(
        con,
        account_changes_count_7d=3,
        account_changes_count_30d=4,
        new_device_changes_count_7d=2,
        new_device_changes_count_30d=2,
        new_event_devices_count_7d=1,
        payments_count_30d=None,
    )


def test_payments_and_how_many_failed(tables: Open) -> None:
    con = tables(
        account_events=[
            event("2026-03-01 09:00", "payment", payment_fingerprint="P1"),
            event("2026-03-01 09:01", "payment_failed", payment_fingerprint="P2"),
            event("2026-02-24 09:01", "payment_failed", payment_fingerprint="P3"),
            event("2026-02-02 09:01", "payment"),
        ]
    )
    check(
        con,
        payments_count_1d=2,
        payments_count_7d=3,
        payments_count_30d=4,
        failed_payments_count_7d=2,
        failed_payments_count_30d=2,
        new_event_devices_count_7d=None,  # no device before to compare with
    )
