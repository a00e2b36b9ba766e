"""JSON lines under our names, under the source's, and broken."""

from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl
import pytest

from cdr.errors import FormatError, SettingsError
from cdr.formats import FORMATS

Read = Callable[..., pl.DataFrame]

CALL = {
    "caller": "+4930901820",
    "callee": "200",
    "caller_ip": "",
    "started_at": "2026-09-01 12:00:00",
    "duration_s": 60.5,
    "outcome": "answered",
}


def lines(*objects: object) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in objects).encode()


def test_numbers_are_taken_as_written_and_empty_text_is_none(read: Read) -> None:
    found = read("plain_jsonl", lines(CALL, CALL | {"outcome": "maybe"}))
    assert found.select("line", "faults", "caller", "caller_ip", "duration", "outcome").rows() == [
        (1, [], "+4930901820", None, "60.5", "answered"),
        (2, ["unknown_outcome"], "+4930901820", None, "60.5", None),
    ]


def test_a_source_names_its_own_fields_words_and_clock(read: Read) -> None:
    data = lines(
        {"from": {"no.": "x", "number": "+4930"}, "to": "200", "t": 1788256800,
         "secs": 3, "how": "Picked up"}
    )  # fmt: skip
    found = read(
        "plain_jsonl",
        data,
        columns={
            "caller": "from.number",
            "callee": "to",
            "started_at": "t",
            "duration_s": "secs",
            "outcome": "how",
        },
        outcomes={"picked-up": "answered"},
        clock="epoch_s",
    )
    assert found.select("faults", "caller", "callee", "started", "outcome").rows() == [
        ([], "+4930", "200", "1788256800", "answered")
    ]


def test_a_broken_line_is_set_aside_and_its_neighbours_are_not(read: Read) -> None:
    good = lines(CALL)
    found = read("plain_jsonl", good + b"{broken\n[1]\n\n" + good + good[:30])
    assert found.select("line", "faults").rows() == [
        (1, []),
        (2, ["json_broken"]),
        (3, ["json_broken"]),
        (5, []),
        (6, ["cut_short"]),
    ]


def test_what_is_missing_is_said(read: Read) -> None:
    with pytest.raises(FormatError, match="no object of its first lines has callee; name"):
        read("plain_jsonl", lines(CALL | {"callee": ""}))
    with pytest.raises(FormatError, match="none of its first lines is a JSON object; write each"):
        read("plain_jsonl", json.dumps(CALL, indent=1).encode())
    with pytest.raises(FormatError, match="neither outcome nor disposition"):
        read("plain_jsonl", lines(CALL | {"outcome": None}))
    with pytest.raises(SettingsError, match="columns: who is not one of record_id"):
        read("plain_jsonl", lines(CALL), columns={"who": "x"})


def test_columns_are_joined_and_constants_filled_in(read: Read) -> None:
    data = b'{"leg":{"cc":"49","a":"30"},"callee":"2","d":"2026-09-01","t":"12:00","ms":1500}\n'
    found = read(
        "plain_jsonl",
        data,
        columns={"caller": "+{leg.cc}{leg.a}", "started_at": "{d} {t}", "duration_s": "ms"},
        constants={"outcome": "answered"},
        length_unit="ms",
    )
    assert found.select("caller", "started", "duration", "outcome", "faults").rows() == [
        ("+4930", "2026-09-01 12:00", "1.500000", "answered", [])
    ]


def test_a_key_that_nobody_can_read_may_be_one_that_matters(read: Read) -> None:
    line = FORMATS["plain_jsonl"].example.encode()
    spoilt = line.replace(b'"answered_at"', b'"answered\xffat"')
    found = read("plain_jsonl", spoilt + b"\n" + line + b"\n")
    assert found["faults"].to_list() == [["not_utf8"], []]


def test_a_phone_number_kept_as_a_float_is_its_digits(read: Read) -> None:
    found = read("plain_jsonl", lines(CALL | {"caller": 4930901820.0, "callee": 4.42079460018e11}))
    assert found.select("caller", "callee").rows() == [("4930901820", "442079460018")]
