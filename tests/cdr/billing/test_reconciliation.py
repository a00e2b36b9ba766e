"""Reconciliation: what each side lacks, with the money, on a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_books import (
    LATER,
    UK,
    call,
    calls_into,
    customers,
    deck_into,
    filled,
)

import cdr
from cdr.billing.carrier import reconcile_carrier
from cdr.billing.matching import match_calls
from cdr.billing.periods import Period
from cdr.billing.reconciliation import Reconciliation, write_reconciliation
from cdr.billing.sealing import seal
from cdr.billing.switch_totals import reconcile_switch
from cdr.errors import WrongUse

HEADER = "callee,started_at,duration_s,amount,currency\n"


def calls_of(*rows: tuple[str, int, int]) -> pl.DataFrame:
    """Return calls: number, begin in s, length in s."""
    return pl.DataFrame(
        [(number, at * 1_000_000, length * 1000) for number, at, length in rows],
        schema={"number": pl.String, "started_at": pl.Int64, "duration_ms": pl.Int64},
        orient="row",
    ).with_columns(pl.col("started_at").cast(pl.Datetime("us", "UTC")))


def pairs(ours: pl.DataFrame, theirs: pl.DataFrame) -> list[Any]:
    found = match_calls(ours, theirs, start_tolerance_s=5, length_tolerance_s=1)
    return found.select("ours", "theirs", "status").rows()


def test_calls_within_tolerances_are_pairs_and_each_only_once() -> None:
    ours = calls_of(("+1", 100, 60), ("+1", 103, 60), ("+2", 100, 60), ("+3", 100, 60))
    theirs = calls_of(("+1", 102, 60), ("+2", 106, 60), ("+3", 105, 62), ("+4", 0, 1))
    assert pairs(ours, theirs) == [
        (0, None, "only_ours"),
        (1, 0, "matched"),  # nearer than the first
        (2, None, "only_ours"),  # 6 s apart
        (3, 2, "length_differs"),  # 5 s apart, 2 s longer
        (None, 1, "only_theirs"),
        (None, 3, "only_theirs"),
    ]


a_call = st.tuples(st.sampled_from(["+1", "+2"]), st.integers(0, 20), st.integers(1, 4))


@given(st.lists(a_call, max_size=12), st.lists(a_call, max_size=12))
def test_every_call_is_in_one_row_and_no_pair_is_left(ours: list[Any], theirs: list[Any]) -> None:
    found = pairs(calls_of(*ours), calls_of(*theirs))
    assert sorted(row[0] for row in found if row[0] is not None) == list(range(len(ours)))
    assert sorted(row[1] for row in found if row[1] is not None) == list(range(len(theirs)))
    alone = [ours[a] for a, b, _ in found if b is None and a is not None]
    others = [theirs[b] for a, b, _ in found if a is None and b is not None]
    assert not [(x, y) for x in alone for y in others if x[0] == y[0] and abs(x[1] - y[1]) <= 5]


def fill(lake: cdr.Lake, folder: Path) -> None:
    customers(lake, folder)
    deck_into(lake, folder)()
    calls_into(lake, folder)(
        call(1, "2026-10-01 08:00:00", "60"),
        call(2, "2026-10-01 09:00:00", "60"),
        call(3, "2026-10-01 10:00:00", "60"),
        call(4, "2026-10-01 11:00:00", "60"),
        call(5, "2026-10-01 09:30:00", "60", direction="inbound"),
    )


@pytest.fixture
def october(shelf: Path, tmp_path: Path) -> cdr.Lake:
    return filled(shelf, "reconciliation", tmp_path, fill)


def compared(lake: cdr.Lake, folder: Path, rows: str) -> Reconciliation:
    file = folder / "carrier.csv"
    file.write_text(HEADER + rows)
    return reconcile_carrier(lake, file, deck="retail", zone="UTC")


def test_a_carrier_is_compared_call_by_call_with_the_money(
    october: cdr.Lake, tmp_path: Path
) -> None:
    found = compared(
        october,
        tmp_path,
        "+442079460000,2026-10-01 08:00:02,60,0.17,EUR\n"  # agrees
        "00442079460000,2026-10-01T11:00:00+02:00,60.9,0.20,EUR\n"  # dearer than the deck
        "44 20 7946 0000,2026-10-01 10:00:00,120,0.29,EUR\n"  # longer
        "+33144567890,2026-10-01 11:00:00,60,1.00,EUR\n"  # we have no such call
        "alice,2026-10-01 11:00:00,60,1.00,EUR\n",
    )
    assert found.differences.select("status", "our_amount", "their_amount", "difference").rows(
    ) == [
        ("matched", _d("0.17"), _d("0.20"), _d("0.03")),
        ("length_differs", _d("0.17"), _d("0.29"), _d("0.12")),
        ("only_ours", _d("0.17"), None, None),
        ("only_theirs", None, _d("1.00"), None),
    ]  # fmt: skip
    assert found.unreadable.rows() == [(6, ["callee_not_a_number"])]
    page = write_reconciliation(found, tmp_path / "out")[0].read_text()
    assert "4 differences, 1 rows of the file not understood" in page
    assert "<td>only theirs" in page.replace("only_theirs", "only theirs")
    assert (tmp_path / "out" / "differences.csv").read_bytes().count(b"\r\n") == 5


def _d(text: str) -> Any:
    return pl.Series([text]).cast(pl.Decimal(18, 6))[0]


def test_a_carrier_that_agrees_agrees(october: cdr.Lake, tmp_path: Path) -> None:
    rows = "".join(f"{UK},2026-10-01 {h:02d}:00:00,60,0.17,EUR\n" for h in (8, 9, 10, 11))
    found = compared(october, tmp_path, rows)
    assert found.agrees
    assert "They agree." in write_reconciliation(found, tmp_path / "out")[0].read_text()


def test_a_file_without_a_readable_call_is_refused(october: cdr.Lake, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="no call that can be read"):
        compared(october, tmp_path, "alice,never,x,,\n")


def test_totals_of_a_switch_are_compared_by_day(
    october: cdr.Lake, calls: Any, tmp_path: Path
) -> None:
    calls(call(6, "2026-10-02 22:30:00", "10"))  # 3 October in Berlin
    seal(october, Period(2026, 10), now=LATER)
    file = tmp_path / "totals.csv"
    file.write_text(
        "date,calls,duration_s\n2026-10-01,7,420\n2026-10-02,1,5\nyesterday,1,1\n2026-10-04,0,0\n"
    )
    found = reconcile_switch(october, file, zone="Europe/Berlin")
    assert found.differences.select("date", "status", "calls_gap", "money").rows() == [
        (_day(1), "count_differs", 2, _d("0.272")),  # 0.68 over 5 answered legs, twice
        (_day(2), "only_theirs", 1, None),
        (_day(3), "only_ours", -1, _d("0.17")),
        (_day(4), "only_theirs", 0, None),
    ]
    assert found.unreadable.rows() == [(4, ["date_not_understood"])]
    assert "count_differs" in write_reconciliation(found, tmp_path / "out")[0].read_text()


def _day(number: int) -> Any:
    return pl.Series([f"2026-10-{number:02d}"]).str.to_date()[0]
