"""The queue over HTTP: cases, evidence, decisions, with the rules of the pages.

A token acts as the person who made it, within that person's rights and scope and
within its own scopes. The description is at ``/api/openapi.json``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Field, NinjaAPI, Query, Schema
from ninja.security import HttpBearer
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from cdr.errors import CdrError
from fraud.errors import AlreadyOpen, NoSuchCase, Refused
from fraud.review import desk, outbox, tokens
from fraud.review.audit import note_action
from fraud.review.decisions import Action, Wish
from fraud.review.models import Staff
from fraud.review.rights import Right, Role
from fraud.review.rows_behind import behind, signals_by_name
from fraud.review.store import as_candidate
from fraud.review.web.behind_page import behind_page
from fraud.review.web.case_page import case_page
from fraud.review.web.gate import OPEN
from fraud.review.web.reader import reader
from fraud.review.web.shown import now

Text = Field(default="", max_length=200, pattern=r"^[^\x00]*$")
MANY = 1000
Skip = Annotated[int, Query(ge=0, lt=10**9)]


def _no_number(given: object) -> object:
    """Refuse what pydantic would read as seconds since 1970."""
    try:
        float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return given
    raise ValueError("give an instant such as 2026-12-01T00:00:00Z, not a number")


def _in_utc(given: datetime) -> datetime:
    try:
        return given.astimezone(UTC)
    except OverflowError:
        raise ValueError("this instant is outside of the years 1 to 9999 in UTC") from None


Instant = Annotated[AwareDatetime, BeforeValidator(_no_number), AfterValidator(_in_utc)]
"""ISO 8601 with an offset."""


class Bearer(HttpBearer):
    """A token in the header ``Authorization: Bearer …``."""

    def authenticate(self, request: HttpRequest, token: str) -> Staff | None:
        """Return who the token acts as."""
        found = tokens.find(token, now=now())
        staff = getattr(found.user, "staff", None) if found else None
        if found is None or staff is None:
            return None
        request.scopes = frozenset(found.scopes)  # type: ignore[attr-defined]
        return staff  # type: ignore[no-any-return]


class Forbidden(Exception):
    """The token or the person has no right to that."""


class Fault(Schema):
    """What was wrong, in words."""

    detail: str


class CaseOut(Schema):
    """A case as the queue shows it."""

    case_id: int = Field(alias="pk")
    account_id: str
    status: str
    band: str
    score: float | None
    kind: str
    country: str
    plan: str
    money_at_risk_usd: Decimal | None
    reasons: list[str] = Field(alias="summary")
    reviewer: str | None
    opened_at: datetime
    due_at: datetime
    wake_at: datetime | None
    access: str
    suspended_until: datetime | None
    escalated: bool
    sampled: bool


class CasesOut(Schema):
    """One page of cases; `after` asks for the following one, null at the end."""

    cases: list[CaseOut]
    after: str | None


class CasesIn(Schema):
    """Which cases."""

    state: Literal["todo", "mine", "free", "late", "second", "asleep", "decided", "all"] = "todo"
    band: str = Text
    kind: str = Text
    plan: str = Text
    country: str = Text
    assigned: str = Text
    account: str = Text
    sampled: bool = False
    after: str = Text


class DecisionIn(Schema):
    """What to do with a case; reasons and dates as on its page."""

    action: Literal[
        "take", "release", "clear", "ask_proof", "suspend", "propose_block", "confirm_block",
        "reject_block", "escalate", "snooze", "note", "undo", "contest",
    ]  # fmt: skip
    reason: str = Text
    note: str = Field(default="", max_length=4000, pattern=r"^[^\x00]*$")
    until: Instant | None = None


class BehindOut(Schema):
    """Rows behind a number, as its page shows them; `following` asks for the next ones."""

    rows_of: Literal["calls", "events", "texts", "numbers", "ties"]
    says: str
    sums: str
    value: float | None
    columns: list[str]
    rows: list[list[str]]
    following: int | None


class NextOut(Schema):
    """The case that was taken; null where none is free."""

    case_id: int | None


def _asks(request: HttpRequest, scope: str, right: Right) -> Staff:
    staff: Staff = request.auth  # type: ignore[attr-defined]
    if scope not in request.scopes or not staff.may(right):  # type: ignore[attr-defined]
        raise Forbidden
    return staff


api = NinjaAPI(
    title="Callsieve review queue",
    version="1",
    description="Cases, evidence and decisions. Instants are ISO 8601 with an offset.",
    auth=Bearer(),
    docs_url=None,
    urls_namespace="api",
)

_FAULTS: dict[int, Any] = {
    400: Fault, 401: Fault, 403: Fault, 404: Fault, 409: Fault, 422: Any, 429: Fault,
}  # fmt: skip


@api.exception_handler(Forbidden)
def _forbidden(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": "the token may not do that"}, status=403)


@api.exception_handler(NoSuchCase)
def _missing(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=404)


@api.exception_handler(Refused)
@api.exception_handler(AlreadyOpen)
def _refused(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=409)


@api.exception_handler(CdrError)
def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=503)


@api.get("/cases", response={200: CasesOut, **_FAULTS})
def list_cases(request: HttpRequest, wanted: Query[CasesIn]) -> Any:
    """List cases, the most urgent first. Scope `cases`."""
    staff = _asks(request, "cases", Right.SEE_CASES)
    values = wanted.dict()
    after = values.pop("after")
    page = desk.page(desk.filtered(desk.Filter(**values), staff, now()), after)
    return {"cases": list(page.rows), "after": page.following}


@api.post("/cases/next", response={200: NextOut, **_FAULTS})
def take_next(request: HttpRequest) -> Any:
    """Take the most urgent free case. Scope `decide`."""
    staff = _asks(request, "decide", Right.DECIDE)
    return {"case_id": desk.next_case(staff, now=now())}


@api.get("/cases/{case_id}", response={200: CaseOut, **_FAULTS})
def get_case(request: HttpRequest, case_id: int) -> Any:
    """Return one case. Scope `cases`."""
    staff = _asks(request, "cases", Right.SEE_CASES)
    return desk.open_page(_key(case_id), staff, now=now())


@api.get("/cases/{case_id}/evidence", response={200: dict[str, Any], 503: Fault, **_FAULTS})
def get_evidence(request: HttpRequest, case_id: int) -> Any:
    """Return what a case rests on, personal data masked. Scope `evidence`."""
    staff = _asks(request, "evidence", Right.SEE_CASES)
    row = desk.find(_key(case_id), staff)
    newest = row.evidence.select_related("case").order_by("pk").last()
    assert newest is not None
    candidate = as_candidate(newest)
    account = reader().of_case(candidate, as_of=row.as_of_date)
    shown = case_page(row, candidate, account, whole=False, others=())
    note_action("see_evidence", by=staff.user.get_username(), at=now(), case=row)
    return {
        **candidate.as_json(),
        "as_of": newest.as_of_date,
        "model_id": newest.model_id,
        "data_version": newest.data_version,
        "account": dict(shown.details),
        "pictures": {one.key: {"summary": one.summary, **one.data} for one in shown.pictures},
    }


@api.get("/cases/{case_id}/evidence/{signal}", response={200: BehindOut, 503: Fault, **_FAULTS})
def get_behind(request: HttpRequest, case_id: int, signal: str, skip: Skip = 0) -> Any:
    """Return the rows behind a number, masked, a hundred at a time. Scope `evidence`."""
    staff = _asks(request, "evidence", Right.SEE_CASES)
    row = desk.find(_key(case_id), staff)
    wanted = behind(signal)
    newest = row.evidence.select_related("case").order_by("pk").last()
    if wanted is None or newest is None:
        raise NoSuchCase(case_id)
    kind, conditions = wanted
    found = reader().behind(as_candidate(newest), kind, conditions, as_of=row.as_of_date)
    page = behind_page(signals_by_name()[signal], kind, conditions, found, whole=False, skip=skip)
    note_action(f"see_{kind}", by=staff.user.get_username(), at=now(), case=row, why=signal)
    return {
        "rows_of": kind.value,
        "says": page.heading,
        "sums": page.sums,
        "value": found.value(conditions.figure),
        "columns": [name for name, _ in page.columns],
        "rows": [[text for text, _ in cells] for cells in page.rows],
        "following": page.following,
    }


@api.post("/cases/{case_id}/decisions", response={200: CaseOut, **_FAULTS})
def decide(request: HttpRequest, case_id: int, wanted: DecisionIn) -> Any:
    """Do something with a case. Scope `decide`."""
    staff = _asks(request, "decide", Right.SEE_CASES)
    wish = Wish(
        Action(wanted.action), staff.user.get_username(), Role(staff.role), now(),
        wanted.reason, wanted.note, wanted.until,
    )  # fmt: skip
    desk.act(_key(case_id), staff, wish)
    return desk.find(case_id, staff)


@api.get("/decisions", response={200: list[dict[str, Any]], **_FAULTS})
def list_decisions(request: HttpRequest, since: Instant) -> Any:
    """Return what became final since an instant, the earliest first. Scope `decisions`."""
    staff = _asks(request, "decisions", Right.SEE_CASES)
    if staff.countries or staff.plans:
        raise Forbidden
    found = outbox.decisions_since(since, until=now())
    return [one for _, one in zip(range(MANY), found, strict=False)]


def _key(case_id: int) -> int:
    """Refuse numbers that no database key can have."""
    if abs(case_id) >= 2**63:
        raise NoSuchCase(case_id)
    return case_id


URLS = api.urls
"""The API's addresses. A token is asked for by the API itself, so the gate lets them pass."""

for _pattern in URLS[0]:
    _pattern.callback.right = OPEN  # type: ignore[union-attr]
