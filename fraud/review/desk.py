"""The reviewer's desk in the database: the queue's pages, taking the next case, deciding.

For use where Django is set up. Rules are in `decisions`, rights in `rights`; here
they meet the database, each step in one transaction with its audit entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, cast

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Q

from fraud.errors import AlreadyOpen, NoSuchCase, Refused
from fraud.review import models, outbox
from fraud.review.audit import note_action
from fraud.review.cases import UNDECIDED, Access, Case, Event, EventKind, Status
from fraud.review.decisions import LOCK, Action, Wish, decide, due_dates, undo
from fraud.review.facts import DUE
from fraud.review.rights import Right, Role, may
from fraud.review.store import STATE, append, as_case, keep_case

PAGE = 50
"""Cases on a page of the queue. Ours: what one scrolls through without losing the place."""

COUNTED = 1000
"""Cases counted at most; beyond, the page says "1,000 and more". Ours: nobody works that many."""

BULK = 200
"""Cases cleared at once at most. Ours: a page can be answered for, a whole queue cannot."""

DUE_ANEW = frozenset({Action.WAKE, Action.END_SUSPENSION, Action.CONTEST})
"""What brings a case back to the queue through nobody's delay; it is due anew from then on, a
contest as a high case is: somebody may be without service for nothing."""

CHOICES_KEPT_S = 60
"""How long the values of filters are kept. Ours: new ones come once a night."""

ASLEEP = (Status.WAITING, Status.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cases of the queue to show; empty shows all.

    Parameters
    ----------
    state : str
        ``todo`` (open and taken), ``mine``, ``free``, ``asleep``, ``second`` (waits for a
        second person), ``late`` (past the due time), ``decided`` or ``all``.
    band, kind, plan, country, assigned : str
        Exactly this; `assigned` is a user name.
    sampled : bool
        Only the random sample.
    account : str
        Account that begins with this.
    """

    state: str = "todo"
    band: str = ""
    kind: str = ""
    plan: str = ""
    country: str = ""
    assigned: str = ""
    sampled: bool = False
    account: str = ""


STATES = {
    "todo": "To do",
    "mine": "In my hands",
    "free": "Free",
    "late": "Past due",
    "second": "Waits for a second person",
    "asleep": "Asleep",
    "decided": "Decided",
    "all": "All",
}


def filtered(wanted: Filter, staff: models.Staff, now: datetime) -> models.CaseRows:
    """Return the cases of a person's scope that a filter keeps."""
    rows = models.Case.objects.in_scope(staff).filter(_in_state(wanted.state, staff, now))
    for name in ("band", "kind", "plan", "country"):
        if value := getattr(wanted, name):
            rows = rows.filter(**{name: value})
    if wanted.assigned:
        rows = rows.filter(reviewer=wanted.assigned)
    if wanted.sampled:
        rows = rows.filter(sampled=True)
    if wanted.account:
        # a range, since an index serves it where LIKE would scan
        rows = rows.filter(
            account_id__gte=wanted.account, account_id__lt=wanted.account + "\U0010ffff"
        )
    return rows


def _in_state(state: str, staff: models.Staff, now: datetime) -> Q:
    undecided = _undecided()
    match state:
        case "mine":
            return undecided & Q(status=Status.TAKEN, reviewer=staff.user.get_username())
        case "free":
            return _free(now)
        case "late":
            return undecided & Q(due_at__lt=now) & ~Q(status__in=ASLEEP)
        case "second":
            return undecided & Q(status=Status.PROPOSED)
        case "asleep":
            return undecided & Q(status__in=ASLEEP)
        case "decided":
            return Q(status__in=(Status.CLEARED, Status.CONFIRMED))
        case "all":
            return Q()
        case _:
            return undecided & Q(status__in=(Status.OPEN, Status.TAKEN, Status.PROPOSED))


def _free(now: datetime) -> Q:
    # what the index of open cases is for is said in its words, so that it serves this too
    taken = Q(status=Status.TAKEN, locked_until__lte=now)
    return _undecided() & (Q(status=Status.OPEN) | taken)


def _undecided() -> Q:
    return Q(status__in=sorted(status.value for status in UNDECIDED))


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the queue's cases, and the cursor of the next ones; None at the end."""

    rows: Sequence[models.Case]
    following: str | None
    count: int


