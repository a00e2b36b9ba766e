"""Calls whose numbers come late: `lake reassign` says and does it, and so does the next night."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import cdr
from fraud.tables import ACCOUNT_DAYS

if TYPE_CHECKING:
    from conftest import RunCommand
    from pipelines.conftest import Operator

NUMBERS = "account_id,number,valid_from,valid_to\na1,+49301234567,2026-09-02T00:00:00Z,\n"


@pytest.fixture
def nameless(operator: Operator) -> Operator:
    """Let calls find their account by number, of which nobody has told yet."""
    operator.config.write_text(operator.config.read_text() + 'account_from = "number"\n')
    return operator


def tell_numbers(operator: Operator) -> str:
    file = operator.inbox / "account_numbers.csv"
    file.write_text(NUMBERS)
    return str(file)


@pytest.mark.slow
def test_the_report_is_shown_and_nothing_written_until_commit(
    callsieve: RunCommand, nameless: Operator
) -> None:
    words = nameless.words
    file = nameless.leave(2, nameless.call(1, "", 1, 1), nameless.call(2, "", 2, 1))
    assert callsieve(*words, "ingest", str(file), "--source", "pbx").code == 0
    callsieve(*words, "numbers", "import", tell_numbers(nameless))

    report = callsieve(*words, "lake", "reassign")
    assert report.code == 1
    assert "1 call of 1 day would find an account" in report.out
    assert callsieve(*words, "lake", "reassign", "--json").found["committed"] == 0
    assert callsieve(*words, "lake", "reassign", "--until", "2026-09-02").code == 0

    done = callsieve(*words, "lake", "reassign", "--commit")
    assert done.code == 0
    assert "1 call of 1 day found an account" in done.out
    again = callsieve(*words, "lake", "reassign")
    assert again.code == 0
    assert "no call would find an account that it has not" in again.out
    assert callsieve(*words, "lake", "verify").code == 0


@pytest.mark.slow
def test_calls_move_to_who_held_their_number_where_that_is_asked(
    callsieve: RunCommand, nameless: Operator
) -> None:
    words = nameless.words
    file = nameless.leave(2, nameless.call(1, "", 1, 1), nameless.call(2, "", 2, 1))
    callsieve(*words, "numbers", "import", tell_numbers(nameless))
    assert callsieve(*words, "ingest", str(file), "--source", "pbx").code == 0
    moved = nameless.inbox / "account_numbers.csv"
    moved.write_text(
        NUMBERS.replace("Z,", "Z,2026-09-02T00:00:01Z") + "a2,+49301234567,2026-09-02T00:00:01Z,\n"
    )
    callsieve(*words, "numbers", "import", str(moved))
    assert callsieve(*words, "lake", "reassign", "--json").found["moved"] == 0  # it was not asked
    report = callsieve(*words, "lake", "reassign", "--moved")
    assert report.code == 1
    assert "would go to another account" in report.out
    assert callsieve(*words, "lake", "reassign", "--moved", "--commit").code == 0
    assert callsieve(*words, "lake", "reassign", "--moved", "--json").found["moved"] == 0
    assert callsieve(*words, "lake", "verify").code == 0


@pytest.mark.slow
def test_a_night_finds_the_accounts_of_earlier_days_and_counts_these_again(
    callsieve: RunCommand, nameless: Operator
) -> None:
    night = (*nameless.words, "nightly", "--date", "2026-09-03")
    assert callsieve(*night, "--json").found["reassigned"] == 0
    tell_numbers(nameless)
    told = callsieve(*night)
    assert "28 calls taken in without an account found it" in told.out

    lake = cdr.open_lake(cdr.load_settings(nameless.config, home=nameless.home))
    counted = lake.scan(ACCOUNT_DAYS).select("account_id", "call_date", "outbound_count").collect()
    assert [str(day) for day in counted["call_date"].sort()] == ["2026-09-02", "2026-09-03"]
    assert set(counted["account_id"]) == {"a1"}
    assert counted["outbound_count"].sum() == 28
    assert callsieve(*night, "--json").found["reassigned"] == 0


@pytest.mark.slow
def test_an_hour_finds_the_accounts_of_the_days_it_looks_at(
    callsieve: RunCommand, nameless: Operator
) -> None:
    hour = (*nameless.words, "hourly", "--date", "2026-09-03", "--json")
    callsieve(*hour)
    tell_numbers(nameless)
    callsieve(*hour)
    lake = cdr.open_lake(cdr.load_settings(nameless.config, home=nameless.home))
    assert lake.calls().collect()["account_id"].count() == 28
