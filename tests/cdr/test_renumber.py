"""Numbers read again with newer metadata: a report first, then the change, with its trail."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

import cdr
from cdr.ingest import ingest
from cdr.lake.verify import verify
from cdr.normalise.numbers import NUMBERING_VERSION
from cdr.renumber import Difference, compare, renumber
from cdr.schema import CALL_HISTORY, CALLS, INGESTS
from cdr.settings import SourceSettings

NOW = datetime(2026, 9, 2, tzinfo=UTC)
LATER = datetime(2026, 10, 2, tzinfo=UTC)
PBX = SourceSettings(format="plain_csv", zone="UTC", country="DE")
OLD = "phonenumbers of old"
ROWS = """\
record_id,account_id,caller,callee,started_at,duration_s,outcome
r1,a1,030 1234567,+442079460000,2026-09-01 12:00:00,61,answered
r2,a1,030 1234567,089 123456,2026-09-01 12:05:00,,busy
r3,a2,anonymous,+442079460001,2026-09-01 13:00:00,5,answered
"""


def take_in(lake: cdr.Lake, folder: Path, rows: str = ROWS, source: str = "pbx") -> None:
    file = folder / f"{source}.csv"
    file.write_text(rows)
    ingest(lake, [file], source_name=source, source=PBX, now=NOW)


def age(lake: cdr.Lake, **wrong: pl.Expr) -> None:
    """Let the calls look as older metadata read them."""
    with lake.batch("ingest") as batch, lake.writing():
        files = lake.files(CALLS)
        rows = lake.calls().collect()
        rows = rows.with_columns(**{"numbering_version": pl.lit(OLD), **wrong})
        batch.remove(CALLS, files)
        batch.add(CALLS, rows)
        batch.publish()


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    """Three calls; older metadata took the two to London for calls to France, unallocated."""
    made = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    take_in(made, tmp_path)
    london = pl.col("callee_country") == "GB"
    age(
        made,
        callee_country=pl.when(london).then(pl.lit("FR")).otherwise("callee_country"),
        flags=pl.when(london).then(pl.lit(["unallocated_callee"])).otherwise("flags"),
    )
    return made


def test_the_report_counts_what_would_change_with_masked_examples(lake: cdr.Lake) -> None:
    before = lake.version(CALLS)
    report = compare(lake, {"pbx": PBX})
    assert (report.version, report.read, report.changed) == (NUMBERING_VERSION, 3, 2)
    assert report.differences == (
        Difference("callee_country", "FR", "GB", 2, "+442xxxxxxxxx"),
        Difference("flags", "unallocated_callee", None, 2, "+442xxxxxxxxx"),
    )
    assert lake.version(CALLS) == before


def test_of_numbers_and_parties_the_report_says_only_whether_there_is_one(
    lake: cdr.Lake,
) -> None:
    german = pl.col("callee_number") == "+4989123456"
    age(
        lake,
        callee_country=pl.when(german).then(pl.lit("DE")).otherwise(pl.lit("GB")),
        flags=pl.lit([], dtype=pl.List(pl.String)),
        callee_number=pl.when(german).then(None).otherwise("callee_number"),
        callee_party=pl.when(german).then(pl.lit("089123456")),
        caller_number=pl.when(german).then(pl.lit("+4930")).otherwise("caller_number"),
    )
    report = compare(lake, {"pbx": PBX})
    assert report.changed == 1
    assert report.differences == (
        Difference("callee_number", None, "a value", 1, "089 xxxxxx"),
        Difference("callee_party", "a value", None, 1, "089 xxxxxx"),
        Difference("caller_number", "a value", "another value", 1, "030 xxxxxxx"),
    )


def test_a_day_in_several_files_has_one_row_in_the_ledger(lake: cdr.Lake) -> None:
    with lake.batch("ingest") as batch, lake.writing():
        rows = lake.calls().collect()
        batch.remove(CALLS, lake.files(CALLS))
        batch.add(CALLS, rows.head(1))
        batch.add(CALLS, rows.tail(2))
        batch.publish()
    assert renumber(lake, {"pbx": PBX}, now=LATER) == 2
    ledger = lake.scan(INGESTS).filter(pl.col("state") == "renumbered").collect()
    assert ledger.select("source", "corrected").rows() == [("pbx", 2)]
    assert verify(lake).faults == ()


def test_a_damaged_day_is_passed_over_and_named(lake: cdr.Lake, tmp_path: Path) -> None:
    take_in(lake, tmp_path, ROWS.replace("2026-09-01", "2026-09-02"), source="other")
    age(lake, callee_country=pl.lit("FR"))
    (harmed,) = (f for f in lake.files(CALLS) if f.partition["call_date"] == "2026-09-02")
    (lake.home.lake / "calls" / harmed.path).write_bytes(b"")
    sources = {"pbx": PBX, "other": PBX}
    report = compare(lake, sources)
    assert (report.read, report.harmed) == (3, (date(2026, 9, 2),))
    assert "2026-09-02" in report.concerns[0]
    assert renumber(lake, sources, now=LATER, besides=report.harmed) == 3


def test_the_change_keeps_the_earlier_version_and_the_books(lake: cdr.Lake) -> None:
    assert renumber(lake, {"pbx": PBX}, now=LATER) == 2

    calls = lake.calls().collect().sort("source_record_id")
    assert calls["callee_country"].to_list() == ["GB", "DE", "GB"]
    assert calls["flags"].to_list() == [[], [], []]
    assert calls["numbering_version"].unique().to_list() == [NUMBERING_VERSION]
    assert calls["ingested_at"].to_list() == [LATER, NOW, LATER]
    earlier = lake.scan(CALL_HISTORY).collect()
    assert earlier["source_record_id"].sort().to_list() == ["r1", "r3"]
    assert earlier["callee_country"].to_list() == ["FR", "FR"]
    assert earlier["superseded_by"].unique().to_list() == calls["ingest_id"][0:1].to_list()
    ledger = lake.scan(INGESTS).filter(pl.col("state") == "renumbered").collect()
    assert ledger.select("source", "read", "corrected").rows() == [("pbx", 2, 2)]
    assert verify(lake).faults == ()


def test_a_second_run_finds_nothing_to_do(lake: cdr.Lake) -> None:
    renumber(lake, {"pbx": PBX}, now=LATER)
    version = lake.version(CALLS)
    assert renumber(lake, {"pbx": PBX}, now=LATER) == 0
    assert compare(lake, {"pbx": PBX}).read == 0
    assert lake.version(CALLS) == version


def test_versions_of_twice_newer_metadata_are_all_kept(lake: cdr.Lake) -> None:
    renumber(lake, {"pbx": PBX}, now=LATER)
    age(lake, callee_country=pl.lit("IT"), numbering_version=pl.lit("phonenumbers between"))
    renumber(lake, {"pbx": PBX}, now=LATER)
    kept = lake.scan(CALL_HISTORY).filter(pl.col("source_record_id") == "r1").collect()
    assert sorted(kept["callee_country"]) == ["FR", "IT"]
    assert verify(lake).faults == ()


def test_taking_the_file_in_again_undoes_nothing(lake: cdr.Lake, tmp_path: Path) -> None:
    renumber(lake, {"pbx": PBX}, now=LATER)
    file = tmp_path / "again.csv"
    file.write_text(ROWS + "\n")
    report = ingest(lake, [file], source_name="pbx", source=PBX, now=LATER)
    assert report.total("duplicate") == report.total("read") == 3


def test_calls_of_a_source_that_is_not_in_the_settings_stay(lake: cdr.Lake) -> None:
    assert compare(lake, {}).left == {"pbx": 3}
    assert renumber(lake, {}, now=LATER) == 0
    assert lake.calls().collect()["numbering_version"].unique().to_list() == [OLD]


def test_what_retention_took_away_does_not_come_back(lake: cdr.Lake) -> None:
    age(lake, caller_raw=pl.lit(None, pl.String), caller_party=pl.lit(None, pl.String))
    renumber(lake, {"pbx": PBX}, now=LATER)
    calls = lake.calls().collect().sort("source_record_id")
    assert calls["caller_number"].to_list() == ["+49301234567", "+49301234567", None]
    assert calls["caller_raw"].null_count() == calls["caller_party"].null_count() == 3


def test_a_call_that_other_metadata_read_the_same_has_no_earlier_version(
    lake: cdr.Lake, tmp_path: Path
) -> None:
    renumber(lake, {"pbx": PBX}, now=LATER)
    age(lake)
    assert renumber(lake, {"pbx": PBX}, now=LATER) == 0
    assert lake.calls().collect()["numbering_version"].unique().to_list() == [NUMBERING_VERSION]
    assert lake.scan(CALL_HISTORY).collect().height == 2
