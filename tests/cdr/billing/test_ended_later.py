"""A call whose end came in another file is billed once it has it: in its month or later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_books import LATER, customers, deck_into, filled, read_csv

import cdr
from cdr.billing.extract import extract
from cdr.billing.files import Format
from cdr.billing.periods import Period
from cdr.billing.sealing import seal
from cdr.ingest import ingest
from cdr.settings import SourceSettings

OCTOBER, NOVEMBER = Period(2026, 10), Period(2026, 11)
PROXY = SourceSettings(format="opensips_acc", zone="UTC", country="DE")
HEADER = "method,from_tag,to_tag,callid,sip_code,time,from_uri,to_uri,account\n"
INVITE, BYE = (
    f"{said},sip:+49301111111@a.example,sip:+442079460000@b.example,a1\n"
    for said in ("INVITE,f,t,c,200,2026-10-30 22:59:30", "BYE,f,t,c,200,2026-10-30 23:01:00")
)


def fill(lake: cdr.Lake, folder: Path) -> None:
    customers(lake, folder)
    deck_into(lake, folder)()
    take_in(lake, folder, "1", INVITE)


@pytest.fixture
def open_call(shelf: Path, tmp_path: Path) -> cdr.Lake:
    """Give a lake with a call that nobody knows the end of."""
    return filled(shelf, "open call", tmp_path, fill)


def take_in(lake: cdr.Lake, folder: Path, name: str, row: str) -> None:
    file = folder / f"{name}.csv"
    file.write_text(HEADER + row)
    ingest(lake, [file], source_name="proxy", source=PROXY, now=LATER)


def lines(lake: cdr.Lake, folder: Path, period: Period) -> list[Any]:
    extract(lake, period, folder / str(period), form=Format.CSV, now=LATER)
    wanted = ("kind", "duration_ms", "amount")
    return read_csv(folder / str(period) / "lines.csv").select(wanted).rows()


def test_before_its_month_is_sealed_it_is_in_the_bill(open_call: cdr.Lake, tmp_path: Path) -> None:
    take_in(open_call, tmp_path, "2", BYE)
    # 90 s are two minutes of 0.12, and 0.05 for the connection
    assert lines(open_call, tmp_path, OCTOBER) == [("call", "90000", "0.290000")]


def test_after_its_month_is_sealed_it_is_a_late_call_of_the_next(
    open_call: cdr.Lake, tmp_path: Path
) -> None:
    seal(open_call, OCTOBER, now=LATER)
    assert lines(open_call, tmp_path, OCTOBER) == []  # a length that nobody knows is on no bill
    take_in(open_call, tmp_path, "2", BYE)
    assert lines(open_call, tmp_path, NOVEMBER) == [("late", "90000", "0.290000")]
    assert lines(open_call, tmp_path / "again", OCTOBER) == []
