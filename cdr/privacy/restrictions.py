"""Who is left alone: restricted, objecting, and as of when.

An account under a restriction (GDPR Art. 18) or an objection (Art. 21) is kept, but it is not
scored, no model learns from it and it is no reference for others. That holds for whatever is
worked out today, also as of a day before the person asked: such work is processing today.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from cdr.lake import Lake
from cdr.privacy.books import REQUESTS
from cdr.privacy.requests import LASTING, Right


def in_force(requests: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Keep the requests that hold as of an instant, or hold still.

    Parameters
    ----------
    requests : DataFrame
        Rows of `person_requests`.
    as_of : datetime
        UTC instant.

    Returns
    -------
    DataFrame
        `kind`, `subject`, `right`, `in_force_from`, one row a request.
    """
    lasting = pl.col("right").is_in([right.value for right in LASTING])
    ended = pl.col("in_force_until")
    then = (pl.col("in_force_from") <= as_of) & (ended.is_null() | (ended > as_of))
    still = pl.col("in_force_from").is_not_null() & ended.is_null()
    return requests.filter(lasting & pl.col("subject").is_not_null() & (then | still)).select(
        "kind", "subject", "right", "in_force_from"
    )


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Accounts, and numbers in E.164 of anybody, that are under a restriction or an objection."""

    accounts: frozenset[str]
    numbers: frozenset[str]


def all_left_alone(lake: Lake, *, as_of: datetime) -> LeftAlone:
    """Return accounts and numbers that are left alone, as `left_alone` takes the instant."""
    found = in_force(lake.scan(REQUESTS).collect(), as_of)
    accounts, numbers = (found.filter(kind=kind)["subject"] for kind in ("account", "number"))
    return LeftAlone(frozenset(accounts), frozenset(numbers))


def left_alone(lake: Lake, *, as_of: datetime) -> frozenset[str]:
    """Return accounts that are neither scored nor learned from nor compared with.

    Parameters
    ----------
    lake : Lake
        Whose.
    as_of : datetime
        UTC instant; whoever restricts or objects today is left alone as of any instant.
    """
    return all_left_alone(lake, as_of=as_of).accounts


def numbers_left_alone(lake: Lake, *, as_of: datetime) -> frozenset[str]:
    """Return numbers of people who restrict or object, customers or not, in E.164."""
    return all_left_alone(lake, as_of=as_of).numbers


def kept_for_restriction(lake: Lake, *, as_of: datetime) -> frozenset[str]:
    """Return accounts whose data retention must leave alone: GDPR Art. 18(2)."""
    found = in_force(lake.scan(REQUESTS).collect(), as_of)
    return frozenset(found.filter(kind="account", right=Right.RESTRICT.value)["subject"])
