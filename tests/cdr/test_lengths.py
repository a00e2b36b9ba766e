"""A length far beyond an account's habit, whose end nobody saw, is flagged before it counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import cdr
from cdr.ingest import ingest
from cdr.lake.verify import verify
from cdr.lengths import HABIT_CALLS, doubt_lengths, recent_days
from cdr.schema import CALLS
from cdr.settings import SourceSettings

NOW = datetime(2026, 9, 2, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
DAY = date(2026, 9, 1)
PBX = SourceSettings(format="plain_csv", zone="UTC", country="DE")
HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome,cause_code\n"


def call(number: int, account: str, day: str, duration_s: float, cause: str = "") -> str:
    return (
        f"r{number},{account},0301234567,+442079460000,{day} 01:00:00,{duration_s},answered,{cause}"
    )


HABIT = [call(n, "a1", f"2026-08-{2 + n % 28:02d}", 60 + n) for n in range(HABIT_CALLS)]
"""Calls of about a minute or two: their 99th percentile is 108.51 s."""

OF_THE_DAY = {
    "as long as a timer": (call(100, "a1", "2026-09-01", 3600), True),
    "within a second of a timer": (call(101, "a1", "2026-09-01", 7200.9), True),
    "ended by media that stopped": (call(102, "a1", "2026-09-01", 4321, "MEDIA_TIMEOUT"), True),
    "long, but somebody hung up": (call(103, "a1", "2026-09-01", 4321, "NORMAL_CLEARING"), False),
    "round, but short": (call(104, "a1", "2026-09-01", 1500), False),
    "of an account without a habit": (call(105, "a2", "2026-09-01", 3600), False),
}


def take_in(lake: cdr.Lake, folder: Path, rows: list[str]) -> None:
    file = folder / f"{len(rows)}.csv"
    file.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    ingest(lake, [file], source_name="pbx", source=PBX, now=NOW)


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)


def flags(lake: cdr.Lake) -> dict[str, list[str]]:
    calls = lake.calls().filter(pl.col("call_date") == DAY).collect()
    return dict(calls.select("source_record_id", "flags").iter_rows())


def test_only_what_is_far_beyond_the_habit_and_ended_by_nobody_is_doubted(
    lake: cdr.Lake, tmp_path: Path
) -> None:
    take_in(lake, tmp_path, [*HABIT, *(row for row, _ in OF_THE_DAY.values())])
    doubted = [row.partition(",")[0] for row, doubt in OF_THE_DAY.values() if doubt]

    assert doubt_lengths(lake, DAY, now=LATER) == len(doubted)

    arrived = lake.calls().filter(ingested_at=LATER).collect()["source_record_id"]
    assert sorted(arrived) == doubted  # so that their day is counted again
    assert flags(lake) == {
        row.partition(",")[0]: ["suspect_duration", "beyond_habit"] if doubt else []
        for row, doubt in OF_THE_DAY.values()
    }
    assert verify(lake).faults == ()


def test_a_second_run_changes_nothing(lake: cdr.Lake, tmp_path: Path) -> None:
    take_in(lake, tmp_path, [*HABIT, call(100, "a1", "2026-09-01", 3600)])
    doubt_lengths(lake, DAY, now=LATER)
    version = lake.version(CALLS)
    assert doubt_lengths(lake, DAY, now=LATER) == 0
    assert lake.version(CALLS) == version


@pytest.mark.parametrize(
    ("habit", "doubted"),
    [
        pytest.param(HABIT[1:], 0, id="one-call-too-few"),
        pytest.param([row.replace(",answered", ",busy") for row in HABIT], 0, id="none-answered"),
        pytest.param([row.replace("2026-08-", "2026-07-") for row in HABIT], 0, id="too-old"),
        pytest.param([*HABIT, call(90, "a1", "2026-08-20", 10_800)], 1, id="a-doubted-call-aside"),
        pytest.param([*HABIT, call(90, "a1", "2026-08-20", 10_000)], 0, id="used-to-long-calls"),
    ],
)  # fmt: skip
def test_a_habit_rests_on_enough_undoubted_calls_of_thirty_days(
    lake: cdr.Lake, tmp_path: Path, habit: list[str], doubted: int
) -> None:
    take_in(lake, tmp_path, [*habit, call(100, "a1", "2026-09-01", 3600)])
    assert doubt_lengths(lake, DAY, now=LATER) == doubted


@pytest.mark.parametrize(
    ("before", "duration_s", "doubted"),
    [
        pytest.param([], 3600, 1, id="new"),
        pytest.param([], 1800, 0, id="not-beyond-three-times-all-accounts"),
        pytest.param(
            [call(200, "new", "2026-08-30", 1300)], 3600, 0, id="its-own-calls-are-longer"
        ),
    ],
)
def test_for_an_account_of_few_calls_all_accounts_stand_in(
    lake: cdr.Lake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: list[str],
    duration_s: int,
    doubted: int,
) -> None:
    monkeypatch.setattr("cdr.lengths.COMMON_CALLS", HABIT_CALLS + 5)
    common = [call(300 + n, "a3", "2026-08-30", 700) for n in range(5)]
    take_in(lake, tmp_path, [*HABIT, *common, *before, call(100, "new", "2026-09-01", duration_s)])
    assert doubt_lengths(lake, DAY, now=LATER) == doubted


def test_days_that_calls_were_taken_in_for_are_looked_at(lake: cdr.Lake, tmp_path: Path) -> None:
    take_in(lake, tmp_path, [call(1, "a1", "2026-08-03", 60), call(2, "a1", "2026-09-01", 60)])
    assert recent_days(lake, since=NOW) == [date(2026, 8, 3), DAY]
    assert recent_days(lake, since=NOW + timedelta(seconds=1)) == []
