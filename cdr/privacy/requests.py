"""Requests of persons and disclosures: what was asked, by when it is due, how it ended.

A request stands in one row that is replaced when something comes of it. A restriction or an
objection is in force from when it was received (an objection is not to be processed against
while it is weighed, GDPR Art. 18(1)(d)) until it is lifted or refused; whom that leaves alone
is in `restrictions`. Once a person was erased the row no longer says who it was.
"""

from __future__ import annotations

import calendar
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import polars as pl

from cdr.errors import WrongUse
from cdr.lake import Batch, Lake
from cdr.privacy.books import DISCLOSURES, REQUESTS, change
from cdr.schema import INSTANT


class Right(StrEnum):
    """What a person can ask for, by article of the GDPR."""

    ACCESS = "access"  # 15
    RECTIFY = "rectify"  # 16
    ERASE = "erase"  # 17
    RESTRICT = "restrict"  # 18
    EXPORT = "export"  # 20
    OBJECT = "object"  # 21


LASTING = frozenset({Right.RESTRICT, Right.OBJECT})
"""Rights that are in force for a time, and not done once."""


class State(StrEnum):
    """How far a request is."""

    OPEN = "open"
    DONE = "done"  # answered; of an objection: granted
    REFUSED = "refused"
    LIFTED = "lifted"  # a restriction or objection that no longer holds


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a request is about: an account of ours, or whoever a number belongs to."""

    kind: str
    subject: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it stands."""

    request_id: str
    right: Right
    person: Person
    received_at: datetime
    due_at: datetime
    state: State = State.OPEN


def month_after(at: datetime) -> datetime:
    """Return the same day of the next month, or its last one where it has fewer days."""
    year, month = at.year + at.month // 12, at.month % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))


def receive(
    lake: Lake, right: Right, person: Person, *, reason: str | None, now: datetime
) -> Request:
    """Note a request as open; it is due in a month. A lasting right is in force at once."""
    request = Request(uuid.uuid4().hex, right, person, now, month_after(now))
    row = {
        "request_id": request.request_id,
        "right": right.value,
        "kind": person.kind,
        "subject": person.subject,
        "received_at": now,
        "due_at": request.due_at,
        "state": State.OPEN.value,
        "closed_at": None,
        "reason": reason,
        "answer": None,
        "in_force_from": now if right in LASTING else None,
        "in_force_until": None,
        "grounds": None,
    }
    with lake.batch("request") as batch, lake.writing():
        batch.add(REQUESTS, pl.DataFrame([row], schema=REQUESTS.polars_schema))
        batch.publish()
    return request


def open_request(lake: Lake, right: Right, person: Person) -> Request | None:
    """Return the oldest request of that kind that waits for an answer; None without one."""
    found = lake.scan(REQUESTS).filter(
        _about(person) & (pl.col("right") == right.value) & (pl.col("state") == State.OPEN.value)
    )
    rows = found.sort("received_at").collect()
    return None if rows.is_empty() else _request(rows.row(0, named=True))


def in_force_request(lake: Lake, right: Right, person: Person) -> Request | None:
    """Return the restriction, or granted objection, that holds until it is lifted; else None."""
    found = lake.scan(REQUESTS).filter(
        _about(person)
        & (pl.col("right") == right.value)
        & (pl.col("state") == State.DONE.value)
        & pl.col("in_force_until").is_null()
    )
    rows = found.sort("received_at").collect()
    return None if rows.is_empty() else _request(rows.row(0, named=True))


def request_of(lake: Lake, request_id: str) -> Request:
    """Return the request whose id begins so.

    Raises
    ------
    WrongUse
        If none does, or several do, or the person was erased since.
    """
    rows = lake.scan(REQUESTS).filter(pl.col("request_id").str.starts_with(request_id)).collect()
    if rows.height != 1 or not request_id:
        how_many = "no request begins" if rows.is_empty() else f"{rows.height} requests begin"
        raise WrongUse(f"{how_many} with that id; `callsieve person requests` shows them")
    if rows["subject"][0] is None:
        raise WrongUse("the person of that request was erased; nothing is left to decide")
    return _request(rows.row(0, named=True))


