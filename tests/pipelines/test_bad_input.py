"""Each thing that goes wrong at an operator's gets a clear answer, and the lake stays whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import cdr

pytestmark = pytest.mark.slow


if TYPE_CHECKING:
    from conftest import RunCommand
    from pipelines.conftest import Operator

NIGHT = ("nightly", "--date", "2026-09-03", "--json")
HOUR = ("hourly", "--date", "2026-09-03", "--json")
"""Takes in what a night takes in, and is done sooner."""


def test_no_files(callsieve: RunCommand, operator: Operator) -> None:
    for file in (operator.inbox / "pbx").iterdir():
        file.unlink()
    ran = callsieve(*operator.words, *NIGHT)
    assert ran.code == 1
    assert "no call files: leave them in " in ran.found["concerns"][0]


def test_no_sources(callsieve: RunCommand, operator: Operator) -> None:
    operator.config.write_text("")
    ran = callsieve(*operator.words, *NIGHT)
    assert ran.code == 2
    assert "sources: there is none; `callsieve init` writes a callsieve.toml" in ran.err


def test_a_folder_that_is_no_source(callsieve: RunCommand, operator: Operator) -> None:
    (operator.inbox / "pxb").mkdir()
    ran = callsieve(*operator.words, *NIGHT)
    assert ran.code == 2
    assert "inbox has a folder 'pxb', but no such source" in ran.err


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('format = "plain_cvs"', "unknown format 'plain_cvs'; did you mean plain_csv? known"),
        ('zone = "Europe/Berlim"', "sources.pbx.zone: not an IANA time zone"),
        ('country = "Germany"', "sources.pbx.country: "),
        ('farmat = "plain_csv"', "sources.pbx.farmat: not a setting"),
        ("format = [", "is not TOML"),
    ],
    ids=["format", "zone", "country", "misspelt name", "not toml"],
)
def test_wrong_settings(
    callsieve: RunCommand, operator: Operator, setting: str, message: str
) -> None:
    name = setting.split(" ")[0]
    lines = [line for line in operator.config.read_text().splitlines() if name not in line]
    operator.config.write_text("\n".join([*lines, setting]))
    ran = callsieve(*operator.words, *NIGHT)
    assert ran.code == 2
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_a_settings_file_that_is_not_there(callsieve: RunCommand, operator: Operator) -> None:
    ran = callsieve("--config", operator.home / "nowhere.toml", *NIGHT)
    assert ran.code == 2
    assert "there is no such file; `callsieve init` writes one" in ran.err


NO_CALL_FILES = {
    "missing-column.csv": b"record_id,account_id,caller\nr1,a1,030\n",
    "bytes-of-all-kinds.csv": bytes(range(256)) * 40,
    "program.csv": b"\x7fELF\x02\x01\x01" + b"\0" * 4000,
    "empty.csv": b"",
}


def test_files_that_are_no_call_files_keep_no_other_out(
    callsieve: RunCommand, operator: Operator
) -> None:
    for name, content in NO_CALL_FILES.items():
        (operator.inbox / "pbx" / name).write_bytes(content)
    ran = callsieve(*operator.words, *NIGHT)
    assert ran.code == 1
    assert ran.found["ingest"]["accepted"] == 42
    concerns = "\n".join(ran.found["concerns"])
    assert [name for name in NO_CALL_FILES if name in concerns] == [*NO_CALL_FILES][:3]
    assert "callee" in concerns  # the column that is missing


def test_a_row_cut_in_the_middle_is_set_aside_and_comes_when_it_is_whole(
    callsieve: RunCommand, operator: Operator
) -> None:
    file = operator.inbox / "pbx" / "2026-09-03.csv"
    whole = file.read_bytes()
    file.write_bytes(whole[:-30])
    cut = callsieve(*operator.words, *HOUR)
    assert (cut.found["ingest"]["accepted"], cut.found["ingest"]["rejected"]) == (41, 1)
    file.write_bytes(whole)
    found = callsieve(*operator.words, *HOUR).found["ingest"]
    assert (found["accepted"], found["rejected"]) == (1, 0)


@pytest.mark.parametrize(
    "content",
    ["", "name,city\nx,y\n"],
    ids=["nothing", "other columns"],
)
def test_accounts_that_cannot_be_read_leave_the_calls_in(
    callsieve: RunCommand, operator: Operator, content: str
) -> None:
    (operator.inbox / "accounts.csv").write_text(content)
    ran = callsieve(*operator.words, *HOUR)
    assert ran.code == 1
    assert ran.found["ingest"]["accepted"] == 42
    assert any("account" in concern for concern in ran.found["concerns"])


def test_a_night_without_accounts_scores_nobody_and_says_so(
    callsieve: RunCommand, operator: Operator
) -> None:
    (operator.inbox / "accounts.csv").write_text("account_id,created_at,status\n")
    ran = callsieve(*operator.words, *NIGHT)
    assert ran.code == 1
    assert (ran.found["ingest"]["accepted"], ran.found["accounts_scored"]) == (42, 0)
    assert any("account" in concern for concern in ran.found["concerns"])


def test_a_lake_of_a_newer_version(callsieve: RunCommand, operator: Operator) -> None:
    cdr.open_lake(cdr.load_settings(operator.config, home=operator.home), create=True)
    (operator.home / "layout.json").write_text('{"layout": 99}')
    ran = callsieve(*operator.words, *NIGHT)
    assert ran.code == 3
    assert "the lake has layout 99, this version knows up to" in ran.err


def test_a_home_that_cannot_be_written(callsieve: RunCommand, operator: Operator) -> None:
    home = operator.home.parent / "file"
    home.write_text("not a folder")
    for place in (home, home / "below"):
        ran = callsieve("--home", place, "--config", operator.config, *NIGHT)
        assert ran.code == 3
        assert "preparing the home folder: a file stands where a folder should be" in ran.err


def test_a_name_that_is_no_text_ends_no_night(callsieve: RunCommand, operator: Operator) -> None:
    name = os.fsdecode(b"2026-\xff.csv")
    (operator.inbox / "pbx" / "2026-09-03.csv").rename(operator.inbox / "pbx" / name)
    ran = callsieve(*operator.words, *HOUR)
    assert ran.found["ingest"]["accepted"] == 42
    asked = ("query", "SELECT file FROM ingests", "--purpose", "fraud", "--json")
    files = {row["file"] for row in callsieve(*operator.words, *asked).found["rows"]}
    assert "2026-\\xff.csv" in files


def test_what_cannot_be_read_in_the_inbox_is_told(
    callsieve: RunCommand, operator: Operator
) -> None:
    inbox = operator.inbox / "pbx"
    (inbox / "gone.csv").symlink_to("nowhere")
    (inbox / "loop.csv").symlink_to("loop.csv")
    (inbox / "switch").symlink_to(operator.home, target_is_directory=True)
    os.mkfifo(inbox / "pipe")
    ran = callsieve(*operator.words, *HOUR)
    assert ran.found["ingest"]["accepted"] == 42
    assert ran.found["concerns"][:4] == [
        "gone.csv (pbx): there is no such file",
        "loop.csv (pbx): is a link to itself",
        "pipe (pbx): is a pipe or a device; write it to a file first",
        "switch (pbx): is a link to a folder, which is not followed; name its files, or copy them",
    ]


def test_an_unforeseen_fault_shows_no_value(
    callsieve: RunCommand, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("+49301234567 does not parse")

    monkeypatch.setattr("pipelines.nightly.take_in", broken)
    monkeypatch.delenv("CALLSIEVE_TRACEBACK", raising=False)
    ran = callsieve(*operator.words, *NIGHT)
    assert ran.code == 3
    assert "an unforeseen fault (ValueError in test_bad_input.py" in ran.err
    assert "4930" not in ran.err + ran.out


def test_messages_hold_no_number(callsieve: RunCommand, operator: Operator) -> None:
    operator.leave(2, "r1,a1,030 1234567,+442079460000,2026-13-45 99:99:99,61,answered")
    ran = callsieve(*operator.words, *NIGHT)
    assert ran.found["ingest"]["rejected"] == 1
    for number in ("1234567", "2079460000"):
        assert number not in ran.err + ran.out
    assert [file.name for file in (operator.home / "reports").iterdir()] == ["2026-09-03.html"]
