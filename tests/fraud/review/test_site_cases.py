"""A reviewer's morning over HTTP: the queue, a case, decisions, and what is written down."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from review_site import NIGHT

from fraud.features.midnight import features_as_of
from fraud.review import desk
from fraud.review.decisions import UNDO_WITHIN, Action
from fraud.review.queue import decisions_as_labels, decisions_since

TOMORROW = (datetime.now(tz=UTC) + timedelta(days=1)).date().isoformat()


def text_of(answer: Any) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))


def act(client: Any, case_id: int, action: str, **more: str) -> str:
    """Do something and return what the next page says about it."""
    answer = client.post(f"/cases/{case_id}/decide", {"action": action, **more}, follow=True)
    assert answer.status_code == 200
    return " ".join(str(m) for m in answer.context["messages"])


def case_row(case_id: int) -> Any:
    from fraud.review.models import Case

    return Case.objects.get(pk=case_id)


def audit(action: str) -> list[Any]:
    from fraud.review.models import AuditEntry

    return list(AuditEntry.objects.filter(action=action).order_by("pk"))


def test_the_queue_shows_the_most_urgent_first(site: Any) -> None:
    text = text_of(site.client("ada").get("/"))
    places = [text.index(one) for one in ("acc-1", "acc-2", "acc-9")]
    assert places == sorted(places)
    assert "67 % of the answered calls lasted 6 s or less" in text


@pytest.mark.parametrize(
    ("query", "accounts"),
    [
        ("band=high", {"acc-1"}),
        ("plan=pro", {"acc-2", "acc-9"}),
        ("country=DE", {"acc-1", "acc-9"}),
        ("kind=durations", {"acc-1"}),
        ("account=acc-9", {"acc-9"}),
        ("sampled=1", set()),
        ("state=mine", set()),
        ("assigned=nobody", set()),
        ("state=nonsense", {"acc-1", "acc-2", "acc-9"}),
    ],
)
def test_filters_keep_what_they_say(site: Any, query: str, accounts: set[str]) -> None:
    page = site.client("ron").get(f"/?{query}").context["page"]
    assert {row.account_id for row in page.rows} == accounts
    assert page.count == len(accounts)


def test_pages_of_the_queue_follow_each_other_without_gap(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "PAGE", 1)
    client, after, seen = site.client("ron"), "", []
    while after is not None:
        page = client.get("/", {"after": after}).context["page"]
        seen += [row.account_id for row in page.rows]
        after = page.following
    assert seen == ["acc-1", "acc-2", "acc-9"]
    assert client.get("/?after=x")["Location"] == "/"


def test_next_case_gives_each_reviewer_another(site: Any) -> None:
    ada, bob = site.client("ada"), site.client("bob")
    assert ada.post("/next")["Location"] == "/cases/1"
    assert bob.post("/next")["Location"] == "/cases/2"
    assert bob.post("/next", {"country": "DE"})["Location"] == "/cases/3"
    assert bob.post("/next")["Location"] == "/"
    from fraud.review.models import Case

    Case.objects.filter(pk=1).update(locked_until=datetime.now(tz=UTC))
    assert bob.post("/next")["Location"] == "/cases/1"  # ada's lock ran out
    assert "not in your hands" in act(ada, 1, "clear", reason="coincidence")


def test_a_case_page_answers_and_masks(site: Any) -> None:
    client = site.client("ada")
    client.post("/next")
    text = text_of(client.get("/cases/1"))
    for shown in (
        "67 % of the answered calls lasted 6 s or less", "70 %", "A••• L•••", "a•••@mail.example",
        "Blocked acc-8", "Good acc-9", "that nobody else has", "DE", "starter",
        "5 calls made in 30 days", "Sign-up", "Payment", "25.00 EUR",
    ):  # fmt: skip
        assert shown in text, shown
    body = client.get("/cases/1").content.decode()
    for hidden in ("Lovelace", "ada@mail", "+4930123456", "Main Road", "192.0.2.7", "dev-111222333",
                   "card-485018880940"):  # fmt: skip
        assert hidden not in body, hidden
    assert [e.by for e in audit("see_case")] == ["ada"] * 2


def test_revealing_asks_why_and_is_written_down(site: Any) -> None:
    client = site.client("ada")
    client.post("/cases/1/reveal", {"why": ""})
    assert "Lovelace" not in text_of(client.get("/cases/1"))
    client.post("/cases/1/reveal", {"why": "compare with the document"})
    text = text_of(client.get("/cases/1"))
    assert "Ada Lovelace" in text
    assert "192.0.2.7" in text
    assert "Mallory" in text
    assert [(e.by, e.account_id, e.why) for e in audit("reveal")] == [
        ("ada", "acc-1", "compare with the document")
    ]
    assert "Lovelace" not in text_of(site.client("bob").get("/cases/1"))
    assert "Lovelace" not in text_of(client.get("/cases/3"))


def test_the_calls_behind_a_number_are_as_many_as_sql_counts(site: Any) -> None:
    client = site.client("ada")
    con = site.lake.connect("fraud")
    short = con.execute(
        "SELECT count(*) FROM calls WHERE account_id = 'acc-1' AND duration_ms <= 6000"
        " AND call_date >= DATE '2026-02-23' AND call_date < DATE '2026-03-02'"
    ).fetchone()
    text = text_of(client.get("/cases/1/calls/short_call_share_7d"))
    assert short == (2,)
    assert "2 answered calls made of 6 s at most in the last 7 days" in text
    assert "4 calls made in the last 7 days" in text_of(
        client.get("/cases/1/calls/outbound_calls_count_7d")
    )
    abroad = text_of(client.get("/cases/1/calls/abroad_share_7d"))
    assert "1 calls made to other countries" in abroad
    assert "1 of 4 calls made to a known country: 25 %" in abroad
    assert "030200001" not in text
    assert client.get("/cases/1/calls/sign_ins_count_7d").status_code == 404
    assert audit("see_calls")[0].why == "short_call_share_7d"


def test_a_decision_is_in_trail_audit_outbox_and_labels(site: Any) -> None:
    ada = site.client("ada")
    ada.post("/next")
    ada.get("/cases/1")
    assert "Cleared" in act(ada, 1, "clear", reason="known_customer", note="met them")
    row = case_row(1)
    assert (row.status, row.reviewer) == ("cleared", "ada")
    event = row.events.order_by("pk").last()
    assert (event.action, event.reason, event.note) == ("clear", "known_customer", "met them")
    assert 0 <= event.looked_s < 60
    (entry,) = audit("clear")
    assert (entry.before["status"], entry.after["status"]) == ("taken", "cleared")
    assert entry.why == "known_customer: met them"
    now = datetime.now(tz=UTC)
    assert decisions_since(site.home, now - timedelta(hours=1), until=now) == []  # may be undone
    later = now + UNDO_WITHIN
    (sent,) = decisions_since(site.home, now - timedelta(hours=1), until=later)
    assert (sent["account_id"], sent["decision"], sent["access"]) == ("acc-1", "clear", "unchanged")
    labels = decisions_as_labels(site.home, before=later)
    assert labels.select("account_id", "label").rows() == [("acc-1", 0)]


def test_what_was_decided_is_taken_back_with_its_message(site: Any) -> None:
    ada = site.client("ada")
    ada.post("/next")
    act(ada, 1, "clear", reason="coincidence")
    assert "Taken back" in act(ada, 1, "undo")
    assert (case_row(1).status, case_row(1).reviewer) == ("taken", "ada")
    later = datetime.now(tz=UTC) + timedelta(days=1)
    assert decisions_since(site.home, later - timedelta(days=2), until=later) == []
    assert "cannot be taken back" in act(ada, 1, "undo")


def test_permanent_suspension_takes_two(site: Any) -> None:
    ada, bob, lea = site.client("ada"), site.client("bob"), site.client("lea")
    ada.post("/next")
    act(ada, 1, "propose_block", reason="like_blocked")
    assert "role may not" in act(bob, 1, "confirm_block", reason="checked")
    assert "for good" in act(lea, 1, "confirm_block", reason="checked")
    assert (case_row(1).status, case_row(1).access) == ("confirmed", "blocked")
    now = datetime.now(tz=UTC)
    (sent,) = decisions_since(site.home, now - timedelta(hours=1), until=now)
    assert (sent["decision"], sent["access"]) == ("confirm_block", "block")
    dora = site.client("dora")
    assert "somebody else will look" in act(dora, 1, "contest", reason="letter")
    for first in (ada, lea):
        assert "somebody else has to" in act(first, 1, "take")
    assert bob.post("/next")["Location"] == "/cases/1"
    assert ada.post("/next")["Location"] == "/cases/2"


def test_how_long_a_second_person_looked_counts_from_the_proposal(site: Any) -> None:
    ada, lea = site.client("ada"), site.client("lea")
    lea.get("/cases/1")  # before it was proposed: not what is confirmed
    ada.post("/next")
    act(ada, 1, "propose_block", reason="like_blocked")
    begun = datetime.now(tz=UTC)
    lea.get("/cases/1")
    lea.post("/cases/1/decide", {"action": "confirm_block", "reason": "checked"})
    looked = case_row(1).events.get(action="confirm_block").looked_s
    assert 0 <= looked <= (datetime.now(tz=UTC) - begun).total_seconds()


def test_a_lead_does_not_confirm_the_own_proposal(site: Any) -> None:
    lea = site.client("lea")
    lea.post("/next")
    act(lea, 1, "propose_block", reason="like_blocked")
    assert "second person" in act(lea, 1, "confirm_block", reason="checked")
    assert case_row(1).status == "proposed"


def test_asleep_until_the_date_then_back(site: Any) -> None:
    ada = site.client("ada")
    ada.post("/next")
    act(ada, 1, "ask_proof", reason="identity", until=TOMORROW)
    row = case_row(1)
    assert (row.status, row.wake_at.date().isoformat() > TOMORROW) == ("waiting", True)
    assert "acc-1" not in text_of(ada.get("/"))
    assert "acc-1" in text_of(ada.get("/?state=asleep"))
    assert desk.wake_due(row.wake_at - timedelta(seconds=1)) == 0
    assert desk.wake_due(row.wake_at) == 1
    assert desk.wake_due(row.wake_at) == 0
    assert case_row(1).status == "open"


def test_a_suspension_ends_by_itself_and_says_so(site: Any) -> None:
    ada = site.client("ada")
    ada.post("/next")
    act(ada, 1, "suspend", reason="cost_at_risk", until=TOMORROW)
    row = case_row(1)
    assert (row.status, row.access) == ("suspended", "suspended")
    assert desk.wake_due(row.suspended_until) == 1
    now = datetime.now(tz=UTC)
    sent = decisions_since(site.home, now - timedelta(days=1), until=now + timedelta(days=5))
    assert [(one["decision"], one["access"]) for one in sent] == [
        ("suspend", "suspend"), ("end_suspension", "restore"),
    ]  # fmt: skip
    assert (case_row(1).status, case_row(1).access) == ("open", "free")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        pytest.param({"action": "clear"}, "choose a reason", id="no-reason"),
        pytest.param({"action": "suspend", "reason": "other"}, "say in the text", id="no-text"),
        pytest.param({"action": "snooze", "reason": "more_calls"}, "date in the future", id="date"),
        pytest.param({"action": "snooze", "until": "soon"}, "no such action or date", id="no-date"),
        pytest.param({"action": "drop table"}, "no such action or date", id="no-action"),
        pytest.param({"action": "wake"}, "no such action for a person", id="not-for-people"),
    ],
)
def test_a_decision_that_lacks_something_changes_nothing(
    site: Any, form: dict[str, str], said: str
) -> None:
    ada = site.client("ada")
    ada.post("/next")
    assert said in act(ada, 1, **form)
    assert case_row(1).status == "taken"


def test_several_are_cleared_at_once_but_never_suspended(site: Any) -> None:
    ada, bob = site.client("ada"), site.client("bob")
    bob.post("/next")  # case 1 is bob's
    form = {"case": ["1", "2", "3", "999", "x"], "reason": "coincidence"}
    answer = ada.post("/clear", form, follow=True)
    assert "2 cleared, 2 left alone" in text_of(answer)
    assert [case_row(pk).status for pk in (1, 2, 3)] == ["taken", "cleared", "cleared"]
    assert len(audit("clear")) == 2
    form = {"case": ["1"], "reason": "like_blocked", "action": "suspend"}
    assert "Choose a reason" in text_of(ada.post("/clear", form, follow=True))


def test_views_are_kept_and_forgotten(site: Any) -> None:
    ada = site.client("ada")
    ada.post("/views", {"name": "French", "country": "FR", "state": "todo"})
    page = ada.get("/")
    assert "French" in text_of(page)
    (view,) = page.context["views"]
    assert view.query == "state=todo&country=FR"
    assert site.client("bob").post(f"/views/{view.pk}/remove").status_code == 404
    ada.post(f"/views/{view.pk}/remove")
    assert "French" not in text_of(ada.get("/"))


@pytest.mark.parametrize("address", ["/", "/?state=all&band=", "/cases/2", "/team", "/audit?by="])
def test_what_fraudsters_wrote_is_shown_and_does_nothing(site: Any, address: str) -> None:
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    lea, dora = site.client("lea"), site.client("dora")
    act(lea, 2, "take")
    act(lea, 2, "note", note=hostile + "\u202e")
    lea.post("/cases/2/reveal", {"why": hostile})
    lea.post("/views", {"name": hostile, "account": hostile})
    client = dora if address.startswith("/audit") else lea
    body = client.get(address).content.decode()
    for raw in ("<script>alert", "<img src=x", "\u202e"):
        assert raw not in body
    for field in ("account", "band", "kind", "plan", "country", "assigned", "after", "by"):
        answer = client.get(address.split("?")[0], {field: hostile + "\x00"}, follow=True)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.content.decode()


def test_leads_see_the_signs_that_review_is_real(site: Any) -> None:
    ada, lea = site.client("ada"), site.client("lea")
    ada.post("/next")
    ada.get("/cases/1")
    act(ada, 1, "clear", reason="coincidence")
    figures = lea.get("/team").context["figures"]
    assert (figures.open_count, figures.late) == (2, 2)
    assert figures.override_share == 1.0  # a high one was cleared
    (person,) = figures.people
    assert (person.name, person.decisions, person.against_score, person.hasty) == ("ada", 1, 1, 1)
    high = figures.bands[0]
    assert (high.band, high.decided, high.confirmed) == ("high", 1, 0)
    assert figures.missed.share is None
    act(ada, 1, "undo")
    assert lea.get("/team").context["figures"].people == []


def test_the_audit_says_who_looked_at_whom(site: Any) -> None:
    site.client("ada").get("/cases/1")
    site.client("bob").get("/cases/3")
    dora = site.client("dora")
    assert [e.by for e in dora.get("/audit?account=acc-1").context["entries"]] == ["ada"]
    assert [e.account_id for e in dora.get("/audit?by=bob").context["entries"]] == ["acc-9"]


def test_a_lake_that_refuses_costs_the_pictures_not_the_page(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cdr.errors import QueryFailed
    from fraud.review.account import AccountReader

    def refuse(*args: object, **kwargs: object) -> None:
        raise QueryFailed("account_details", "IOException")

    monkeypatch.setattr(AccountReader, "of_case", refuse)
    text = text_of(site.client("ada").get("/cases/1"))
    assert "67 % of the answered calls" in text
    assert "IOException" in text


def test_no_action_is_without_words() -> None:
    from fraud.review.web.views_case import _said

    assert all(_said(action) for action in Action)


def test_behaviour_stands_beside_the_nearest_accounts(site: Any) -> None:
    page = site.client("ada").get("/cases/1").context["page"]
    lines = {what: (own, cells) for what, own, cells in page.similar.behaviour}
    # acc-8 was blocked and made no calls; acc-9 made one
    assert lines["Outbound calls, 7 days"] == ("4", [("", "not known"), ("1", "differs")])


def test_what_comes_back_by_itself_is_due_anew(site: Any) -> None:
    from fraud.review.models import Case

    client = site.client("ada")
    client.post("/next")
    until = (datetime.now(tz=UTC) + timedelta(days=3)).date().isoformat()
    snooze = {"action": "snooze", "reason": "more_calls", "until": until}
    client.post("/cases/1/decide", snooze)
    woken_at = datetime.now(tz=UTC) + timedelta(days=5)
    assert desk.wake_due(woken_at) == 1
    assert Case.objects.get(pk=1).due_at == woken_at + timedelta(hours=24)


def test_a_search_for_an_account_is_written_down(site: Any) -> None:
    from fraud.review.models import AuditEntry

    site.client("ada").get("/?account=acc-9")
    found = AuditEntry.objects.get(action="search")
    assert (found.by, found.account_id) == ("ada", "acc-9")


def test_the_events_behind_a_number_are_as_many_as_the_signal_counts(site: Any) -> None:
    ada = site.client("ada")
    measured = features_as_of(
        site.lake.connect_raw("fraud"),
        as_of=datetime(NIGHT.year, NIGHT.month, NIGHT.day, tzinfo=UTC),
        accounts=["acc-1"],
    ).row(0, named=True)
    for signal in ("sign_ins_count_30d", "payments_count_30d"):
        shown = ada.get(f"/cases/1/events/{signal}").context["page"].rows
        assert len(shown) == measured[signal] == 1
    assert ada.get("/cases/1/events/sign_ins_count_7d").context["page"].rows == []
    body = ada.get("/cases/1/events/sign_ins_count_30d").content.decode()
    assert "192.0.•••" in body
    assert "192.0.2.7" not in body
    assert ada.get("/cases/1/events/outbound_calls_count_7d").status_code == 404


def test_ties_to_blocked_accounts_are_listed_by_code(site: Any) -> None:
    page = site.client("ada").get("/cases/1/ties/blocked_by_calls_count_30d").context["page"]
    assert page.heading.startswith("1 ties by a number called, calling or held")
    (row,) = page.rows
    blocked_id, hop, through, code = (text for text, _ in row)
    assert (blocked_id, hop, through) == ("acc-8", "itself", "number called")
    assert "200002" not in code


def test_a_number_that_is_another_now_says_what_the_case_said(site: Any) -> None:
    text = text_of(site.client("ada").get("/cases/3/calls/outbound_calls_count_30d"))
    assert "1 calls made" in text
    assert "The case said 9" in text
    same = text_of(site.client("ada").get("/cases/1/calls/outbound_calls_count_7d"))
    assert "The case said" not in same


def test_what_is_shared_with_a_blocked_account_is_weighed_step_by_step(site: Any) -> None:
    answer = site.client("ada").get("/cases/1")
    steps = answer.context["page"].waterfall
    assert {step.blocked_id for step in steps} == {"acc-8"}
    assert any("device" in step.words for step in steps)
    assert steps[-1].total == pytest.approx(sum(step.bits for step in steps))
    assert "Shared with blocked accounts" in answer.content.decode()
