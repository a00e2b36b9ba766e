from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl
import pytest

from cdr.formats import FORMATS

Read = Callable[..., pl.DataFrame]


def record(profile: dict[str, object] | None = None, **variables: object) -> bytes:
    usual = {"uuid": "a1", "start_uepoch": "1788256800123456", "hangup_cause": "NO_ANSWER"}
    flow = [{"caller_profile": profile or {}}]
    return json.dumps({"variables": usual | variables, "callflow": flow}).encode() + b"\n"


def test_a_record_in_full(read: Read) -> None:
    found = read("freeswitch_json", "freeswitch.jsonl").drop("raw")
    assert found.row(0, named=True) == {
        "line": 1,
        "source_rows": 1,
        "faults": [],
        "source_record_id": "0b6f3a52-7a0e-4b7e-9f1e-3f4b8f0c2d11",
        "call_id": "0b6f3a52-7a0e-4b7e-9f1e-3f4b8f0c2d11",
        "leg": 0,
        "account_code": "acme",
        "trunk": None,
        "direction": "outbound",
        "media": None,
        "caller": "+4930901820",
        "callee": "+442079460018",
        "caller_ip": "192.0.2.10",
        "callee_ip": None,
        "forwarded_to": None,
        "started": "1788256800123456",
        "answered": "1788256807000000",
        "ended": "1788256867000000",
        "duration": "60.000",
        "elapsed": None,
        "outcome": "answered",
        "cause_code": "NORMAL_CLEARING",
        "proof_epoch_s": None,
        "flags": [],
    }


def test_the_quirks_of_json_lines(read: Read) -> None:
    found = read("freeswitch_json", "freeswitch.jsonl")
    assert found.select("line", "faults", "source_record_id", "outcome", "duration").rows()[1:] == [
        (2, [], "a2", "cancelled", None),
        (3, [], "a2", "cancelled", None),  # the same uuid with another cause is a record too
        (4, [], "a4", "answered", "0.005"),
        (5, [], "a5", "answered", "60.000"),
        (6, [], "a6", "answered", "60"),
        (7, ["no_start_time"], "a7", "answered", "60.000"),
        (8, ["no_hangup_cause"], "a8", None, None),
        (9, [], "a9", "answered", "60.000"),
        (10, ["json_broken"], None, None, None),
        (11, ["json_broken"], None, None, None),
        (12, ["json_broken"], None, None, None),
        (13, [], "a13", "busy", None),  # of a key that is there twice, the first
        (14, [], "a14", "failed", None),
        (15, [], "a15", "answered", "60.000"),
    ]
    by_id = {row["source_record_id"]: row for row in found.rows(named=True)}
    assert (by_id["a4"]["call_id"], by_id["a4"]["leg"]) == ("a1", 1)
    assert (by_id["a4"]["callee_ip"], by_id["a4"]["trunk"]) == ("2001:db8::1", "carrier")
    assert (by_id["a5"]["caller"], by_id["a5"]["callee"]) == ("+4930901820", "100%25")
    assert by_id["a5"]["caller_ip"] == "::1"
    assert by_id["a6"]["started"] == "1788256800000000"
    assert (by_id["a9"]["caller"], by_id["a9"]["callee"]) == ("1000", "2000")
    assert by_id["a14"]["media"] == "video"
    assert (by_id["a15"]["caller"], by_id["a15"]["callee"]) == ("new", "last")


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_one_object_over_several_lines_is_one_record(read: Read, line_end: bytes) -> None:
    text = json.dumps(json.loads(record()), indent=2).encode().replace(b"\n", line_end)
    found = read("freeswitch_json", text)
    assert found.select("line", "source_rows", "faults", "source_record_id").rows() == [
        (1, 1, [], "a1")
    ]


def test_a_document_reads_like_its_line(read: Read) -> None:
    document = read("freeswitch_json", "freeswitch_document.json").drop("raw")
    assert document.equals(read("freeswitch_json", "freeswitch.jsonl").drop("raw").head(1))


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b'{"variables":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="deep"),
        pytest.param(b'{"variables":{"uuid":{"a":1}}}', id="object-for-text"),
        pytest.param(b'{"a":1}{"a":2}', id="two-on-a-line"),
        pytest.param(b'"{}"', id="text"),
        pytest.param(b"{}}", id="bracket-too-many"),
        pytest.param(b'{"a":tru}', id="no-literal"),
        pytest.param(b'{"a":"1" "b":2}', id="comma-missing"),
        pytest.param(b"null", id="null"),
        pytest.param(b"   ", id="blanks"),
        pytest.param(b'{"a":' + b"1" * 60 + b"}", id="number-of-sixty-digits"),
    ],
)
def test_a_broken_line_leaves_its_neighbours_alone(read: Read, bad: bytes) -> None:
    found = read("freeswitch_json", record(uuid="a1") + bad + b"\n" + record(uuid="a3"))
    assert found.select("faults", "source_record_id").rows() == [
        ([], "a1"),
        (["json_broken"], None),
        ([], "a3"),
    ]


