"""A day's calls become sums once; legs are joined."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from feature_rows import AS_OF, account, call, open_tables
from polars.testing import assert_frame_equal

from cdr.query import Connection
from fraud.features.account_days import ACCOUNT_DAY_KEYS, ACCOUNT_DAYS, reduce_day
from fraud.features.midnight import features_as_of

Open = Callable[..., Connection]
DAY = date(2026, 3, 1)


def test_legs_and_attempts_of_a_call_count_once() -> None:
    con = open_tables(
        [
            call("2026-03-01 10:00:00", None, call_id="x", leg=0, outcome="failed"),
            call("2026-03-01 10:00:05", 30, call_id="x", leg=1, callee_number="+4930201"),
            call("2026-03-01 10:00:06", 29, call_id="x", leg=2, callee_number="+4930202"),
            call("2026-03-01 10:00:06", 29, call_id="x", leg=3, direction="inbound"),
            call("2026-03-01 10:00:00", 7, call_id="x", source="other"),  # a host of its own
        ]
    )
    row = reduce_day(con, DAY).account_days.row(0, named=True)
    counts = ("leg_count", "outbound_count", "outbound_answered_count", "inbound_count")
    assert [row[name] for name in counts] == [5, 2, 2, 1]
    assert row["outbound_failed_count"] == 0
    assert row["outbound_duration_ms"] == 37_000  # the longest leg, not the sum of the legs


def test_a_call_without_call_id_stands_alone() -> None:
    con = open_tables([call("2026-03-01 10:00", 5, call_id=None) for _ in range(3)])
    assert reduce_day(con, DAY).account_days["outbound_count"].to_list() == [3]


def test_calls_of_unknown_accounts_are_left_out() -> None:
    con = open_tables([call("2026-03-01 10:00", 5, account_id=None)])
    assert reduce_day(con, DAY).account_days.is_empty()


def test_keys_hold_no_number_and_no_address() -> None:
    con = open_tables(
        [
            call("2026-03-01 10:00", 5, callee_number="+4930987654", caller_ip="10.20.30.40"),
            call("2026-03-01 10:00", 5, direction="inbound", caller_number="+4930987654"),
        ]
    )
    keys = reduce_day(con, DAY).account_day_keys
    written = keys.select("kind", "key").rows()
    assert not [key for _, key in written if "30987654" in key or "10.20" in key]
    by_kind = dict(written)
    assert by_kind["callee"] == by_kind["caller"]  # the same person, whichever way


def test_tables_have_the_declared_columns() -> None:
    reduced = reduce_day(open_tables([call("2026-03-01 10:00", 5)]), DAY)
    assert reduced.account_days.schema == ACCOUNT_DAYS.polars_schema
    assert reduced.account_day_keys.schema == ACCOUNT_DAY_KEYS.polars_schema


def test_a_lost_hang_up_does_not_hold_a_line_all_day() -> None:
    con = open_tables(
        [
            call("2026-03-01 10:00", 10_800, flags=["suspect_duration"]),
            call("2026-03-01 11:00", 60),
        ]
    )
    assert reduce_day(con, DAY).account_days["simultaneous_max_count"].to_list() == [1]


def test_order_of_rows_does_not_matter() -> None:
    calls = [
        call("2026-03-01 10:00", 60, call_id=str(n % 7), leg=n // 7, callee_number=f"+49302{n:03}")
        for n in range(40)
    ]
    one, other = open_tables(calls), open_tables(calls[::-1])
    assert_frame_equal(reduce_day(one, DAY).account_days, reduce_day(other, DAY).account_days)
    assert_frame_equal(
        reduce_day(one, DAY).account_day_keys, reduce_day(other, DAY).account_day_keys
    )


def test_accounts_do_not_mix(tables: Open) -> None:
    con = tables(
        [call("2026-03-01 10:00", 60), call("2026-03-01 10:00", 60, account_id="b")],
        accounts=[account("a"), account("b"), account("c")],
    )
    got = features_as_of(con, as_of=AS_OF)
    assert got["account_id"].to_list() == ["a", "b", "c"]
    assert got["outbound_calls_count_1d"].to_list() == [1.0, 1.0, None]
    assert got["simultaneous_max_count_1d"].to_list() == [1.0, 1.0, None]
