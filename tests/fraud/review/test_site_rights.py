"""Who is let in, where, and what every answer carries."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha1
from typing import Any

import pytest

from cdr.errors import WrongUse
from fraud.review.queue import new_password, new_person
from fraud.review.rights import Right, Role, may
from fraud.review.web.gate import HALF, OPEN, PACE, Paces

PASSWORD = "only-for-these-tests-7"
ROLES = {
    "ada": Role.REVIEWER, "lea": Role.LEAD, "dora": Role.DPO, "root": Role.ADMINISTRATOR,
    "ron": Role.READ_ONLY,
}  # fmt: skip
ARGUMENTS: dict[str, Any] = {
    "case_id": 1, "rows": "events", "signal": "sign_ins_count_7d", "view_id": 1, "message_id": 1,
    "user_id": 1, "token_id": 1, "request_id": "0" * 32,
}  # fmt: skip
POSTS = {
    "next", "save-view", "remove-view", "clear-several", "decide", "reveal", "resend",
    "make-token", "revoke-token", "sign-out", "decide-request",
}  # fmt: skip


def pages() -> list[tuple[str, str, Any]]:
    """Return name, address and right of every page there is, the API's left out."""
    from django.urls import URLPattern, reverse

    from fraud.review.web.urls import urlpatterns

    found = []
    for pattern in urlpatterns:
        if isinstance(pattern, URLPattern):
            name = str(pattern.name)
            wanted = {k: ARGUMENTS[k] for k in pattern.pattern.converters}
            found.append((name, reverse(name, kwargs=wanted), pattern.callback.right))
    return found


@pytest.mark.parametrize(("who", "role"), list(ROLES.items()))
def test_every_page_opens_for_its_roles_and_for_no_other(site: Any, who: str, role: Role) -> None:
    assert len(pages()) == 29
    reader = site.client(who)
    for name, address, right in pages():
        answer = site.client(who).post(address) if name in POSTS else reader.get(address)
        allowed = right in {OPEN, HALF} or may(role, right)
        assert (answer.status_code != 403) == allowed, name
        assert answer.status_code < 500, name


def test_every_page_is_closed_to_who_is_not_signed_in(site: Any) -> None:
    client = site.client()
    for name, address, right in pages():
        answer = client.post(address) if name in POSTS else client.get(address)
        if right != OPEN:
            assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/sign-in"), name


def test_a_view_that_says_nothing_of_rights_is_shown_to_nobody(site: Any) -> None:
    from django.core.exceptions import PermissionDenied
    from django.test import RequestFactory

    from fraud.review.web.gate import gate

    request = RequestFactory().get("/")
    client = site.client("lea")
    request.user = client.get("/").wsgi_request.user
    with pytest.raises(PermissionDenied):
        gate(lambda _: None).process_view(request, lambda _: None, (), {})  # type: ignore[arg-type,return-value]


def test_every_answer_forbids_what_is_not_ours(site: Any) -> None:
    for answer in (
        site.client("ada").get("/"),
        site.client().get("/sign-in"),
        site.client().get("/nowhere"),
        site.client("ron").post("/next"),
        site.client().get("/static/review/keys.js"),
    ):
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer["X-Content-Type-Options"] == "nosniff"
        answer.close()


def test_pages_hold_no_script_and_no_style_of_their_own(site: Any) -> None:
    client = site.client("ada")
    client.post("/next")
    for address in ("/", "/cases/1", "/keys", "/me", "/sign-in"):
        text = client.get(address).content.decode()
        scripts = re.findall(r"<script([^>]*)>", text)
        assert all('src="/static/' in s or 'type="application/json"' in s for s in scripts)
        assert not re.search(r"<style|<[^>]*\s(?:style|on\w+)=", text)


def sign_in(client: Any, name: str, password: str) -> Any:
    return client.post("/sign-in", {"username": name, "password": password})


