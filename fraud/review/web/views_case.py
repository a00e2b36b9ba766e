"""A case: its page, deciding, revealing personal data, the rows behind a number."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from cdr.errors import CdrError
from fraud.candidates import Candidate
from fraud.errors import AlreadyOpen, NoSuchCase, Refused
from fraud.review import desk
from fraud.review.audit import note_action
from fraud.review.behind import Rows
from fraud.review.decisions import RULES, UNDO_WITHIN, Action, Wish, minutes, offered
from fraud.review.models import Case
from fraud.review.rights import Right, Role
from fraud.review.rows_behind import behind, signals_by_name
from fraud.review.slices import EVENTS, Account
from fraud.review.store import as_candidate, as_case
from fraud.review.web.behind_page import behind_page, said_otherwise
from fraud.review.web.case_page import case_page
from fraud.review.web.gate import needs, staff_of
from fraud.review.web.reader import reader
from fraud.review.web.shown import now

NOTE_SIGNS = 4000
"""Longest free text. Ours: two pages; more belongs into a document."""

REVEALED_FOR = timedelta(minutes=15)
"""How long revealed data stays whole for who asked. Ours: long enough for one decision."""

KEYS = {
    Action.CLEAR: "c", Action.ASK_PROOF: "p", Action.SUSPEND: "s", Action.PROPOSE_BLOCK: "b",
    Action.CONFIRM_BLOCK: "b", Action.REJECT_BLOCK: "y", Action.ESCALATE: "e",
    Action.SNOOZE: "z", Action.RELEASE: "o", Action.NOTE: "m", Action.CONTEST: "v",
}  # fmt: skip
"""The key that opens each action, as ``keys.js`` has it."""


def _text(request: HttpRequest, name: str, longest: int = NOTE_SIGNS) -> str:
    return request.POST.get(name, "").replace("\x00", "").strip()[:longest]


@needs(Right.SEE_CASES)
@require_GET
def case(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show a case: who is this, why is it here, what is it like, what did it do."""
    staff, at = staff_of(request), now()
    try:
        row = desk.open_page(case_id, staff, now=at)
    except NoSuchCase:
        raise Http404 from None
    evidence = row.evidence.select_related("case").order_by("pk").last()
    if evidence is None:
        raise Http404
    candidate = as_candidate(evidence)
    account, fault = _account(row, candidate)
    whole = _is_revealed(request, row, at)
    actions = offered(as_case(row), by=staff.user.get_username(), role=Role(staff.role), at=at)
    last = row.events.exclude(action="").exclude(kind="noted").order_by("pk").last()
    may_undo = (
        last is not None
        and last.by == staff.user.get_username()
        and last.action in RULES
        and RULES[Action(last.action)].undo
        and at - last.at <= UNDO_WITHIN
        and last.after == row.status
    )
    others = Case.objects.in_scope(staff).filter(account_id=row.account_id).exclude(pk=row.pk)
    return render(
        request,
        "review/case.html",
        {
            "case": row,
            "evidence": evidence,
            "candidate": candidate,
            "page": case_page(row, candidate, account, whole=whole, others=list(others)),
            "fault": fault,
            "whole": whole,
            "events": row.events.order_by("-pk")[:50],
            "others": others,
            "actions": [(action, RULES[action]) for action in actions if action != Action.TAKE],
            "keys": KEYS,
            "may_take": Action.TAKE in actions and row.reviewer != staff.user.get_username(),
            "may_undo": may_undo,
            "undo_minutes": minutes(UNDO_WITHIN),
            "may_decide": staff.may(Right.DECIDE),
            "may_reveal": staff.may(Right.REVEAL),
            "in_hand": row.status == "taken" and row.reviewer == staff.user.get_username(),
        },
    )


def _account(row: Case, candidate: Candidate) -> tuple[Account | None, str]:
    """Read the account from the lake; a lake that refuses costs the pictures, not the page."""
    try:
        return reader().of_case(candidate, as_of=row.as_of_date), ""
    except CdrError as error:
        return None, str(error)


def _is_revealed(request: HttpRequest, row: Case, at: datetime) -> bool:
    until = request.session.get("revealed", {}).get(str(row.pk))
    return until is not None and datetime.fromisoformat(until) > at


