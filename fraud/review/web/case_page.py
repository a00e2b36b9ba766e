"""What a case page shows, made from the evidence and the lake: words, rows, pictures, masked.

Pure: no database, no request. Masking happens here and nowhere later, so that a
template cannot forget it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fraud.candidates import Candidate, Reason
from fraud.features.registry import Signal
from fraud.features.words import in_words
from fraud.review.behind import stem
from fraud.review.masking import harmless, shown
from fraud.review.models import Case
from fraud.review.rows_behind import behind, signals_by_name
from fraud.review.slices import Account
from fraud.review.web.pictures import Picture, pictures
from fraud.rules.numbers import NUMBERS

DETAILS = {
    "created_at": "Opened",
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

COMPARED = DETAILS | {"counterparts": "Other ends of texts"}
"""What the comparison of identities looks at."""

OPEN_DETAILS = frozenset({"created_at", "country", "plan", "status", "status_reason"})
"""Details that point to nobody by themselves and are never masked."""


Line = tuple[str, str, Sequence[tuple[str, str]]]

NEAR_SHARE = 0.25
"""Two values of behaviour agree where they differ by this share of the larger one at most. Ours:
what one would call "about the same" beside a figure that moves from day to day."""


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason: sentence, share of the score in per cent, and what it can be checked on.

    Parameters
    ----------
    text, share, signal
        The sentence, the share, and which signal it speaks of.
    rows, words : str
        Kind of the rows behind it, and which of them; empty where there are none.
    part : str
        Part of the page that shows what it rests on, where there are no rows; else empty.
    """

    text: str
    share: float
    signal: str
    rows: str = ""
    words: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Similar:
    """Accounts beside this one: heads, and a row for each detail.

    Parameters
    ----------
    heads : sequence of (account_id, kind, similarity)
        `kind` is ``blocked`` or ``good``.
    behaviour, rows : sequence of (what, own value, cells)
        What it does, and its details. A cell is value and verdict: ``agrees``, ``in part``,
        ``differs``, ``not known``.
    """

    heads: Sequence[tuple[str, str, float]]
    behaviour: Sequence[Line] = ()
    rows: Sequence[Line] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the identity waterfall, as a bar from the sum before it to the sum with it.

    Parameters
    ----------
    blocked_id, words : str
        The blocked account it is compared with, and what was found.
    bits, total : float
        What the step adds, and the sum with it.
    left, width, zero : float
        The bar, and where 0 bits is, in 0..100 of the picture's width.
    """

    blocked_id: str
    words: str
    bits: float
    total: float
    left: float
    width: float
    zero: float


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
    reasons = [_reason(reason) for reason in candidate.reasons]
    if account is None:
        return Shown((), (), reasons, Similar(()), (), ())
    return Shown(
        details=[
            (label, text)
            for name, label in DETAILS.items()
            if (text := _detail(account.details, name, whole=whole))
        ],
        numbers=[
            shown("number", one["number"], whole=whole) for one in account.numbers if one["held"]
        ],
        reasons=reasons,
        similar=_similar(candidate, account, whole=whole),
        waterfall=waterfall(account.identity),
        pictures=pictures(row, account, whole=whole, others=others),
    )


def _reason(reason: Reason) -> ReasonLine:
    text, share, found = harmless(reason.text), reason.share * 100, behind(reason.signal)
    if found:
        return ReasonLine(text, share, reason.signal, found[0], found[1].words)
    known = reason.signal in signals_by_name()
    return ReasonLine(text, share, reason.signal, part="who" if known else "shared")


def waterfall(matches: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Lay the steps of each pair end to end, on one scale for all of them."""
    totals: dict[str, float] = {}
    spans = []
    for match in matches:
        start = totals.get(match["blocked_id"], 0.0)
        totals[match["blocked_id"]] = end = start + match["bits"]
        spans.append((match, match["words"] or f"{COMPARED[match['detail']]}: differs", start, end))
    ends = [0.0, *(end for *_, start, end in spans for end in (start, end))]
    low, wide = min(ends), max(max(ends) - min(ends), 1e-9)
    return [
        Step(
            match["blocked_id"], words, match["bits"], end,
            left=round((min(start, end) - low) / wide * 100, 1),
            width=round(abs(end - start) / wide * 100, 1),
            zero=round(-low / wide * 100, 1),
        )
        for match, words, start, end in spans
    ]  # fmt: skip


def _detail(details: Mapping[str, Any], name: str, *, whole: bool) -> str:
    value = details.get(name)
    if isinstance(value, datetime):
        value = f"{value:%Y-%m-%d}"
    values = value if isinstance(value, list) else [value]
    unmasked = whole or name in OPEN_DETAILS
    return ", ".join(filter(None, (shown(name, one, whole=unmasked) for one in values)))


def _similar(candidate: Candidate, account: Account, *, whole: bool) -> Similar:
    near = [(one, "blocked") for one in candidate.similar_blocked]
    near += [(one, "good") for one in candidate.similar_good]
    rows = []
    for name, label in DETAILS.items():
        if name in {"created_at", "status", "status_reason"}:
            continue
        own = account.details.get(name)
        theirs = [account.similar.get(one.account_id, {}) for one, _ in near]
        cells = [(_detail(of, name, whole=whole), _verdict(own, of.get(name))) for of in theirs]
        if any(text for text, _ in cells):
            rows.append((label, _detail(account.details, name, whole=whole), cells))
    heads = [(one.account_id, kind, one.similarity) for one, kind in near]
    return Similar(heads, _behaviour(candidate, account, [one.account_id for one, _ in near]), rows)


def _behaviour(candidate: Candidate, account: Account, near: Sequence[str]) -> list[Line]:
    """Compare the signals of the reasons: those are what made it look alike."""
    lines: list[Line] = []
    for reason in candidate.reasons:
        signal = signals_by_name().get(reason.signal)
        if signal is None or signal in NUMBERS:
            continue
        theirs = [account.behaviour.get(one, {}).get(signal.name) for one in near]
        cells = [(_measured(value, signal), _near(reason.value, value)) for value in theirs]
        lines.append((short_words(signal), _measured(reason.value, signal), cells))
    return lines


def _measured(value: float | None, signal: Signal) -> str:
    return "" if value is None else in_words(value, signal.unit)


def _near(own: float | None, other: float | None) -> str:
    """Say whether two measured values are about the same.

    Examples
    --------
    >>> _near(100.0, 80.0), _near(100.0, 60.0), _near(0.0, 0.0), _near(1.0, None)
    ('agrees', 'differs', 'agrees', 'not known')
    """
    if own is None or other is None:
        return "not known"
    same = abs(own - other) <= NEAR_SHARE * max(abs(own), abs(other))
    return "agrees" if same else "differs"


def short_words(signal: Signal) -> str:
    """Name a signal in the head of a line.

    Examples
    --------
    >>> short_words(signals_by_name()["outbound_calls_count_7d"])
    'Outbound calls, 7 days'
    >>> short_words(signals_by_name()["account_age_days_30d"])
    'Account age'
    """
    words = (
        stem(signal).replace("_", " ").replace(" max", ", most").replace("asr", "ASR").capitalize()
    )
    words = words.replace("usd", "USD")
    if signal.family == "first_days":
        return words
    return f"{words}, {'1 day' if signal.window_days == 1 else f'{signal.window_days} days'}"


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
