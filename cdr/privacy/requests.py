"""Requests of persons and disclosures: what was asked, by when it is due, how it ended.

A request stands in one row that is replaced when it is answered. While a restriction or a
granted objection lasts, its account is neither scored nor learned from, and retention leaves
its data alone. Once a person was erased the row no longer says who it was.
"""

from __future__ import annotations

import calendar
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import polars as pl

from cdr.errors import WrongUse
from cdr.lake import Batch, Lake
from cdr.schema import DIRECT, INSTANT, NOBODY, Field, Personal, Table, register


class Right(StrEnum):
    """What a person can ask for, by article of the GDPR."""

    ACCESS = "access"  # 15
    RECTIFY = "rectify"  # 16
    ERASE = "erase"  # 17
    RESTRICT = "restrict"  # 18
    EXPORT = "export"  # 20
    OBJECT = "object"  # 21


class State(StrEnum):
    """How far a request is."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"
    LIFTED = "lifted"  # a restriction or objection that no longer lasts


def _field(
    name: str,
    dtype: pl.DataType,
    unit: str,
    meaning: str,
    *,
    nullable: bool = False,
    personal: Personal = Personal.NONE,
) -> Field:
    return Field(name, dtype, unit, meaning, nullable, personal, NOBODY)


REQUESTS = Table(
    "person_requests",
    "request of a person",
    (
        _field("request_id", pl.String(), "hex", "Key; the person is told it."),
        _field("right", pl.String(), "code", "What was asked for, see `Right`."),
        _field("kind", pl.String(), "code", "`account` or `number`."),
        _field(
            "subject",
            pl.String(),
            "text",
            "Which; null once erased.",
            nullable=True,
            personal=DIRECT,
        ),
        _field("received_at", INSTANT, "UTC", "When it came in."),
        _field("due_at", INSTANT, "UTC", "One month later: GDPR Art. 12(3)."),
        _field("state", pl.String(), "code", "See `State`."),
        _field(
            "closed_at", INSTANT, "UTC", "When it was answered; null while open.", nullable=True
        ),
        _field(
            "reason",
            pl.String(),
            "text",
            "What the person, or who decided, said.",
            nullable=True,
            personal=DIRECT,
        ),
        _field("answer", pl.String(), "JSON", "What came of it; no personal data.", nullable=True),
    ),
)

DISCLOSURES = Table(
    "disclosures",
    "disclosure of a person's data to an authority, a carrier or a processor",
    (
        _field("disclosure_id", pl.String(), "hex", "Key."),
        _field("kind", pl.String(), "code", "`account` or `number`."),
        _field(
            "subject",
            pl.String(),
            "text",
            "Whose data; null once erased.",
            nullable=True,
            personal=DIRECT,
        ),
        _field("recipient", pl.String(), "text", "Who received it."),
        _field("what", pl.String(), "text", "Which data."),
        _field("ground", pl.String(), "text", "The law or contract it rests on."),
        _field("disclosed_at", INSTANT, "UTC", "When."),
    ),
)

register(REQUESTS, DISCLOSURES)


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


def month_after(at: datetime) -> datetime:
    """Return the same day of the next month, or its last one where it has fewer days."""
    year, month = at.year + at.month // 12, at.month % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))


def receive(
    lake: Lake, right: Right, person: Person, *, reason: str | None, now: datetime
) -> Request:
    """Note a request as open; it is due in a month."""
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
    }
    with lake.batch("request") as batch, lake.writing():
        batch.add(REQUESTS, pl.DataFrame([row], schema=REQUESTS.polars_schema))
        batch.publish()
    return request


def answered(
    lake: Lake,
    batch: Batch,
    request: Request,
    *,
    state: State = State.DONE,
    answer: str | None = None,
    now: datetime,
) -> None:
    """Note in a batch how a request ended. The caller holds the writer lock."""
    of_it = pl.col("request_id") == request.request_id
    _replace(
        lake,
        batch,
        REQUESTS,
        [
            pl.when(of_it).then(pl.lit(state.value)).otherwise("state").alias("state"),
            pl.when(of_it).then(pl.lit(now, INSTANT)).otherwise("closed_at").alias("closed_at"),
            pl.when(of_it).then(pl.lit(answer, pl.String)).otherwise("answer").alias("answer"),
        ],
    )


def close(lake: Lake, request: Request, *, now: datetime, answer: str | None = None,
          state: State = State.DONE) -> None:  # fmt: skip
    """Note how a request ended, in a commit of its own."""
    with lake.batch("request") as batch, lake.writing():
        answered(lake, batch, request, state=state, answer=answer, now=now)
        batch.publish()


def lift(lake: Lake, right: Right, person: Person, *, now: datetime) -> int:
    """End a restriction or objection; returns how many ended.

    Raises
    ------
    WrongUse
        If none lasts.
    """
    of_them = _lasting() & (pl.col("right") == right.value) & _about(person)
    count: int = lake.scan(REQUESTS).filter(of_them).select(pl.len()).collect().item()
    if not count:
        raise WrongUse(f"there is no {right.value} to lift for that {person.kind}")
    lifted = pl.when(of_them).then(pl.lit(State.LIFTED.value)).otherwise("state").alias("state")
    closed = pl.when(of_them).then(pl.lit(now, INSTANT)).otherwise("closed_at").alias("closed_at")
    with lake.batch("request") as batch, lake.writing():
        _replace(lake, batch, REQUESTS, [lifted, closed])
        batch.publish()
    return count


def disclose(
    lake: Lake, person: Person, *, recipient: str, what: str, ground: str, now: datetime
) -> str:
    """Record that a person's data went to somebody; returns the key of the entry."""
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
    about = _about(person)
    nobody = pl.when(about).then(None).otherwise("subject").alias("subject")
    silent = pl.when(about).then(None).otherwise("reason").alias("reason")
    changed = _replace(lake, batch, REQUESTS, [nobody, silent], where=about)
    return changed + _replace(lake, batch, DISCLOSURES, [nobody], where=about)