@needs(Right.REVEAL)
@require_POST
def reveal(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show personal data whole for a while; the reason is written down first."""
    staff, at = staff_of(request), now()
    why = _text(request, "why")
    try:
        row = desk.find(case_id, staff)
    except NoSuchCase:
        raise Http404 from None
    if len(why) < 5:
        messages.error(request, "Say why you need to see it; that is written down.")
    else:
        note_action("reveal", by=staff.user.get_username(), at=at, case=row, why=why)
        kept = {
            pk: until
            for pk, until in request.session.get("revealed", {}).items()
            if datetime.fromisoformat(until) > at
        }
        request.session["revealed"] = {**kept, str(case_id): (at + REVEALED_FOR).isoformat()}
    return redirect("case", case_id)


@needs(Right.SEE_CASES)
@require_POST
def decide(request: HttpRequest, case_id: int) -> HttpResponse:
    """Do what was chosen; the right for it is asked by the rules of the action."""
    staff, at = staff_of(request), now()
    try:
        wish = Wish(
            Action(request.POST.get("action", "")),
            staff.user.get_username(),
            Role(staff.role),
            at,
            reason=_text(request, "reason", 100),
            note=_text(request, "note"),
            until=_until(request.POST.get("until", "")),
        )
        desk.act(case_id, staff, wish)
    except NoSuchCase:
        raise Http404 from None
    except (Refused, AlreadyOpen) as error:
        messages.error(request, f"Not done: {error}.")
        return redirect("case", case_id)
    except ValueError:
        messages.error(request, "Not done: there is no such action or date.")
        return redirect("case", case_id)
    stays = {Action.NOTE, Action.TAKE, Action.UNDO}
    messages.success(request, _said(wish.action))
    if wish.action in stays:
        return redirect("case", case_id)
    return redirect(f"{reverse('queue')}?done={case_id}")


def _until(value: str) -> datetime | None:
    """Return the end of a UTC day that a date field gave."""
    if not value:
        return None
    day = date.fromisoformat(value[:10])
    return datetime.combine(day, time(), tzinfo=UTC) + timedelta(days=1)


def _said(action: Action) -> str:
    said = {
        Action.TAKE: "The case is yours for 30 minutes.",
        Action.RELEASE: "The case is back in the queue.",
        Action.CLEAR: f"Cleared. You can take that back for {minutes(UNDO_WITHIN)} minutes.",
        Action.ASK_PROOF: "Proof is asked for; the case sleeps until the date.",
        Action.SUSPEND: "Access is suspended until the date.",
        Action.PROPOSE_BLOCK: "Proposed. A second person has to confirm it.",
        Action.CONFIRM_BLOCK: "Access is suspended for good.",
        Action.ESCALATE: "A lead will look at it.",
        Action.SNOOZE: "The case sleeps until the date.",
        Action.NOTE: "Noted.",
        Action.UNDO: "Taken back; the case is in your hands again.",
        Action.CONTEST: "The contest is recorded; somebody else will look at the case.",
    }
    return said.get(action, "Done.")


@needs(Right.SEE_CASES)
@require_GET
def behind_number(request: HttpRequest, case_id: int, rows: str, signal: str) -> HttpResponse:
    """List the rows behind a number, and say how it comes from them."""
    staff, at = staff_of(request), now()
    try:
        row = desk.find(case_id, staff)
    except NoSuchCase:
        raise Http404 from None
    evidence = row.evidence.select_related("case").order_by("pk").last()
    wanted = behind(signal)
    if evidence is None or wanted is None or wanted[0] != rows:
        raise Http404
    kind, conditions = wanted
    candidate = as_candidate(evidence)
    try:
        found = reader().behind(candidate, kind, conditions, as_of=row.as_of_date)
    except CdrError as error:
        messages.error(request, str(error))
        return redirect("case", case_id)
    note_action(f"see_{kind}", by=staff.user.get_username(), at=at, case=row, why=signal)
    measured = signals_by_name()[signal]
    return render(
        request,
        "review/behind.html",
        {
            "case": row,
            "rows": kind,
            "page": behind_page(
                measured, kind, conditions, found,
                whole=_is_revealed(request, row, at), skip=_skip(request),
            ),
            "said": said_otherwise(measured, conditions, found, candidate),
            "full": kind is Rows.EVENTS and found.rows.height >= EVENTS,
            "longest": EVENTS,
        },
    )  # fmt: skip


def _skip(request: HttpRequest) -> int:
    given = request.GET.get("skip", "0")
    return int(given) if given.isdecimal() and len(given) < 10 else 0
