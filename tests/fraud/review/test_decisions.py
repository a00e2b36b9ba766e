"""What people may decide about a case: the rules, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.errors import Refused
from fraud.review.cases import Access, Case, Event, Status
from fraud.review.decisions import (
    LOCK,
    RULES,
    UNDO_WITHIN,
    Action,
    Wish,
    decide,
    due_dates,
    offered,
    undo,
)
from fraud.review.rights import RIGHTS, Right, Role, may

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OPEN = Case(1, "acc-1", Status.OPEN, NOW, None, NOW, date(2026, 3, 2), 0.5, "medium")
TAKEN = replace(OPEN, status=Status.TAKEN, reviewer="ada", locked_until=NOW + LOCK)


def wish(action: Action, by: str = "ada", role: Role = Role.REVIEWER, **more: Any) -> Wish:
    """Make a wish with the first reason of the list and the farthest date."""
    rule = RULES[action]
    reason = more.pop("reason", next(iter(rule.reasons), ""))
    until = more.pop("until", NOW + rule.longest if rule.longest else None)
    return Wish(action, by, role, more.pop("at", NOW), reason, more.pop("note", "why"), until)


def after(case: Case, action: Action, by: str = "ada", role: Role = Role.REVIEWER) -> Case:
    return decide(case, wish(action, by, role))[0]


@pytest.mark.parametrize(
    ("action", "status"),
    [
        (Action.CLEAR, Status.CLEARED),
        (Action.ASK_PROOF, Status.WAITING),
        (Action.SUSPEND, Status.SUSPENDED),
        (Action.PROPOSE_BLOCK, Status.PROPOSED),
        (Action.ESCALATE, Status.OPEN),
        (Action.SNOOZE, Status.WAITING),
        (Action.RELEASE, Status.OPEN),
    ],
)
def test_a_case_in_hand_goes_where_its_reviewer_sends_it(action: Action, status: Status) -> None:
    case, event = decide(TAKEN, wish(action))
    assert case.status is status
    assert case.locked_until is None
    assert (event.by, event.action, event.before, event.after) == ("ada", action, "taken", status)
    with pytest.raises(Refused, match="not in your hands"):
        decide(TAKEN, wish(action, by="bob"))


def test_permanent_suspension_needs_a_second_person_with_the_right() -> None:
    proposed = after(TAKEN, Action.PROPOSE_BLOCK)
    assert proposed.access is Access.FREE
    with pytest.raises(Refused, match="role may not"):
        after(proposed, Action.CONFIRM_BLOCK, by="bob")
    with pytest.raises(Refused, match="second person"):
        after(proposed, Action.CONFIRM_BLOCK, by="ada", role=Role.LEAD)
    confirmed = after(proposed, Action.CONFIRM_BLOCK, by="lea", role=Role.LEAD)
    assert (confirmed.status, confirmed.access) == (Status.CONFIRMED, Access.BLOCKED)
    rejected = after(proposed, Action.REJECT_BLOCK, by="lea", role=Role.LEAD)
    assert (rejected.status, rejected.proposed_by) == (Status.OPEN, None)


def test_a_suspension_ends_by_itself_unless_it_is_extended() -> None:
    suspended, _ = decide(TAKEN, wish(Action.SUSPEND, until=NOW + timedelta(days=3)))
    assert due_dates(suspended, NOW + timedelta(days=2, hours=23)) == []
    ((ended, event),) = due_dates(suspended, NOW + timedelta(days=3))
    assert (ended.status, ended.access, ended.suspended_until) == ("open", "free", None)
    assert (event.by, event.action) == ("system", Action.END_SUSPENSION)
    assert due_dates(ended, NOW + timedelta(days=3)) == []
    again = after(suspended, Action.TAKE, by="bob")
    longer, _ = decide(again, wish(Action.SUSPEND, by="bob", until=NOW + timedelta(days=9)))
    assert due_dates(longer, NOW + timedelta(days=3)) == []


@pytest.mark.parametrize("action", [Action.ASK_PROOF, Action.SNOOZE])
def test_a_sleeping_case_wakes_on_its_date(action: Action) -> None:
    asleep, _ = decide(TAKEN, wish(action, until=NOW + timedelta(days=2)))
    assert due_dates(asleep, NOW + timedelta(days=1)) == []
    ((awake, event),) = due_dates(asleep, NOW + timedelta(days=2))
    assert (awake.status, awake.reviewer, awake.wake_at) == (Status.OPEN, None, None)
    assert event.action == Action.WAKE


def test_a_lock_holds_for_half_an_hour() -> None:
    taken = after(OPEN, Action.TAKE)
    assert taken.locked_until == NOW + timedelta(minutes=30)
    with pytest.raises(Refused, match="somebody else has the case"):
        decide(taken, wish(Action.TAKE, by="bob", at=NOW + timedelta(minutes=29)))
    stolen, _ = decide(taken, wish(Action.TAKE, by="bob", at=NOW + timedelta(minutes=30)))
    assert stolen.reviewer == "bob"


def test_an_escalated_case_is_for_leads() -> None:
    escalated = after(TAKEN, Action.ESCALATE)
    with pytest.raises(Refused, match="a lead has to"):
        after(escalated, Action.TAKE, by="bob")
    assert after(escalated, Action.TAKE, by="lea", role=Role.LEAD).reviewer == "lea"


def test_a_contest_goes_to_another_person_than_the_first() -> None:
    confirmed = after(after(TAKEN, Action.PROPOSE_BLOCK), Action.CONFIRM_BLOCK, "lea", Role.LEAD)
    contested = after(confirmed, Action.CONTEST, by="dora", role=Role.DPO)
    assert (contested.status, contested.barred) == (Status.OPEN, ("ada", "lea"))
    assert contested.access is Access.BLOCKED  # until somebody decides otherwise
    for first, role in (("ada", Role.REVIEWER), ("lea", Role.LEAD)):
        with pytest.raises(Refused, match="somebody else"):
            after(contested, Action.TAKE, by=first, role=role)
    taken = after(contested, Action.TAKE, by="bob")
    assert after(taken, Action.CLEAR, by="bob").access is Access.FREE
    with pytest.raises(Refused, match="for good already"):
        after(taken, Action.SUSPEND, by="bob")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param({"reason": "because"}, "choose a reason", id="no-such-reason"),
        pytest.param({"reason": "other", "note": "  "}, "say in the text", id="other-without-text"),
        pytest.param({"until": None}, "date in the future", id="no-date"),
        pytest.param({"until": NOW}, "date in the future", id="now"),
        pytest.param({"until": NOW + timedelta(days=91)}, "within 90 days", id="too-far"),
    ],
)
def test_a_suspension_needs_a_reason_and_an_end(more: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        decide(TAKEN, wish(Action.SUSPEND, **more))


def test_a_note_changes_nothing_but_the_trail() -> None:
    case, event = decide(OPEN, wish(Action.NOTE, by="bob", note="called back"))
    assert case == OPEN
    assert (event.kind, event.note, event.before, event.after) == (
        "noted", "called back", "open", "open",
    )  # fmt: skip
    with pytest.raises(Refused, match="needs a text"):
        decide(OPEN, wish(Action.NOTE, note=" "))


@pytest.mark.parametrize("action", [a for a, rule in RULES.items() if rule.undo])
def test_what_has_not_left_the_house_can_be_taken_back(action: Action) -> None:
    case, event = decide(TAKEN, wish(action))
    back, done = undo(case, event, TAKEN, wish_undo("ada", NOW + UNDO_WITHIN))
    assert (back.status, back.reviewer, back.access) == (Status.TAKEN, "ada", Access.FREE)
    assert (done.before, done.after) == (case.status, Status.TAKEN)
    for by, at, said in (
        ("bob", NOW, "only who decided"),
        ("ada", NOW + UNDO_WITHIN + timedelta(seconds=1), "too late"),
    ):
        with pytest.raises(Refused, match=said):
            undo(case, event, TAKEN, wish_undo(by, at))


def wish_undo(by: str, at: datetime) -> Wish:
    return Wish(Action.UNDO, by, Role.REVIEWER, at)


def test_a_suspension_that_was_sent_out_is_not_taken_back() -> None:
    case, event = decide(TAKEN, wish(Action.SUSPEND))
    with pytest.raises(Refused, match="cannot be taken back"):
        undo(case, event, TAKEN, wish_undo("ada", NOW))


@pytest.mark.parametrize("role", list(Role))
def test_a_page_offers_only_what_the_rules_allow(role: Role) -> None:
    for case in (OPEN, TAKEN, replace(TAKEN, status=Status.PROPOSED, proposed_by="bob")):
        for action in offered(case, by="ada", role=role, at=NOW):
            assert may(role, RULES[action].right)
            decide(case, wish(action, role=role))


def test_rights_are_kept_apart() -> None:
    decides = {role for role in Role if may(role, Right.DECIDE)}
    assert decides == {Role.REVIEWER, Role.LEAD}
    assert not RIGHTS[Role.ADMINISTRATOR] & {Right.SEE_CASES, Right.REVEAL, Right.DECIDE}
    assert not RIGHTS[Role.READ_ONLY] & {Right.REVEAL, Right.DECIDE, Right.CONTEST}


WALK = st.lists(
    st.tuples(
        st.sampled_from(list(RULES)),
        st.sampled_from([("ada", Role.REVIEWER), ("bob", Role.REVIEWER), ("lea", Role.LEAD)]),
    ),
    max_size=25,
)


@given(WALK)
def test_nobody_alone_blocks_an_account_whatever_is_tried(
    steps: list[tuple[Action, tuple[str, Role]]],
) -> None:
    case, trail = OPEN, list[Event]()
    for action, (by, role) in steps:
        try:
            case, event = decide(case, wish(action, by, role))
        except Refused:
            continue
        trail.append(event)
        if case.access is Access.BLOCKED:
            confirmed = [e for e in trail if e.action == Action.CONFIRM_BLOCK][-1]
            proposed = [e for e in trail if e.action == Action.PROPOSE_BLOCK][-1]
            assert confirmed.by != proposed.by
        if case.status is Status.TAKEN:
            assert case.reviewer not in case.barred
