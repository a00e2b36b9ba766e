"""Each family on a handful of calls whose answers can be worked out on paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from feature_rows import AS_OF, account, call

from cdr.query import Connection, Query, run
from fraud.features.midnight import features_as_of
from fraud.features.signals import SIGNALS

Open = Callable[..., Connection]

ANY_COUNT = {signal.name: replace(signal, minimum_count=1) for signal in SIGNALS}
"""The signals without their minimum counts, so that tables can be tiny."""


def values(con: Connection, *names: str, as_of: datetime = AS_OF) -> dict[str, Any]:
    signals = [ANY_COUNT[name] for name in names]
    return features_as_of(con, as_of=as_of, signals=signals).row(0, named=True)


def check(con: Connection, **expected: float | None) -> None:
    got = values(con, *expected)
    assert {name: got[name] for name in expected} == {
        name: None if value is None else pytest.approx(value) for name, value in expected.items()
    }


def test_volume(tables: Open) -> None:
    con = tables(
        [
            call("2026-03-01 10:00", 60),
            call("2026-03-01 11:00", 60),
            call("2026-03-01 12:00", 60, direction="inbound"),
            call("2026-02-24 12:00", 60),  # 6 days before the midnight's day
            call("2026-02-22 12:00", 60, forwarded_to="+49301"),  # outside of 7 days
            call("2026-03-01 12:00", 60, direction="internal"),  # neither made nor received
        ]
    )
    check(
        con,
        outbound_calls_count_1d=2,
        outbound_calls_count_7d=3,
        outbound_calls_count_30d=4,
        inbound_calls_count_7d=1,
        out_in_ratio_7d=3 / 2,
        outbound_share_30d=4 / 5,
        active_days_count_30d=3,
        day_growth_ratio_1d=2 / 1,
        forwarded_share_30d=1 / 5,
    )


def test_answer(tables: Open) -> None:
    con = tables(
        [
            call("2026-03-01 10:00", 60),
            call("2026-03-01 10:01", None, ring_ms=5_000),  # brief: 5 s is included
            call("2026-03-01 10:02", None, ring_ms=30_000, outcome="busy"),
            call("2026-03-01 10:03", None, outcome="failed", ring_ms=0),
            call("2026-03-01 10:04", None, direction="inbound", ring_ms=2_000),
            call("2026-03-01 10:05", 10, direction="inbound"),
        ]
    )
    check(
        con,
        answer_seizure_share_1d=1 / 4,
        refused_share_1d=1 / 4,
        brief_ring_share_1d=1 / 4,
        unanswered_ring_mean_s_7d=35 / 3,
        inbound_answered_share_7d=1 / 2,
        inbound_brief_ring_share_7d=1 / 2,
    )


def test_durations_leave_doubtful_lengths_out(tables: Open) -> None:
    con = tables(
        [
            call("2026-03-01 10:00", 6),  # short: 6 s is included
            call("2026-03-01 10:10", 6.001),
            call("2026-03-01 10:20", 60),  # a minute is not below a minute
            call("2026-03-01 10:30", 10_800, flags=["suspect_duration"]),
            call("2026-03-01 10:40", 0, direction="inbound"),
        ]
    )
    check(
        con,
        outbound_calls_count_1d=4,
        answer_seizure_share_1d=1.0,
        call_duration_mean_s_1d=72.001 / 3,
        call_duration_max_s_1d=60,
        short_call_share_1d=1 / 3,
        sub_minute_share_1d=2 / 3,
        talk_mean_s_30d=72.001 / 4,
    )


def test_fanout(tables: Open) -> None:
    con = tables(
        [
            call("2026-03-01 10:00", 5, callee_number="+4930101"),
            call("2026-03-01 10:01", 5, callee_number="+4930102"),
            call("2026-03-01 10:02", 5, callee_number="+4930103"),
            call("2026-03-01 10:03", 5, callee_number="+4930103"),
            call("2026-03-01 10:04", 5, callee_number="+4930999"),
            call("2026-02-27 10:00", 5, callee_number="+4930101"),
            call("2026-02-27 11:00", 5, direction="inbound", caller_number="+4930102"),
        ]
    )
    check(
        con,
        callees_count_1d=4,
        unique_callee_share_1d=4 / 5,
        callees_count_7d=4,
        called_back_share_1d=0.0,
        called_back_share_7d=1 / 4,
        known_callee_share_1d=1 / 4,
        known_callee_share_7d=None,  # nothing before the 7 days to know them from
        block_callees_max_count_1d=3,
        consecutive_callees_max_count_1d=3,
        top_callee_share_30d=2 / 6,
        contacts_count_30d=4,
        callers_count_30d=1,
    )


def test_the_entropy_is_the_same_in_whichever_order_threads_add_contacts(tables: Open) -> None:
    """A tree splits at the value of an account: the last bit may send it the other way."""
    con = tables()
    entropy = ANY_COUNT["contact_entropy_nats_30d"].sql
    contacts = "(SELECT UNNEST(CAST($counts AS BIGINT[])) AS call_count_30d)"
    upwards, downwards = (
        run(con, Query("entropy", f"SELECT {entropy} FROM {contacts}", {"counts": counts})).item()
        for counts in (list(range(1, 20)), list(range(19, 0, -1)))
    )
    assert upwards == downwards == pytest.approx(2.774984, abs=1e-6)


def test_calls_with_one_contact_have_no_entropy(tables: Open) -> None:
    """Not a billionth above or below: evidence said -0.00, and a tree could split there."""
    con = tables()
    entropy = ANY_COUNT["contact_entropy_nats_30d"].sql
    counts = "SELECT UNNEST(RANGE(1, 1000)) AS call_count_30d"
    each = f"SELECT {entropy} AS nats FROM ({counts}) GROUP BY call_count_30d"
    assert run(con, Query("entropy", each, {}))["nats"].unique().to_list() == [0.0]


def test_destinations(tables: Open) -> None:
    since = datetime(2026, 2, 1, tzinfo=UTC)
    con = tables(
        [
            call("2026-02-20 10:00", 100, callee_number="+4930101", callee_country="DE"),
            call("2026-03-01 10:00", 100, callee_number="+5351234567", callee_country="CU"),
            call("2026-03-01 10:01", 50, callee_number="+8816123456", callee_country="001"),
            call("2026-03-01 10:02", 50, callee_number="+9712123456", callee_country="AE"),
            call("2026-03-01 10:03", 50, callee_number="+4930777001", callee_country="DE"),
            call("2026-03-01 10:04", 150, callee_number="+4930101", callee_country="DE"),
        ],
        lists=[
            {"list": "high_risk_ranges", "entry": "+4930777", "valid_from": since},
            {"list": "test_numbers", "entry": "+5351234567", "valid_to": None},
            {"list": "test_numbers", "entry": "+4930101", "valid_to": since},  # no longer listed
        ],
    )
    check(
        con,
        high_risk_duration_share_1d=200 / 400,
        elevated_risk_duration_share_1d=250 / 400,
        high_risk_duration_share_30d=200 / 500,
        high_risk_calls_count_1d=3,
        test_number_calls_count_1d=1,
        countries_count_1d=4,
        abroad_share_1d=3 / 5,
        abroad_share_30d=3 / 6,
        new_country_share_1d=3 / 5,
        new_country_share_7d=3 / 5,
    )


def test_local_hours_follow_the_country_and_its_summer(tables: Open) -> None:
    con = tables(
        [
            call("2026-02-26 18:59", 5),  # Berlin 19:59, a Thursday
            call("2026-02-26 19:00", 5),  # Berlin 20:00: night
            call("2026-02-27 19:00", 5),  # Friday 20:00: night, weekend
            call("2026-03-01 12:00", 5),  # Sunday: weekend
        ]
    )
    check(con, night_share_7d=2 / 4, weekend_share_7d=2 / 4, active_hours_count_30d=3)
    summer = [call("2026-07-09 18:00", 5)]  # Berlin 20:00
    got = values(tables(summer), "night_share_1d", as_of=datetime(2026, 7, 10, tzinfo=UTC))
    assert got["night_share_1d"] == 1.0


def test_local_hours_are_unknown_without_a_country(tables: Open) -> None:
    con = tables([call("2026-03-01 12:00", 5)], accounts=[account(country=None)])
    check(con, night_share_1d=None, weekend_share_1d=None, abroad_share_1d=None)


def test_off_hours_are_hours_never_used_before(tables: Open) -> None:
    usual = [
        call(f"2026-02-{day:02} {hour:02}:{minute}0", 5)
        for day in (4, 5)
        for hour in (9, 10, 11)
        for minute in range(5)
    ]
    last = [call("2026-02-27 09:00", 5), call("2026-02-27 22:00", 5), call("2026-02-28 09:00", 5)]
    check(tables([*usual, *last]), off_hours_share_7d=2 / 3, off_hours_share_1d=None)
    check(tables([*usual[1:], *last]), off_hours_share_7d=None)  # 29 calls to learn from


def test_the_seventh_day_before_is_of_the_week_and_the_eighth_is_before_it(tables: Open) -> None:
    weeks_ago, week_ago, last = "2026-02-22 10:00", "2026-02-23 10:00", "2026-03-01 10:00"
    con = tables(
        [
            *(call(weeks_ago, 5, callee_number="+49301") for _ in range(3)),
            *(call(week_ago, 5, callee_number="+49302") for _ in range(2)),
            *(call(last, 5, callee_number=number) for number in ("+49301", "+49303", "+49304")),
        ]
    )
    check(
        con,
        hour_calls_max_count_1d=3,
        hour_calls_max_count_7d=3,
        callees_count_7d=4,
        known_callee_share_1d=1 / 3,
        known_callee_share_7d=1 / 4,
    )
    con = tables([call(weeks_ago, 5), call(week_ago, 5), call(week_ago, 5), call(last, 5)])
    check(con, hour_calls_max_count_1d=1, hour_calls_max_count_7d=2, night_share_7d=0)


def test_peaks(tables: Open) -> None:
    at = datetime(2026, 3, 1, 10, tzinfo=UTC)
    con = tables(
        [
            call(at, 60),
            call(at + timedelta(seconds=30), 60),
            call(at + timedelta(seconds=60), 300),  # begins as the first ends, 60 s after it
            call(at + timedelta(seconds=60), 300, direction="inbound"),
            call(at + timedelta(hours=1), None),
        ]
    )
    check(
        con,
        simultaneous_max_count_1d=2,
        minute_calls_max_count_1d=2,
        hour_calls_max_count_1d=3,
    )


def test_cost_is_decimal_until_the_end(tables: Open) -> None:
    con = tables(
        [
            call("2026-03-01 10:00", 60, callee_number="+8816123456"),  # 6.00 a minute
            call("2026-03-01 10:30", 30, callee_number="+5351234567"),  # 0.80 a minute
            call("2026-03-01 11:00", 0.001, callee_number="+4930101"),  # below a micro-dollar
            call("2026-02-25 11:00", 600, callee_number="+8816123456"),
        ]
    )
    exact = {
        "cost_usd_1d": 6.4,
        "cost_max_hour_usd_1d": 6.4,
        "cost_usd_7d": 66.4,
        "cost_max_day_usd_30d": 60.0,
    }
    got = values(con, *exact)
    assert {name: got[name] for name in exact} == exact
    check(con, cost_per_minute_usd_7d=66.4 / (690.001 / 60), cost_growth_ratio_1d=6.4 / 60)


def test_addresses_and_networks(tables: Open) -> None:
    con = tables(
        [
            call("2026-02-20 10:00", 5, caller_ip="10.1.2.3"),
            call("2026-03-01 10:00", 5, caller_ip="10.1.2.77"),
            call("2026-03-01 10:01", 5, caller_ip="2001:db8:1::5"),
            call("2026-03-01 10:02", 5, caller_ip="2001:db8:1:9::6"),
            call("2026-03-01 10:03", 5),
            call("2026-03-01 10:04", 5, direction="inbound", caller_ip="192.0.2.1"),
        ]
    )
    check(
        con,
        addresses_count_1d=3,
        networks_count_1d=2,
        addresses_count_30d=4,
        networks_count_30d=2,
        new_network_share_1d=2 / 3,
    )


def test_first_days(tables: Open) -> None:
    calls = [
        call("2026-02-20 10:00", 5, callee_number="+5351234567", callee_country="CU"),
        call("2026-02-21 23:59", 60, callee_number="+8816123456", callee_country="001"),
        call("2026-02-22 00:00", 5, callee_number="+4930101"),
        call("2026-02-23 00:00", 5, callee_number="+4930102"),
    ]
    check(
        tables(calls, accounts=[account(created="2026-02-20T08:00")]),
        first_days_outbound_calls_count_30d=2,
        first_days_callees_count_30d=2,
        first_days_countries_count_30d=2,
        first_days_high_risk_calls_count_30d=2,
        first_days_cost_usd_30d=6 + 0.066666,
        first_days_simultaneous_max_count_30d=1,
        first_days_addresses_count_30d=None,
        account_age_days_30d=10,
    )
    check(
        tables(calls, accounts=[account(created="2026-01-01")]),
        first_days_outbound_calls_count_30d=None,
        account_age_days_30d=30,
    )


def texts(
    day: date, template: str, count: int, numbers: int, links: int = 0, listed: int | None = None
) -> dict[str, Any]:
    return {
        "account_id": "a",
        "message_date": day,
        "template_hash": template,
        "text_count": count,
        "counterpart_count": numbers,
        "link_count": links,
        "listed_link_count": listed,
    }


def test_messages(tables: Open) -> None:
    con = tables(
        message_templates=[
            texts(date(2026, 3, 1), "t1", 6, 5, links=6, listed=4),
            texts(date(2026, 2, 28), "t1", 2, 2),
            texts(date(2026, 2, 28), "t2", 2, 1),
            texts(date(2026, 2, 10), "t2", 10, 1),
        ]
    )
    check(
        con,
        texts_count_1d=6,
        texts_count_7d=10,
        texts_count_30d=20,
        top_template_share_7d=8 / 10,
        top_template_share_30d=12 / 20,
        link_text_share_7d=6 / 10,
        template_counterparts_max_count_7d=7,
        listed_link_texts_count_7d=4,
    )
    unknown = tables(message_templates=[texts(date(2026, 3, 1), "t1", 6, 5, links=6)])
    check(unknown, listed_link_texts_count_7d=None)


def test_events_and_numbers(tables: Open) -> None:
    def event(at: str, kind: str, **more: Any) -> dict[str, Any]:
        when = datetime.fromisoformat(at).replace(tzinfo=UTC)
        return {"account_id": "a", "at": when, "event_date": when.date(), "kind": kind, **more}

    con = tables(
        account_events=[
            event("2026-03-01 10:00", "sign_in", ip="10.0.0.1", device="d1"),
            event("2026-02-10 10:00", "sign_in", ip="10.0.0.2", device="d1"),
            event("2026-02-24 10:00", "payment", payment_fingerprint="p1"),
        ],
        account_numbers=[
            {"account_id": "a", "number": "+4930111"},
            {"account_id": "a", "number": "+4930112", "valid_from": AS_OF - timedelta(days=2)},
            {"account_id": "a", "number": "+4930113", "valid_to": AS_OF - timedelta(hours=9)},
            {"account_id": "a", "number": "+4930114", "valid_to": AS_OF - timedelta(days=1)},
        ],
    )
    check(
        con,
        sign_ins_count_7d=1,
        sign_ins_count_30d=2,
        event_addresses_count_30d=2,
        event_devices_count_30d=1,
        payment_means_count_7d=1,
        numbers_held_count_1d=3,
        numbers_new_count_7d=1,
        outbound_calls_count_30d=None,
    )


def test_prefixes_and_countries_of_addresses(tables: Open) -> None:
    def calls(day: str, number: str, country: str | None, count: int) -> list[Any]:
        made = {"callee_number": number, "caller_ip": "192.0.2.1", "caller_ip_country": country}
        return [call(f"{day} 10:{minute:02}", 5, **made) for minute in range(count)]

    con = tables(
        [
            *calls("2026-02-10", "+4930101", "DE", 1),
            *calls("2026-03-01", "+4930102", "DE", 2),  # the prefix +49301 is known
            *calls("2026-03-01", "+4989102", "NG", 3),
            *calls("2026-03-01", "+4989102", None, 1),
        ]
    )
    check(
        con,
        new_prefix_share_1d=4 / 6,
        new_country_share_1d=0,
        ip_countries_count_7d=2,
        foreign_address_share_7d=3 / 5,
        foreign_address_share_30d=3 / 6,
        new_ip_country_share_1d=3 / 5,
    )


def test_numbers_that_rang_briefly_and_were_called(tables: Open) -> None:
    def rang(at: str, number: str, ring_s: int, length_s: float | None = None) -> Any:
        more = {"direction": "inbound", "caller_number": number, "ring_ms": ring_s * 1000}
        return call(at, length_s, **more)

    con = tables(
        [
            rang("2026-02-28 10:00", "+5351000001", 2),
            rang("2026-02-28 10:01", "+5351000002", 5),  # 5 s are brief
            rang("2026-02-28 10:02", "+5351000003", 6),
            rang("2026-02-28 10:03", "+5351000004", 1, 60),
            rang("2026-02-10 10:03", "+5351000005", 1),
            call("2026-02-28 11:00", 60, callee_number="+5351000001"),
            call("2026-02-28 11:00", 60, callee_number="+5351000003"),
        ]
    )
    check(
        con,
        brief_callers_count_7d=2,
        brief_callers_called_share_7d=1 / 2,
        brief_callers_count_30d=3,
        brief_callers_called_share_30d=1 / 3,
    )


def test_a_number_that_rang_many_accounts_is_told_from_one_that_rang_few(tables: Open) -> None:
    def rang(account_id: str, number: str, day: str = "2026-02-28") -> Any:
        more = {"direction": "inbound", "caller_number": number, "ring_ms": 2_000}
        return call(f"{day} 10:00", account_id=account_id, **more)

    con = tables(
        [
            *(rang(f"x{n}", "+5351000001") for n in range(9)),
            *(rang(f"x{n}", "+5351000002") for n in range(10)),
            *(rang(f"x{n}", "+5351000003", "2026-02-20") for n in range(10)),  # 10 days ago
            *(rang("a", f"+535100000{n}") for n in (1, 3)),
            *(call("2026-03-01 11:00", 60, callee_number=f"+535100000{n}") for n in (1, 2, 3)),
        ]
    )
    # with a itself ten accounts heard 1 and 2 in these 7 days; nine are no crowd
    check(con, mass_ringers_count_7d=1, mass_ringers_called_count_7d=2)
    left = features_as_of(
        con, as_of=AS_OF, signals=[ANY_COUNT["mass_ringers_called_count_7d"]], left_out=["x1"]
    )
    assert left["mass_ringers_called_count_7d"].to_list() == [0]


def test_an_hour_is_compared_with_the_same_hour_before(tables: Open) -> None:
    # 1 March is a Sunday: of the 29 days before it 8 are of weekends
    earlier = [call(f"2026-02-22 09:{minute:02}", 5) for minute in range(32)]
    last = [call(f"2026-03-01 09:{minute:02}", 5) for minute in range(14)]
    check(tables([*earlier, *last]), same_hour_growth_ratio_1d=(14 + 1) / (32 / 8 + 1))
    check(tables(earlier), same_hour_growth_ratio_1d=None)


def test_a_block_of_numbers_is_scanned_within_an_hour(tables: Open) -> None:
    con = tables(
        [call(f"2026-03-01 10:{n:02}", None, callee_number=f"+4930{1100 + n}") for n in range(5)]
        + [call(f"2026-03-01 12:{n:02}", None, callee_number=f"+4930{1150 + n}") for n in range(3)]
    )
    check(con, block_callees_max_count_1d=5, consecutive_callees_max_count_1d=5)
