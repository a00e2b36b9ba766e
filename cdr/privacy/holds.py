"""Legal holds: of an account or a number nothing may be removed while one is in force.

Ground: GDPR Art. 17(3)(b) and (e), a legal obligation or legal claims. Retention leaves what is
held alone, and erasure refuses the person, or keeps the rows of others that name the number.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from cdr.errors import WrongUse
from cdr.lake import Batch, Lake
from cdr.privacy.books import HOLDS, change
from cdr.privacy.columns import by_key, loosely, side_of
from cdr.privacy.identifiers import Identifiers
from cdr.privacy.requests import Person
from cdr.privacy.rules import Standing
from cdr.schema import INSTANT, Table


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold in force; ``until`` is None where it lasts until somebody ends it."""

    hold_id: str
    person: Person
    ground: str
    until: datetime | None

    def __str__(self) -> str:
        until = "" if self.until is None else f", until {self.until:%Y-%m-%d}"
        return f"legal hold ({self.ground}{until})"


def add_hold(
    lake: Lake, person: Person, *, ground: str, until: datetime | None, now: datetime
) -> Hold:
    """Lay a hold on what is kept of a person, from now on.

    Raises
    ------
    WrongUse
        If there is no ground, or it would be over already.
    """
    if not ground.strip():
        raise WrongUse("say on which order or claim the hold rests: --ground")
    if until is not None and until <= now:
        raise WrongUse("--until has passed already")
    hold = Hold(uuid.uuid4().hex, person, ground, until)
    row = {
        "hold_id": hold.hold_id, "kind": person.kind, "subject": person.subject,
        "ground": ground, "since": now, "until": until, "ended_why": None,
    }  # fmt: skip
    with lake.batch("hold") as batch, lake.writing():
        batch.add(HOLDS, pl.DataFrame([row], schema=HOLDS.polars_schema))
        batch.publish()
    return hold


def end_hold(lake: Lake, hold_id: str, *, why: str, now: datetime) -> Hold:
    """End the hold in force whose id begins so.

    Raises
    ------
    WrongUse
        If none does, or several do, or it is not said why.
    """
    if not why.strip():
        raise WrongUse("say why the hold ends: --why")
    found = [hold for hold in holds_in_force(lake, as_of=now) if hold.hold_id.startswith(hold_id)]
    if len(found) != 1 or not hold_id:
        raise WrongUse(
            f"{len(found) or 'no'} holds in force begin with that id; "
            "`callsieve retention hold list` shows them"
        )
    it = pl.col("hold_id") == found[0].hold_id
    changes = {"until": pl.lit(now, INSTANT), "ended_why": pl.lit(why)}
    with lake.batch("hold") as batch, lake.writing():
        change(lake, batch, HOLDS, it, changes)
        batch.publish()
    return found[0]


def holds(lake: Lake) -> pl.DataFrame:
    """Return every hold, those in force and those that ended, the newest first."""
    return lake.scan(HOLDS).sort("since", descending=True).collect()


def holds_in_force(lake: Lake, *, as_of: datetime) -> tuple[Hold, ...]:
    """Return the holds that nothing may be removed for.

    A hold is respected for `retention.ended_hold_days` after it ended.
    """
    since = as_of - timedelta(days=lake.settings.retention.ended_hold_days)
    lasting = pl.col("until").is_null() | (pl.col("until") > since)
    rows = lake.scan(HOLDS).filter(lasting & pl.col("subject").is_not_null()).sort("since")
    return tuple(
        Hold(row["hold_id"], Person(row["kind"], row["subject"]), row["ground"], row["until"])
        for row in rows.collect().iter_rows(named=True)
    )


def held_rows(table: Table, standing: Standing) -> pl.Expr:
    """Tell which rows are of a held account, or name a held number."""
    held = pl.lit(value=False)
    if standing.held and "account_id" in table.polars_schema:
        held |= standing.of(standing.held)
    if standing.held_numbers:
        numbers = standing.held_numbers
        anybody = Identifiers(Person("number", numbers[0]), None, numbers)
        of_calls = any(side_of(field.name) for field in table.fields)
        held |= by_key(table, anybody) if of_calls else loosely(table, anybody)
    return held


def forget_holds(lake: Lake, batch: Batch, person: Person) -> None:
    """Take a person who was erased out of holds that ended. The caller holds the writer lock."""
    about = (pl.col("kind") == person.kind) & (pl.col("subject") == person.subject)
    change(lake, batch, HOLDS, about, {"subject": pl.lit(None, pl.String)})
