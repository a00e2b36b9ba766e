from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from cdr.errors import FormatError, SettingsError
from cdr.formats import by_name

Read = Callable[..., pl.DataFrame]


def test_the_quirks_of_a_plain_file(read: Read) -> None:
    found = read("plain_csv", "plain.csv")
    columns = ("line", "faults", "source_record_id", "started", "duration", "outcome")
    assert found.select(columns).rows() == [
        (2, [], "1", "2026-09-01 12:00:00", "60", "answered"),
        (3, [], "2", "2026-09-01T12:02:00.5", "0", "no_answer"),
        (4, ["header_repeated"], None, None, None, None),
        (5, ["unknown_outcome"], "3", "2026-09-01 12:03:00", "0", None),
        (6, ["no_start_time"], "4", None, "0", "busy"),
        (7, ["wrong_column_count"], None, None, None, None),
        (8, ["broken_quotes"], None, None, None, None),
        (9, [], "7", "2026-09-01 12:04:00", None, "cancelled"),
    ]


def test_every_column_finds_its_place(read: Read) -> None:
    head = (
        "forwarded_to,cause_code,disposition,duration_s,ended_at,answered_at,started_at,"
        "callee_ip,caller_ip,callee,caller,media,direction,trunk,account_id,call_id,record_id"
    )
    row = "+49,16,OK,1.5,e,a,s,198.51.100.7,192.0.2.1,200,100,VIDEO,Out,carrier,acme,c1,r1"
    (found,) = read("plain_csv", f"{head}\n{row}\n".encode()).drop("raw").rows(named=True)
    assert found == {
        "line": 2,
        "source_rows": 1,
        "faults": [],
        "source_record_id": "r1",
        "call_id": "c1",
        "leg": 0,
        "account_code": "acme",
        "trunk": "carrier",
        "direction": "outbound",
        "media": "video",
        "caller": "100",
        "callee": "200",
        "caller_ip": "192.0.2.1",
        "callee_ip": "198.51.100.7",
        "forwarded_to": "+49",
        "started": "s",
        "answered": "a",
        "ended": "e",
        "duration": "1.5",
        "elapsed": None,
        "outcome": "answered",
        "cause_code": "16",
        "proof_epoch_s": None,
        "flags": [],
    }


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_header_tells_the_separator(read: Read, separator: str) -> None:
    lines = [
        ["caller", "callee", "started_at", "duration_s", "outcome"],
        ["1", "2", "s", "3", "ok"],
    ]
    found = read("plain_csv", "".join(separator.join(line) + "\n" for line in lines).encode())
    assert found.select("caller", "callee", "duration").rows() == [("1", "2", "3")]


def test_columns_of_the_file_are_mapped_to_ours(read: Read) -> None:
    data = b'Who;"To; whom";When;Secs;outcome\n1;2;s;3;busy\n'
    names = {"caller": "who", "callee": "To; whom", "started_at": "When", "duration_s": "Secs"}
    found = read("plain_csv", data, columns=names)
    assert found.select("caller", "callee", "started", "duration").rows() == [("1", "2", "s", "3")]


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ("caller,started_at,duration_s,outcome", "the header lacks callee; name"),
        ("a,b,c", "the header lacks caller, callee, started_at; name"),
        ("caller,callee,started_at,outcome,ended_at", "neither duration_s nor answered_at"),
        ("caller,callee,started_at,duration_s", "neither outcome nor disposition"),
        ("caller,caller,callee,started_at,duration_s,outcome", "has caller more than once"),
    ],
)
def test_what_the_header_lacks_is_named(read: Read, header: str, fault: str) -> None:
    with pytest.raises(FormatError, match=fault):
        read("plain_csv", header.encode() + b"\n1,2,3,4\n")


@pytest.mark.parametrize("said", [b"sep=;\n", b'"sep=;"\r\n\r\n', b"\n\xef\xbb\xbfSEP=;\n"])
@pytest.mark.parametrize("block_bytes", [3, 1 << 20])
def test_a_line_that_tells_a_spreadsheet_the_separator_is_passed_over(
    read: Read, said: bytes, block_bytes: int
) -> None:
    rows = b"caller;callee;started_at;duration_s;outcome\n030;089;t;1;ok\nsep=;\n"
    found = read("plain_csv", said + rows, block_bytes=block_bytes)
    assert found.select("caller", "faults").rows() == [("030", []), (None, ["wrong_column_count"])]


