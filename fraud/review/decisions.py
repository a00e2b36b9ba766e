"""What people decide about a case: which action, when, by whom, with which reason.

Rules only, without web and database. :func:`decide` is the one way from a wish to
a changed case; pages, bulk actions and the API all go through it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fraud.errors import Refused
from fraud.review.cases import Access, Case, Event, EventKind, Status
from fraud.review.rights import Right, Role, may

LOCK = timedelta(minutes=30)
"""How long a case stays with who took it (issue "Review queue")."""

UNDO_WITHIN = timedelta(minutes=10)
"""How long a decision can be taken back, and is held before it is sent out. Ours: a wrong key
is noticed at once; ten minutes more of access do not matter to a fraud a day old."""

SYSTEM = "system"
"""Who acts when a date has come."""


class Action(StrEnum):
    """What can be done with a case."""

    TAKE = "take"
    RELEASE = "release"
    CLEAR = "clear"
    ASK_PROOF = "ask_proof"
    SUSPEND = "suspend"
    PROPOSE_BLOCK = "propose_block"
    CONFIRM_BLOCK = "confirm_block"
    REJECT_BLOCK = "reject_block"
    ESCALATE = "escalate"
    SNOOZE = "snooze"
    NOTE = "note"
    UNDO = "undo"
    CONTEST = "contest"
    WAKE = "wake"
    END_SUSPENSION = "end_suspension"


@dataclass(frozen=True, slots=True)
class Rule:
    """What one action needs.

    Parameters
    ----------
    label : str
        On its button.
    right : Right
        Needed by who does it.
    before : frozenset of Status
        Where the case must stand.
    after : Status or None
        Where it stands then; None leaves it.
    reasons : mapping of str to str
        Code and words of the reasons to choose from; empty where none is asked for.
    longest : timedelta or None
        A date is needed, at most so far ahead; None asks for none.
    in_hand : bool
        Only who has the case may do it.
    undo : bool
        It can be taken back within :data:`UNDO_WITHIN`.
    """

    label: str
    right: Right
    before: frozenset[Status]
    after: Status | None
    reasons: Mapping[str, str]
    longest: timedelta | None = None
    in_hand: bool = True
    undo: bool = False


_TAKEN = frozenset({Status.TAKEN})
_SUSPICION = {
    "like_blocked": "Like blocked accounts",
    "identity_shared": "Shares identity with a blocked account",
    "traffic_pattern": "Traffic that no business makes",
    "cost_at_risk": "Cost is running up",
    "account_takeover": "Taken over by somebody else",
    "proof_failed": "Proof missing, late or false",
    "other": "Other, see the text",
}

RULES: dict[Action, Rule] = {
    Action.CLEAR: Rule(
        "Clear", Right.DECIDE, _TAKEN, Status.CLEARED,
        {
            "legitimate_business": "Legitimate business with this pattern",
            "known_customer": "Known customer, checked",
            "proof_accepted": "Proof of identity or location accepted",
            "coincidence": "The likeness is coincidence",
            "wrong_data": "The data behind it is wrong",
            "other": "Other, see the text",
        },
        undo=True,
    ),
    Action.ASK_PROOF: Rule(
        "Ask for proof", Right.DECIDE, _TAKEN, Status.WAITING,
        {
            "identity": "Proof of identity (ID card, passport)",
            "location": "Proof of location (utility bill)",
            "payment": "Proof of payment (copy of the card)",
        },
        longest=timedelta(days=60), undo=True,
    ),
    Action.SUSPEND: Rule(
        "Suspend for a time", Right.DECIDE, _TAKEN, Status.SUSPENDED, _SUSPICION,
        longest=timedelta(days=90),
    ),
    Action.PROPOSE_BLOCK: Rule(
        "Propose permanent suspension", Right.DECIDE, _TAKEN, Status.PROPOSED, _SUSPICION,
        undo=True,
    ),
    Action.CONFIRM_BLOCK: Rule(
        "Confirm permanent suspension", Right.CONFIRM, frozenset({Status.PROPOSED}),
        Status.CONFIRMED, {"checked": "Checked, I agree"}, in_hand=False,
    ),
    Action.REJECT_BLOCK: Rule(
        "Do not agree, back to the queue", Right.CONFIRM, frozenset({Status.PROPOSED}),
        Status.OPEN, {"not_enough": "Not enough evidence", "other": "Other, see the text"},
        in_hand=False,
    ),
    Action.ESCALATE: Rule(
        "Escalate to a lead", Right.DECIDE, _TAKEN, Status.OPEN,
        {
            "large_customer": "Large customer",
            "unclear": "Evidence contradicts itself",
            "legal": "Police, carrier or court involved",
            "other": "Other, see the text",
        },
        undo=True,
    ),
    Action.SNOOZE: Rule(
        "Snooze", Right.DECIDE, _TAKEN, Status.WAITING,
        {"more_calls": "Wait for more calls", "colleague": "Wait for a colleague's answer"},
        longest=timedelta(days=14), undo=True,
    ),
    Action.RELEASE: Rule("Put back", Right.DECIDE, _TAKEN, Status.OPEN, {}),
    Action.TAKE: Rule(
        "Take", Right.DECIDE,
        frozenset({Status.OPEN, Status.TAKEN, Status.WAITING, Status.SUSPENDED}),
        Status.TAKEN, {}, in_hand=False,
    ),
    Action.NOTE: Rule("Note", Right.DECIDE, frozenset(Status), None, {}, in_hand=False),
    Action.CONTEST: Rule(
        "The customer contests", Right.CONTEST,
        frozenset({Status.CONFIRMED, Status.SUSPENDED}), Status.OPEN,
        {
            "letter": "By letter or e-mail",
            "call": "By telephone",
            "regulator": "Through a regulator",
        },
        in_hand=False,
    ),
}  # fmt: skip
"""Dates: ours. A customer needs weeks to get a utility bill; a suspension that lasts longer than
a quarter is a permanent one without its second person; a case put off for long is forgotten."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants done.

    Parameters
    ----------
    action : Action
        What.
    by : str
        User name.
    role : Role
        What the person is.
    at : datetime
        UTC instant.
    reason : str, default=""
        Code from the action's list.
    note : str, default=""
        Free text.
    until : datetime, optional
        UTC instant, where the action needs one.
    """

    action: Action
    by: str
    role: Role
    at: datetime
    reason: str = ""
    note: str = ""
    until: datetime | None = None


def decide(case: Case, wish: Wish) -> tuple[Case, Event]:
    """Return the case after an action and the event that records it.

    Raises
    ------
    Refused
        If the person, the case's state, the reason or the date does not allow it;
        says why in words for the page.
    """
    rule = RULES.get(wish.action)
    if rule is None:
        raise Refused("there is no such action for a person")
    _check_person(case, wish, rule)
    _check_words(wish, rule)
    if wish.action is Action.NOTE:
        return case, _event(case, case, wish, EventKind.NOTED)
    assert rule.after is not None
    moved = replace(
        case,
        status=rule.after,
        status_since=wish.at,
        reviewer=None if rule.after is Status.OPEN else wish.by,
        locked_until=wish.at + LOCK if rule.after is Status.TAKEN else None,
        wake_at=wish.until if rule.after is Status.WAITING else None,
        proposed_by=None,
    )
    return _consequences(case, moved, wish), _event(case, moved, wish, EventKind.MOVED)


def _consequences(case: Case, moved: Case, wish: Wish) -> Case:
    """Add what an action does beyond the status."""
    match wish.action:
        case Action.CLEAR:
            return replace(moved, access=Access.FREE, suspended_until=None, escalated=False)
        case Action.SUSPEND if case.access is Access.BLOCKED:
            raise Refused("access is suspended for good already; clear it or propose to keep it so")
        case Action.SUSPEND:
            return replace(moved, access=Access.SUSPENDED, suspended_until=wish.until)
        case Action.PROPOSE_BLOCK:
            return replace(moved, proposed_by=wish.by)
        case Action.CONFIRM_BLOCK:
            return replace(
                moved, access=Access.BLOCKED, suspended_until=None, proposed_by=case.proposed_by
            )
        case Action.ESCALATE:
            return replace(moved, escalated=True)
        case Action.CONTEST:
            deciders = {*case.barred, case.reviewer, case.proposed_by} - {None}
            return replace(moved, barred=tuple(sorted(str(name) for name in deciders)))
        case _:
            return moved


def _check_person(case: Case, wish: Wish, rule: Rule) -> None:
    if not may(wish.role, rule.right):
        raise Refused(f"your role may not {rule.right.value}")
    if case.status not in rule.before:
        raise Refused(f"the case is {case.status.value} now; look at it again")
    if wish.action in {Action.NOTE, Action.CONTEST}:
        return
    if wish.by in case.barred and wish.action is not Action.CONFIRM_BLOCK:
        raise Refused("the customer contests your decision; somebody else has to look at it")
    if rule.in_hand and case.reviewer != wish.by:
        raise Refused("the case is not in your hands; take it first")
    if wish.action is Action.CONFIRM_BLOCK and wish.by == case.proposed_by:
        raise Refused("a second person has to confirm what you proposed")
    if wish.action is Action.TAKE:
        if case.escalated and wish.role is not Role.LEAD:
            raise Refused("the case is escalated; a lead has to take it")
        if is_locked(case, wish.at) and case.reviewer != wish.by:
            raise Refused("somebody else has the case")


def _check_words(wish: Wish, rule: Rule) -> None:
    if rule.reasons and wish.reason not in rule.reasons:
        raise Refused("choose a reason from the list")
    if wish.reason == "other" and not wish.note.strip():
        raise Refused("say in the text what the other reason is")
    if wish.action is Action.NOTE and not wish.note.strip():
        raise Refused("a note needs a text")
    if rule.longest is None:
        return
    if wish.until is None or wish.until <= wish.at:
        raise Refused("choose a date in the future")
    if wish.until > wish.at + rule.longest:
        raise Refused(f"choose a date within {rule.longest.days} days")


def is_locked(case: Case, at: datetime) -> bool:
    """Say whether a case is in somebody's hands; a lock that ran out is none."""
    locked_until = case.locked_until
    return case.status is Status.TAKEN and locked_until is not None and locked_until > at