def page(rows: models.CaseRows, after: str = "") -> Page:
    """Return one page, the most urgent first; as fast at the end as at the beginning.

    Raises
    ------
    Refused
        If the cursor is none of ours.
    """
    found = rows
    if after:
        try:
            urgency, _, pk = after.partition(":")
            place = float(urgency), int(pk)
        except ValueError:
            raise Refused("there is no such page; start again from the first") from None
        found = found.filter(Q(urgency__lt=place[0]) | Q(urgency=place[0], pk__gt=place[1]))
    listed = list(found.by_urgency()[: PAGE + 1])
    last = listed[PAGE - 1] if len(listed) > PAGE else None
    count = rows.order_by().values("pk")[: COUNTED + 1].count()
    return Page(listed[:PAGE], f"{last.urgency!r}:{last.pk}" if last else None, count)


def find(case_id: int, staff: models.Staff, *, lock: bool = False) -> models.Case:
    """Return a case of the person's scope.

    Raises
    ------
    NoSuchCase
        If there is none, or not within the scope: which of the two is not told.
    """
    rows = models.Case.objects.in_scope(staff)
    row = (rows.select_for_update() if lock else rows).filter(pk=case_id).first()
    if row is None:
        raise NoSuchCase(case_id)
    return row


@transaction.atomic
def next_case(staff: models.Staff, *, now: datetime, wanted: Filter | None = None) -> int | None:
    """Take the most urgent free case for a person; None where there is none.

    Two people at once never get the same: on SQLite the second waits for the first
    at the beginning of its transaction, on PostgreSQL it skips what is locked.
    """
    by = staff.user.get_username()
    base = wanted or Filter()
    rows = filtered(replace(base, state="free"), staff, now).exclude(barred__contains=f",{by},")
    if staff.role != Role.LEAD:
        rows = rows.filter(escalated=False)
    skip = connection.features.has_select_for_update_skip_locked
    row = rows.by_urgency().select_for_update(skip_locked=skip).first()
    if row is None:
        return None
    _carry_out(row, Wish(Action.TAKE, by, Role(staff.role), now))
    return row.pk


def act(case_id: int, staff: models.Staff, wish: Wish) -> Case:
    """Do what a person wants done with a case: the case, its trail, the outbox, the audit.

    Raises
    ------
    NoSuchCase, Refused, AlreadyOpen
        If there is no such case, the rules do not allow it, or it would give the
        account a second open case. Nothing is changed then.
    """
    with transaction.atomic():
        row = find(case_id, staff, lock=True)
        if wish.action is Action.UNDO:
            return _take_back(row, wish)
        return _carry_out(row, wish)


def _carry_out(row: models.Case, wish: Wish) -> Case:
    before = as_case(row)
    after, event = decide(before, wish)
    _refuse_second(row, before, after)
    return _write(row, before, after, event)


def _take_back(row: models.Case, wish: Wish) -> Case:
    last = row.events.exclude(kind=EventKind.NOTED).exclude(action="").order_by("pk").last()
    if last is None or last.was is None:
        raise Refused("there is nothing to take back")
    before = as_case(row)
    event = Event(
        row.pk, last.at, last.by, EventKind(last.kind), Status(last.before or last.after),
        Status(last.after), last.note, last.action, last.reason, last.until,
    )  # fmt: skip
    was, done = undo(before, event, _state_from(before, last.was), wish)
    _refuse_second(row, before, was)
    outbox.withdraw(last.pk)
    return _write(row, before, was, done)


def _write(row: models.Case, before: Case, after: Case, event: Event) -> Case:
    keep_case(row, after)
    was_due_at = row.due_at
    if event.action in DUE_ANEW:
        row.due_at = event.at + DUE["high" if event.action == Action.CONTEST else row.band]
        row.save(update_fields=["due_at"])
    newest = row.evidence.order_by("pk").values_list("pk", flat=True).last()
    decided = event.action in outbox.DECISIONS
    written = append(
        event,
        evidence_id=newest,
        was=_state(before),
        looked_s=_looked_s(row, event) if decided else None,
        due_at=was_due_at if decided else None,
    )
    note_action(
        event.action, by=event.by, at=event.at, case=row,
        before=_state(before), after=_state(after), why=_why(event),
    )  # fmt: skip
    outbox.put(written, before, after)
    return after


def _looked_s(row: models.Case, event: Event) -> float | None:
    """Seconds from the person's first look, since it was taken or proposed, to the decision."""
    began = Q(action=Action.TAKE, by=event.by)
    if event.action in {Action.CONFIRM_BLOCK, Action.REJECT_BLOCK}:
        began = Q(action=Action.PROPOSE_BLOCK)  # a second person takes no case
    since = row.events.filter(began).order_by("pk").last()
    seen = models.AuditEntry.objects.filter(case=row, by=event.by, action="see_case")
    first = seen.filter(at__gte=since.at).order_by("pk").first() if since else None
    return (event.at - first.at).total_seconds() if first else None


