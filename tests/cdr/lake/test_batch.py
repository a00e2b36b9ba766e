"""Batches are seen whole, by readers and by other writers, whatever the disk does."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, Field
from deltalake.schema import PrimitiveType
from killed import kill_at, together

import cdr
from cdr.errors import LakeTooNew, SchemaMismatch, StorageFailed, WrongUse
from cdr.ingest import ingest
from cdr.schema import CALLS, INGESTS
from cdr.settings import SourceSettings

SOURCE = SourceSettings(format="plain_csv", zone="UTC", country="DE")
HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"
NOW = datetime(2026, 9, 9, tzinfo=UTC)


def rows(numbers: range) -> str:
    return HEADER + "".join(
        f"r{n},a,0301234567,+442079460000,2026-09-01 {n // 60:02d}:{n % 60:02d}:00,9,answered\n"
        for n in numbers
    )


def take_in(home: Path, *files: Path) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=home), create=True)
    ingest(lake, files, source_name="s", source=SOURCE, now=NOW)


def take_in_singly(home: Path, *files: Path) -> None:
    for file in files:
        take_in(home, file)


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)


def write(folder: Path, name: str, numbers: range) -> Path:
    file = folder / f"{name}.csv"
    file.write_text(rows(numbers))
    return file


def tiny_disk(folder: Path, size_kb: int) -> Path:
    """Mount a small file system; where that is refused there is nothing to test with."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", folder], capture_output=True
    )
    if made.returncode:
        pytest.skip("mounting a file system is not allowed here")
    return folder


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tiny_disk(tmp_path / "disk", 600)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_two_ingests_at_once_both_commit_and_what_they_share_is_there_once(
    lake: cdr.Lake, tmp_path: Path
) -> None:
    ones = [write(tmp_path, f"one{n}", range(n * 50, n * 50 + 80)) for n in range(2)]
    twos = [write(tmp_path, f"two{n}", range(n * 50 + 20, n * 50 + 90)) for n in range(2)]
    home = lake.home.root
    jobs = [(take_in_singly, (home, *files)) for files in (ones, twos)]
    assert together(*jobs) == [0, 0]
    ids = lake.calls().select("source_record_id").collect().to_series()
    assert sorted(ids) == sorted(f"r{n}" for n in range(140))
    ledger = lake.scan(INGESTS).collect()
    assert ledger.height == 4
    assert (ledger["read"].sum(), ledger["accepted"].sum(), ledger["duplicate"].sum()) == (
        300,
        140,
        160,
    )


def test_a_reader_sees_whole_batches_in_all_tables(lake: cdr.Lake, tmp_path: Path) -> None:
    files = [write(tmp_path, f"f{n}", range(n * 30, n * 30 + 30)) for n in range(4)]
    writer = threading.Thread(target=together, args=((take_in_singly, (lake.home.root, *files)),))
    writer.start()
    seen = set()
    while writer.is_alive():
        con = lake.connect("billing")
        calls = con.ask("SELECT count(*) AS n FROM calls", limit=1)["n"].item()
        known = con.ask("SELECT coalesce(sum(accepted), 0) AS n FROM ingests", limit=1)["n"].item()
        con.close()
        assert calls == known
        seen.add(calls)
    writer.join()
    assert seen <= set(range(0, 121, 30))


@pytest.mark.parametrize("there", [0, 3], ids=["the-first-batch", "a-later-one"])
def test_nothing_is_published_while_somebody_looks_at_several_tables(
    lake: cdr.Lake, tmp_path: Path, there: int
) -> None:
    if there:
        take_in(lake.home.root, write(tmp_path, "first", range(there)))
    job = (take_in, (lake.home.root, write(tmp_path, "f", range(3, 5))))
    writer = threading.Thread(target=together, args=(job,))
    with lake.reading():
        writer.start()
        while not list(lake.home.staging.glob("*/ingests/*")) and writer.is_alive():
            time.sleep(0.01)  # its ledger row is staged last
        writer.join(0.5)
        assert writer.is_alive()
        assert lake.calls().collect().height == there
    writer.join()
    assert lake.calls().collect().height == there + 2


def test_a_reader_finishes_what_a_killed_writer_left(lake: cdr.Lake, tmp_path: Path) -> None:
    assert kill_at(("commit", 2), take_in, lake.home.root, write(tmp_path, "f", range(3)))
    con = lake.connect("billing")
    sql = "SELECT (SELECT count(*) FROM calls) AS calls, (SELECT sum(accepted) FROM ingests) AS n"
    assert con.ask(sql, limit=1).row(0) == (3, 3)


def test_a_batch_that_is_not_published_leaves_nothing(lake: cdr.Lake) -> None:
    with lake.batch() as batch:
        batch.add(CALLS, CALLS.empty())
    assert [f.name for f in lake.home.staging.iterdir() if f.is_dir()] == []
    assert lake.version(CALLS) is None


def test_leavings_of_a_killed_writer_are_cleared_and_a_living_one_is_left_alone(
    lake: cdr.Lake, tmp_path: Path
) -> None:
    assert kill_at(("publish", 1), take_in, lake.home.root, write(tmp_path, "f", range(3)))
    (lake.home.journal / ".half.json.1").write_bytes(b"{")
    with lake.batch() as living:
        with lake.writing():
            pass
        left = [f.name for f in lake.home.staging.iterdir() if f.is_dir()]
        assert left == [living.batch_id]
    assert list(lake.home.journal.iterdir()) == []


