"""What every reader promises of every file, good or not."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cdr.errors import FormatError, SettingsError, UnknownFormat
from cdr.formats import FORMATS, asterisk_csv, by_name, freeswitch_csv, threecx
from cdr.formats.record import RECORD
from cdr.settings import SourceSettings

FIXTURES = Path(__file__).parent / "fixtures"
REFERENCE = Path(__file__).parents[4] / "shared" / "data"
NAMES = sorted(FORMATS)


def settings_of(name: str) -> SourceSettings:
    return SourceSettings(format=name, zone="Europe/Berlin", country="DE")


def read(name: str, file: Path, block_bytes: int) -> pl.DataFrame | str:
    """Return the records in the order of the file, or why it was refused."""
    try:
        frames = list(by_name(name).read(file, settings_of(name), block_bytes))
    except FormatError as error:
        return error.fault
    assert all(frame.schema == RECORD for frame in frames)
    return pl.concat([RECORD.to_frame(), *frames]).sort("line")


def physical_rows(name: str, data: bytes) -> int:
    """Count the records of a file by its rules, in plain Python."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if name == "broadworks_xml":
        *whole, rest = text.split("</cdrData>")
        return len(whole) + ("<cdrData" in rest)
    rows = [line for line in text.split("\n") if line]
    if FORMATS[name].example.startswith("{"):
        try:
            return 1 if isinstance(json.loads(text), dict) else len(rows)
        except ValueError:
            return len(rows)
    return len(rows) - HEADER_LINES.get(name, one_header)(rows) if rows else 0


def one_header(_rows: list[str]) -> int:
    return 1


def no_header(_rows: list[str]) -> int:
    return 0


def lines_of_cisco(rows: list[str]) -> int:
    """Count a line of names and, behind it or without it, a line of types."""
    names = "cdrRecordType" in next(csv.reader(rows[:1]), [])
    kind = r'"?(INTEGER|STRING|UNIQUEIDENTIFIER|VARCHAR\([0-9]+\))"?(,|$)'
    types = len(rows) > names and re.match(kind, rows[names])
    return names + bool(types)


HEADER_LINES: dict[str, Callable[[list[str]], int]] = {
    "asterisk_csv": no_header,
    "asterisk_table": lambda rows: "disposition" in rows[0].casefold(),
    "broadworks_csv": no_header,
    "cgrates_csv": lambda rows: "originid" in rows[0].casefold(),
    "cisco_cucm": lambda rows: lines_of_cisco(rows[:2]),
    "freeswitch_csv": no_header,
    "ribbon_act": no_header,
    "sansay": no_header,
    "threecx": no_header,
}
"""Lines at the start of a file that are no records, where that is not just one."""


