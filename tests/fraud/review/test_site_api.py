"""The queue over HTTP for other systems: the same rules, within a token's scopes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fraud.review import tokens
from fraud.review.tokens import SCOPES


class Api:
    """A client with a token of a person."""

    def __init__(self, site: Any, name: str, *scopes: str, now: datetime | None = None) -> None:
        from django.contrib.auth.models import User

        user = User.objects.get(username=name)
        made_at = now or datetime.now(tz=UTC)
        self.secret = tokens.make(user, "t", scopes or tuple(SCOPES), now=made_at)
        self.client = site.client()

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api{path}", query, headers=self._headers)

    def post(self, path: str, **body: Any) -> Any:
        return self.client.post(
            f"/api{path}", body, content_type="application/json", headers=self._headers
        )

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secret}"}


def test_a_machine_lives_the_same_morning(site: Any) -> None:
    api = Api(site, "ada")
    listed = api.get("/cases").json()
    assert [one["account_id"] for one in listed["cases"]] == ["acc-1", "acc-2", "acc-9"]
    assert api.get("/cases", band="high").json()["cases"][0]["case_id"] == 1
    assert api.post("/cases/next").json() == {"case_id": 1}
    assert api.get("/cases/1").json()["reviewer"] == "ada"
    refused = api.post("/cases/1/decisions", action="clear", reason="nonsense")
    assert (refused.status_code, refused.json()) == (
        409, {"detail": "choose a reason from the list"},
    )  # fmt: skip
    done = api.post("/cases/1/decisions", action="clear", reason="coincidence")
    assert (done.status_code, done.json()["status"]) == (200, "cleared")
    since = (datetime.now(tz=UTC) - timedelta(hours=1)).isoformat()
    assert api.get("/decisions", since=since).json() == []


def test_evidence_is_masked_and_its_reading_written_down(site: Any) -> None:
    from fraud.review.models import AuditEntry

    answer = Api(site, "ada", "evidence").get("/cases/1/evidence")
    assert answer.json()["account"]["Name"] == "A••• L•••"
    assert "+4930123456" not in answer.content.decode()
    assert AuditEntry.objects.filter(action="see_evidence", by="ada").count() == 1


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("cases", "get", "/cases"),
        ("cases", "get", "/cases/1"),
        ("evidence", "get", "/cases/1/evidence"),
        ("evidence", "get", "/cases/1/evidence/sign_ins_count_7d"),
        ("decide", "post", "/cases/next"),
        ("decisions", "get", "/decisions?since=2026-01-01T00:00:00Z"),
    ],
)
def test_a_token_does_what_its_scopes_say_and_no_more(
    site: Any, scope: str, method: str, path: str
) -> None:
    assert getattr(Api(site, "ada", scope), method)(path).status_code == 200
    others = [one for one in SCOPES if one != scope]
    assert getattr(Api(site, "ada", *others), method)(path).status_code == 403


def test_the_rows_behind_a_number_are_masked_and_their_reading_written_down(site: Any) -> None:
    from fraud.review.models import AuditEntry

    api = Api(site, "ada", "evidence")
    answer = api.get("/cases/1/evidence/short_call_share_7d")
    found = answer.json()
    assert (found["rows_of"], found["value"], len(found["rows"])) == ("calls", 2 / 3, 2)
    assert found["sums"] == "2 of 3 answered calls made of known length: 67 %"
    assert "200001" not in answer.content.decode()
    assert AuditEntry.objects.get(action="see_calls").why == "short_call_share_7d"
    assert api.get("/cases/1/evidence/nothing").status_code == 404
    assert api.get("/cases/1/evidence/short_call_share_7d", skip=-1).status_code == 422


def test_a_token_has_no_more_rights_than_its_person(site: Any) -> None:
    assert Api(site, "ron").post("/cases/next").status_code == 403
    assert Api(site, "root").get("/cases").status_code == 403
    denied = Api(site, "ron").post("/cases/1/decisions", action="take")
    assert (denied.status_code, denied.json()["detail"]) == (409, "your role may not decide cases")


def test_tokens_end(site: Any) -> None:
    old = Api(site, "ada", now=datetime.now(tz=UTC) - timedelta(days=366))
    assert old.get("/cases").status_code == 401
    api = Api(site, "ada")
    assert api.get("/cases").status_code == 200
    from fraud.review.models import ApiToken

    ada = site.client("ada")
    ada.post(f"/me/tokens/{ApiToken.objects.order_by('-pk')[0].pk}/revoke")
    assert api.get("/cases").status_code == 401
    assert site.client("ada").get("/api/cases").status_code == 401  # a session is no token


def test_a_token_is_shown_once_and_kept_as_a_hash(site: Any) -> None:
    from fraud.review.models import ApiToken

    ada = site.client("ada")
    shown = ada.post("/me/tokens", {"name": "crm", "scope": ["cases"]}).context["secret"]
    token = ApiToken.objects.get()
    assert shown.startswith("csv_")
    assert shown not in (token.digest, token.name)
    assert shown not in ada.get("/me").content.decode()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/cases?after=x", 409),
        ("/cases?state=nonsense", 422),
        ("/cases?account=%00", 422),
        ("/cases/999", 404),
        (f"/cases/{2**70}", 404),
        ("/decisions?since=soon", 422),
        ("/decisions?since=2026-01-01T00:00:00", 422),
        ("/decisions?since=0.5", 422),
        ("/decisions?since=9999-12-31T23:59:59-12:00", 422),
        ("/cases/one", 422),
        ("/cases/-1", 404),
        (f"/cases/-{2**70}", 404),
    ],
)
def test_nonsense_is_answered_not_obeyed(site: Any, path: str, status: int) -> None:
    answer = Api(site, "ada").get(path)
    assert answer.status_code == status
    assert "detail" in answer.json()


def test_the_description_names_every_path(site: Any) -> None:
    described = site.client().get("/api/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/cases", "/api/cases/next", "/api/cases/{case_id}", "/api/cases/{case_id}/evidence",
        "/api/cases/{case_id}/evidence/{signal}", "/api/cases/{case_id}/decisions",
        "/api/decisions",
    }  # fmt: skip
