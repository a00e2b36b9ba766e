"""The night looks at the lengths of all calls that came in since a night last did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import cdr
from cdr.ingest import ingest
from cdr.settings import SourceSettings
from pipelines.nightly import STEPS, Night
from pipelines.runs import open_run

DAY_0 = datetime(2026, 9, 1, tzinfo=UTC)
PBX = SourceSettings(format="plain_csv", zone="UTC", country="DE")
HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)


def take_in(lake: cdr.Lake, folder: Path, day: int) -> None:
    """Take in one call of a day of September, on the evening of that day."""
    file = folder / f"{day}.csv"
    row = f"r{day},a1,030 1234567,+442079460000,2026-09-{day:02d} 12:00:00,60,answered\n"
    file.write_text(HEADER + row)
    now = DAY_0 + timedelta(days=day - 1, hours=20)
    ingest(lake, [file], source_name="pbx", source=PBX, now=now)


def days_looked_at(lake: cdr.Lake, day: int) -> int:
    """Do the step in the night after a day of September."""
    now = DAY_0 + timedelta(days=day, hours=2)
    of_day = (now - timedelta(days=1)).date()
    run = open_run(lake.home.runs, of_day)
    night = Night(lake, of_day, now, run, lambda _: None)
    days: int = run.step("lengths", lambda: STEPS["lengths"](night))["days"]
    run.finish()
    return days


def test_the_first_night_looks_at_all_days_and_others_at_what_came_since(
    lake: cdr.Lake, tmp_path: Path
) -> None:
    for day in (1, 2, 9):
        take_in(lake, tmp_path, day)
    assert days_looked_at(lake, 9) == 3
    take_in(lake, tmp_path, 20)
    assert days_looked_at(lake, 20) == 2  # and what came in shortly before the last look
    take_in(lake, tmp_path, 23)
    assert days_looked_at(lake, 29) == 2  # the night of the 23rd was missed
    assert days_looked_at(lake, 30) == 0
