"""A process killed at any moment leaves the lake as before or as after; running again completes."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from killed import kill_after, kill_at, moments_of, spread

import cdr
from cdr.ingest import ingest
from cdr.lake.compact import compact
from cdr.schema import CALL_HISTORY, CALLS, INGESTS, REJECTS
from cdr.settings import SourceSettings

pytestmark = pytest.mark.slow


SOURCE = SourceSettings(format="plain_csv", zone="UTC", country="DE")
HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"
NOW = datetime(2026, 9, 9, tzinfo=UTC)
State = dict[str, list[tuple[object, ...]]]


def row(number: int, *, day: int = 1, duration_s: int = 60) -> str:
    return (
        f"r{number},a{number % 3},030 1234567,+44 20 7946 {number:04d},"
        f"2026-09-{day:02d} 12:{number % 60:02d}:00,{duration_s},answered\n"
    )


def write(file: Path, *rows: str) -> Path:
    file.write_text(HEADER + "".join(rows))
    return file


def open_home(home: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=home), create=True)


def take_in(home: Path, *files: Path) -> None:
    ingest(open_home(home), files, source_name="s", source=SOURCE, now=NOW)


def squeeze(home: Path) -> None:
    compact(open_home(home))


def squeeze_by_twos(home: Path) -> None:
    """Compact with no more than two rows in memory, so that most are put aside."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("cdr.lake.in_order.ROWS_AT_ONCE", 2)
        squeeze(home)


def state(home: Path) -> State:
    """Everything the tables say, without the names that a run gives."""
    lake = open_home(home)
    names = {"ingest_id", "batch_id", "superseded_by"}
    found: State = {}
    for table in (CALLS, CALL_HISTORY, REJECTS, INGESTS):
        rows = lake.scan(table).drop(names & set(table.polars_schema)).collect()
        found[table.name] = sorted(rows.rows(), key=str)
    return found


def assert_clean(home: Path) -> None:
    """No leavings: a run after the kill has cleared up and every file is in the log."""
    lake = open_home(home)
    with lake.writing():
        pass
    assert [f.name for f in lake.home.journal.iterdir()] == []
    assert [f.name for f in lake.home.staging.iterdir() if f.is_dir()] == []
    there = {p.name for p in (lake.home.lake / "calls").rglob("*.parquet")}
    assert {Path(f.path).name for f in lake.files(CALLS)} <= there


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make two homes: `home`, and `crowded` with a day in more files than it should have."""
    folder = tmp_path_factory.mktemp("made")
    home, crowded = folder / "home", folder / "crowded"
    take_in(home, write(folder / "a.csv", *map(row, range(6)), row(6, day=2)))
    take_in(home, write(folder / "b.csv", row(1, duration_s=61)))
    shutil.copytree(home, crowded)
    for number in range(20, 25):
        take_in(crowded, write(folder / f"{number}.csv", row(number)))
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """Copy the lake with two days and a correction."""
    return Path(shutil.copytree(made / "home", tmp_path / "home"))


@pytest.fixture
def crowded(made: Path, tmp_path: Path) -> Path:
    """Copy the lake with a day in more files than it should have."""
    return Path(shutil.copytree(made / "crowded", tmp_path / "crowded"))


def new_files(folder: Path) -> tuple[Path, ...]:
    """Two files: new calls of two days, a duplicate, a correction, a row set aside."""
    return (
        write(folder / "c.csv", row(7), row(2), row(3, duration_s=63), row(8, day=2)),
        write(folder / "d.csv", row(9, day=3), row(10, day=31), row(7)),
    )


def prove(home: Path, folder: Path, kill: Callable[[Path], bool], job: Callable[[Path], None],
          before: State, after: State) -> str:  # fmt: skip
    """Kill a job on a copy of a home and return which of the two the lake then was."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home, copy)
    died = kill(copy)
    found = state(copy)
    assert found in (before, after)
    assert died or found == after
    job(copy)
    assert state(copy) == after
    assert_clean(copy)
    return "after" if found == after else "before"


def prove_ingest(home: Path, folder: Path, count: int) -> None:
    files = new_files(folder)
    done = folder / "done"
    shutil.copytree(home, done)
    before, moments = state(home), moments_of(take_in, done, *files)
    after = state(done)
    seen = {
        prove(home, folder, lambda copy, at=at: kill_at(at, take_in, copy, *files),  # type: ignore[misc]
              lambda copy: take_in(copy, *files), before, after)
        for at in spread(count, moments)
    }  # fmt: skip
    assert before != after
    assert seen == {"before", "after"}


def prove_compaction(home: Path, folder: Path, count: int, squeeze: Callable[[Path], None]) -> None:
    done = folder / "done"
    shutil.copytree(home, done)
    before, moments = state(home), moments_of(squeeze, done)
    files = [f for f in open_home(done).files(CALLS) if f.partition["call_date"] == "2026-09-01"]
    assert len(files) == 1
    for at in spread(count, moments):
        prove(home, folder, lambda copy, at=at: kill_at(at, squeeze, copy), squeeze, before, before)  # type: ignore[misc]


