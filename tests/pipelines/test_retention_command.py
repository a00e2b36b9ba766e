"""`callsieve retention` by its exit code: 1 where something over is still there, else 0."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cdr
from cdr.privacy.exports import ExportKind, note_exports

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from conftest import RunCommand


def test_it_ends_with_1_as_long_as_something_expired_is_still_there(
    callsieve: RunCommand, tmp_path: Path
) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    words = ("--home", lake.home.root, "retention")
    answer = tmp_path / "answer.json"
    answer.write_text("as it was written")
    at = datetime.now(tz=UTC) - timedelta(days=31)
    note_exports(lake.home, ExportKind.ANSWER, [answer], at=at)
    answer.write_text("changed by hand")

    left = callsieve(*words, "--json")
    answer.unlink()
    gone = callsieve(*words, "--json")

    assert (left.code, left.found["expired_left"]) == (1, 1)
    assert (gone.code, gone.found["expired_left"]) == (0, 0)


def test_an_answer_that_is_written_out_is_in_the_register(
    callsieve: RunCommand, tmp_path: Path
) -> None:
    lake = cdr.open_lake(cdr.load_settings(home=tmp_path / "home"), create=True)
    out = tmp_path / "answer.json"
    told = callsieve(
        "--home", lake.home.root, "person", "access", "--number", "+49301234567", "--out", out
    )
    assert told.code == 0
    assert len(list(lake.home.exports.iterdir())) == 1
