"""The small tables that say what a person asked, to whom data went, and what is held.

Such a table is read and written anew whole when a row changes: it has a row a request, not a row
a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from cdr.lake import Batch, Lake
from cdr.schema import DIRECT, INSTANT, NOBODY, Field, Kept, Purpose, Table, register

_field = partial(Field, purposes=NOBODY)


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
        _field(
            "in_force_from",
            INSTANT,
            "UTC",
            "From when on a restriction or objection holds; null for other rights.",
            nullable=True,
        ),
        _field(
            "in_force_until",
            INSTANT,
            "UTC",
            "Until when (excluded); null while it holds.",
            nullable=True,
        ),
        _field(
            "grounds",
            pl.String(),
            "text",
            "Why it was refused or lifted, as who decided put it.",
            nullable=True,
            personal=DIRECT,
        ),
    ),
    kept=(Kept(Purpose.RIGHTS, ("request_days",)),),
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
    kept=(Kept(Purpose.RIGHTS, ("request_days",)),),
)

HOLDS = Table(
    "legal_holds",
    "legal hold on what is kept of a person",
    (
        _field("hold_id", pl.String(), "hex", "Key."),
        _field("kind", pl.String(), "code", "`account` or `number`."),
        _field("subject", pl.String(), "text", "Which; null once erased.", nullable=True,
               personal=DIRECT),
        _field("ground", pl.String(), "text", "The order or claim it rests on."),
        _field("since", INSTANT, "UTC", "When it was laid on."),
        _field("until", INSTANT, "UTC", "When it ends; null until it is ended.", nullable=True),
        _field("ended_why", pl.String(), "text", "Why it was ended.", nullable=True),
    ),
    kept=(Kept(Purpose.RIGHTS, ("request_days",)),),
)  # fmt: skip

register(REQUESTS, DISCLOSURES, HOLDS)


def change(
    lake: Lake, batch: Batch, table: Table, where: pl.Expr, to: Mapping[str, pl.Expr]
) -> int:
    """Set columns of some rows, in a batch; returns how many. The caller holds the writer lock."""
    held = lake.scan(table).collect()
    where = where.fill_null(value=False)
    count = held.filter(where).height
    if count:
        changes = [pl.when(where).then(new).otherwise(name).alias(name) for name, new in to.items()]
        lake.replace(batch, table, held.with_columns(changes))
    return count
