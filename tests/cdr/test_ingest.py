"""What taking in promises: every row has one fate, and twice is once."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import polars as pl
import pytest

import cdr
from cdr.ingest import IngestReport, decide, ingest, run
from cdr.schema import CALL_HISTORY, INGESTS, REJECTS
from cdr.settings import SourceSettings

NOW = datetime(2026, 9, 2, tzinfo=UTC)
SOURCE = SourceSettings(format="plain_csv", zone="Europe/Berlin", country="DE")
HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"
FIRST = "r1,a1,030 1234567,+442079460000,2026-09-01 12:00:00,61,answered\n"
SECOND = "r2,a1,030 1234567,089 123456,2026-09-01 12:05:00,,busy\n"
LONGER = FIRST.replace(",61,", ",62,")
NEVER = "r3,a1,030 1234567,089 123456,2026-03-29 02:30:00,5,answered\n"


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)


def take_in(lake: cdr.Lake, folder: Path, *rows: str) -> IngestReport:
    file = folder / f"{abs(hash(rows))}.csv"
    file.write_text(HEADER + "".join(rows))
    return ingest(lake, [file], source_name="s", source=SOURCE, now=NOW)


def counts(report: IngestReport) -> list[int]:
    return [report.total(n) for n in ("read", "accepted", "duplicate", "corrected", "rejected")]


def test_a_row_becomes_a_call_in_utc_and_e164(lake: cdr.Lake, tmp_path: Path) -> None:
    take_in(lake, tmp_path, FIRST)
    call = lake.calls().collect().row(0, named=True)
    assert call["started_at"] == datetime(2026, 9, 1, 10, tzinfo=UTC)
    assert (call["caller_number"], call["callee_country"]) == ("+49301234567", "GB")
    assert (call["account_id"], call["duration_ms"], call["outcome"]) == ("a1", 61_000, "answered")


def test_the_same_file_twice_changes_nothing(lake: cdr.Lake, tmp_path: Path) -> None:
    assert counts(take_in(lake, tmp_path, FIRST, SECOND)) == [2, 2, 0, 0, 0]
    before = lake.calls().collect()
    again = take_in(lake, tmp_path, FIRST, SECOND)
    assert again.files[0].state == "known"
    assert lake.calls().collect().equals(before)


def test_what_a_file_grew_by_while_it_was_read_comes_the_next_time(
    lake: cdr.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_long = (FIRST + SECOND).replace("r1,", "x1,").replace("r2,", "x2,")
    take_in(lake, tmp_path, as_long)  # a file's hash is asked where its size was there before
    file = tmp_path / "growing.csv"
    file.write_text(HEADER + FIRST)
    hashed, blocks, read = run._sha256, run.ahead, Event()

    def to_the_end(*asked: Any) -> Any:
        yield from blocks(*asked)
        read.set()

    def late(*asked: Any) -> str:
        assert read.wait(600)
        file.write_text(HEADER + FIRST + SECOND)
        return hashed(*asked)

    with monkeypatch.context() as slow:
        slow.setattr(run, "ahead", to_the_end)
        slow.setattr(run, "_sha256", late)
        ingest(lake, [file], source_name="s", source=SOURCE, now=NOW)
    ingest(lake, [file], source_name="s", source=SOURCE, now=NOW)
    found = lake.calls().select("source_record_id").collect().to_series()
    assert sorted(found) == ["r1", "r2", "x1", "x2"]


def test_the_same_record_in_another_file_is_a_duplicate(lake: cdr.Lake, tmp_path: Path) -> None:
    take_in(lake, tmp_path, FIRST)
    report = take_in(lake, tmp_path, SECOND, FIRST)
    assert report.total("duplicate") == 1
    assert lake.calls().collect().height == 2


def test_a_part_without_anything_new_is_let_go_of_unread(
    lake: cdr.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file that grew all but the last day is there; to read it took 500 MB under the lock."""
    take_in(lake, tmp_path, FIRST, SECOND)
    monkeypatch.delattr(decide.pl, "read_parquet")
    next_day = FIRST.replace("09-01", "09-02")
    assert counts(take_in(lake, tmp_path, FIRST, SECOND, next_day)) == [3, 1, 2, 0, 0]
    assert lake.calls().select(pl.len()).collect().item() == 3


def test_a_correction_replaces_and_is_kept_with_its_history(lake: cdr.Lake, tmp_path: Path) -> None:
    take_in(lake, tmp_path, FIRST)
    assert take_in(lake, tmp_path, LONGER).total("corrected") == 1
    assert lake.calls().collect()["duration_ms"].to_list() == [62_000]
    assert lake.scan(CALL_HISTORY).collect()["duration_ms"].to_list() == [61_000]


def test_an_old_file_again_does_not_undo_a_correction(lake: cdr.Lake, tmp_path: Path) -> None:
    take_in(lake, tmp_path, FIRST)
    take_in(lake, tmp_path, LONGER)
    assert take_in(lake, tmp_path, FIRST, SECOND).total("duplicate") == 1
    assert sorted(lake.calls().collect()["duration_ms"].drop_nulls()) == [62_000]


