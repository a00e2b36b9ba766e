"""Candidates become cases: one open case per account, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from review_site import act

from fraud.candidates import Candidate, Reason, Versions
from fraud.errors import AlreadyOpen, NoSuchCase, QueueFailed, Refused
from fraud.review.cases import EventKind, Status
from fraud.review.database import queue_database
from fraud.review.decisions import Action
from fraud.review.queue import (
    LABEL,
    OpenedCases,
    cases,
    decisions_as_labels,
    events,
    open_case_count,
    open_cases,
)

MakeCandidate = Callable[..., Candidate]
MARCH_2 = datetime(2026, 3, 2, 3, tzinfo=UTC)


def night(home: Path, *candidates: Candidate, day: int = 0) -> OpenedCases:
    """Run the night that many days after 2 March 2026."""
    return open_cases(
        home,
        candidates,
        run_id=f"run-{day}",
        as_of=date(2026, 3, 2) + timedelta(days=day),
        now=MARCH_2 + timedelta(days=day),
    )


def decide(home: Path, case_id: int, status: Status, *, day: int) -> None:
    at = MARCH_2 + timedelta(days=day, hours=6)
    act(home, case_id, Action.TAKE, at=at)
    at += timedelta(minutes=5)
    if status is Status.CLEARED:
        act(home, case_id, Action.CLEAR, at=at, reason="coincidence")
        return
    act(home, case_id, Action.PROPOSE_BLOCK, at=at, reason="cost_at_risk")
    act(home, case_id, Action.CONFIRM_BLOCK, by="lea", at=at, reason="checked")


def test_the_same_night_twice_adds_nothing(tmp_path: Path, candidate: MakeCandidate) -> None:
    both = (candidate("acc-1"), candidate("acc-2", rank=2, score=None, band="unknown"))
    first = night(tmp_path, *both)
    before = cases(tmp_path)
    second = night(tmp_path, *both)
    assert (first.opened, first.refreshed, first.unchanged) == (2, 0, 0)
    assert (second.opened, second.refreshed, second.unchanged) == (0, 0, 2)
    assert first.case_ids == second.case_ids == {"acc-1": 1, "acc-2": 2}
    assert cases(tmp_path) == before
    assert [e.kind for e in events(tmp_path, 1)] == [EventKind.OPENED]


def test_another_nights_finding_goes_to_the_open_case(
    tmp_path: Path, candidate: MakeCandidate
) -> None:
    night(tmp_path, candidate(score=0.6))
    result = night(tmp_path, candidate(score=0.9, band="high"), day=1)
    (case,) = cases(tmp_path)
    assert (result.opened, result.refreshed, result.case_ids) == (0, 1, {"acc-1": case.case_id})
    assert (case.score, case.band, case.as_of) == (0.9, "high", date(2026, 3, 3))
    assert (case.status, case.opened_at) == (Status.OPEN, MARCH_2)
    assert [(e.kind, e.before, e.after) for e in events(tmp_path, case.case_id)] == [
        (EventKind.OPENED, None, Status.OPEN),
        (EventKind.EVIDENCE, Status.OPEN, Status.OPEN),
    ]


def test_evidence_keeps_all_that_was_shown_and_made_it(
    tmp_path: Path, candidate: MakeCandidate
) -> None:
    one = candidate()
    versions = Versions("m1", "f1", "calls=7", "9.0.43")
    as_of = date(2026, 3, 2)
    open_cases(tmp_path, [one], run_id="run-0", as_of=as_of, now=MARCH_2, versions=versions)
    with queue_database(tmp_path):
        from fraud.review import models, store

        row = models.Evidence.objects.get()
        assert store.as_candidate(row) == one
        made_with = (row.model_id, row.feature_set, row.data_version, row.numbering_version)
        assert made_with == ("m1", "f1", "calls=7", "9.0.43")
        assert (row.run_id, row.as_of_date, row.recorded_at) == ("run-0", as_of, MARCH_2)
        assert models.CaseEvent.objects.get().evidence == row


def test_a_cleared_account_rests_until_something_changes(
    tmp_path: Path, candidate: MakeCandidate
) -> None:
    night(tmp_path, candidate())
    decide(tmp_path, 1, Status.CLEARED, day=0)
    assert night(tmp_path, candidate(score=0.62), day=1).unchanged == 1
    assert open_case_count(tmp_path) == 0
    new_reason = Reason("test_number_call_count", 1, "called a test number", 0.5)
    reopened = night(tmp_path, candidate(reasons=(new_reason,)), day=2)
    assert (reopened.opened, reopened.case_ids) == (1, {"acc-1": 2})
    assert [c.status for c in cases(tmp_path)] == [Status.CLEARED, Status.OPEN]


def test_a_decision_holds_for_thirty_days(tmp_path: Path, candidate: MakeCandidate) -> None:
    night(tmp_path, candidate())
    decide(tmp_path, 1, Status.CONFIRMED, day=0)
    assert night(tmp_path, candidate(score=1.0, band="high"), day=30).unchanged == 1
    assert night(tmp_path, candidate(), day=31).opened == 1


def test_a_night_of_more_accounts_than_one_statement_takes(
    tmp_path: Path, candidate: MakeCandidate
) -> None:
    many = [candidate(f"acc-{i}", rank=i) for i in range(1, 1202)]
    assert night(tmp_path, *many).opened == 1201
    assert night(tmp_path, *many).unchanged == 1201
    assert open_case_count(tmp_path) == 1201


def test_no_candidates_open_no_cases(tmp_path: Path) -> None:
    assert night(tmp_path) == OpenedCases(0, 0, 0, {})
    assert cases(tmp_path) == ()


def test_an_account_is_named_once(tmp_path: Path, candidate: MakeCandidate) -> None:
    with pytest.raises(ValueError, match="each account once"):
        night(tmp_path, candidate(), candidate(rank=2))


def test_cases_come_most_urgent_first_and_unknown_last(
    tmp_path: Path, candidate: MakeCandidate
) -> None:
    night(
        tmp_path,
        candidate("unknown", score=None, band="unknown"),
        candidate("lower", score=0.5),
        candidate("higher", score=0.9),
    )
    act(tmp_path, 2, Action.TAKE, at=MARCH_2)
    assert [c.account_id for c in cases(tmp_path)] == ["higher", "lower", "unknown"]
    assert [c.account_id for c in cases(tmp_path, status=Status.TAKEN)] == ["lower"]


HOSTILE = "<script>alert(1)</script>'; DROP TABLE review_case; --\x1b[31m\u202e\x00\r\n\U0001f4a3%s"


def test_hostile_text_is_kept_as_it_came_but_for_zero_bytes(
    tmp_path: Path, candidate: MakeCandidate
) -> None:
    one = candidate(HOSTILE, reasons=(Reason(HOSTILE, 1.5, HOSTILE, 1.0),))
    night(tmp_path, one)
    assert night(tmp_path, one).unchanged == 1
    kept = HOSTILE.replace("\x00", "\ufffd")
    case = act(tmp_path, 1, Action.NOTE, at=MARCH_2, note=kept)
    assert cases(tmp_path) == (case,)
    assert case.account_id == kept
    assert events(tmp_path, 1)[-1].note == kept


def test_steps_that_do_not_exist_are_refused_and_leave_no_trace(
    tmp_path: Path, candidate: MakeCandidate
) -> None:
    night(tmp_path, candidate())
    with pytest.raises(Refused, match="the case is open now"):
        act(tmp_path, 1, Action.CLEAR, at=MARCH_2, reason="coincidence")
    with pytest.raises(NoSuchCase, match="no case 7"):
        act(tmp_path, 7, Action.TAKE, at=MARCH_2)
    assert [c.status for c in cases(tmp_path)] == [Status.OPEN]
    assert len(events(tmp_path, 1)) == 1


def test_an_appeal_does_not_make_a_second_open_case(
    tmp_path: Path, candidate: MakeCandidate
) -> None:
    night(tmp_path, candidate())
    decide(tmp_path, 1, Status.CONFIRMED, day=0)
    night(tmp_path, candidate(), day=31)
    with pytest.raises(AlreadyOpen, match="case 1 has an open case already: 2"):
        act(tmp_path, 1, Action.CONTEST, at=MARCH_2 + timedelta(days=31), reason="letter")


def test_the_database_itself_refuses_a_second_open_case(
    tmp_path: Path, candidate: MakeCandidate
) -> None:
    night(tmp_path, candidate("acc-secret"))

    def open_another() -> None:
        with queue_database(tmp_path):
            from fraud.review import models

            row = models.Case.objects.get()
            row.pk, row.status = None, Status.TAKEN
            row.save(force_insert=True)

    with pytest.raises(QueueFailed, match="IntegrityError") as failed:
        open_another()
    assert "acc-secret" not in str(failed.value)
    assert failed.value.__suppress_context__


def test_the_trail_is_written_once(tmp_path: Path, candidate: MakeCandidate) -> None:
    night(tmp_path, candidate())
    with queue_database(tmp_path):
        from fraud.review import models

        for row in (models.CaseEvent.objects.get(), models.Evidence.objects.get()):
            rows = type(row)._default_manager.all()
            for change in (row.save, row.delete, rows.delete, lambda r=rows: r.update(pk=2)):
                with pytest.raises(TypeError, match="are never"):
                    change()


def test_decisions_become_labels_when_they_are_known(
    tmp_path: Path, candidate: MakeCandidate
) -> None:
    night(tmp_path, *(candidate(f"acc-{i}") for i in (1, 2, 3)))
    decide(tmp_path, 1, Status.CONFIRMED, day=1)
    decide(tmp_path, 2, Status.CLEARED, day=2)
    act(tmp_path, 1, Action.CONTEST, at=MARCH_2 + timedelta(days=4), reason="letter")

    def labels(day: int) -> list[tuple[str, int]]:
        frame = decisions_as_labels(tmp_path, before=MARCH_2 + timedelta(days=day, hours=12))
        assert frame.schema == LABEL
        return list(frame.select("account_id", "label").iter_rows())

    assert labels(0) == []
    assert labels(1) == [("acc-1", 1)]
    assert labels(3) == [("acc-1", 1), ("acc-2", 0)]
    assert labels(4) == [("acc-2", 0)]
    known_at = decisions_as_labels(tmp_path, before=datetime(2027, 1, 1, tzinfo=UTC))["known_at"]
    assert known_at.to_list() == [MARCH_2 + timedelta(days=2, hours=6, minutes=5)]
    assert known_at.dtype == pl.Datetime("us", "UTC")
