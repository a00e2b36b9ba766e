"""What a case page shows, made from the evidence and the lake: words, rows, pictures, masked.

Pure: no database, no request. Masking happens here and nowhere later, so that a
template cannot forget it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fraud.candidates import Candidate, SimilarAccount
from fraud.review.account import Account, Calls
from fraud.review.calls_behind import calls_behind
from fraud.review.masking import harmless, shown
from fraud.review.models import Case
from fraud.review.web.pictures import Picture, pictures

DETAILS = {
    "name": "Name",
    "email": "E-mail",
    "phone": "Telephone",
    "address": "Address",
    "country": "Country",
    "id_document": "Document",
    "social": "Social media",
    "payment_fingerprint": "Payment means",
    "devices": "Devices",
    "signup_ip": "IP at sign-up",
    "forward_to": "Forwards to",
    "plan": "Plan",
    "status": "Status",
    "status_reason": "Reason of status",
}
"""Details of an account, in the order of the page."""

OPEN_DETAILS = frozenset({"country", "plan", "status", "status_reason"})
"""Details that point to nobody by themselves and are never masked."""


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason: sentence, share of the score in per cent, and the calls it can be checked on."""

    text: str
    share: float
    signal: str
    calls: str | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A similar account beside this one: what agrees, what does not."""

    account_id: str
    kind: str
    similarity: float
    rows: Sequence[tuple[str, str, str]]  # detail, value shown, verdict


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the identity waterfall."""

    blocked_id: str
    detail: str
    words: str
    bits: float


@dataclass(frozen=True, slots=True)
class Shown:
    """The parts of the page."""

    details: Sequence[tuple[str, str]]
    numbers: Sequence[str]
    reasons: Sequence[ReasonLine]
    similar: Sequence[Compared]
    waterfall: Sequence[Step]
    pictures: Sequence[Picture]


def case_page(
    row: Case, candidate: Candidate, account: Account | None, *, whole: bool, others: Sequence[Case]
) -> Shown:
    """Make the parts of a case page; without an account from the lake, what the case knows."""
    reasons = [
        ReasonLine(harmless(reason.text), reason.share * 100, reason.signal, _calls(reason.signal))
        for reason in candidate.reasons
    ]
    if account is None:
        return Shown((), (), reasons, (), (), ())
    similar = [
        _compared(account, one, kind, whole=whole)
        for kind, near in (
            ("blocked", candidate.similar_blocked),
            ("good", candidate.similar_good),
        )
        for one in near
    ]
    waterfall = [
        Step(
            step["blocked_id"], step["detail"].replace("_", " "),
            step["words"] or f"{step['detail'].replace('_', ' ')} differs", step["bits"],
        )
        for step in account.identity
    ]  # fmt: skip
    return Shown(
        details=[
            (label, text)
            for name, label in DETAILS.items()
            if (text := _detail(account.details, name, whole=whole))
        ],
        numbers=[shown("number", one["number"], whole=whole) for one in account.numbers],
        reasons=reasons,
        similar=similar,
        waterfall=waterfall,
        pictures=pictures(row, account, whole=whole, others=others),
    )


def _calls(signal: str) -> str | None:
    wanted = calls_behind(signal)
    return wanted.words if wanted else None


def _detail(details: Mapping[str, Any], name: str, *, whole: bool) -> str:
    value = details.get(name)
    values = value if isinstance(value, list) else [value]
    unmasked = whole or name in OPEN_DETAILS
    return ", ".join(filter(None, (shown(name, one, whole=unmasked) for one in values)))


def _compared(account: Account, near: SimilarAccount, kind: str, *, whole: bool) -> Compared:
    theirs = account.similar.get(near.account_id, {})
    rows = []
    for name, label in DETAILS.items():
        own, other = account.details.get(name), theirs.get(name)
        if not other or name in {"status", "status_reason"}:
            continue
        rows.append((label, _detail(theirs, name, whole=whole), _verdict(own, other)))
    order = {"agrees": 0, "in part": 1, "differs": 2, "not known here": 3}
    rows.sort(key=lambda one: order[one[2]])
    return Compared(near.account_id, kind, near.similarity, rows)


def _verdict(own: Any, other: Any) -> str:
    if not own:
        return "not known here"
    if isinstance(own, list):
        common = set(own) & set(other)
        if not common:
            return "differs"
        return "agrees" if common == set(own) | set(other) else "in part"
    same = str(own).casefold().split() == str(other).casefold().split()
    return "agrees" if same else "differs"


def masked_calls(found: Calls, *, whole: bool) -> list[dict[str, Any]]:
    """Return calls for the page, their parties masked, lengths in s."""
    return [
        {
            **call,
            "caller": shown("caller", call["caller"], whole=whole),
            "callee": shown("callee", call["callee"], whole=whole),
            "ring_s": None if call["ring_ms"] is None else call["ring_ms"] / 1000,
            "duration_s": None if call["duration_ms"] is None else call["duration_ms"] / 1000,
        }
        for call in found.rows
    ]
