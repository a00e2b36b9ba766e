"""A source that is renamed, or whose zone is set right, has no call twice."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

import cdr
from cdr.imports import import_lists
from cdr.ingest import FileReport, decide, ingest, run
from cdr.ingest.elsewhere import Marks
from cdr.lake.verify import verify
from cdr.settings import SourceSettings

NOW = datetime(2026, 9, 5, tzinfo=UTC)
BERLIN = SourceSettings(format="plain_csv", zone="Europe/Berlin", country="DE")
TOKYO = BERLIN.model_copy(update={"zone": "Asia/Tokyo"})
HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"
NOON = "r1,a1,030 1234567,+442079460000,2026-09-01 12:00:00,61,answered\n"
NIGHT = "r2,a1,030 1234567,+442079460000,2026-09-02 01:30:00,5,answered\n"
NEXT = "r3,a1,030 1234567,+442079460000,2026-09-02 09:00:00,7,answered\n"


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    """Make a lake whose settings have two switches, with the calls of noon and night of one."""
    switches = {"sources": {"pbx": BERLIN, "proxy": BERLIN}}
    settings = cdr.load_settings(home=tmp_path / "home").model_copy(update=switches)
    made = cdr.open_lake(settings, create=True)
    take_in(made, NOON, NIGHT, name="pbx")
    return made


def take_in(lake: cdr.Lake, *rows: str, name: str, source: SourceSettings = BERLIN) -> FileReport:
    file = lake.home.inbox / "calls.csv"
    file.write_text(HEADER + "".join(rows))
    return ingest(lake, [file], source_name=name, source=source, now=NOW).files[0]


def starts(lake: cdr.Lake) -> dict[str, datetime]:
    calls = lake.calls().select("source_record_id", "started_at").collect()
    assert calls["source_record_id"].is_unique().all()
    return dict(calls.iter_rows())


@pytest.mark.parametrize("rows", [(NOON, NIGHT), (NOON, NIGHT, NEXT)], ids=["whole", "grown"])
def test_a_renamed_source_has_no_call_twice(lake: cdr.Lake, rows: tuple[str, ...]) -> None:
    report = take_in(lake, *rows, name="berlin")
    assert (report.duplicate, report.accepted) == (2, len(rows) - 2)
    assert report.elsewhere == {"pbx": 2}
    assert len(starts(lake)) == len(rows)
    assert not verify(lake).faults


def test_two_switches_of_the_settings_may_write_the_same(lake: cdr.Lake) -> None:
    report = take_in(lake, NOON, NIGHT, name="proxy")
    assert (report.accepted, report.elsewhere) == (2, {})


def test_a_switch_that_gets_its_entry_later_was_another_one(lake: cdr.Lake) -> None:
    """Where records have no ids, two switches may say the same by chance."""
    header, row = HEADER.removeprefix("record_id,"), NOON.removeprefix("r1,")
    file = lake.home.inbox / "calls.csv"
    file.write_text(header + row)
    found = []
    for name in ("plain_csv", "pbx"):
        report = ingest(lake, [file], source_name=name, source=BERLIN, now=NOW)
        found.append((report.total("accepted"), report.total("duplicate")))
    lake.settings.sources["plain_csv"] = BERLIN
    file.write_bytes(gzip.compress(file.read_bytes()))
    report = ingest(lake, [file], source_name="pbx", source=BERLIN, now=NOW)
    assert found == [(1, 0), (0, 1)]
    assert (report.total("accepted"), report.total("duplicate")) == (1, 0)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Europe/London", "Pacific/Honolulu"])
def test_a_zone_set_right_counts_for_new_calls_and_doubles_none(lake: cdr.Lake, zone: str) -> None:
    before = starts(lake)
    right = BERLIN.model_copy(update={"zone": zone})
    report = take_in(lake, NOON, NIGHT, NEXT, name="pbx", source=right)
    assert (report.duplicate, report.accepted, report.elsewhere) == (2, 1, {"pbx": 2})
    after = starts(lake)
    assert after.pop("r3") == datetime(2026, 9, 2, 9, tzinfo=ZoneInfo(zone))
    assert after == before
    assert not verify(lake).faults


def test_renamed_and_set_right_at_once_doubles_none(lake: cdr.Lake) -> None:
    report = take_in(lake, NIGHT, NEXT, name="tokyo", source=TOKYO)
    assert (report.duplicate, report.accepted, report.elsewhere) == (1, 1, {"pbx": 1})


def test_an_id_that_comes_again_with_other_content_is_another_call(lake: cdr.Lake) -> None:
    report = take_in(lake, NOON.replace("09-01", "09-02"), name="pbx")
    assert (report.accepted, report.elsewhere) == (1, {})
    assert lake.calls().select(pl.len()).collect().item() == 3


def test_ids_that_begin_anew_each_day_put_no_call_in_doubt(
    lake: cdr.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call in doubt is looked at one by one under the lock: that took ten times as long."""
    looked_at: list[int] = []
    monkeypatch.setattr(decide, "_decide_day", lambda *words: looked_at.append(words[3].sum()))
    report = take_in(
        lake, NOON.replace("09-01", "09-02"), NIGHT.replace("09-02", "09-03"), name="pbx"
    )
    assert (report.accepted, looked_at) == (2, [])


def test_each_day_of_the_lake_is_read_once_for_all_days_beside_it(
    lake: cdr.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [NOON.replace("09-01", f"08-{day}").replace("r1", f"d{day}") for day in range(10, 20)]
    take_in(lake, *days, name="pbx")
    read: list[Marks] = []
    marks_of = decide.marks_of
    monkeypatch.setattr(decide, "marks_of", lambda keys: read.append(marks_of(keys)) or read[-1])
    take_in(lake, *(day.replace("d1", "e1") for day in days), name="pbx")
    staged, held = len(days), len(days) + 2  # three for each day would be 30
    assert len(read) < staged + 2 * held


def test_only_names_of_switches_are_looked_for(
    lake: cdr.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each name is one more pass over the ids of three days."""
    file = lake.home.inbox / "lists.csv"
    file.write_text("list,entry\ntest_numbers,+4930901820\n")
    import_lists(lake, file, now=NOW)
    asked: list[list[str]] = []
    decided = run.decide
    monkeypatch.setattr(
        run, "decide", lambda *words, names: asked.append(names) or decided(*words, names=names)
    )
    take_in(lake, NEXT, name="berlin")
    assert asked == [["berlin", "pbx"]]
