"""Why a person is not erased when asked: a legal hold, an open case, a block for fraud."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import polars as pl

from cdr.lake import Lake
from cdr.privacy.holds import holds_in_force
from cdr.privacy.identifiers import Identifiers
from cdr.privacy.requests import Person
from cdr.schema import ACCOUNTS
from fraud.reference import PATTERN_REASONS

A_BLOCK = (
    "blocked for fraud, and kept to protect others until retention.closed_account_days are over: "
    "GDPR Art. 17(1)(c), 21(1)"
)


def holds_against(
    lake: Lake, who: Identifiers, *, cases: Collection[str] = (), now: datetime
) -> list[str]:
    """Return the legal holds on the person, and whether a case is open; empty where none is."""
    own = {who.person, *(Person("number", number) for number in who.numbers)}
    found = [str(hold) for hold in holds_in_force(lake, as_of=now) if hold.person in own]
    return [*found, "open case"] if who.account_id in cases else found


def block_against(lake: Lake, person: Person) -> list[str]:
    """Return why an account that was blocked for fraud stays; empty for others."""
    if person.kind != "account":
        return []
    current = lake.scan(ACCOUNTS).filter(
        pl.col("valid_to").is_null(),
        pl.col("status") == "blocked",
        pl.col("status_reason").is_in(PATTERN_REASONS),
        account_id=person.subject,
    )
    return [] if current.collect().is_empty() else [A_BLOCK]
