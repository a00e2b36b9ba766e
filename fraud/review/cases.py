"""What a case is, and when a candidate becomes one.

Rules only, without web and database: the models keep what stands here. Which steps people
may take with it is said in `fraud.review.decisions`, what a candidate is in `fraud.candidates`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from fraud.candidates import BANDS, Candidate


class Status(StrEnum):
    """Where a case stands."""

    OPEN = "open"  # waits for a reviewer
    TAKEN = "taken"  # a reviewer works on it
    WAITING = "waiting"  # sleeps until a date: proof asked for, or put off
    SUSPENDED = "suspended"  # sleeps while access is suspended for a time
    PROPOSED = "proposed"  # permanent suspension waits for a second person
    CONFIRMED = "confirmed"  # decided: fraud or misuse
    CLEARED = "cleared"  # decided: nothing wrong


DECIDED = frozenset({Status.CONFIRMED, Status.CLEARED})
UNDECIDED = frozenset(Status) - DECIDED
"""A case is open while it stands in one of these; an account has at most one such case."""


class Access(StrEnum):
    """What a case has done to the account's access."""

    FREE = "free"
    SUSPENDED = "suspended"  # for a time
    BLOCKED = "blocked"  # for good


class EventKind(StrEnum):
    """What an event of a case records."""

    OPENED = "opened"  # the first evidence
    EVIDENCE = "evidence"  # another night's, on a case not decided yet
    MOVED = "moved"  # another status, or a longer suspension
    NOTED = "noted"  # words only


@dataclass(frozen=True, slots=True)
class Case:
    """One account under review.

    Parameters
    ----------
    case_id : int
        Key.
    account_id : str
        The account.
    status : Status
        Where it stands.
    status_since : datetime
        UTC instant from which on it stands there.
    reviewer : str or None
        Who has it, or who decided it; None while it waits.
    opened_at : datetime
        UTC instant.
    as_of : date
        Midnight (UTC) that begins this day is what the newest evidence looks back from.
    score : float or None
        Of the newest evidence, in 0..1; None where unknown.
    band : str
        Of the newest evidence.
    locked_until : datetime or None
        UTC instant up to which nobody else may take it; None where nobody has it.
    wake_at : datetime or None
        UTC instant at which a sleeping case goes back to the queue.
    access : Access
        What the case has done to the account's access.
    suspended_until : datetime or None
        UTC instant at which a suspension for a time ends by itself.
    proposed_by : str or None
        Who proposed permanent suspension, and so may not confirm it.
    barred : tuple of str
        Who decided before the customer contested, and so may not decide again.
    escalated : bool
        Only a lead may take it.
    """

    case_id: int
    account_id: str
    status: Status
    status_since: datetime
    reviewer: str | None
    opened_at: datetime
    as_of: date
    score: float | None
    band: str
    locked_until: datetime | None = None
    wake_at: datetime | None = None
    access: Access = Access.FREE
    suspended_until: datetime | None = None
    proposed_by: str | None = None
    barred: tuple[str, ...] = ()
    escalated: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a case's trail; never changed once written.

    `before` and `after` are the same where the status did not change; `before`
    is None where the case was opened. `action` and `reason` are codes of
    `fraud.review.decisions`, empty where no person decided; `until` is the date
    that the decision set.
    """

    case_id: int
    at: datetime
    by: str
    kind: EventKind
    before: Status | None
    after: Status
    note: str = ""
    action: str = ""
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CoolDown:
    """How long a decision holds against the same evidence.

    Parameters
    ----------
    quiet : timedelta, default=30 days
        After that, a decided account that is a candidate gets a new case whatever
        the evidence. Ours, because signals look back 30 days at most: what the
        reviewer saw has left the window by then.
    score_rise : float, default=0.15
        A cleared account's score has changed materially when it rose by this much.
        Ours: scores of the same account move by a few hundredths from night to night.
    new_share : float, default=0.2
        A signal that the reviewer did not see among the reasons is material from
        this share of the score on. Ours: below a fifth it does not carry a case.
    """

    quiet: timedelta = timedelta(days=30)
    score_rise: float = 0.15
    new_share: float = 0.2


class Step(StrEnum):
    """What to do with a candidate."""

    OPEN = "open"  # a new case
    REFRESH = "refresh"  # new evidence on the case that is open
    LEAVE = "leave"  # nothing that a reviewer has not seen


@dataclass(frozen=True, slots=True)
class Standing:
    """The case that speaks for an account, with its newest evidence."""

    case: Case
    evidence: Candidate


def next_step(
    candidate: Candidate,
    standing: Standing | None,
    *,
    as_of: date,
    now: datetime,
    cool_down: CoolDown,
) -> Step:
    """Decide what a candidate means for the case its account has.

    Parameters
    ----------
    candidate : Candidate
        As scored for the midnight `as_of`.
    standing : Standing or None
        The account's open case, or else the one decided last; None where the
        account never had a case.
    as_of : date
        UTC day that the midnight begins.
    now : datetime
        UTC instant; ages of decisions count up to it.
    cool_down : CoolDown
        How long a decision holds.

    Returns
    -------
    Step
        A confirmed case is not opened again while `cool_down.quiet` lasts: the
        operator has the decision and may not have carried it out yet. Evidence of
        an earlier night than the case already has changes nothing.
    """
    if standing is None:
        return Step.OPEN
    case, evidence = standing.case, standing.evidence
    if case.status in UNDECIDED:
        stale = as_of < case.as_of or same_evidence(evidence, candidate)
        return Step.LEAVE if stale else Step.REFRESH
    if as_of <= case.as_of:
        return Step.LEAVE
    if now - case.status_since >= cool_down.quiet:
        return Step.OPEN
    changed = case.status is Status.CLEARED and is_material(evidence, candidate, cool_down)
    return Step.OPEN if changed else Step.LEAVE


def same_evidence(before: Candidate, after: Candidate) -> bool:
    """Say whether two candidates show a reviewer the same; the rank may differ."""
    return replace(before, rank=after.rank) == after


def is_material(before: Candidate, after: Candidate, cool_down: CoolDown) -> bool:
    """Say whether `after` shows so much more than `before` that a decision is due again.

    It does when the band rose, the score of the same method rose by
    `cool_down.score_rise`, a score became known, or a signal not among the earlier
    reasons carries `cool_down.new_share` of it.
    """
    if BANDS.index(after.band) > BANDS.index(before.band):
        return True
    if after.score is not None:
        if before.score is None:
            return True
        if before.method == after.method and after.score - before.score >= cool_down.score_rise:
            return True
    seen = {reason.signal for reason in before.reasons}
    strong = {reason.signal for reason in after.reasons if reason.share >= cool_down.new_share}
    return not strong <= seen
