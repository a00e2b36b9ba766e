"""Cases in the database: candidates put in, steps recorded, cases read out.

For use inside `database.queue_database` only, which sets Django up and speaks for
the database's errors. Decides nothing: which step is taken is said in `cases`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, cast

from django.db import transaction
from django.db.models import Max

from fraud.candidates import Band, Candidate, Method, Reason, SimilarAccount, Versions
from fraud.review import models
from fraud.review.cases import (
    UNDECIDED,
    Access,
    Case,
    CoolDown,
    Event,
    EventKind,
    Standing,
    Status,
    Step,
    next_step,
)
from fraud.review.facts import DUE, NO_FACTS, Facts, kind_of, urgency

BATCH = 500
"""Accounts looked up in one statement. Ours: SQLite builds may stop at 999 bound values."""

NIGHTLY = "nightly"
"""Who opens cases, in their trail."""

SUMMARY_REASONS = 2
"""Reasons shown in the queue. Ours: what fits a line."""

LABELS = {Status.CONFIRMED: 1, Status.CLEARED: 0}
"""What a decision says to training."""


@dataclass(frozen=True, slots=True)
class Night:
    """What all candidates of a night have in common."""

    run_id: str
    as_of: date
    now: datetime
    versions: Versions
    cool_down: CoolDown
    facts: Mapping[str, Facts]
    sampled: frozenset[str]


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a candidate, and the case that speaks for its account."""

    account_id: str
    step: Step
    case_id: int


@transaction.atomic
def place(candidates: Sequence[Candidate], night: Night) -> list[Placed]:
    """Open, refresh or leave the cases of `candidates`: all of them, or none."""
    candidates = [storable(candidate) for candidate in candidates]
    return [
        placed
        for start in range(0, len(candidates), BATCH)
        for placed in _place_batch(candidates[start : start + BATCH], night)
    ]


def storable(candidate: Candidate) -> Candidate:
    """Return a candidate without zero bytes, which PostgreSQL keeps in no text.

    They become U+FFFD on every database, so that a queue can move from one to another.
    """
    return replace(
        candidate,
        account_id=no_zero(candidate.account_id),
        reasons=tuple(
            replace(reason, signal=no_zero(reason.signal), text=no_zero(reason.text))
            for reason in candidate.reasons
        ),
        similar_blocked=tuple(map(_storable_near, candidate.similar_blocked)),
        similar_good=tuple(map(_storable_near, candidate.similar_good)),
    )


def _storable_near(near: SimilarAccount) -> SimilarAccount:
    return replace(near, account_id=no_zero(near.account_id))


def no_zero(text: str) -> str:
    """Return a text with each zero byte as U+FFFD."""
    return text.replace("\x00", "\ufffd")


def _place_batch(candidates: Sequence[Candidate], night: Night) -> Iterator[Placed]:
    rows = _standing_rows([candidate.account_id for candidate in candidates])
    evidence = _newest_evidence(rows)
    standing = {account: Standing(as_case(row), evidence[row.pk]) for account, row in rows.items()}
    to_do: dict[Step, list[Candidate]] = {step: [] for step in Step}
    for candidate in candidates:
        step = next_step(
            candidate,
            standing.get(candidate.account_id),
            as_of=night.as_of,
            now=night.now,
            cool_down=night.cool_down,
        )
        to_do[step].append(candidate)
    rows |= _open(to_do[Step.OPEN], night)
    _refresh(to_do[Step.REFRESH], rows, night)
    for step, of_step in to_do.items():
        for candidate in of_step:
            yield Placed(candidate.account_id, step, rows[candidate.account_id].pk)


def _open(candidates: Sequence[Candidate], night: Night) -> dict[str, models.Case]:
    rows = models.Case.objects.bulk_create(
        models.Case(
            account_id=candidate.account_id,
            status=Status.OPEN,
            status_since=night.now,
            opened_at=night.now,
            sampled=candidate.account_id in night.sampled,
            **_newest(candidate, night, opened_at=night.now),
        )
        for candidate in candidates
    )
    by_account = {row.account_id: row for row in rows}
    _record(candidates, by_account, night, EventKind.OPENED)
    return by_account


