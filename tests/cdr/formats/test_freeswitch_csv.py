"""`mod_cdr_csv`: its usual template, one of the operator's, and ids that come twice."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from cdr.errors import FormatError, SettingsError

Read = Callable[..., pl.DataFrame]


def row(
    callee: str = "+442079460018",
    answer: str = "2026-09-01 12:00:07",
    cause: str = "NORMAL_CLEARING",
    bleg: str = "",
    more: str = "",
) -> bytes:
    return (
        f'"Jo","0","{callee}","public","2026-09-01 12:00:00","{answer}","2026-09-01 12:01:07",'
        f'"67","60","{cause}","u1","{bleg}","acme"{more}\n'
    ).encode()


def test_a_row_of_the_usual_template(read: Read) -> None:
    (record,) = read("freeswitch_csv", row(callee="&")).rows(named=True)
    said = {name: value for name, value in record.items() if value not in (None, [])}
    assert said.pop("raw").startswith('"Jo"')
    assert said == {
        "line": 1,
        "source_rows": 1,
        "source_record_id": "u1",
        "call_id": "u1",
        "leg": 0,
        "account_code": "acme",
        "caller": "0",
        "callee": "&",
        "started": "2026-09-01 12:00:00",
        "answered": "2026-09-01 12:00:07",
        "ended": "2026-09-01 12:01:07",
        "duration": "60",
        "elapsed": "67",
        "outcome": "answered",
        "cause_code": "NORMAL_CLEARING",
    }


def test_an_id_with_another_cause_or_b_leg_is_another_leg_and_a_repeat_is_none(read: Read) -> None:
    rows = row(answer="", cause="USER_BUSY", bleg="b1") + row(bleg="b2") + row(bleg="b2")
    found = read("freeswitch_csv", rows)
    assert found.select("source_record_id", "leg", "outcome").rows() == [
        ("u1", 0, "busy"),
        ("u1", 1, "answered"),
        ("u1", 1, "answered"),
    ]


@pytest.mark.parametrize("more", ["", ',"PCMA"', ',"PCMA","PCMA"'])
def test_codecs_may_follow(read: Read, more: str) -> None:
    assert read("freeswitch_csv", row(more=more))["faults"].to_list() == [[]]


def test_a_template_of_the_operator(read: Read) -> None:
    header = ("uuid", "start_stamp", "answer_stamp", "end_stamp", "hangup_cause",
              "caller_id_number", "destination_number", "billmsec", "start_epoch",
              "call_direction")  # fmt: skip
    data = (
        b"u1,2026-10-25 02:30:00,2026-10-25 02:30:02,2026-10-25 02:30:04,NORMAL_CLEARING,"
        b"+4930901820,200,1520,1792891800,inbound\n"
    )
    found = read("freeswitch_csv", data, header=header)
    assert found.select("duration", "proof_epoch_s", "direction").rows() == [
        ("1.520", "1792891800", "inbound")
    ]
    with pytest.raises(SettingsError, match="header: lacks uuid"):
        read("freeswitch_csv", data, header=header[1:])


def test_a_quote_in_a_name_sets_the_line_aside(read: Read) -> None:
    found = read("freeswitch_csv", row().replace(b'"Jo"', b'"J"o"') + row())
    assert found["faults"].to_list() == [["broken_quotes"], []]


def test_other_columns_are_refused_with_what_to_do(read: Read) -> None:
    with pytest.raises(FormatError, match="name the columns of yours as `header`"):
        read("freeswitch_csv", b'"a","b"\n')
