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


IDS = ("1788256800.40", "pbx-1788256800.41")


@pytest.mark.parametrize("account", [True, False], ids=["accountcode", "no-accountcode"])
@pytest.mark.parametrize("uniqueid", [True, False], ids=["uniqueid", "no-uniqueid"])
@pytest.mark.parametrize("userfield", [True, False], ids=["userfield", "no-userfield"])
@pytest.mark.parametrize("new", [True, False], ids=["new-columns", "no-new-columns"])
def test_every_set_of_columns_is_told_by_what_stands_in_it(
    read: Read, account: bool, uniqueid: bool, userfield: bool, new: bool
) -> None:
    always = row().decode().strip().rsplit(",", 2)[0]
    lines = [
        (always if account else always.removeprefix('"acme",'))
        + (f',"{each}"' if uniqueid else "")
        + (',"vip"' if userfield else "")
        + (f',"peer","l1",{number}' if new else "")
        for number, each in enumerate(IDS, start=7)
    ]
    found = read("asterisk_csv", "".join(f"{line}\n" for line in lines).encode())
    assert (
        found.select("faults", "caller", "callee", "outcome", "started").rows()
        == [([], "100", "200", "answered", "2026-09-01 12:00:00")] * 2
    )
    assert found["account_code"].to_list() == ["acme" if account else None] * 2
    ids = [f"{each}-{number}" if new else each for number, each in enumerate(IDS, start=7)]
    assert found["source_record_id"].to_list() == (ids if uniqueid else [None, None])
    expected = ["l1", "l1"] if new else IDS if uniqueid else [None, None]
    assert found["call_id"].to_list() == list(expected)


def test_ids_of_another_make_are_ids_as_long_as_none_comes_twice(read: Read) -> None:
    one, two = row(uniqueid="u1"), row(uniqueid="u2")
    without_field = [line.removesuffix(b',""\n') + b"\n" for line in (one, two)]
    found = read("asterisk_csv", b"".join(without_field))
    assert found["source_record_id"].to_list() == ["u1", "u2"]
    found = read("asterisk_csv", without_field[0] * 2)
    assert found["source_record_id"].to_list() == [None, None]


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


def test_a_last_row_that_may_lack_digits_of_its_name_is_cut_short(read: Read) -> None:
    new = row().rstrip(b"\n") + b',"peer","1788256800.20",71\n'
    assert read("asterisk_csv", new * 2)["faults"].to_list() == [[], []]
    for cut in (b"1\n", b"\n"):
        found = read("asterisk_csv", new + new.removesuffix(cut))
        assert found["faults"].to_list() == [[], ["cut_short"]]


@pytest.mark.parametrize("data", [b"a,b,c\n1,2,3\n", b"hello\n", row()[:150]])
def test_a_file_of_another_kind_is_refused(read: Read, data: bytes) -> None:
    with pytest.raises(FormatError, match="15 to 21 columns"):
        read("asterisk_csv", data)


@pytest.mark.parametrize("clid", ['"""Ann"" <100>"', '"100"'])
@pytest.mark.parametrize("sequence", ["", ",26"])
def test_cdr_custom_as_delivered_begins_with_the_caller_id(
    read: Read, clid: str, sequence: str
) -> None:
    line = (
        f'{clid},"100","200","ctx","PJSIP/acme-0000001a","PJSIP/b-0000001b","Dial","x,60",'
        '"2026-09-01 12:00:00","2026-09-01 12:00:07","2026-09-01 12:01:07","67","60","ANSWERED",'
        f'"DOCUMENTATION","acme","1788256800.26",""{sequence}\n'
    )
    found = read("asterisk_csv", line.encode())
    said = ("faults", "caller", "callee", "account_code", "call_id", "source_record_id")
    row_id = "1788256800.26" + sequence.replace(",", "-")
    assert found.select(said).row(0) == ([], "100", "200", "acme", "1788256800.26", row_id)


@pytest.mark.parametrize("clid", ['"""Ann"" <100>"', '"100"'])
def test_a_build_without_account_code_has_as_many_columns(read: Read, clid: str) -> None:
    line = (
        f'"100","200","ctx",{clid},"PJSIP/acme-0000001a","PJSIP/b-0000001b","Dial","x,60",'
        '"2026-09-01 12:00:00","2026-09-01 12:00:07","2026-09-01 12:01:07",67,60,"ANSWERED",'
        '"DOCUMENTATION","","1788256800.26",26\n'
    )
    found = read("asterisk_csv", line.encode())
    assert found.select("faults", "caller", "callee", "call_id").row(0) == (
        [], "100", "200", "1788256800.26",
    )  # fmt: skip