def test_many_broken_lines_are_all_found(read: Read) -> None:
    mixed = record() + b'{"variables":[]}\n' + record() + b"{\n"
    found = read("freeswitch_json", mixed * 50)
    assert found["faults"].list.len().to_list() == [0, 1, 0, 1] * 50


def test_an_empty_object_lacks_everything(read: Read) -> None:
    found = read("freeswitch_json", b"{}\n")
    assert found["faults"].to_list() == [["no_start_time", "no_hangup_cause"]]


def test_large_numbers_are_text_for_others_to_judge(read: Read) -> None:
    found = read("freeswitch_json", record().replace(b'"1788256800123456"', b"1" * 25))
    assert found.select("faults", "started").rows() == [([], "1" * 25)]


def test_half_a_last_object_is_cut_short_and_a_whole_one_is_not(read: Read) -> None:
    assert read("freeswitch_json", record() + record()[:60])["faults"].to_list() == [
        [],
        ["cut_short"],
    ]
    assert read("freeswitch_json", record() + record().strip())["faults"].to_list() == [[], []]


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        ("USER_BUSY", "busy"),
        ("CALL_REJECTED", "rejected"),
        ("ORIGINATOR_CANCEL", "cancelled"),
        ("NORMAL_CLEARING", "no_answer"),
        ("NO_ROUTE_DESTINATION", "failed"),
    ],
)
def test_without_an_answer_the_cause_decides(read: Read, cause: str, outcome: str) -> None:
    found = read("freeswitch_json", record(hangup_cause=cause, answer_uepoch="0"))
    assert found.select("outcome", "answered", "cause_code").rows() == [(outcome, None, cause)]


def test_a_bad_byte_matters_only_where_it_is_used(read: Read) -> None:
    in_name = record({"caller_id_name": "X"}).replace(b'"X"', b'"M\xfcller"')
    in_number = record({"caller_id_number": "X"}).replace(b'"X"', b'"\xff"')
    found = read("freeswitch_json", in_name + in_number)
    assert found["faults"].to_list() == [[], ["not_utf8"]]


@pytest.mark.parametrize(
    ("variables", "call_id", "leg"),
    [
        ({"uuid": "a", "direction": "inbound", "bridge_uuid": "b"}, "a", 0),
        ({"uuid": "b", "direction": "outbound", "bridge_uuid": "a"}, "a", 1),
        ({"uuid": "c", "direction": "outbound", "originating_leg_uuid": "a"}, "a", 1),
        ({"uuid": "d", "direction": "outbound", "call_uuid": "a", "bridge_uuid": "x"}, "a", 1),
        ({"uuid": "e", "direction": "outbound"}, "e", 0),
    ],
    ids=["caller", "bridged", "originated", "call-uuid", "alone"],
)
def test_the_legs_of_a_bridge_are_one_call(
    read: Read, variables: dict[str, str], call_id: str, leg: int
) -> None:
    record = {"variables": variables, "callflow": []}
    found = read("freeswitch_json", json.dumps(record).encode())
    assert found.select("call_id", "leg").rows() == [(call_id, leg)]


@pytest.mark.parametrize(
    ("before", "after", "faults"),
    [
        pytest.param(b'"answer_uepoch"', b'"answer\xff_uepoch"', ["not_utf8"], id="a key we read"),
        pytest.param(b'"callflow"', b'"callflo\xff"', ["not_utf8"], id="a key above others"),
        pytest.param(b'"uuid":', b'"caller_id_name":"M\xfcller","uuid":', [], id="a value unread"),
        pytest.param(b'"uuid":', b'"note":"\\"\xff\\": 1","uuid":', [], id="quotes in a value"),
    ],
)
def test_a_key_that_nobody_can_read_may_be_one_that_matters(
    read: Read, before: bytes, after: bytes, faults: list[str]
) -> None:
    line = FORMATS["freeswitch_json"].example.encode()
    found = read("freeswitch_json", line.replace(before, after) + b"\n" + line + b"\n")
    assert found["faults"].to_list() == [faults, []]
