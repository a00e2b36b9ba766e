"""Decisions on their way out: put down with the decision, sent later, until they arrive.

A message is written in the transaction of its decision, so none is lost and none is
sent for what did not happen. Its key never changes: a receiver that keeps the keys
it has seen applies a suspension once, however often it is sent.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction

from fraud.review import models
from fraud.review.cases import Access, Case
from fraud.review.decisions import RULES, UNDO_WITHIN, Action

DECISIONS = frozenset(
    {
        Action.CLEAR,
        Action.ASK_PROOF,
        Action.SUSPEND,
        Action.PROPOSE_BLOCK,
        Action.CONFIRM_BLOCK,
        Action.REJECT_BLOCK,
    }
)
"""What a person decides about an account, as counted for leads."""

SENT_OUT = frozenset(
    {
        Action.CLEAR, Action.ASK_PROOF, Action.SUSPEND, Action.CONFIRM_BLOCK,
        Action.END_SUSPENSION, Action.CONTEST,
    }
)  # fmt: skip
"""What the operator's systems have to hear of; the rest stays in the house."""

WAITING, DELIVERED, DEAD, WITHDRAWN = "waiting", "delivered", "dead", "withdrawn"
ATTEMPTS = 10
"""Attempts before a person has to look. Ours: with the back-off below, about a day."""

FIRST_BACK_OFF = timedelta(minutes=1)
LONGEST_BACK_OFF = timedelta(hours=6)
TIMEOUT_S = 10.0
BATCH = 100
_KEYS = uuid5(NAMESPACE_URL, "callsieve:outbox")


def put(event: models.CaseEvent, before: Case, after: Case) -> None:
    """Put a decision down to be sent; does nothing for what stays in the house."""
    if event.action not in SENT_OUT:
        return
    rule = RULES.get(Action(event.action))
    held = UNDO_WITHIN if rule is not None and rule.undo else timedelta(0)
    payload = {
        "decision": event.action,
        "case_id": event.case.pk,
        "account_id": event.case.account_id,
        "access": access_change(before.access, after.access),
        "access_until": _iso(after.suspended_until),
        "proof_until": _iso(event.until) if event.action == Action.ASK_PROOF else None,
        "reason": event.reason,
        "decided_at": event.at.isoformat(),
    }
    models.OutboxMessage.objects.create(
        key=uuid5(_KEYS, f"{event.case.account_id}/{event.case.pk}/{event.pk}"),
        event=event,
        kind=f"decision.{event.action}",
        payload=payload,
        created_at=event.at,
        released_at=event.at + held,
        next_attempt_at=event.at + held,
        state=WAITING,
    )


def access_change(before: Access, after: Access) -> str:
    """Name what a receiver has to do with the account's access: one word, or ``unchanged``.

    Examples
    --------
    >>> access_change(Access.FREE, Access.BLOCKED), access_change(Access.BLOCKED, Access.BLOCKED)
    ('block', 'unchanged')
    """
    if after is before and after is not Access.SUSPENDED:
        return "unchanged"
    return {Access.FREE: "restore", Access.SUSPENDED: "suspend", Access.BLOCKED: "block"}[after]


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def withdraw(event_id: int) -> None:
    """Stop the message of a decision that was taken back."""
    models.OutboxMessage.objects.filter(event_id=event_id, state=WAITING).update(state=WITHDRAWN)


def back_off(attempts: int) -> timedelta:
    """Return how long to wait after so many failed attempts: doubling, up to six hours.

    Examples
    --------
    >>> [back_off(n).total_seconds() / 60 for n in (1, 2, 3, 12)]
    [1.0, 2.0, 4.0, 360.0]
    """
    doublings = min(attempts, 20) - 1
    return min(FIRST_BACK_OFF * (1 << doublings), LONGEST_BACK_OFF)


def signature(body: bytes, *, secret: str, at_s: int) -> str:
    """Return the value of the signature header: time of sending and HMAC-SHA256 over both.

    The receiver computes it again with the shared secret over ``<t>.<body>`` and
    refuses one whose time is minutes away, so that a message cannot be replayed.
    """
    signed = f"{at_s}.".encode() + body
    mac = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={mac}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A receiver that sends us elsewhere has not received: what is signed goes where it was set."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


_OPENER = urllib.request.build_opener(_NoRedirect)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where messages go. `secret` is shared with the receiver and never shown."""

    url: str
    secret: str

    def send(self, message: models.OutboxMessage) -> str:
        """Send one message; return what was wrong, in words, or nothing."""
        body = json.dumps(
            {"key": str(message.key), "kind": message.kind, **message.payload}, sort_keys=True
        ).encode()
        request = urllib.request.Request(
            self.url,
            data=body,
            method="POST",
            headers={
                "Content-Type": "application/json",
                "Idempotency-Key": str(message.key),
                "Callsieve-Signature": signature(body, secret=self.secret, at_s=int(time.time())),
            },
        )
        try:
            with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
                return "" if 200 <= answer.status < 300 else f"answered {answer.status}"
        except urllib.error.HTTPError as error:
            return f"answered {error.code}"
        except (OSError, ValueError) as error:
            return f"could not be reached ({type(error).__name__})"


def deliver_due(receiver: Receiver, *, now: datetime) -> int:
    """Send what is due; return how many arrived. Safe to repeat and to run twice at once.

    Messages of one account leave in order: while one waits, later ones wait behind it.
    """
    due = models.OutboxMessage.objects.filter(state=WAITING, next_attempt_at__lte=now)
    arrived = 0
    for pk in list(due.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        arrived += _deliver(pk, receiver, now)
    return arrived


def _deliver(pk: int, receiver: Receiver, now: datetime) -> bool:
    message = _claim(pk, now)
    if message is None:
        return False
    fault = receiver.send(message)
    message.fault = fault
    if not fault:
        message.state = DELIVERED
    elif message.attempts >= ATTEMPTS:
        message.state = DEAD
    message.save(update_fields=["fault", "state"])
    return not fault


@transaction.atomic
def _claim(pk: int, now: datetime) -> models.OutboxMessage | None:
    """Count an attempt and put the next one off, so that nobody else sends it meanwhile."""
    rows = models.OutboxMessage.objects.select_for_update(of=("self",))
    message = rows.select_related("event__case").filter(pk=pk, state=WAITING).first()
    if message is None or message.next_attempt_at > now:
        return None
    earlier = models.OutboxMessage.objects.filter(
        event__case__account_id=message.event.case.account_id, pk__lt=pk, state=WAITING
    )
    if earlier.exists():
        return None
    message.attempts += 1
    message.next_attempt_at = now + back_off(message.attempts)
    message.save(update_fields=["attempts", "next_attempt_at"])
    return message


def resend(pk: int, *, now: datetime) -> bool:
    """Let a dead message be tried again; False where it is not dead."""
    dead = models.OutboxMessage.objects.filter(pk=pk, state=DEAD)
    return bool(dead.update(state=WAITING, attempts=0, next_attempt_at=now))


def decisions_since(since: datetime, *, until: datetime) -> Iterator[Mapping[str, Any]]:
    """Yield what became final in ``[since, until)``, the earliest first, for receivers that ask.

    A decision becomes final when it can no longer be taken back, some minutes after it
    was made, so asking again from the last `until` misses none. Its key is the webhook's.
    """
    rows = models.OutboxMessage.objects.filter(released_at__gte=since, released_at__lt=until)
    for message in rows.exclude(state=WITHDRAWN).order_by("released_at", "pk").iterator():
        yield {"key": str(message.key), "kind": message.kind, **message.payload}
