"""A legal hold by command: recorded with its ground and a pseudonym, and erasure obeys it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cdr
from cdr.privacy import audit

if TYPE_CHECKING:
    from conftest import RunCommand


def test_a_held_number_is_not_erased_and_the_hold_is_recorded(
    callsieve: RunCommand, tmp_path: Path
) -> None:
    number, ground = "+49301234567", "order 12 Js 34/26"
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    words = ("--home", lake.home.root)
    hold = ("retention", "hold")

    laid = callsieve(
        *words, *hold, "add", "--number", number, "--ground", ground, "--until", "2999-12-31",
        "--json",
    )  # fmt: skip
    erased = callsieve(*words, "person", "erase", "--number", number, "--json")
    listed = callsieve(*words, *hold, "list", "--json").found["holds"]
    ended = callsieve(*words, *hold, "end", laid.found["hold_id"], "--why", "closed", "--json")

    assert (laid.code, erased.code, ended.code) == (0, 1, 0)
    assert erased.found["held_by"] == [f"legal hold ({ground}, until 2999-12-31)"]
    assert [(one["subject"], one["ground"]) for one in listed] == [(number, ground)]
    log = {entry.what: entry for entry in audit.entries(lake.home)}
    assert {"hold.add", "hold.end"} <= set(log)
    assert number not in b"".join(file.read_bytes() for file in audit.files(lake.home)).decode()
    assert audit.details(lake.home)[log["hold.add"].seq]["said"]["why"] == ground
    assert callsieve(*words, "person", "erase", "--number", number).code == 0
    assert callsieve(*words, "retention", "--dry-run", "--json").found["dry_run"]
