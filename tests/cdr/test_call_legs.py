"""One call, n legs: counted by call, completed by correction, every row with one fate."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import cdr
from cdr.formats import FORMATS
from cdr.formats.ribbon_act import FIELDS
from cdr.ingest import IngestReport, ingest
from cdr.schema import CALL_HISTORY
from cdr.settings import SourceSettings

NOW = datetime(2026, 9, 3, tzinfo=UTC)
FIXTURES = Path(__file__).parent / "formats" / "fixtures"
REFERENCE = Path(__file__).parents[3] / "shared" / "data" / "cdr_samples"


@pytest.fixture
def lake(tmp_path: Path) -> cdr.Lake:
    return cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)


def take_in(lake: cdr.Lake, name: str, file: Path) -> IngestReport:
    source = SourceSettings(format=name, zone="Europe/Berlin", country="DE")
    return ingest(lake, [file], source_name="s", source=source, now=NOW)


def asterisk(uniqueid: str, linkedid: str, sequence: int, dst: str, disposition: str) -> str:
    answer = '"2026-09-01 12:00:07"' if disposition == "ANSWERED" else ""
    return (
        f'"acme","+4930901820","{dst}","ctx","""A"" <100>","PJSIP/acme-0000001a","PJSIP/{dst}-1b",'
        f'"Dial","x","2026-09-01 12:00:00",{answer},"2026-09-01 12:01:07",67,60,"{disposition}",'
        f'"DOCUMENTATION","{uniqueid}","","","{linkedid}",{sequence}\n'
    )


CALLS = {
    # two phones of a ring group, one answers, then it is transferred to a third
    "asterisk_csv": asterisk("1788256800.1", "1788256800.1", 1, "200", "NO ANSWER")
    + asterisk("1788256800.1", "1788256800.1", 2, "201", "ANSWERED")
    + asterisk("1788256830.9", "1788256800.1", 3, "300", "ANSWERED")
    # and another call
    + asterisk("1788256900.4", "1788256900.4", 4, "200", "BUSY"),
    # a carrier that was busy, then another one; then another call
    "freeswitch_csv": "".join(
        f'"Jo","100","200","c","2026-09-01 12:00:00","{answer}","2026-09-01 12:01:07","67","60",'
        f'"{cause}","{uuid}","{bleg}","acme"\n'
        for uuid, bleg, answer, cause in (
            ("u1", "b1", "", "USER_BUSY"),
            ("u1", "b2", "2026-09-01 12:00:07", "NORMAL_CLEARING"),
            ("u1", "b3", "", "NO_ROUTE_DESTINATION"),
            ("u2", "b4", "", "NO_ANSWER"),
        )
    ),
    # a queue and the agent behind it share 3CX's history id; then another call
    "threecx": "".join(
        f"Call {call},{leg},00:01:00,2026/09/01 12:00:0{at},2026/09/01 12:00:07,"
        f"2026/09/01 12:01:07,TerminatedByDst,Ext.100,{to},,,{to},,,,acme,,,,Chain: x;\n"
        for call, leg, at, to in (
            (1, "c1", 0, "800"), (1, "c2", 1, "101"), (1, "c2", 2, "102"), (2, "c3", 3, "800")
        )
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CALLS))
def test_legs_and_attempts_of_a_call_share_its_id_and_calls_are_counted_by_it(
    lake: cdr.Lake, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "calls"
    file.write_text(CALLS[name])
    report = take_in(lake, name, file)
    assert [report.total(n) for n in ("read", "accepted", "rejected")] == [4, 4, 0]
    found = lake.calls().collect()
    assert found["record_id"].n_unique() == 4
    assert found["call_id"].n_unique() == 2
    counted = lake.connect("fraud").sql("SELECT count(DISTINCT call_id) FROM calls").fetchall()
    assert counted == [(2,)]


def ribbon(kind: str) -> str:
    places = {place: name for name, place in FIELDS[kind].items()}
    said = {
        "gateway": "G",
        "accounting_id": "0x1",
        "zone_label": "GMT+01:00-Berlin",
        "start_date": "09/01/2026",
        "start_time": "12:00:00.0",
        "stop_date": "09/01/2026",
        "stop_time": "12:01:07.0",
        "length_cs": "6000",
        "reason": "16",
        "calling": "100",
        "called": "200",
    }
    count = {"START": 172, "STOP": 223}[kind]
    return ",".join((kind, *(said.get(places.get(at, ""), "") for at in range(2, count + 1))))


BROADWORKS = FORMATS["broadworks_xml"].example
ENDINGS = {
    "ribbon_act": (ribbon("START"), ribbon("STOP")),
    "broadworks_xml": (
        BROADWORKS.replace(">Normal<", ">Start<").replace("20260901100107.000", ""),
        BROADWORKS,
    ),
    "cgrates_csv": (
        FORMATS["cgrates_csv"].example.replace("1m0s", "20s"),
        FORMATS["cgrates_csv"].example,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ENDINGS))
def test_what_completes_a_call_later_corrects_it_and_keeps_the_earlier_version(
    lake: cdr.Lake, tmp_path: Path, name: str
) -> None:
    first, last = tmp_path / "1", tmp_path / "2"
    for file, text in zip((first, last), ENDINGS[name], strict=True):
        file.write_text(text + "\n")
    assert take_in(lake, name, first).total("accepted") == 1
    assert take_in(lake, name, last).total("corrected") == 1
    assert lake.calls().collect()["duration_ms"].to_list() == [60_000]
    earlier = lake.scan(CALL_HISTORY).collect()["duration_ms"].to_list()
    assert earlier == [20_000 if name == "cgrates_csv" else None]


FILES = [
    ("asterisk_csv", FIXTURES / "asterisk_18.csv"),
    ("asterisk_csv", FIXTURES / "asterisk_21.csv"),
    ("asterisk_table", FIXTURES / "asterisk_table.csv"),
    ("freeswitch_json", FIXTURES / "freeswitch.jsonl"),
    ("freeswitch_json", FIXTURES / "freeswitch_document.json"),
    ("kamailio_acc", FIXTURES / "kamailio_acc.csv"),
    ("opensips_acc", FIXTURES / "opensips.csv"),
    ("plain_csv", FIXTURES / "plain.csv"),
    ("cisco_cucm", REFERENCE / "cisco_cucm" / "cdr.txt"),
    ("cisco_cucm", REFERENCE / "cisco_cucm" / "sample_cdr.txt"),
    ("ribbon_act", REFERENCE / "ribbon" / "start_stop_attempt.act"),
]


@pytest.mark.parametrize(
    ("name", "file"), [pytest.param(name, file, id=f"{name} {file.name}") for name, file in FILES]
)
def test_every_row_of_every_fixture_and_sample_has_one_fate(
    lake: cdr.Lake, name: str, file: Path
) -> None:
    if not file.exists():
        pytest.skip("the reference data are not there")
    (found,) = take_in(lake, name, file).files
    assert (found.state, found.read > 0) == ("done", True)
    assert found.read == found.accepted + found.duplicate + found.corrected + found.rejected
    kept = lake.calls().select(pl.col("source_rows").sum()).collect().item()
    assert kept + _rows_of_history(lake) == found.accepted + found.corrected


def _rows_of_history(lake: cdr.Lake) -> int:
    return int(lake.scan(CALL_HISTORY).select(pl.col("source_rows").sum()).collect().item() or 0)
