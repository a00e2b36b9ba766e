"""Calls that a rule holds are billed once a person says so, and sealed periods stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_books import LATER, call, calls_into, customers, deck_into, filled, read_csv

import cdr
from cdr.billing.extract import extract
from cdr.billing.files import Format
from cdr.billing.periods import Period
from cdr.billing.release import release
from cdr.billing.sealing import seal
from cdr.billing.verify import verify
from cdr.errors import WrongUse

OCTOBER, NOVEMBER = Period(2026, 10), Period(2026, 11)


def fill(lake: cdr.Lake, folder: Path) -> None:
    customers(lake, folder)
    deck_into(lake, folder)()
    calls_into(lake, folder)(
        call(1, "2026-10-01 08:00:00", "10800"),  # as long as the switch's time-out: held
        call(2, "2026-10-02 08:00:00", "60"),
    )


@pytest.fixture
def books(shelf: Path, tmp_path: Path) -> cdr.Lake:
    """Have an October of a held call and a plain one."""
    return filled(shelf, "release", tmp_path, fill)


def files(lake: cdr.Lake, folder: Path, period: Period) -> tuple[Any, Any]:
    extract(lake, period, folder / str(period), form=Format.CSV, now=LATER)
    return tuple(read_csv(folder / str(period) / f"{name}.csv") for name in ("lines", "unpriced"))


def test_a_released_call_is_billed_as_it_is(books: cdr.Lake, tmp_path: Path) -> None:
    _, held = files(books, tmp_path, OCTOBER)
    assert held["reason"].to_list() == ["doubtful_length"]
    assert release(books, OCTOBER, held["record_id"].to_list(), why="customer agrees", now=LATER)
    lines, held = files(books, tmp_path, OCTOBER)
    assert held.is_empty()
    assert lines["amount"].to_list() == ["21.650000", "0.170000"]  # 0.05 + 180 * 0.12


def test_twice_is_once(books: cdr.Lake, tmp_path: Path) -> None:
    keys = files(books, tmp_path, OCTOBER)[1]["record_id"].to_list()
    assert [release(books, OCTOBER, keys, why="agreed", now=LATER) for _ in range(2)] == [1, 0]


def test_after_the_seal_it_is_a_late_line_and_the_seal_still_verifies(
    books: cdr.Lake, tmp_path: Path
) -> None:
    keys = files(books, tmp_path, OCTOBER)[1]["record_id"].to_list()
    seal(books, OCTOBER, now=LATER)
    release(books, OCTOBER, keys, why="customer agrees", now=LATER)
    assert verify(books, OCTOBER).agrees
    lines, _ = files(books, tmp_path, NOVEMBER)
    assert lines.select("kind", "amount").rows() == [("late", "21.650000")]
    seal(books, NOVEMBER, now=LATER)
    assert files(books, tmp_path, Period(2026, 12))[0].is_empty()


@pytest.mark.parametrize(
    ("keys", "why", "says"),
    [
        pytest.param(["00" * 16], "agreed", "no call of 2026-10", id="no-such-call"),
        pytest.param(["xyz"], "agreed", "32 hex digits", id="no-key"),
        pytest.param(["00" * 16], " ", "say why", id="no-reason"),
    ],
)
def test_what_cannot_be_released_says_so(
    books: cdr.Lake, keys: list[str], why: str, says: str
) -> None:
    with pytest.raises(WrongUse, match=says):
        release(books, OCTOBER, keys, why=why, now=LATER)


def test_a_call_that_is_not_held_is_refused(books: cdr.Lake, tmp_path: Path) -> None:
    lines, _ = files(books, tmp_path, OCTOBER)
    with pytest.raises(WrongUse, match="no call of 2026-10 that a rule holds"):
        release(books, OCTOBER, lines["record_id"].to_list(), why="agreed", now=LATER)
