"""Rows that are collected become few parts, and no row is lost or doubled on the way."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

import cdr
from cdr.ingest.collect import Collector
from cdr.schema import CALLS, REJECTS

FIRST, SECOND = date(2026, 9, 1), date(2026, 9, 2)


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)


def calls(*days: date, named: str) -> pl.DataFrame:
    """Return a call on each day; its record is named by its place."""
    records = [f"{named}{place}".encode() for place in range(len(days))]
    said = pl.DataFrame({"record_id": records, "call_date": days, "ingest_id": "i"})
    said = said.with_columns(content_hash=pl.lit(1, pl.Int64), source_rows=pl.lit(1, pl.Int16))
    return pl.concat([CALLS.empty(), said], how="diagonal")


def test_where_days_take_turns_the_one_of_which_most_is_held_is_written(
    lake: cdr.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdr.ingest.collect.HELD_ROWS", 5)
    with lake.batch("ingest") as batch, Collector(batch) as collector:
        collector.begin(0, "i")
        for block in ("a", "b", "c"):
            collector.add(calls(FIRST, SECOND, FIRST, named=block), REJECTS.empty())
        collector.write_rest()
        staged = [(file.partition["call_date"], file.rows) for file in batch.staged(CALLS)]
    assert staged == [("2026-09-01", 4), ("2026-09-02", 3), ("2026-09-01", 2)]


def test_a_day_of_which_enough_is_held_is_not_held_longer(
    lake: cdr.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdr.ingest.collect.PART_ROWS", 3)
    with lake.batch("ingest") as batch, Collector(batch) as collector:
        collector.begin(0, "i")
        collector.add(calls(FIRST, FIRST, FIRST, SECOND, named="a"), REJECTS.empty())
        collector.begin(0, "j")
        assert [file.rows for file in batch.staged(CALLS)] == [3]


def test_what_is_forgotten_takes_nothing_with_it_of_the_file_before(lake: cdr.Lake) -> None:
    with lake.batch("ingest") as batch, Collector(batch) as collector:
        collector.begin(0, "i")
        collector.add(calls(FIRST, SECOND, named="a"), REJECTS.empty())
        collector.begin(0, "j")
        collector.add(calls(FIRST, named="b"), REJECTS.empty())
        collector.forget("j")
        collector.write_rest()
        kept = batch.scan_staged(CALLS, batch.staged(CALLS)).collect()
    assert sorted(kept["record_id"]) == [b"a0", b"a1"]
