"""Cisco's flat files: types that are no data, addresses that are numbers, CMR files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cdr.errors import FormatError
from cdr.formats import FORMATS

Read = Callable[..., pl.DataFrame]
SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "cdr_samples" / "cisco_cucm"
NAMES, TYPES, ROW = FORMATS["cisco_cucm"].example.split("\n")


def row(**said: str) -> str:
    names = [name.strip('"') for name in NAMES.split(",")]
    values = dict(zip(names, ROW.split(","), strict=True)) | said
    return ",".join(values[name] for name in names)


def file(*rows: str) -> bytes:
    return "\n".join((NAMES, TYPES, *rows)).encode()


def test_a_call_in_full(read: Read) -> None:
    (record,) = read("cisco_cucm", file(row())).rows(named=True)
    said = {name: value for name, value in record.items() if value not in (None, [])}
    assert said.pop("raw") == row()
    assert said == {
        "line": 3,
        "source_rows": 1,
        "source_record_id": "ed56fecd-bd2d-48d4-ae03-7ee3766d6048",
        "call_id": "2-12345-cluster1",
        "leg": 0,
        "caller": "+4930901820",
        "callee": "+442079460018",
        "caller_ip": "192.0.2.10",
        "started": "1788256800",
        "answered": "1788256807",
        "ended": "1788256867",
        "duration": "60",
        "outcome": "answered",
        "cause_code": "0",
    }


def test_an_address_may_be_negative_or_not_there(read: Read) -> None:
    rows = [row(origIpAddr=number) for number in ("239138826", "-1062731519", "0", "")]
    found = read("cisco_cucm", file(*rows))
    assert found["caller_ip"].to_list() == ["10.248.64.14", "1.1.168.192", None, None]


def test_what_else_rows_may_be(read: Read) -> None:
    rows = (
        row(dateTimeConnect="0", destCause_value="17", duration="0"),
        row(dateTimeConnect="0", destCause_value="0", origCause_value="0"),
        row(finalCalledPartyNumber="300"),  # forwarded
        row(callingPartyNumber="b0021790", lastRedirectRedirectOnBehalfOf="27"),
        row(cdrRecordType="2"),
        row(destVideoCap_Codec="103"),
    )
    found = read("cisco_cucm", file(*rows))
    assert found.select("faults", "outcome", "duration", "forwarded_to", "media").rows() == [
        ([], "busy", None, None, None),
        ([], "no_answer", None, None, None),
        ([], "answered", "60", "300", None),
        (["recording_leg"], "answered", "60", None, None),
        (["not_a_cdr"], "answered", "60", None, None),
        ([], "answered", "60", None, "video"),
    ]


def test_a_file_with_types_only_has_the_columns_in_ciscos_order(read: Read) -> None:
    data = f"{TYPES},INTEGER\n{row()},7\n".encode()
    assert read("cisco_cucm", data).select("line", "faults", "outcome").rows() == [
        (2, [], "answered")
    ]


def test_files_joined_into_one_have_their_names_and_types_set_aside(read: Read) -> None:
    found = read("cisco_cucm", file(row(), NAMES, TYPES, row(pkid="2"), ""))
    assert found.select("line", "source_record_id", "faults").rows()[1:] == [
        (4, None, ["header_repeated"]),
        (5, None, ["header_repeated"]),
        (6, "2", []),
    ]


def test_a_file_of_call_quality_is_named(read: Read) -> None:
    with pytest.raises(FormatError, match="is a CMR file"):
        read("cisco_cucm", b'"cdrRecordType","varVQMetrics"\nINTEGER,VARCHAR(600)\n2,x\n')
    with pytest.raises(FormatError, match="is a CMR file"):
        read("cisco_cucm", b"INTEGER,STRING\n2,x\n")
    with pytest.raises(FormatError, match="neither Cisco's line of names nor"):
        read("cisco_cucm", b"1,2,3\n")


def test_a_header_that_names_a_column_twice_is_refused(read: Read) -> None:
    with pytest.raises(FormatError, match="the header has pkid more than once"):
        read("cisco_cucm", f'{NAMES},"pkid"\n{TYPES},STRING\n{row()},x\n'.encode())


def test_real_files(read: Read) -> None:
    if not SAMPLES.is_dir():
        pytest.skip("the reference data are not there")
    found = read("cisco_cucm", SAMPLES / "cdr.txt")
    assert found.select("line", "faults", "outcome", "duration", "caller_ip").rows() == [
        (3, ["recording_leg"], "failed", None, "10.248.64.14"),
        (4, ["recording_leg"], "failed", None, "10.248.64.17"),
        (5, [], "answered", "11", "10.248.64.14"),
    ]
    (only,) = read("cisco_cucm", SAMPLES / "sample_cdr.txt").rows(named=True)
    assert (only["line"], only["faults"], only["duration"]) == (2, [], "60")
    for name in ("cmr.txt", "sample_cmr.txt"):
        with pytest.raises(FormatError, match="is a CMR file"):
            read("cisco_cucm", SAMPLES / name)