def test_a_full_disk_leaves_the_lake_as_it_was_and_room_mends_it(
    disk: Path, tmp_path: Path
) -> None:
    home, first = disk / "home", write(tmp_path, "first", range(5))
    take_in(home, first)
    ballast = disk / "ballast"
    for keep_kb in (0, 16, 32):
        second = write(tmp_path, f"second{keep_kb}", range(10 + keep_kb, 12 + keep_kb))
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        ballast.write_bytes(b"x" * max(0, free - keep_kb * 1024))
        lake = cdr.Lake(cdr.load_settings(home=home))
        before = lake.calls().collect().height
        with suppress(StorageFailed):
            take_in(home, second)
        ballast.unlink()
        lake = cdr.open_lake(cdr.load_settings(home=home))
        assert lake.calls().collect().height in (before, before + 2)
        take_in(home, second)
        assert lake.calls().collect().height == before + 2
        assert lake.calls().collect()["record_id"].n_unique() == before + 2


def test_a_disk_with_no_room_at_all_says_so(disk: Path, tmp_path: Path) -> None:
    home = disk / "home"
    take_in(home, write(tmp_path, "first", range(5)))
    before = cdr.open_lake(cdr.load_settings(home=home)).calls().collect()
    usage = os.statvfs(disk)
    (disk / "ballast").write_bytes(b"x" * (usage.f_bavail * usage.f_frsize))
    with pytest.raises(StorageFailed, match="the disk is full; nothing was changed"):
        take_in(home, write(tmp_path, "second", range(5, 9)))
    assert cdr.open_lake(cdr.load_settings(home=home)).calls().collect().equals(before)


def test_a_read_only_home_can_be_read_and_says_why_it_takes_nothing_in(
    disk: Path, tmp_path: Path
) -> None:
    home = disk / "home"
    take_in(home, write(tmp_path, "first", range(5)))
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    lake = cdr.open_lake(cdr.load_settings(home=home))
    counted = lake.connect("billing").ask("SELECT count(*) AS n FROM calls", limit=1)
    assert counted["n"].item() == 5
    with pytest.raises(StorageFailed, match="the file system is read-only"):
        take_in(home, write(tmp_path, "second", range(5, 9)))


def test_a_machine_without_room_for_temporary_files_takes_in_all_the_same(
    lake: cdr.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMPDIR", "POLARS_TEMP_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "not there"))
    monkeypatch.setattr("tempfile.tempdir", None)
    take_in(lake.home.root, write(tmp_path, "f", range(3)))
    assert lake.connect("billing").ask("SELECT count(*) AS n FROM calls", limit=1)["n"].item() == 3


def test_a_staging_folder_that_cannot_be_written_is_said(lake: cdr.Lake, tmp_path: Path) -> None:
    file = write(tmp_path, "f", range(3))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", lake.home.staging], check=True)
    try:
        with pytest.raises(
            StorageFailed, match="the file system is read-only; nothing was changed"
        ):
            take_in(lake.home.root, file)
    finally:
        subprocess.run(["umount", "-l", lake.home.staging], check=True)
    assert lake.calls().collect().height == 0
    take_in(lake.home.root, file)
    assert lake.calls().collect().height == 3


def test_a_lake_of_a_newer_layout_is_not_touched(lake: cdr.Lake) -> None:
    (lake.home.root / "layout.json").write_text(json.dumps({"layout": 2}))
    with pytest.raises(LakeTooNew, match="layout 2, this version knows up to 1"):
        cdr.open_lake(lake.settings)
    with pytest.raises(LakeTooNew):
        cdr.open_lake(lake.settings, create=True)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"layout": "x"}'])
def test_a_damaged_layout_is_said(lake: cdr.Lake, content: str) -> None:
    (lake.home.root / "layout.json").write_text(content)
    with pytest.raises(WrongUse, match=r"layout\.json in the home folder is damaged"):
        cdr.open_lake(lake.settings)


def test_folders_are_the_owners_alone(lake: cdr.Lake, tmp_path: Path) -> None:
    take_in(lake.home.root, write(tmp_path, "f", range(3)))
    (file,) = lake.files(CALLS)
    day = (lake.home.lake / "calls" / file.path).parent
    for folder in (lake.home.root, lake.home.lake, lake.home.staging, day):
        assert folder.stat().st_mode & 0o077 == 0, folder.name


def test_a_column_of_a_newer_version_is_refused_and_named(lake: cdr.Lake, tmp_path: Path) -> None:
    take_in(lake.home.root, write(tmp_path, "f", range(3)))
    table = DeltaTable(lake.home.lake / "calls")
    table.alter.add_columns([Field("mood", PrimitiveType("string"))])
    with pytest.raises(SchemaMismatch, match=r"calls \(of a newer version\?\): unknown mood"):
        lake.calls()


def test_a_column_that_an_older_version_did_not_have_reads_as_null_and_is_added(
    lake: cdr.Lake, tmp_path: Path
) -> None:
    older = replace(CALLS, fields=tuple(f for f in CALLS.fields if f.name != "cause_code"))
    row = dict.fromkeys(older.polars_schema) | {"record_id": b"k", "call_date": date(2026, 9, 1)}
    with lake.batch() as batch, lake.writing():
        batch.add(older, pl.DataFrame([row], schema=older.polars_schema))
        batch.publish()
    assert lake.calls().collect()["cause_code"].to_list() == [None]
    take_in(lake.home.root, write(tmp_path, "f", range(3)))
    assert lake.calls().collect().height == 4