PIECES = st.sampled_from(
    [b",", b";", b'"', b'""', b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xc3", b"{", b"}", b"[",
     b'{"variables":{}}', b'{"variables":{"uuid":"a"},"callflow":[]}', b":", b"1", b"ANSWERED",
     b"INVITE,", b"BYE,", b"CANCEL,", b"f,t,c,", b"200,", b"2026-09-01 12:00:00", b" ", b"a"]
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, name: str) -> bytes:
    """Lines of the format, with pieces put in and bytes cut out at places drawn."""
    head, *lines = FORMATS[name].example.encode().split(b"\n")
    lines = [*lines, head] * draw(st.integers(1, 3))
    data = b"\n".join([head, *lines, b""])
    for piece in draw(st.lists(PIECES, max_size=6)):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + piece + data[at + draw(st.integers(0, 12)) :]
    return data


def check_every_row(name: str, folder: Path, data: st.DataObject) -> None:
    """Read what was drawn whole and in small blocks: the same records, every row once."""
    written = data.draw(damaged(name) | st.lists(PIECES, max_size=30).map(b"".join))
    file = folder / "calls"
    file.write_bytes(written)

    whole = read(name, file, 1 << 20)
    parts = read(name, file, data.draw(st.integers(60, 400)))

    if isinstance(whole, str):
        assert parts == whole
    else:
        assert whole["source_rows"].sum() == physical_rows(name, written)
        assert whole.equals(parts)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_row_comes_out_once_whatever_the_blocks(
    name: str, tmp_path: Path, data: st.DataObject
) -> None:
    check_every_row(name, tmp_path, data)


@pytest.mark.large
@pytest.mark.parametrize("name", NAMES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_row_comes_out_once_of_many_more_files(
    name: str, tmp_path: Path, data: st.DataObject
) -> None:
    check_every_row(name, tmp_path, data)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
@example(data=b"\x1f\x8b\x08\x00")
@example(data=b"\x28\xb5\x2f\xfd")
@example(data=b"\xef\xbb\xbf")
@example(data=b"\xef\xbb\xbf\r")
@example(data=b"\n,")
def test_any_bytes_are_read_or_refused(name: str, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "calls"
    file.write_bytes(data)
    found = read(name, file, 50)
    assert isinstance(found, str) or found["source_rows"].sum() == physical_rows(name, data)


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_format_is_a_good_record(name: str, tmp_path: Path) -> None:
    if name == "plain_parquet":
        pytest.skip("its example names columns: a Parquet file is no text")
    file = tmp_path / "calls"
    file.write_text(FORMATS[name].example)
    found = read(name, file, 1 << 20)
    assert isinstance(found, pl.DataFrame)
    assert found.select("faults", "outcome").rows() == [([], "answered")]


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_file_has_no_records(name: str, tmp_path: Path) -> None:
    file = tmp_path / "calls"
    file.write_bytes(b"")
    assert read(name, file, 1 << 20).height == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_file_read_again_gives_the_same(name: str) -> None:
    for file in sorted(FIXTURES.iterdir()):
        first, second = read(name, file, 1 << 20), read(name, file, 300)
        assert first == second if isinstance(first, str) else first.equals(second)


@pytest.mark.parametrize("name", NAMES)
def test_refusals_carry_nothing_out_of_the_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "calls"
    file.write_text("+4930901820;+442079460018\n" * 3)
    found = read(name, file, 1 << 20)
    assert not isinstance(found, str) or "4930901820" not in found


def test_an_unknown_format_says_which_are_known() -> None:
    with pytest.raises(UnknownFormat, match=r"'cisco'; did you mean cisco_cucm[?] known are: "):
        by_name("cisco")


OWN_SAMPLES = {"cisco_cucm": "cisco", "ribbon": "ribbon"}


@pytest.mark.parametrize("name", NAMES)
def test_files_of_other_switches_are_refused_or_set_aside(name: str) -> None:
    files = sorted(REFERENCE.glob("cdr_samples/*/*")) + sorted(REFERENCE.glob("bandicoot/*.csv"))
    files = [file for file in files if not name.startswith(OWN_SAMPLES.get(file.parent.name, "?"))]
    if not files:
        pytest.skip("the reference data are not there")
    for file in files:
        found = read(name, file, 1 << 20)
        assert isinstance(found, str) or found["faults"].list.len().min() > 0, file.name


APPENDED = [name for name in NAMES if not name.startswith("plain_") and name != "asterisk_table"]
"""Formats of files that a switch appends to; the others are exports, written whole."""


@pytest.mark.parametrize("name", APPENDED)
@pytest.mark.slow
def test_half_a_last_line_makes_no_call_that_the_whole_file_does_not_have(
    name: str, tmp_path: Path
) -> None:
    file = tmp_path / "calls"
    example = FORMATS[name].example.encode()
    whole = example + b"\n" + example.rpartition(b"\n")[2] + b"\n"
    file.write_bytes(whole)
    calls = keys_of_good_records(name, file)
    assert calls
    for cut in range(max(1, len(whole) - 24), len(whole)):
        file.write_bytes(whole[:cut])
        assert keys_of_good_records(name, file) <= calls


LAST_IS_A_NAME = {
    "cisco_cucm": (
        "cdrRecordType,dateTimeOrigination,dateTimeConnect,dateTimeDisconnect,duration,"
        "callingPartyNumber,originalCalledPartyNumber,pkid\n1,1788256800,0,1788256807,0,1,2,ed56"
    ),
    "cgrates_csv": (
        "setuptime,answertime,usage,account,destination,originid\n"
        "2026-09-01T10:00:00Z,2026-09-01T10:00:07Z,1m0s,1001,+442079460018,f3e9"
    ),
    "threecx": "2026/09/01 12:00:00,,2026/09/01 12:00:09,Busy,Ext.100,+442079460018,1042",
}
"""Files of which nobody can tell whether their last line is whole."""

OWN = {
    "threecx": {
        "header": ("time-start", "time-answered", "time-end", "reason-terminated", "from-no",
                   "to-no", "callid")
    }
}  # fmt: skip


@pytest.mark.parametrize("name", LAST_IS_A_NAME)
def test_a_last_line_that_may_lack_a_part_of_its_name_waits(name: str, tmp_path: Path) -> None:
    file, source = tmp_path / "calls", settings_of(name).model_copy(update=OWN.get(name))
    for end, faults in (("", ["cut_short"]), ("\n", [])):
        file.write_text(LAST_IS_A_NAME[name] + end)
        found = pl.concat(by_name(name).read(file, source, 1 << 20))
        assert found["faults"].to_list() == [faults]


NAMED = {
    "asterisk_csv": ",".join(asterisk_csv.LAYOUTS[0]),
    "cgrates_csv": "CGRID,RunID,ToR,OriginID,RequestType,Tenant,Category,Account,Subject,"
    "Destination,SetupTime,AnswerTime,Usage,Cost",
    "freeswitch_csv": "caller_id_name,caller_id_number,destination_number,context,start_stamp,"
    "answer_stamp,end_stamp,duration,billsec,hangup_cause,uuid,bleg_uuid,accountcode",
    "threecx": ",".join(threecx.ALL[:20]),
}
"""What somebody wrote above files that have no line of names of their own."""

WITH_NAMES = [*NAMED, "asterisk_table", "cisco_cucm", "kamailio_acc", "opensips_acc", "plain_csv"]


@pytest.mark.parametrize("name", WITH_NAMES)
def test_a_line_of_names_among_the_rows_is_told_however_it_is_written(
    name: str, tmp_path: Path
) -> None:
    file, example = tmp_path / "calls", FORMATS[name].example
    names = NAMED.get(name, example.partition("\n")[0]).replace('"', "")
    written = [names, names.upper(), '"' + names.replace(",", '","') + '"']
    file.write_text("\n".join([example, *written, ""]))
    found = read(name, file, 1 << 20)
    assert isinstance(found, pl.DataFrame)
    assert found["faults"].to_list()[-3:] == [["header_repeated"]] * 3
    assert found.tail(3).select("started", "caller").rows() == [(None, None)] * 3


@pytest.mark.parametrize(
    ("name", "setting", "columns"),
    [
        ("cgrates_csv", "header", ("originid", "destination", "setuptime", "answertime", "usage")),
        ("freeswitch_csv", "header", freeswitch_csv.NEEDED),
        ("freeswitch_csv", "template", freeswitch_csv.NEEDED),
        ("plain_csv", "header", ("callee", "caller", "started_at", "duration_s", "outcome")),
        ("threecx", "header", threecx.NEEDED),
    ],
)
def test_a_declared_column_that_is_there_twice_is_named(
    name: str, setting: str, columns: tuple[str, ...], tmp_path: Path
) -> None:
    twice = (*columns, columns[0])
    said = twice if setting == "header" else ",".join(f"${{{column}}}" for column in twice)
    source = settings_of(name).model_copy(update={setting: said})
    (tmp_path / "calls").write_text("1" + ",2" * len(columns) + "\n")
    with pytest.raises(SettingsError, match=f"{setting}: has {columns[0]} more than once"):
        list(by_name(name).read(tmp_path / "calls", source, 1 << 20))


def keys_of_good_records(name: str, file: Path) -> set[tuple[object, ...]]:
    found = read(name, file, 1 << 20)
    if isinstance(found, str):
        return set()
    good = found.filter(pl.col("faults").list.len() == 0)
    return set(good.select("source_record_id", "leg", "started").rows())