def test_signing_in_and_out(site: Any) -> None:
    client = site.client()
    assert "not right" in sign_in(client, "ada", "wrong").content.decode()
    answer = sign_in(client, "ada", PASSWORD)
    assert (answer.status_code, answer["Location"]) == (302, "/home")
    assert client.get("/home")["Location"] == "/"  # a reviewer's first page is the queue
    cookie = answer.cookies["callsieve_session"]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Strict")
    assert client.get("/").status_code == 200
    client.post("/sign-out")
    assert client.get("/").status_code == 302


def test_five_wrong_passwords_lock_the_way_in(site: Any) -> None:
    client = site.client()
    for _ in range(5):
        last = sign_in(client, "ada", "wrong")
    assert last.status_code == 429
    assert "locked" in last.content.decode()
    assert sign_in(client, "ada", PASSWORD).status_code == 429
    new_password(site.home, "ada", PASSWORD + "x", by="test", now=datetime.now(tz=UTC))
    assert sign_in(client, "ada", PASSWORD + "x").status_code == 302


def test_a_session_ends_by_itself(site: Any) -> None:
    from django.contrib.sessions.models import Session

    client = site.client("ada")
    assert client.get("/").status_code == 200
    Session.objects.update(expire_date=datetime.now(tz=UTC) - timedelta(seconds=1))
    assert client.get("/").status_code == 302


def test_a_person_who_is_no_longer_active_is_out_at_once(site: Any) -> None:
    from django.contrib.auth.models import User

    client = site.client("ada")
    User.objects.filter(username="ada").update(is_active=False)
    assert client.get("/").status_code == 302


def test_a_form_without_its_token_does_nothing(site: Any) -> None:
    client = site.client("ada")
    client.handler.enforce_csrf_checks = True
    assert client.post("/next").status_code == 403


@pytest.mark.parametrize(
    ("password", "said"),
    [
        pytest.param("short7chars", "too short", id="short"),
        pytest.param("qwerty123456", "too common", id="breached"),
        pytest.param("123456789012345", "entirely numeric", id="digits"),
        pytest.param("eve-the-reviewer", "too similar", id="like-the-name"),
        pytest.param("", "too short", id="empty"),
        pytest.param("P@ssw0rd2026!", "too easy to guess: This is similar", id="known-with-a-year"),
        pytest.param("Summer2026!!", "too easy to guess", id="season-with-a-year"),
        pytest.param("Callsieve-2026!", "too easy to guess", id="name-of-the-house"),
        pytest.param("aZ9$kq" * 40, "too easy to guess", id="repeated-and-long"),
    ],
)
def test_bad_passwords_are_refused(site: Any, password: str, said: str) -> None:
    with pytest.raises(WrongUse, match=said) as refused:
        new_person(
            site.home, "eve-the-reviewer", password, role=Role.LEAD, by="t", now=datetime.now(UTC)
        )
    assert not password or password not in str(refused.value) or said == "too similar"


def test_a_password_on_the_operators_list_of_breached_ones_is_refused(site: Any) -> None:
    password = "quiet-otter-mends-11-ladders"
    list_of = site.home / "breached-passwords.txt"
    add = partial(
        new_person, site.home, "eve", role=Role.LEAD, by="t", now=datetime.now(UTC)
    )  # fmt: skip
    list_of.write_bytes(b"no list of hashes\n")
    with pytest.raises(WrongUse, match="is not a list of SHA-1 hashes"):
        add(password)
    list_of.write_text(f"{sha1(password.encode()).hexdigest().upper()}:3\n")
    with pytest.raises(WrongUse, match="known from a breach"):
        add(password)
    add("another-otter-mends-12-ladders")


def test_passwords_are_kept_by_argon2_and_nobody_is_there_by_default(
    tmp_path: Any, site: Any
) -> None:
    from django.contrib.auth.models import User
    from django.test import override_settings

    from fraud.review import settings
    from fraud.review.database import queue_database

    with override_settings(PASSWORD_HASHERS=settings.PASSWORD_HASHERS):
        new_person(site.home, "eve", PASSWORD, role=Role.LEAD, by="t", now=datetime.now(UTC))
        kept = User.objects.get(username="eve").password
    assert kept.startswith("argon2$argon2id$v=19$m=102400,t=2,p=8$")  # Django's own costs

    with queue_database(tmp_path / "fresh"):
        assert User.objects.count() == 0


