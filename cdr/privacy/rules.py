"""The rules of retention, each once: what goes, when, and on which clause that rests.

Order is the order of work: columns before rows. A rule never removes what another purpose
still needs: a row goes when the last of its periods is over. Not here: what is held and left
alone by every rule (`holds`), how rows are found and removed (`retention`), and what lies in
files (`leftovers`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce

import polars as pl

from cdr.privacy.periods import RetentionSettings
from cdr.schema import FOR_A_HOLD, KEPT_FOR, Outcome, Purpose

MINIMISE = "GDPR Art. 5(1)(c), (e): no more and no longer than needed"
FRAUD_INTEREST = "GDPR Art. 6(1)(f), recital 47: protection against fraud, for as long as needed"
CONTESTED_BILL = (
    "Directive 2002/58/EC Art. 6(2): traffic data until the bill can no longer be contested"
)
BOOKKEEPING = "GDPR Art. 6(1)(c): book-keeping law, seven years"
RELATIONSHIP = "privacy policy: one year after the customer relationship ends"
ENQUIRY = "privacy policy: 30 days for a closed enquiry"
ACCOUNTABILITY = "GDPR Art. 5(2): requests can be shown to have been answered"


@dataclass(frozen=True, slots=True)
class SealedPeriod:
    """A sealed billing period: when it began and ended, and when it was sealed, in UTC."""

    since: datetime
    until: datetime
    sealed_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What a night knows before any row is judged.

    Parameters
    ----------
    now : datetime
        UTC instant.
    days : RetentionSettings
        The periods.
    held : tuple of str
        Accounts of which nothing goes: legal hold, open case, restriction.
    held_numbers : tuple of str
        Numbers under a legal hold, in E.164: no row that names one goes.
    ended : tuple of str
        Accounts closed or blocked longer than their period ago.
    inactive : tuple of str
        Open accounts without a sign of life for their period.
    silent_from : date
        First UTC day of that period: from then on no inactive account has a call or event.
    sealed : tuple of SealedPeriod
        Billing periods that were sealed.
    billed : tuple of str
        Accounts being erased of which there are calls that may still have to be billed.
    """

    now: datetime
    days: RetentionSettings
    held: tuple[str, ...] = ()
    held_numbers: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    inactive: tuple[str, ...] = ()
    silent_from: date = date.max
    sealed: tuple[SealedPeriod, ...] = ()
    billed: tuple[str, ...] = ()

    def before(self, setting: str) -> datetime:
        """Return the instant before which a period is over."""
        days: int = getattr(self.days, setting)
        return self.now - timedelta(days=days)

    def young(self, setting: str) -> date:
        """Return the first UTC day of which nothing is older than a period."""
        return self.before(setting).date() + timedelta(days=1)

    def young_and_active(self, setting: str) -> date:
        """Return the first such day that is of no inactive account either."""
        return max(self.young(setting), self.silent_from if self.inactive else date.min)

    def older(self, column: str, setting: str) -> pl.Expr:
        """Tell which instants are longer ago than a period; unknown is not."""
        return (pl.col(column) < self.before(setting)).fill_null(value=False)

    def older_day(self, column: str, setting: str) -> pl.Expr:
        """Tell which whole days are longer ago than a period."""
        return (pl.col(column) < self.before(setting).date()).fill_null(value=False)

    def of(self, accounts: tuple[str, ...]) -> pl.Expr:
        """Tell which rows are of one of these accounts."""
        if not accounts:
            return pl.lit(value=False)
        return (
            pl.col("account_id").is_in(pl.lit(pl.Series(accounts)).implode()).fill_null(value=False)
        )

    def fraud_over(self) -> pl.Expr:
        """Tell for which answered calls the fraud purpose is over."""
        over = (pl.col(KEPT_FOR.name) == Purpose.BILLING.value).fill_null(value=False)
        return over | self.older("started_at", "call_days") | self.of(self.inactive)

    def billing_over(self) -> pl.Expr:
        """Tell for which answered calls the billing purpose is over."""
        within = [
            (pl.col("started_at") >= one.since) & (pl.col("started_at") < one.until)
            for one in self.sealed
        ]
        contestable = self.before("billed_days")
        over = [
            expr
            for expr, one in zip(within, self.sealed, strict=True)
            if one.sealed_at < contestable
        ]
        unsealed = ~any_of(within) & self.older("started_at", "unbilled_days")
        return any_of([*over, unsealed])

    def billed_late(self) -> date:
        """Return the first UTC day of which no call can be `billing_over`."""
        contestable = self.before("billed_days")
        over = [one.until.date() for one in self.sealed if one.sealed_at < contestable]
        return max([self.young("unbilled_days"), *(day + timedelta(days=1) for day in over)])


