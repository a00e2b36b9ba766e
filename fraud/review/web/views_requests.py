"""What persons asked for: requests with their due dates, for the data protection officer.

Here: the list, and decisions that need no more than a person's word. What makes files or takes
data away is done on the command line, which the page names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from cdr.errors import CdrError
from cdr.privacy import requests as persons
from fraud.review.audit import note_action
from fraud.review.masking import harmless, shown
from fraud.review.rights import Right
from fraud.review.web.gate import needs, staff_of
from fraud.review.web.reader import reader
from fraud.review.web.shown import now

GROUNDS_SIGNS = 1000
WORDS = {
    persons.Right.ACCESS: "Access",
    persons.Right.RECTIFY: "Rectification",
    persons.Right.ERASE: "Erasure",
    persons.Right.RESTRICT: "Restriction",
    persons.Right.EXPORT: "Portability",
    persons.Right.OBJECT: "Objection",
}
DECISIONS = {
    persons.State.DONE: "Grant",
    persons.State.REFUSED: "Refuse",
    persons.State.LIFTED: "Lift",
}
"""What can be decided here."""


@dataclass(frozen=True, slots=True)
class Line:
    """One request as the page shows it; `command` does what has to be done, where it has to.

    ``said`` is what the person wrote, ``grounds`` what the decision rested on.
    """

    request_id: str
    what: str
    about: str
    received_at: datetime
    due_at: datetime
    state: str
    in_force: bool
    said: str
    grounds: str
    decisions: tuple[tuple[str, str], ...]
    command: str


def line(row: dict[str, Any]) -> Line:
    """Make a line of a row of `person_requests`; a number is masked, it is nobody's account."""
    right, state = persons.Right(row["right"]), persons.State(row["state"])
    subject = row["subject"]
    about = "erased" if subject is None else f"{row['kind']} " + (
        harmless(subject) if row["kind"] == "account" else shown("number", subject, whole=False)
    )  # fmt: skip
    lasting = right in persons.LASTING
    possible: list[persons.State] = []
    if subject is not None and state is persons.State.OPEN:
        possible = [persons.State.DONE] if lasting else []
        possible.append(persons.State.REFUSED)
    elif subject is not None and lasting and state is persons.State.DONE:
        possible = [persons.State.LIFTED]
    return Line(
        row["request_id"],
        WORDS[right],
        about,
        row["received_at"],
        row["due_at"],
        state.value,
        in_force=lasting and row["in_force_from"] is not None and row["in_force_until"] is None,
        said=harmless(row["reason"] or ""),
        grounds=harmless(row["grounds"] or ""),
        decisions=tuple((one.value, DECISIONS[one]) for one in possible),
        command="" if lasting or state is not persons.State.OPEN else f"person {right.value}",
    )


@needs(Right.SEE_REQUESTS)
@require_GET
def requests(request: HttpRequest) -> HttpResponse:
    """Show requests, the open ones first, the next due on top."""
    try:
        rows = persons.requests_of(reader().lake).to_dicts()
    except CdrError as error:
        messages.error(request, str(error))
        rows = []
    note_action("see_requests", by=staff_of(request).user.get_username(), at=now())
    lines = [line(row) for row in rows]
    waiting = [one for one in lines if one.state == persons.State.OPEN.value]
    late = sum(one.due_at < now() for one in waiting)
    ended = [one for one in lines if one.state != persons.State.OPEN.value]
    return render(
        request,
        "review/requests.html",
        {"groups": (("Open", waiting), ("Answered", ended[::-1])), "late": late},
    )


@needs(Right.SEE_REQUESTS)
@require_POST
def decide_request(request: HttpRequest, request_id: str) -> HttpResponse:
    """Grant, refuse or lift; grounds are asked for where the person is told no."""
    grounds = request.POST.get("grounds", "").replace("\x00", "").strip()[:GROUNDS_SIGNS]
    state = request.POST.get("state", "")
    lake, at = reader().lake, now()
    if state not in {one.value for one in DECISIONS}:
        messages.error(request, "Not done: there is no such decision.")
        return redirect("requests")
    try:
        asked = persons.request_of(lake, request_id)
        granting = state == persons.State.DONE.value
        if granting and asked.right not in persons.LASTING:
            messages.error(request, "Not done: the command line answers that.")
            return redirect("requests")
        if not granting and len(grounds) < 5:
            messages.error(request, "Not done: say why; the person is told, and can contest it.")
            return redirect("requests")
        persons.decide(lake, asked, persons.State(state), grounds=grounds or None, now=at)
    except CdrError as error:
        messages.error(request, f"Not done: {error}.")
        return redirect("requests")
    note_action(
        "decide_request", by=staff_of(request).user.get_username(), at=at,
        before={"status": asked.state.value}, after={"status": state},
        why=f"request {asked.request_id[:8]}: {grounds}",
    )  # fmt: skip
    messages.success(request, f"{WORDS[asked.right]}: {state}.")
    return redirect("requests")
