"""While a legal hold is in force nothing that it covers goes; afterwards it goes as if none was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from few_people import ADA, BOB, CARL
from kept_rows import NOW, ago, call, lake_in, names, put, put_calls

import cdr
import cdr.billing.tables
import fraud.tables  # noqa: F401 (its tables are looked at)
from cdr.errors import SettingsError, WrongUse
from cdr.privacy.books import HOLDS
from cdr.privacy.columns import searched
from cdr.privacy.erasure import erase_from, left_in
from cdr.privacy.holds import add_hold, end_hold, holds, holds_in_force
from cdr.privacy.identifiers import identifiers_of
from cdr.privacy.purposes import kept_rows_of
from cdr.privacy.requests import Person
from cdr.privacy.retention import retain, standing_of
from cdr.schema import CALLS, DIRECT, KEPT_FOR, REJECTS, TABLES, Purpose

ORDER = "order 12 Js 34/26"


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    return lake_in(tmp_path)


@pytest.mark.parametrize(
    ("person", "left"),
    [
        (Person("account", "a1"), ["of_a1"]),
        (Person("number", BOB), ["names_bob"]),
        (Person("number", ADA), []),
    ],
    ids=["account", "number", "somebody-else"],
)
def test_what_is_held_stays_and_goes_once_the_hold_ended(
    lake: cdr.Lake, person: Person, left: list[str]
) -> None:
    put_calls(lake, call("of_a1", 900, caller_number=CARL),
              call("names_bob", 900, "busy", account_id="a2", caller_number=CARL,
                   callee_number=BOB))  # fmt: skip
    hold = add_hold(lake, person, ground=ORDER, until=None, now=ago(1))
    retain(lake, now=NOW)
    assert names(lake) == left
    end_hold(lake, hold.hold_id[:8], why="closed", now=NOW)
    retain(lake, now=NOW)
    assert names(lake) == []


def test_a_record_set_aside_that_holds_a_held_number_stays(lake: cdr.Lake) -> None:
    raws = ("x,030 987 6543,broken", "x,030 1234567,broken")
    put(lake, REJECTS, [{"raw": raw, "reasons": ["r"], "ingested_at": ago(99)} for raw in raws])
    add_hold(lake, Person("number", BOB), ground=ORDER, until=None, now=ago(1))
    retain(lake, now=NOW)
    assert lake.scan(REJECTS).collect()["raw"].to_list() == [raws[0]]


def test_a_hold_ends_on_its_day_and_is_respected_as_long_as_the_setting_says(
    tmp_path: Path,
) -> None:
    lake = lake_in(tmp_path, retention={"ended_hold_days": 10})
    add_hold(lake, Person("account", "a1"), ground=ORDER, until=NOW, now=ago(1))
    in_force = [bool(holds_in_force(lake, as_of=NOW + timedelta(days=n))) for n in (0, 9, 10)]
    assert in_force == [True, True, False]


def test_a_hold_needs_a_ground_a_day_to_come_and_an_end_its_reason(lake: cdr.Lake) -> None:
    who = Person("account", "a1")
    with pytest.raises(WrongUse, match="--ground"):
        add_hold(lake, who, ground=" ", until=None, now=NOW)
    with pytest.raises(WrongUse, match="--until"):
        add_hold(lake, who, ground=ORDER, until=NOW, now=NOW)
    hold = add_hold(lake, who, ground=ORDER, until=None, now=NOW)
    with pytest.raises(WrongUse, match="--why"):
        end_hold(lake, hold.hold_id, why="", now=NOW)
    with pytest.raises(WrongUse, match="no holds in force"):
        end_hold(lake, "f" * 32, why="closed", now=NOW)


def test_an_ended_hold_is_shown_until_its_own_period_is_over(lake: cdr.Lake) -> None:
    hold = add_hold(lake, Person("account", "a1"), ground=ORDER, until=None, now=ago(1200))
    end_hold(lake, hold.hold_id, why="closed", now=ago(1094))
    retain(lake, now=NOW)
    assert holds(lake).select("ground", "ended_why").rows() == [(ORDER, "closed")]
    retain(lake, now=NOW + timedelta(days=2))
    assert lake.scan(HOLDS).collect().is_empty()


def test_an_erasure_leaves_rows_that_name_somebody_who_is_held(people: cdr.Lake) -> None:
    """Ada called Bob in `busy`; Bob's number is held, so that call stays, for the hold alone."""
    hold = add_hold(people, Person("number", BOB), ground=ORDER, until=None, now=ago(1))
    who = identifiers_of(people, Person("account", "ada-1"))
    standing = replace(standing_of(people, now=NOW), billed=("ada-1",))
    erase_from(people, CALLS, who, standing, thoroughly=True)
    busy = people.calls().filter(source_record_id="busy").collect().row(0, named=True)
    assert (busy["account_id"], busy["caller_raw"], busy["kept_for"]) == (
        "ada-1", "030 1234567", "hold",
    )  # fmt: skip
    left = left_in(people, CALLS, who, standing)
    assert (left.over, left.obliged, left.held) == ({}, 3, 2)  # those: busy and bob_missed

    def seen(purpose: Purpose) -> set[str]:
        rows = kept_rows_of(purpose, CALLS)
        view = people.views(purpose)["calls"]
        found = pl.from_arrow((view.filter(rows) if rows is not None else view).to_table())  # type: ignore[union-attr]
        return set(found["source_record_id"])  # type: ignore[call-overload]

    assert {p.value for p in Purpose if p is not Purpose.SECURITY and "busy" in seen(p)} == {
        "rights"
    }
    end_hold(people, hold.hold_id, why="closed", now=NOW)
    retain(people, now=NOW)
    assert "busy" not in names(people)


def test_a_hold_in_the_settings_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "callsieve.toml"
    file.write_text('[retention]\nlegal_holds = ["a1"]\n')
    with pytest.raises(SettingsError, match="lay each hold with `callsieve retention hold add"):
        cdr.load_settings(file)


def test_only_numbers_of_accounts_and_bills_are_seen_in_tables_without_a_mark_for_holds() -> None:
    """An own number under a hold forbids the erasure; what is on a bill the law keeps.

    Keys are hashes: no hold on a number covers them.
    """
    others = [purpose for purpose in Purpose if purpose is not Purpose.RIGHTS]
    seen = {
        f"{table.name}.{field.name}"
        for table in TABLES.values()
        if KEPT_FOR not in table.fields
        for field in searched(table)
        if field.personal is DIRECT and any(field.name in table.columns_of(p) for p in others)
    }
    assert seen <= {
        "account_numbers.number", "billing_lines.caller_number", "billing_lines.number",
        "account_day_keys.key", "blocked_traces.key",
    }  # fmt: skip
