"""CGRateS exports: runs, Go's durations, times with two zones."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from cdr.errors import FormatError, SettingsError

Read = Callable[..., pl.DataFrame]


def row(
    run: str = "*default",
    kind: str = "*voice",
    setup: str = "2013-11-07 08:42:25 +0000 UTC",
    answer: str = "2013-11-07 08:42:26 +0000 UTC",
    usage: str = "10s",
) -> bytes:
    return (
        f"c1,{run},{kind},o1,*rated,acme.example,call,1001,+4930901820,200,{setup},{answer},"
        f"{usage},0.01\n"
    ).encode()


def test_a_row_of_the_default_template(read: Read) -> None:
    found = read("cgrates_csv", row())
    said = ("source_record_id", "account_code", "caller", "callee", "started", "answered",
            "duration", "outcome", "faults")  # fmt: skip
    assert found.select(said).rows() == [
        ("o1", "acme.example:1001", "+4930901820", "200", "2013-11-07 08:42:25+0000",
         "2013-11-07 08:42:26+0000", "10.000000", "answered", []),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("usage", "seconds"),
    [
        ("5m", 300),
        ("1h2m3.5s", 3723.5),
        ("500ms", 0.5),
        ("1m0s", 60),
        ("0s", 0),
        ("0", 0),
        ("10", None),
        ("ten", None),
        ("9" * 40 + "s", None),
    ],
)
def test_usage_is_gos_notation_and_a_bare_number_is_not_guessed(
    read: Read, usage: str, seconds: float | None
) -> None:
    (found,) = read("cgrates_csv", row(usage=usage)).rows(named=True)
    assert found["faults"] == ([] if seconds is not None else ["usage_not_understood"])
    if seconds is not None:
        assert float(found["duration"]) == seconds


def test_other_runs_and_types_are_set_aside_and_the_year_1_is_never(read: Read) -> None:
    never = "0001-01-01 00:00:00 +0000 UTC"
    found = read(
        "cgrates_csv",
        row(run="*raw") + row(kind="*sms") + row(answer=never, usage="0s") + row(answer=never),
    )
    assert found.select("faults", "outcome", "answered").rows() == [
        (["rating_run"], "answered", "2013-11-07 08:42:26+0000"),
        (["not_a_call"], "answered", "2013-11-07 08:42:26+0000"),
        ([], "no_answer", None),
        ([], "answered", "2013-11-07 08:42:25+0000"),
    ]


def test_where_nothing_is_rated_the_raw_run_is_the_call(read: Read) -> None:
    raw, rated, other = (row(run=run) for run in ("*raw", "*default", "carrier"))
    calls, runs = [], ["rating_run"]
    assert read("cgrates_csv", raw + other + raw)["faults"].to_list() == [calls, runs, calls]
    assert read("cgrates_csv", raw + rated)["faults"].to_list() == [runs, calls]


def test_a_header_names_the_columns(read: Read) -> None:
    data = (
        b"OriginHost,OriginID,Account,Destination,SetupTime,AnswerTime,Usage\n"
        b"h1,o1,1001,200,2026-09-01T12:00:00+02:00,2026-09-01T12:00:07+02:00,1m0s\n"
    )
    found = read("cgrates_csv", data)
    assert found.select("line", "source_record_id", "started", "caller").rows() == [
        (2, "h1;o1", "2026-09-01T12:00:00+02:00", "1001")
    ]


def test_the_template_of_an_export_may_be_declared(read: Read) -> None:
    data = row().replace(b"c1,", b"c1,192.0.2.1,").replace(b",0.01", b",0.01,mine") * 2
    header = ("CGRID", "OriginHost", "RunID", "ToR", "OriginID", "", "Tenant", "", "Account", "",
              "Destination", "SetupTime", "AnswerTime", "Usage", "Cost", "Mine")  # fmt: skip
    found = read("cgrates_csv", data, header=header)
    said = ("line", "source_record_id", "account_code", "callee", "duration", "faults")
    assert found.select(said).rows() == [
        (line, "192.0.2.1;o1", "acme.example:1001", "200", "10.000000", []) for line in (1, 2)
    ]
    with pytest.raises(SettingsError, match="header: lacks usage"):
        read("cgrates_csv", data, header=header[:-3])


def test_other_files_are_refused(read: Read) -> None:
    with pytest.raises(FormatError, match="neither a header nor the 14 columns of an export; name"):
        read("cgrates_csv", b"a,b\n")