def test_an_ingest_killed_as_it_begins_to_publish_between_and_after(
    home: Path, tmp_path: Path
) -> None:
    files = new_files(tmp_path)
    done = tmp_path / "done"
    shutil.copytree(home, done)
    take_in(done, *files)
    before, after = state(home), state(done)
    for moment, then in (
        (("publish", 1), before),
        (("finish", 1), after),  # the journal stands, nothing else does
        (("commit", 3), after),  # two of four tables have it
    ):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(home, copy)
        assert kill_at(moment, take_in, copy, *files)
        assert state(copy) == then
        take_in(copy, *files)
        assert state(copy) == after
        assert_clean(copy)


def test_a_compaction_killed_before_its_commit(crowded: Path) -> None:
    before = state(crowded)
    assert kill_at(("commit", 1), squeeze, crowded)
    assert state(crowded) == before
    assert len(open_home(crowded).files(CALLS)) == 2  # its journal stood, so it is done
    assert_clean(crowded)


@pytest.mark.large
def test_an_ingest_killed_at_many_moments(home: Path, tmp_path: Path) -> None:
    prove_ingest(home, tmp_path, 150)


@pytest.mark.large
@pytest.mark.parametrize("squeeze", [squeeze, squeeze_by_twos])
def test_a_compaction_killed_at_many_moments(
    crowded: Path, tmp_path: Path, squeeze: Callable[[Path], None]
) -> None:
    prove_compaction(crowded, tmp_path, 100, squeeze)


@pytest.mark.large
def test_an_ingest_killed_from_outside_at_random_times(home: Path, tmp_path: Path) -> None:
    files = (
        write(tmp_path / "many.csv", *(row(100 + n, day=1 + n % 20) for n in range(5_000))),
        *new_files(tmp_path),
    )
    done = tmp_path / "done"
    shutil.copytree(home, done)
    begun = datetime.now(tz=UTC)
    take_in(done, *files)
    took_s = (datetime.now(tz=UTC) - begun).total_seconds()
    before, after, draw = state(home), state(done), random.Random(50)
    for _ in range(50):
        seconds = draw.uniform(0, took_s * 1.2)
        prove(home, tmp_path, lambda copy, s=seconds: kill_after(s, take_in, copy, *files),  # type: ignore[misc]
              lambda copy: take_in(copy, *files), before, after)  # fmt: skip


def test_a_day_compacted_is_sorted_by_account_and_time(crowded: Path) -> None:
    before = open_home(crowded).calls().collect()
    assert compact(open_home(crowded)).days == 1
    lake = open_home(crowded)
    (file,) = (f for f in lake.files(CALLS) if f.partition["call_date"] == "2026-09-01")
    rows = lake.scan_files(CALLS, [file]).collect()
    assert rows["call_date"].unique().to_list() == [date(2026, 9, 1)]
    assert rows.equals(rows.sort("account_id", "started_at"))
    assert lake.calls().collect().sort("record_id").equals(before.sort("record_id"))
    assert compact(lake).days == 0
    assert pl.concat([before.select("record_id")]).n_unique() == before.height


def test_a_day_too_large_for_one_file_is_split_between_accounts(
    crowded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdr.lake.compact.ROWS_A_FILE", 4)
    monkeypatch.setattr("cdr.lake.compact.MAX_FILES_A_DAY", 1)
    lake = open_home(crowded)
    before = lake.calls().collect().sort("record_id")
    assert compact(lake).days == 1
    files = [f for f in lake.files(CALLS) if f.partition["call_date"] == "2026-09-01"]
    parts = [lake.scan_files(CALLS, [f]).collect()["account_id"].unique().to_list() for f in files]
    assert sorted(account for part in parts for account in part) == ["a0", "a1", "a2"]
    assert lake.calls().collect().sort("record_id").equals(before)
    assert compact(lake).days == 0


def test_an_account_too_large_for_one_file_is_split_between_its_minutes(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdr.lake.in_order.LARGE_ACCOUNT_ROWS", 4)
    monkeypatch.setattr("cdr.lake.compact.ROWS_A_FILE", 4)
    monkeypatch.setattr("cdr.lake.compact.MAX_FILES_A_DAY", -1)
    hours = [f"x{n},,0301,0302,2026-09-05 {n:02d}:00:00,9,answered\n" for n in range(9)]
    take_in(home, write(tmp_path / "x.csv", *hours, hours[0].replace("x0,,", "y,a1,")))
    take_in(home, write(tmp_path / "y.csv", hours[0].replace("x0,,", "z,a2,")))
    lake = open_home(home)
    compact(lake)
    files = [f for f in lake.files(CALLS) if f.partition["call_date"] == "2026-09-05"]
    parts = [lake.scan_files(CALLS, [f]).collect()["source_record_id"].to_list() for f in files]
    assert sorted(parts) == [["x0", "x1", "x2", "x3", "x4", "x5"], ["x6", "x7", "x8", "y", "z"]]
