"""Sealed periods: fixed, and what comes after is an adjustment that says what it corrects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from small_books import (
    LATER,
    books,
    call,
    calls_into,
    customers,
    deck_into,
    filled,
    read_csv,
    record_ids,
)

import cdr
from cdr.billing.extract import extract
from cdr.billing.files import Format
from cdr.billing.ledger import withdraw
from cdr.billing.periods import Period
from cdr.billing.sealing import seal
from cdr.billing.tables import LINES
from cdr.errors import WrongUse
from cdr.imports import import_numbers
from cdr.reassign import compare, reassign
from cdr.settings import SourceSettings

CALLER = "+49301111111"
OCTOBER, NOVEMBER, DECEMBER = Period(2026, 10), Period(2026, 11), Period(2026, 12)


def fill(lake: cdr.Lake, folder: Path) -> None:
    customers(lake, folder)
    deck_into(lake, folder)()
    calls_into(lake, folder)(
        call(1, "2026-10-01 08:00:00", "60"),
        call(2, "2026-10-02 09:00:00", "60", "+33144567890"),
    )
    seal(lake, OCTOBER, now=LATER)


@pytest.fixture
def october(shelf: Path, tmp_path: Path) -> cdr.Lake:
    """Seal an October of two calls: one priced, one without a rate."""
    return filled(shelf, "sealing", tmp_path, fill)


def lines(lake: cdr.Lake, folder: Path, period: Period = NOVEMBER) -> list[Any]:
    extract(lake, period, folder / "out", form=Format.CSV, now=LATER)
    return read_csv(folder / "out" / "lines.csv").select("kind", "corrects", "amount").rows()


def test_a_late_call_is_billed_in_the_next_period(
    october: cdr.Lake, calls: Any, tmp_path: Path
) -> None:
    calls(call(3, "2026-10-31 08:00:00", "60"))
    assert lines(october, tmp_path) == [("late", None, "0.170000")]


def test_a_correction_undoes_its_line_and_replaces_it(
    october: cdr.Lake, calls: Any, tmp_path: Path
) -> None:
    calls(call(1, "2026-10-01 08:00:00", "61"))
    assert lines(october, tmp_path) == [
        ("reversal", "2026-10/1", "-0.170000"),
        ("replacement", "2026-10/1", "0.290000"),
    ]


def test_a_call_that_moves_to_another_account_is_undone_for_one_and_billed_to_the_other(
    october: cdr.Lake, tmp_path: Path
) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text(
        "account_id,number,valid_from,valid_to\n"
        f"a1,{CALLER},,2026-10-01T00:00:00Z\na2,{CALLER},2026-10-01T00:00:00Z,\n"
    )
    import_numbers(october, file, now=LATER)
    source = SourceSettings(format="plain_csv", zone="UTC", country="DE", account_from="number")
    days = compare(october, {"s": source}, moved=True).days
    assert reassign(october, {"s": source}, days, now=LATER, moved=True) == 2
    assert lines(october, tmp_path) == [
        ("reversal", "2026-10/1", "-0.170000"),
        ("replacement", "2026-10/1", "0.170000"),
    ]
    written = read_csv(tmp_path / "out" / "lines.csv")
    assert written["account_id"].to_list() == ["a1", "a2"]


def test_a_call_corrected_to_unanswered_is_only_undone(
    october: cdr.Lake, calls: Any, tmp_path: Path
) -> None:
    calls(call(1, "2026-10-01 08:00:00", "", outcome="busy"))
    assert lines(october, tmp_path) == [("reversal", "2026-10/1", "-0.170000")]


def test_an_erased_call_is_undone_and_never_billed_again(
    october: cdr.Lake, calls: Any, tmp_path: Path
) -> None:
    erase(october, "r1")
    assert lines(october, tmp_path) == [("reversal", "2026-10/1", "-0.170000")]
    seal(october, NOVEMBER, now=LATER)
    calls(call(1, "2026-10-01 08:00:00", "99"))
    assert lines(october, tmp_path / "december", DECEMBER) == []


def test_a_call_without_a_rate_is_billed_once_there_is_one(
    october: cdr.Lake, deck_of: Any, tmp_path: Path
) -> None:
    assert lines(october, tmp_path) == []
    deck_of("prefix,rate_per_min\n33,0.30\n44,9\n", now=LATER)
    assert lines(october, tmp_path) == [("late", "2026-10/2", "0.300000")]
    seal(october, NOVEMBER, now=LATER)
    assert lines(october, tmp_path / "december", DECEMBER) == []


def test_what_is_no_correction_makes_no_line(october: cdr.Lake, calls: Any, tmp_path: Path) -> None:
    calls(call(1, "2026-10-01 08:00:00", "60"))  # a duplicate
    calls(call(1, "2026-10-01 08:00:00", "60", call_id="other"))  # nothing that is billed
    calls(call(4, "2026-10-31 08:00:00", "", outcome="busy"))  # late, and free
    assert lines(october, tmp_path) == []


def test_adjustments_come_in_the_next_period_and_in_no_other(
    october: cdr.Lake, calls: Any, tmp_path: Path
) -> None:
    calls(call(3, "2026-10-31 08:00:00", "60"))
    assert lines(october, tmp_path, DECEMBER) == []
    seal(october, NOVEMBER, now=LATER)
    assert lines(october, tmp_path / "november") == [("late", None, "0.170000")]
    assert lines(october, tmp_path / "december", DECEMBER) == []


def test_a_sealed_period_again_changes_nothing(october: cdr.Lake, calls: Any) -> None:
    before = october.scan(LINES).collect()
    calls(call(3, "2026-10-31 08:00:00", "60"))
    standing, fresh = seal(october, OCTOBER, now=LATER)
    assert not fresh
    assert standing.sealed_at == LATER
    assert october.scan(LINES).collect().equals(before)


def test_periods_are_sealed_one_after_the_other(october: cdr.Lake) -> None:
    with pytest.raises(WrongUse, match="next is 2026-11"):
        seal(october, DECEMBER, now=LATER)
    with pytest.raises(WrongUse, match="before the first sealed"):
        seal(october, Period(2026, 9), now=LATER)
    with pytest.raises(WrongUse, match="not over yet"):
        seal(october, Period(2027, 6), now=LATER)


def test_another_zone_after_sealing_is_refused(october: cdr.Lake, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="billed twice or never"):
        seal(books(tmp_path, zone="UTC"), NOVEMBER, now=LATER)


# -- a year, at random ---------------------------------------------------------------------

EVENT = st.tuples(
    st.integers(1, 12),  # month in which it arrives
    st.integers(0, 11),  # months that the call is older
    st.integers(0, 7),  # which call
    st.sampled_from(["answered", "answered", "answered", "busy", "erased"]),
    st.integers(1, 200),  # seconds
)


def a_year(folder: Path, events: list[Any], months: int) -> tuple[cdr.Lake, dict[str, int]]:
    """Let months pass; return the lake and what each call is worth in the end, in micro."""
    lake = books(folder)
    customers(lake, folder)
    deck_into(lake, folder)()
    take_in = calls_into(lake, folder)
    seal(lake, Period(2025, 12), now=LATER)
    worth: dict[str, int] = {}
    seen: set[tuple[str, str]] = set()
    gone: set[str] = set()
    for month in range(1, months + 1):
        rows: list[str] = []
        for _, older, number, fate, seconds in (e for e in events if e[0] == month):
            of = max(1, month - older)
            name = f"r{100 * of + number}"
            if fate == "erased":
                take_in(*rows) if rows else None
                rows.clear()
                erase(lake, name)
                gone |= {name} & worth.keys()
                continue
            length = str(seconds) if fate == "answered" else ""
            started = f"2026-{of:02d}-15 12:00:0{number}"
            rows.append(call(100 * of + number, started, length, outcome=fate))
            if (name, length) not in seen:  # what was read before is a duplicate for ever
                seen.add((name, length))
                minutes = -(-seconds // 60)
                worth[name] = 50_000 + 120_000 * minutes if length else 0
        take_in(*rows) if rows else None
        seal(lake, Period(2026, month), now=LATER)
    seal(lake, Period(2026, months).next(), now=LATER)
    return lake, {name: micro for name, micro in worth.items() if micro and name not in gone}


def erase(lake: cdr.Lake, name: str) -> None:
    with lake.batch() as batch, lake.writing():
        withdraw(batch, record_ids(lake, [name]), reason="erased", now=LATER)
        batch.publish()


def adds_up(folder: Path, events: list[Any], months: int = 12) -> None:
    lake, worth = a_year(folder, events, months)
    entries = lake.scan(LINES).collect()
    names = lake.calls().select("record_id", "source_record_id").collect()
    of_call = entries.join(names, on="record_id").group_by("source_record_id")
    amounts = of_call.agg(pl.col("amount").sum()).iter_rows()
    assert {name: int(amount * 10**6) for name, amount in amounts if amount} == worth
    lines = set(entries.select(pl.format("{}/{}", "period", "line")).to_series())
    assert set(entries["corrects"].drop_nulls()) <= lines
    undone = (pl.col("kind") == "reversal").sum().cast(pl.Int64)
    standing = of_call.agg(pl.len().cast(pl.Int64) - 2 * undone)
    assert set(standing["len"]) <= {0, 1}


@pytest.mark.slow
@settings(max_examples=1, phases=[Phase.generate])
@given(st.lists(EVENT, min_size=100, max_size=120))
def test_a_call_is_billed_once_over_a_season(
    tmp_path_factory: pytest.TempPathFactory, events: list[Any]
) -> None:
    adds_up(tmp_path_factory.mktemp("season"), events, months=3)


@pytest.mark.large
@settings(max_examples=20)
@given(st.lists(EVENT, min_size=1, max_size=120))
def test_a_call_is_billed_once_over_many_years(
    tmp_path_factory: pytest.TempPathFactory, events: list[Any]
) -> None:
    adds_up(tmp_path_factory.mktemp("year"), events)
