"""Whatever is wrong with the files, the log or the ledger is found and named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import cdr
from cdr.errors import StorageFailed
from cdr.ingest import ingest
from cdr.lake.compact import compact
from cdr.lake.verify import verify
from cdr.schema import CALLS, INGESTS, REJECTS, Table
from cdr.settings import SourceSettings

NOW = datetime(2026, 9, 9, tzinfo=UTC)
SOURCE = SourceSettings(format="plain_csv", zone="UTC", country="DE")
HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a lake with a day of three calls, one of them corrected, and a row set aside."""
    tmp_path = tmp_path_factory.mktemp("sound")
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    for name, rows in {
        "a": ("r1,09:00:00,60", "r2,09:00:00,60", "r3,25:00:00,60"),
        "b": ("r1,09:00:00,61", "r2,09:00:00,60", "r4,09:00:00,60"),
    }.items():
        file = tmp_path / f"{name}.csv"
        file.write_text(
            HEADER
            + "".join(
                "{},a1,0301234567,0301234568,2026-09-01 {},{},answered\n".format(*row.split(","))
                for row in rows
            )
        )
        ingest(lake, [file], source_name="s", source=SOURCE, now=NOW)
    return lake.home.root


@pytest.fixture
def lake(sound: Path, tmp_path: Path) -> cdr.Lake:
    """Give a copy of the sound lake, to be harmed."""
    shutil.copytree(sound, tmp_path / "home")
    return cdr.open_lake(cdr.load_settings(home=tmp_path / "home"))


def faults(lake: cdr.Lake) -> list[str]:
    return [f"{fault.table}: {fault.what}" for fault in verify(lake).faults]


def first_file(lake: cdr.Lake) -> Path:
    return lake.home.lake / "calls" / lake.files(CALLS)[0].path


def rewrite(lake: cdr.Lake, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    path = first_file(lake)
    change(pl.read_parquet(path, hive_partitioning=False)).write_parquet(path)


def put(lake: cdr.Lake, table: Table, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Replace a table's rows by a batch, as a fault of ours would."""
    rows = change(lake.scan(table).collect())
    with lake.batch("ingest") as batch, lake.writing():
        batch.remove(table, lake.files(table))
        batch.add(table, rows)
        batch.publish()


def test_a_lake_as_it_should_be(lake: cdr.Lake) -> None:
    found = verify(lake)
    assert found.faults == ()
    assert (found.tables, found.rows) == (4, 3 + 1 + 1 + 2)
    compact(lake)
    assert verify(lake).faults == ()


def test_an_empty_lake_has_no_fault(tmp_path: Path) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "empty"), create=True)
    assert verify(lake).faults == ()


def test_a_file_that_is_gone(lake: cdr.Lake) -> None:
    first_file(lake).unlink()
    assert faults(lake) == ["calls: the log names a file that is not there"]


def test_a_file_that_is_cut(lake: cdr.Lake) -> None:
    path = first_file(lake)
    path.write_bytes(path.read_bytes()[:-100])
    assert faults(lake) == [
        "calls: a file has another size than the log says",
        "calls: a file cannot be read",
    ]


def test_a_page_that_is_damaged(lake: cdr.Lake) -> None:
    path = first_file(lake)
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(content)
    assert faults(lake) == [
        "calls: a file has other bytes than were written",
        "calls: a file cannot be read",
    ]


@pytest.mark.parametrize("compacted", [False, True])
def test_one_bit_that_turned(lake: cdr.Lake, compacted: bool) -> None:
    if compacted:
        compact(lake)
    path = first_file(lake)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "calls: a file has other bytes than were written" in faults(lake)


@pytest.mark.parametrize("kept", [0, 100], ids=["gone", "cut"])
def test_a_log_that_is_damaged_is_said_in_words(lake: cdr.Lake, kept: int) -> None:
    entry = lake.home.lake / "calls" / "_delta_log" / f"{0:020d}.json"
    content = entry.read_bytes()[:kept]
    entry.unlink()
    if kept:
        entry.write_bytes(content)
    with pytest.raises(StorageFailed, match="opening calls: its log is damaged or incomplete"):
        verify(lake)


def test_rows_that_the_log_does_not_count(lake: cdr.Lake) -> None:
    rewrite(lake, lambda rows: pl.concat([rows, rows]))
    assert any("rows, the log says" in fault for fault in faults(lake))


def test_a_row_of_another_day(lake: cdr.Lake) -> None:
    rewrite(lake, lambda rows: rows.with_columns(pl.col("started_at").dt.offset_by("1d")))
    assert any("rows are of another day than 2026-09-01" in fault for fault in faults(lake))


def test_columns_of_another_kind(lake: cdr.Lake) -> None:
    rewrite(
        lake, lambda rows: rows.with_columns(pl.col("duration_ms").cast(pl.String), shoe=pl.lit(1))
    )
    found = faults(lake)
    assert "calls: column duration_ms has type String" in found
    assert "calls: column shoe is not known" in found


def test_a_key_that_occurs_twice(lake: cdr.Lake) -> None:
    put(lake, CALLS, lambda rows: pl.concat([rows, rows.head(1)]))
    assert "calls: 1 rows of 2026-09-01 repeat the key of another" in faults(lake)


def test_a_ledger_that_does_not_add_up(lake: cdr.Lake) -> None:
    put(lake, INGESTS, lambda rows: rows.with_columns(pl.col("read") + 1))
    assert faults(lake) == ["ingests: the counts of 2 files do not add up to rows read"]


def test_rows_the_ledger_does_not_know_and_rows_that_are_lost(lake: cdr.Lake) -> None:
    put(lake, REJECTS, lambda rows: rows.head(0))
    put(lake, CALLS, lambda rows: rows.with_columns(pl.col("source_rows") + 1))
    assert faults(lake) == [
        "calls and call_history: 2 files have more rows here than the ledger says",
        "rejects: 1 files have fewer rows here than the ledger says",
    ]


def test_rows_taken_away_on_purpose_are_no_fault(lake: cdr.Lake) -> None:
    with lake.batch("retention") as batch, lake.writing():
        batch.remove(CALLS, lake.files(CALLS))
        batch.publish()
    assert faults(lake) == []
