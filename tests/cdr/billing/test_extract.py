"""What an extract promises: the same bytes, a manifest that vouches, nothing half-done."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from small_books import (
    LATER,
    call,
    calls_into,
    customers,
    deck_into,
    filled,
    read_csv,
)

import cdr
from cdr.billing.extract import extract
from cdr.billing.files import Format, TableFile
from cdr.billing.lines import CALL_COLUMNS
from cdr.billing.periods import Period
from cdr.billing.sealing import seal
from cdr.errors import LakeBusy, WrongUse
from cdr.schema import CALLS, Purpose

OCTOBER = Period(2026, 10)


def fill(lake: cdr.Lake, folder: Path) -> None:
    customers(lake, folder)
    deck_into(lake, folder)()
    calls_into(lake, folder)(
        call(1, "2026-10-01 08:00:00", "61"),
        call(2, "2026-10-02 09:00:00", "30", account_id="a2"),
        call(3, "2026-10-02 09:00:00", "30", "+33144567890"),
    )


@pytest.fixture
def october(shelf: Path, tmp_path: Path) -> cdr.Lake:
    return filled(shelf, "extract", tmp_path, fill)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("form", list(Format))
def test_the_same_extract_again_is_the_same_bytes(
    october: cdr.Lake, tmp_path: Path, form: Format
) -> None:
    extract(october, OCTOBER, tmp_path / "one", form=form, now=LATER)
    first = contents(tmp_path / "one")
    extract(october, OCTOBER, tmp_path / "one", form=form, now=LATER.replace(year=2028))
    extract(october, OCTOBER, tmp_path / "two", form=form, now=LATER)
    assert contents(tmp_path / "one") == contents(tmp_path / "two") == first


@pytest.mark.parametrize("form", list(Format))
def test_sealing_changes_no_line(october: cdr.Lake, tmp_path: Path, form: Format) -> None:
    extract(october, OCTOBER, tmp_path / "open", form=form, now=LATER)
    seal(october, OCTOBER, now=LATER)
    extract(october, OCTOBER, tmp_path / "sealed", form=form, now=LATER)
    before, after = contents(tmp_path / "open"), contents(tmp_path / "sealed")
    assert before.pop("manifest.json") != after.pop("manifest.json")
    assert before == after


def test_the_manifest_vouches_for_each_file(october: cdr.Lake, tmp_path: Path) -> None:
    extract(october, OCTOBER, tmp_path / "out", form=Format.CSV, now=LATER)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    files = {file["name"]: file for file in manifest["files"]}
    found = {f.name for f in (tmp_path / "out").iterdir()} - {"manifest.json"}
    assert found == files.keys()
    for name, file in files.items():
        content = (tmp_path / "out" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert content.count(b"\r\n") - 1 == file["rows"]
    assert read_csv(tmp_path / "out" / "trailer.csv").select("name", "rows").rows()[0] == (
        "lines.csv",
        "2",
    )
    assert manifest["unpriced"] == {"no_rate": 1}
    assert (manifest["totals"][0]["amount"], manifest["legs"]) == ("0.460000", 3)
    assert manifest["decks"].keys() == {"retail"}


def test_parquet_and_json_lines_say_what_csv_says(october: cdr.Lake, tmp_path: Path) -> None:
    for form in Format:
        extract(october, OCTOBER, tmp_path / form, form=form, now=LATER)
    in_csv = read_csv(tmp_path / "csv" / "lines.csv")
    in_json = pl.read_ndjson(tmp_path / "jsonl" / "lines.jsonl")
    in_parquet = pl.read_parquet(tmp_path / "parquet" / "lines.parquet")
    assert in_json["amount"].to_list() == in_csv["amount"].to_list()
    assert in_parquet.schema["amount"] == pl.Decimal(18, 6)
    assert [str(a) for a in in_parquet["amount"]] == in_csv["amount"].to_list()


def test_only_the_accounts_asked_for_with_the_same_line_numbers(
    october: cdr.Lake, tmp_path: Path
) -> None:
    extract(october, OCTOBER, tmp_path / "all", form=Format.CSV, now=LATER)
    extract(october, OCTOBER, tmp_path / "a2", form=Format.CSV, now=LATER, accounts=["a2"])
    whole = read_csv(tmp_path / "all" / "lines.csv").filter(pl.col("account_id") == "a2")
    assert read_csv(tmp_path / "a2" / "lines.csv").equals(whole)
    with pytest.raises(WrongUse, match="not in the accounts table"):
        extract(october, OCTOBER, tmp_path / "a3", form=Format.CSV, now=LATER, accounts=["a3"])


def test_another_format_leaves_no_file_of_the_one_before(october: cdr.Lake, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    for form in (Format.CSV, Format.JSONL):
        extract(october, OCTOBER, tmp_path / "out", form=form, now=LATER)
    endings = {f.suffix for f in (tmp_path / "out").iterdir()}
    assert endings == {".jsonl", ".json", ".txt"}


def test_a_folder_of_another_period_is_left_alone(october: cdr.Lake, tmp_path: Path) -> None:
    extract(october, OCTOBER, tmp_path / "out", form=Format.CSV, now=LATER)
    with pytest.raises(WrongUse, match="another period"):
        extract(october, Period(2026, 11), tmp_path / "out", form=Format.CSV, now=LATER)


def test_an_extract_that_stops_half_way_has_no_manifest(october: cdr.Lake, tmp_path: Path) -> None:
    extract(october, OCTOBER, tmp_path / "out", form=Format.CSV, now=LATER)
    (tmp_path / "out" / "totals.jsonl").mkdir()
    with pytest.raises(WrongUse, match=r"a folder named totals\.jsonl"):
        extract(october, OCTOBER, tmp_path / "out", form=Format.JSONL, now=LATER)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_file_in_the_place_of_the_folder_is_refused(october: cdr.Lake, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(WrongUse, match="name a folder"):
        extract(october, OCTOBER, tmp_path / "out", form=Format.CSV, now=LATER)


def test_a_period_that_is_not_over_is_refused(october: cdr.Lake, tmp_path: Path) -> None:
    end = datetime(2026, 10, 31, 23, tzinfo=UTC)
    with pytest.raises(WrongUse, match="not over yet"):
        extract(october, OCTOBER, tmp_path / "out", form=Format.CSV, now=end.replace(hour=22))
    assert not (tmp_path / "out" / "manifest.json").exists()
    extract(october, OCTOBER, tmp_path / "out", form=Format.CSV, now=end)


def test_one_job_of_billing_at_a_time(october: cdr.Lake, tmp_path: Path) -> None:
    with october.home.alone("billing"), pytest.raises(LakeBusy):
        extract(october, OCTOBER, tmp_path / "out", form=Format.CSV, now=LATER)


def test_a_period_without_calls_is_an_extract_without_lines(
    october: cdr.Lake, tmp_path: Path
) -> None:
    for form in Format:
        done = extract(october, Period(2026, 1), tmp_path / form, form=form, now=LATER)
        assert done.manifest["totals"] == []
    header = (tmp_path / "csv" / "lines.csv").read_bytes()
    assert header.startswith(b"line,kind,")
    assert header.count(b"\r\n") == 1


def test_billing_reads_only_columns_of_its_purpose() -> None:
    assert set(CALL_COLUMNS) <= set(CALLS.columns_of(Purpose.BILLING))
    assert not any("ip" in name.split("_") for name in CALL_COLUMNS)


def test_text_that_a_spreadsheet_would_run_is_made_harmless(tmp_path: Path) -> None:
    file = TableFile("t", tmp_path, Format.CSV)
    texts = ["=1+1", "+cmd", "-x", "@a", "\tx", 'a"b,c', "plain", None]
    file.add(pl.DataFrame({"destination": texts, "number": ["+4930"] * len(texts)}))
    file.close()
    assert (tmp_path / "t.csv").read_bytes() == (
        b"destination,number\r\n'=1+1,+4930\r\n'+cmd,+4930\r\n'-x,+4930\r\n'@a,+4930\r\n"
        b'\'\tx,+4930\r\n"a""b,c",+4930\r\nplain,+4930\r\n,+4930\r\n'
    )
