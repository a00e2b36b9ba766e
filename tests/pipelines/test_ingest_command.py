"""What `ingest` and `formats` say on the command line, of good files and of bad ones."""

from __future__ import annotations

import gzip
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cdr.formats import FORMATS
from pipelines.set_aside import LISTED_BY

if TYPE_CHECKING:
    from conftest import RunCommand

HEADER = "record_id,account_id,caller,callee,started_at,duration_s,outcome\n"
GOOD = "r1,a1,030 1234567,+442079460018,2026-09-01 12:00:00,61,answered\n"
NEVER = "r3,a1,030 1234567,089 123456,2026-03-29 02:30:00,5,answered\n"
AS = ("--format", "plain_csv", "--zone", "Europe/Berlin", "--country", "DE")


def write(what: str | bytes, name: str = "calls.csv") -> Path:
    file = Path(name)
    file.write_bytes(what if isinstance(what, bytes) else what.encode())
    return file


def test_formats_lists_each_with_an_example(callsieve: RunCommand) -> None:
    ran = callsieve("formats", "--json")
    assert set(ran.found) == set(FORMATS)
    assert all(form["title"] and form["example"] for form in ran.found.values())
    listed = callsieve("formats").out
    assert all(FORMATS[name].example.split("\n")[0] in listed for name in FORMATS)


def test_a_file_is_taken_in_by_options_alone_and_only_once(callsieve: RunCommand) -> None:
    file = write(HEADER + GOOD)
    ran = callsieve("--home", "h", "ingest", file, *AS)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == ("calls.csv: 1 row: 1 accepted, 0 duplicate, 0 corrected, 0 set aside\n")
    again = callsieve("--home", "h", "ingest", file, *AS)
    assert again.out == "calls.csv: taken in before, nothing to do (1 row)\n"


def test_a_dry_run_shows_calls_and_reasons_and_writes_nothing(callsieve: RunCommand) -> None:
    file = write(HEADER + GOOD + NEVER)
    ran = callsieve("--home", "h", "ingest", file, *AS, "--dry-run")
    assert ran.code == 1
    assert "+49301234567" in ran.out
    assert "2026-09-01 10:00:00Z" in ran.out
    assert "started_time_never_existed" in ran.out
    assert "1234567" not in ran.err
    assert not Path("h").exists()

    (seen,) = callsieve("--home", "h", "ingest", file, *AS, "--dry-run", "--json").found["files"]
    assert [call["callee_number"] for call in seen["calls"]] == ["+442079460018"]
    assert [(row["line"], row["reasons"]) for row in seen["set_aside"]] == [
        (3, ["started_time_never_existed"])
    ]


@pytest.mark.parametrize(
    ("way", "helps"),
    [("code", "set `account_from`"), ("number", "`callsieve numbers import FILE`"), ("none", None)],
)
def test_calls_that_all_find_no_account_are_said_before_and_after(
    way: str, helps: str | None, callsieve: RunCommand
) -> None:
    file = write(HEADER + GOOD.replace("a1", ""))
    words = ("--home", "h", "ingest", file, *AS, "--account-from", way)
    for ran in (callsieve(*words, "--dry-run"), callsieve(*words)):
        assert ran.code == 0
        assert ("no call of 1 found an account" in ran.err) is (helps is not None)
        assert (helps or "") in ran.err


def test_auto_proposes_with_reasons_and_asks(callsieve: RunCommand) -> None:
    file = write(HEADER + GOOD + NEVER.replace("r3", ""))
    ran = callsieve("--home", "h", "ingest", file, "--format", "auto")
    assert ran.code == 2
    assert "looks like plain_csv (CSV with a header, local times): 2 of its first 2" in ran.err
    assert "or plain_csv_offset: 0 understood, fields found in 2" in ran.err
    assert "to confirm: callsieve ingest calls.csv --format plain_csv --zone ZONE" in ran.err
    assert "1234567" not in ran.err
    assert not Path("h").exists()


def test_auto_proposes_a_command_that_reads_a_name_with_a_dash(callsieve: RunCommand) -> None:
    file = write(HEADER + GOOD, "-rf 1.csv")
    ran = callsieve("ingest", "--format", "auto", "--", file)
    assert "callsieve ingest './-rf 1.csv' --format plain_csv" in ran.err


def test_a_file_that_cannot_be_read_keeps_no_other_out(
    callsieve: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_args, **_more: False)  # root may read any file
    files = (write(HEADER + GOOD), "gone.csv")
    proposed = callsieve("ingest", *files, "--format", "auto")
    assert "looks like plain_csv" in proposed.err
    assert "gone.csv: there is no such file" in proposed.err
    ran = callsieve("--home", "h", "ingest", *files, *AS)
    assert "calls.csv: 1 row: 1 accepted" in ran.out
    assert "gone.csv: refused: there is no such file" in ran.out


