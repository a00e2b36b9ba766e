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
from math import log10

import fraud.tables  # noqa: F401 - makes account_days known to sessions
from cdr.lake import Lake
from cdr.query import Query, run
from fraud.candidates import Candidate
from fraud.features.signals import SIGNALS
from fraud.rules.numbers import NUMBERS

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

AGING_A_DAY = 0.05
"""What a day of waiting adds to a case's urgency. Ours: a score of .5 overtakes a new one of .9
after eight days, a day after it was due, so that nothing waits for ever."""

MONEY_A_DECADE = 0.05
"""What each factor of ten in USD adds. Ours: money tips the scales between like scores, the score
stays in front; USD 1,000 weigh as much as .15 of score."""

AGES_FROM = datetime(2020, 1, 1, tzinfo=UTC)
"""Waiting is counted from here for all cases alike, so that their order needs no clock."""

LONGEST = 200
"""Signs of a plan or country that are kept: they stand in indexes, whose entries are bounded."""

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
        What its calls of the last 30 days cost, in USD; None
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
            (plan or "")[:LONGEST],
            (country or "")[:LONGEST],
            None if cost is None else Decimal(str(cost)).quantize(Decimal("0.01")),
        )
        for account_id, plan, country, cost in rows.iter_rows()
    }


def urgency(score: float | None, money_usd: Decimal | None, *, since: datetime) -> float:
    """Return what the queue is sorted by, the highest first.

    The score (0 where unknown), more for money at risk, and more for every day since the case
    was opened. That all cases age alike keeps their order whenever one looks, so it is written
    once and served from an index.

    Examples
    --------
    >>> today, last_week = datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    >>> urgency(0.9, None, since=today) > urgency(0.6, None, since=today)
    True
    >>> urgency(0.9, None, since=today) > urgency(0.6, None, since=last_week)
    False
    >>> urgency(0.6, Decimal(5000), since=today) > urgency(0.65, Decimal(5), since=today)
    True
    """
    money = MONEY_A_DECADE * log10(1 + float(money_usd)) if money_usd else 0.0
    waited_from_days = (since - AGES_FROM) / timedelta(days=1)
    return (score or 0.0) + money - AGING_A_DAY * waited_from_days


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
    """Return the family of each signal, and of each number of rules."""
    return {signal.name: signal.family for signal in (*SIGNALS, *NUMBERS)}
