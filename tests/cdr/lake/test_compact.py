"""Compaction holds a bounded number of rows at a time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import cdr
from cdr.errors import DAMAGED_FILE
from cdr.ingest import ingest
from cdr.lake.compact import MAX_FILES_A_DAY, compact
from cdr.schema import CALLS, INGESTS, REJECTS
from cdr.settings import SourceSettings

PBX = SourceSettings(format="plain_csv", zone="UTC", country="DE")
HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"


def test_small_files_become_few_of_bounded_length_in_the_order_they_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    for number in range(8):
        file = tmp_path / f"{number}.csv"
        file.write_text(HEADER + "".join(f"{number}{n},,1,2,,5,answered\n" for n in range(4)))
        now = datetime(2026, 9, 1 + number, tzinfo=UTC)
        ingest(lake, [file], source_name="pbx", source=PBX, now=now)
    before = lake.scan(REJECTS).collect()
    assert len(lake.files(REJECTS)) == 8

    monkeypatch.setattr("cdr.lake.compact.ROWS_A_FILE", 10)
    compact(lake)
    assert [file.rows for file in lake.files(REJECTS)] == [8, 8, 8, 8]
    assert lake.scan(REJECTS).sort("raw").collect().equals(before.sort("raw"))
    assert lake.scan(REJECTS).select(pl.col("ingested_at").n_unique()).collect().item() == 8

    version = lake.version(REJECTS)
    compact(lake)
    assert lake.version(REJECTS) == version


def test_a_damaged_file_keeps_its_own_day_alone_and_what_may_be_left_of_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    for number in range(5):
        file = tmp_path / f"{number}.csv"
        calls = [
            f"{number}-{day},a,+4930901820,+442079460018,2026-09-0{day} 12:00:00,5,answered\n"
            for day in (1, 2, 3)
        ]
        file.write_text(HEADER + "".join(calls))
        now = datetime(2026, 9, 4, tzinfo=UTC)
        ingest(lake, [file], source_name="pbx", source=PBX, now=now)
    harmed = next(f for f in lake.files(CALLS) if f.partition["call_date"] == "2026-09-02")
    (lake.home.lake / "calls" / harmed.path).write_bytes(b"")

    monkeypatch.setattr("cdr.lake.compact.KEPT_HOURS", 0)
    done = compact(lake)
    assert done.days == 2
    assert done.concerns == (f"calls of 2026-09-02 not compacted: {DAMAGED_FILE}",)
    of_days = Counter(file.partition["call_date"] for file in lake.files(CALLS))
    assert of_days == {"2026-09-01": 1, "2026-09-02": 5, "2026-09-03": 1}
    assert len(lake.lying(CALLS)) == 15 + 2


@pytest.mark.large
def test_two_hundred_small_files_of_a_week_do_not_accumulate(tmp_path: Path) -> None:
    """Each night 29 deliveries of its day came in, every fifth row of each a day late."""
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    for day in range(2, 9):
        for number in range(29):
            file = tmp_path / f"{day}-{number}.csv"
            file.write_text(
                HEADER
                + f"bad{day}-{number},,1,2,,5,answered\n"
                + "".join(
                    f"{day}-{number}-{n},a{n},+4930901820,+442079460018,"
                    f"2026-09-{day - (n == 4):02d} 12:00:00,5,answered\n"
                    for n in range(5)
                )
            )
            now = datetime(2026, 9, day + 1, tzinfo=UTC)
            ingest(lake, [file], source_name="pbx", source=PBX, now=now)
        compact(lake)
        of_days = Counter(file.partition["call_date"] for file in lake.files(CALLS))
        assert max(of_days.values()) <= MAX_FILES_A_DAY
        assert len(lake.files(REJECTS)) <= MAX_FILES_A_DAY
        assert len(lake.files(INGESTS)) <= MAX_FILES_A_DAY
    assert lake.calls().collect().height == 7 * 29 * 5