@pytest.mark.parametrize(("above", "below"), [("", ";"), (";", ""), (";", ";"), ("", "")])
def test_a_separator_at_the_end_of_each_row_or_of_the_names_is_no_column(
    read: Read, above: str, below: str
) -> None:
    rows = f"030;089;t;1;ok{below}\n" * 2 + "030;089;t;1;ok;;\n"
    found = read(
        "plain_csv", f"caller;callee;started_at;duration_s;outcome{above}\n{rows}".encode()
    )
    faults = [[], [], ["wrong_column_count"]]
    assert found.select("outcome", "faults").rows() == [
        (None if fault else "answered", fault) for fault in faults
    ]


def test_a_field_too_many_is_none_for_an_end(read: Read) -> None:
    rows = "030;089;t;1;ok;\n" + "030;089;t;1;ok;x\n" * 2
    found = read("plain_csv", f"caller;callee;started_at;duration_s;outcome\n{rows}".encode())
    assert found["faults"].to_list() == [["wrong_column_count"]] * 3


@pytest.mark.parametrize(("above", "below"), [("", ";"), (";", "")])
def test_rows_with_the_columns_of_the_names_are_read_whatever_the_others_end_in(
    read: Read, above: str, below: str
) -> None:
    names = f"caller;callee;started_at;duration_s;outcome{above}\n"
    rows = f"030;089;t;1;ok{above}\n" + f"030;089;t;1;ok{below}\n" * 2
    found = read("plain_csv", (names + rows).encode())
    assert found["faults"].to_list() == [[], ["wrong_column_count"], ["wrong_column_count"]]


def test_a_text_with_a_separator_that_nobody_quoted_moves_no_column(read: Read) -> None:
    names = "started_at,duration_s,outcome,name,caller,callee,note\n"
    found = read("plain_csv", f"{names}t,1,ok,Smith, John,030,089,\n".encode())
    assert found["faults"].to_list() == [["wrong_column_count"]]


@pytest.mark.parametrize("name", ["line", "raw", "fault"])
def test_a_column_may_be_called_as_one_of_what_every_row_has(read: Read, name: str) -> None:
    names = f"{name},caller,callee,started_at,duration_s,outcome\n"
    found = read("plain_csv", f"{names}1,030,089,t,1,ok\n{names}".encode())
    assert found.select("caller", "faults").rows() == [("030", []), (None, ["header_repeated"])]


@pytest.mark.parametrize("name", ["line", "raw", "fault"])
def test_one_that_is_called_so_may_be_a_part_of_ours(read: Read, name: str) -> None:
    names = f"caller,callee,started_at,{name},duration_s,outcome\n"
    found = read(
        "plain_csv", f"{names}030,089,t,7,1,ok\n".encode(), columns={"trunk": f"PRI-{{{name}}}"}
    )
    assert found["trunk"].to_list() == ["PRI-7"]


def test_one_column_of_the_file_may_be_two_of_ours(read: Read) -> None:
    found = read(
        "plain_csv",
        b"A,callee,started_at,duration_s,outcome\n030,089,t,1,ok\n",
        columns={"caller": "A", "account_id": "a"},
    )
    assert found.select("caller", "account_code").rows() == [("030", "030")]


@pytest.mark.parametrize("ours", ["duration_s", "caller", "started_at"])
def test_a_line_of_names_that_is_not_utf8_is_told(read: Read, ours: str) -> None:
    header = "caller,callee,started_at,duration_s,outcome,Gr\u00f6\u00dfe\n".replace(
        ours, "L\u00e4nge"
    )
    columns = {ours: "{L\u00e4nge}" if ours == "started_at" else "l\u00e4nge"}
    assert read("plain_csv", f"{header}1,2,3,4,ok,5\n".encode(), columns=columns).height == 1
    with pytest.raises(FormatError, match="the header is not UTF-8; rewrite the file with"):
        read("plain_csv", header.encode("latin-1"), columns=columns)


