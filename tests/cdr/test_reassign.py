"""Calls that found no account get the one that numbers say later, with its trail."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

import cdr
from cdr.errors import StorageFailed
from cdr.imports import import_numbers
from cdr.ingest import ingest
from cdr.lake.verify import verify
from cdr.reassign import SourceFound, compare, reassign, reassign_for_new_numbers
from cdr.renumber import renumber
from cdr.schema import CALL_HISTORY, CALLS, INGESTS
from cdr.settings import SourceSettings

NOW = datetime(2026, 9, 3, tzinfo=UTC)
LATER = datetime(2026, 9, 4, tzinfo=UTC)
PBX = SourceSettings(format="plain_csv", zone="UTC", country="DE", account_from="number")
SOURCES = {"pbx": PBX}
HEADER = "record_id,account_id,caller,callee,direction,started_at,duration_s,outcome\n"
ROWS = """\
out,,030 1234567,+442079460000,,2026-09-01 12:00:00,61,answered
in,,+442079460000,030 1234567,,2026-09-01 12:10:00,61,answered
both,,030 1234567,030 7654321,,2026-09-01 12:20:00,61,answered
strangers,,+442079460000,+33123456789,,2026-09-01 12:30:00,61,answered
before,,030 7654321,+442079460000,,2026-08-20 12:00:00,61,answered
after,,030 1234567,+442079460000,,2026-09-02 12:00:00,61,answered
said_out,,030 1234567,030 7654321,outbound,2026-09-01 12:40:00,61,answered
said_in,,030 1234567,030 7654321,inbound,2026-09-01 12:50:00,61,answered
said_out_to_us,,+442079460000,030 1234567,outbound,2026-09-01 13:00:00,61,answered
"""
NUMBERS = """\
account_id,number,valid_from,valid_to
a1,+49301234567,,2026-09-02T00:00:00Z
a2,+49307654321,2026-09-01T00:00:00Z,
"""
DECIDED = ("source_record_id", "account_id", "direction", "flags")


def opened(home: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=home), create=True)


def take_in(lake: cdr.Lake, rows: str = ROWS, source: SourceSettings = PBX) -> None:
    file = lake.home.root / "calls.csv"
    file.write_text(HEADER + rows)
    ingest(lake, [file], source_name="pbx", source=source, now=NOW)


def tell_numbers(lake: cdr.Lake, rows: str = NUMBERS) -> None:
    file = lake.home.root / "account_numbers.csv"
    file.write_text(rows)
    import_numbers(lake, file, now=LATER)


def decided(lake: cdr.Lake) -> list[tuple[object, ...]]:
    return lake.calls().select(DECIDED).collect().sort("source_record_id").rows()


def commit(lake: cdr.Lake) -> int:
    days = compare(lake, SOURCES).days
    return reassign(lake, SOURCES, days, now=LATER)


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> cdr.Lake:
    """Let numbers come after their calls."""
    lake = opened(tmp_path_factory.mktemp("late") / "home")
    take_in(lake)
    tell_numbers(lake)
    return lake


@pytest.fixture
def late(read_only: cdr.Lake, tmp_path: Path) -> cdr.Lake:
    """Give a copy that may be changed."""
    return opened(Path(shutil.copytree(read_only.home.root, tmp_path / "home")))


def test_numbers_that_come_late_say_what_they_would_have_said_before(
    late: cdr.Lake, tmp_path: Path
) -> None:
    early = opened(tmp_path / "early")
    tell_numbers(early)
    take_in(early)
    assert commit(late) == 5
    assert decided(late) == decided(early)
    assert {(name, account, way) for name, account, way, _ in decided(late)} == {
        ("out", "a1", "outbound"),
        ("in", "a1", "inbound"),
        ("both", "a1", "internal"),
        ("strangers", None, "outbound"),
        ("before", None, "outbound"),
        ("after", None, "outbound"),
        ("said_out", "a1", "outbound"),
        ("said_in", "a2", "inbound"),
        ("said_out_to_us", None, "outbound"),
    }


def test_the_report_counts_what_would_be_found_and_writes_nothing(read_only: cdr.Lake) -> None:
    before = lake_versions(read_only)
    report = compare(read_only, SOURCES)
    assert report.days == (date(2026, 9, 1),)
    assert report.found == 5
    assert report.sources == (SourceFound("pbx", "number", 9, 5, 2, 2, 1),)
    assert lake_versions(read_only) == before


def lake_versions(lake: cdr.Lake) -> list[int | None]:
    return [lake.version(table) for table in (CALLS, CALL_HISTORY, INGESTS)]


def test_earlier_versions_and_the_books_are_kept(late: cdr.Lake) -> None:
    commit(late)
    earlier = late.scan(CALL_HISTORY).collect()
    assert sorted(earlier["source_record_id"]) == ["both", "in", "out", "said_in", "said_out"]
    assert earlier["account_id"].null_count() == 5
    ledger = late.scan(INGESTS).filter(pl.col("state") == "reassigned").collect()
    assert ledger.select("source", "read", "corrected").rows() == [("pbx", 5, 5)]
    found = late.calls().filter(pl.col("account_id").is_not_null()).collect()
    assert set(found["ingest_id"]) == set(earlier["superseded_by"]) == set(ledger["ingest_id"])
    assert set(found["ingested_at"]) == {LATER}
    assert verify(late).faults == ()


def test_a_second_run_changes_nothing(late: cdr.Lake) -> None:
    commit(late)
    before = lake_versions(late)
    assert commit(late) == 0
    assert reassign(late, SOURCES, [date(2026, 9, 1)], now=LATER) == 0
    assert lake_versions(late) == before


def test_taking_the_file_in_again_undoes_nothing(late: cdr.Lake) -> None:
    commit(late)
    before = decided(late)
    take_in(late, ROWS + "\n")
    assert decided(late) == before


def test_a_call_that_has_an_account_keeps_it(late: cdr.Lake) -> None:
    commit(late)
    before = decided(late)
    tell_numbers(late, "account_id,number,valid_from,valid_to\na0,+49301234567,,\n")
    commit(late)
    changed = [row for row in decided(late) if row not in before]
    assert changed == [("after", "a0", "outbound", [])]  # which was nobody's


GIVEN_UP = """\
account_id,number,valid_from,valid_to
a1,+49301234567,,2026-08-25T00:00:00Z
a3,+49301234567,2026-08-25T00:00:00Z,
"""


def move(lake: cdr.Lake) -> int:
    days = compare(lake, SOURCES, moved=True).days
    return reassign(lake, SOURCES, days, now=LATER, moved=True)


def test_a_call_goes_to_who_held_its_number_where_that_is_asked(late: cdr.Lake) -> None:
    commit(late)
    before = decided(late)
    tell_numbers(late, GIVEN_UP)
    report = compare(late, SOURCES, moved=True)
    assert (report.found, report.moved) == (1, 4)
    assert decided(late) == before
    assert move(late) == 5
    assert [(*row[:2], row[2]) for row in decided(late) if row not in before] == [
        ("after", "a3", "outbound"),
        ("both", "a3", "internal"),
        ("in", "a3", "inbound"),
        ("out", "a3", "outbound"),
        ("said_out", "a3", "outbound"),
    ]
    assert move(late) == 0
    assert not verify(late).faults


def test_it_moves_back_with_every_version_kept(late: cdr.Lake) -> None:
    commit(late)
    before = decided(late)
    for rows in (GIVEN_UP, NUMBERS + "a3,+49301234567,2026-08-25T00:00:00Z,2026-08-25T00:00:01Z\n",
                 GIVEN_UP):  # fmt: skip
        tell_numbers(late, rows)
        move(late)
    assert {row[1] for row in decided(late) if row not in before} == {"a3"}
    kept = late.scan(CALL_HISTORY).filter(source_record_id="out").collect()
    assert sorted(kept["account_id"], key=str) == [None, "a1", "a1", "a3"]
    assert not verify(late).faults


@pytest.mark.parametrize(
    ("account", "numbers"),
    [
        ("by_code", GIVEN_UP),  # it never had the number: something else said whose call it is
        ("a1", NUMBERS + "a0,+49301234567,,\n"),  # it held the number, as another says it did
        ("a1", "account_id,number,valid_from,valid_to\na1,+49301234567,,2026-08-25T00:00:00Z\n"),
    ],
    ids=["not-by-number", "held-by-both", "now-nobodys"],
)
def test_who_is_not_contradicted_by_a_number_keeps_its_call(
    tmp_path: Path, account: str, numbers: str
) -> None:
    lake = opened(tmp_path / "home")
    row = f"out,{account},030 1234567,+442079460000,,2026-09-01 12:00:00,61,answered\n"
    take_in(lake, row, PBX.model_copy(update={"account_from": "code"}))
    tell_numbers(lake, numbers)
    assert compare(lake, SOURCES, moved=True).days == ()
    assert compare(lake, {"pbx": PBX.model_copy(update={"account_from": "code"})}, moved=True
                   ).days == ()  # fmt: skip


def test_a_night_leaves_them_and_says_which_days_a_number_overtook(late: cdr.Lake) -> None:
    commit(late)
    tell_numbers(late, GIVEN_UP)
    found = reassign_for_new_numbers(late, SOURCES, imported_since=LATER, now=LATER)
    assert found.overtaken == (date(2026, 9, 1),)
    assert "`callsieve lake reassign --moved --since 2026-09-01`" in found.concerns[0]
    assert "a3" not in {row[1] for row in decided(late) if row[0] != "after"}


def test_a_damaged_file_is_not_written_anew_as_if_it_were_whole_and_keeps_its_day_alone(
    late: cdr.Lake,
) -> None:
    tell_numbers(
        late, "account_id,number,valid_from,valid_to\na0,+49301234567,2026-09-02T00:00:00Z,\n"
    )
    (harmed,) = (f for f in late.files(CALLS) if f.partition["call_date"] == "2026-09-01")
    file = late.home.lake / "calls" / harmed.path
    content = bytearray(file.read_bytes())
    content[content.index(b"strangers")] ^= 1
    file.write_bytes(content)

    report = compare(late, SOURCES)
    assert (report.days, report.harmed) == ((date(2026, 9, 2),), (date(2026, 9, 1),))
    assert "2026-09-01" in report.concerns[0]
    assert commit(late) == 1
    with pytest.raises(StorageFailed, match="damaged"):
        reassign(late, SOURCES, report.harmed, now=LATER)
    assert harmed.path in {one.path for one in late.files(CALLS)}


def test_a_disk_that_fails_half_way_leaves_the_days_before_done(late: cdr.Lake) -> None:
    (gone,) = (f for f in late.files(CALLS) if f.partition["call_date"] == "2026-09-02")
    (late.home.lake / "calls" / gone.path).unlink()
    with pytest.raises(StorageFailed, match="the days before are done"):
        reassign(late, SOURCES, [date(2026, 9, 1), date(2026, 9, 2)], now=LATER)
    assert late.scan(CALLS, dates=[date(2026, 9, 1)]).collect()["account_id"].count() == 5


@pytest.mark.parametrize("way", ["code", "trunk", "none"])
def test_what_the_files_own_words_decide_is_not_overruled(read_only: cdr.Lake, way: str) -> None:
    others = {"pbx": PBX.model_copy(update={"account_from": way})}
    assert compare(read_only, others).found == 0
    assert reassign(read_only, others, [date(2026, 9, 1)], now=LATER) == 0


def test_a_setting_that_was_wrong_is_mended_too(tmp_path: Path) -> None:
    lake = opened(tmp_path / "h")
    take_in(lake, "r,,sip:ann@a.example,030 1234567,,2026-09-01 12:00:00,1,answered\n")
    by_user = {"pbx": PBX.model_copy(update={"account_from": "sip_user"})}
    assert reassign(lake, by_user, compare(lake, by_user).days, now=LATER) == 1
    assert decided(lake) == [("r", "ann", "outbound", [])]


def test_rows_that_a_law_keeps_for_one_purpose_stay(late: cdr.Lake) -> None:
    with late.batch("erase") as batch, late.writing():
        rows = late.calls().with_columns(kept_for=pl.lit("billing")).collect()
        batch.remove(CALLS, late.files(CALLS))
        batch.add(CALLS, rows)
        batch.publish()
    assert compare(late, SOURCES).found == 0


def test_calls_of_a_source_that_is_not_in_the_settings_stay_and_are_named(
    read_only: cdr.Lake,
) -> None:
    assert compare(read_only, {}).sources == (SourceFound("pbx", None, 9, 0, 0, 0, 0),)
    assert reassign(read_only, {}, [date(2026, 9, 1)], now=LATER) == 0


def test_only_days_that_new_numbers_reach_are_looked_at(late: cdr.Lake) -> None:
    def found(imported_since: datetime, since: date | None = None) -> int:
        return reassign_for_new_numbers(
            late, SOURCES, imported_since=imported_since, since=since, now=LATER
        ).found

    assert found(LATER.replace(hour=1)) == 0
    assert found(LATER, since=date(2026, 9, 2)) == 0
    assert found(LATER) == 5


def test_numbers_read_again_after_accounts_leave_no_key_twice(late: cdr.Lake) -> None:
    commit(late)
    with late.batch("ingest") as batch, late.writing():
        rows = late.calls().collect()
        batch.remove(CALLS, late.files(CALLS))
        batch.add(CALLS, rows.with_columns(callee_country=pl.lit("XX")))
        batch.publish()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cdr.renumber.NUMBERING_VERSION", "newer")
        patch.setattr("cdr.renumber._OLDER", pl.col("numbering_version") != "newer")
        assert renumber(late, SOURCES, now=LATER) == 9
    assert verify(late).faults == ()
