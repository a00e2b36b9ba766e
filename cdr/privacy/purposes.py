"""Purposes: on which ground each rests, how long it keeps a column, which rows it may see.

What belongs to which purpose stands in `cdr.schema`, how long a period is in `periods`, what
it rests on in `rules`; here they are put together for sessions and for `docs/tables.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import pyarrow.dataset as ds

from cdr.privacy.periods import RetentionSettings
from cdr.privacy.restrictions import LeftAlone
from cdr.privacy.rules import CONTESTED_BILL, RULES
from cdr.schema import KEPT_FOR, Field, Outcome, Purpose, Table

GROUNDS = {
    Purpose.BILLING: "GDPR Art. 6(1)(b) and (c): the contract, and book-keeping law",
    Purpose.FRAUD: "GDPR Art. 6(1)(f): a legitimate interest (recital 47); a person can object",
    Purpose.SECURITY: "GDPR Art. 6(1)(f), Art. 32: security of network and system (recital 49)",
    Purpose.RIGHTS: "GDPR Art. 6(1)(c): the duty to answer a person (Art. 12 to 22)",
}
"""The legal ground of each purpose."""

OF_A_BILL = frozenset({"billed_days", "unbilled_days"})
"""Periods of billing within the rule on answered calls, which go by the latest of all."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Why a purpose keeps a column, and for how long.

    Parameters
    ----------
    purpose : Purpose
        Which.
    ground : str
        The legal ground.
    periods : tuple of (str, int, str)
        Setting under `[retention]`, its default in days, the clause it rests on; the latest
        that applies counts. Empty: as long as another purpose keeps it.
    """

    purpose: Purpose
    ground: str
    periods: tuple[tuple[str, int, str], ...]


def bases_of(table: Table, field: Field) -> tuple[Basis, ...]:
    """Return the basis of each purpose that sees a column.

    A column that retention empties before its row goes has the period of that rule.
    """
    own = {
        rule.setting
        for rule in RULES
        if rule.table == table.name and field.name in rule.columns and rule.to is None
    }
    found = []
    for kept in table.kept:
        if field.name not in table.columns_of(kept.purpose):
            continue
        settings = tuple(sorted(own)) if own and kept.periods else kept.periods
        periods = tuple((name, days_of(name), clause_of(table, name)) for name in settings)
        found.append(Basis(kept.purpose, GROUNDS[kept.purpose], periods))
    return tuple(found)


def days_of(setting: str) -> int:
    """Return the default of a period, in days."""
    days: int = RetentionSettings.model_fields[setting].default
    return days


def clause_of(table: Table, setting: str) -> str:
    """Return what a period of a table rests on, as the rules of retention say."""
    if setting in OF_A_BILL:
        return CONTESTED_BILL
    of_it = [rule for rule in RULES if rule.setting == setting]
    own = [rule for rule in of_it if rule.table == table.name]
    return (own or of_it)[0].clause


def rows_of(purpose: Purpose, table: Table, left_alone: LeftAlone) -> ds.Expression | None:
    """Return which rows of a table a purpose may see; None for all.

    Billing sees calls that were answered, and payments. Fraud does not see accounts and
    numbers of people who restricted their data or whose objection was granted (GDPR Art. 18,
    21). Security sees events that are no payments. See also `kept_rows_of`.
    """
    return _both(kept_rows_of(purpose, table), _rows_of(purpose, table, left_alone))


def kept_rows_of(purpose: Purpose, table: Table) -> ds.Expression | None:
    """Return which rows are kept for a purpose; None for all.

    What one purpose alone still needs, only that one sees, and whoever answers for a person's
    rights.
    """
    if purpose is Purpose.RIGHTS or KEPT_FOR.name not in table.columns_of(purpose):
        return None
    kept_for = ds.field(KEPT_FOR.name)
    return kept_for.is_null() | (kept_for == purpose.value)


def _both(one: ds.Expression | None, other: ds.Expression | None) -> ds.Expression | None:
    if one is None or other is None:
        return one if other is None else other
    return one & other


def _rows_of(purpose: Purpose, table: Table, left_alone: LeftAlone) -> ds.Expression | None:
    names = table.polars_schema.names()
    if purpose is Purpose.BILLING:
        if "outcome" in names:
            return ds.field("outcome") == Outcome.ANSWERED.value
        return ds.field("kind") == "payment" if _has_payments(table) else None
    if purpose is Purpose.SECURITY:
        return ds.field("kind") != "payment" if _has_payments(table) else None
    return _left_out(table, left_alone) if purpose is Purpose.FRAUD else None


def _has_payments(table: Table) -> bool:
    return {"kind", "amount"} <= set(table.polars_schema)


def _left_out(table: Table, left_alone: LeftAlone) -> ds.Expression | None:
    accounts, numbers = sorted(left_alone.accounts), sorted(left_alone.numbers)
    shown = None
    if accounts and "account_id" in table.polars_schema:
        shown = ~ds.field("account_id").isin(accounts)
    for name in _numbers(table) if numbers else ():
        shown = _both(shown, ~ds.field(name).isin(numbers))
    return shown


def _numbers(table: Table) -> list[str]:
    """Name the columns of a table that can hold a telephone number, one a row."""
    return [
        name
        for name in table.columns_of(Purpose.FRAUD)
        if name in table.shielded and isinstance(table.polars_schema[name], pl.String)
    ]