def test_a_name_that_nobody_reads_may_be_of_any_bytes(read: Read) -> None:
    header = b"caller,callee,started_at,duration_s,outcome,Gr\xf6\xdfe\n"
    assert read("plain_csv", header + b"1,2,3,4,ok,5\n")["faults"].to_list() == [[]]


def test_a_missing_column_is_named_as_the_source_calls_it(read: Read) -> None:
    with pytest.raises(FormatError, match="the header lacks who;"):
        read("plain_csv", b"callee,started_at\n", columns={"caller": "who"})


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("ANSWERED", "answered"),
        ("NO ANSWER", "no_answer"),
        ("No-Answer", "no_answer"),
        ("noanswer", "no_answer"),
        ("BUSY", "busy"),
        ("Declined", "rejected"),
        ("CONGESTION", "failed"),
        (" cancel ", "cancelled"),
        ("perhaps", None),
        ("", None),
    ],
)
def test_outcomes_have_synonyms(read: Read, word: str, outcome: str | None) -> None:
    found = read(
        "plain_csv", f"caller,callee,started_at,duration_s,outcome\n1,2,s,3,{word}\n".encode()
    )
    faults = [] if outcome else ["unknown_outcome"]
    assert found.select("outcome", "faults").rows() == [(outcome, faults)]


@pytest.mark.parametrize(
    ("name", "text", "utc"),
    [
        ("plain_csv", "2026-09-01 12:00:00", "2026-09-01T12:00:00"),
        ("plain_csv", "2026-09-01T12:00:00.250", "2026-09-01T12:00:00.250000"),
        ("plain_csv_offset", "2026-09-01 12:00:00+02:00", "2026-09-01T10:00:00+00:00"),
        ("plain_csv_offset", "2026-09-01T12:00:00.5Z", "2026-09-01T12:00:00.500000+00:00"),
        ("plain_csv_offset", "2026-09-01 12:00:00 -0330", "2026-09-01T15:30:00+00:00"),
    ],
)
def test_one_layout_of_the_format_reads_the_time(name: str, text: str, utc: str) -> None:
    zone = "UTC" if name == "plain_csv_offset" else None
    read = [
        pl.Series([text]).str.to_datetime(layout, time_unit="us", time_zone=zone, strict=False)[0]
        for layout in by_name(name).times.layouts
    ]
    assert [each.isoformat() for each in read if each] == [utc]


def test_a_file_without_a_line_of_names_has_those_of_the_settings(read: Read) -> None:
    header = ("started_at", "caller", "x", "callee", "duration_s", "outcome")
    data = b"01/09/26 12:00;+4930;;200;5;answered\n"
    found = read("plain_csv", data * 2, header=header, time_layouts=("%d/%m/%y %H:%M",))
    assert found.select("line", "faults", "started", "callee").rows() == [
        (1, [], "01/09/26 12:00", "200"),
        (2, [], "01/09/26 12:00", "200"),
    ]
    with pytest.raises(SettingsError, match="header: lacks caller"):
        read("plain_csv", data, header=header[2:])
    with pytest.raises(FormatError, match="does not have the 6 columns"):
        read("plain_csv", b"a;b\n", header=header)


def test_a_declared_header_may_stand_in_the_file_too(read: Read) -> None:
    names = b"Who,x,To,When,Secs,outcome\n"
    found = read(
        "plain_csv",
        names + b"1,x,2,t,3,ok\n" + names.lower() + b"Who,y,,When,Secs,ok\n",
        header=("Who", "", "To", "When", "Secs", "outcome"),
        columns={"caller": "who", "callee": "to", "started_at": "when", "duration_s": "secs"},
    )
    assert found.select("caller", "faults").rows() == [
        (None, ["header_repeated"]),
        ("1", []),
        (None, ["header_repeated"]),
        ("Who", []),  # says other things besides
    ]


def test_words_of_the_source_are_outcomes(read: Read) -> None:
    data = b"caller,callee,started_at,duration_s,outcome\n1,2,s,3,Gespr\xc3\xa4ch\n"
    found = read("plain_csv", data, outcomes={"Gespr\u00e4ch": "answered"})
    assert found["outcome"].to_list() == ["answered"]


