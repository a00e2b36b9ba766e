"""3CX: extensions, chains, lengths as clock times."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from cdr.errors import FormatError, SettingsError

Read = Callable[..., pl.DataFrame]


def row(
    answered: str = "2026/09/01 12:00:07",
    ended: str = "2026/09/01 12:01:07",
    reason: str = "TerminatedByDst",
    caller: str = "Ext.100",
    final: str = "",
    more: str = "",
) -> bytes:
    return (
        f"Call 7,c1,00:01:00,2026/09/01 12:00:00,{answered},{ended},{reason},{caller},200,,,200,"
        f"ReplacedDst,{final},,acme,,,,Chain: Ext.10016;+467;{more}\n"
    ).encode()


def test_a_row_in_full(read: Read) -> None:
    (found,) = read("threecx", row(final="Ext.300")).rows(named=True)
    said = {name: value for name, value in found.items() if value not in (None, [])}
    del said["raw"]
    assert said == {
        "line": 1,
        "source_rows": 1,
        "source_record_id": "c1",
        "call_id": "Call 7",
        "leg": 0,
        "account_code": "acme",
        "caller": "100",
        "callee": "200",
        "forwarded_to": "300",
        "started": "2026/09/01 12:00:00",
        "answered": "2026/09/01 12:00:07",
        "ended": "2026/09/01 12:01:07",
        "outcome": "answered",
        "cause_code": "TerminatedByDst",
    }


@pytest.mark.parametrize(
    ("final", "forwarded_to"),
    [("Ext.300", "300"), ("+467001", "+467001"), ("Ext.200", None), ("EndCall", None), ("", None)],
)
def test_where_a_call_went_last_is_another_number(
    read: Read, final: str, forwarded_to: str | None
) -> None:
    assert read("threecx", row(final=final))["forwarded_to"].to_list() == [forwarded_to]


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("NoAnswer", "no_answer"),
        ("Terminated_By_Src", "cancelled"),
        ("src_participant_terminated", "cancelled"),
        ("Failed_Cancelled", "cancelled"),
        ("Failed_Busy", "busy"),
        ("Failed", "failed"),
        ("dst_participant_terminated", "no_answer"),
        ("Not Reached", "failed"),
    ],
)
def test_the_reason_tells_the_outcome_without_an_answer(
    read: Read, reason: str, outcome: str
) -> None:
    found = read("threecx", row(answered="", reason=reason))
    assert found.select("outcome", "duration").rows() == [(outcome, None)]


def test_a_length_counts_where_a_time_is_missing(read: Read) -> None:
    found = read("threecx", row(ended="") + row(ended="").replace(b"00:01:00", b"1 min"))
    assert found["duration"].to_list() == ["60", "1 min"]


def test_all_columns_or_those_of_the_settings(read: Read) -> None:
    more = ",External_line,Extension,Extension,,,,"
    found = read("threecx", row(caller="Line:10000>+4930901820", more=more))
    assert found.select("caller", "direction").rows() == [("+4930901820", "inbound")]
    header = ("callid", "time-start", "time-answered", "time-end", "reason-terminated", "from-no",
              "to-no")  # fmt: skip
    own = b"c1,2026/09/01 12:00:00,,2026/09/01 12:00:05,Busy,100,200\n"
    assert read("threecx", own, header=header)["outcome"].to_list() == ["busy"]
    with pytest.raises(SettingsError, match="header: lacks callid"):
        read("threecx", own, header=header[1:])
    with pytest.raises(FormatError, match="20 or 27 columns of 3CX"):
        read("threecx", own)
