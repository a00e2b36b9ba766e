"""A file of an earlier day that is gone: the night goes on, says so, and makes up for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import cdr
from cdr.schema import CALLS

if TYPE_CHECKING:
    from conftest import RunCommand
    from pipelines.conftest import Operator

pytestmark = pytest.mark.slow

NUMBERS = "account_id,number,valid_from,valid_to\na1,+49301234567,,\n"


def test_a_night_goes_on_without_a_file_that_is_gone_and_makes_up_for_it(
    callsieve: RunCommand, operator: Operator
) -> None:
    operator.config.write_text(operator.config.read_text() + 'account_from = "number"\n')
    night = (*operator.words, "nightly", "--date", "2026-09-03")
    callsieve(*night)
    lake = cdr.open_lake(cdr.load_settings(operator.config, home=operator.home))
    gone = next(f for f in lake.files(CALLS) if f.partition["call_date"] == "2026-09-01")
    file = lake.home.lake / "calls" / gone.path
    content = file.read_bytes()
    file.unlink()
    (operator.inbox / "account_numbers.csv").write_text(NUMBERS)

    told = callsieve(*night, "--json")
    assert told.code == 1
    assert (told.found["reassigned"], told.found["accounts_scored"]) == (28, 2)
    damaged = [
        text for text in told.found["concerns"] if "`callsieve lake verify` names it" in text
    ]
    assert [text.split()[0] for text in damaged] == ["accounts", "lengths", "sources", "retention"]

    file.write_bytes(content)
    again = callsieve(*night, "--json")
    assert again.found["reassigned"] == 14
    assert not [text for text in again.found["concerns"] if "damaged" in text]
    assert callsieve(*operator.words, "lake", "verify").code == 0
