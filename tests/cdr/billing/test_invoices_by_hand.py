"""Invoices that a person can check: each rule, and rules together at their edges.

The deck: Germany 0.06 a minute by the second; United Kingdom 0.12 a minute by the minute,
0.05 for the connection. Periods are those of Berlin.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_books import DE, LATER, OURS, UK, books, call, read_csv, record_ids

import cdr
from cdr.billing.extract import extract
from cdr.billing.files import Format
from cdr.billing.periods import Period
from cdr.billing.rules import load_rules, parse_rules
from cdr.errors import FormatError, WrongUse
from cdr.imports import import_numbers

NOON = "2026-10-10 12:00:00"

# what the row says -> rule, seconds charged, amount; or the reason why there is no price
LINES: dict[str, tuple[str, tuple[str, str, str] | str | None]] = {
    "59.999 s by the minute": (call(1, NOON, "59.999"), ("outbound", "60", "0.170000")),
    "60.000 s by the minute": (call(2, NOON, "60.000"), ("outbound", "60", "0.170000")),
    "60.001 s by the minute": (call(3, NOON, "60.001"), ("outbound", "120", "0.290000")),
    "59.999 s by the second": (call(4, NOON, "59.999", DE), ("outbound", "60", "0.060000")),
    "1 ms by the second": (call(5, NOON, "0.001", DE), ("outbound", "1", "0.001000")),
    "unanswered": (call(6, NOON, "", outcome="busy"), None),
    "zero length": (call(7, NOON, "0"), None),
    "on-net": (call(8, NOON, "60", OURS), ("on_net", "", "0.000000")),
    "inbound": (call(9, NOON, "60", "+49301111111", direction="inbound"), None),
    "internal": (call(10, NOON, "60", OURS, direction="internal"), ("internal", "", "0.000000")),
    "toll-free out": (call(11, NOON, "60", "+498001234567"), ("toll_free", "", "0.000000")),
    "forwarded": (
        call(12, NOON, "60", "+49301111111", direction="inbound", forwarded_to=UK),
        ("forwarded", "60", "0.170000"),
    ),
    "forwarded on-net": (
        call(13, NOON, "60", "+49301111111", direction="inbound", forwarded_to=OURS),
        ("forwarded_on_net", "", "0.000000"),
    ),
    "toll-free in, no deck": (
        call(14, NOON, "60", "+498001234567", direction="inbound"),
        "no_deck",
    ),
    "emergency": (call(15, NOON, "60", "112"), ("emergency", "", "0.000000")),
    "no rate": (call(16, NOON, "60", "+33144567890"), "no_rate"),
    "no number": (call(17, NOON, "60", "alice"), "no_number"),
    "no account": (call(18, NOON, "60", account_id=""), "no_account"),
    "unknown account": (call(19, NOON, "60", account_id="stranger"), "account_unknown"),
    "as long as a time-out": (call(20, NOON, "10800"), "doubtful_length"),
}


@pytest.fixture
def billed(lake: cdr.Lake, tmp_path: Path, deck_of: Any, customers: None) -> Any:
    deck_of()

    def work_out(period: str = "2026-10") -> Path:
        out = tmp_path / "out"
        extract(lake, Period.parse(period), out, form=Format.CSV, now=LATER)
        return out

    return work_out


def test_legs_by_hand(lake: cdr.Lake, billed: Any, calls: Any) -> None:
    calls(*(row for row, _ in LINES.values()))
    out = billed()
    lines, unpriced = (read_csv(out / f"{name}.csv") for name in ("lines", "unpriced"))
    keys = {name: record_ids(lake, [f"r{n}"])[0].hex() for n, name in enumerate(LINES, start=1)}
    of_record = {key: name for name, key in keys.items()}
    found: dict[str, object] = dict.fromkeys(LINES)
    for row in lines.with_columns(pl.col("billed_s").fill_null("")).rows(named=True):
        found[of_record[row["record_id"]]] = (row["rule"], row["billed_s"], row["amount"])
    for row in unpriced.rows(named=True):
        found[of_record[row["record_id"]]] = row["reason"]
    assert found == {case: expected for case, (_, expected) in LINES.items()}


def test_an_invoice_by_hand(billed: Any, calls: Any) -> None:
    calls(
        call(1, "2026-10-01 08:00:00", "61", DE),  #           61 s       0.0610
        call(2, "2026-10-01 09:00:00", "61", UK),  #  0.05 + 2 minutes    0.2900
        call(3, "2026-10-02 09:00:00", "0.5", UK),  # 0.05 + 1 minute     0.1700
        call(4, "2026-10-02 10:00:00", "600", OURS),  #  in our network   0
        call(5, "2026-10-02 11:00:00", "", UK, outcome="no_answer"),  #   no line
        call(6, "2026-10-02 11:00:00", "30", DE, account_id="a2"),  #     0.0300
    )
    out = billed()
    by_account = read_csv(out / "totals_by_account.csv")
    assert by_account.select("account_id", "currency", "lines", "billed_s", "amount").rows() == [
        ("a1", "EUR", "4", "241", "0.521000"),
        ("a2", "EUR", "1", "30", "0.030000"),
    ]
    by_destination = read_csv(out / "totals_by_destination.csv")
    assert by_destination.select("prefix", "lines", "amount").rows() == [
        ("44", "2", "0.460000"),
        ("49", "2", "0.091000"),
        (None, "1", "0.000000"),
    ]
    assert read_csv(out / "totals.csv")["amount"].to_list() == ["0.551000"]


def test_the_period_ends_at_midnight_of_the_zone(billed: Any, calls: Any) -> None:
    calls(
        call(1, "2026-09-30 21:59:59.999"),  # 23:59:59.999 in Berlin: September
        call(2, "2026-09-30 22:00:00", "60"),  # 1 October, 00:00
        call(3, "2026-10-31 22:59:59.999", "7200"),  # 31 October, to 1 November: October
        call(4, "2026-10-31 23:00:00", "60"),  # 1 November
    )
    found = read_csv(billed() / "lines.csv")["started_local"].to_list()
    assert found == ["2026-10-01T00:00:00.000000+02:00", "2026-10-31T23:59:59.999000+01:00"]


def test_the_hour_that_occurs_twice_is_told_apart(billed: Any, calls: Any) -> None:
    calls(call(1, "2026-10-25 00:30:00", "60"), call(2, "2026-10-25 01:30:00", "60"))
    found = read_csv(billed() / "lines.csv")["started_local"].to_list()
    assert found == ["2026-10-25T02:30:00.000000+02:00", "2026-10-25T02:30:00.000000+01:00"]


def test_a_forwarded_call_is_paid_once_where_the_onward_leg_has_a_record(
    billed: Any, calls: Any
) -> None:
    held = {"direction": "inbound", "forwarded_to": UK}
    calls(
        call(1, "2026-10-10 23:59:59", "60", "+49301111111", **held),
        call(2, "2026-10-11 00:00:01", "58", UK, call_id="c1"),
    )
    assert read_csv(billed() / "lines.csv")["rule"].to_list() == ["outbound"]


def test_a_number_is_ours_only_while_an_account_holds_it(
    lake: cdr.Lake, billed: Any, calls: Any, tmp_path: Path
) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text(
        "account_id,number,valid_from,valid_to\n"
        "a2,+49303333333,2026-10-10T00:00:00Z,2026-10-20T00:00:00Z\n"
    )
    import_numbers(lake, file, now=LATER)
    calls(
        *(
            call(n, started, "60", "+49303333333")
            for n, started in enumerate(
                ("2026-10-09 23:59:59", "2026-10-10 00:00:00", "2026-10-19 23:59:59",
                 "2026-10-20 00:00:00")
            )
        )
    )  # fmt: skip
    found = read_csv(billed() / "lines.csv")["rule"].to_list()
    assert found == ["outbound", "on_net", "on_net", "outbound"]


def test_the_holder_of_a_toll_free_number_pays_by_the_deck_for_inbound_calls(
    billed: Any, deck_of: Any, calls: Any
) -> None:
    deck_of("prefix,rate_per_min,currency\n49800,0.03,EUR\n", name="inbound")
    calls(call(1, NOON, "90", "+498001234567", direction="inbound", caller=DE))
    found = read_csv(billed() / "lines.csv").select("account_id", "rule", "deck", "amount")
    assert found.rows() == [("a1", "toll_free_in", "inbound", "0.045000")]


def test_a_deck_change_during_a_call_does_not_count(billed: Any, deck_of: Any, calls: Any) -> None:
    header = "prefix,rate_per_min,valid_from,valid_to\n"
    deck_of(header + "44,0.12,,2026-10-15\n44,0.60,2026-10-15,\n", now=LATER)
    calls(
        call(1, "2026-10-14 21:59:59.999", "120"),  # 1 ms before midnight in Berlin
        call(2, "2026-10-14 22:00:00", "120"),
    )
    assert read_csv(billed() / "lines.csv")["amount"].to_list() == ["0.240000", "1.200000"]


def test_each_plan_has_its_deck_and_margins_come_from_the_deck_of_costs(
    lake: cdr.Lake, tmp_path: Path, deck_of: Any, calls: Any, customers: None
) -> None:
    header = "prefix,rate_per_min,currency\n"
    deck_of(name="retail")
    deck_of(header + "44,0.01,EUR\n", name="flat")
    deck_of(header + "44,0.03,EUR\n", name="wholesale")
    calls(call(1, NOON, "60"), call(2, NOON, "60", account_id="a2"))
    wished = books(tmp_path, plan_decks={"flat": "flat"}, cost_deck="wholesale")
    extract(wished, Period(2026, 10), tmp_path / "out", form=Format.CSV, now=LATER)
    found = read_csv(tmp_path / "out" / "totals_by_account.csv")
    assert found.select("account_id", "amount", "cost", "margin").rows() == [
        ("a1", "0.170000", "0.030000", "0.140000"),
        ("a2", "0.010000", "0.030000", "-0.020000"),
    ]


def test_rules_of_ones_own_decide() -> None:
    text = (
        "rule,direction,outcome,callee_type,on_net,forwarded,onward_leg,zero_length,flag,"
        "action,number,deck,why\n"
    )
    rules = parse_rules("own", text + "all,,,,,,,,,rate,callee,plan,\n")
    legs = pl.DataFrame(
        {
            "direction": ["inbound"], "outcome": ["busy"], "callee_type": [None],
            "on_net": [True], "forwarded": [False], "onward_leg": [False],
            "zero_length": [False], "flags": [["x"]],
        },
        schema_overrides={"callee_type": pl.String},
    )  # fmt: skip
    assert rules.decide(legs).row(0) == ("all", "rate", "callee", "plan")
    with pytest.raises(WrongUse, match=r"action is one of.*on_net is yes, no or empty"):
        parse_rules("own", text + "all,,,,maybe,,,,,charge,callee,plan,\n")
    with pytest.raises(FormatError, match="lack columns: direction"):
        parse_rules("own", "rule,action\nall,rate\n")
    with pytest.raises(FormatError, match="cannot be read"):
        load_rules("nowhere.csv")
