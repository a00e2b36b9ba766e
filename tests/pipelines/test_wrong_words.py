"""Words that are no command or option end with 2, one line that helps, and JSON where asked for."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import RunCommand


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("inges", "--json"), "No such command 'inges'. Did you mean 'ingest'?"),
        (("doctor", "--jsn", "--json"), "No such option: --jsn"),
        (("query", "SELECT 1", "--json"), "Missing option '--purpose'"),
        (("lake", "history", "--limit", "x", "--json"), "Invalid value for '--limit'"),
        (
            ("nightly", "--date", "30.9.2026", "--json"),
            "Invalid value for '--date': '…' is no day as 2026-09-30; see `callsieve nightly",
        ),
        (
            ("person", "access", "+49301234567", "Ada Lovelace", "--json"),
            "Got unexpected extra argument(s) (… …); see `callsieve person access --help`",
        ),
    ],
    ids=["command", "option", "missing", "kind", "day", "typed values are not told"],
)
def test_a_machine_reads_what_was_wrong(
    callsieve: RunCommand, words: tuple[str, ...], message: str
) -> None:
    ran = callsieve(*words)
    assert (ran.code, ran.found["exit_code"]) == (2, 2)
    assert ran.found["error"].startswith(message)


def test_a_person_reads_one_line_that_says_where_help_is(callsieve: RunCommand) -> None:
    ran = callsieve("lake", "history", "--limt", "5")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("callsieve: No such option: --limt")
    assert ran.err.endswith("see `callsieve lake history --help`\n")


def test_a_file_is_named_so_that_a_person_finds_it(callsieve: RunCommand) -> None:
    Path("a folder").mkdir()
    ran = callsieve("evaluate", "--truth", "a folder")
    assert ran.code == 2
    assert "'a folder'" in ran.err


def test_a_person_asks_for_the_version(callsieve: RunCommand) -> None:
    assert callsieve("--version").out == f"callsieve {version('callsieve')}\n"


def test_a_group_without_a_command_shows_its_help(callsieve: RunCommand) -> None:
    ran = callsieve("lake")
    assert ran.code == 2
    assert "compact" in ran.out + ran.err
    assert "callsieve: " not in ran.err
