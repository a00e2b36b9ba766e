"""The pictures of a case as data, each with the table that says the same.

The browser draws them (``static/review/pictures.js``); without it, or without eyes,
the tables stand. Nothing here or there tells anything by colour alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from fraud.review.masking import shown
from fraud.review.midnights import Row
from fraud.review.models import Case
from fraud.review.slices import Account
from fraud.review.web.graph_picture import graph

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVENTS_IN_TABLE = 60
EVENTS_DRAWN = 500
"""The newest events on the timeline. Ours: what a picture can show."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Parameters
    ----------
    key : str
        Kind that the script knows.
    title, summary : str
        Heading, and what it comes to in one sentence.
    data : mapping
        What the script draws.
    columns : sequence of str
        Heads of the table.
    rows : sequence of sequence
        The same in words and figures.
    """

    key: str
    title: str
    summary: str
    data: dict[str, Any]
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


def pictures(
    row: Case, account: Account, *, whole: bool, others: Sequence[Case]
) -> tuple[Picture, ...]:
    """Return the four pictures of a case."""
    return (
        _heat(account),
        _world(account),
        _timeline(row, account, others, whole=whole),
        _graph(row, account, whole=whole),
    )


def _heat(account: Account) -> Picture:
    cells: Counter[tuple[int, int]] = Counter()
    for r in account.hours:
        cells[r["day"].isoweekday(), r["hour"]] += r["outbound_count"]
    cells = +cells
    total = sum(cells.values())
    night = sum(n for (_, hour), n in cells.items() if hour < 6 or hour >= 22)
    share = f", {night / total:.0%} between 22 and 6 o'clock" if total else ""
    return Picture(
        "heat",
        "When it calls",
        f"{total:,} calls made in 30 days{share} (UTC).",
        {"cells": [[hour, day - 1, n] for (day, hour), n in cells.items()], "days": WEEKDAYS},
        ("Day", *(f"{hour:02}" for hour in range(24))),
        [
            (name, *(cells.get((day, hour), "") for hour in range(24)))
            for day, name in enumerate(WEEKDAYS, start=1)
        ],
    )


@cache
def country_names() -> dict[str, str]:
    """Return the English short name of each ISO 3166-1 alpha-2 code."""
    text = files("fraud.review").joinpath("static/review/vendor/countries.json").read_text("utf-8")
    names: dict[str, str] = json.loads(text)
    return {**names, "001": "Worldwide numbers"}


def _world(account: Account) -> Picture:
    names = country_names()
    found = [
        {
            "code": r["country"],
            "name": names.get(r["country"], r["country"]),
            "calls": r["call_count"],
            "minutes": round(r["minutes"] or 0, 1),
            "cost": round(float(r["cost_usd"] or 0), 2),
        }
        for r in account.destinations
    ]
    cost = sum(one["cost"] for one in found)
    minutes = sum(one["minutes"] for one in found)
    return Picture(
        "world",
        "Where it calls",
        f"{_countries(len(found))}, {minutes:,.0f} minutes, about USD {cost:,.2f} in 30 days.",
        {"countries": found},
        ("Country", "Calls", "Minutes", "Cost, USD"),
        [(one["name"], one["calls"], one["minutes"], f"{one['cost']:.2f}") for one in found],
    )


def _countries(count: int) -> str:
    return "1 country" if count == 1 else f"{count} countries"


_EVENT_WORDS = {
    "sign_up": "Sign-up",
    "sign_in": "Sign-in",
    "payment": "Payment",
    "payment_failed": "Payment failed",
    "portal_visit": "Portal visit",
    "app_opened": "App opened",
    "password_changed": "Password changed",
    "forwarding_changed": "Forwarding changed",
    "status_changed": "Status changed",
}


def _timeline(row: Case, account: Account, others: Sequence[Case], *, whole: bool) -> Picture:
    events = [
        {
            "at": one["at"],
            "kind": _EVENT_WORDS.get(one["kind"], one["kind"]),
            "text": _of(one, whole=whole),
        }
        for one in account.events[:EVENTS_DRAWN]
    ]
    if created := account.details.get("created_at"):
        events.append({"at": created, "kind": "Sign-up", "text": "account opened"})
    events += [
        {"at": other.opened_at, "kind": "Earlier case", "text": f"case {other.pk}, {other.status}"}
        for other in others
    ]
    events.sort(key=lambda one: one["at"], reverse=True)
    days = [(str(d["day"]), d["outbound_count"], d["inbound_count"]) for d in account.days]
    kinds = list(dict.fromkeys(one["kind"] for one in events))
    first = days[0][0] if days else None
    seen_on = [str(one["at"].date()) for one in events] + [day for day, _, _ in days]
    return Picture(
        "timeline",
        "What happened when",
        f"{len(events)} events" + (f", calls since {first}" if first else ", no calls in 30 days")
        + ".",
        {
            "days": days,
            "kinds": kinds,
            "events": [[one["at"].isoformat(), one["kind"], one["text"]] for one in events],
            "from": min(seen_on, default=None),
        },
        ("When (UTC)", "What", "More"),
        [
            (one["at"].strftime("%Y-%m-%d %H:%M"), one["kind"], one["text"])
            for one in events[:EVENTS_IN_TABLE]
        ],
    )  # fmt: skip


def _of(event: Row, *, whole: bool) -> str:
    """Say more of an event: amount, address, device, masked like everything else."""
    parts = []
    if event["amount"] is not None:
        parts.append(f"{event['amount']:.2f} {event['currency'] or ''}".strip())
    named = ("payment_fingerprint", "ip", "device", "counterpart")
    parts += [shown(name, event[name], whole=whole) for name in named if event[name]]
    if event["detail"] and event["kind"] == "status_changed":
        parts.append(shown("detail", event["detail"], whole=True))
    return ", ".join(parts)


def _graph(row: Case, account: Account, *, whole: bool) -> Picture:
    found = graph(row, account, whole=whole)
    return Picture(
        "graph",
        "Whom it is tied to",
        found.summary,
        found.data,
        ("Through", "Value", "Account", "Status"),
        found.rows,
    )
