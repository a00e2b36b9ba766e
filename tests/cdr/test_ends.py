"""A call whose BYE stands in another file ends when both are there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import cdr
from cdr.ingest import ingest
from cdr.lake.verify import verify
from cdr.schema import CALL_HISTORY, INGESTS, REJECTS
from cdr.settings import SourceSettings

NOW = datetime(2026, 9, 3, tzinfo=UTC)
PROXY = SourceSettings(format="opensips_acc", zone="UTC", country="DE", max_call_s=7200)
HEADER = "method,from_tag,to_tag,callid,sip_code,time,from_uri,to_uri"
OPEN = ["missing_bye", "start_at_answer", "no_account"]
DONE = ["start_at_answer", "no_account"]
CUT = [*DONE, "suspect_duration"]


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)


def row(said: str) -> str:
    """Write a row from method, from tag, to tag, call id and time, `dThh:mm:ss` in September."""
    method, one, other, callid, time = said.split()
    ends = "sip:+4930901820@a.example,sip:+442079460018@b.example"
    return f"{method},{one},{other},{callid},200,2026-09-0{time},{ends}"


def take_in(lake: cdr.Lake, tmp_path: Path, name: str, *rows: str) -> None:
    file = tmp_path / name
    file.write_text("\n".join((HEADER, *map(row, rows))) + "\n")
    ingest(lake, [file], source_name="proxy", source=PROXY, now=NOW)


def calls_of(lake: cdr.Lake) -> list[tuple[object, ...]]:
    """Return start, length in seconds and flags of each call, in order of their starts."""
    calls = lake.calls().sort("started_at").collect()
    length = pl.col("duration_ms") // 1000
    return calls.select(pl.col("started_at").dt.to_string("%H:%M"), length, "flags").rows()


INVITE = "INVITE f t c 1T23:50:00"
BYE = "BYE t f c 2T00:10:00"  # sent by the one who was called


@pytest.mark.parametrize("order", [(INVITE, BYE), (BYE, INVITE)], ids=["in-order", "bye-first"])
def test_a_bye_in_another_file_ends_its_call(
    lake: cdr.Lake, tmp_path: Path, order: tuple[str, str]
) -> None:
    for number, said in enumerate(order):
        take_in(lake, tmp_path, f"{number}.csv", said)

    assert calls_of(lake) == [("23:50", 1200, DONE)]
    before = lake.scan(CALL_HISTORY).collect()
    assert before.select("duration_ms", "flags").rows() == [(None, OPEN)]
    ledger = lake.scan(INGESTS).collect().filter(state="ended_later")
    assert ledger.select("read", "corrected").rows() == [(1, 1)]
    assert lake.scan(REJECTS).select("explained_at", "reasons").collect().rows() == [
        (NOW, ["bye_without_invite"])
    ]
    assert verify(lake).faults == ()


def test_the_file_without_the_end_again_leaves_the_end(lake: cdr.Lake, tmp_path: Path) -> None:
    take_in(lake, tmp_path, "1.csv", INVITE)
    take_in(lake, tmp_path, "2.csv", BYE)
    take_in(lake, tmp_path, "3.csv", INVITE, "INVITE f t other 1T23:55:00")
    assert calls_of(lake) == [("23:50", 1200, DONE), ("23:55", None, OPEN)]


SAID_AGAIN = ("2.csv", INVITE)
WHOLE = ("1.csv", INVITE, BYE)


@pytest.mark.parametrize(
    "order", [(WHOLE, SAID_AGAIN), (SAID_AGAIN, WHOLE)], ids=["in-order", "whole-last"]
)
def test_an_answer_that_is_said_again_a_day_later_takes_no_end_away(
    lake: cdr.Lake, tmp_path: Path, order: tuple[tuple[str, ...], ...]
) -> None:
    for name, *rows in order:
        take_in(lake, tmp_path, name, *rows)
    assert calls_of(lake) == [("23:50", 1200, DONE)]
    assert verify(lake).faults == ()


def test_of_files_of_one_run_the_one_with_the_end_counts(lake: cdr.Lake, tmp_path: Path) -> None:
    files = []
    for name, *rows in (SAID_AGAIN, WHOLE, ("3.csv", INVITE, "INVITE f t other 1T23:55:00")):
        files.append(tmp_path / name)
        files[-1].write_text("\n".join((HEADER, *map(row, rows))) + "\n")
    report = ingest(lake, files, source_name="proxy", source=PROXY, now=NOW)
    assert calls_of(lake) == [("23:50", 1200, DONE), ("23:55", None, OPEN)]
    fates = [(file.accepted, file.duplicate, file.corrected) for file in report.files]
    assert fates == [(0, 1, 0), (2, 0, 0), (1, 1, 0)]  # in rows
    assert verify(lake).faults == ()


def test_both_in_one_file_later_correct_what_was_put_together(
    lake: cdr.Lake, tmp_path: Path
) -> None:
    take_in(lake, tmp_path, "1.csv", INVITE)
    take_in(lake, tmp_path, "2.csv", BYE)
    take_in(lake, tmp_path, "both.csv", INVITE, BYE)
    assert calls_of(lake) == [("23:50", 1200, DONE)]
    assert lake.scan(CALL_HISTORY).collect().height == 2
    assert verify(lake).faults == ()


@pytest.mark.parametrize(
    ("rows", "bye", "found"),
    [
        pytest.param((INVITE,), "BYE f t c 1T23:49:00", [("23:50", None, OPEN)], id="before-it"),
        pytest.param(("INVITE f t c 2T00:05:00",), "BYE f t c 3T00:10:00",
                     [("00:05", None, OPEN)], id="too-late"),
        pytest.param((INVITE,), "BYE f x c 2T00:10:00", [("23:50", None, OPEN)], id="other-tag"),
        pytest.param((INVITE,), "BYE f t c 2T01:50:00",
                     [("23:50", 7200, CUT)], id="at-the-maximum"),
        pytest.param((INVITE, "INVITE f t c 1T23:58:00"), BYE, [("23:50", 1200, DONE)],
                     id="invited-again"),
    ],
)  # fmt: skip
def test_a_bye_ends_no_call_but_its_own(
    lake: cdr.Lake, tmp_path: Path, rows: tuple[str, ...], bye: str, found: list[object]
) -> None:
    take_in(lake, tmp_path, "1.csv", *rows)
    take_in(lake, tmp_path, "2.csv", bye)
    assert calls_of(lake) == found


def test_a_repeated_bye_does_not_end_an_earlier_call_of_the_same_ends(
    lake: cdr.Lake, tmp_path: Path
) -> None:
    take_in(lake, tmp_path, "1.csv", INVITE)  # its own BYE was lost
    take_in(lake, tmp_path, "2.csv", "INVITE f t c 2T00:20:00", "BYE f t c 2T00:21:00")
    take_in(lake, tmp_path, "3.csv", "BYE f t c 2T00:21:01")
    assert calls_of(lake) == [("23:50", None, OPEN), ("00:20", 60, DONE)]


BEFORE_MIDNIGHT = (
    "CANCEL f t cancelled 200 1T23:59:58",
    "INVITE f t then-cancel 487 1T23:59:57",
    "INVITE f t repeated 487 1T23:59:59",
    "INVITE f t two-places 408 1T23:59:56",
    "INVITE f t too-late 486 1T23:56:00",
    "INVITE f t other-caller 480 1T23:59:55",
)
AFTER_MIDNIGHT = (
    "INVITE f t cancelled 487 2T00:00:01",
    "CANCEL f t then-cancel 200 2T00:00:01",
    "INVITE f t repeated 487 2T00:00:00",
    "INVITE f u two-places 486 2T00:00:20",
    "INVITE f u too-late 486 2T00:00:21",
    "INVITE g u other-caller 480 2T00:00:22",
)
ATTEMPTS = [
    ("cancelled", "00:00:01", "cancelled"),
    ("other-caller", "00:00:22", "no_answer"),
    ("other-caller", "23:59:55", "no_answer"),
    ("repeated", "00:00:00", "cancelled"),
    ("then-cancel", "23:59:57", "cancelled"),
    ("too-late", "00:00:21", "busy"),
    ("too-late", "23:56:00", "busy"),
    ("two-places", "00:00:20", "busy"),
]


def code_row(said: str) -> str:
    """Write a row from method, from tag, to tag, call id, code and time."""
    method, one, other, callid, code, time = said.split()
    return row(f"{method} {one} {other} {callid} {time}").replace(",200,", f",{code},")


@pytest.mark.parametrize("turned", [False, True], ids=["in-order", "later-first"])
def test_an_attempt_over_two_files_is_what_it_is_in_one(
    lake: cdr.Lake, tmp_path: Path, turned: bool
) -> None:
    files = [BEFORE_MIDNIGHT, AFTER_MIDNIGHT]
    files = [*(reversed(files) if turned else files), (*BEFORE_MIDNIGHT, AFTER_MIDNIGHT[0])]
    for number, rows in enumerate(files):
        file = tmp_path / f"{number}.csv"
        file.write_text("\n".join((HEADER, *map(code_row, rows))) + "\n")
        again = ingest(lake, [file], source_name="proxy", source=PROXY, now=NOW)
    assert again.total("duplicate") == 7  # what gave way is known too
    calls = lake.calls().sort("call_id", pl.col("started_at").dt.time()).collect()
    started = pl.col("started_at").dt.to_string("%H:%M:%S")
    assert calls.select("call_id", started, "outcome").rows() == ATTEMPTS
    gone = lake.scan(CALL_HISTORY).sort("call_id").collect()
    assert gone["call_id"].to_list() == ["repeated", "two-places"]
    assert verify(lake).faults == ()
