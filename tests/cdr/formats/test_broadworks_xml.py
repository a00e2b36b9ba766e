"""BroadWorks XML: records by their tags, whatever else a document holds."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from cdr.errors import FormatError

Read = Callable[..., pl.DataFrame]
HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<broadWorksCDR version="19.0">\n'
USUAL = {
    "type": "Normal",
    "userNumber": "+4930901820",
    "direction": "Originating",
    "callingNumber": "+4930901820",
    "calledNumber": "200",
    "startTime": "20260901100000.123",
    "answerIndicator": "Yes",
    "answerTime": "20260901100007.000",
    "releaseTime": "20260901100107.000",
    "terminationCause": "016",
    "localCallId": "15:0",
    "group": "A &amp; B",
}


def record(**said: str) -> str:
    elements = "".join(f"<{name}>{text}</{name}>" for name, text in (USUAL | said).items())
    return f"<cdrData><basicModule>{elements}</basicModule></cdrData>"


def document(*records: str) -> bytes:
    return (HEAD + "\n".join(records) + "\n</broadWorksCDR>").encode("latin-1")


def test_a_record_in_full(read: Read) -> None:
    (found,) = read("broadworks_xml", document(record())).rows(named=True)
    said = {name: value for name, value in found.items() if value not in (None, [])}
    assert said.pop("raw") == record()
    assert said == {
        "line": 3,
        "source_rows": 1,
        "source_record_id": "15:0;+4930901820;originating",
        "call_id": "15:0",
        "leg": 0,
        "account_code": "A & B",
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
    data = document(record(trunkGroupName="ACME/ACME_1", trunkGroupInfo="Normal"))
    assert read("broadworks_xml", data)["trunk"].to_list() == ["ACME/ACME_1"]


def test_both_users_of_a_call_and_what_else_there_may_be(read: Read) -> None:
    no_end = {"answerIndicator": "No", "answerTime": "", "terminationCause": "017"}
    found = read(
        "broadworks_xml",
        document(
            record(localCallId="7:0", remoteCallId="6:0", calledNumber="300",
                   originalCalledNumber="200"),
            record(localCallId="6:0", remoteCallId="7:0", direction="Terminating"),
            record(type="Start", releaseTime="", terminationCause=""),
            record(**no_end),
            record(type="Event"),
            record(startTime="", callingNumber="M\u00fcller"),
        ),
    )  # fmt: skip
    said = ("line", "faults", "call_id", "direction", "outcome", "forwarded_to", "flags")
    assert found.select(said).rows() == [
        (3, [], "6:0", "outbound", "answered", "300", []),
        (4, [], "6:0", "inbound", "answered", None, []),
        (5, [], "15:0", "outbound", "answered", None, ["missing_bye"]),
        (6, [], "15:0", "outbound", "busy", None, []),
        (7, ["not_a_call"], "15:0", "outbound", "answered", None, []),
        (8, ["no_start_time"], "15:0", "outbound", "answered", None, []),
    ]
    assert found["caller"][5] == "M\u00fcller"


@pytest.mark.parametrize("block_bytes", [7, 1 << 20])
def test_a_record_without_end_does_not_swallow_the_next_ones(read: Read, block_bytes: int) -> None:
    data = document(
        "<cdrData><type>" + "x\n" * 200_000 + "</type></cdrData>",
        record(),
        "<cdrData>" + record(),
        "</cdrData>",
        "<cdrData>",
    )
    if block_bytes == 7:
        data = data[: data.index(b"x\n")] + data[data.rindex(b"x\n") :]
    found = read("broadworks_xml", data, block_bytes=block_bytes)
    first = ["line_too_long"] if block_bytes > 7 else ["not_a_call"]
    assert found["faults"].to_list()[1:] == [[], ["xml_broken"], ["xml_broken"], ["cut_short"]]
    assert found["faults"][0].to_list()[:2] == first
    shift = 200_000 if block_bytes > 7 else 1
    assert found["line"].to_list() == [3, 4 + shift, 5 + shift, 5 + shift, 7 + shift]


def test_entities_are_never_expanded(read: Read) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    data = document(bomb, record(callingNumber="&b;"))
    assert read("broadworks_xml", data)["caller"].to_list() == ["&b;"]


def test_other_documents_are_refused(read: Read) -> None:
    with pytest.raises(FormatError, match="has no <broadWorksCDR>"):
        read("broadworks_xml", b"<html></html>")
