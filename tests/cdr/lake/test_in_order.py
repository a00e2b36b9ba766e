"""However few rows are sorted at a time, a day comes out in the order of account and time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import cdr
from cdr.lake.in_order import Places, cut, in_order
from cdr.schema import CALLS

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
ACCOUNTS = ["b", None, "a", "b", None, "c", "b", "b", "a"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> cdr.Lake:
    """Make a lake with three files of nine calls; `b` has four of them a file, the last first."""
    home = tmp_path_factory.mktemp("ordered") / "home"
    lake = cdr.open_lake(cdr.load_settings(home=home), create=True)
    with lake.batch("ingest") as batch, lake.writing():
        for file in range(3):
            said = {
                "record_id": [bytes([file, n]) for n in range(9)],
                "account_id": ACCOUNTS,
                "started_at": [NOON - timedelta(minutes=20 * n + file) for n in range(9)],
                "call_date": [NOON.date()] * 9,
            }
            rest = {f.name: pl.lit(None, f.dtype) for f in CALLS.fields if f.name not in said}
            batch.add(CALLS, CALLS.conform(pl.DataFrame(said).with_columns(**rest)))
        batch.publish()
    return lake


@pytest.mark.parametrize("at_once", [1, 4, 9, 100])
@pytest.mark.parametrize("large", [2, 100])
def test_rows_come_in_order_and_nothing_is_left_aside(
    lake: cdr.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, large: int
) -> None:
    monkeypatch.setattr("cdr.lake.in_order.ROWS_AT_ONCE", at_once)
    monkeypatch.setattr("cdr.lake.in_order.LARGE_ACCOUNT_ROWS", large)
    files = lake.files(CALLS)
    places = Places.of(lake.calls())
    parts = list(in_order(lake, files, places, tmp_path))
    in_memory = lake.calls().collect().sort("account_id", "started_at", "record_id")
    assert_frame_equal(pl.concat(parts), in_memory)
    largest_place = 1 if large == 2 else 12
    assert max(part.height for part in parts) <= min(at_once + largest_place, 27)
    assert list(tmp_path.iterdir()) == []


def test_only_a_large_account_is_split_between_its_minutes(
    lake: cdr.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdr.lake.in_order.LARGE_ACCOUNT_ROWS", 6)
    counts = Places.of(lake.calls()).counts
    whole = counts.filter(~pl.col("place").str.contains("\0"))
    assert whole.rows() == [("", 6), ("a", 6), ("c", 3)]
    split = counts.filter(pl.col("place").str.starts_with("b\0"))
    assert split["rows"].to_list() == [1] * 12
    assert split.item(0, "place") == "b\x002026-09-01T09:38"


def test_files_are_cut_across_what_was_sorted_together() -> None:
    frames = (pl.DataFrame({"n": some}) for some in ([1, 2], [3], [4, 5, 6]))
    runs = [[part["n"].to_list() for part in run] for run in cut(frames, [1, 4, 1])]
    assert runs == [[[1]], [[2], [3], [4, 5]], [[6]]]