def requests_of(lake: Lake, person: Person | None = None) -> pl.DataFrame:
    """Return requests, the next due first; of one person, or all."""
    rows = lake.scan(REQUESTS)
    if person is not None:
        rows = rows.filter(_about(person))
    return rows.sort("due_at", "request_id").collect()


def disclosures_of(lake: Lake, person: Person) -> pl.DataFrame:
    """Return to whom a person's data went, the oldest first."""
    return lake.scan(DISCLOSURES).filter(_about(person)).sort("disclosed_at").collect()


def held_accounts(lake: Lake) -> frozenset[str]:
    """Return accounts whose data retention must leave alone: restricted (GDPR Art. 18(2))."""
    return _accounts(lake, Right.RESTRICT)


def not_scored(lake: Lake) -> frozenset[str]:
    """Return accounts that are neither scored nor learned from.

    Restricted ones, and those whose objection was granted (GDPR Art. 18, 21).
    """
    return _accounts(lake, Right.RESTRICT, Right.OBJECT)


def _accounts(lake: Lake, *rights: Right) -> frozenset[str]:
    among = pl.col("right").is_in([right.value for right in rights])
    found = lake.scan(REQUESTS).filter(_lasting() & among & (pl.col("kind") == "account"))
    return frozenset(found.select("subject").collect()["subject"].drop_nulls())


def _lasting() -> pl.Expr:
    return (pl.col("state") == State.DONE.value) & pl.col("subject").is_not_null()


def _about(person: Person) -> pl.Expr:
    return (pl.col("kind") == person.kind) & (pl.col("subject") == person.subject).fill_null(
        value=False
    )


def _replace(
    lake: Lake, batch: Batch, table: Table, changes: list[pl.Expr], *, where: pl.Expr | None = None
) -> int:
    held = lake.scan(table).collect()
    count = held.height if where is None else held.filter(where).height
    if count:
        batch.remove(table, lake.files(table))
        batch.add(table, held.with_columns(changes))
    return count