def _request(row: dict[str, Any]) -> Request:
    return Request(
        row["request_id"],
        Right(row["right"]),
        Person(row["kind"], row["subject"]),
        row["received_at"],
        row["due_at"],
        State(row["state"]),
    )


def answered(
    lake: Lake,
    batch: Batch,
    request: Request,
    *,
    now: datetime,
    state: State = State.DONE,
    answer: str | None = None,
    grounds: str | None = None,
) -> None:
    """Note in a batch how a request ended. The caller holds the writer lock."""
    of_it = pl.col("request_id") == request.request_id
    changed: dict[str, pl.Expr] = {
        "state": pl.lit(state.value),
        "closed_at": pl.lit(now, INSTANT),
        "answer": pl.lit(answer, pl.String),
        "grounds": pl.lit(grounds, pl.String),
    }
    if request.right in LASTING and state in (State.REFUSED, State.LIFTED):
        changed["in_force_until"] = pl.lit(now, INSTANT)
    change(lake, batch, REQUESTS, of_it, changed)


def close(
    lake: Lake,
    request: Request,
    *,
    now: datetime,
    state: State = State.DONE,
    answer: str | None = None,
    grounds: str | None = None,
) -> None:
    """Note how a request ended, in a commit of its own."""
    with lake.batch("request") as batch, lake.writing():
        answered(lake, batch, request, state=state, answer=answer, grounds=grounds, now=now)
        batch.publish()


def decide(
    lake: Lake, request: Request, state: State, *, grounds: str | None, now: datetime
) -> None:
    """Grant or refuse what is open, or lift a restriction or objection that is in force.

    Raises
    ------
    WrongUse
        If the request does not stand so that this can be done, or a refusal or lifting has no
        grounds: GDPR Art. 12(4), 21(1).
    """
    if state is not State.DONE and not (grounds or "").strip():
        raise WrongUse("say why with --grounds: the person is told, and it can be contested")
    if state is State.LIFTED:
        if request.right not in LASTING or request.state is not State.DONE:
            raise WrongUse("only a restriction or granted objection can be lifted")
    elif request.state is not State.OPEN:
        raise WrongUse(f"that request is {request.state.value} already")
    close(lake, request, state=state, grounds=grounds, now=now)


def disclose(
    lake: Lake, person: Person, *, recipient: str, what: str, ground: str, now: datetime
) -> str:
    """Record that a person's data went to somebody; returns the key of the entry.

    Raises
    ------
    WrongUse
        If it is not said to whom, what, or on which ground.
    """
    if not (recipient.strip() and what.strip() and ground.strip()):
        raise WrongUse("say who received it, which data, and on which law or contract it rests")
    key = uuid.uuid4().hex
    row = {
        "disclosure_id": key, "kind": person.kind, "subject": person.subject,
        "recipient": recipient, "what": what, "ground": ground, "disclosed_at": now,
    }  # fmt: skip
    with lake.batch("disclosure") as batch, lake.writing():
        batch.add(DISCLOSURES, pl.DataFrame([row], schema=DISCLOSURES.polars_schema))
        batch.publish()
    return key


def forget(lake: Lake, batch: Batch, person: Person) -> int:
    """Take the subject out of a person's requests and disclosures; returns rows changed."""
    about, nothing = _about(person), pl.lit(None, pl.String)
    silent = dict.fromkeys(("subject", "reason", "grounds"), nothing)
    changed = change(lake, batch, REQUESTS, about, silent)
    return changed + change(lake, batch, DISCLOSURES, about, {"subject": nothing})


def requests_of(lake: Lake, person: Person | None = None) -> pl.DataFrame:
    """Return requests, the next due first; of one person, or all."""
    rows = lake.scan(REQUESTS)
    if person is not None:
        rows = rows.filter(_about(person))
    return rows.sort("due_at", "request_id").collect()


def disclosures_of(lake: Lake, person: Person) -> pl.DataFrame:
    """Return to whom a person's data went, the oldest first."""
    return lake.scan(DISCLOSURES).filter(_about(person)).sort("disclosed_at").collect()


def _about(person: Person) -> pl.Expr:
    return (pl.col("kind") == person.kind) & (pl.col("subject") == person.subject).fill_null(
        value=False
    )
