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
    with pytest.raises(FormatError, match="give yours as `template`"):
        read("freeswitch_csv", b'"a","b"\n')


OWN = {
    "example": '"Jo","030","+442079460018","public","2026-09-01 12:00:00","2026-09-01 12:00:07",'
    '"2026-09-01 12:01:07","67","60","NORMAL_CLEARING","u1","u2","acme","PCMA","PCMA"',
    "sql": 'INSERT INTO cdr VALUES ("Jo","030","+442079460018","public","2026-09-01 12:00:00",'
    '"2026-09-01 12:00:07","2026-09-01 12:01:07","67","60","NORMAL_CLEARING","u1","u2","acme");',
    "snom": '"Jo","030","+442079460018","public","2026-09-01 12:00:00","2026-09-01 12:00:07",'
    '"2026-09-01 12:01:07","67","60","NORMAL_CLEARING","u1","u2", "acme","PCMA","PCMA","snom/8",'
    '"","a=1;b=2","","/r/u1.wav"',
    "linksys": '"Jo","030","+442079460018","public","2026-09-01 12:00:00","2026-09-01 12:00:07",'
    '"2026-09-01 12:01:07","67","60","NORMAL_CLEARING","u1","u2","acme","PCMA","PCMA","SPA","x"',
    "asterisk": '"acme","030","+442079460018","public","Jo <030>","sofia/a","sofia/b","bridge",'
    '"user/1","2026-09-01 12:00:00","2026-09-01 12:00:07","2026-09-01 12:01:07","67","60",'
    '"NORMAL_CLEARING","3","u1",""',
    "${uuid}|${caller_id_number}|${destination_number}|${start_stamp}|${answer_stamp}|"
    "${end_stamp}|${billsec}|${hangup_cause}|${accountcode}": "u1|030|+442079460018|"
    "2026-09-01 12:00:00|2026-09-01 12:00:07|2026-09-01 12:01:07|60|NORMAL_CLEARING|acme",
    "cdr: (${caller_id_number},${destination_number},${start_stamp},${answer_stamp},${end_stamp},"
    "${billsec},${hangup_cause},${uuid},${regex(${x}|^(.)|%1)},${accountcode})": (
        "cdr: (030,+442079460018,2026-09-01 12:00:00,2026-09-01 12:00:07,2026-09-01 12:01:07,60,"
        "NORMAL_CLEARING,u1,z,acme)"
    ),
}


@pytest.mark.parametrize("template", list(OWN), ids=lambda text: text[:8].strip("${:"))
def test_a_line_is_read_by_the_template_that_wrote_it(read: Read, template: str) -> None:
    found = read("freeswitch_csv", f"{OWN[template]}\n".encode() * 2, template=template)
    assert (
        found.select("faults", "source_record_id", "account_code", "caller", "callee").rows()
        == [([], "u1", "acme", "030", "+442079460018")] * 2
    )
    assert (
        found.select("started", "answered", "ended", "duration", "outcome").rows()
        == [("2026-09-01 12:00:00", "2026-09-01 12:00:07", "2026-09-01 12:01:07", "60", "answered")]
        * 2
    )


def test_a_line_of_another_template_is_set_aside(read: Read) -> None:
    lines = f"{OWN['example']}\n{OWN['sql']}\nINSERT INTO cdr VALUES (\n".encode()
    assert read("freeswitch_csv", lines, template="sql")["faults"].to_list() == [
        ["wrong_column_count"], [], ["wrong_column_count"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("exmaple", "is none of example, sql, snom, linksys, asterisk"),
        ("${uuid},${start_stamp};${hangup_cause}", "needs one character between"),
        ("${uuid},${start_stamp}", "lacks caller_id_number"),
    ],
)
def test_a_template_that_cannot_be_read_by_is_refused(
    read: Read, template: str, fault: str
) -> None:
    with pytest.raises(SettingsError, match=fault):
        read("freeswitch_csv", row(), template=template)
