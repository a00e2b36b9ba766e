"""Each check finds the fault it is for, in rows one can count, and nothing where all is well."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

import duckdb
import pytest

from cdr.checks import Finding, check_names, findings_of

DAY = date(2026, 9, 30)
CALL = "'pbx', DATE '2026-09-30', 'outbound', '+4420', 'answered', 'a1', []::VARCHAR[], 0"
WELL = [CALL] * 30 + [CALL.replace("09-30", f"09-{day}") for day in (23, 16, 9) for _ in range(30)]
"""Thirty calls on the day and on the same weekday before, all with an account."""

FAULTS = {
    "accounts_unknown": [*WELL, *[CALL.replace("'a1'", "NULL")] * 2],
    "calls_in_future": [*WELL, CALL.removesuffix("0") + "-600"],
    "lengths_doubtful": [*WELL, CALL.replace("[]:", "['suspect_duration']:")],
    "source_silent": [CALL.replace("09-30", f"09-{day}") for day in range(25, 30)],
    "source_thin": WELL[21:],
}
WORDS = {
    "accounts_unknown": "6.2% of the calls of source pbx to numbers on 2026-09-30 have no account",
    "calls_in_future": "1 calls of source pbx begin after they were taken in",
    "lengths_doubtful": "3.2% of the answered calls of source pbx on 2026-09-30",
    "source_silent": "source pbx left no calls on 2026-09-30; it did on 5 of the seven days before",
    "source_thin": "source pbx left 9 calls on 2026-09-30, 30 on the same weekday as a rule",
}


def look_at(rows: list[str]) -> tuple[Finding, ...]:
    con = duckdb.connect()
    con.execute(
        f"""
        CREATE TABLE calls AS
        SELECT *, call_date::TIMESTAMP AS started_at,
               call_date::TIMESTAMP + to_seconds(arrives_s) AS ingested_at
        FROM (VALUES {", ".join(f"({row})" for row in rows)}) AS t(
            source, call_date, direction, callee_number, outcome, account_id, flags, arrives_s)
        """
    )
    return findings_of(con, DAY)


def test_a_usual_day_has_no_findings() -> None:
    assert look_at(WELL) == ()


@pytest.mark.parametrize("check", check_names())
def test_a_fault_is_found_said_in_words_and_fit_for_the_ledger(check: str) -> None:
    (finding,) = look_at(FAULTS[check])
    assert (finding.check, finding.subject) == (check, "pbx")
    assert finding.text.startswith(WORDS[check])
    assert json.loads(json.dumps(asdict(finding))) == asdict(finding)