def _refuse_second(row: models.Case, before: Case, after: Case) -> None:
    if before.status in UNDECIDED or after.status not in UNDECIDED:
        return
    same = models.Case.objects.filter(account_id=row.account_id, status__in=UNDECIDED)
    if (other := same.exclude(pk=row.pk).first()) is not None:
        raise AlreadyOpen(row.pk, other.pk)


def _why(event: Event) -> str:
    return ": ".join(filter(None, (event.reason, event.note)))


def _state(case: Case) -> dict[str, Any]:
    """Return what a decision can change of a case, as JSON keeps it."""
    kept = {name: getattr(case, name) for name in (*STATE, "barred")}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in kept.items()
    }


def _state_from(case: Case, kept: Mapping[str, Any]) -> Case:
    instants = {f.name for f in fields(Case) if f.type == "datetime | None"} | {"status_since"}
    values: dict[str, Any] = {
        name: datetime.fromisoformat(value) if name in instants and value else value
        for name, value in kept.items()
    }
    values["status"], values["access"] = Status(values["status"]), Access(values["access"])
    values["barred"] = tuple(values["barred"])
    return replace(case, **values)


def bulk_clear(
    case_ids: Sequence[int], staff: models.Staff, *, now: datetime, reason: str, note: str
) -> tuple[int, int]:
    """Clear several cases that nobody else has; return how many were and were not.

    Raises
    ------
    Refused
        If there are more than :data:`BULK`, or the reason is none of the list.
    """
    if len(case_ids) > BULK:
        raise Refused(f"at most {BULK} cases at once")
    by, role = staff.user.get_username(), Role(staff.role)
    cleared = 0
    for case_id in case_ids:
        try:
            with transaction.atomic():
                row = find(case_id, staff, lock=True)
                if as_case(row).status is not Status.TAKEN or row.reviewer != by:
                    _carry_out(row, Wish(Action.TAKE, by, role, now))
                _carry_out(row, Wish(Action.CLEAR, by, role, now, reason, note))
                cleared += 1
        except (Refused, NoSuchCase):
            continue
    return cleared, len(case_ids) - cleared


@transaction.atomic
def open_page(case_id: int, staff: models.Staff, *, now: datetime) -> models.Case:
    """Return a case to be shown, write that it was seen, and hold it longer if it is in hand."""
    row = find(case_id, staff, lock=True)
    by = staff.user.get_username()
    if row.status == Status.TAKEN and row.reviewer == by:
        row.locked_until = now + LOCK
        row.save(update_fields=["locked_until"])
    note_action("see_case", by=by, at=now, case=row)
    return row


def wake_due(now: datetime) -> int:
    """Carry out what dates that have come ask for; return the number of steps. Safe to repeat."""
    due = Q(suspended_until__lte=now) | Q(status=Status.WAITING, wake_at__lte=now)
    steps = 0
    for case_id in list(models.Case.objects.filter(due).values_list("pk", flat=True)):
        with transaction.atomic():
            row = models.Case.objects.select_for_update().get(pk=case_id)
            before = as_case(row)
            for after, event in due_dates(before, now):
                _write(row, before, after, event)
                before = after
                steps += 1
    return steps


def badges(staff: models.Staff, now: datetime) -> dict[str, int]:
    """Count what waits for this person: cases in hand and, for leads, second looks."""
    wanted = ["mine", "second"] if staff.may(Right.CONFIRM) else ["mine"]
    rows = {state: filtered(Filter(state), staff, now) for state in wanted}
    return {state: found.order_by().values("pk")[:COUNTED].count() for state, found in rows.items()}


def choices(staff: models.Staff) -> dict[str, list[str]]:
    """Return what the filters of the queue can be set to, from the cases there are."""
    key = f"choices {connection.settings_dict['NAME']} {staff.countries} {staff.plans}"
    name = sha256(key.encode()).hexdigest()
    return cast(
        "dict[str, list[str]]", cache.get_or_set(name, partial(_choices, staff), CHOICES_KEPT_S)
    )


def _choices(staff: models.Staff) -> dict[str, list[str]]:
    rows = models.Case.objects.in_scope(staff).order_by()
    found = {
        name: sorted(filter(None, rows.values_list(name, flat=True).distinct()))
        for name in ("kind", "plan", "country")
    }
    deciding = [role.value for role in Role if may(role, Right.DECIDE)]
    people = models.Staff.objects.filter(role__in=deciding, user__is_active=True)
    return {**found, "people": sorted(people.values_list("user__username", flat=True))}