@dataclass(frozen=True, slots=True)
class Rule:
    """What goes of a table, and when.

    Parameters
    ----------
    name : str
        In reports.
    table : str
        Name of the table.
    setting : str
        Its period, in `RetentionSettings`.
    clause : str
        What the period rests on.
    over : callable
        Given the standing of a night, tells which rows it is over for.
    columns : tuple of str
        What becomes unknown; empty: the row goes.
    to : str or None
        What the columns become instead, where they are unknown.
    spared_from : callable or None
        Given the standing, tells the first UTC day of which no row can be concerned, but those that
        are marked `kept_for`; None where rows of any day can.
    """

    name: str
    table: str
    setting: str
    clause: str
    over: Callable[[Standing], pl.Expr]
    columns: tuple[str, ...] = ()
    to: str | None = None
    spared_from: Callable[[Standing], date] | None = None

    def due(self, standing: Standing, schema: pl.Schema) -> pl.Expr:
        """Tell which rows of a table still have what is to go, holds or not."""
        due = self.over(standing)
        if self.columns:
            due &= any_of([self.concerns(column, schema) for column in self.columns])
        return due

    def concerns(self, column: str, schema: pl.Schema) -> pl.Expr:
        """Tell where a column is not yet what it is to become."""
        return filled(column, schema) if self.to is None else pl.col(column).is_null()

    def becomes(self, column: str, schema: pl.Schema) -> pl.Expr:
        """Return what a column becomes."""
        nothing: list[str] | None = [] if isinstance(schema[column], pl.List) else None
        return pl.lit(nothing if self.to is None else self.to, schema[column])

    def spares(self, day: date, standing: Standing) -> bool:
        """Tell without looking that no row of a day can be due yet, but marked ones."""
        return self.spared_from is not None and day >= self.spared_from(standing)


def filled(column: str, schema: pl.Schema) -> pl.Expr:
    """Tell where a column says something; an empty list says nothing."""
    if isinstance(schema[column], pl.List):
        return (pl.col(column).list.len() > 0).fill_null(value=False)
    return pl.col(column).is_not_null()


def any_of(conditions: list[pl.Expr]) -> pl.Expr:
    """Return the disjunction; of nothing it is false."""
    return reduce(lambda one, other: one | other, conditions, pl.lit(value=False))


_ANSWERED = pl.col("outcome") == Outcome.ANSWERED.value
_IPS = tuple(f"{side}_ip{of}" for side in ("caller", "callee") for of in ("", "_kind", "_country"))
_PARTIES = ("caller_raw", "caller_party", "callee_raw", "callee_party")
_KEPT_FOR = (KEPT_FOR.name,)
_DETAILS = ("id_document", "social", "payment_fingerprint", "devices", "signup_ip", "forward_to")
_EVENT = ("ip", "ip_country", "device", "payment_fingerprint", "counterpart", "detail")


def _young(setting: str) -> Callable[[Standing], date]:
    return lambda s: s.young(setting)


def _for_a_hold(table: str) -> Rule:
    return Rule(
        "kept for a hold that ended", table, "ended_hold_days", MINIMISE,
        lambda s: (pl.col(KEPT_FOR.name) == FOR_A_HOLD).fill_null(value=False),
        spared_from=lambda s: date.min,
    )  # fmt: skip


def _call_rules(table: str) -> tuple[Rule, ...]:
    def young(setting: str) -> Callable[[Standing], date]:
        # what was corrected can be of an account whose call is somebody else's now
        return lambda s: (
            date.max if s.inactive and table != "calls" else s.young_and_active(setting)
        )

    return (
        Rule(
            "addresses", table, "address_days", MINIMISE,
            lambda s: s.older("started_at", "address_days") | s.of(s.inactive), _IPS,
            spared_from=young("address_days"),
        ),
        Rule(
            "parties", table, "call_days", FRAUD_INTEREST,
            lambda s: _ANSWERED & s.fraud_over(), _PARTIES, spared_from=young("call_days"),
        ),
        Rule(
            "seen by billing only", table, "call_days", FRAUD_INTEREST,
            lambda s: _ANSWERED & s.fraud_over(), _KEPT_FOR, Purpose.BILLING.value,
            spared_from=young("call_days"),
        ),
        Rule(
            "seen by fraud only", table, "billed_days", CONTESTED_BILL,
            lambda s: _ANSWERED & s.billing_over() & ~s.fraud_over(), _KEPT_FOR,
            Purpose.FRAUD.value, spared_from=lambda s: s.billed_late(),
        ),
        Rule(
            "unanswered attempts", table, "attempt_days", FRAUD_INTEREST,
            lambda s: ~_ANSWERED & (s.older("started_at", "attempt_days") | s.of(s.inactive)),
            spared_from=young("attempt_days"),
        ),
        _for_a_hold(table),
        Rule(
            "answered calls", table, "call_days", CONTESTED_BILL,
            lambda s: _ANSWERED & s.fraud_over() & s.billing_over(), spared_from=young("call_days"),
        ),
    )  # fmt: skip


