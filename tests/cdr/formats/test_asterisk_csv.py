from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from cdr.errors import FormatError

Read = Callable[..., pl.DataFrame]

ROW = (
    '"acme","{src}","200","ctx","{clid}","{channel}","PJSIP/{to}-0000001b","Dial","x,60",'
    '"2026-09-01 12:00:00","{answer}","2026-09-01 12:01:07",67,{billsec},"{disposition}",'
    '"DOCUMENTATION","{uniqueid}",""'
)
USUAL = {
    "src": "100",
    "clid": '""A"" <100>',
    "channel": "PJSIP/acme-0000001a",
    "to": "carrier",
    "answer": "2026-09-01 12:00:07",
    "billsec": "60",
    "disposition": "ANSWERED",
    "uniqueid": "1788256800.26",
}


def row(**said: str) -> bytes:
    return (ROW.format(**USUAL | said) + "\n").encode()


def test_a_row_in_full(read: Read) -> None:
    (record,) = read("asterisk_csv", row()).drop("raw").rows(named=True)
    assert record == {
        "line": 1,
        "source_rows": 1,
        "faults": [],
        "source_record_id": "1788256800.26",
        "call_id": "1788256800.26",
        "leg": 0,
        "account_code": "acme",
        "trunk": "acme",
        "direction": None,
        "media": None,
        "caller": "100",
        "callee": "200",
        "caller_ip": None,
        "callee_ip": None,
        "forwarded_to": None,
        "started": "2026-09-01 12:00:00",
        "answered": "2026-09-01 12:00:07",
        "ended": "2026-09-01 12:01:07",
        "duration": "60",
        "elapsed": None,
        "outcome": "answered",
        "cause_code": "ANSWERED",
        "proof_epoch_s": "1788256800",
        "flags": [],
    }


def test_the_quirks_of_18_columns(read: Read) -> None:
    found = read("asterisk_csv", "asterisk_18.csv")
    assert found.select("line", "faults", "outcome", "duration", "flags").rows() == [
        (1, [], "answered", "60", []),
        (2, [], "no_answer", None, []),
        (3, [], "answered", "30", []),
        (4, [], "no_answer", None, []),
        (5, [], "no_answer", None, ["billed_unanswered"]),
        (6, [], "failed", None, []),
        (7, ["unknown_disposition"], None, None, ["billed_unanswered"]),
        (8, [], "busy", None, []),
        (9, ["broken_quotes"], None, None, []),
        (10, ["broken_quotes"], None, None, []),
        (11, [], "failed", None, []),
    ]
    assert found["caller"][5] == "+4930901821"  # out of clid, src is empty
    assert found["caller"][7] == '+49 "30" 901'
    assert found["trunk"][7] == "200@office"


def test_phones_of_a_ring_group_are_legs_and_a_repeated_row_is_none(read: Read) -> None:
    found = read("asterisk_csv", "asterisk_18.csv")
    group = found.filter(pl.col("source_record_id") == "1788256860.27")
    assert group.select("line", "leg").rows() == [(2, 0), (3, 1), (4, 0)]


def test_with_a_sequence_the_id_names_the_row_and_linkedid_the_call(read: Read) -> None:
    found = read("asterisk_csv", "asterisk_21.csv")
    assert found.select("faults", "source_record_id", "call_id", "leg").rows() == [
        ([], "1788256800.40-71", "1788256800.40", 0),
        ([], "1788256800.41-72", "1788256800.40", 0),
        ([], "1788256800.41-73", "1788256800.40", 0),
        (["wrong_column_count"], None, None, 0),
    ]


@pytest.mark.parametrize(
    ("columns", "record_id", "call_id"),
    [
        (15, None, None),
        (16, None, None),
        (17, "u1", "u1"),
        (18, "u1", "u1"),
        (19, None, "l1"),
        (20, "u1-7", "l1"),
        (21, "u1-7", "l1"),
    ],
)
def test_the_number_of_columns_says_which_they_are(
    read: Read, columns: int, record_id: str | None, call_id: str | None
) -> None:
    always = row().decode().strip().rsplit(",", 2)[0]
    more = {
        16: "",
        17: ',"u1"',
        18: ',"u1","field"',
        19: ',"peer","l1",7',
        20: ',"u1","peer","l1",7',
        21: ',"u1","field","peer","l1",7',
    }
    written = always.removeprefix('"acme",') if columns == 15 else always + more[columns]
    (record,) = read("asterisk_csv", written.encode()).rows(named=True)
    assert (record["faults"], record["outcome"]) == ([], "answered")
    assert (record["source_record_id"], record["call_id"]) == (record_id, call_id)


def test_the_epoch_second_is_found_behind_a_host_name(read: Read) -> None:
    ids = ("1788256800.26", "pbx-2-1788256800.26", "pbx", "1788256800", "x1788256800.26")
    found = read("asterisk_csv", b"".join(row(uniqueid=each) for each in ids))
    assert found["proof_epoch_s"].to_list() == ["1788256800", "1788256800", None, None, None]


def test_a_bad_byte_matters_only_where_it_is_used(read: Read) -> None:
    in_name = row(clid='""M\xfcller"" <100>').decode().encode("latin-1")
    in_number = row(src="100\xff").decode().encode("latin-1")
    found = read("asterisk_csv", in_name + in_number)
    assert found["faults"].to_list() == [[], ["not_utf8"]]


def test_a_missing_start_is_a_fault(read: Read) -> None:
    found = read("asterisk_csv", row().replace(b"2026-09-01 12:00:00", b""))
    assert found["faults"].to_list() == [["no_start_time"]]


def test_half_a_last_row_is_cut_short(read: Read) -> None:
    found = read("asterisk_csv", row() + row()[:150])
    assert found["faults"].to_list() == [[], ["cut_short"]]


@pytest.mark.parametrize("data", [b"a,b,c\n1,2,3\n", b"hello\n", row()[:150]])
def test_a_file_of_another_kind_is_refused(read: Read, data: bytes) -> None:
    with pytest.raises(FormatError, match="15 to 21 columns"):
        read("asterisk_csv", data)
