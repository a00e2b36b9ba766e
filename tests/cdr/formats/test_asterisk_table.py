"""Exports of the `cdr` table: quirks of FreePBX and Thirdlane, and of spreadsheets."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from cdr.errors import FormatError

Read = Callable[..., pl.DataFrame]

ROW = (
    "2026-09-01 12:00:00,100,100,200,ctx,SIP/acme-1a,SIP/x-1b,Dial,x,67,60,ANSWERED,3,acme,"
    "1788256800.26,"
)


def test_the_quirks_of_an_export_with_a_header(read: Read) -> None:
    found = read("asterisk_table", "asterisk_table.csv")
    said = ("line", "faults", "caller", "callee", "outcome", "duration", "elapsed", "leg")
    assert found.select(said).rows() == [
        (2, [], "100", "+442079460018", "answered", "60", "67", 0),
        (3, [], "100", "0018", "no_answer", None, "20", 0),  # quotes mended, \\N is nothing
        (4, [], "101", "*8", "answered", "3", "3", 0),  # NULL as src: out of clid
        (5, [], "004930901820", "+4930555000", "answered", "25", "30", 0),
        (6, [], "004930901820", "+4930555000", "no_answer", None, "30", 1),  # ring group
        (7, ["broken_quotes"], None, None, None, None, None, 0),
        (8, ["unknown_disposition"], "100", "200", None, None, "3", 0),
    ]
    assert found["forwarded_to"].to_list() == [None, None, None, "200", "201", None, None]
    assert found["direction"].to_list() == [None, None, None, "inbound", "inbound", None, None]
    assert found["raw"][1].startswith('2026-09-01 12:01:00;""Jo" <100>"')


@pytest.mark.parametrize("more", ["", ",+4930", ",,", ",,,,,,,", ",,,,,,,,l1,peer,7"])
def test_without_a_header_the_number_of_columns_says_which_they_are(read: Read, more: str) -> None:
    (record,) = read("asterisk_table", f"{ROW}{more}\n".encode()).rows(named=True)
    assert (record["faults"], record["outcome"], record["account_code"]) == ([], "answered", "acme")
    expected = ("1788256800.26-7", "l1") if more.endswith("7") else ("1788256800.26",) * 2
    assert (record["source_record_id"], record["call_id"]) == expected
    assert record["callee"] == ("+4930" if "4930" in more else "200")


@pytest.mark.parametrize(("more", "faults"), [(",,,,,,,,l1,peer,7", ["cut_short"]), (",+4930", [])])
def test_a_last_row_that_may_lack_a_part_of_its_name_waits(
    read: Read, more: str, faults: list[str]
) -> None:
    assert read("asterisk_table", (ROW + more).encode())["faults"].to_list() == [faults]


def test_lone_carriage_returns_end_lines(read: Read) -> None:
    found = read("asterisk_table", f"{ROW}\r{ROW}\r".encode())
    assert found["faults"].to_list() == [[], []]


def test_a_file_of_another_kind_is_refused(read: Read) -> None:
    with pytest.raises(FormatError, match="neither a header nor the 16, 17, 18, 23 or 26"):
        read("asterisk_table", b"a,b,c\n")
    with pytest.raises(FormatError, match="the header lacks calldate"):
        read("asterisk_table", b"src,dst,duration,billsec,disposition\n")


def test_tables_of_asterisk_itself_have_start_answer_and_end(read: Read) -> None:
    data = (
        b"accountcode;src;dst;start;answer;end;duration;billsec;disposition;uniqueid;linkedid;"
        b"sequence\n"
        b"acme;100;200;2026-09-01 12:00:00;2026-09-01 12:00:07;2026-09-01 12:01:07;67;60;ANSWERED;"
        b"1788256800.26;1788256800.20;3\n"
    )
    (record,) = read("asterisk_table", data).rows(named=True)
    assert (record["started"], record["answered"], record["ended"]) == (
        "2026-09-01 12:00:00", "2026-09-01 12:00:07", "2026-09-01 12:01:07",
    )  # fmt: skip
    assert (record["source_record_id"], record["call_id"], record["faults"]) == (
        "1788256800.26-3", "1788256800.20", [],
    )  # fmt: skip


def test_columns_of_a_file_without_names_can_be_declared(read: Read) -> None:
    header = ("calldate", "src", "dst", "tenant", "duration", "billsec", "disposition")
    data = b"2026-09-01 12:00:00,100,200,t1,67,60,ANSWERED\n"
    (record,) = read("asterisk_table", data, header=header).rows(named=True)
    assert (record["caller"], record["outcome"], record["line"]) == ("100", "answered", 1)


@pytest.mark.parametrize(
    ("number", "outcome"),
    [("8", "answered"), ("4", "busy"), ("0", "no_answer"), ("2", "failed"), ("1", None)],
)
def test_odbc_may_write_the_outcome_as_a_number(
    read: Read, number: str, outcome: str | None
) -> None:
    line = "2026-09-01 12:00:00,100,200,67,60," + number
    found = read(
        "asterisk_table", f"calldate,src,dst,duration,billsec,disposition\n{line}\n".encode()
    )
    duration = "60" if outcome == "answered" else None
    assert found.select("outcome", "duration").rows() == [(outcome, duration)]