def _refresh(
    candidates: Sequence[Candidate], rows: Mapping[str, models.Case], night: Night
) -> None:
    for candidate in candidates:
        row = rows[candidate.account_id]
        newest = _newest(candidate, night, opened_at=row.opened_at)
        newest["due_at"] = min(row.due_at, newest["due_at"])
        for name, value in newest.items():
            setattr(row, name, value)
    if candidates:
        changed = [rows[candidate.account_id] for candidate in candidates]
        models.Case.objects.bulk_update(changed, list(newest))
    _record(candidates, rows, night, EventKind.EVIDENCE)


def _newest(candidate: Candidate, night: Night, *, opened_at: datetime) -> dict[str, Any]:
    """Return what a case keeps of its newest evidence, to sort and filter by."""
    facts = night.facts.get(candidate.account_id, NO_FACTS)
    return {
        "as_of_date": night.as_of,
        "score": candidate.score,
        "urgency": urgency(candidate.score, facts.money_at_risk_usd, since=opened_at),
        "band": candidate.band,
        "due_at": night.now + DUE[candidate.band],
        "kind": kind_of(candidate),
        "summary": [reason.text for reason in candidate.reasons[:SUMMARY_REASONS]],
        "plan": facts.plan,
        "country": facts.country,
        "money_at_risk_usd": facts.money_at_risk_usd,
    }


def _record(
    candidates: Sequence[Candidate],
    rows: Mapping[str, models.Case],
    night: Night,
    kind: EventKind,
) -> None:
    """Keep what the candidates rest on, and that it came to their cases."""
    evidence = models.Evidence.objects.bulk_create(
        models.Evidence(
            case=rows[candidate.account_id],
            as_of_date=night.as_of,
            run_id=night.run_id,
            recorded_at=night.now,
            score=candidate.score,
            band=candidate.band,
            rank=candidate.rank,
            method=candidate.method,
            reasons=[asdict(reason) for reason in candidate.reasons],
            similar_blocked=[asdict(account) for account in candidate.similar_blocked],
            similar_good=[asdict(account) for account in candidate.similar_good],
            **asdict(night.versions),
        )
        for candidate in candidates
    )
    models.CaseEvent.objects.bulk_create(
        models.CaseEvent(
            case=row.case,
            at=night.now,
            by=NIGHTLY,
            kind=kind,
            before=None if kind is EventKind.OPENED else row.case.status,
            after=row.case.status,
            evidence=row,
        )
        for row in evidence
    )


def _standing_rows(account_ids: Sequence[str]) -> dict[str, models.Case]:
    """Return the open case of each account, or else the one decided last.

    Both are the case that moved last: while one is open, no other of its account moves.
    """
    rows = models.Case.objects.filter(account_id__in=account_ids).order_by("status_since", "pk")
    return {row.account_id: row for row in rows}


def _newest_evidence(rows: Mapping[str, models.Case]) -> dict[int, Candidate]:
    """Return the newest evidence of each case, by the case's number."""
    newest = (
        models.Evidence.objects.filter(case__in=rows.values())
        .values("case")
        .annotate(newest=Max("pk"))
        .values("newest")
    )
    evidence = models.Evidence.objects.filter(pk__in=newest).select_related("case")
    return {row.case.pk: as_candidate(row) for row in evidence}


def leanings() -> dict[str, tuple[str, ...]]:
    """Return, for the account of each undecided case, the blocked accounts its evidence names."""
    rows = {row.account_id: row for row in models.Case.objects.filter(status__in=UNDECIDED)}
    evidence = _newest_evidence(rows)
    return {
        account: tuple(near.account_id for near in evidence[row.pk].similar_blocked)
        for account, row in rows.items()
        if row.pk in evidence
    }


