"""What the queue sorts and filters by, beside the score: plan, country, money, kind, due time.

Copied to a case when evidence comes, so that a page of the queue asks no lake. Not
here: the evidence of a case page, which is read when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

import fraud.tables  # noqa: F401 - makes account_days known to sessions
from cdr.lake import Lake
from cdr.query import Query, run
from fraud.candidates import Candidate
from fraud.features.signals import SIGNALS

DUE: Mapping[str, timedelta] = {
    "high": timedelta(hours=24),
    "medium": timedelta(days=3),
    "low": timedelta(days=7),
    "unknown": timedelta(days=7),
}
"""How long a case of each band may wait. Ours, because an attack follows its test within a day
(product design, "test-number hit") and a signal's shortest full window is a week."""

MONEY_DAYS = 30
"""Days of cost that are at risk. Ours: what a customer has not paid yet under monthly billing."""

IDENTITY = "identity"
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Facts:
    """What an account is, as of a midnight.

    Parameters
    ----------
    plan : str, default=""
        Tariff or product; empty where unknown.
    country : str, default=""
        ISO 3166-1 alpha-2; empty where unknown.
    money_at_risk_usd : Decimal, optional
        What its calls of the last 30 days cost, in USD by indicative prices; None
        without calls.
    """

    plan: str = ""
    country: str = ""
    money_at_risk_usd: Decimal | None = None


NO_FACTS = Facts()


def account_facts(lake: Lake, account_ids: Sequence[str], *, as_of: date) -> dict[str, Facts]:
    """Read the facts of accounts as of the midnight that begins a UTC day.

    Raises
    ------
    QueryFailed
        If DuckDB refuses.
    """
    if not account_ids:
        return {}
    midnight = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    query = Query.from_file(
        "fraud.review",
        "sql/account_facts",
        accounts=list(account_ids),
        as_of=midnight,
        since_date=as_of - timedelta(days=MONEY_DAYS),
    )
    rows = run(lake.connect_raw("fraud"), query)
    return {
        account_id: Facts(
            plan or "",
            country or "",
            None if cost is None else Decimal(str(cost)).quantize(Decimal("0.01")),
        )
        for account_id, plan, country, cost in rows.iter_rows()
    }


def kind_of(candidate: Candidate) -> str:
    """Name what a candidate is mainly suspected for: the family of its strongest reason."""
    if not candidate.reasons:
        return OTHER
    signal = candidate.reasons[0].signal
    if signal in families():
        return families()[signal]
    return IDENTITY if signal.startswith((IDENTITY, "shared_")) else OTHER


@cache
def families() -> Mapping[str, str]:
    """Return the family of each signal."""
    return {signal.name: signal.family for signal in SIGNALS}