def test_a_required_second_factor_is_set_up_and_asked_for(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_otp.oath import totp
    from django_otp.plugins.otp_totp.models import TOTPDevice

    from fraud.review.models import Staff

    Staff.objects.filter(user__username="ada").update(second_factor_required=True)
    client = site.client("ada")
    assert client.get("/cases/1")["Location"] == "/second-factor"
    assert client.get("/second-factor")["Location"] == "/second-factor/set-up"
    assert "secret below" in client.get("/second-factor/set-up").content.decode()
    device = TOTPDevice.objects.get(user__username="ada")
    assert client.post("/second-factor/set-up", {"code": "000000"}).status_code == 200
    TOTPDevice.objects.update(throttling_failure_count=0)
    code = totp(device.bin_key)
    assert client.post("/second-factor/set-up", {"code": f"{code:06}"})["Location"] == "/"
    assert client.get("/").status_code == 200

    again = site.client("ada")
    assert again.get("/")["Location"] == "/second-factor"
    assert again.post("/next")["Location"] == "/second-factor"
    assert again.get("/second-factor/set-up")["Location"] == "/second-factor"  # not replaced
    assert again.post("/second-factor", {"code": f"{code:06}"}).status_code == 200  # used before
    TOTPDevice.objects.update(throttling_failure_count=0, last_t=-1)
    fresh = totp(TOTPDevice.objects.get().bin_key)
    assert again.post("/second-factor", {"code": f"{fresh:06}"})["Location"] == "/"
    assert again.get("/").status_code == 200


def test_a_scope_hides_cases_of_other_countries(site: Any) -> None:
    from fraud.review.models import Staff

    Staff.objects.filter(user__username="ada").update(countries=["FR"])
    client = site.client("ada")
    text = client.get("/?state=all").content.decode()
    assert "acc-2" in text
    assert "acc-1" not in text
    assert client.get("/cases/1").status_code == 404
    assert client.post("/cases/1/decide", {"action": "take"}).status_code == 404
    assert client.post("/next")["Location"] == "/cases/2"


def test_who_comes_too_fast_waits() -> None:
    paces = Paces()
    assert all(paces.allow("u1", 0.0) for _ in range(PACE))
    assert not paces.allow("u1", 1.0)
    assert paces.allow("u2", 1.0)
    assert paces.allow("u1", 61.1)


def test_administrators_manage_people_but_not_themselves(site: Any) -> None:
    from django.contrib.auth.models import User

    from fraud.review.models import AuditEntry, Staff

    client = site.client("root")
    form = {"name": "eve", "password": "brief-candle-88", "role": "reviewer", "countries": "de, fr",
            "active": "on"}  # fmt: skip
    assert client.post("/people/add", form)["Location"] == "/people"
    eve = Staff.objects.get(user__username="eve")
    assert (eve.role, eve.countries) == ("reviewer", ["DE", "FR"])
    change = {"role": "lead", "active": "on", "second_factor_required": "on"}
    client.post(f"/people/{eve.user.pk}", change)
    eve.refresh_from_db()
    assert (eve.role, eve.countries, eve.second_factor_required) == ("lead", [], True)
    entry = AuditEntry.objects.order_by("pk").last()
    assert entry is not None
    assert (entry.by, entry.action, entry.why) == ("root", "change_person", "eve")
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["role"], entry.after["role"]) == ("reviewer", "lead")
    own = User.objects.get(username="root").pk
    client.post(f"/people/{own}", {"role": "lead"})
    assert Staff.objects.get(user_id=str(own)).role == "administrator"


@pytest.mark.parametrize("right", list(Right))
def test_every_right_belongs_to_somebody(right: Right) -> None:
    assert any(may(role, right) for role in Role)