def as_case(row: models.Case) -> Case:
    """Return a case as the rules know it."""
    return Case(
        case_id=row.pk,
        account_id=row.account_id,
        status=Status(row.status),
        status_since=row.status_since,
        reviewer=row.reviewer,
        opened_at=row.opened_at,
        as_of=row.as_of_date,
        score=row.score,
        band=row.band,
        locked_until=row.locked_until,
        wake_at=row.wake_at,
        access=Access(row.access),
        suspended_until=row.suspended_until,
        proposed_by=row.proposed_by,
        barred=tuple(filter(None, row.barred.split(","))),
        escalated=row.escalated,
    )


STATE = (
    "status", "status_since", "reviewer", "locked_until", "wake_at", "access",
    "suspended_until", "proposed_by", "escalated",
)  # fmt: skip
"""What decisions change of a case, beside `barred`, which is written in another way."""


def keep_case(row: models.Case, case: Case) -> None:
    """Write what a decision changed."""
    for name in STATE:
        setattr(row, name, getattr(case, name))
    row.barred = f",{','.join(case.barred)}," if case.barred else ""
    row.save(update_fields=[*STATE, "barred"])


def as_candidate(row: models.Evidence) -> Candidate:
    """Return what a night said."""
    return Candidate(
        account_id=row.case.account_id,
        score=row.score,
        band=cast("Band", row.band),
        rank=row.rank,
        method=cast("Method", row.method),
        reasons=tuple(Reason(**reason) for reason in row.reasons),
        similar_blocked=tuple(SimilarAccount(**account) for account in row.similar_blocked),
        similar_good=tuple(SimilarAccount(**account) for account in row.similar_good),
    )


def append(
    event: Event,
    *,
    evidence_id: int | None = None,
    was: Mapping[str, object] | None = None,
    looked_s: float | None = None,
    due_at: datetime | None = None,
) -> models.CaseEvent:
    """Write an event into its case's trail."""
    return models.CaseEvent.objects.create(
        case_id=event.case_id,
        at=event.at,
        by=event.by,
        kind=event.kind,
        before=event.before,
        after=event.after,
        note=event.note,
        action=event.action,
        reason=event.reason,
        until=event.until,
        evidence_id=evidence_id,
        was=was,
        looked_s=looked_s,
        due_at=due_at,
    )


def open_count() -> int:
    """Count the cases that are not decided."""
    return models.Case.objects.filter(status__in=UNDECIDED).count()


def read(status: Status | None) -> tuple[Case, ...]:
    """Return the cases in `status`, or all, the most urgent first."""
    rows = models.Case.objects.by_urgency()
    return tuple(map(as_case, rows if status is None else rows.filter(status=status)))


def trail(case_id: int) -> tuple[Event, ...]:
    """Return what happened to a case, the earliest first."""
    rows = models.CaseEvent.objects.filter(case_id=case_id).order_by("pk")
    return tuple(
        Event(
            case_id=case_id,
            at=row.at,
            by=row.by,
            kind=EventKind(row.kind),
            before=Status(row.before) if row.before else None,
            after=Status(row.after),
            note=row.note,
            action=row.action,
            reason=row.reason,
            until=row.until,
        )
        for row in rows
    )


def decisions(before: datetime) -> list[tuple[str, int, datetime]]:
    """Return account, label and instant of the decision each account then had last.

    A case counts by its last event before the instant, so one that was reopened
    and not decided again has no label.
    """
    last = (
        models.CaseEvent.objects.filter(at__lt=before)
        .exclude(kind=EventKind.NOTED)
        .values("case")
        .annotate(last=Max("pk"))
        .values("last")
    )
    rows = (
        models.CaseEvent.objects.filter(pk__in=last, after__in=LABELS)
        .order_by("at", "pk")
        .values_list("case__account_id", "after", "at")
    )
    latest = {account: (LABELS[Status(after)], at) for account, after, at in rows}
    return [(account, label, at) for account, (label, at) in sorted(latest.items())]