def _days(table: str, column: str, setting: str, clause: str) -> Rule:
    return Rule(
        table, table, setting, clause, lambda s: s.older_day(column, setting),
        spared_from=_young(setting),
    )  # fmt: skip


def _months(table: str) -> Rule:
    """Return the rule of a table whose `period` is a month, written 2026-10."""
    return Rule(
        table, table, "bookkeeping_days", BOOKKEEPING,
        lambda s: pl.col("period") < s.before("bookkeeping_days").strftime("%Y-%m"),
    )  # fmt: skip


RULES: tuple[Rule, ...] = (
    *_call_rules("calls"),
    *_call_rules("call_history"),
    Rule(
        "identification of inactive accounts", "accounts", "inactive_account_days",
        "privacy policy: three months for inactive accounts",
        lambda s: s.of(s.inactive), _DETAILS,
    ),
    _for_a_hold("accounts"),
    Rule(
        "closed accounts", "accounts", "closed_account_days", RELATIONSHIP,
        lambda s: s.of(s.ended),
    ),
    Rule(
        "earlier details", "accounts", "closed_account_days", MINIMISE,
        lambda s: s.older("valid_to", "closed_account_days"),
    ),
    Rule(
        "numbers given back", "account_numbers", "closed_account_days", RELATIONSHIP,
        lambda s: s.older("valid_to", "closed_account_days") | s.of(s.ended),
    ),
    Rule(
        "traces of events", "account_events", "address_days", MINIMISE,
        lambda s: s.older("at", "address_days") | s.of(s.inactive), _EVENT,
        spared_from=lambda s: s.young_and_active("address_days"),
    ),
    Rule(
        "payments seen by billing only", "account_events", "event_days", FRAUD_INTEREST,
        lambda s: (pl.col("kind") == "payment") & s.older("at", "event_days"),
        _KEPT_FOR, Purpose.BILLING.value, spared_from=_young("event_days"),
    ),
    Rule(
        "events", "account_events", "event_days", FRAUD_INTEREST,
        lambda s: (pl.col("kind") != "payment") & s.older("at", "event_days"),
        spared_from=_young("event_days"),
    ),
    Rule(
        "payments", "account_events", "bookkeeping_days", BOOKKEEPING,
        lambda s: (pl.col("kind") == "payment") & s.older("at", "bookkeeping_days"),
        spared_from=_young("bookkeeping_days"),
    ),
    _for_a_hold("account_events"),
    _days("message_templates", "message_date", "message_days", FRAUD_INTEREST),
    _days("account_days", "call_date", "feature_days", FRAUD_INTEREST),
    _days("account_day_keys", "call_date", "feature_days", FRAUD_INTEREST),
    _days("reduced_days", "call_date", "feature_days", FRAUD_INTEREST),
    _days("blocked_traces", "trace_date", "closed_account_days", RELATIONSHIP),
    _days("features", "as_of_date", "feature_days", FRAUD_INTEREST),
    _days("scores", "as_of_date", "score_days", FRAUD_INTEREST),
    _days("shadow_scores", "as_of_date", "score_days", FRAUD_INTEREST),
    _days("rule_hits", "call_date", "score_days", FRAUD_INTEREST),
    _months("billing_lines"),
    _months("billing_extracts"),
    Rule(
        "rejects", "rejects", "reject_days", ENQUIRY,
        lambda s: s.older("ingested_at", "reject_days"),
    ),
    Rule("lists", "lists", "list_days", MINIMISE, lambda s: s.older("valid_to", "list_days")),
    Rule(
        "requests", "person_requests", "request_days", ACCOUNTABILITY,
        lambda s: s.older("closed_at", "request_days")
        & ~(pl.col("in_force_from").is_not_null() & pl.col("in_force_until").is_null()),
    ),
    Rule(
        "legal holds", "legal_holds", "request_days", ACCOUNTABILITY,
        lambda s: s.older("until", "request_days"),
    ),
    Rule(
        "disclosures", "disclosures", "request_days", ACCOUNTABILITY,
        lambda s: s.older("disclosed_at", "request_days"),
    ),
)  # fmt: skip
"""Every rule on a table, in the order of work."""
