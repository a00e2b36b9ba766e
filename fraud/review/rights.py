"""Who may do what: roles and their rights.

Rules only. Pages and the API name the right that each of them needs; nothing is
allowed that no line here allows.
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a person is for the review queue."""

    REVIEWER = "reviewer"
    LEAD = "lead"
    DPO = "dpo"
    ADMINISTRATOR = "administrator"
    READ_ONLY = "read-only"


class Right(StrEnum):
    """One thing that a role allows."""

    SEE_CASES = "see cases"
    REVEAL = "reveal personal data"
    DECIDE = "decide cases"
    CONFIRM = "confirm permanent suspension"
    CONTEST = "record a contest"
    SEE_TEAM = "see how the team works"
    SEE_OUTBOX = "see what was sent out"
    RESEND = "send again what failed"
    SEE_REQUESTS = "see and answer requests of persons"
    SEE_AUDIT = "see who looked at what"
    MANAGE_PEOPLE = "manage people"
    OWN_ACCOUNT = "manage one's own sign-in"


_ALL = {Right.OWN_ACCOUNT}
_REVIEWER = _ALL | {Right.SEE_CASES, Right.REVEAL, Right.DECIDE, Right.CONTEST}

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.REVIEWER: frozenset(_REVIEWER),
    Role.LEAD: frozenset(_REVIEWER | {Right.CONFIRM, Right.SEE_TEAM, Right.SEE_OUTBOX}),
    Role.DPO: frozenset(
        _ALL
        | {
            Right.SEE_CASES,
            Right.REVEAL,
            Right.CONTEST,
            Right.SEE_AUDIT,
            Right.SEE_OUTBOX,
            Right.SEE_REQUESTS,
        }
    ),
    # who gives rights does not also use them: an administrator sees no case
    Role.ADMINISTRATOR: frozenset(_ALL | {Right.MANAGE_PEOPLE, Right.SEE_OUTBOX, Right.RESEND}),
    Role.READ_ONLY: frozenset(_ALL | {Right.SEE_CASES, Right.SEE_TEAM}),
}


def may(role: Role, right: Right) -> bool:
    """Say whether a role has a right.

    Examples
    --------
    >>> may(Role.LEAD, Right.CONFIRM), may(Role.REVIEWER, Right.CONFIRM)
    (True, False)
    """
    return right in RIGHTS[role]
