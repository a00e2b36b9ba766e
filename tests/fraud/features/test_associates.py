"""Ties to blocked accounts: only what was known, never the account itself, hubs discounted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from math import sqrt
from typing import Any

import polars as pl
import pytest
from feature_rows import AS_OF, Row, account, call, trace_blocked

from cdr.query import Connection
from fraud.features import associates, messages
from fraud.features.midnight import features_as_of, features_at
from fraud.features.traces import HUB_HOLDERS

Open = Callable[..., Connection]
SIGNALS = (*associates.SIGNALS, *(s for s in messages.SIGNALS if "blocked" in s.name))
BLOCK = datetime(2026, 2, 20, 12, tzinfo=UTC)


def blocked(account_id: str, at: datetime = BLOCK, **more: Any) -> Row:
    state = {"status": "blocked", "status_since": at, "status_reason": "fraud"}
    return account(account_id, **{**state, **more})


def described(con: Connection, as_of: datetime = AS_OF) -> dict[str, dict[str, Any]]:
    """Return the signals of every account by its name."""
    found = features_as_of(con, as_of=as_of, signals=SIGNALS)
    return {row["account_id"]: row for row in found.iter_rows(named=True)}


def calls_to(number: str, *days: str, account_id: str = "a", hour: int = 9) -> list[Row]:
    return [
        call(f"{day} {hour:02}:{minute:02}", 5, callee_number=number, account_id=account_id)
        for minute, day in enumerate(days)
    ]


def test_contacts_overlap_by_decayed_calls(tables: Open) -> None:
    con = tables(
        [
            # at the midnight after its block b has 3 calls with X, one a day old: 0.85
            *calls_to("+4930111", "2026-02-20", "2026-02-20", "2026-02-19", account_id="b"),
            *calls_to("+4930222", "2026-02-20", account_id="b", hour=10),
            *calls_to("+4930111", "2026-03-01", "2026-02-28"),
            *calls_to("+4930333", "2026-03-01", "2026-03-01", "2026-03-01", hour=10),
        ],
        accounts=[account(), blocked("b")],
    )
    theirs, ours = 2.85 / 3.85, 1.85 / 4.85
    everybody = described(con)
    got = everybody["a"]
    assert got["contact_dice_share_30d"] == pytest.approx((theirs + ours) / 2)
    assert got["contact_hellinger_share_30d"] == pytest.approx(sqrt(theirs * ours))
    assert got["blocked_by_calls_count_30d"] == 1
    assert got["blocked_one_hop_ratio_30d"] == 1 / 1  # a called it only after the block
    assert everybody["b"]["contact_dice_share_30d"] is None  # nobody was blocked before it


def test_calls_to_each_other_and_forwarding_tie_too(tables: Open) -> None:
    con = tables(
        calls_to("+4930700", "2026-03-01"),
        accounts=[
            account("a"),
            account("c", forward_to=["+4930700"]),
            account("d", phone="+4930700"),
            account("e"),
            blocked("b"),
        ],
        account_numbers=[{"account_id": "b", "number": "+4930700", "valid_to": BLOCK}],
    )
    got = {one: row["blocked_one_hop_ratio_30d"] for one, row in described(con).items()}
    assert [got[one] for one in "acd"] == [pytest.approx(1 / 3, abs=1e-8), got["a"], got["a"]]
    assert got["e"] is None  # nothing to compare


DETAILS = {
    "blocked_by_devices_count_30d": {"devices": ["D1"]},
    "blocked_by_payments_count_30d": {"payment_fingerprint": ["P1"]},
    "blocked_by_addresses_count_30d": {"address": "Some St. 1, Town"},
    "blocked_by_ips_count_30d": {"signup_ip": "203.0.113.7"},
}


@pytest.mark.parametrize("name", DETAILS)
def test_what_two_accounts_gave_ties_them(tables: Open, name: str) -> None:
    con = tables(accounts=[account(**DETAILS[name]), account("c"), blocked("b", **DETAILS[name])])
    everybody = described(con)
    mine, other = everybody["a"], everybody["c"]
    assert {n: mine[n] for n in DETAILS} == {n: 1.0 if n == name else None for n in DETAILS}
    assert [other[n] for n in DETAILS] == [None] * 4
    assert mine["blocked_one_hop_ratio_30d"] == 1 / 2  # one of the two who had it was blocked


def test_what_events_showed_ties_too_and_private_addresses_do_not(tables: Open) -> None:
    def signs_in(account_id: str, day: date, ip: str, device: str | None = None) -> Row:
        at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        return {
            "account_id": account_id, "at": at, "event_date": day, "kind": "sign_in",
            "ip": ip, "device": device,
        }  # fmt: skip

    con = tables(
        [call("2026-03-01 10:00", 5, caller_ip="192.168.1.5")],
        accounts=[account(), account("c"), blocked("b")],
        account_events=[
            signs_in("b", date(2026, 2, 19), "192.168.1.5", "D1"),
            signs_in("a", date(2026, 3, 1), "203.0.113.9", "D1"),
            signs_in("c", date(2026, 3, 1), "192.168.1.5"),
        ],
    )
    got = described(con)
    assert got["a"]["blocked_by_devices_count_30d"] == 1
    assert got["a"]["blocked_by_ips_count_30d"] == 0
    assert got["c"]["blocked_by_ips_count_30d"] is None


@pytest.mark.parametrize("others", [HUB_HOLDERS - 2, HUB_HOLDERS - 1])
def test_hubs_tie_less_and_large_ones_nobody(tables: Open, others: int) -> None:
    crowd = [account(f"c{n}", email=f"{n}@mail.example") for n in range(others)]
    con = tables(
        accounts=[account(email="a@mail.example"), blocked("b", email="b@mail.example"), *crowd],
        calls=calls_to("+4930111", "2026-03-01"),
    )
    holders = others + 2
    weight = 1 / holders if holders <= HUB_HOLDERS else 0
    assert described(con)["a"]["blocked_one_hop_ratio_30d"] == pytest.approx(weight, abs=1e-8)


def test_two_hops_lead_through_an_account_in_between(tables: Open) -> None:
    con = tables(
        accounts=[
            account("a", devices=["D1"]),
            account("c", devices=["D1"], payment_fingerprint=["P1"]),
            blocked("b", payment_fingerprint=["P1"]),
        ],
    )
    hops = ("blocked_one_hop_ratio_30d", "blocked_two_hops_count_30d", "blocked_two_hops_ratio_30d")
    got = described(con)
    assert [got["a"][name] for name in hops] == [0, 1, 1 / 2 * 1 / 2]
    assert [got["c"][name] for name in hops] == [1 / 2, 0, 0]  # never through itself


def ring(*blocks: datetime | None) -> Sequence[Row]:
    return [
        blocked(f"r{n}", at, devices=["D1"]) if at else account(f"r{n}", devices=["D1"])
        for n, at in enumerate(blocks)
    ]


def test_a_block_is_known_from_the_next_midnight_on(tables: Open) -> None:
    con = tables(accounts=ring(None, BLOCK))
    day = datetime(2026, 2, 20, tzinfo=UTC)
    name = "blocked_by_devices_count_30d"
    assert described(con, day)["r0"][name] is None  # nobody is known to be blocked
    assert described(con, day + timedelta(days=1))["r0"][name] == 1


def test_what_was_told_late_counts_from_then_on(tables: Open) -> None:
    told = datetime(2026, 2, 25, 5, tzinfo=UTC)
    stood = account("b", devices=["D1"], valid_to=told)
    con = tables(
        accounts=[account(devices=["D1"]), stood, blocked("b", devices=["D1"], valid_from=told)]
    )
    name = "blocked_by_devices_count_30d"
    assert described(con, datetime(2026, 2, 25, tzinfo=UTC))["a"][name] is None
    assert described(con, datetime(2026, 2, 26, tzinfo=UTC))["a"][name] == 1


def test_a_blocked_account_sees_earlier_blocks_only(tables: Open) -> None:
    """Otherwise a ring blocked in one go would teach the model that rings are known."""
    con = tables(accounts=ring(BLOCK, BLOCK, BLOCK + timedelta(days=1), None))
    ids = [f"r{n}" for n in range(4)]
    pairs = pl.DataFrame({"account_id": ids, "as_of": [AS_OF] * 4})
    found = features_at(con, pairs, signals=SIGNALS)["blocked_by_devices_count_30d"]
    assert found.to_list() == [None, None, 2, 3]


def test_whoever_is_unblocked_is_no_pattern_any_more(tables: Open) -> None:
    cleared = datetime(2026, 2, 26, 9, tzinfo=UTC)
    con = tables(
        accounts=[
            account(devices=["D1"]),
            blocked("b", devices=["D1"], valid_to=cleared),
            account("b", devices=["D1"], valid_from=cleared, status_since=cleared),
            blocked("z"),
        ]
    )
    name = "blocked_by_devices_count_30d"
    assert described(con, datetime(2026, 2, 26, tzinfo=UTC))["a"][name] == 1
    assert described(con)["a"][name] == 0


@pytest.mark.parametrize("reason", ["payment", "customer", None])
def test_blocks_for_other_reasons_are_no_patterns(tables: Open, reason: str | None) -> None:
    con = tables(
        accounts=[account(devices=["D1"]), blocked("b", devices=["D1"], status_reason=reason)]
    )
    assert described(con)["a"]["blocked_by_devices_count_30d"] is None


def test_accounts_left_out_are_neither_described_nor_used(tables: Open) -> None:
    con = tables(accounts=[*ring(None, BLOCK, BLOCK), account("o")])
    found = features_as_of(con, as_of=AS_OF, signals=SIGNALS, left_out=["r1", "o"])
    assert found["account_id"].to_list() == ["r0", "r2"]
    assert found["blocked_by_devices_count_30d"].to_list() == [1, None]


def texts(account_id: str, day: date, template: str, count: int) -> Row:
    return {
        "account_id": account_id, "message_date": day, "template_hash": template,
        "text_count": count, "counterpart_count": count, "link_count": 0,
    }  # fmt: skip


def test_templates_shared_with_blocked_accounts(tables: Open) -> None:
    con = tables(
        accounts=[account(), account("c"), blocked("b")],
        message_templates=[
            texts("b", date(2026, 2, 19), "t1", 5),
            texts("b", date(2026, 1, 19), "t3", 5),  # too long before its block
            texts("a", date(2026, 3, 1), "t1", 30),
            texts("a", date(2026, 3, 1), "t2", 8),
            texts("a", date(2026, 3, 1), "t3", 2),
            texts("c", date(2026, 3, 1), "t2", 10),
        ],
    )
    names = ("blocked_templates_count_30d", "blocked_template_text_share_30d")
    got = described(con)
    assert [got["a"][name] for name in names] == [1, 30 / 40]
    assert [got["c"][name] for name in names] == [0, 0]


def test_traces_hold_no_value(tables: Open) -> None:
    con = tables(
        calls_to("+4930111", "2026-02-19", account_id="b"),
        accounts=[blocked("b", devices=["D-SECRET"], email="x@mail.example")],
    )
    keys = trace_blocked(con).filter(pl.col("hop") > 0)["key"]
    assert len(keys) == 3
    assert all(keys.str.contains("^[0-9a-f]{12}$"))
