"""What book-keeping law keeps of a person who is erased, and in which columns.

GDPR Art. 17(3)(b): no erasure as far as a legal obligation needs the data. Each obligation is
the billing rule of retention seen from the other side, so the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from cdr.privacy.rules import BOOKKEEPING, CONTESTED_BILL, Standing
from cdr.schema import DIRECT, TABLES, Outcome, Table


@dataclass(frozen=True, slots=True)
class Obligation:
    """What has to be kept of one table.

    Parameters
    ----------
    table : str
        Its name.
    ground : str
        The clause.
    keeps : callable
        Given the standing, tells which rows.
    until : callable
        Given the standing and the kept rows' newest instant, tells until when at the latest.
    columns : tuple of str
        Direct identifiers that it needs; the others become unknown in kept rows.
    instant : str
        Column by which the period runs.
    """

    table: str
    ground: str
    keeps: Callable[[Standing], pl.Expr]
    until: Callable[[Standing, datetime], datetime]
    columns: tuple[str, ...]
    instant: str

    def clears(self, table: Table) -> tuple[str, ...]:
        """Return the direct identifiers that it does not need."""
        return tuple(
            f.name for f in table.fields if f.personal is DIRECT and f.name not in self.columns
        )


def _billable(standing: Standing) -> pl.Expr:
    return (pl.col("outcome") == Outcome.ANSWERED.value) & ~standing.billing_over()


def _after(setting: str) -> Callable[[Standing, datetime], datetime]:
    return lambda standing, at: at + timedelta(days=getattr(standing.days, setting))


def _calls(table: str) -> Obligation:
    return Obligation(
        table, CONTESTED_BILL, _billable, _after("unbilled_days"),
        ("caller_number", "callee_number"), "started_at",
    )  # fmt: skip


OBLIGATIONS: dict[str, Obligation] = {
    one.table: one
    for one in (
        _calls("calls"),
        _calls("call_history"),
        Obligation(
            "account_events", BOOKKEEPING,
            lambda s: (pl.col("kind") == "payment") & ~s.older("at", "bookkeeping_days"),
            _after("bookkeeping_days"), (), "at",
        ),
        Obligation(
            "billing_lines", BOOKKEEPING,
            lambda s: pl.col("period") >= s.before("bookkeeping_days").strftime("%Y-%m"),
            _after("bookkeeping_days"), ("caller_number", "number"), "started_at",
        ),
        Obligation(
            "accounts", CONTESTED_BILL, lambda s: pl.col("valid_to").is_null() & s.of(s.billed),
            _after("closed_account_days"), (), "status_since",
        ),
    )
}  # fmt: skip
"""By table. Of an account that is still billed, plan and country are kept, not who it is."""


def obligation_of(table: Table) -> Obligation | None:
    """Return what has to be kept of a table; None where nothing has."""
    assert set(OBLIGATIONS) - set(TABLES) <= {"billing_lines"}, "an obligation of no table"
    return OBLIGATIONS.get(table.name)
