"""Rows that are collected become few parts, and no row is lost or doubled on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from threading import Barrier

import polars as pl
import pytest

import cdr
from cdr.ingest.collect import Collector
from cdr.lake import DataFile
from cdr.schema import CALLS, REJECTS, Table

Add = Callable[[Table, pl.DataFrame], list[DataFile]]

FIRST, SECOND = date(2026, 9, 1), date(2026, 9, 2)
DAYS = ("2026-09-01", "2026-09-02")


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
        staged = batch.staged(CALLS)
    assert _rows_by_day(staged) == [[4, 2], [3]]


def _rows_by_day(staged: list[DataFile]) -> list[list[int]]:
    return [[file.rows for file in staged if file.partition["call_date"] == day] for day in DAYS]


def test_a_day_of_which_enough_is_held_is_not_held_longer(
    lake: cdr.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdr.ingest.collect.PART_ROWS", 3)
    with lake.batch("ingest") as batch, Collector(batch) as collector:
        collector.begin(0, "i")
        collector.add(calls(FIRST, FIRST, FIRST, SECOND, named="a"), REJECTS.empty())
        collector.begin(0, "j")
        assert [file.rows for file in batch.staged(CALLS)] == [3]


def test_two_days_are_written_at_the_same_time(
    lake: cdr.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = Barrier(2, timeout=60)
    with lake.batch("ingest") as batch, Collector(batch) as collector:
        monkeypatch.setattr(batch, "add", partial(_met, both, batch.add))
        collector.begin(0, "i")
        collector.add(calls(FIRST, SECOND, named="a"), REJECTS.empty())
        collector.write_rest()
        assert sorted(file.partition["call_date"] for file in batch.staged(CALLS)) == list(DAYS)


def _met(both: Barrier, add: Add, table: Table, rows: pl.DataFrame) -> list[DataFile]:
    if table is CALLS:
        both.wait()
    return add(table, rows)


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


def test_what_the_part_before_said_is_left_out_and_counted(lake: cdr.Lake) -> None:
    other = pl.lit(2, pl.Int64).alias("content_hash")
    with lake.batch("ingest") as batch, Collector(batch) as collector:
        for rows in (
            calls(FIRST, FIRST, named="a"),
            calls(FIRST, named="a"),  # a0 again
            calls(FIRST, SECOND, FIRST, named="b"),
            calls(FIRST, named="b").with_columns(other),  # b0 corrected
        ):
            collector.begin(0, "i")
            collector.add(rows, REJECTS.empty())
            collector.write_rest()
        staged = batch.staged(CALLS)
    assert (_rows_by_day(staged), collector.repeated) == ([[2, 2, 1], [1]], {"i": 1})


def test_what_only_a_forgotten_file_said_is_not_left_out(
    lake: cdr.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdr.ingest.collect.PART_ROWS", 1)  # written at once
    with lake.batch("ingest") as batch, Collector(batch) as collector:
        collector.begin(0, "i")
        collector.add(calls(FIRST, named="a"), REJECTS.empty())
        collector.forget("i")
        collector.begin(0, "j")
        collector.add(calls(FIRST, named="a"), REJECTS.empty())
        collector.write_rest()
        assert ([file.rows for file in batch.staged(CALLS)], collector.repeated) == ([1], {})
