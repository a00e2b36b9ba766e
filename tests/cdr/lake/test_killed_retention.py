"""Retention killed at any moment leaves a table as before or as after; the next run completes."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from killed import kill_at, moments_of

import cdr
from cdr.ingest import ingest
from cdr.lake.verify import verify
from cdr.privacy.retention import retain
from cdr.settings import SourceSettings

SOURCE = SourceSettings(format="plain_csv", zone="UTC", country="DE")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
ROWS = """record_id,account_id,caller,callee,started_at,duration_s,outcome
r1,a1,030 1234567,+442079460001,2026-01-01 12:00:00,,busy
r2,a1,030 1234567,+442079460001,2026-01-01 12:01:00,60,answered
r3,a1,030 1234567,+442079460001,2026-01-02 12:00:00,,busy
"""


def clear(home: Path) -> None:
    retain(cdr.open_lake(cdr.load_settings(home=home)), now=NOW)


def left(home: Path) -> list[str]:
    lake = cdr.open_lake(cdr.load_settings(home=home))
    return sorted(lake.calls().collect()["source_record_id"])


def prove(folder: Path, count: int) -> None:
    """Kill retention at moments spread over its run, each time on a fresh copy of a lake."""
    home, file = folder / "home", folder / "a.csv"
    file.write_text(ROWS)
    lake = cdr.open_lake(cdr.load_settings(home=home), create=True)
    ingest(lake, [file], source_name="s", source=SOURCE, now=NOW)
    done = Path(shutil.copytree(home, folder / "done"))
    moments = moments_of(clear, done)
    draw = random.Random(moments)
    copy = folder / "copy"
    for number in range(count):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(home, copy)
        stretch = moments / count
        kill_at(int(number * stretch + draw.uniform(0, stretch)) + 1, clear, copy)
        assert left(copy) in (["r1", "r2", "r3"], ["r2"])
        clear(copy)
        assert left(copy) == ["r2"]
        assert verify(cdr.open_lake(cdr.load_settings(home=copy))).faults == ()


@pytest.mark.slow
def test_killed_retention(tmp_path: Path) -> None:
    prove(tmp_path, 3)


@pytest.mark.large
def test_retention_killed_at_fifty_moments(tmp_path: Path) -> None:
    prove(tmp_path, 50)
