"""The queue: the list, the next case, saved views, several cleared at once."""

from __future__ import annotations

from dataclasses import fields
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from fraud.candidates import BANDS
from fraud.errors import Refused
from fraud.review import desk
from fraud.review.audit import note_action
from fraud.review.decisions import RULES, Action
from fraud.review.models import SavedView
from fraud.review.rights import Right
from fraud.review.web.gate import needs, staff_of
from fraud.review.web.shown import now

LONGEST = 200
"""Signs of a search or name at most."""


def read_filter(given: QueryDict) -> desk.Filter:
    """Read a filter from an address; what is no filter is left out."""
    values = {
        one.name: given.get(one.name, "")[:LONGEST].replace("\x00", "").strip()
        for one in fields(desk.Filter)
    }
    sampled = bool(values.pop("sampled"))
    if values["state"] not in desk.STATES:
        values["state"] = "todo"
    return desk.Filter(**values, sampled=sampled)


def as_query(wanted: desk.Filter) -> str:
    """Write a filter as the query of an address."""
    values = {one.name: getattr(wanted, one.name) for one in fields(desk.Filter)}
    values["sampled"] = "1" if wanted.sampled else ""
    return urlencode({name: value for name, value in values.items() if value})


@needs(Right.OWN_ACCOUNT)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Lead to where a person's work is: the queue, or people for who sees no case."""
    return redirect("queue" if staff_of(request).may(Right.SEE_CASES) else "people")


@needs(Right.SEE_CASES)
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """Show cases, the most urgent first."""
    staff, wanted = staff_of(request), read_filter(request.GET)
    rows = desk.filtered(wanted, staff, now())
    try:
        page = desk.page(rows, request.GET.get("after", "")[:LONGEST])
    except Refused as error:
        messages.error(request, str(error))
        return redirect("queue")
    if wanted.account:
        by = staff.user.get_username()
        note_action("search", by=by, at=now(), account_id=wanted.account)
    choices = desk.choices(staff)
    return render(
        request,
        "review/queue.html",
        {
            "page": page,
            "wanted": wanted,
            "query": as_query(wanted),
            "choices": choices,
            "people": choices["people"],
            "badges": desk.badges(staff, now()),
            "bands": tuple(reversed(BANDS)),
            "states": desk.STATES,
            "counted": desk.COUNTED,
            "views": SavedView.objects.filter(user=staff.user).order_by("name"),
            "may_decide": staff.may(Right.DECIDE),
            "clear": RULES[Action.CLEAR],
        },
    )


@needs(Right.DECIDE)
@require_POST
def take_next(request: HttpRequest) -> HttpResponse:
    """Take the best free case of the filter shown and open it."""
    wanted = read_filter(request.POST)
    case_id = desk.next_case(staff_of(request), now=now(), wanted=wanted)
    if case_id is None:
        messages.info(request, "No free case is left here.")
        return redirect("queue")
    return redirect("case", case_id)


@needs(Right.SEE_CASES)
@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the filter under a name; the same name again replaces it."""
    name = request.POST.get("name", "").replace("\x00", "").strip()[:LONGEST]
    query = as_query(read_filter(request.POST))
    if not name:
        messages.error(request, "A view needs a name.")
    else:
        SavedView.objects.update_or_create(
            user=staff_of(request).user, name=name, defaults={"query": query}
        )
    return redirect(f"{reverse('queue')}?{query}")


@needs(Right.SEE_CASES)
@require_POST
def remove_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Forget one of one's own views."""
    get_object_or_404(SavedView, pk=view_id, user=staff_of(request).user).delete()
    return redirect("queue")


@needs(Right.DECIDE)
@require_POST
def clear_several(request: HttpRequest) -> HttpResponse:
    """Clear the chosen cases; suspending several at once does not exist."""
    chosen = [int(pk) for pk in request.POST.getlist("case") if pk.isdecimal() and len(pk) < 19]
    reason = request.POST.get("reason", "")
    note = request.POST.get("note", "").replace("\x00", "")[:4000]
    if reason not in RULES[Action.CLEAR].reasons or (reason == "other" and not note.strip()):
        messages.error(request, "Choose a reason from the list; another one needs a text.")
    elif not chosen:
        messages.error(request, "Choose cases first.")
    else:
        try:
            done, left = desk.bulk_clear(
                chosen, staff_of(request), now=now(), reason=reason, note=note
            )
        except Refused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"{done} cleared" + (f", {left} left alone" if left else ""))
    return redirect("queue")
