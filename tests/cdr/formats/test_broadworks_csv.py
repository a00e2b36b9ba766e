r"""BroadWorks CSV: fields by their place, commas behind a backslash, marks of a file."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from cdr.errors import FormatError
from cdr.formats import FORMATS

Read = Callable[..., pl.DataFrame]

USUAL = {
    1: "00000000010A1B2C20260901100107.5001+020000",
    2: "ACME",
    3: "Normal",
    4: "+4930901820",
    6: "Originating",
    7: "+4930901820",
    9: "200",
    10: "20260901100000.123",
    11: "1+020000",
    12: "Yes",
    13: "20260901100007.000",
    14: "20260901100107.000",
    15: "016",
    25: "BW1@192.0.2.28",
    32: "Sales",
    45: "15:0",
}


def line(said: dict[int, str] | None = None, width: int = 336) -> str:
    fields = USUAL | (said or {})
    return ",".join(fields.get(place, "") for place in range(1, width + 1))


def file_of(*lines: str) -> bytes:
    return "".join(f"{each}\n" for each in lines).encode()


@pytest.mark.parametrize("width", [181, 336, 448])
def test_a_record_in_full(read: Read, width: int) -> None:
    (found,) = read("broadworks_csv", file_of(line(width=width))).rows(named=True)
    said = {name: value for name, value in found.items() if value not in (None, [])}
    assert said.pop("raw") == line(width=width)
    assert said == {
        "line": 1,
        "source_rows": 1,
        "source_record_id": "15:0;+4930901820;originating",
        "call_id": "15:0",
        "leg": 0,
        "account_code": "Sales",
        "direction": "outbound",
        "caller": "+4930901820",
        "callee": "200",
        "started": "20260901100000.123Z",
        "answered": "20260901100007.000Z",
        "ended": "20260901100107.000Z",
        "outcome": "answered",
        "cause_code": "016",
    }


def test_a_trunk_is_its_name_and_not_whether_it_was_full(read: Read) -> None:
    data = file_of(line({135: "ACME/ACME_1", 182: "Normal"}), line({182: "Normal"}))
    assert read("broadworks_csv", data)["trunk"].to_list() == ["ACME/ACME_1", None]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"Sales\, Berlin", "Sales, Berlin"),
        (r"C:\\new", r"C:\new"),
        (r"end\\", "end\\"),
        (r"a\\\,b", r"a\,b"),
        ('12" "wide', '12" "wide'),
        ("", "ACME"),
    ],
)
def test_a_backslash_takes_the_meaning_off_a_comma(read: Read, written: str, meant: str) -> None:
    found = read("broadworks_csv", file_of(line({32: written}), line()))
    assert found.select("account_code", "call_id", "faults").rows() == [
        (meant, "15:0", []),
        ("Sales", "15:0", []),
    ]


def test_marks_other_widths_and_other_types_are_set_aside_each_by_itself(read: Read) -> None:
    found = read(
        "broadworks_csv",
        file_of(
            "00000000000A1B2C20260901100000.0001+020000,,Start",
            line(),
            line(width=337),
            line({3: "Event"}),
            line({3: "Start", 14: "", 15: ""}),
            line({10: ""}),
            "00000000090A1B2C20260901110000.0001+020000,,End",
        )
        + line()[:-1].encode(),
    )
    assert found.select("line", "faults", "flags").rows() == [
        (1, ["not_a_call"], []),
        (2, [], []),
        (3, ["wrong_column_count"], []),
        (4, ["not_a_call"], []),
        (5, [], ["missing_bye"]),
        (6, ["no_start_time"], []),
        (7, ["not_a_call"], []),
        (8, ["cut_short"], []),
    ]


def test_a_file_without_a_call_is_read(read: Read) -> None:
    mark = "00000000000A1B2C20260901100000.0001+020000,,Start"
    assert read("broadworks_csv", file_of(mark))["faults"].to_list() == [["not_a_call"]]


def test_it_says_the_same_as_the_xml_file_of_the_call(read: Read) -> None:
    csv, xml = (
        read(name, FORMATS[name].example.encode())
        .drop("line", "raw", "account_code")
        .rows(named=True)
        for name in ("broadworks_csv", "broadworks_xml")
    )
    assert csv == xml


def test_other_tables_are_refused(read: Read) -> None:
    with pytest.raises(FormatError, match="no line has the 100 or more fields of BroadWorks"):
        read("broadworks_csv", b",".join([b"1"] * 336) + b"\n")