def test_a_name_is_told_on_one_line(callsieve: RunCommand) -> None:
    name = os.fsdecode(b"a\n\xff.csv")
    ran = callsieve("--home", "h", "ingest", write(HEADER + GOOD, name), *AS)
    assert ran.out.startswith("a\\x0a\\xff.csv: 1 row: 1 accepted")
    auto = callsieve("ingest", name, "--format", "auto")
    assert auto.err.startswith("a\\x0a\\xff.csv: looks like plain_csv")


def test_auto_says_so_where_nothing_fits(callsieve: RunCommand) -> None:
    ran = callsieve("ingest", write("hello\n"), "--format", "auto", "--json")
    assert ran.code == 2
    assert ran.found["proposals"] == {"calls.csv": []}
    assert "no format can read it as it is" in ran.err
    assert "`header`" in ran.err


def test_auto_repeats_the_zone_that_was_given_and_names_the_setting_for_times(
    callsieve: RunCommand,
) -> None:
    file = write(HEADER + GOOD.replace("2026-09-01", "1/9/2026"))
    asked = ("--zone", "Europe/Berlin", "--country", "DE")
    ran = callsieve("ingest", file, "--format", "auto", *asked)
    assert "`time_layouts`" in ran.err
    assert "--format plain_csv --zone Europe/Berlin --country DE --dry-run" in ran.err
    assert "no files" in callsieve("ingest", "--format", "auto").err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (b"\x00\x01\x02\x80" * 99, "not text"),
        ('"cdrRecordType","globalCallID_callId","pkid"\nINTEGER,INTEGER,UNIQUEIDENTIFIER\n', "CMR"),
        ("PK\x03\x04....", "a zip archive or a spreadsheet"),
    ],
    ids=["empty", "binary", "cmr", "zip"],
)
def test_auto_says_what_a_file_is_that_holds_no_calls(
    callsieve: RunCommand, text: str | bytes, said: str
) -> None:
    ran = callsieve("ingest", write(text), "--format", "auto")
    assert ran.code == 2
    assert f"calls.csv: is {'a ' if said == 'CMR' else ''}{said}" in ran.err


def test_a_clock_that_is_not_in_the_zone_is_told_before_anything_is_taken_in(
    callsieve: RunCommand,
) -> None:
    in_utc = (  # the id has the epoch of 12:00 in UTC, which is 14:00 in Berlin
        '"a1","+4930901820","+442079460018","i","c","PJSIP/a1-1","PJSIP/x-2","Dial","x",'
        '"2026-09-01 12:00:00","","2026-09-01 12:00:07",7,0,"BUSY","DOCUMENTATION",'
        '"1788264000.2",""\n'
    )
    words = ("--format", "asterisk_csv", *AS[2:])
    said = (
        "Master.csv: 1 call proves another offset from UTC than Europe/Berlin has (flag "
        "offset_contradicted); is `zone` of the source right?\n"
    )
    ran = callsieve("ingest", write(in_utc, "Master.csv"), *words, "--dry-run")
    assert ran.err == said
    taken_in = callsieve("--home", "h", "ingest", "Master.csv", *words)
    assert (taken_in.code, taken_in.err) == (1, said)


def test_calls_that_are_there_at_another_time_are_told_and_not_doubled(
    callsieve: RunCommand,
) -> None:
    callsieve("--home", "h", "ingest", write(HEADER + GOOD), *AS[:3], "UTC", *AS[4:])
    ran = callsieve(
        "--home", "h", "ingest", write(HEADER + GOOD + GOOD.replace("r1", "r9")), *AS, "--json"
    )
    (file,) = ran.found["files"]
    assert (ran.code, file["accepted"], file["duplicate"]) == (1, 1, 1)
    assert ran.err == (
        "plain_csv: 1 row is a call that came in before at another time, which stays: counted as "
        "duplicate. Was `zone`, `clock` or `time_layouts` of the source another then?\n"
    )


def test_why_rows_were_set_aside_is_said_at_once(callsieve: RunCommand) -> None:
    ran = callsieve("--home", "h", "ingest", write(HEADER + GOOD + NEVER), *AS)
    assert ran.code == 1
    assert ran.err == (
        "plain_csv: 1 row of 1 file set aside (started_time_never_existed 1), listed by "
        f"`{LISTED_BY}`\n"
    )
    listed = callsieve("--home", "h", *shlex.split(LISTED_BY)[1:], "--json")
    assert listed.found["rows"] == [
        {
            "source": "plain_csv",
            "file": "calls.csv",
            "line": 3,
            "reasons": ["started_time_never_existed"],
        }
    ]


