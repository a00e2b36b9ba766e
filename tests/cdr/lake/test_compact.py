"""Compaction holds a bounded number of rows at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import cdr
from cdr.ingest import ingest
from cdr.lake.compact import compact
from cdr.schema import REJECTS
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
