"""Whatever the rows: each has one fate, twice is once, and the order of files does not matter."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cdr
from cdr.ingest import IngestReport, ingest
from cdr.lake.verify import verify
from cdr.schema import CALL_HISTORY, INGESTS, REJECTS
from cdr.settings import SourceSettings

pytestmark = pytest.mark.slow


NOW = datetime(2026, 9, 9, tzinfo=UTC)
SOURCE = SourceSettings(format="plain_csv", zone="UTC", country="DE")
HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"
COUNTS = ("read", "accepted", "duplicate", "corrected", "rejected")


@dataclass(frozen=True)
class Row:
    """A row of a file: few ids, so that records repeat; some hours that are none."""

    record: int
    duration_s: int
    hour: int

    def __str__(self) -> str:
        return (
            f"r{self.record},a1,030 1234567,+442079460000,"
            f"2026-09-0{1 + self.record % 2} {self.hour:02d}:00:00,{self.duration_s},answered\n"
        )


ROWS = st.builds(
    Row, st.integers(0, 5), st.integers(1, 2), st.sampled_from((9, 9, 9, 10, 25))
)  # hour 25 is set aside
FILES = st.lists(st.lists(ROWS, max_size=6), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("properties")


def new_lake(folder: Path) -> cdr.Lake:
    home = tempfile.mkdtemp(dir=folder)
    return cdr.open_lake(cdr.load_settings(home=home), create=True)


def write(folder: Path, files: Sequence[Sequence[Row]]) -> list[Path]:
    place = Path(tempfile.mkdtemp(dir=folder))
    paths = []
    for number, rows in enumerate(files):
        paths.append(place / f"{number}.csv")
        paths[-1].write_text(HEADER + "".join(map(str, rows)))
    return paths


def take_in(lake: cdr.Lake, paths: Sequence[Path]) -> IngestReport:
    return ingest(lake, paths, source_name="s", source=SOURCE, now=NOW)


def standing(lake: cdr.Lake) -> list[tuple[object, ...]]:
    calls = lake.calls().select("source_record_id", "started_at", "duration_ms", "content_hash")
    return sorted(calls.collect().rows())


@settings(max_examples=5)
@given(files=FILES)
def test_every_row_has_one_fate_and_the_tables_agree(folder: Path, files: list[list[Row]]) -> None:
    lake = new_lake(folder)
    paths = write(folder, files)
    report = take_in(lake, paths)
    for file, rows in zip(report.files, files, strict=True):
        assert file.read == len(rows)
        assert file.read == file.accepted + file.duplicate + file.corrected + file.rejected
    good = [row for rows in files for row in rows if row.hour < 24]
    assert lake.calls().collect().height == len({(r.record, r.hour) for r in good})
    versions = lake.calls().collect().height + lake.scan(CALL_HISTORY).collect().height
    assert versions == len(set(good))
    ledger = lake.scan(INGESTS).select(pl.col(*COUNTS).sum()).collect().row(0, named=True)
    assert ledger["accepted"] == lake.calls().collect().height
    assert ledger["corrected"] == lake.scan(CALL_HISTORY).collect().height
    assert ledger["rejected"] == lake.scan(REJECTS).collect().height
    assert verify(lake).faults == ()


@settings(max_examples=3)
@given(files=FILES)
def test_taken_in_twice_is_taken_in_once(folder: Path, files: list[list[Row]]) -> None:
    lake = new_lake(folder)
    take_in(lake, write(folder, files))
    before = standing(lake)
    again = write(folder, [[*rows, Row(9, 1, 9)] for rows in files])  # other bytes, same records
    report = take_in(lake, again)
    assert [row for row in standing(lake) if row[0] != "r9"] == before
    assert (report.total("accepted"), report.total("corrected")) == (1, 0)


@settings(max_examples=3)
@given(files=st.lists(st.lists(ROWS, max_size=5), min_size=2, max_size=3))
def test_the_order_of_files_does_not_matter_where_nothing_is_corrected(
    folder: Path, files: list[list[Row]]
) -> None:
    same = [[replace(row, duration_s=1) for row in rows] for rows in files]
    paths = write(folder, same)
    found = []
    for order in (paths, paths[::-1]):
        lake = new_lake(folder)
        for path in order:
            take_in(lake, [path])
        found.append(standing(lake))
    at_once = new_lake(folder)
    take_in(at_once, paths)
    assert found[0] == found[1] == standing(at_once)


@settings(max_examples=3)
@given(files=FILES)
def test_files_one_by_one_or_all_at_once_give_the_same(
    folder: Path, files: list[list[Row]]
) -> None:
    paths = write(folder, files)
    one_by_one, at_once = new_lake(folder), new_lake(folder)
    for path in paths:
        take_in(one_by_one, [path])
    take_in(at_once, paths)
    assert standing(one_by_one) == standing(at_once)
    history = [
        lake.scan(CALL_HISTORY).select("source_record_id", "content_hash").collect()
        for lake in (one_by_one, at_once)
    ]
    assert sorted(history[0].rows()) == sorted(history[1].rows())