def test_why_rows_of_the_operators_files_were_set_aside_too(callsieve: RunCommand) -> None:
    rows = "account_id,created_at,status\na1,2026-01-01,active\na2,soon,active\n"
    ran = callsieve("--home", "h", "accounts", "import", write(rows, "accounts.csv"))
    assert ran.code == 1
    assert ran.err == (
        "accounts: 1 row of 1 file set aside (created_at_not_understood 1), listed by "
        f"`{LISTED_BY}`\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--format", "plain_cvs", *AS[2:]),
            "unknown format 'plain_cvs'; did you mean plain_csv? known are: ",
        ),
        ((*AS[:2], "--zone", "Europe/Berlim", *AS[4:]), "--zone: not an IANA time zone"),
        (
            (*AS[:4], "--country", "Germany"),
            "--country: two capital letters (ISO 3166-1), such as DE",
        ),
        (AS[:2], "--format needs --zone and --country"),
        ((), "name a source of the settings with --source, or a format with --format"),
        (("--source", "pbx", *AS), "name a source of the settings with --source, or a"),
        (("--source", "pbx"), "no source 'pbx' in the settings; there are: none"),
        ((*AS, "--account-from", "luck"), "--account-from: Input should be"),
    ],
    ids=["format", "zone", "country", "half", "nothing", "both", "source", "account"],
)
def test_wrong_use_ends_with_2_and_says_what_to_do(
    callsieve: RunCommand, words: tuple[str, ...], message: str
) -> None:
    ran = callsieve("--home", "h", "ingest", write(HEADER + GOOD), *words)
    assert ran.code == 2
    assert message in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["ingest", "dry run"])
@pytest.mark.parametrize(
    ("what", "message"),
    [
        (HEADER.replace("callee,", "") + GOOD, "the header lacks callee"),
        (bytes(range(256)) * 40, "binary data"),
        (gzip.compress((HEADER + GOOD * 900).encode())[:-20], "cut short or damaged"),
        (HEADER.encode("utf-16"), "UTF-16"),
        (Path.mkdir, "is a folder; name its files"),
        (os.mkfifo, "is a pipe or a device; write it to a file first"),
    ],
    ids=["column", "binary", "half a gzip", "utf-16", "folder", "pipe"],
)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(
    callsieve: RunCommand,
    what: str | bytes | Callable[[Path], None],
    message: str,
    dry: tuple[str, ...],
) -> None:
    if callable(what):
        what(Path("calls.csv"))
    else:
        write(what)
    ran = callsieve("--home", "h", "ingest", "calls.csv", *AS, *dry)
    assert ran.code == 3
    assert "calls.csv: refused: " in ran.out + ran.err
    assert message in ran.out + ran.err
    assert "1234567" not in ran.out + ran.err


def test_a_missing_file_is_refused(callsieve: RunCommand) -> None:
    ran = callsieve("--home", "h", "ingest", "nowhere.csv", *AS)
    assert (ran.code, ran.out) == (3, "nowhere.csv: refused: there is no such file\n")


def test_an_empty_file_is_said_to_be_empty(callsieve: RunCommand) -> None:
    ran = callsieve("--home", "h", "ingest", write(b""), *AS)
    assert (ran.code, ran.out) == (0, "calls.csv: is empty, nothing to take in\n")


def test_a_file_cut_in_the_middle_is_taken_in_but_for_its_last_row(callsieve: RunCommand) -> None:
    ran = callsieve("--home", "h", "ingest", write(HEADER + GOOD + GOOD[:30]), *AS)
    assert ran.code == 1
    assert "2 rows: 1 accepted, 0 duplicate, 0 corrected, 1 set aside" in ran.out
    assert "1234567" not in ran.err
    whole = callsieve("--home", "h", "ingest", write(HEADER + GOOD + GOOD.replace("r1", "r2")), *AS)
    assert "2 rows: 1 accepted, 1 duplicate, 0 corrected, 0 set aside" in whole.out


def test_no_files_is_wrong_use_but_for_a_source_with_a_database(
    callsieve: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = callsieve("--home", "h", "ingest", *AS)
    assert (ran.code, "no files to take in" in ran.err) == (2, True)
    Path("c.toml").write_text(
        '[sources.proxy]\nformat = "opensips_acc"\nzone = "UTC"\ncountry = "DE"\n'
        'database_url_env = "PROXY_URL"\n'
    )
    words = ("--home", "h", "--config", "c.toml", "ingest", "--source", "proxy")
    assert "the environment has no PROXY_URL" in callsieve(*words).err
    monkeypatch.setenv("PROXY_URL", "postgresql://me:s3cret@127.0.0.1:1/acc")
    ran = callsieve(*words)
    assert ran.code == 3
    assert "table acc: the database cannot be reached" in ran.err
    assert "s3cret" not in ran.err
