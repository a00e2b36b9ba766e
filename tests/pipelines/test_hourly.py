"""Between nights: an attack that begins in the evening is a case in the evening."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import cdr
from fraud.review.queue import cases
from pipelines.set_aside import LISTED_BY

pytestmark = pytest.mark.slow


if TYPE_CHECKING:
    from conftest import RunCommand
    from pipelines.conftest import Operator

HOUR = ("hourly", "--date", "2026-09-04", "--json")
TEST_NUMBER = "+44 20 7946 0009"


def attacked(operator: Operator) -> None:
    """Leave a list of one test number, and the newest file with a call to it."""
    (operator.inbox / "lists.csv").write_text(
        f"list,entry,detail,valid_from,valid_to\ntest_numbers,{TEST_NUMBER.replace(' ', '')},x,,\n"
    )
    operator.leave(4, operator.call(9, "a2", 4, 1))


def test_a_call_to_a_test_number_is_a_case_at_once_and_only_once(
    callsieve: RunCommand, operator: Operator
) -> None:
    attacked(operator)
    first = callsieve(*operator.words, *HOUR)
    assert first.code == 0
    assert first.found["rules"] == [{"rule": "test_number", "accounts": 1, "report_only": 0}]
    assert [one["account_id"] for one in first.found["candidates"]] == ["a2"]
    assert (first.found["ingest"]["accepted"], first.found["cases_opened"]) == (43, 1)
    again = callsieve(*operator.words, *HOUR).found
    assert (again["ingest"]["accepted"], again["cases_opened"], again["cases_refreshed"]) == (
        0,
        0,
        0,
    )
    assert [(one.account_id, one.band) for one in cases(operator.home)] == [("a2", "high")]


def test_the_newest_attack_is_told_first(callsieve: RunCommand, operator: Operator) -> None:
    attacked(operator)  # a2, on the fourth
    operator.leave(2, operator.call(9, "a1", 2, 30))  # a1: the rule looks two days back
    callsieve(*operator.words, "hourly", "--date", "2026-09-03")
    shown = callsieve(*operator.words, *HOUR[:-1]).out
    assert [line for line in shown.splitlines() if "score" in line] == [
        "   1. a2  score unknown, high",
        "   2. a1  score unknown, high",
    ]
    assert "listed test numbers" in shown
    assert "(enough by itself)" in " ".join(shown.split())


def test_rows_set_aside_are_told_at_once(callsieve: RunCommand, operator: Operator) -> None:
    operator.leave(4, "not,a,call")
    ran = callsieve(*operator.words, *HOUR)
    assert ran.code == 1
    assert ran.found["concerns"] == [
        f"pbx: 1 row of 1 file set aside (wrong_column_count 1), listed by `{LISTED_BY}`"
    ]


def test_a_renamed_source_has_no_call_twice_and_is_told(
    callsieve: RunCommand, operator: Operator
) -> None:
    before = callsieve(*operator.words, *HOUR).found["ingest"]["accepted"]
    settings = operator.config.read_text()
    operator.config.write_text(settings.replace("sources.pbx", "sources.berlin"))
    (operator.inbox / "pbx").rename(operator.inbox / "berlin")
    ran = callsieve(*operator.words, *HOUR)
    assert (ran.found["ingest"]["accepted"], ran.found["ingest"]["duplicate"]) == (0, before)
    assert ran.found["concerns"] == [
        f"berlin: {before} rows are calls that came in before as source 'pbx': counted as "
        "duplicate. Was the source renamed?"
    ]
    assert callsieve(*operator.words, *HOUR).code == 0


def test_the_night_after_it_keeps_the_case_and_the_reason(
    callsieve: RunCommand, operator: Operator
) -> None:
    attacked(operator)
    callsieve(*operator.words, *HOUR)
    night = callsieve(*operator.words, "nightly", "--date", "2026-09-04", "--json").found
    assert night["rules"] == [{"rule": "test_number", "accounts": 1, "report_only": 0}]
    of_a2 = [one for one in cases(operator.home) if one.account_id == "a2"]
    assert [(one.case_id, one.band) for one in of_a2] == [(1, "high")]


def test_while_a_night_runs_the_hour_leaves_the_work_to_it(
    callsieve: RunCommand, operator: Operator
) -> None:
    lake = cdr.open_lake(cdr.load_settings(operator.config, home=operator.home), create=True)
    with lake.home.alone("nightly"):
        ran = callsieve(*operator.words, *HOUR)
    assert ran.code == 0
    assert "a night is running" in ran.found["note"]


def test_a_day_that_has_not_begun_is_refused(callsieve: RunCommand, operator: Operator) -> None:
    ran = callsieve(*operator.words, "hourly", "--date", "2999-01-01")
    assert ran.code == 2
    assert "has not begun yet" in ran.err