def test_a_time_that_never_was_is_set_aside_with_its_reason(lake: cdr.Lake, tmp_path: Path) -> None:
    report = take_in(lake, tmp_path, NEVER, FIRST)
    assert report.total("rejected") == 1
    rejects = lake.scan(REJECTS).collect()
    assert rejects["reasons"].to_list() == [["started_time_never_existed"]]
    assert rejects["line"].to_list() == [2]


def test_the_ledger_adds_up_to_the_rows_read(lake: cdr.Lake, tmp_path: Path) -> None:
    take_in(lake, tmp_path, FIRST, NEVER, FIRST, LONGER)
    row = lake.scan(INGESTS).select(
        "read", fates=pl.sum_horizontal("accepted", "duplicate", "corrected", "rejected")
    )
    assert row.collect().rows() == [(4, 4)]


ASTERISK = (
    '"a1","+4930901820","+442079460018","i","c","PJSIP/a1-1","PJSIP/x-2","Dial","x",'
    '"2026-09-01 12:00:00","","2026-09-01 12:00:07",7,0,"BUSY","DOCUMENTATION","{epoch}.26",""\n'
)


@pytest.mark.parametrize(
    ("epoch_s", "contradicted"), [(1788256800, 0), (1788264000, 1)], ids=["in Berlin", "in UTC"]
)
def test_a_file_that_contradicts_its_zone_is_reported(
    lake: cdr.Lake, tmp_path: Path, epoch_s: int, contradicted: int
) -> None:
    file = tmp_path / "Master.csv"
    file.write_text(ASTERISK.format(epoch=epoch_s))
    source = SOURCE.model_copy(update={"format": "asterisk_csv"})
    report = ingest(lake, [file], source_name="s", source=source, now=NOW)
    assert report.total("contradicted") == contradicted
    assert len(report.contradicted) == contradicted


@pytest.mark.parametrize(("others", "told"), [(999, True), (1000, False)])
def test_one_call_of_many_does_not_make_the_zone_doubtful(
    lake: cdr.Lake, tmp_path: Path, others: int, told: bool
) -> None:
    """One that was put through a quarter of an hour after its channel was made."""
    file = tmp_path / "Master.csv"
    late = ASTERISK.format(epoch=1788256800 - 900)
    rows = (ASTERISK.replace(".26", f".{number}") for number in range(100, 100 + others))
    file.write_text(late + "".join(row.format(epoch=1788256800) for row in rows))
    source = SOURCE.model_copy(update={"format": "asterisk_csv"})
    report = ingest(lake, [file], source_name="s", source=source, now=NOW)
    assert report.total("contradicted") == 1
    assert bool(report.contradicted) is told


def test_two_files_with_the_same_bytes_in_one_run_are_one(lake: cdr.Lake, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.csv", "b.csv")]
    for file in files:
        file.write_text(HEADER + FIRST)
    report = ingest(lake, files, source_name="s", source=SOURCE, now=NOW)
    assert [file.state for file in report.files] == ["done", "known"]
    assert lake.calls().collect().height == 1


def test_the_log_holds_no_number(lake: cdr.Lake, tmp_path: Path) -> None:
    take_in(lake, tmp_path, FIRST)
    log = "".join(f.read_text() for f in lake.home.lake.rglob("_delta_log/*.json"))
    assert "numRecords" in log
    assert "301234567" not in log
    assert "2079460000" not in log


def test_a_file_that_cannot_be_read_takes_no_rows_of_the_one_before(
    lake: cdr.Lake, tmp_path: Path
) -> None:
    good, missing = tmp_path / "good.csv", tmp_path / "missing.csv"
    good.write_text(HEADER + FIRST + SECOND)
    report = ingest(lake, [good, missing], source_name="s", source=SOURCE, now=NOW)
    assert [file.state for file in report.files] == ["done", "refused"]
    assert lake.calls().collect().height == report.total("accepted") == 2


def test_a_large_file_found_damaged_at_its_end_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdr.ingest.collect.HELD_ROWS", 1_000)
    monkeypatch.setattr("cdr.ingest.collect.LARGE_FILE_BYTES", 0)
    home = tmp_path / "home"
    home.mkdir()
    (home / "callsieve.toml").write_text("[store]\nblock_mb = 1\n")
    lake = cdr.open_lake(cdr.load_settings(home / "callsieve.toml", home=home), create=True)
    good, damaged = tmp_path / "good.csv", tmp_path / "damaged.csv.gz"
    good.write_text(HEADER + SECOND + SECOND)
    damaged.write_bytes(gzip.compress((HEADER + FIRST * 20_000).encode())[:-9])
    report = ingest(lake, [good, damaged], source_name="s", source=SOURCE, now=NOW)
    assert [file.state for file in report.files] == ["done", "refused"]
    assert counts(report) == [2, 1, 1, 0, 0]
    assert lake.calls().collect()["source_record_id"].to_list() == ["r2"]
