"""The rules of a case's life, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from fraud.candidates import Candidate, Reason
from fraud.review.cases import (
    Case,
    CoolDown,
    Standing,
    Status,
    Step,
    is_material,
    next_step,
)

NIGHT = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)
COOL_DOWN = CoolDown(quiet=timedelta(days=30), score_rise=0.25, new_share=0.2)


def case(status: Status, **changes: Any) -> Case:
    made: dict[str, Any] = {
        "case_id": 1,
        "account_id": "acc-1",
        "status": status,
        "status_since": NOW - timedelta(days=1),
        "reviewer": None if status is Status.OPEN else "ada",
        "opened_at": NOW - timedelta(days=2),
        "as_of": NIGHT - timedelta(days=1),
        "score": 0.5,
        "band": "medium",
    }
    return Case(**{**made, **changes})


@pytest.mark.parametrize(
    ("status", "days_ago", "changes", "as_of", "step"),
    [
        pytest.param(None, 0, {}, NIGHT, Step.OPEN, id="never-had-a-case"),
        pytest.param(Status.OPEN, 1, {}, NIGHT, Step.LEAVE, id="open-says-the-same"),
        pytest.param(Status.OPEN, 1, {"rank": 7}, NIGHT, Step.LEAVE, id="only-the-rank-moved"),
        pytest.param(Status.OPEN, 1, {"score": 0.51}, NIGHT, Step.REFRESH, id="open-new-score"),
        pytest.param(Status.TAKEN, 1, {"score": 0.51}, NIGHT, Step.REFRESH, id="taken-new-score"),
        pytest.param(
            Status.OPEN, 1, {"score": 0.9}, date(2026, 2, 28), Step.LEAVE, id="an-earlier-night"
        ),
        pytest.param(Status.CLEARED, 1, {"score": 0.6}, NIGHT, Step.LEAVE, id="cleared-same"),
        pytest.param(Status.CLEARED, 1, {"score": 0.75}, NIGHT, Step.OPEN, id="cleared-material"),
        pytest.param(
            Status.CLEARED,
            1,
            {"score": 0.75},
            date(2026, 3, 1),
            Step.LEAVE,
            id="cleared-on-that-very-night",
        ),
        pytest.param(Status.CLEARED, 29, {}, NIGHT, Step.LEAVE, id="cleared-29-days"),
        pytest.param(Status.CLEARED, 30, {}, NIGHT, Step.OPEN, id="cleared-30-days"),
        pytest.param(Status.CONFIRMED, 1, {"score": 1.0}, NIGHT, Step.LEAVE, id="confirmed"),
        pytest.param(Status.CONFIRMED, 30, {}, NIGHT, Step.OPEN, id="confirmed-30-days"),
    ],
)
def test_what_a_candidate_means_for_its_case(
    status: Status | None, days_ago: int, changes: dict[str, Any], as_of: date, step: Step
) -> None:
    seen = {"account_id": "acc-1", "score": 0.5, "band": "medium", "rank": 1}
    then = Candidate(**seen, method="similarity")  # type: ignore[arg-type]
    now = Candidate(**{**seen, **changes}, method="similarity")
    standing = None
    if status is not None:
        standing = Standing(case(status, status_since=NOW - timedelta(days=days_ago)), then)
    assert next_step(now, standing, as_of=as_of, now=NOW, cool_down=COOL_DOWN) is step


SEEN = Candidate(
    "acc-1", 0.5, "medium", 1, "similarity", (Reason("a", 1, "", 0.9), Reason("b", 1, "", 0.1))
)


@pytest.mark.parametrize(
    ("changes", "material"),
    [
        pytest.param({}, False, id="the-same"),
        pytest.param({"score": 0.74}, False, id="score-rose-a-little"),
        pytest.param({"score": 0.75}, True, id="score-rose"),
        pytest.param({"score": 0.1}, False, id="score-fell"),
        pytest.param({"score": None}, False, id="score-lost"),
        pytest.param({"band": "high"}, True, id="band-rose"),
        pytest.param({"band": "low"}, False, id="band-fell"),
        pytest.param({"score": 0.9, "method": "behaviour"}, False, id="scores-do-not-compare"),
        pytest.param({"reasons": (Reason("b", 9, "", 0.9),)}, False, id="seen-signal-grew"),
        pytest.param({"reasons": (Reason("c", 1, "", 0.19),)}, False, id="new-signal-weak"),
        pytest.param({"reasons": (Reason("c", 1, "", 0.2),)}, True, id="new-signal"),
    ],
)
def test_what_is_material(changes: dict[str, Any], material: bool) -> None:
    assert is_material(SEEN, replace(SEEN, **changes), COOL_DOWN) is material


def test_a_score_that_becomes_known_is_material() -> None:
    unknown = replace(SEEN, score=None)
    assert is_material(unknown, SEEN, COOL_DOWN)
    assert not is_material(unknown, unknown, COOL_DOWN)