MAPPED = {
    "columns": {
        "record_id": "{Switch}/{Id}",
        "caller": "+{CC}{A}",
        "callee": "B",
        "started_at": "{Date} {Time}",
        "duration_s": "Length",
    },
    "constants": {"direction": "out", "media": "voice", "account_id": "acme"},
    "length_unit": "clock",
    "outcome_from_length": True,
}


def test_a_new_source_needs_no_code(read: Read) -> None:
    data = (
        b"switch;id;date;time;cc;a;b;length;account_id\n"
        b"x;1;01.09.2026;12:00:00;49;30901820;442079460018;00:01:02.5;\n"
        b"x;2;01.09.2026;12:00:01;49;30901820;442079460018;00:00;other\n"
        b"x;3;01.09.2026;;49;30901820;442079460018;soon;\n"
        b"x;4\n"
    )
    found = read("plain_csv", data, time_layouts=("%d.%m.%Y %H:%M:%S",), **MAPPED)
    assert found.select("source_record_id", "caller", "started", "account_code").rows() == [
        ("x/1", "+4930901820", "01.09.2026 12:00:00", "acme"),
        ("x/2", "+4930901820", "01.09.2026 12:00:01", "other"),
        ("x/3", "+4930901820", None, "acme"),
        (None, None, None, None),
    ]
    assert found.select("duration", "outcome", "direction", "media", "faults").rows() == [
        ("62.500000", "answered", "outbound", "voice", []),
        ("0.000000", "no_answer", "outbound", "voice", []),
        ("soon", "no_answer", "outbound", "voice", ["no_start_time"]),
        (None, None, None, None, ["wrong_column_count"]),
    ]


@pytest.mark.parametrize(
    ("unit", "text", "seconds"),
    [
        ("ms", "61500", "61.500000"),
        ("min", "1.5", "90.000000"),
        ("clock", "1:01:01", "3661.000000"),
        ("clock", "61:01", "3661.000000"),
        ("clock", "61", "61"),
        ("ms", "1 s", "1 s"),
        ("s", "61.5", "61.5"),
    ],
)
def test_a_length_is_read_in_the_unit_of_the_source(
    read: Read, unit: str, text: str, seconds: str
) -> None:
    data = f"caller,callee,started_at,duration_s,outcome\n1,2,s,{text},answered\n"
    found = read("plain_csv", data.encode(), length_unit=unit)
    assert found["duration"].to_list() == [seconds]


def test_words_of_the_source_are_directions(read: Read) -> None:
    data = b"caller,callee,started_at,duration_s,outcome,direction\n1,2,s,3,ok,MO\n1,2,s,3,ok,in\n"
    found = read("plain_csv", data, directions={"mo": "outbound"})
    assert found["direction"].to_list() == ["outbound", "inbound"]


def test_a_direction_that_nobody_declared_is_not_guessed(read: Read) -> None:
    rows = "".join(f"1,2,t,3,ok,{way}\n" for way in ("MT", "In-coming", "", "  ", "out"))
    found = read(
        "plain_csv", f"caller,callee,started_at,duration_s,outcome,direction\n{rows}".encode()
    )
    assert found.select("direction", "faults").rows() == [
        (None, ["unknown_direction"]),
        (None, ["unknown_direction"]),
        (None, []),
        (None, []),
        ("outbound", []),
    ]


def test_media_are_voice_or_video_and_other_words_are_declared_or_set_aside(read: Read) -> None:
    words = ("VOICE", " audio ", "Video", "", "  ", "Bildruf", "sms")
    rows = "".join(f"1,2,t,3,ok,{word}\n" for word in words)
    found = read(
        "plain_csv",
        f"caller,callee,started_at,duration_s,outcome,media\n{rows}".encode(),
        media={"bildruf": "video"},
    )
    assert found.select("media", "faults").rows() == [
        ("voice", []),
        ("voice", []),
        ("video", []),
        (None, []),
        (None, []),
        ("video", []),
        (None, ["unknown_media"]),
    ]


