"""What was sent to the operator's systems, what waits, and what nobody took."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from fraud.review import outbox as messages_out
from fraud.review.audit import note_action
from fraud.review.models import OutboxMessage
from fraud.review.rights import Right
from fraud.review.web.gate import needs, staff_of
from fraud.review.web.shown import now

SHOWN = 100
STATES = ("waiting", "dead", "delivered", "withdrawn")


@needs(Right.SEE_OUTBOX)
@require_GET
def outbox(request: HttpRequest) -> HttpResponse:
    """Show messages, the newest first; dead letters first of all."""
    state = request.GET.get("state", "")
    counts = dict(OutboxMessage.objects.values_list("state").annotate(n=Count("pk")))
    rows = OutboxMessage.objects.order_by("-pk")
    if state in STATES:
        rows = rows.filter(state=state)
    dead = OutboxMessage.objects.filter(state=messages_out.DEAD).order_by("-pk")[:SHOWN]
    return render(
        request,
        "review/outbox.html",
        {
            "rows": rows[:SHOWN],
            "dead": dead,
            "counts": [(name, counts.get(name, 0)) for name in STATES],
            "state": state,
            "may_resend": staff_of(request).may(Right.RESEND),
        },
    )


@needs(Right.RESEND)
@require_POST
def resend(request: HttpRequest, message_id: int) -> HttpResponse:
    """Let a dead letter be tried again."""
    if messages_out.resend(message_id, now=now()):
        by = staff_of(request).user.get_username()
        note_action("resend", by=by, at=now(), why=f"message {message_id}")
        messages.success(request, "It will be sent again within a minute.")
    else:
        messages.error(request, "That message is not a dead letter.")
    return redirect("outbox")
