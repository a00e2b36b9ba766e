"""Decisions on their way out: signed, once, in order, until they arrive."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from threading import Thread
from typing import Any

import pytest

from fraud.review import desk, outbox
from fraud.review.decisions import Action, Wish
from fraud.review.outbox import ATTEMPTS, Receiver, back_off, deliver_due, signature
from fraud.review.rights import Role

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECRET = "shared"


class Endpoint:
    """A receiver on this machine that keeps what it gets and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.got.append((dict(self.headers), body))
                self.send_response(endpoint.status)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def receiver(self) -> Receiver:
        return Receiver(f"http://127.0.0.1:{self.server.server_port}/hook", SECRET)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


def staff(name: str) -> Any:
    from fraud.review.models import Staff

    return Staff.objects.get(user__username=name)


def suspend(site: Any, *, days: int = 3, at: datetime = NOW) -> None:
    """Let ada suspend the account of case 1."""
    ada = staff("ada")
    desk.act(1, ada, Wish(Action.TAKE, "ada", Role.REVIEWER, at))
    until = at + timedelta(days=days)
    wish = Wish(Action.SUSPEND, "ada", Role.REVIEWER, at, "cost_at_risk", "", until)
    desk.act(1, ada, wish)


def messages() -> list[Any]:
    from fraud.review.models import OutboxMessage

    return list(OutboxMessage.objects.order_by("pk"))


def test_a_suspension_arrives_once_and_signed(site: Any, endpoint: Endpoint) -> None:
    suspend(site)
    assert deliver_due(endpoint.receiver, now=NOW) == 1
    assert deliver_due(endpoint.receiver, now=NOW + timedelta(days=1)) == 0
    ((headers, body),) = endpoint.got
    sent = json.loads(body)
    assert (sent["account_id"], sent["access"], sent["decision"]) == ("acc-1", "suspend", "suspend")
    assert sent["access_until"] == "2026-03-05T09:00:00+00:00"
    assert headers["Idempotency-Key"] == sent["key"] == str(messages()[0].key)
    at_s, mac = (part.split("=")[1] for part in headers["Callsieve-Signature"].split(","))
    wanted = hmac.new(SECRET.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(mac, wanted)
    assert signature(body + b" ", secret=SECRET, at_s=int(at_s)).split("v1=")[1] != mac


def test_what_fails_is_tried_again_with_the_same_key_then_given_up(
    site: Any, endpoint: Endpoint
) -> None:
    suspend(site)
    endpoint.status, now = 503, NOW
    for attempt in range(1, ATTEMPTS + 1):
        assert deliver_due(endpoint.receiver, now=now) == 0
        assert deliver_due(endpoint.receiver, now=now) == 0  # not before its time
        assert len(endpoint.got) == attempt
        now += back_off(attempt)
    (message,) = messages()
    assert (message.state, message.fault, message.attempts) == ("dead", "answered 503", ATTEMPTS)
    assert len({headers["Idempotency-Key"] for headers, _ in endpoint.got}) == 1
    assert deliver_due(endpoint.receiver, now=now + timedelta(days=9)) == 0
    root = site.client("root")
    assert "dead letter" in root.get("/outbox").content.decode()
    endpoint.status = 200
    root.post(f"/outbox/{message.pk}/resend")
    assert deliver_due(endpoint.receiver, now=datetime.now(tz=UTC) + timedelta(minutes=1)) == 1
    assert messages()[0].state == "delivered"


def test_a_receiver_that_is_not_there_is_a_fault_not_an_error(site: Any) -> None:
    suspend(site)
    assert deliver_due(Receiver("http://127.0.0.1:9/", SECRET), now=NOW) == 0
    assert messages()[0].fault.startswith("could not be reached (")


def test_messages_of_an_account_arrive_in_order(site: Any, endpoint: Endpoint) -> None:
    suspend(site, days=1)
    desk.wake_due(NOW + timedelta(days=1))
    endpoint.status = 500
    later = NOW + timedelta(days=1)
    deliver_due(endpoint.receiver, now=later)
    assert [json.loads(body)["access"] for _, body in endpoint.got] == ["suspend"]
    endpoint.status = 200
    assert deliver_due(endpoint.receiver, now=later + timedelta(hours=1)) == 2
    assert [json.loads(body)["access"] for _, body in endpoint.got[1:]] == ["suspend", "restore"]


def test_what_can_be_taken_back_waits_until_it_cannot(site: Any, endpoint: Endpoint) -> None:
    ada = staff("ada")
    desk.act(1, ada, Wish(Action.TAKE, "ada", Role.REVIEWER, NOW))
    desk.act(1, ada, Wish(Action.CLEAR, "ada", Role.REVIEWER, NOW, "coincidence"))
    assert deliver_due(endpoint.receiver, now=NOW + timedelta(minutes=9)) == 0
    assert deliver_due(endpoint.receiver, now=NOW + timedelta(minutes=10)) == 1


def test_asking_again_from_the_last_answer_misses_nothing(site: Any) -> None:
    suspend(site)
    ada = staff("ada")
    desk.act(2, ada, Wish(Action.TAKE, "ada", Role.REVIEWER, NOW))
    desk.act(2, ada, Wish(Action.CLEAR, "ada", Role.REVIEWER, NOW, "coincidence"))
    polls = [NOW + timedelta(minutes=5 * n) for n in range(-1, 5)]
    seen = [
        one["decision"]
        for since, until in pairwise(polls)
        for one in outbox.decisions_since(since, until=until)
    ]
    assert seen == ["suspend", "clear"]


def test_what_failed_leaves_no_message(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(desk, "note_action", fail)
    with pytest.raises(RuntimeError):
        suspend(site)
    from fraud.review.models import Case

    assert messages() == []
    assert Case.objects.get(pk=1).status == "open"
