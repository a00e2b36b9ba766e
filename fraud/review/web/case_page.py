"""What a case page shows, made from the evidence and the lake: words, rows, pictures, masked.

Pure: no database, no request. Masking happens here and nowhere later, so that a
template cannot forget it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fraud.candidates import Candidate
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
class Similar:
    """Accounts beside this one: heads, and a row for each detail.

    Parameters
    ----------
    heads : sequence of (account_id, kind, similarity)
        `kind` is ``blocked`` or ``good``.
    rows : sequence of (detail, own value, cells)
        A cell is value and verdict: ``agrees``, ``in part``, ``differs``, ``not known``.
    """

    heads: Sequence[tuple[str, str, float]]
    rows: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]


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
    similar: Similar
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
        return Shown((), (), reasons, Similar((), ()), (), ())
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
        similar=_similar(candidate, account, whole=whole),
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


def _similar(candidate: Candidate, account: Account, *, whole: bool) -> Similar:
    near = [(one, "blocked") for one in candidate.similar_blocked]
    near += [(one, "good") for one in candidate.similar_good]
    rows = []
    for name, label in DETAILS.items():
        if name in {"status", "status_reason"}:
            continue
        own = account.details.get(name)
        theirs = [account.similar.get(one.account_id, {}) for one, _ in near]
        cells = [(_detail(of, name, whole=whole), _verdict(own, of.get(name))) for of in theirs]
        if any(text for text, _ in cells):
            rows.append((label, _detail(account.details, name, whole=whole), cells))
    return Similar([(one.account_id, kind, one.similarity) for one, kind in near], rows)


def _verdict(own: Any, other: Any) -> str:
    if not own or not other:
        return "not known"
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