def undo(case: Case, last: Event, before: Case, wish: Wish) -> tuple[Case, Event]:
    """Return the case as it was before the last decision, in the hands of who took it.

    Parameters
    ----------
    case : Case
        As it stands.
    last : Event
        The newest decision of its trail.
    before : Case
        What the case was before that.
    wish : Wish
        Who wants it back, and when.

    Raises
    ------
    Refused
        If it cannot be taken back: done by another, too long ago, or already acted upon.
    """
    rule = RULES.get(Action(last.action)) if last.action else None
    if rule is None or not rule.undo or last.after is not case.status:
        raise Refused("that cannot be taken back; what it did has left the house")
    if last.by != wish.by or not may(wish.role, Right.DECIDE):
        raise Refused("only who decided can take it back")
    if wish.at - last.at > UNDO_WITHIN:
        raise Refused(f"it is too late to take that back ({minutes(UNDO_WITHIN)} minutes)")
    back = replace(
        before,
        status=Status.TAKEN,
        status_since=wish.at,
        reviewer=wish.by,
        locked_until=wish.at + LOCK,
    )
    return back, _event(case, back, wish, EventKind.MOVED)


def minutes(span: timedelta) -> int:
    """Return whole minutes."""
    return int(span.total_seconds() // 60)


def due_dates(case: Case, at: datetime) -> list[tuple[Case, Event]]:
    """Return what dates that have come do to a case: the suspension ends, it wakes up.

    Repeating it at the same instant on what it returns gives nothing.
    """
    steps: list[tuple[Case, Event]] = []
    if case.suspended_until is not None and case.suspended_until <= at:
        asleep = case.status is Status.SUSPENDED
        freed = replace(case, access=Access.FREE, suspended_until=None)
        steps.append(_by_itself(case, freed, Action.END_SUSPENSION, at, to_queue=asleep))
        case = steps[-1][0]
    if case.status is Status.WAITING and case.wake_at is not None and case.wake_at <= at:
        steps.append(_by_itself(case, case, Action.WAKE, at, to_queue=True))
    return steps


def _by_itself(
    case: Case, changed: Case, action: Action, at: datetime, *, to_queue: bool
) -> tuple[Case, Event]:
    if to_queue:
        changed = replace(changed, status=Status.OPEN, status_since=at, reviewer=None, wake_at=None)
    event = Event(
        case.case_id, at, SYSTEM, EventKind.MOVED, case.status, changed.status, action=action
    )
    return changed, event


def _event(before: Case, after: Case, wish: Wish, kind: EventKind) -> Event:
    return Event(
        before.case_id, wish.at, wish.by, kind, before.status, after.status,
        wish.note, wish.action, wish.reason, wish.until,
    )  # fmt: skip


def offered(case: Case, *, by: str, role: Role, at: datetime) -> tuple[Action, ...]:
    """Return the actions that a person can choose for a case now, in the order of the page."""
    found = []
    for action, rule in RULES.items():
        reason = next((code for code in rule.reasons if code != "other"), "")
        until = at + rule.longest if rule.longest else None
        try:
            decide(case, Wish(action, by, role, at, reason, "text", until))
        except Refused:
            continue
        found.append(action)
    return tuple(found)