def test_a_part_that_the_header_lacks_is_named(read: Read) -> None:
    with pytest.raises(FormatError, match="the header lacks time;"):
        read("plain_csv", b"caller,callee,date,duration_s,outcome\n1,2,3,4,5\n",
             columns={"started_at": "{Date} {Time}"})  # fmt: skip


def test_a_part_that_the_header_has_twice_is_named(read: Read) -> None:
    with pytest.raises(FormatError, match="the header has time more than once"):
        read("plain_csv", b"caller,callee,date,time,duration_s,outcome,time\n1,2,3,4,5,6,7\n",
             columns={"started_at": "{Date} {Time}"})  # fmt: skip


def test_what_a_database_writes_for_nothing_is_nothing(read: Read) -> None:
    names = "caller,callee,started_at,answered_at,ended_at,outcome,account_id\n"
    found = read("plain_csv", f"{names}1,2,t,NULL,\\N,busy,NULL\n1,NULLA,t,,,ok,null\n".encode())
    assert found.select("callee", "answered", "ended", "account_code").rows() == [
        ("2", None, None, None),
        ("NULLA", None, None, "null"),
    ]


@pytest.mark.parametrize("never", ["0000-00-00 00:00:00", "0001-01-01T00:00:00Z"])
def test_the_time_of_what_never_happened_is_none(read: Read, never: str) -> None:
    names = "caller,callee,started_at,answered_at,ended_at\n"
    rows = f"1,2,t,{never},t\n1,2,{never},,\n"
    found = read("plain_csv", f"{names}{rows}".encode(), outcome_from_length=True)
    assert found.select("answered", "outcome", "faults").rows() == [
        (None, "no_answer", []),
        (None, "no_answer", ["no_start_time"]),
    ]


def test_a_constant_of_no_column_is_wrong(read: Read) -> None:
    with pytest.raises(SettingsError, match="constants: outcom is not one of"):
        read("plain_csv", b"caller,callee\n", constants={"outcom": "answered"})


@pytest.mark.parametrize(
    ("head", "row", "faults"),
    [
        ("caller,callee,started_at,outcome,duration_s,record_id", "1,2,s,ok,12,r1", ["cut_short"]),
        ("caller,callee,started_at,outcome,duration_s,record_id", '1,2,s,ok,12,"r1"', []),
        ("record_id,caller,callee,outcome,duration_s,started_at", "r1,1,2,ok,12,s", ["cut_short"]),
        ("record_id,caller,callee,started_at,outcome,duration_s", "r1,1,2,s,ok,12", []),
        ("caller,callee,started_at,outcome,duration_s", "1,2,s,ok,12", ["cut_short"]),
    ],
    ids=["id", "id-between-quotes", "start", "length", "no-id"],
)
def test_a_last_row_that_may_lack_a_part_of_its_name_waits(
    read: Read, head: str, row: str, faults: list[str]
) -> None:
    assert read("plain_csv", f"{head}\n{row}".encode())["faults"].to_list() == [faults]
    assert read("plain_csv", f"{head}\n{row}\n".encode())["faults"].to_list() == [[]]


def test_a_formula_that_keeps_leading_zeros_is_its_text(read: Read) -> None:
    rows = (
        '="0301","=""089""",t,1,="ok"\n'
        '="0302";="a, b",t,1,ok\n'
        '030,"=""a"" & b",="t",1,ok\n'
        '030="1",2,t,1,ok\n'
    )
    found = read("plain_csv", f"caller,callee,started_at,duration_s,outcome\n{rows}".encode())
    assert found.select("caller", "callee", "outcome", "faults").rows() == [
        ("0301", "089", "answered", []),
        (None, None, None, ["broken_quotes"]),
        ("030", '="a" & b', "answered", []),
        (None, None, None, ["broken_quotes"]),
    ]


def test_a_number_of_a_column_with_gaps_is_the_number_it_was(read: Read) -> None:
    rows = "4930901820.0,+442079460018.0,t,1,ok\n030.1234.0,10.0,t,1,ok\n"
    found = read("plain_csv", f"caller,callee,started_at,duration_s,outcome\n{rows}".encode())
    assert found.select("caller", "callee").rows() == [
        ("4930901820", "+442079460018"),
        ("030.1234.0", "10.0"),  # written with dots, and too short to say
    ]
